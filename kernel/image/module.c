/* SPDX-License-Identifier: MIT
 * The list of loaded modules. Writers hold the list lock and PsLoadedModuleResource; drivers that walk it hold the resource, the
 * kernel walks it without a lock, at any IRQL and in a bug check. */
#include "imp.h"
#include "mm.h"

#define IMP_TAG 'dLmI'
#define IMP_NAME_TAG 'mNmI'

static ARCH_LOCK ImpListLock = ARCH_LOCK_INIT("ImageList", LockRankImageList, DISPATCH_LEVEL);
static PIM_MODULE ImpFreeModules;  /* (l) */
static volatile ULONG ImpRemovals; /* (l) who finds nothing and sees it change has perhaps been led astray */

/* Exported: drivers that walk the list hold the resource. [WDK has neither; published by debuggers' headers] */
LIST_ENTRY PsLoadedModuleList = {&PsLoadedModuleList, &PsLoadedModuleList};
ERESOURCE PsLoadedModuleResource;
static BOOLEAN ImpResourceReady;

static PIM_MODULE ImpTakeFreeModule(VOID)
{
    KIRQL OldIrql = ArchAcquireLock(&ImpListLock);
    PIM_MODULE Module = ImpFreeModules;

    if (Module != NULL)
        ImpFreeModules = Module->NextFree;
    ArchReleaseLock(&ImpListLock, OldIrql);
    return Module;
}

/* A reader may stand on the structure of a module that has just gone: it finds a whole, if senseless, one there. */
PIM_MODULE ImpAllocateModule(VOID)
{
    PIM_MODULE Module = ImpTakeFreeModule();

    if (Module == NULL)
        Module = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Module), IMP_TAG);
    if (Module == NULL)
        return NULL;
    memset(Module, 0, sizeof(*Module));
    Module->Entry.Flink = Module->Entry.Blink = &PsLoadedModuleList;
    return Module;
}

VOID ImpReleaseModule(PIM_MODULE Module)
{
    if (Module->FullName.Buffer != NULL)
        ExFreePoolWithTag(Module->FullName.Buffer, IMP_NAME_TAG);
    Module->FullName = Module->BaseName = (UNICODE_STRING){0};
    Module->Base = NULL;
    Module->Size = 0;
    KIRQL OldIrql = ArchAcquireLock(&ImpListLock);
    Module->NextFree = ImpFreeModules;
    ImpFreeModules = Module;
    ArchReleaseLock(&ImpListLock, OldIrql);
}

VOID ImpInitResource(VOID)
{
    ExInitializeResourceLite(&PsLoadedModuleResource);
    ImpResourceReady = TRUE;
}

/* Drivers keep the list still by the resource, the kernel's own readers need nothing. Before phase 1 there is nobody else. */
static KIRQL ImpLockList(VOID)
{
    if (ImpResourceReady) {
        KeEnterCriticalRegion();
        ExAcquireResourceExclusiveLite(&PsLoadedModuleResource, TRUE);
    }
    return ArchAcquireLock(&ImpListLock);
}

static VOID ImpUnlockList(KIRQL OldIrql)
{
    ArchReleaseLock(&ImpListLock, OldIrql);
    if (ImpResourceReady) {
        ExReleaseResourceLite(&PsLoadedModuleResource);
        KeLeaveCriticalRegion();
    }
}

VOID ImpInsertModule(PIM_MODULE Module)
{
    KIRQL OldIrql = ImpLockList();

    Module->Entry.Flink = &PsLoadedModuleList;
    Module->Entry.Blink = PsLoadedModuleList.Blink;
    __atomic_store_n(&PsLoadedModuleList.Blink->Flink, &Module->Entry, __ATOMIC_RELEASE);
    PsLoadedModuleList.Blink = &Module->Entry;
    ImpUnlockList(OldIrql);
}

VOID ImpRemoveModule(PIM_MODULE Module)
{
    KIRQL OldIrql = ImpLockList();

    ImpRemovals++;
    RemoveEntryList(&Module->Entry); /* its Flink stays: a reader that stands here goes on */
    ImpUnlockList(OldIrql);
}

VOID ImpForEachModule(VOID (*Action)(PIM_MODULE Module))
{
    for (PLIST_ENTRY Entry = PsLoadedModuleList.Flink; Entry != &PsLoadedModuleList; Entry = Entry->Flink)
        Action(CONTAINING_RECORD(Entry, IM_MODULE, Entry));
}

static PIM_MODULE ImpLookForModule(const void *Address)
{
    for (PLIST_ENTRY Entry = PsLoadedModuleList.Flink; Entry != &PsLoadedModuleList; Entry = Entry->Flink) {
        PIM_MODULE Module = CONTAINING_RECORD(Entry, IM_MODULE, Entry);
        if ((ULONG_PTR)Address - (ULONG_PTR)Module->Base < Module->Size)
            return Module;
    }
    return NULL;
}

PIM_MODULE ImFindModule(const void *Address)
{
    ULONG Before;
    PIM_MODULE Module;

    do {
        Before = __atomic_load_n(&ImpRemovals, __ATOMIC_ACQUIRE);
        Module = ImpLookForModule(Address);
    } while (Module == NULL && Before != __atomic_load_n(&ImpRemovals, __ATOMIC_ACQUIRE));
    return Module;
}

/* [WDK DRIVER_INITIALIZE] STATUS_SUCCESS or an error status: nobody waits for what is pending. */
VOID ImReportPending(PIM_MODULE Module, PCSTR Routine)
{
    CHAR Text[128];

    _snprintf(Text, sizeof(Text),
              "%s returned STATUS_PENDING, but what it has not done then nobody waits for", Routine);
    Text[sizeof(Text) - 1] = 0;
    KdLog("%s: %s", Module->Name, Text);
    KdReport(ReportViolation, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, "pending"),
             KD_TEXT(ReportKeyText, Text));
}

PCSTR ImModuleNameOf(const void *Address)
{
    PIM_MODULE Module = ImFindModule(Address);

    return Module != NULL ? Module->Name : NULL;
}

BOOLEAN ImIsKernelAddress(const void *Address)
{
    PIM_MODULE Module = ImFindModule(Address);

    return Module != NULL && Module->IsBoot;
}

#define IMP_LIBRARY_SECTION ".ntboxlb"

BOOLEAN ImIsLibraryAddress(const void *Address)
{
    PIM_MODULE Module = ImFindModule(Address);
    PE_SECTION Section;

    if (Module == NULL || Module->IsBoot)
        return FALSE;
    for (uint32_t i = 0; PeGetSection(&Module->Image, i, &Section, NULL) == PE_OK; i++)
        if (strcmp(Section.Name, IMP_LIBRARY_SECTION) == 0)
            return TRUE;
    return FALSE;
}

BOOLEAN ImpNameMatches(PIM_MODULE Module, PCSTR Name, SIZE_T Length)
{
    if (_strnicmp(Module->Name, Name, Length) != 0)
        return FALSE;
    return Module->Name[Length] == 0 || (Module->Name[Length] == '.' && memchr(Name, '.', Length) == NULL);
}

PIM_MODULE ImpFindModuleByName(PCSTR Name, SIZE_T Length)
{
    if (Length >= RTL_FIELD_SIZE(IM_MODULE, Name))
        return NULL;
    for (PLIST_ENTRY Entry = PsLoadedModuleList.Flink; Entry != &PsLoadedModuleList; Entry = Entry->Flink) {
        PIM_MODULE Module = CONTAINING_RECORD(Entry, IM_MODULE, Entry);
        if (ImpNameMatches(Module, Name, Length))
            return Module;
    }
    return NULL;
}

/* What follows the last backslash, as UTF-8 with ASCII's letters in lower case, whole characters only. Room bytes. Gives where it
 * starts. */
ULONG ImpBaseNameOf(PCUNICODE_STRING FullName, CHAR *Name, ULONG Room)
{
    ULONG Count = FullName->Length / sizeof(WCHAR), Start = Count, Length = 0;

    while (Start > 0 && FullName->Buffer[Start - 1] != L'\\')
        Start--;
    (void)RtlUnicodeToUTF8N(Name, Room - 1, &Length, FullName->Buffer + Start,
                            (Count - Start) * sizeof(WCHAR));
    for (ULONG i = 0; i < Length; i++)
        Name[i] = (UCHAR)Name[i] < 0x80 ? (CHAR)tolower(Name[i]) : Name[i];
    Name[Length] = 0;
    return Start;
}

NTSTATUS ImpSetName(PIM_MODULE Module, PCUNICODE_STRING FullName)
{
    Module->FullName.Buffer =
        ExAllocatePoolWithTag(NonPagedPoolNx, FullName->Length + sizeof(WCHAR), IMP_NAME_TAG);
    if (Module->FullName.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Module->FullName.Length = Module->FullName.MaximumLength = FullName->Length;
    memcpy(Module->FullName.Buffer, FullName->Buffer, FullName->Length);
    Module->FullName.Buffer[FullName->Length / sizeof(WCHAR)] = 0;
    ULONG Start = ImpBaseNameOf(&Module->FullName, Module->Name, sizeof(Module->Name));
    Module->BaseName.Buffer = Module->FullName.Buffer + Start;
    Module->BaseName.Length = Module->BaseName.MaximumLength =
        (USHORT)(FullName->Length - Start * sizeof(WCHAR));
    return STATUS_SUCCESS;
}

NTSTATUS ImpCompleteModule(PIM_MODULE Module, PE_ERROR *Error)
{
    uint32_t Count = 0;
    PE_STATUS Status = PeOpenExports(&Module->Image, &Module->Exports, Error);

    Module->HasExports = Status == PE_OK;
    if (Status == PE_OK || Status == PE_NOT_FOUND)
        Status = PeCheckExceptions(&Module->Image, &Count, Error);
    if (Status == PE_OK && Count != 0) {
        Module->FunctionTable = Module->Base + Module->Image.Directories[PE_DIRECTORY_EXCEPTION].Rva;
        Module->FunctionCount = Count;
        Module->FunctionTableSize = Module->Image.Directories[PE_DIRECTORY_EXCEPTION].Size;
    }
    if (Status != PE_OK && Status != PE_NOT_FOUND)
        return STATUS_INVALID_IMAGE_FORMAT;
    Module->EntryPoint =
        Module->Image.AddressOfEntryPoint != 0 ? Module->Base + Module->Image.AddressOfEntryPoint : NULL;
    Module->CheckSum = Module->Image.CheckSum;
    Module->SizeNotRounded = Module->Image.SizeOfImage;
    Module->TimeDateStamp = Module->Image.TimeDateStamp;
    return STATUS_SUCCESS;
}

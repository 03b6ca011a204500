/* SPDX-License-Identifier: MIT
 * The list of loaded modules. Writers hold the list lock; readers walk it without one, at any IRQL and in a bug check. */
#include "imp.h"
#include "mm.h"

#define IMP_TAG 'dLmI'

static ARCH_LOCK ImpListLock = ARCH_LOCK_INIT("ImageList", LockRankImageList, DISPATCH_LEVEL);
static LIST_ENTRY ImpModules = {&ImpModules, &ImpModules};

PIM_MODULE ImpAllocateModule(VOID)
{
    PIM_MODULE Module = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Module), IMP_TAG);

    if (Module != NULL)
        memset(Module, 0, sizeof(*Module));
    return Module;
}

VOID ImpInsertModule(PIM_MODULE Module)
{
    KIRQL OldIrql = ArchAcquireLock(&ImpListLock);

    Module->Entry.Flink = &ImpModules;
    Module->Entry.Blink = ImpModules.Blink;
    __atomic_store_n(&ImpModules.Blink->Flink, &Module->Entry, __ATOMIC_RELEASE);
    ImpModules.Blink = &Module->Entry;
    ArchReleaseLock(&ImpListLock, OldIrql);
}

VOID ImpRemoveModule(PIM_MODULE Module)
{
    KIRQL OldIrql = ArchAcquireLock(&ImpListLock);

    RemoveEntryList(&Module->Entry);
    ArchReleaseLock(&ImpListLock, OldIrql);
}

VOID ImpForEachModule(VOID (*Action)(PIM_MODULE Module))
{
    for (PLIST_ENTRY Entry = ImpModules.Flink; Entry != &ImpModules; Entry = Entry->Flink)
        Action(CONTAINING_RECORD(Entry, IM_MODULE, Entry));
}

PIM_MODULE ImFindModule(const void *Address)
{
    for (PLIST_ENTRY Entry = ImpModules.Flink; Entry != &ImpModules; Entry = Entry->Flink) {
        PIM_MODULE Module = CONTAINING_RECORD(Entry, IM_MODULE, Entry);
        if ((ULONG_PTR)Address - (ULONG_PTR)Module->Base < Module->Size)
            return Module;
    }
    return NULL;
}

PCSTR ImModuleNameOf(const void *Address)
{
    PIM_MODULE Module = ImFindModule(Address);

    return Module != NULL ? Module->Name : NULL;
}

/* The boot images come first in the list and never leave it. */
BOOLEAN ImIsKernelAddress(const void *Address)
{
    PIM_MODULE Module = ImFindModule(Address);

    return Module != NULL && Module->DriverObject == NULL && Module->FullName.Buffer == NULL;
}

static BOOLEAN ImpNameMatches(PIM_MODULE Module, PCSTR Name, SIZE_T Length)
{
    if (_strnicmp(Module->Name, Name, Length) != 0)
        return FALSE;
    return Module->Name[Length] == 0 || (Module->Name[Length] == '.' && memchr(Name, '.', Length) == NULL);
}

PIM_MODULE ImpFindModuleByName(PCSTR Name, SIZE_T Length)
{
    if (Length >= RTL_FIELD_SIZE(IM_MODULE, Name))
        return NULL;
    for (PLIST_ENTRY Entry = ImpModules.Flink; Entry != &ImpModules; Entry = Entry->Flink) {
        PIM_MODULE Module = CONTAINING_RECORD(Entry, IM_MODULE, Entry);
        if (ImpNameMatches(Module, Name, Length))
            return Module;
    }
    return NULL;
}

/* What follows the last backslash, lower case; other than ASCII becomes '?'. */
VOID ImpSetName(PIM_MODULE Module, PCUNICODE_STRING FullName)
{
    ULONG Count = FullName->Length / sizeof(WCHAR), Start = Count, Length = 0;

    while (Start > 0 && FullName->Buffer[Start - 1] != L'\\')
        Start--;
    for (ULONG i = Start; i < Count && Length + 1 < sizeof(Module->Name); i++) {
        WCHAR Unit = FullName->Buffer[i];
        Module->Name[Length++] = (Unit < 0x80) ? (CHAR)tolower((CHAR)Unit) : '?';
    }
    Module->Name[Length] = 0;
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
    }
    if (Status != PE_OK && Status != PE_NOT_FOUND)
        return STATUS_INVALID_IMAGE_FORMAT;
    return STATUS_SUCCESS;
}

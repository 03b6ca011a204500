/* SPDX-License-Identifier: MIT
 * Loading a driver image: bytes of a file -> mapped, relocated, bound, protected, entered into the list. Everything that can
 * fail does so before the module becomes visible. */
#include "imp.h"
#include "mm.h"

VOID ImpReportImage(PIM_MODULE Module, NTSTATUS Status, PCSTR Text)
{
    KdReport(ReportImage, KD_TEXT(ReportKeyDriver, Module->Name),
             KD_NUMBER(ReportKeyBase, (ULONG_PTR)Module->Base), KD_NUMBER(ReportKeySize, Module->Size),
             KD_NUMBER(ReportKeyStatus, (ULONG)Status), KD_TEXT(ReportKeyText, Text));
}

static NTSTATUS ImpRefuse(PIM_MODULE Module, NTSTATUS Status, PCSTR Text)
{
    KdLogError("%s: %s; refused", Module->Name, Text);
    ImpReportImage(Module, Status, Text);
    return Status;
}

static NTSTATUS ImpStatusOf(PE_STATUS Status)
{
    switch (Status) {
    case PE_NOT_RELOCATABLE:
        return STATUS_CONFLICTING_ADDRESSES;
    case PE_NOT_PE:
        return STATUS_INVALID_IMAGE_NOT_MZ;
    default:
        return STATUS_INVALID_IMAGE_FORMAT;
    }
}

static ULONG64 ImpCookieEntropy(VOID)
{
    static volatile ULONG64 Count;
    ULONG64 Value = ImpOptions.Seed + __atomic_add_fetch(&Count, 0x9e3779b97f4a7c15ull, __ATOMIC_RELAXED);

    Value = (Value ^ (Value >> 30)) * 0xbf58476d1ce4e5b9ull; /* splitmix64 */
    Value = (Value ^ (Value >> 27)) * 0x94d049bb133111ebull;
    return Value ^ (Value >> 31);
}

/* Copies, relocates, and looks at tables. The pages are writable still. */
static NTSTATUS ImpPrepare(PIM_MODULE Module, const PE_IMAGE *File, PE_ERROR *Error)
{
    PE_STATUS Status = PeMapImage(File, Module->Base, Module->Size, &Module->Image, Error);

    if (Status == PE_OK)
        Status = PeRelocateImage(&Module->Image, (ULONG_PTR)Module->Base, Error);
    if (Status == PE_OK)
        Status = PeSetSecurityCookie(&Module->Image, ImpCookieEntropy(), Error);
    if (Status != PE_OK)
        return ImpStatusOf(Status);
    Module->EntryPoint = Module->Base + Module->Image.AddressOfEntryPoint;
    return ImpCompleteModule(Module, Error);
}

static VOID ImpWarn(PIM_MODULE Module)
{
    for (uint32_t Bit = 1; Bit != 0; Bit <<= 1) {
        if ((Module->Image.Warnings & Bit) == 0)
            continue;
        KdLog("%s: warning: %s", Module->Name, PeWarningText(Bit));
        KdReport(ReportViolation, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, "image"),
                 KD_TEXT(ReportKeyText, PeWarningText(Bit)));
    }
}

/* A program's image is refused last, so that the report names everything it imports and does not get. */
static NTSTATUS ImpBuild(PIM_MODULE Module, const PE_IMAGE *File, PE_ERROR *Error)
{
    NTSTATUS Status = ImpPrepare(Module, File, Error);
    if (NT_SUCCESS(Status))
        Status = ImpBindModule(Module, Error);
    if (!NT_SUCCESS(Status))
        return Status;
    if (File->AddressOfEntryPoint == 0 || File->Subsystem != PE_SUBSYSTEM_NATIVE) {
        strcpy(Error->Text, "it is not a driver: no entry point, or another subsystem than native");
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS ImpLoadBytes(PIM_MODULE Module, const void *Bytes, SIZE_T Length)
{
    PE_IMAGE File;
    PE_ERROR Error;
    PE_STATUS Parsed =
        PeParseFile(Bytes, Length, ImpOptions.StrictWx ? PE_PARSE_STRICT_WX : 0, &File, &Error);

    if (Parsed != PE_OK)
        return ImpRefuse(Module, ImpStatusOf(Parsed), Error.Text);
    Module->Size = (ULONG)ALIGN_UP_BY(File.SizeOfImage, PAGE_SIZE);
    Module->Base = MmAllocateImageSpace(Module->Size);
    if (Module->Base == NULL)
        return ImpRefuse(Module, STATUS_INSUFFICIENT_RESOURCES, "there is no memory for the image");
    ULONG64 Start = ArchReadTsc();
    NTSTATUS Status = ImpBuild(Module, &File, &Error);
    if (ImpOptions.MeasureLoads)
        KdLog("bench: %s: %u bytes mapped, relocated and bound in %llu ticks", Module->Name, (unsigned)Length,
              (unsigned long long)(ArchReadTsc() - Start));
    if (!NT_SUCCESS(Status)) {
        ImpRefuse(Module, Status, Error.Text);
        MmFreeImageSpace(Module->Base, Module->Size);
        return Status;
    }
    ImpProtectModule(Module);
    ImpWarn(Module);
    return STATUS_SUCCESS;
}

static NTSTATUS ImpCopyName(PIM_MODULE Module, PCUNICODE_STRING FullName)
{
    Module->FullName.Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, FullName->Length, 'mNmI');
    if (Module->FullName.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Module->FullName.Length = Module->FullName.MaximumLength = FullName->Length;
    memcpy(Module->FullName.Buffer, FullName->Buffer, FullName->Length);
    return STATUS_SUCCESS;
}

static VOID ImpFreeModule(PIM_MODULE Module)
{
    if (Module->Thunks != NULL)
        ImpDeleteThunks(Module->Thunks);
    if (Module->FullName.Buffer != NULL)
        ExFreePoolWithTag(Module->FullName.Buffer, 'mNmI');
    ExFreePool(Module);
}

static NTSTATUS ImpLoadNamed(PIM_MODULE Module, PCUNICODE_STRING FullName)
{
    PVOID Bytes;
    SIZE_T Length;

    ImpSetName(Module, FullName);
    if (ImpFindModuleByName(Module->Name, strlen(Module->Name)) != NULL)
        return ImpRefuse(Module, STATUS_IMAGE_ALREADY_LOADED, "an image of that name is loaded already");
    NTSTATUS Status = ImpCopyName(Module, FullName);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ImReadFile(FullName, 'iFmI', &Bytes, &Length);
    if (!NT_SUCCESS(Status))
        return ImpRefuse(Module, Status, "the file cannot be read");
    Status = ImpLoadBytes(Module, Bytes, Length);
    ExFreePoolWithTag(Bytes, 'iFmI');
    return Status;
}

NTSTATUS ImLoadImage(PCUNICODE_STRING FullName, PIM_MODULE *Loaded)
{
    PIM_MODULE Module = ImpAllocateModule();

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (Module == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ImpLoadNamed(Module, FullName);
    if (!NT_SUCCESS(Status)) {
        ImpFreeModule(Module);
        return Status;
    }
    ImpInsertModule(Module);
    ImpReportImage(Module, STATUS_SUCCESS, NULL);
    *Loaded = Module;
    return STATUS_SUCCESS;
}

VOID ImUnloadImage(PIM_MODULE Module)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    ImpRemoveModule(Module);
    MmFreeImageSpace(Module->Base, Module->Size);
    ImpFreeModule(Module);
}

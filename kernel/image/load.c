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
static NTSTATUS ImpPrepare(IMP_LOAD *Load)
{
    PIM_MODULE Module = Load->Module;
    PE_STATUS Status = PeMapImage(&Load->Parsed, Module->Base, Module->Size, &Module->Image, &Load->Error);

    if (Status == PE_OK)
        Status = PeRelocateImage(&Module->Image, (ULONG_PTR)Module->Base, &Load->Error);
    if (Status == PE_OK)
        Status = PeSetSecurityCookie(&Module->Image, ImpCookieEntropy(), &Load->Error);
    if (Status != PE_OK)
        return ImpStatusOf(Status);
    if (!NT_SUCCESS(ImpMakeSections(Module)))
        return ImpFail(Load, STATUS_INSUFFICIENT_RESOURCES, "there is no memory for its sections");
    return ImpCompleteModule(Module, &Load->Error);
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
static NTSTATUS ImpBuild(IMP_LOAD *Load)
{
    NTSTATUS Status = ImpPrepare(Load);

    if (NT_SUCCESS(Status))
        Status = ImpLoadDependencies(Load);
    if (NT_SUCCESS(Status))
        Status = ImpBindModule(Load);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Load->Parsed.AddressOfEntryPoint == 0 || Load->Parsed.Subsystem != PE_SUBSYSTEM_NATIVE)
        return ImpFail(Load, STATUS_INVALID_IMAGE_FORMAT,
                       "it is not a driver: no entry point, or another subsystem than native");
    return STATUS_SUCCESS;
}

static NTSTATUS ImpLoadBytes(IMP_LOAD *Load, const void *Bytes, SIZE_T Length)
{
    PIM_MODULE Module = Load->Module;
    PE_STATUS Parsed =
        PeParseFile(Bytes, Length, ImpOptions.StrictWx ? PE_PARSE_STRICT_WX : 0, &Load->Parsed, &Load->Error);

    if (Parsed != PE_OK)
        return ImpStatusOf(Parsed);
    Module->Size = (ULONG)ALIGN_UP_BY(Load->Parsed.SizeOfImage, PAGE_SIZE);
    Module->Base = MmAllocateImageSpace(Module->Size);
    if (Module->Base == NULL)
        return ImpFail(Load, STATUS_INSUFFICIENT_RESOURCES, "there is no memory for the image");
    ULONG64 Start = ArchReadTsc();
    NTSTATUS Status = ImpBuild(Load);
    if (ImpOptions.MeasureLoads)
        KdLog("bench: %s: %u bytes mapped, relocated and bound in %llu ticks", Module->Name, (unsigned)Length,
              (unsigned long long)(ArchReadTsc() - Start));
    return Status;
}

/* [WDK PLOAD_IMAGE_NOTIFY_ROUTINE] wants the file object. */
static NTSTATUS ImpReadImage(IMP_LOAD *Load, PUNICODE_STRING FullName)
{
    PVOID Bytes;
    SIZE_T Length;
    NTSTATUS Status = ImpOpenFile(FullName, &Load->File);

    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Load->File, 0, NULL, KernelMode, &Load->FileObject, NULL);
    if (NT_SUCCESS(Status))
        Status = ImReadOpenFile(Load->File, 'iFmI', &Bytes, &Length);
    if (!NT_SUCCESS(Status))
        return ImpFail(Load, Status,
                       Status == STATUS_END_OF_FILE ? "the file is empty" : "the file cannot be read");
    Status = ImpLoadBytes(Load, Bytes, Length);
    ExFreePoolWithTag(Bytes, 'iFmI');
    return Status;
}

/* What was made of it so far; it is in no list. */
static VOID ImpFreeModule(PIM_MODULE Module)
{
    if (Module->Base != NULL) {
        RtlForgetCode(Module->Base, Module->Size);
        MmFreeImageSpace(Module->Base, Module->Size);
    }
    ImpReleaseUses(Module);
    if (Module->Thunks != NULL)
        ImpDeleteThunks(Module->Thunks);
    ImpFreeSections(Module);
    ImpReleaseModule(Module);
}

VOID ImpDestroyModule(PIM_MODULE Module)
{
    ImpRemoveModule(Module);
    ImpFreeModule(Module);
}

/* Visible from here on; nothing fails any more. */
static VOID ImpPublish(IMP_LOAD *Load)
{
    PIM_MODULE Module = Load->Module;

    ImpProtectModule(Module);
    ImpWarn(Module);
    Module->IsDll = Load->IsDll;
    ImpInsertModule(Module);
    ImpReportImage(Module, STATUS_SUCCESS, NULL);
    ImNotifyLoad(&Module->FullName, NULL, Module->Base, Module->Size, Load->FileObject);
}

NTSTATUS ImpLoadNamed(IMP_LOAD *Load, PUNICODE_STRING FullName)
{
    PIM_MODULE Module = Load->Module = ImpAllocateModule();

    if (Module == NULL || !NT_SUCCESS(ImpSetName(Module, FullName))) {
        if (Module != NULL)
            ImpReleaseModule(Module);
        Load->Module = NULL;
        return ImpFail(Load, STATUS_INSUFFICIENT_RESOURCES, "there is no memory to load it");
    }
    Load->Outer = ImpChain;
    ImpChain = Load;
    NTSTATUS Status = ImpReadImage(Load, FullName);
    ImpChain = Load->Outer;
    if (NT_SUCCESS(Status))
        ImpPublish(Load);
    else
        ImpFreeModule(Module);
    return Status;
}

/* --- of services ---- */

/* It is in memory because others import from it; its service may use it too, if it is the same file and whole. */
static NTSTATUS ImpAdopt(IMP_LOAD *Load, PIM_MODULE Module, PCUNICODE_STRING FullName)
{
    if (Module->IsBoot || Module->IsService || Module->InitIsGone || Module->Failed ||
        !RtlEqualUnicodeString(&Module->FullName, FullName, TRUE))
        return ImpFail(Load, STATUS_IMAGE_ALREADY_LOADED, "an image of that name is loaded already");
    Load->Module = Module;
    return STATUS_SUCCESS;
}

static NTSTATUS ImpLoadService(IMP_LOAD *Load, PUNICODE_STRING FullName)
{
    ImpBaseNameOf(FullName, Load->Name, sizeof(Load->Name));
    PIM_MODULE Module = ImpFindModuleByName(Load->Name, strlen(Load->Name));
    NTSTATUS Status = ImpCheckChain(Load, Load->Name, strlen(Load->Name));

    if (!NT_SUCCESS(Status))
        return Status;
    Status = Module != NULL ? ImpAdopt(Load, Module, FullName) : ImpLoadNamed(Load, FullName);
    if (!NT_SUCCESS(Status))
        return Status;
    Load->Module->IsService = TRUE;
    Load->Module->LoadCount++;
    return STATUS_SUCCESS;
}

static VOID ImpReportRefusal(const IMP_LOAD *Load, NTSTATUS Status)
{
    KdLogError("%s: %s; refused", Load->Name, Load->Error.Text);
    KdReport(ReportImage, KD_TEXT(ReportKeyDriver, Load->Name),
             KD_NUMBER(ReportKeySize, Load->Parsed.SizeOfImage), KD_NUMBER(ReportKeyStatus, (ULONG)Status),
             KD_TEXT(ReportKeyText, Load->Error.Text));
}

NTSTATUS ImLoadImage(PUNICODE_STRING FullName, PIM_MODULE *Loaded)
{
    IMP_LOAD *Load = ImpBeginLoad(FALSE);

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (Load == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ImpAcquireLoadLock();
    NTSTATUS Status = ImpLoadService(Load, FullName);
    ImpReleaseLoadLock();
    if (NT_SUCCESS(Status))
        *Loaded = Load->Module;
    else
        ImpReportRefusal(Load, Status);
    ImpEndLoad(Load);
    return Status;
}

VOID ImUnloadImage(PIM_MODULE Module)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    ImpAcquireLoadLock();
    Module->IsService = FALSE;
    ImpDereferenceModule(Module);
    ImpReleaseLoadLock();
}

/* SPDX-License-Identifier: MIT
 * Pageable sections of drivers. Nothing is paged out (D-130); what a driver locks is counted by section all the same, so that an unlock
 * without a lock and a lock that is left behind are found. [WDK MmLockPagableDataSection, MmLockPagableSectionByHandle,
 * MmUnlockPagableImageSection, MmPageEntireDriver, MmResetDriverPaging] */
#include "imp.h"
#include "ke_bugcheck.h"

#define IMP_SECTION_TAG 'eSmI'

/* What a driver has as a handle of a section. */
typedef struct _IM_SECTION {
    volatile LONG Locks;
} IM_SECTION;

NTSTATUS ImpMakeSections(PIM_MODULE Module)
{
    SIZE_T Size = ((SIZE_T)Module->Image.NumberOfSections + 1) * sizeof(IM_SECTION);

    Module->Sections = ExAllocatePoolWithTag(NonPagedPoolNx, Size, IMP_SECTION_TAG);
    if (Module->Sections == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    memset(Module->Sections, 0, Size);
    return STATUS_SUCCESS;
}

VOID ImpFreeSections(PIM_MODULE Module)
{
    if (Module->Sections != NULL)
        ExFreePoolWithTag(Module->Sections, IMP_SECTION_TAG);
    Module->Sections = NULL;
}

static DECLSPEC_NORETURN VOID ImpViolation(const void *What, PCSTR Function, PCSTR Rule)
{
    CHAR Text[128];

    _snprintf(Text, sizeof(Text), "%s: %s", Function, Rule);
    KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_IMAGE_SECTION, (ULONG_PTR)What, 0, 0,
                      Text);
}

static PIM_MODULE ImpRequireModule(const void *Address, PCSTR Function)
{
    PIM_MODULE Module = ImFindModule(Address);

    if (Module == NULL)
        ImpViolation(Address, Function, "the address is in no image");
    return Module;
}

static IM_SECTION *ImpSectionAt(const void *Address, PCSTR Function)
{
    PIM_MODULE Module = ImpRequireModule(Address, Function);
    PE_SECTION Section;
    uint32_t Index;

    if (PeFindSection(&Module->Image, (uint32_t)((PUCHAR)Address - Module->Base), &Section, &Index) != PE_OK)
        ImpViolation(Address, Function, "the address is in no section of its image");
    return &Module->Sections[Index];
}

static BOOLEAN ImpHasSection(PIM_MODULE Module, const IM_SECTION *Section)
{
    ULONG64 Offset = (ULONG64)Section - (ULONG64)Module->Sections;

    return Module->Sections != NULL && Offset < Module->Image.NumberOfSections * sizeof(*Section) &&
           Offset % sizeof(*Section) == 0;
}

static IM_SECTION *ImpRequireSection(PVOID Handle, PCSTR Function)
{
    for (PLIST_ENTRY Entry = PsLoadedModuleList.Flink; Entry != &PsLoadedModuleList; Entry = Entry->Flink)
        if (ImpHasSection(CONTAINING_RECORD(Entry, IM_MODULE, Entry), Handle))
            return Handle;
    ImpViolation(Handle, Function, "that is no handle of a section of a loaded image");
}

/* IRQL <= APC_LEVEL. The handle is good as long as the driver is loaded. */
PVOID NTAPI MmLockPagableDataSection(PVOID AddressWithinSection)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    IM_SECTION *Section = ImpSectionAt(AddressWithinSection, __func__);

    InterlockedIncrement(&Section->Locks);
    return Section;
}

VOID NTAPI MmLockPagableSectionByHandle(PVOID ImageSectionHandle)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    InterlockedIncrement(&ImpRequireSection(ImageSectionHandle, __func__)->Locks);
}

VOID NTAPI MmUnlockPagableImageSection(PVOID ImageSectionHandle)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    IM_SECTION *Section = ImpRequireSection(ImageSectionHandle, __func__);

    if (InterlockedDecrement(&Section->Locks) < 0)
        ImpViolation(Section, __func__, "the section is not locked");
}

/* The image's base. All sections count as pageable from now on, which changes nothing here. */
PVOID NTAPI MmPageEntireDriver(PVOID AddressWithinSection)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return ImpRequireModule(AddressWithinSection, __func__)->Base;
}

VOID NTAPI MmResetDriverPaging(PVOID AddressWithinSection)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ImpRequireModule(AddressWithinSection, __func__);
}

/* [WDK MmLockPagableSectionByHandle] "the reference count on the handle must be zero when a driver is unloaded". */
ULONG ImReportLockedSections(PIM_MODULE Module)
{
    PE_SECTION Section;
    ULONG Count = 0;

    for (uint32_t i = 0; PeGetSection(&Module->Image, i, &Section, NULL) == PE_OK; i++) {
        LONG Locks = Module->Sections[i].Locks;
        if (Locks == 0)
            continue;
        Count++;
        KdLog("%s: section %s is still locked, %ld times", Module->Name, Section.Name, Locks);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, "locked section"),
                 KD_NUMBER(ReportKeyCount, Locks), KD_NUMBER(ReportKeySize, Section.MappedSize));
    }
    return Count;
}

/* SPDX-License-Identifier: MIT
 * The object type Section, opening sections by name, \Device\PhysicalMemory. */
#include "vmp.h"
#include "ke.h"
#include "mm.h"

POBJECT_TYPE MmSectionObjectType;
const VM_UPCALLS *VmUpcalls;

/* [WDK Device\PhysicalMemory Object] Since Windows Server 2003 SP1 no user-mode program may have it, whoever its user is. */
static NTSTATUS VmpMayOpen(PVOID Object, KPROCESSOR_MODE Mode)
{
    const VM_SECTION *Section = Object;

    return Mode != KernelMode && MmSegmentKindOf(Section->Segment) == MmSegmentPhysical ? STATUS_ACCESS_DENIED
                                                                                        : STATUS_SUCCESS;
}

static VOID VmpDeleteSection(PVOID Object)
{
    VM_SECTION *Section = Object;

    if (Section->Segment != NULL)
        MmReleaseSegment(Section->Segment);
}

/* [WDK ACCESS_MASK, section access rights] */
static const OB_TYPE_INFO VmpSectionTypeInfo = {
    .Name = L"Section",
    .PoolTag = 'tceS',
    .Mapping = {STANDARD_RIGHTS_READ | SECTION_QUERY | SECTION_MAP_READ,
                STANDARD_RIGHTS_WRITE | SECTION_MAP_WRITE, STANDARD_RIGHTS_EXECUTE | SECTION_MAP_EXECUTE,
                SECTION_ALL_ACCESS},
    .ValidAccess = SECTION_ALL_ACCESS,
    .WaitOffset = OB_NOT_WAITABLE,
    .Methods = {.Open = VmpMayOpen, .Delete = VmpDeleteSection},
};

/* The object gets its own reference to Template's segment. */
NTSTATUS VmpMakeSection(POBJECT_ATTRIBUTES Attributes, KPROCESSOR_MODE Mode, const VM_SECTION *Template,
                        VM_SECTION **Section)
{
    NTSTATUS Status = ObCreateObject(Mode, MmSectionObjectType, Attributes, Mode, NULL, sizeof(**Section), 0,
                                     0, (PVOID *)Section);

    if (!NT_SUCCESS(Status))
        return Status;
    **Section = *Template;
    MmReferenceSegment(Template->Segment);
    return STATUS_SUCCESS;
}

NTSTATUS VmpReferenceSection(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, VM_SECTION **Section)
{
    return ObReferenceObjectByHandle(Handle, Access, MmSectionObjectType, Mode, (PVOID *)Section, NULL);
}

static NTSTATUS VmpOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
                               POBJECT_ATTRIBUTES ObjectAttributes, KPROCESSOR_MODE Mode)
{
    HANDLE Handle;
    NTSTATUS Status = MmProbeCaller(SectionHandle, sizeof(*SectionHandle), Mode);

    if (NT_SUCCESS(Status))
        Status =
            ObOpenObjectByName(ObjectAttributes, MmSectionObjectType, Mode, DesiredAccess, NULL, &Handle);
    return NT_SUCCESS(Status) ? ObGiveHandle(SectionHandle, Handle, Mode) : Status;
}

/* PASSIVE_LEVEL. [WDK ZwOpenSection] */
NTSTATUS NTAPI ZwOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
                             POBJECT_ATTRIBUTES ObjectAttributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpOpenSection(SectionHandle, DesiredAccess, ObjectAttributes, KernelMode);
}

NTSTATUS NTAPI NtOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess,
                             POBJECT_ATTRIBUTES ObjectAttributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpOpenSection(SectionHandle, DesiredAccess, ObjectAttributes, ExGetPreviousMode());
}

/* --- \Device\PhysicalMemory: all of it, with what devices have there, read and write; for the kernel only, as on Windows since Server 2003 SP1 --- */

static VOID VmpMakePhysicalMemory(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\PhysicalMemory");
    OBJECT_ATTRIBUTES Attributes;
    VM_SECTION Template = {.Protect = PAGE_READWRITE, .Attributes = SEC_COMMIT}, *Section;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status = MmCreatePhysicalSegment(&Template.Segment);
    if (NT_SUCCESS(Status)) {
        Template.Size = MmSegmentSize(Template.Segment);
        Status = VmpMakeSection(&Attributes, KernelMode, &Template, &Section);
    }
    if (NT_SUCCESS(Status)) {
        MmReleaseSegment(Template.Segment);
        Status = ObInsertObject(Section, NULL, 0, 0, NULL, NULL);
    }
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 3, 0, 0);
}

VOID VmInitSystem(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&VmpSectionTypeInfo, &MmSectionObjectType);

    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 2, 0, 0);
    VmpMakePhysicalMemory();
}

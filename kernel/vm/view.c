/* SPDX-License-Identifier: MIT
 * ZwMapViewOfSection and ZwUnmapViewOfSection. [WDK ZwMapViewOfSection, ZwUnmapViewOfSection] */
#include "vmp.h"
#include "ke.h"

/* The section itself knows how much of its segment it is and what it permits. */
static NTSTATUS VmpMapSection(PMM_ADDRESS_SPACE Space, VM_SECTION *Section, MM_VIEW *View)
{
    View->SectionProtect = Section->Protect;
    View->SectionSize = Section->Size;
    View->NoChange = (Section->Attributes & SEC_NO_CHANGE) != 0;
    NTSTATUS Status = MmMapView(Space, Section->Segment, View);
    if (!NT_SUCCESS(Status) || MmSegmentKindOf(Section->Segment) != MmSegmentImage)
        return Status;
    if (View->Base - View->Offset == MmSegmentImageHeader(Section->Segment)->PreferredBase)
        return STATUS_SUCCESS;
    Status = VmpRelocateView(Space, Section->Segment, View);
    if (!NT_SUCCESS(Status))
        (void)MmUnmapView(Space, View->Base);
    return Status;
}

/* An image that nobody wants elsewhere goes where it was made for, when there is room. */
static NTSTATUS VmpMapAnywhere(PMM_ADDRESS_SPACE Space, VM_SECTION *Section, MM_VIEW *View)
{
    MM_VIEW First = *View;
    if (View->Base == 0 && View->ZeroBits == 0 && View->Offset == 0 &&
        MmSegmentKindOf(Section->Segment) == MmSegmentImage) {
        First.Base = MmSegmentImageHeader(Section->Segment)->PreferredBase;
        NTSTATUS Status = VmpMapSection(Space, Section, &First);
        if (NT_SUCCESS(Status)) {
            *View = First;
            return Status;
        }
    }
    return VmpMapSection(Space, Section, View);
}

/* The caller's variables of one call, and what they held. */
typedef struct _VM_MAP_CALL {
    PVOID *Base;
    PLARGE_INTEGER Offset; /* may be NULL */
    PSIZE_T Size;
    KPROCESSOR_MODE Mode;
} VM_MAP_CALL;

static NTSTATUS VmpReadCall(const VM_MAP_CALL *Call, MM_VIEW *View)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};
    NTSTATUS Status = MmReadCallerVariable(&View->Base, Call->Base, sizeof(View->Base), Call->Mode);
    if (NT_SUCCESS(Status))
        Status = MmReadCallerVariable(&View->Size, Call->Size, sizeof(View->Size), Call->Mode);
    if (NT_SUCCESS(Status) && Call->Offset != NULL)
        Status = MmReadCallerVariable(&Offset, Call->Offset, sizeof(Offset), Call->Mode);
    View->Offset = (ULONG64)Offset.QuadPart;
    return Status;
}

static NTSTATUS VmpWriteCall(const VM_MAP_CALL *Call, const MM_VIEW *View)
{
    LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)View->Offset};
    NTSTATUS Status = MmWriteCaller(Call->Base, &View->Base, sizeof(View->Base), Call->Mode);
    if (NT_SUCCESS(Status))
        Status = MmWriteCaller(Call->Size, &View->Size, sizeof(View->Size), Call->Mode);
    if (NT_SUCCESS(Status) && Call->Offset != NULL)
        Status = MmWriteCaller(Call->Offset, &Offset, sizeof(Offset), Call->Mode);
    return Status;
}

static ACCESS_MASK VmpAccessFor(ULONG Protect)
{
    ACCESS_MASK Access =
        Protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE) ? SECTION_MAP_WRITE : SECTION_MAP_READ;
    return Protect & (PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)
               ? Access | SECTION_MAP_EXECUTE
               : Access;
}

static NTSTATUS VmpMap(HANDLE SectionHandle, HANDLE ProcessHandle, const VM_MAP_CALL *Call, MM_VIEW *View)
{
    VM_SECTION *Section;
    PEPROCESS Process;
    NTSTATUS Status = VmpReadCall(Call, View);

    if (View->Inherit != ViewShare && View->Inherit != ViewUnmap)
        Status = STATUS_INVALID_PARAMETER_8;
    if (NT_SUCCESS(Status))
        Status = VmpReferenceSection(SectionHandle, VmpAccessFor(View->Protect), Call->Mode, &Section);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = VmpReferenceProcess(ProcessHandle, PROCESS_VM_OPERATION, Call->Mode, &Process);
    if (NT_SUCCESS(Status)) {
        Status = VmpMapAnywhere(VmpSpaceOf(Process), Section, View);
        ObDereferenceObject(Process);
    }
    ObDereferenceObject(Section);
    if (!NT_SUCCESS(Status))
        return Status;
    NTSTATUS Written = VmpWriteCall(Call, View);
    return NT_SUCCESS(Written) ? Status : Written;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress,
                                  ULONG_PTR ZeroBits, SIZE_T CommitSize, PLARGE_INTEGER SectionOffset,
                                  PSIZE_T ViewSize, SECTION_INHERIT InheritDisposition, ULONG AllocationType,
                                  ULONG Win32Protect)
{
    VM_MAP_CALL Call = {BaseAddress, SectionOffset, ViewSize, KernelMode};
    MM_VIEW View = {.Commit = CommitSize,
                    .ZeroBits = ZeroBits,
                    .Type = AllocationType,
                    .Protect = Win32Protect,
                    .Inherit = (UCHAR)InheritDisposition};

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpMap(SectionHandle, ProcessHandle, &Call, &View);
}

NTSTATUS NTAPI NtMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress,
                                  ULONG_PTR ZeroBits, SIZE_T CommitSize, PLARGE_INTEGER SectionOffset,
                                  PSIZE_T ViewSize, SECTION_INHERIT InheritDisposition, ULONG AllocationType,
                                  ULONG Win32Protect)
{
    VM_MAP_CALL Call = {BaseAddress, SectionOffset, ViewSize, ExGetPreviousMode()};
    MM_VIEW View = {.Commit = CommitSize,
                    .ZeroBits = ZeroBits,
                    .Type = AllocationType,
                    .Protect = Win32Protect,
                    .Inherit = (UCHAR)InheritDisposition};

    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpMap(SectionHandle, ProcessHandle, &Call, &View);
}

static NTSTATUS VmpUnmap(HANDLE ProcessHandle, PVOID BaseAddress, KPROCESSOR_MODE Mode)
{
    PEPROCESS Process;
    NTSTATUS Status = VmpReferenceProcess(ProcessHandle, PROCESS_VM_OPERATION, Mode, &Process);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = MmUnmapView(VmpSpaceOf(Process), (ULONG_PTR)BaseAddress);
    ObDereferenceObject(Process);
    return Status;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpUnmap(ProcessHandle, BaseAddress, KernelMode);
}

NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return VmpUnmap(ProcessHandle, BaseAddress, ExGetPreviousMode());
}

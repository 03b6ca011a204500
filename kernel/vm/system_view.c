/* SPDX-License-Identifier: MIT
 * Views of sections in system space. [WDK MmMapViewInSystemSpace, MmMapViewInSystemSpaceEx, MmUnmapViewInSystemSpace] */
#include "vmp.h"
#include "ke.h"

static NTSTATUS VmpMapInSystem(PVOID Object, PVOID *Base, PSIZE_T Size, ULONG64 Offset, const VOID *Owner)
{
    VM_SECTION *Section = Object;

    if (ObTypeOf(Object) != MmSectionObjectType)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (Offset >= Section->Size)
        return STATUS_INVALID_VIEW_SIZE;
    if (*Size == 0)
        *Size = Section->Size - Offset;
    if (BYTES_TO_PAGES(*Size) > BYTES_TO_PAGES(Section->Size - Offset))
        return STATUS_INVALID_VIEW_SIZE;
    BOOLEAN Write = Section->Protect == PAGE_READWRITE || Section->Protect == PAGE_EXECUTE_READWRITE;
    return MmMapSystemView(Section->Segment, Offset, Write, Base, Size, Owner);
}

/* IRQL <= APC_LEVEL. Section: the object, not a handle. A view size of 0 means all of the section. */
DECLSPEC_NOINLINE NTSTATUS NTAPI MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return VmpMapInSystem(Section, MappedBase, ViewSize, 0, __builtin_return_address(0));
}

/* IRQL <= APC_LEVEL. The offset is rounded down to 64 KiB; Flags is 0. */
DECLSPEC_NOINLINE NTSTATUS NTAPI MmMapViewInSystemSpaceEx(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize,
                                                          PLARGE_INTEGER SectionOffset, ULONG_PTR Flags)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    if (Flags != 0)
        return STATUS_INVALID_PARAMETER_5;
    SectionOffset->QuadPart &= ~(LONGLONG)(MM_GRANULARITY - 1);
    return VmpMapInSystem(Section, MappedBase, ViewSize, (ULONG64)SectionOffset->QuadPart,
                          __builtin_return_address(0));
}

/* IRQL <= APC_LEVEL. STATUS_NOT_MAPPED_VIEW: no such view begins there. */
NTSTATUS NTAPI MmUnmapViewInSystemSpace(PVOID MappedBase)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return MmUnmapSystemView(MappedBase);
}

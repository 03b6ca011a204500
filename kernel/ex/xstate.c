/* SPDX-License-Identifier: MIT
 * The extended processor state that a driver saves before it uses vector registers where they may be another's: in a DPC routine, which
 * interrupts a thread. A thread switch saves the whole state by itself.
 * [WDK KeSaveExtendedProcessorState, KeRestoreExtendedProcessorState] */
#include "arch_trap.h"
#include "ex.h"
#include "ke.h"
#include "ke_bugcheck.h"

#define EXP_TAG_XSTATE 'tsXE'

/* [WDK RtlGetEnabledExtendedFeatures] Any IRQL. */
ULONG64 NTAPI RtlGetEnabledExtendedFeatures(ULONG64 FeatureMask)
{
    return FeatureMask & ArchEnabledXState();
}

/* IRQL <= DISPATCH_LEVEL. Features that are not enabled are left out. The XSAVE area is 64-byte aligned inside Buffer. Where it was
 * saved is noted, to be compared at the restore. */
DECLSPEC_NOINLINE NTSTATUS NTAPI KeSaveExtendedProcessorState(ULONG64 Mask, PXSTATE_SAVE XStateSave)
{
    ULONG Size = ArchXStateSize();

    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PVOID Buffer = ExAllocatePoolForOwner(NonPagedPoolNx, Size + XSAVE_ALIGN - 1, EXP_TAG_XSTATE,
                                          __builtin_return_address(0));
    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Buffer, Size + XSAVE_ALIGN - 1);
    PVOID Area = (PVOID)ALIGN_UP_BY(Buffer, XSAVE_ALIGN);
    *XStateSave = (XSTATE_SAVE){
        .Thread = KiCurrentThread(),
        .Level = KeGetCurrentIrql(),
        .XStateContext = {.Mask = Mask & ArchEnabledXState(), .Length = Size, .Area = Area, .Buffer = Buffer},
    };
    ArchSaveXState(Area, XStateSave->XStateContext.Mask);
    return STATUS_SUCCESS;
}

/* IRQL <= DISPATCH_LEVEL, that of the save, in the thread that saved. */
VOID NTAPI KeRestoreExtendedProcessorState(PXSTATE_SAVE XStateSave)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (XStateSave->Thread != KiCurrentThread() || XStateSave->Level != KeGetCurrentIrql())
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_XSTATE, (ULONG_PTR)XStateSave,
                          (ULONG_PTR)XStateSave->Thread, XStateSave->Level,
                          "a processor state is restored in another thread or at another IRQL than it was "
                          "saved, or twice");
    XStateSave->Thread = NULL;
    ArchRestoreXState(XStateSave->XStateContext.Area, XStateSave->XStateContext.Mask);
    ExFreePoolWithTag(XStateSave->XStateContext.Buffer, EXP_TAG_XSTATE);
}

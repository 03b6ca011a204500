/* SPDX-License-Identifier: MIT
 * Larger stacks: a walk from there reaches the caller's frames, and the memory is given back. */
#include "ki.h"
#include "kt.h"
#include "rtl.h"

typedef struct _KI_WALKED {
    ULONG64 Function, End; /* code that the walk is to come to */
    BOOLEAN Found, Ended;
    ULONG Outer;
} KI_WALKED;

static VOID NTAPI KiWalkOut(PVOID Parameter)
{
    KI_WALKED *Walked = Parameter;
    CONTEXT Walk;

    RtlCaptureContext(&Walk);
    for (ULONG Depth = 0; Depth < 40 && Walk.Rip != 0; Depth++) {
        Walked->Found |= Walk.Rip == Walked->Function;
        if (!KiUpcalls->UnwindOne(&Walk))
            break;
    }
    Walked->Ended = Walk.Rip == 0;
    Walked->Outer = KiCurrentThread()->OuterStacks != NULL;
}

/* Its return address is what the walk is to come by. */
static DECLSPEC_NOINLINE NTSTATUS KiExpandAndWalk(KI_WALKED *Walked, SIZE_T Size)
{
    Walked->Function = (ULONG64)__builtin_return_address(0);
    NTSTATUS Status = KeExpandKernelStackAndCallout(KiWalkOut, Walked, Size);
    __asm__ volatile("" : : : "memory"); /* no jump to it: then this frame would be gone */
    return Status;
}

KT_TEST(walk_leaves_an_expanded_stack)
{
    KI_WALKED Own = {0}, Large = {0};

    KT_EXPECT(KiExpandAndWalk(&Own, 64) == STATUS_SUCCESS);
    KT_EXPECT(Own.Found && Own.Ended && Own.Outer == 0);
    KT_EXPECT(KiExpandAndWalk(&Large, MAXIMUM_EXPANSION_SIZE) == STATUS_SUCCESS);
    KT_EXPECT(Large.Found && Large.Ended && Large.Outer == 1);
    KT_EXPECT(KiCurrentThread()->OuterStacks == NULL);
}

static VOID NTAPI KiCountPtes(PVOID Parameter)
{
    MmQueryCounters(Parameter);
}

KT_TEST(expanded_stack_is_given_back)
{
    MM_COUNTERS Before, Inside, After;

    MmQueryCounters(&Before);
    KT_EXPECT(KeExpandKernelStackAndCallout(KiCountPtes, &Inside, MAXIMUM_EXPANSION_SIZE) == STATUS_SUCCESS);
    MmQueryCounters(&After);
    KT_EXPECT(Inside.SystemPtes >= Before.SystemPtes + KERNEL_LARGE_STACK_SIZE / PAGE_SIZE);
    KT_EXPECT(After.SystemPtes < Inside.SystemPtes);
}

/* SPDX-License-Identifier: MIT
 * Stacks and their limits; a call that changes nothing passes the gate. */
#include "ki.h"
#include "kt.h"

KT_TEST(gate_lets_an_honest_routine_pass)
{
    KE_GATE Gate;

    KeEnterGate(&Gate, GateDispatch, NULL);
    KeEnterCriticalRegion();
    KeLeaveCriticalRegion();
    KeLeaveGate(&Gate);
    KT_EXPECT(Gate.Irql == PASSIVE_LEVEL);
}

KT_TEST(stack_of_the_current_thread_is_found)
{
    ULONG64 Low, High, Local = (ULONG64)&Low;

    KT_EXPECT(KeFindStack(Local, &Low, &High));
    KT_EXPECT(Low <= Local && Local < High && High - Low == MM_KERNEL_STACK_SIZE);
    KT_EXPECT(!KeFindStack(Low - 1, &Low, &High));
    KT_EXPECT(!KeFindStack(0, &Low, &High));
}

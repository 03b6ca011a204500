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

static DECLSPEC_NOINLINE VOID GateFails(VOID)
{
    KE_GATE Gate;

    KeEnterGate(&Gate, GateDispatch, NULL);
    RtlRaiseStatus(STATUS_UNSUCCESSFUL);
}

KT_TEST(gate_that_an_exception_left_is_forgotten)
{
    const KE_GATE *Before = KiCurrentThread()->Gate;
    KE_GATE Around;
    NTSTATUS Status = STATUS_SUCCESS;

    KeEnterGate(&Around, GateDispatch, GateFails);
    __try {
        GateFails();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    KT_EXPECT(Status == STATUS_UNSUCCESSFUL);
    KT_EXPECT(KiCurrentThread()->Gate == &Around && KiCurrentThread()->GateRoutine == (PVOID)GateFails);
    KeLeaveGate(&Around);
    KT_EXPECT(KiCurrentThread()->Gate == Before);
}

KT_TEST(stack_of_the_current_thread_is_found)
{
    ULONG64 Low, High, Local = (ULONG64)&Low;

    KT_EXPECT(KeFindStack(Local, &Low, &High));
    KT_EXPECT(Low <= Local && Local < High && High - Low == MM_KERNEL_STACK_SIZE);
    KT_EXPECT(!KeFindStack(Low - 1, &Low, &High));
    KT_EXPECT(!KeFindStack(0, &Low, &High));
}

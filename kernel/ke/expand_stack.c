/* SPDX-License-Identifier: MIT
 * Calls on a larger stack: KeExpandKernelStackAndCallout. A segment of the largest size is used when the running one has not the room that is
 * asked for; the thread's stack is that segment meanwhile, and stack walks find the outer ones through KTHREAD.OuterStacks. */
#include "ki.h"

/* Beside Size: what the call itself needs, and what the trap that comes in the last moment does. MAXIMUM_EXPANSION_SIZE leaves as much. */
#define KI_STACK_RESERVE (KERNEL_LARGE_STACK_SIZE - MAXIMUM_EXPANSION_SIZE)
#define KI_MAX_OUTER_STACKS 8 /* D-194 */

typedef struct _KI_EXPANDED_CALL {
    PEXPAND_STACK_CALLOUT Routine;
    PVOID Parameter;
    const void *Caller;
} KI_EXPANDED_CALL;

static LONG KiExpandedCallFilter(PEXCEPTION_POINTERS Pointers)
{
    KeBugCheckFromException(KMODE_EXCEPTION_NOT_HANDLED, Pointers);
    return EXCEPTION_EXECUTE_HANDLER;
}

/* [WDK EXPAND_STACK_CALLOUT] "must handle all exceptions. Any unhandled exception causes the system to bug check with Bug Check 0x1E", on
 * whichever stack it runs. */
static VOID KiCallExpanded(PVOID Context)
{
    const KI_EXPANDED_CALL *Call = Context;
    KE_GATE Gate;

    KeEnterGate(&Gate, GateExpandedStack, (PVOID)Call->Routine);
    Gate.Caller = Call->Caller;
    __try {
        Call->Routine(Call->Parameter);
    } __except (KiExpandedCallFilter(GetExceptionInformation())) {
    }
    KeLeaveGate(&Gate);
}

/* Interrupts off: what an interrupt finds is the one stack or the other. */
static VOID KiUseStack(PKTHREAD Thread, PVOID Base, PVOID Limit, KE_STACK *Outer)
{
    BOOLEAN Enabled = ArchDisableInterrupts();

    Thread->OuterStacks = Outer;
    Thread->StackBase = Base;
    Thread->StackLimit = Limit;
    ArchRestoreInterrupts(Enabled);
}

static ULONG KiCountOuterStacks(PKTHREAD Thread)
{
    ULONG Count = 0;

    for (const KE_STACK *Stack = Thread->OuterStacks; Stack != NULL; Stack = Stack->Outer)
        Count++;
    return Count;
}

static NTSTATUS KiCallOnSegment(KI_EXPANDED_CALL *Call)
{
    PKTHREAD Thread = KiCurrentThread();
    KE_STACK Outer = {Thread->StackBase, Thread->StackLimit, Thread->OuterStacks};
    PVOID Base, Limit;

    if (KiCountOuterStacks(Thread) == KI_MAX_OUTER_STACKS)
        return STATUS_STACK_OVERFLOW;
    if (!MmAllocateKernelStack(KERNEL_LARGE_STACK_SIZE, &Base, &Limit))
        return STATUS_NO_MEMORY;
    KiUseStack(Thread, Base, Limit, &Outer);
    ArchCallOnStack(Base, KiCallExpanded, Call);
    KiUseStack(Thread, Outer.Base, Outer.Limit, Outer.Outer);
    KeCheckFreedMemory(Limit, KERNEL_LARGE_STACK_SIZE, NULL);
    MmFreeKernelStack(Base, Limit);
    return STATUS_SUCCESS;
}

static NTSTATUS KiExpandStack(KI_EXPANDED_CALL *Call, SIZE_T Size)
{
    if (Size > MAXIMUM_EXPANSION_SIZE)
        return STATUS_INVALID_PARAMETER_3;
    SIZE_T Left = (ULONG_PTR)__builtin_frame_address(0) - (ULONG_PTR)KiCurrentThread()->StackLimit;
    if (Left < Size + KI_STACK_RESERVE)
        return KiCallOnSegment(Call);
    KiCallExpanded(Call);
    return STATUS_SUCCESS;
}

/* [WDK KeExpandKernelStackAndCallout] IRQL <= APC_LEVEL. */
DECLSPEC_NOINLINE NTSTATUS NTAPI KeExpandKernelStackAndCallout(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter,
                                                               SIZE_T Size)
{
    KI_EXPANDED_CALL Call = {Callout, Parameter, __builtin_return_address(0)};

    KI_REQUIRE_IRQL(APC_LEVEL);
    return KiExpandStack(&Call, Size);
}

/* [WDK KeExpandKernelStackAndCalloutEx] IRQL <= DISPATCH_LEVEL. STATUS_INVALID_PARAMETER_4: Wait at DISPATCH_LEVEL. Memory that is not there
 * does not come by waiting, so Wait changes nothing else. */
DECLSPEC_NOINLINE NTSTATUS NTAPI KeExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT Callout,
                                                                 PVOID Parameter, SIZE_T Size, BOOLEAN Wait,
                                                                 PVOID Context)
{
    KI_EXPANDED_CALL Call = {Callout, Parameter, __builtin_return_address(0)};

    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (Wait && ArchGetIrql() == DISPATCH_LEVEL)
        return STATUS_INVALID_PARAMETER_4;
    return KiExpandStack(&Call, Size);
}

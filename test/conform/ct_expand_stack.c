/* SPDX-License-Identifier: MIT
 * Calls with a guaranteed amount of stack. [WDK KeExpandKernelStackAndCallout, KeExpandKernelStackAndCalloutEx, EXPAND_STACK_CALLOUT,
 * IoGetStackLimits, IoGetRemainingStackSize] */
#include "ct.h"

#define LARGEST (KERNEL_LARGE_STACK_SIZE - PAGE_SIZE / 2)

typedef struct CALL {
    ULONG Calls, Depth, Reached;
    KIRQL Irql;
    ULONG_PTR Low, High, Local;
    ULONG Within, Remaining;
    BOOLEAN OuterWithin; /* does an address of the caller's stack lie in the running one? */
    PVOID Initial;
    NTSTATUS Raised, Inner;
    ULONG_PTR Outer;
} CALL;

static EXPAND_STACK_CALLOUT Look, UseAll, Nest, Wait, Raise;

static VOID NTAPI Look(PVOID Parameter)
{
    CALL *Call = Parameter;
    Call->Calls++;
    Call->Irql = KeGetCurrentIrql();
    Call->Local = (ULONG_PTR)&Call;
    IoGetStackLimits(&Call->Low, &Call->High);
    Call->Remaining = (ULONG)IoGetRemainingStackSize();
    Call->Within = IoWithinStackLimits(Call->Local, sizeof(Call));
    Call->OuterWithin = IoWithinStackLimits(Call->Outer, 1) != FALSE;
    Call->Initial = IoGetInitialStack();
}

static VOID CheckLook(const CALL *Call, SIZE_T Size)
{
    CT_EQUAL(Call->Calls, 1);
    CT_EQUAL(Call->Irql, KeGetCurrentIrql());
    CT_CHECK(Call->Low <= Call->Local && Call->Local < Call->High);
    CT_CHECK(Call->Remaining >= Size);
    CT_CHECK(Call->Within);
    CT_EQUAL(Call->Initial, IoGetInitialStack());
}

/* Little is there already; the most is not, and comes from elsewhere; afterwards all is as before. */
static VOID ExpandCalls(VOID)
{
    CALL Small = {.Outer = (ULONG_PTR)&Small}, Large = {.Outer = (ULONG_PTR)&Large};
    ULONG_PTR Low, High, LowAfter, HighAfter;
    IoGetStackLimits(&Low, &High);
    CT_SUCCESS(KeExpandKernelStackAndCallout(Look, &Small, 64));
    CheckLook(&Small, 64);
    CT_SUCCESS(KeExpandKernelStackAndCallout(Look, &Large, LARGEST));
    CheckLook(&Large, LARGEST);
    CT_CHECK(!Large.OuterWithin && (Large.Low >= High || Large.High <= Low));
    CT_STATUS(KeExpandKernelStackAndCallout(Look, &Large, LARGEST + 1), STATUS_INVALID_PARAMETER_3);
    CT_EQUAL(Large.Calls, 1);
    IoGetStackLimits(&LowAfter, &HighAfter);
    CT_CHECK(Low == LowAfter && High == HighAfter);
}

static VOID ExpandCallsEx(VOID)
{
    CALL Waiting = {.Calls = 0}, Raised = {.Calls = 0};
    KIRQL Irql;
    CT_SUCCESS(KeExpandKernelStackAndCalloutEx(Look, &Waiting, LARGEST, TRUE, NULL));
    CheckLook(&Waiting, LARGEST);
    CT_STATUS(KeExpandKernelStackAndCalloutEx(Look, &Waiting, LARGEST + 1, FALSE, NULL),
              STATUS_INVALID_PARAMETER_3);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    NTSTATUS Status = KeExpandKernelStackAndCalloutEx(Look, &Waiting, LARGEST, TRUE, NULL);
    NTSTATUS Without = KeExpandKernelStackAndCalloutEx(Look, &Raised, LARGEST, FALSE, NULL);
    KeLowerIrql(Irql);
    CT_STATUS(Status, STATUS_INVALID_PARAMETER_4);
    CT_EQUAL(Waiting.Calls, 1);
    CT_SUCCESS(Without);
    CT_EQUAL(Raised.Calls, 1);
    CT_EQUAL(Raised.Irql, DISPATCH_LEVEL);
    CT_CHECK(Raised.Remaining >= LARGEST);
}

/* 1 KiB a call: more than the stack of a thread has. */
__attribute__((noinline)) static ULONG Dig(volatile UCHAR *Above, ULONG Depth)
{
    volatile UCHAR Room[1024];
    Room[0] = (UCHAR)Depth;
    Room[sizeof(Room) - 1] = Above[0];
    return Depth == 0 ? Room[0] : Dig(Room, Depth - 1) + (Room[0] == (UCHAR)Depth);
}

static VOID NTAPI UseAll(PVOID Parameter)
{
    CALL *Call = Parameter;
    UCHAR Top = 0;
    Call->Reached = Dig(&Top, Call->Depth);
}

static VOID ExpandUsesAll(VOID)
{
    CALL Call = {.Depth = 56};
    CT_SUCCESS(KeExpandKernelStackAndCallout(UseAll, &Call, LARGEST));
    CT_EQUAL(Call.Reached, 56);
}

/* Each with a stack of its own, until there are too many; the inner ones are called before the outer ones return. */
static VOID NTAPI Nest(PVOID Parameter)
{
    CALL *Call = Parameter;
    Call->Calls++;
    if (Call->Calls < 64)
        Call->Inner = KeExpandKernelStackAndCallout(Nest, Call, LARGEST);
    Call->Reached++;
}

static VOID ExpandNests(VOID)
{
    CALL Call = {.Calls = 0};
    CT_SUCCESS(KeExpandKernelStackAndCallout(Nest, &Call, LARGEST));
    CT_CHECK(Call.Calls >= 2);
    CT_EQUAL(Call.Reached, Call.Calls);
}

/* Its thread waits there, and others run meanwhile. */
static VOID NTAPI Wait(PVOID Parameter)
{
    CALL *Call = Parameter;
    volatile ULONG64 Mark = 0x1234567890abcdef;
    LARGE_INTEGER Time = {.QuadPart = -20000};
    for (ULONG i = 0; i < 5; i++)
        KeDelayExecutionThread(KernelMode, FALSE, &Time);
    Call->Calls += Mark == 0x1234567890abcdef;
}

static VOID ExpandWaits(VOID)
{
    CALL Call = {.Calls = 0};
    CT_SUCCESS(KeExpandKernelStackAndCallout(Wait, &Call, LARGEST));
    CT_EQUAL(Call.Calls, 1);
}

static NTSTATUS RaiseNow(PVOID Context)
{
    CALL *Call = Context;
    Call->Calls++;
    ExRaiseStatus(STATUS_DATA_ERROR);
}

/* [EXPAND_STACK_CALLOUT] "must handle all exceptions": it can, on the larger stack too. */
static VOID NTAPI Raise(PVOID Parameter)
{
    CALL *Call = Parameter;
    Call->Raised = NtboxGuardedCall(RaiseNow, Call);
}

static VOID ExpandHandles(VOID)
{
    CALL Call = {.Calls = 0};
    CT_SUCCESS(KeExpandKernelStackAndCallout(Raise, &Call, LARGEST));
    CT_EQUAL(Call.Calls, 1);
    CT_STATUS(Call.Raised, STATUS_DATA_ERROR);
    CT_STATUS(NtboxGuardedCall(RaiseNow, &Call), STATUS_DATA_ERROR); /* and here, afterwards */
}

static const CT_CASE Cases[] = {
    {"expand_stack.calls", ExpandCalls},      {"expand_stack.calls_ex", ExpandCallsEx},
    {"expand_stack.uses_all", ExpandUsesAll}, {"expand_stack.nests", ExpandNests},
    {"expand_stack.waits", ExpandWaits},      {"expand_stack.handles", ExpandHandles},
};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * What a driver does wrong in a routine that KeExpandKernelStackAndCallout calls, or KeGenericCallDpc. */
#define DEVICE_NAME L"\\Device\\NtboxExpands"
#include "rules.h"
#include "ntbox/guarded_call.h"

#define LARGEST (KERNEL_LARGE_STACK_SIZE - PAGE_SIZE / 2)

BREAKS NTAPI Crash(PVOID Parameter)
{
    *(volatile ULONG *)Parameter = 1;
}

static NTSTATUS ExpandAndCrash(PVOID Context)
{
    return KeExpandKernelStackAndCallout(Crash, Context, LARGEST);
}

/* The handler is on the stack that was left: it is not asked. */
BREAKS CrashUnderHandler(VOID)
{
    NtboxGuardedCall(ExpandAndCrash, NULL);
}

static NTSTATUS CallAndCrash(PVOID Context)
{
    return KeExpandKernelStackAndCallout(Crash, Context, 64);
}

BREAKS CrashOnOwnStack(VOID)
{
    NtboxGuardedCall(CallAndCrash, NULL);
}

BREAKS NTAPI StayRaised(PVOID Parameter)
{
    KeRaiseIrql(DISPATCH_LEVEL, (PKIRQL)Parameter);
}

BREAKS ReturnRaised(VOID)
{
    KIRQL Irql;
    KeExpandKernelStackAndCallout(StayRaised, &Irql, LARGEST);
}

BREAKS NTAPI EndThread(PVOID Parameter)
{
    UNREFERENCED_PARAMETER(Parameter);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

BREAKS EndInside(VOID)
{
    KeExpandKernelStackAndCallout(EndThread, NULL, LARGEST);
}

BREAKS NTAPI Recurse(PVOID Parameter)
{
    volatile UCHAR Room[512];
    Room[0] = *(volatile UCHAR *)Parameter;
    if (Room[0] == 0) /* it always is */
        Recurse((PVOID)Room);
    Room[1] = 1;
}

BREAKS UseUp(VOID)
{
    UCHAR Top = 0;
    KeExpandKernelStackAndCallout(Recurse, &Top, LARGEST);
}

BREAKS CallNowhere(VOID)
{
    KeExpandKernelStackAndCallout((PVOID)(ULONG_PTR)0xffffff1234567000, NULL, LARGEST);
}

BREAKS NTAPI DoneTwice(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument2);
    KeSignalCallDpcDone(Argument1);
    KeSignalCallDpcDone(Argument1);
}

BREAKS SignalTwice(VOID)
{
    KeGenericCallDpc(DoneTwice, NULL);
}

BREAKS SignalOther(VOID)
{
    KIRQL Irql;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeSignalCallDpcSynchronize(&Irql);
    KeLowerIrql(Irql);
}

static VOID (*const Rules[])(VOID) = {CrashUnderHandler, CrashOnOwnStack, ReturnRaised, EndInside, UseUp,
                                      CallNowhere,       SignalTwice,     SignalOther};
RULES(Rules, (void)0)

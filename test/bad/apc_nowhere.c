/* SPDX-License-Identifier: MIT
 * Gives routines for APCs that are nowhere: of timers by handle, and of APCs of its own. */
#define DEVICE_NAME L"\\Device\\NtboxApcs"
#include "rules.h"

static HANDLE Timer;
static KAPC Apc;

static VOID MakeTimer(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateTimer(&Timer, TIMER_ALL_ACCESS, &Attributes, NotificationTimer);
}

/* The thread that sets it waits for it, so that the APC comes. */
static VOID Set(ULONG_PTR Routine)
{
    LARGE_INTEGER Due = {.QuadPart = -1};
    ZwSetTimer(Timer, &Due, (PTIMER_APC_ROUTINE)Routine, NULL, FALSE, 0, NULL);
    ZwWaitForSingleObject(Timer, TRUE, NULL);
}

BREAKS NotCanonical(VOID)
{
    Set(0x1234567890abcdef);
}

BREAKS OfUser(VOID)
{
    Set(0x10000);
}

BREAKS Unmapped(VOID)
{
    Set(0xffffff1234567000);
}

BREAKS InPool(VOID)
{
    PVOID Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, 'eroN');
    Set((ULONG_PTR)Block);
    ExFreePoolWithTag(Block, 'eroN');
}

BREAKS SetEx(VOID)
{
    TIMER_SET_COALESCABLE_TIMER_INFO Info = {.DueTime.QuadPart = -1,
                                             .TimerApcRoutine = (PTIMER_APC_ROUTINE)(ULONG_PTR)0x10000};
    ZwSetTimerEx(Timer, TimerSetCoalescableTimer, &Info, sizeof(Info));
    ZwWaitForSingleObject(Timer, TRUE, NULL);
}

/* It is the one that is to blame: the normal routine is told by it. */
static VOID NTAPI KernelRoutine(PKAPC This, PKNORMAL_ROUTINE *Routine, PVOID *Context, PVOID *Argument1,
                                PVOID *Argument2)
{
    UNREFERENCED_PARAMETER(This);
    UNREFERENCED_PARAMETER(Routine);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

static VOID Queue(PKKERNEL_ROUTINE Kernel, ULONG_PTR Normal)
{
    KeInitializeApc(&Apc, (PKTHREAD)PsGetCurrentThread(), OriginalApcEnvironment, Kernel, NULL,
                    (PKNORMAL_ROUTINE)Normal, KernelMode, NULL);
    KeInsertQueueApc(&Apc, NULL, NULL, IO_NO_INCREMENT);
}

BREAKS NormalNowhere(VOID)
{
    Queue(KernelRoutine, 0xffffff1234567000);
}

BREAKS NormalNotCanonical(VOID)
{
    Queue(KernelRoutine, 0x1234567890abcdef);
}

BREAKS KernelNowhere(VOID)
{
    Queue((PKKERNEL_ROUTINE)(ULONG_PTR)0xffffff1234567000, 0);
}

static VOID (*const Rules[])(VOID) = {NotCanonical, OfUser,        Unmapped,           InPool,
                                      SetEx,        NormalNowhere, NormalNotCanonical, KernelNowhere};
RULES(Rules, MakeTimer())

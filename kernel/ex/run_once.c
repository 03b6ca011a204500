/* SPDX-License-Identifier: MIT
 * One-time initialization [WDK RtlRunOnceInitialize, RtlRunOnceExecuteOnce, RtlRunOnceBeginInitialize, RtlRunOnceComplete].
 *
 * RTL_RUN_ONCE.Ptr, by its low bits (RTL_RUN_ONCE_CTX_RESERVED_BITS):
 *   0  nobody began; the word is 0
 *   1  one thread initializes; the other bits point to the first of those who wait
 *   3  threads initialize side by side (RTL_RUN_ONCE_ASYNC); the word is 3
 *   2  done; the other bits are the context */
#include "ex.h"
#include "ke.h"

#define BUSY 1ull
#define DONE 2ull
#define BUSY_ASYNC 3ull
#define STATE 3ull

/* On the stack of a thread that waits. */
typedef struct _EXP_ONCE_WAITER {
    struct _EXP_ONCE_WAITER *Next;
    KEVENT Completed;
} EXP_ONCE_WAITER;

static BOOLEAN ExpExchangeOnce(PRTL_RUN_ONCE RunOnce, ULONG64 *Expected, ULONG64 New)
{
    return __atomic_compare_exchange_n((ULONG64 *)&RunOnce->Ptr, Expected, New, FALSE, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static ULONG64 ExpReadOnce(PRTL_RUN_ONCE RunOnce)
{
    return __atomic_load_n((ULONG64 *)&RunOnce->Ptr, __ATOMIC_ACQUIRE);
}

VOID NTAPI RtlRunOnceInitialize(PRTL_RUN_ONCE RunOnce)
{
    RunOnce->Ptr = NULL;
}

/* Waits until the thread that initializes is through, whatever came out. */
static VOID ExpWaitForOnce(PRTL_RUN_ONCE RunOnce, ULONG64 Value)
{
    EXP_ONCE_WAITER Waiter;

    KeInitializeEvent(&Waiter.Completed, NotificationEvent, FALSE);
    do {
        if ((Value & STATE) != BUSY)
            return;
        Waiter.Next = (EXP_ONCE_WAITER *)(Value & ~STATE);
    } while (!ExpExchangeOnce(RunOnce, &Value, (ULONG64)&Waiter | BUSY));
    KeWaitForSingleObject(&Waiter.Completed, Executive, KernelMode, FALSE, NULL);
}

/* The waiters lie on stacks that go when they wake: the next is read before. */
static VOID ExpWakeOnceWaiters(ULONG64 Value)
{
    EXP_ONCE_WAITER *Next;

    for (EXP_ONCE_WAITER *i = (EXP_ONCE_WAITER *)(Value & ~STATE); i != NULL; i = Next) {
        Next = i->Next;
        KeSetEvent(&i->Completed, IO_NO_INCREMENT, FALSE);
    }
}

static NTSTATUS ExpOnceIsDone(ULONG64 Value, PVOID *Context)
{
    if (Context != NULL)
        *Context = (PVOID)(Value & ~STATE);
    return STATUS_SUCCESS;
}

/* IRQL <= APC_LEVEL. STATUS_PENDING: the caller initializes and calls RtlRunOnceComplete. RTL_RUN_ONCE_CHECK_ONLY:
 * STATUS_UNSUCCESSFUL when it is not done. */
NTSTATUS NTAPI RtlRunOnceBeginInitialize(PRTL_RUN_ONCE RunOnce, ULONG Flags, PVOID *Context)
{
    BOOLEAN Async = (Flags & RTL_RUN_ONCE_ASYNC) != 0;
    ULONG64 Value = ExpReadOnce(RunOnce);

    if ((Flags & ~(RTL_RUN_ONCE_CHECK_ONLY | RTL_RUN_ONCE_ASYNC)) != 0)
        return STATUS_INVALID_PARAMETER;
    if ((Flags & RTL_RUN_ONCE_CHECK_ONLY) != 0) {
        if (Async)
            return STATUS_INVALID_PARAMETER;
        return (Value & STATE) == DONE ? ExpOnceIsDone(Value, Context) : STATUS_UNSUCCESSFUL;
    }
    for (;; Value = ExpReadOnce(RunOnce)) {
        if ((Value & STATE) == DONE)
            return ExpOnceIsDone(Value, Context);
        if (Value == 0) {
            if (ExpExchangeOnce(RunOnce, &Value, Async ? BUSY_ASYNC : BUSY))
                return STATUS_PENDING;
        } else if (((Value & STATE) == BUSY_ASYNC) != Async) {
            return STATUS_INVALID_PARAMETER; /* begun the other way */
        } else if (Async) {
            return STATUS_PENDING;
        } else {
            ExpWaitForOnce(RunOnce, Value);
        }
    }
}

/* [WDK RtlRunOnceComplete] The low bits of Context must be 0. STATUS_OBJECT_NAME_COLLISION: another was first (RTL_RUN_ONCE_ASYNC).
 * STATUS_UNSUCCESSFUL: nothing was begun in this way. */
NTSTATUS NTAPI RtlRunOnceComplete(PRTL_RUN_ONCE RunOnce, ULONG Flags, PVOID Context)
{
    BOOLEAN Async = (Flags & RTL_RUN_ONCE_ASYNC) != 0, Failed = (Flags & RTL_RUN_ONCE_INIT_FAILED) != 0;
    ULONG64 Value = ExpReadOnce(RunOnce), New = Failed ? 0 : (ULONG64)Context | DONE;

    if ((Flags & ~(RTL_RUN_ONCE_ASYNC | RTL_RUN_ONCE_INIT_FAILED)) != 0 || (Async && Failed) ||
        ((ULONG64)Context & STATE) != 0 || (Failed && Context != NULL))
        return STATUS_INVALID_PARAMETER;
    do {
        if ((Value & STATE) == DONE && Async)
            return STATUS_OBJECT_NAME_COLLISION;
        if ((Value & STATE) != (Async ? BUSY_ASYNC : BUSY))
            return STATUS_UNSUCCESSFUL;
    } while (!ExpExchangeOnce(RunOnce, &Value, New));
    if (!Async)
        ExpWakeOnceWaiters(Value);
    return STATUS_SUCCESS;
}

/* [WDK RtlRunOnceExecuteOnce] InitFn runs once to success; who comes meanwhile waits. STATUS_UNSUCCESSFUL: it said FALSE. */
NTSTATUS NTAPI RtlRunOnceExecuteOnce(PRTL_RUN_ONCE RunOnce, PRTL_RUN_ONCE_INIT_FN InitFn, PVOID Parameter,
                                     PVOID *Context)
{
    PVOID Made = NULL;
    NTSTATUS Status = RtlRunOnceBeginInitialize(RunOnce, 0, Context);

    if (Status != STATUS_PENDING)
        return Status;
    if (!InitFn(RunOnce, Parameter, &Made)) {
        RtlRunOnceComplete(RunOnce, RTL_RUN_ONCE_INIT_FAILED, NULL);
        return STATUS_UNSUCCESSFUL;
    }
    Status = RtlRunOnceComplete(RunOnce, 0, Made);
    if (Status == STATUS_SUCCESS && Context != NULL)
        *Context = Made;
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Work items run at PASSIVE_LEVEL in another thread, in order, and may queue themselves again. Fast mutexes between threads. */
#include "kt.h"
#include "ex.h"
#include "ke.h"
#include "mm.h"

static WORK_QUEUE_ITEM Item;
static KEVENT Done;
static ULONG Runs;
static KIRQL WorkIrql;
static PKTHREAD WorkThread;

static VOID NTAPI RunThreeTimes(PVOID Parameter)
{
    WorkIrql = KeGetCurrentIrql();
    WorkThread = KeGetCurrentThread();
    if (++Runs < 3)
        ExQueueWorkItem(&Item, CriticalWorkQueue);
    else
        KeSetEvent(Parameter, IO_NO_INCREMENT, FALSE);
}

KT_TEST(work_item_runs_in_another_thread_and_again)
{
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Runs = 0;
    ExInitializeWorkItem(&Item, RunThreeTimes, &Done);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    KT_EXPECT(Runs == 3 && WorkIrql == PASSIVE_LEVEL && WorkThread != KeGetCurrentThread());
}

/* --- waiting until all is done: what --fail-allocations compares memory after --------------------------------------- */

#define BLOCKED_ITEMS 5u /* more than a queue has workers without a backlog */
static WORK_QUEUE_ITEM Blocked[BLOCKED_ITEMS];
static volatile LONG Ended;

static VOID NTAPI WaitForGate(PVOID Parameter)
{
    (VOID) KeWaitForSingleObject(Parameter, Executive, KernelMode, FALSE, NULL);
    InterlockedIncrement(&Ended);
}

static VOID NTAPI OpenGate(PVOID Gate)
{
    KeSetEvent(Gate, IO_NO_INCREMENT, FALSE);
}

/* The items block, so that the queue gets more workers, whose stacks must be free again afterwards. */
KT_TEST(work_is_waited_for_with_its_threads)
{
    static KEVENT Gate;
    MM_COUNTERS Before, After;

    (VOID) ExWaitForWork();
    (VOID) KeWaitForThreadEnds();
    MmQueryCounters(&Before);
    KeInitializeEvent(&Gate, NotificationEvent, FALSE);
    Ended = 0;
    for (ULONG I = 0; I < BLOCKED_ITEMS; I++) {
        ExInitializeWorkItem(&Blocked[I], WaitForGate, &Gate);
        ExQueueWorkItem(&Blocked[I], DelayedWorkQueue);
    }
    ExInitializeWorkItem(&Item, OpenGate, &Gate); /* behind them: only one more worker lets it run */
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    KT_EXPECT(ExWaitForWork() && Ended == BLOCKED_ITEMS);
    PVOID Thread = KtStartThread(OpenGate, &Gate);
    KT_EXPECT(Thread != NULL);
    KtJoinThread(Thread);
    (VOID) KeWaitForThreadEnds();
    MmQueryCounters(&After);
    KT_EXPECT(After.SystemPtes <= Before.SystemPtes);
}

static FAST_MUTEX Mutex;
static ULONG Held;

static VOID NTAPI TakeMutex(PVOID Parameter)
{
    ExAcquireFastMutex(&Mutex);
    Held++;
    ExReleaseFastMutex(&Mutex);
    KeSetEvent(Parameter, IO_NO_INCREMENT, FALSE);
}

KT_TEST(fast_mutex_keeps_the_second_out)
{
    LARGE_INTEGER Soon = {.QuadPart = -10 * 10000};
    ExInitializeFastMutex(&Mutex);
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Held = 0;
    ExAcquireFastMutex(&Mutex);
    KT_EXPECT(KeGetCurrentIrql() == APC_LEVEL);
    ExInitializeWorkItem(&Item, TakeMutex, &Done);
    ExQueueWorkItem(&Item, CriticalWorkQueue);
    NTSTATUS Status = KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, &Soon);
    ULONG Early = Held;
    ExReleaseFastMutex(&Mutex);
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    KT_EXPECT(Status == STATUS_TIMEOUT && Early == 0 && Held == 1 && Mutex.Contention == 1);
    KT_EXPECT(ExTryToAcquireFastMutex(&Mutex));
    KT_EXPECT(!ExTryToAcquireFastMutex(&Mutex));
    ExReleaseFastMutex(&Mutex);
    KT_EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

KT_TEST(guarded_mutex_is_taken_and_given)
{
    static KGUARDED_MUTEX Guarded;
    KeInitializeGuardedMutex(&Guarded);
    KeAcquireGuardedMutex(&Guarded);
    KT_EXPECT(KiCurrentThread()->SpecialApcDisable == -1);
    KeReleaseGuardedMutex(&Guarded);
    KT_EXPECT(KiCurrentThread()->SpecialApcDisable == 0);
    KT_EXPECT(KeTryToAcquireGuardedMutex(&Guarded));
    KeReleaseGuardedMutex(&Guarded);
}

/* SPDX-License-Identifier: MIT
 * Work items run at PASSIVE_LEVEL in another thread, in order, and may queue themselves again. Fast mutexes between threads. */
#include "kt.h"
#include "ex.h"
#include "ke.h"

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

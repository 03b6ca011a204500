/* SPDX-License-Identifier: MIT
 * The stress test: workers do random operations on all dispatcher objects for some seconds; a watch looks that each of them goes on. The
 * command line starts it: `stress=SECONDS seed=N`, or `stress-ms=`. Its result is the case stress.N of the report. */
#include "stress.h"
#include "crt.h"
#include "hal.h"
#include <stdarg.h>

#define STRESS_HANG_SECONDS 15
#define STRESS_LATE                                                                                          \
    (5000 *                                                                                                  \
     STRESS_MILLISECOND) /* a wait that ends later than this after its time is lost: hosts are busy, too */

STRESS_WORKER StressWorkers[STRESS_WORKERS_MAX];
ULONG StressWorkerCount;

static const STRESS_KIND *StressKinds[64];
static ULONG StressWeights[64]; /* of the kinds; 0: not asked for */
static ULONG StressKindCount, StressWeight;
static volatile LONG StressFailures;
static volatile BOOLEAN StressStop;
static CHAR StressText[256];
static ULONG64 StressEnd; /* interrupt time */
static KEVENT StressGo;

/* xorshift64*: [Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled"] */
ULONG StressRandom(STRESS_WORKER *Worker, ULONG Below)
{
    Worker->Random ^= Worker->Random >> 12;
    Worker->Random ^= Worker->Random << 25;
    Worker->Random ^= Worker->Random >> 27;
    return (ULONG)(((Worker->Random * 0x2545f4914f6cdd1dull) >> 32) % Below);
}

VOID StressDelay(STRESS_WORKER *Worker)
{
    ULONG Turns = StressRandom(Worker, 4) != 0 ? StressRandom(Worker, 30) : StressRandom(Worker, 2000);

    while (Turns-- != 0)
        __builtin_ia32_pause();
}

VOID StressFail(PCSTR Format, ...)
{
    va_list Arguments;

    StressStop = TRUE;
    if (InterlockedIncrement(&StressFailures) != 1)
        return;
    va_start(Arguments, Format);
    _vsnprintf(StressText, sizeof(StressText) - 1, Format, Arguments);
    va_end(Arguments);
    KdLogError("stress: %s", StressText);
}

VOID StressCheckTime(ULONG64 Begin, ULONG64 Wanted, PCSTR What)
{
    ULONG64 Passed = HalQueryInterruptTime() - Begin;

    if (Passed < Wanted)
        StressFail("%s ended after %llu00 ns instead of %llu00", What, (unsigned long long)Passed,
                   (unsigned long long)Wanted);
    if (Passed > Wanted + STRESS_LATE)
        StressFail("%s of %llu00 ns took %llu00", What, (unsigned long long)Wanted,
                   (unsigned long long)Passed);
}

#define STRESS_NO_TIMEOUT MAXULONG64

static NTSTATUS StressOneWait(ULONG Count, PVOID Objects[], WAIT_TYPE Type, BOOLEAN Alertable, ULONG64 Time)
{
    LARGE_INTEGER Relative = {.QuadPart = -(LONG64)Time}, *Timeout = &Relative;
    ULONG64 Begin = HalQueryInterruptTime();

    if (Time == STRESS_NO_TIMEOUT)
        Timeout = NULL;
    NTSTATUS Status =
        Count == 1
            ? KeWaitForSingleObject(Objects[0], Executive, KernelMode, Alertable, Timeout)
            : KeWaitForMultipleObjects(Count, Objects, Type, Executive, KernelMode, Alertable, Timeout, NULL);

    if (Status == STATUS_TIMEOUT)
        StressCheckTime(Begin, Time, "a wait that timed out");
    return Status;
}

static NTSTATUS StressWaitWithin(STRESS_WORKER *Worker, ULONG Count, PVOID Objects[], WAIT_TYPE Type,
                                 ULONG64 Time)
{
    BOOLEAN Alertable = StressRandom(Worker, 3) == 0;
    NTSTATUS Status;

    while ((Status = StressOneWait(Count, Objects, Type, Alertable, Time)) == STATUS_ALERTED) {
        STRESS_EXPECT(Alertable);
        Worker->AlertsSeen++;
    }
    if (Status != STATUS_TIMEOUT && (ULONG)Status >= Count)
        StressFail("a wait for %u objects ended with status 0x%08X", (unsigned)Count, (unsigned)Status);
    return Status;
}

static ULONG64 StressTimeout(STRESS_WORKER *Worker)
{
    return StressRandom(Worker, 3) == 0 ? 0 : StressRandom(Worker, 3 * STRESS_MILLISECOND);
}

NTSTATUS StressWaitSeveral(STRESS_WORKER *Worker, ULONG Count, PVOID Objects[], WAIT_TYPE Type)
{
    return StressWaitWithin(Worker, Count, Objects, Type, StressTimeout(Worker));
}

NTSTATUS StressWaitForHeld(STRESS_WORKER *Worker, ULONG Count, PVOID Objects[], WAIT_TYPE Type)
{
    ULONG64 Time = StressRandom(Worker, 2) == 0 ? STRESS_NO_TIMEOUT : StressTimeout(Worker);

    return StressWaitWithin(Worker, Count, Objects, Type, Time);
}

NTSTATUS StressWait(STRESS_WORKER *Worker, PVOID Object)
{
    return StressWaitSeveral(Worker, 1, &Object, WaitAny);
}

#define SPOILT 0xdd

VOID StressSpoil(STRESS_WORKER *Worker, PVOID Memory, SIZE_T Length)
{
    const volatile UCHAR *Bytes = Memory;

    memset(Memory, SPOILT, Length);
    StressDelay(Worker);
    StressDelay(Worker);
    for (SIZE_T i = 0; i < Length; i++)
        if (Bytes[i] != SPOILT) {
            StressFail("byte %u of %u of an object was written after its end", (unsigned)i, (unsigned)Length);
            return;
        }
}

/* --- workers --- */

static const STRESS_KIND *StressPick(STRESS_WORKER *Worker)
{
    ULONG Left = StressRandom(Worker, StressWeight);
    ULONG i = 0;

    while (Left >= StressWeights[i])
        Left -= StressWeights[i++];
    return StressKinds[i];
}

static VOID NTAPI StressWork(PVOID Context)
{
    STRESS_WORKER *Worker = Context;

    (void)KeWaitForSingleObject(&StressGo, Executive, KernelMode, FALSE, NULL);
    while (!StressStop && HalQueryInterruptTime() < StressEnd) {
        const STRESS_KIND *Kind = StressPick(Worker);
        Worker->Doing = Kind->Name;
        Kind->Operate(Worker);
        if (KeGetCurrentIrql() != PASSIVE_LEVEL)
            StressFail("%s ended at IRQL %u", Kind->Name, (unsigned)KeGetCurrentIrql());
        StressDelay(Worker);
        Worker->Operations++;
    }
    Worker->Doing = "(ended)";
}

/* A stream for each: [Steele, Lea, Flood, "Fast splittable pseudorandom number generators"] */
static ULONG64 StressStream(ULONG64 Seed, ULONG Index)
{
    ULONG64 z = (Seed + 1) * 0x9e3779b97f4a7c15ull + ((ULONG64)Index + 1) * 0xd1342543de82ef95ull;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    return z != 0 ? z : 1;
}

static BOOLEAN StressStart(STRESS_WORKER *Worker)
{
    Worker->Thread = KtStartThread(StressWork, Worker);
    return Worker->Thread != NULL;
}

/* --- with odd seeds no processor is ever idle: what only an idle one would put right shows --- */

static volatile BOOLEAN StressBurning;
static PVOID StressBurners[KI_MAX_PROCESSORS];

static VOID NTAPI StressBurn(PVOID Context)
{
    KeSetSystemAffinityThreadEx((KAFFINITY)1 << (ULONG_PTR)Context);
    KeSetPriorityThread(KeGetCurrentThread(), 1);
    while (StressBurning)
        __builtin_ia32_pause();
}

static VOID StressStartBurners(ULONG64 Seed)
{
    StressBurning = Seed % 2 != 0;
    for (ULONG_PTR i = 0; i < KeActiveProcessorCount && StressBurning; i++)
        StressBurners[i] = KtStartThread(StressBurn, (PVOID)i);
}

static VOID StressStopBurners(VOID)
{
    StressBurning = FALSE;
    for (ULONG i = 0; i < KeActiveProcessorCount; i++)
        KtJoinThread(StressBurners[i]);
}

/* --- the watch --- */

static PCSTR StressStateName(KTHREAD_STATE State)
{
    static const PCSTR Names[] = {"initialized", "ready", "running", "standby", "terminated", "waiting"};

    return (ULONG)State < RTL_NUMBER_OF(Names) ? Names[State] : "?";
}

/* Without locks: whoever hangs does not move. */
static VOID StressPrintWorker(const STRESS_WORKER *Worker)
{
    const KTHREAD *Thread = Worker->Thread;

    KdLog("stress: worker %u, thread %p: %s, %s on %u, priority %d, affinity 0x%llx, %u operations, IRQL of "
          "the wait %u, wait state 0x%llx, swap %u, APC %u",
          (unsigned)Worker->Index, (const void *)Thread, Worker->Doing, StressStateName(Thread->State),
          (unsigned)Thread->Processor, (int)Thread->Priority, (unsigned long long)Thread->Affinity,
          (unsigned)Worker->Operations, (unsigned)Thread->WaitIrql, (unsigned long long)Thread->WaitState,
          (unsigned)Thread->SwapBusy, (unsigned)Thread->ApcState.KernelApcPending);
    if (Thread->State != ThreadWaiting)
        return;
    for (ULONG i = 0; i < THREAD_WAIT_OBJECTS; i++)
        if (Thread->WaitBlock[i].BlockState != 0)
            KdLog("stress:   waits for %p, type %u, signal state %d", Thread->WaitBlock[i].Object,
                  (unsigned)(((DISPATCHER_HEADER *)Thread->WaitBlock[i].Object)->Type & 0x7f),
                  (int)((DISPATCHER_HEADER *)Thread->WaitBlock[i].Object)->SignalState);
}

static VOID StressPrintOther(const STRESS_WORKER *Worker)
{
    const KTHREAD *Thread = Worker->Other;
    if (Thread != NULL)
        KdLog("stress: worker %u's thread %p: %s on %u, priority %d, affinity 0x%llx, wait state 0x%llx, APC "
              "%u",
              (unsigned)Worker->Index, (const void *)Thread, StressStateName(Thread->State),
              (unsigned)Thread->Processor, (int)Thread->Priority, (unsigned long long)Thread->Affinity,
              (unsigned long long)Thread->WaitState, (unsigned)Thread->ApcState.KernelApcPending);
}

static VOID StressHang(const STRESS_WORKER *Stuck)
{
    StressFail("worker %u has done nothing for %u s, in %s", (unsigned)Stuck->Index, STRESS_HANG_SECONDS,
               Stuck->Doing);
    for (ULONG i = 0; i < StressWorkerCount; i++)
        StressPrintWorker(&StressWorkers[i]);
    StressPrintOther(Stuck);
}

/* Time that the processors were given, in milliseconds: hosts are busy, too. */
static ULONG64 StressProcessorTime(VOID)
{
    ULONG64 Sum = 0;

    for (ULONG i = 0; i < KeActiveProcessorCount; i++)
        Sum += KiProcessorBlock[i]->ClockTicks;
    return Sum / KeActiveProcessorCount;
}

/* TRUE: the worker has ended, or has done something since the last look. */
static BOOLEAN StressMoves(const STRESS_WORKER *Worker, PULONG Last, PULONG64 Since)
{
    ULONG64 Now = StressProcessorTime();
    ULONG Operations = Worker->Operations;

    if (Operations != *Last || Worker->Thread->Header.SignalState != 0) {
        *Last = Operations;
        *Since = Now;
    }
    return Now - *Since < STRESS_HANG_SECONDS * 1000;
}

/* Until all have ended. FALSE: one hangs. */
static BOOLEAN StressWatch(VOID)
{
    static ULONG Last[STRESS_WORKERS_MAX];
    static ULONG64 Since[STRESS_WORKERS_MAX];
    LARGE_INTEGER Second = {.QuadPart = -1000 * STRESS_MILLISECOND};

    for (ULONG i = 0; i < StressWorkerCount; i++)
        Since[i] = StressProcessorTime();
    for (ULONG Waiting = 0; Waiting < StressWorkerCount;) {
        NTSTATUS Status =
            KeWaitForSingleObject(StressWorkers[Waiting].Thread, Executive, KernelMode, FALSE, &Second);
        Waiting += Status == STATUS_SUCCESS;
        for (ULONG i = 0; i < StressWorkerCount; i++)
            if (!StressMoves(&StressWorkers[i], &Last[i], &Since[i])) {
                StressHang(&StressWorkers[i]);
                return FALSE;
            }
    }
    return TRUE;
}

/* --- the run --- */

static PCSTR StressOnly; /* NULL: all kinds */

/* The word ends where the command line's does. */
static BOOLEAN StressIsChosen(PCSTR Name)
{
    SIZE_T Length = 0;

    while (StressOnly != NULL && StressOnly[Length] > ' ')
        Length++;
    while (*Name != 0 && strncmp(Name, StressOnly != NULL ? StressOnly : "", Length) != 0)
        Name++;
    return *Name != 0;
}

/* Kinds that are not chosen are prepared and checked all the same: others of their file may need it. */
static VOID StressAdd(const STRESS_KIND *Kinds, ULONG Count)
{
    for (ULONG i = 0; i < Count; i++) {
        StressWeights[StressKindCount] = StressIsChosen(Kinds[i].Name) ? Kinds[i].Weight : 0;
        StressWeight += StressWeights[StressKindCount];
        StressKinds[StressKindCount++] = &Kinds[i];
        if (Kinds[i].Prepare != NULL)
            Kinds[i].Prepare();
    }
}

static VOID StressAddAll(VOID)
{
    StressAdd(StressLockKinds, StressLockKindCount);
    StressAdd(StressCountKinds, StressCountKindCount);
    StressAdd(StressWaitKinds, StressWaitKindCount);
    StressAdd(StressDeferredKinds, StressDeferredKindCount);
    StressAdd(StressThreadKinds, StressThreadKindCount);
    StressAdd(StressApcKinds, StressApcKindCount);
    StressAdd(StressQueueKinds, StressQueueKindCount);
    StressAdd(StressSharedKinds, StressSharedKindCount);
    StressAdd(StressRundownKinds, StressRundownKindCount);
    StressAdd(StressPoolKinds, StressPoolKindCount);
    StressAdd(StressTimerKinds, StressTimerKindCount);
    StressAdd(StressSpaceKinds, StressSpaceKindCount);
    StressAdd(StressPageKinds, StressPageKindCount);
}

static VOID StressPrepare(ULONG64 Seed)
{
    StressWorkerCount = 8 + 8 * KeActiveProcessorCount;
    if (StressWorkerCount > STRESS_WORKERS_MAX)
        StressWorkerCount = STRESS_WORKERS_MAX;
    for (ULONG i = 0; i < StressWorkerCount; i++)
        StressWorkers[i] = (STRESS_WORKER){.Index = i, .Random = StressStream(Seed, i), .Doing = "(starts)"};
    if (StressOnly != NULL && StressIsChosen("attack"))
        StressAdd(StressAttackKinds, StressAttackKindCount); /* alone: it takes what the others count */
    else if (StressOnly != NULL && StressIsChosen("samples"))
        StressAdd(StressSampleKinds, StressSampleKindCount);
    else
        StressAddAll();
    NT_CHECK(StressKindCount <= RTL_NUMBER_OF(StressKinds) &&
             StressWeight != 0); /* stress-only= names nothing */
}

/* All of them exist before the first runs: workers look at each other. */
static VOID StressRunWorkers(VOID)
{
    KeInitializeEvent(&StressGo, NotificationEvent, FALSE);
    for (ULONG i = 0; i < StressWorkerCount; i++)
        if (!StressStart(&StressWorkers[i])) {
            StressFail("worker %u could not be started", (unsigned)i);
            StressWorkerCount = i;
        }
    KeSetEvent(&StressGo, IO_NO_INCREMENT, FALSE);
    BOOLEAN Ended = StressWatch();
    StressStopBurners(); /* the checks count threads */
    if (!Ended)
        return;
    KeFlushQueuedDpcs();
    for (ULONG i = 0; i < StressKindCount; i++)
        if (StressKinds[i]->Check != NULL)
            StressKinds[i]->Check();
    for (ULONG i = 0; i < StressWorkerCount; i++)
        ObDereferenceObject(StressWorkers[i].Thread);
}

BOOLEAN KtStress(ULONG Milliseconds, ULONG64 Seed, PCSTR Only)
{
    CHAR Case[64];
    ULONG64 Operations = 0;

    _snprintf(Case, sizeof(Case), "stress.%llu", (unsigned long long)Seed);
    KdReport(ReportCaseBegin, KD_TEXT(ReportKeyCase, Case));
    StressOnly = Only;
    StressPrepare(Seed);
    KdLog("stress: seed %llu, %u ms, %u workers on %u processors", (unsigned long long)Seed,
          (unsigned)Milliseconds, (unsigned)StressWorkerCount, (unsigned)KeActiveProcessorCount);
    StressEnd = HalQueryInterruptTime() + (ULONG64)Milliseconds * STRESS_MILLISECOND;
    StressDelayLocks(Seed);
    StressStartBurners(Seed);
    StressRunWorkers();
    StressEndDelays();
    for (ULONG i = 0; i < StressWorkerCount; i++)
        Operations += StressWorkers[i].Operations;
    KdLog("stress: seed %llu: %llu operations, %s", (unsigned long long)Seed, (unsigned long long)Operations,
          StressFailures == 0 ? "ok" : StressText);
    KdReport(ReportCaseEnd, KD_TEXT(ReportKeyCase, Case), KD_NUMBER(ReportKeyStatus, StressFailures != 0),
             KD_TEXT(ReportKeyText, StressText));
    return StressFailures == 0;
}

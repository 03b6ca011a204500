/* SPDX-License-Identifier: MIT
 * On which processor a thread runs, and with what priority. [WDK KeSetSystemAffinityThreadEx, KeRevertToUserAffinityThreadEx,
 * KeSetSystemGroupAffinityThread, KeRevertToUserGroupAffinityThread, KeSetBasePriorityThread] */
#include "ct_threads.h"

static ULONG Here(VOID)
{
    return KeGetCurrentProcessorNumberEx(NULL);
}

static KAFFINITY Bit(ULONG Number)
{
    return (KAFFINITY)1 << Number;
}

/* After the call the thread runs where it was told to, on each processor in turn; the first one finds no system affinity. */
static VOID AffinitySystemEx(VOID)
{
    ULONG Count = KeQueryActiveProcessorCount(NULL);
    KAFFINITY Old = KeSetSystemAffinityThreadEx(Bit(0));
    CT_EQUAL(Old, 0);
    for (ULONG i = 0; i < Count; i++) {
        KAFFINITY Before = KeSetSystemAffinityThreadEx(Bit(i));
        CT_EQUAL(Here(), i);
        CT_EQUAL(Before, Bit(i == 0 ? 0 : i - 1));
    }
    CT_EQUAL(KeSetSystemAffinityThreadEx(0), 0); /* no processor: nothing is changed */
    CT_EQUAL(Here(), Count - 1);
    KeRevertToUserAffinityThreadEx(Bit(0));
    CT_EQUAL(Here(), 0);
    KeRevertToUserAffinityThreadEx(0);
    CT_EQUAL(KeSetSystemAffinityThreadEx(Bit(0)), 0);
    KeRevertToUserAffinityThreadEx(0);
}

/* At DISPATCH_LEVEL it takes effect when the IRQL falls. */
static VOID AffinityAtDispatch(VOID)
{
    ULONG Count = KeQueryActiveProcessorCount(NULL);
    KIRQL OldIrql;
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    ULONG Other = (Here() + 1) % Count;
    KeSetSystemAffinityThreadEx(Bit(Other));
    KeLowerIrql(OldIrql);
    CT_EQUAL(Here(), Other);
    KeRevertToUserAffinityThreadEx(0);
}

static VOID AffinitySystem(VOID)
{
    ULONG Count = KeQueryActiveProcessorCount(NULL);
    for (ULONG i = 0; i < Count; i++) {
        KeSetSystemAffinityThread(Bit(i));
        CT_EQUAL(Here(), i);
    }
    KeRevertToUserAffinityThread();
}

static VOID AffinityGroup(VOID)
{
    ULONG Last = KeQueryActiveProcessorCount(NULL) - 1;
    GROUP_AFFINITY Affinity = {.Mask = Bit(Last)}, Old = {.Mask = 99}, Bad = {.Mask = 1, .Group = 1};
    KeSetSystemGroupAffinityThread(&Affinity, &Old);
    CT_EQUAL(Here(), Last);
    CT_EQUAL(Old.Mask, 0);
    CT_EQUAL(Old.Group, 0);
    Old.Mask = 99;
    KeSetSystemGroupAffinityThread(&Bad, &Old); /* there is no such group */
    CT_EQUAL(Old.Mask, 0);
    CT_EQUAL(Here(), Last);
    KeRevertToUserGroupAffinityThread(&Old);
}

typedef struct SPINNER {
    KEVENT Ready, Arrived;
    volatile LONG Stop;
    volatile LONG Wanted; /* the processor to tell of, once; -1: none */
} SPINNER;

static VOID NTAPI Spin(PVOID Context)
{
    SPINNER *Spinner = Context;
    KeSetEvent(&Spinner->Ready, IO_NO_INCREMENT, FALSE);
    while (!Spinner->Stop) {
        if (Spinner->Wanted == (LONG)Here()) {
            Spinner->Wanted = -1;
            KeSetEvent(&Spinner->Arrived, IO_NO_INCREMENT, FALSE);
        }
        CtSpin();
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A running thread moves when another one says so. */
static VOID AffinityOther(VOID)
{
    ULONG Count = KeQueryActiveProcessorCount(NULL);
    SPINNER Spinner = {.Wanted = -1};
    KeInitializeEvent(&Spinner.Ready, NotificationEvent, FALSE);
    KeInitializeEvent(&Spinner.Arrived, SynchronizationEvent, FALSE);
    PKTHREAD Thread = CtStart(Spin, &Spinner);
    CT_REQUIRE(Thread != NULL);
    CtExpect(&Spinner.Ready);
    for (ULONG i = 0; i < Count; i++) {
        KeSetAffinityThread(Thread, Bit(i));
        Spinner.Wanted = (LONG)i;
        CtExpect(&Spinner.Arrived);
    }
    CT_EQUAL(KeSetAffinityThread(Thread, Bit(0)), Bit(Count - 1));
    Spinner.Stop = 1;
    CtJoin(Thread);
}

typedef struct PREEMPTED {
    KEVENT Waits, Spins, Wake;
    ULONG Processor;
    volatile LONG Woken; /* the other thread is ready */
    volatile LONG Ran;   /* ... has run */
    volatile LONG Turns; /* of the loop in between */
} PREEMPTED;

static VOID NTAPI SpinUntilPreempted(PVOID Context)
{
    PREEMPTED *Preempted = Context;
    KeSetSystemAffinityThreadEx(Bit(Preempted->Processor));
    KeSetEvent(&Preempted->Spins, IO_NO_INCREMENT, FALSE);
    while (!Preempted->Ran)
        if (Preempted->Woken)
            Preempted->Turns++;
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI RunWhenWoken(PVOID Context)
{
    PREEMPTED *Preempted = Context;
    KeSetSystemAffinityThreadEx(Bit(Preempted->Processor));
    KeSetPriorityThread((PKTHREAD)KeGetCurrentThread(), LOW_REALTIME_PRIORITY);
    KeSetEvent(&Preempted->Waits, IO_NO_INCREMENT, FALSE); /* goes on until it does: nobody here is higher */
    KeWaitForSingleObject(&Preempted->Wake, Executive, KernelMode, FALSE, &CtPatience);
    Preempted->Ran = 1;
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A thread of higher priority that gets ready for another processor has it at once: when the call that woke it has returned, the thread
 * there does not go on. Some turns of its loop are what a processor takes to notice an interrupt. */
static VOID PreemptOther(ULONG Processor)
{
    PREEMPTED Preempted = {.Processor = Processor};
    KeInitializeEvent(&Preempted.Waits, NotificationEvent, FALSE);
    KeInitializeEvent(&Preempted.Spins, NotificationEvent, FALSE);
    KeInitializeEvent(&Preempted.Wake, NotificationEvent, FALSE);
    PKTHREAD High = CtStart(RunWhenWoken, &Preempted);
    CtExpect(&Preempted.Waits);
    PKTHREAD Low = CtStart(SpinUntilPreempted, &Preempted);
    CtExpect(&Preempted.Spins);
    KeSetEvent(&Preempted.Wake, IO_NO_INCREMENT, FALSE);
    Preempted.Woken = 1;
    if (High != NULL)
        CtJoin(High);
    Preempted.Ran = 1;
    if (Low != NULL)
        CtJoin(Low);
    CT_CHECK(Preempted.Turns < 100);
}

static VOID PriorityPreemptsOther(VOID)
{
    ULONG Last = KeQueryActiveProcessorCount(NULL) - 1;
    KeSetSystemAffinityThreadEx(Bit(0));
    for (ULONG Round = 0; Round < 20 && Last != 0; Round++)
        PreemptOther(Last);
    KeRevertToUserAffinityThreadEx(0);
}

/* Relative to the process's; the current priority follows. */
static VOID PriorityBase(VOID)
{
    PKTHREAD Thread = (PKTHREAD)KeGetCurrentThread();
    KPRIORITY Before = KeQueryPriorityThread(Thread);
    LONG Old = KeSetBasePriorityThread(Thread, 2);
    CT_EQUAL(KeSetBasePriorityThread(Thread, -1), 2);
    CT_EQUAL(KeSetBasePriorityThread(Thread, Old), -1);
    CT_EQUAL(KeQueryPriorityThread(Thread), Before);
}

typedef struct SLEEPER {
    KEVENT Running, Wake;
    KPRIORITY Base, Seen;
} SLEEPER;

static VOID NTAPI Sleep(PVOID Context)
{
    SLEEPER *Sleeper = Context;
    KeSetSystemAffinityThreadEx(1);
    KeSetPriorityThread((PKTHREAD)KeGetCurrentThread(), Sleeper->Base);
    KeSetEvent(&Sleeper->Running, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Sleeper->Wake, Executive, KernelMode, FALSE, &CtPatience);
    Sleeper->Seen = KeQueryPriorityThread((PKTHREAD)KeGetCurrentThread());
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Priority of a thread just woken. The caller stands on the same processor with the lowest priority: it goes on when the other one
 * waits, not before. */
static KPRIORITY PriorityAfterWake(KPRIORITY Base, KPRIORITY Increment)
{
    SLEEPER Sleeper = {.Base = Base, .Seen = -1};
    PKTHREAD Self = (PKTHREAD)KeGetCurrentThread();
    KeInitializeEvent(&Sleeper.Running, NotificationEvent, FALSE);
    KeInitializeEvent(&Sleeper.Wake, NotificationEvent, FALSE);
    KeSetSystemAffinityThreadEx(1);
    KPRIORITY Old = KeSetPriorityThread(Self, 1);
    PKTHREAD Thread = CtStart(Sleep, &Sleeper);
    if (Thread != NULL) {
        CtExpect(&Sleeper.Running);
        KeSetEvent(&Sleeper.Wake, Increment, FALSE);
        CtJoin(Thread);
    }
    KeSetPriorityThread(Self, Old);
    KeRevertToUserAffinityThreadEx(0);
    return Sleeper.Seen;
}

/* The boost of a wake-up, to at most 15; a real-time thread gets none. */
static VOID PriorityBoost(VOID)
{
    CT_EQUAL(PriorityAfterWake(8, 0), 8);
    CT_EQUAL(PriorityAfterWake(8, 2), 10);
    CT_EQUAL(PriorityAfterWake(14, 6), 15);
    CT_EQUAL(PriorityAfterWake(16, 6), 16);
}

static VOID NTAPI Low(PVOID Context)
{
    SLEEPER *Sleeper = Context;
    KeSetEvent(&Sleeper->Wake, IO_NO_INCREMENT, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI Busy(PVOID Context)
{
    SPINNER *Spinner = Context;
    KeSetSystemAffinityThreadEx(1);
    KeSetEvent(&Spinner->Ready, IO_NO_INCREMENT, FALSE);
    while (!Spinner->Stop)
        CtSpin();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* [MSDN "Priority Inversion"] A ready thread below one that never waits still comes to run. */
static VOID PriorityStarved(VOID)
{
    SPINNER Spinner = {0};
    SLEEPER Sleeper = {.Base = 2};
    PKTHREAD Self = (PKTHREAD)KeGetCurrentThread();
    KPRIORITY Old = KeSetPriorityThread(Self, 17);
    KeInitializeEvent(&Spinner.Ready, NotificationEvent, FALSE);
    KeInitializeEvent(&Sleeper.Wake, NotificationEvent, FALSE);
    KeSetSystemAffinityThreadEx(1);
    PKTHREAD High = CtStart(Busy, &Spinner);
    CT_REQUIRE(High != NULL);
    CtExpect(&Spinner.Ready);
    PKTHREAD Starved = CtStart(Low, &Sleeper);
    CT_REQUIRE(Starved != NULL);
    KeSetAffinityThread(Starved, 1);
    KeSetPriorityThread(Starved, 2);
    CtExpect(&Sleeper.Wake);
    Spinner.Stop = 1;
    KeRevertToUserAffinityThreadEx(0);
    KeSetPriorityThread(Self, Old);
    CtJoin(Starved);
    CtJoin(High);
}

static const CT_CASE Cases[] = {
    {"affinity.system_ex", AffinitySystemEx},
    {"affinity.at_dispatch", AffinityAtDispatch},
    {"affinity.system", AffinitySystem},
    {"affinity.group", AffinityGroup},
    {"affinity.other", AffinityOther},
    {"priority.base", PriorityBase},
    {"priority.preempts_other", PriorityPreemptsOther},
    {"priority.boost", PriorityBoost},
    {"priority.starved", PriorityStarved},
};
CT_DRIVER(Cases)

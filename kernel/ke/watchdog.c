/* SPDX-License-Identifier: MIT
 * The watchdog, part of each processor's clock interrupt: a DPC that does not end, an IRQL that is not lowered, another
 * processor whose clock has stopped, and (our own fault) a processor that idles while a thread is ready. Each processor counts
 * time by the clock interrupts that it took, so that a host that gives us no time trips nothing.
 * [WDK Bug Check 0x133, Bug Check 0x101] */
#include "ki.h"
#include "crt.h"
#include "rtl.h"

#define KI_MILLISECOND 10000u
#define KI_LONGEST_STEP (20 * KI_MILLISECOND) /* more than the period of any processor's clock */
#define KI_IDLE_LIMIT 2000 /* ms that ready work may lie on an idle processor: it needs microseconds */

/* Well inside the 30 s of a run, so that it is our verdict that ends it and not the host's. */
static KE_WATCHDOG_LIMITS KiLimits = {.Dpc = 10000, .Raised = 15000, .Clock = 15000};

KE_WATCHDOG_LIMITS KeSetWatchdogLimits(const KE_WATCHDOG_LIMITS *Limits)
{
    KE_WATCHDOG_LIMITS Before = KiLimits;

    if (Limits->Dpc != 0)
        KiLimits.Dpc = Limits->Dpc;
    if (Limits->Raised != 0)
        KiLimits.Raised = Limits->Raised;
    if (Limits->Clock != 0)
        KiLimits.Clock = Limits->Clock;
    return Before;
}

static VOID KiAdvanceClock(KI_WATCHDOG *Watchdog)
{
    ULONG64 Now = HalQueryInterruptTime();

    Watchdog->Clock += min(Now - Watchdog->LastTick, KI_LONGEST_STEP);
    Watchdog->LastTick = Now;
}

/* Milliseconds by the watchdog's clock. */
static ULONG KiSince(const KI_WATCHDOG *Watchdog, ULONG64 Start)
{
    return (ULONG)((Watchdog->Clock - Start) / KI_MILLISECOND);
}

/* Culprit NULL: found on the stack of what was interrupted. */
static DECLSPEC_NORETURN VOID KiWatchdogStop(const ARCH_TRAP_FRAME *Frame, const VOID *Culprit, ULONG Code,
                                             const ULONG64 P[4], PCSTR Format, ULONG Time)
{
    CONTEXT Context;
    CHAR Text[128];

    _snprintf(Text, sizeof(Text), Format, (unsigned)Time);
    ArchContextFromTrapFrame(Frame, &Context);
    KiBugCheckBlaming(Culprit, Code, P, &Context, Text);
}

/* 0x133 (0): DPC time count, DPC time allotment. */
static VOID KiWatchDpc(const KI_WATCHDOG *Watchdog, const ARCH_TRAP_FRAME *Frame)
{
    ULONG Time = KiSince(Watchdog, Watchdog->RoutineStart);

    if (Watchdog->Routine != NULL && Time > KiLimits.Dpc)
        KiWatchdogStop(Frame, Watchdog->Routine, DPC_WATCHDOG_VIOLATION,
                       (const ULONG64[]){0, Time, KiLimits.Dpc, 0},
                       "a DPC routine has been running for %u ms", Time);
}

/* The software interrupt has come: the IRQL was below DISPATCH_LEVEL. */
VOID KiNoteLowIrql(KI_WATCHDOG *Watchdog)
{
    Watchdog->LowSince = Watchdog->Clock;
}

/* 0x133 (1): the watchdog period. That this interrupt finds the IRQL raised says little when it waited for the IRQL to fall from
 * CLOCK_LEVEL: with half of the time over a software interrupt looks whether it falls further. */
static VOID KiWatchIrql(KI_WATCHDOG *Watchdog, const ARCH_TRAP_FRAME *Frame)
{
    ULONG Time = KiSince(Watchdog, Watchdog->LowSince);

    if (Frame->Irql < DISPATCH_LEVEL)
        KiNoteLowIrql(Watchdog);
    else if (Time > KiLimits.Raised)
        KiWatchdogStop(Frame, NULL, DPC_WATCHDOG_VIOLATION, (const ULONG64[]){1, KiLimits.Raised, 0, 0},
                       "the processor has been at DISPATCH_LEVEL or above for %u ms", Time);
    else if (Time > KiLimits.Raised / 2)
        HalRequestSoftwareInterrupt(HAL_VECTOR_DPC);
}

/* 0x101: time-out, 0, the PRCB of the processor that does not answer, its number. Each processor watches the next one; what the
 * silent one is running is to blame. */
static VOID KiWatchNextClock(PKPRCB Prcb, KI_WATCHDOG *Watchdog, const ARCH_TRAP_FRAME *Frame)
{
    PKPRCB Next = KiProcessorBlock[(Prcb->Number + 1) % KeActiveProcessorCount];
    ULONG Time = KiSince(Watchdog, Watchdog->NextSince);

    if (Next == Prcb || Next->ClockTicks != Watchdog->NextTicks) {
        Watchdog->NextTicks = Next->ClockTicks;
        Watchdog->NextSince = Watchdog->Clock;
    } else if (Time > KiLimits.Clock) {
        KiWatchdogStop(Frame, Next->CurrentThread->GateRoutine, CLOCK_WATCHDOG_TIMEOUT,
                       (const ULONG64[]){KiLimits.Clock, 0, (ULONG64)Next, Next->Number},
                       "another processor has taken no clock interrupt for %u ms", Time);
    }
}

static VOID KiWatchIdle(PKPRCB Prcb, KI_WATCHDOG *Watchdog, const ARCH_TRAP_FRAME *Frame)
{
    ULONG Time = KiSince(Watchdog, Watchdog->BusySince);

    if (Prcb->CurrentThread != Prcb->IdleThread || KiProcessorOf(Prcb)->ReadySummary == 0)
        Watchdog->BusySince = Watchdog->Clock;
    else if (Time > KI_IDLE_LIMIT)
        KiWatchdogStop(Frame, (PVOID)KiWatchIdle, MANUALLY_INITIATED_CRASH,
                       (const ULONG64[]){0, (ULONG64)Prcb, Prcb->Number, 0},
                       "a processor has been idle for %u ms while a thread was ready on it", Time);
}

VOID KiTickWatchdog(PKPRCB Prcb, const ARCH_TRAP_FRAME *Frame)
{
    KI_WATCHDOG *Watchdog = &KiProcessorOf(Prcb)->Deferred.Watchdog;

    KiAdvanceClock(Watchdog);
    KiWatchDpc(Watchdog, Frame);
    KiWatchIrql(Watchdog, Frame);
    KiWatchNextClock(Prcb, Watchdog, Frame);
    KiWatchIdle(Prcb, Watchdog, Frame);
}

/* IRQL >= DISPATCH_LEVEL, of the processor that it runs on. Milliseconds: what is left of the DPC routine's time, and of the time at
 * DISPATCH_LEVEL. STATUS_UNSUCCESSFUL: no DPC runs here. [WDK KeQueryDpcWatchdogInformation, KDPC_WATCHDOG_INFORMATION] */
NTSTATUS NTAPI KeQueryDpcWatchdogInformation(PKDPC_WATCHDOG_INFORMATION WatchdogInformation)
{
    KI_REQUIRE_IRQL_FROM(DISPATCH_LEVEL);
    const KI_WATCHDOG *Watchdog = &KiProcessorOf(KeGetPrcb())->Deferred.Watchdog;

    if (Watchdog->Routine == NULL)
        return STATUS_UNSUCCESSFUL;
    *WatchdogInformation = (KDPC_WATCHDOG_INFORMATION){
        .DpcTimeLimit = KiLimits.Dpc,
        .DpcTimeCount = KiLimits.Dpc - min(KiSince(Watchdog, Watchdog->RoutineStart), KiLimits.Dpc),
        .DpcWatchdogLimit = KiLimits.Raised,
        .DpcWatchdogCount = KiLimits.Raised - min(KiSince(Watchdog, Watchdog->LowSince), KiLimits.Raised),
    };
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Priorities: 1 to 15 are dynamic (boosted by what a thread waited for, decaying with each quantum), 16 to 31 are real-time and stay.
 * [MSDN "Scheduling Priorities", "Priority Boosts"] */
#include "ki.h"
#include "ke_bugcheck.h"

#define KI_LAST_DYNAMIC 15

KI_PROCESSOR *KiLockThreadQueue(PKTHREAD Thread)
{
    for (;;) {
        ULONG Number = __atomic_load_n(&Thread->Processor, __ATOMIC_ACQUIRE);
        KI_PROCESSOR *Processor = KiProcessorOf(KiProcessorBlock[Number]);
        ArchAcquireLockAtIrql(&Processor->ReadyLock);
        if (Thread->Processor == Number)
            return Processor;
        ArchReleaseLockFromIrql(&Processor->ReadyLock); /* stolen meanwhile */
    }
}

/* ThreadLock and the ready lock of its processor held. */
static VOID KiChangePriorityLocked(KI_PROCESSOR *Processor, PKTHREAD Thread, KPRIORITY Priority)
{
    if (Thread->State == ThreadReady) {
        KiUnqueueReadyLocked(Processor, Thread);
        Thread->Priority = Priority;
        KiQueueReadyLocked(Processor, Thread, FALSE);
        if (Priority > Processor->Prcb.CurrentPriority)
            KiRequestReschedule(Processor);
        return;
    }
    Thread->Priority = Priority;
    if (Processor->Prcb.CurrentThread != Thread)
        return;
    Processor->Prcb.CurrentPriority = (SCHAR)Priority;
    PKTHREAD Highest = KiHighestReadyLocked(Processor);
    if (Highest != NULL && Highest->Priority > Priority)
        KiRequestReschedule(Processor);
}

VOID KiBoostPriorityLocked(PKTHREAD Thread, KPRIORITY Increment)
{
    KPRIORITY Boosted = Thread->BasePriority + Increment;

    if (Thread->Priority > KI_LAST_DYNAMIC)
        return;
    if (Boosted > KI_LAST_DYNAMIC)
        Boosted = KI_LAST_DYNAMIC;
    if (Boosted > Thread->Priority)
        Thread->Priority = Boosted;
}

VOID KiDecayPriorityLocked(PKTHREAD Thread)
{
    if (Thread->Relieved)
        Thread->Priority = Thread->BasePriority;
    else if (Thread->Priority > Thread->BasePriority && Thread->Priority <= KI_LAST_DYNAMIC)
        Thread->Priority--;
    Thread->Relieved = FALSE;
}

static KPRIORITY KiSetPriority(PKTHREAD Thread, KPRIORITY Priority)
{
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    KI_PROCESSOR *Processor = KiLockThreadQueue(Thread);
    KPRIORITY Old = Thread->Priority;
    Thread->BasePriority = Priority;
    Thread->Relieved = FALSE;
    KiChangePriorityLocked(Processor, Thread, Priority);
    ArchReleaseLockFromIrql(&Processor->ReadyLock);
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
    KiExitDispatcher(OldIrql);
    return Old;
}

VOID KeBecomeZeroPageThread(VOID)
{
    KiSetPriority(KeGetCurrentThread(), LOW_PRIORITY);
}

/* [WDK KeSetPriorityThread] PASSIVE_LEVEL. Priority 1 to 31, anything else is a bug check; returns the old one. */
KPRIORITY NTAPI KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    KI_REQUIRE_THREAD(Thread);
    if (Priority <= LOW_PRIORITY || Priority > HIGH_PRIORITY)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_ARGUMENT,
                          (ULONG_PTR)(LONG_PTR)Priority, 0, 0,
                          "the priority of a thread is set to one that is not from 1 to 31");
    return KiSetPriority(Thread, Priority);
}

KPRIORITY NTAPI KeQueryPriorityThread(PKTHREAD Thread)
{
    KI_REQUIRE_THREAD(Thread);
    return Thread->Priority;
}

/* [WDK KeSetBasePriorityThread] Relative to the process's (8): the new base, which the current priority follows. Returns the old
 * increment. */
LONG NTAPI KeSetBasePriorityThread(PKTHREAD Thread, LONG Increment)
{
    KPRIORITY Base = KI_PROCESS_PRIORITY + Increment;

    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_THREAD(Thread);
    if (Base < 1)
        Base = 1;
    if (Base > KI_LAST_DYNAMIC)
        Base = KI_LAST_DYNAMIC;
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    KI_PROCESSOR *Processor = KiLockThreadQueue(Thread);
    LONG Old = Thread->BasePriority - KI_PROCESS_PRIORITY;
    Thread->BasePriority = Base;
    Thread->Relieved = FALSE;
    KiChangePriorityLocked(Processor, Thread, Base);
    ArchReleaseLockFromIrql(&Processor->ReadyLock);
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
    KiExitDispatcher(OldIrql);
    return Old;
}

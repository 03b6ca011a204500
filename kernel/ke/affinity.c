/* SPDX-License-Identifier: MIT
 * Which processors a thread may run on. A driver sets the system affinity for a while and then goes back to the user's. [WDK
 * KeSetSystemAffinityThreadEx, KeRevertToUserAffinityThreadEx, KeSetSystemGroupAffinityThread] */
#include "ki.h"

/* ThreadLock held; released. At a lower IRQL than DISPATCH_LEVEL the current thread has moved when this returns. */
static VOID KiApplyAffinity(PKTHREAD Thread, KAFFINITY Affinity, KIRQL OldIrql)
{
    KI_PROCESSOR *Processor = KiLockThreadQueue(Thread);
    BOOLEAN Move = FALSE;

    Thread->Affinity = Affinity;
    if ((Affinity & ((KAFFINITY)1 << Processor->Prcb.Number)) == 0) {
        Move = Thread->State == ThreadReady && !Thread->SwapBusy;
        if (Move) {
            KiUnqueueReadyLocked(Processor, Thread);
            Thread->State = ThreadStandby;
        } else if (Thread->State == ThreadReady) {
            Processor->Misplaced = TRUE;
            KiRequestReschedule(Processor);
        } else if (Processor->Prcb.CurrentThread == Thread) {
            KiRequestReschedule(Processor);
        }
    }
    ArchReleaseLockFromIrql(&Processor->ReadyLock);
    ArchReleaseLockFromIrql(&Thread->ThreadLock);
    if (Move)
        KiReadyThread(Thread);
    KiExitDispatcher(OldIrql);
}

static KAFFINITY KiSetSystemAffinity(KAFFINITY Affinity)
{
    PKTHREAD Thread = KiCurrentThread();
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    KAFFINITY Old = Thread->SystemAffinityActive ? Thread->Affinity : 0;

    Thread->SystemAffinityActive = TRUE;
    KiApplyAffinity(Thread, Affinity, OldIrql);
    return Old;
}

static VOID KiRevertAffinity(VOID)
{
    PKTHREAD Thread = KiCurrentThread();
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);

    Thread->SystemAffinityActive = FALSE;
    KiApplyAffinity(Thread, Thread->UserAffinity, OldIrql);
}

/* [WDK KeSetSystemAffinityThreadEx] IRQL <= APC_LEVEL (DISPATCH_LEVEL: takes effect when it is lowered). Returns the system affinity that
 * was set before, 0 when there was none. A mask without an active processor changes nothing and gives 0. */
KAFFINITY NTAPI KeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    Affinity &= KeQueryActiveProcessors();
    return Affinity != 0 ? KiSetSystemAffinity(Affinity) : 0;
}

/* [WDK KeRevertToUserAffinityThreadEx] Zero: the thread's own again; else the system affinity that the earlier call returned. */
VOID NTAPI KeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    Affinity &= KeQueryActiveProcessors();
    if (Affinity != 0)
        (void)KiSetSystemAffinity(Affinity);
    else
        KiRevertAffinity();
}

VOID NTAPI KeSetSystemAffinityThread(KAFFINITY Affinity)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    Affinity &= KeQueryActiveProcessors();
    if (Affinity != 0)
        (void)KiSetSystemAffinity(Affinity);
}

VOID NTAPI KeRevertToUserAffinityThread(VOID)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KiRevertAffinity();
}

/* [WDK KeSetSystemGroupAffinityThread] There is one group. An invalid affinity gives a previous one of all zeroes. */
VOID NTAPI KeSetSystemGroupAffinityThread(PGROUP_AFFINITY Affinity, PGROUP_AFFINITY PreviousAffinity)
{
    KAFFINITY Mask = Affinity->Group == 0 ? Affinity->Mask & KeQueryActiveProcessors() : 0;
    KAFFINITY Old = 0;

    KI_REQUIRE_IRQL(APC_LEVEL);
    if (Mask != 0)
        Old = KiSetSystemAffinity(Mask);
    if (PreviousAffinity != NULL)
        *PreviousAffinity = (GROUP_AFFINITY){.Mask = Old};
}

/* [WDK KeRevertToUserGroupAffinityThread] What the call above returned; a mask of zero: the thread's own. */
VOID NTAPI KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KeRevertToUserAffinityThreadEx(PreviousAffinity->Group == 0 ? PreviousAffinity->Mask : 0);
}

/* [WDK "KeSetAffinityThread" of older kits] The thread's own affinity, for any thread; returns the old one. */
KAFFINITY NTAPI KeSetAffinityThread(PKTHREAD Thread, KAFFINITY Affinity)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    KI_REQUIRE_THREAD(Thread);
    Affinity &= KeQueryActiveProcessors();
    if (Affinity == 0)
        return 0;
    KIRQL OldIrql = ArchAcquireLock(&Thread->ThreadLock);
    KAFFINITY Old = Thread->UserAffinity;
    Thread->UserAffinity = Affinity;
    KiApplyAffinity(Thread, Thread->SystemAffinityActive ? Thread->Affinity : Affinity, OldIrql);
    return Old;
}

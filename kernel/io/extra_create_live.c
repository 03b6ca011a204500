/* SPDX-License-Identifier: MIT
 * Which extra create parameters and lists there are: so that one that was freed is not believed, and that what a driver leaves is found at its
 * unload. */
#include "iop.h"
#include "extra_create.h"
#include "kd.h"
#include "ke_bugcheck.h"

/* The last that were freed, for who is to blame when the kernel still has one. */
#define IOP_FREED_ECPS 16u

typedef struct _IOP_FREED_ECP {
    const void *Ecp, *Freer;
} IOP_FREED_ECP;

static LIST_ENTRY IopLiveEcps = {&IopLiveEcps, &IopLiveEcps}; /* (e) */
static IOP_FREED_ECP IopFreedEcps[IOP_FREED_ECPS];            /* (e) */
static ULONG IopNextFreedEcp;                                 /* (e) */
static EX_PUSH_LOCK IopEcpLock;                               /* (e) in a critical region */

static VOID IopLockEcps(VOID)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&IopEcpLock);
}

static VOID IopUnlockEcps(VOID)
{
    ExReleasePushLockExclusive(&IopEcpLock);
    KeLeaveCriticalRegion();
}

VOID IopBeginEcp(IOP_LIVE_ECP *Ecp, BOOLEAN IsList, const void *Owner)
{
    Ecp->IsList = IsList;
    Ecp->Owner = Owner;
    IopLockEcps();
    InsertTailList(&IopLiveEcps, &Ecp->Entry);
    IopUnlockEcps();
}

VOID IopEndEcp(IOP_LIVE_ECP *Ecp, const void *Freer)
{
    IopLockEcps();
    RemoveEntryList(&Ecp->Entry);
    IopFreedEcps[IopNextFreedEcp++ % IOP_FREED_ECPS] = (IOP_FREED_ECP){Ecp, Freer};
    IopUnlockEcps();
}

DECLSPEC_NORETURN VOID IopEcpViolation(const void *Ecp, PCSTR Text, const void *Culprit)
{
    KeBugCheckBlaming(Culprit, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_ECP, (ULONG_PTR)Ecp, 0, 0, Text);
}

/* (e) */
static BOOLEAN IopIsLiveEcp(const IOP_LIVE_ECP *Ecp, BOOLEAN IsList)
{
    for (LIST_ENTRY *E = IopLiveEcps.Flink; E != &IopLiveEcps; E = E->Flink) {
        const IOP_LIVE_ECP *Live = CONTAINING_RECORD(E, IOP_LIVE_ECP, Entry);
        if (Live == Ecp)
            return Live->IsList == IsList;
    }
    return FALSE;
}

/* (e). Who freed it last; NULL: not known. */
static const void *IopFreerOfEcp(const IOP_LIVE_ECP *Ecp)
{
    for (ULONG i = 1; i <= IOP_FREED_ECPS; i++) {
        const IOP_FREED_ECP *Freed = &IopFreedEcps[(IopNextFreedEcp - i) % IOP_FREED_ECPS];
        if (Freed->Ecp == Ecp)
            return Freed->Freer;
    }
    return NULL;
}

VOID IopRequireLiveEcp(const IOP_LIVE_ECP *Ecp, BOOLEAN IsList, const void *Caller)
{
    IopLockEcps();
    BOOLEAN Live = IopIsLiveEcp(Ecp, IsList);
    const void *Freer = Live ? NULL : IopFreerOfEcp(Ecp);
    IopUnlockEcps();
    if (!Live)
        IopEcpViolation(Ecp,
                        IsList ? "a list of extra create parameters is used that was freed, or is none"
                               : "an extra create parameter is used that was freed, or is none",
                        KiUpcalls->IsKernelAddress(Caller) ? Freer : NULL);
}

/* --- what a driver left ---------------------------------------------------------------------------------------- */

static BOOLEAN IopLiesIn(PIM_MODULE Module, const void *Address)
{
    return (ULONG_PTR)Address - (ULONG_PTR)Module->Base < Module->Size;
}

static VOID IopReportEcp(PIM_MODULE Module, const IOP_LIVE_ECP *Ecp)
{
    PCSTR Kind = Ecp->IsList ? "list of extra create parameters" : "extra create parameter";
    ULONG64 Offset = (ULONG64)((const UCHAR *)Ecp->Owner - Module->Base);
    KdLog("%s: %s was not freed; asked for at %s+0x%llx", Module->Name, Kind, Module->Name, Offset);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, Kind),
             KD_NUMBER(ReportKeyCount, 1), KD_TEXT(ReportKeyModule, Module->Name),
             KD_NUMBER(ReportKeyOffset, Offset));
    KdMeasureLeak(1, 0);
}

/* Somebody else may still have one in a list and free it: then without the driver's routine, and to pool, where it came from. */
VOID IopReportEcpLeaks(PIM_MODULE Module)
{
    IopLockEcps();
    for (LIST_ENTRY *E = IopLiveEcps.Flink; E != &IopLiveEcps; E = E->Flink) {
        IOP_LIVE_ECP *Ecp = CONTAINING_RECORD(E, IOP_LIVE_ECP, Entry);
        if (IopLiesIn(Module, (PVOID)Ecp->Cleanup))
            Ecp->Cleanup = NULL;
        if (!IopLiesIn(Module, Ecp->Owner))
            continue;
        IopReportEcp(Module, Ecp);
        Ecp->Owner = NULL;
        Ecp->Lookaside = NULL;
    }
    for (ULONG i = 0; i < IOP_FREED_ECPS; i++)
        if (IopLiesIn(Module, IopFreedEcps[i].Freer))
            IopFreedEcps[i] = (IOP_FREED_ECP){NULL, NULL};
    IopUnlockEcps();
}

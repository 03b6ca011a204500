/* SPDX-License-Identifier: MIT
 * The power manager's watchdog: a driver that holds a power request for too long stops the machine, which could not sleep or wake otherwise.
 * [WDK Bug Check 0x9F, PoQueryWatchdogTime] */
#include "pop.h"
#include "crt.h"
#include "ke_bugcheck.h"

#define POP_LIMIT 10000u       /* ms: see docs/deviations.md (D-280) */
#define POP_LOOK (-2500000ll)  /* 250 ms */
#define POP_MILLISECOND 10000u /* of interrupt time */
#define POP_SECOND 10000000u

static ULONG PopLimit = POP_LIMIT;
static KTIMER PopWatchTimer;
static KDPC PopWatchDpc;
static BOOLEAN PopWatching; /* (l) the timer is set or its DPC runs */

static BOOLEAN PopIsWatched(const POP_REQUEST *Request)
{
    return Request->Sent && Request->Queue != PopWakeQueue;
}

/* The request that a system request waits for is that of the device, if there is one. */
static const POP_REQUEST *PopBlockedLocked(const POP_REQUEST *Overdue)
{
    if (Overdue->Queue == PopDeviceQueue)
        return Overdue;
    for (POP_REQUEST *Other = PopNextRequest(NULL); Other != NULL; Other = PopNextRequest(Other))
        if (PopIsWatched(Other) && Other->Queue == PopDeviceQueue && Other->Base == Overdue->Base)
            return Other;
    return Overdue;
}

static const POP_REQUEST *PopFindOverdue(PBOOLEAN Any)
{
    const POP_REQUEST *Overdue = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    ULONG64 Now = KeQueryInterruptTime();
    *Any = FALSE;
    for (POP_REQUEST *Request = PopNextRequest(NULL); Request != NULL && Overdue == NULL;
         Request = PopNextRequest(Request)) {
        if (!PopIsWatched(Request))
            continue;
        *Any = TRUE;
        if (Now - Request->Since > (ULONG64)PopLimit * POP_MILLISECOND)
            Overdue = PopBlockedLocked(Request);
    }
    PopWatching = *Any;
    ArchReleaseLock(&PopLock, OldIrql);
    return Overdue;
}

static PCSTR PopMinorName(UCHAR Minor)
{
    return Minor == IRP_MN_SET_POWER ? "IRP_MN_SET_POWER" : "IRP_MN_QUERY_POWER";
}

/* [WDK Bug Check 0x9F] 3: the PDO, (reserved), the IRP. The driver whose stack location is the current one holds it. */
static DECLSPEC_NORETURN VOID PopStop(const POP_REQUEST *Request)
{
    CHAR Text[200];
    PDEVICE_OBJECT Holder = Request->Irp->CurrentLocation <= Request->Irp->StackCount
                                ? IoGetCurrentIrpStackLocation(Request->Irp)->DeviceObject
                                : Request->Top;
    PDRIVER_OBJECT Driver = Holder != NULL ? Holder->DriverObject : Request->Top->DriverObject;
    _snprintf(Text, sizeof(Text) - 1, "%wZ has held an %s (%s state %u) for more than %lu ms",
              &Driver->DriverName, PopMinorName(Request->Minor),
              Request->Queue == PopSystemQueue ? "system" : "device", (unsigned)Request->State.SystemState,
              PopLimit);
    Text[sizeof(Text) - 1] = 0;
    KeBugCheckBlaming((PVOID)Driver->MajorFunction[IRP_MJ_POWER], DRIVER_POWER_STATE_FAILURE, 3,
                      (ULONG_PTR)Request->Base, 0, (ULONG_PTR)Request->Irp, Text);
}

static VOID PopSetTimer(VOID)
{
    LARGE_INTEGER Due = {.QuadPart = POP_LOOK};
    KeSetTimer(&PopWatchTimer, Due, &PopWatchDpc);
}

static VOID NTAPI PopWatch(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    BOOLEAN Any;
    const POP_REQUEST *Overdue = PopFindOverdue(&Any);
    if (Overdue != NULL)
        PopStop(Overdue);
    if (Any)
        PopSetTimer();
}

VOID PopStartWatch(VOID)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    BOOLEAN Start = !PopWatching;
    PopWatching = TRUE;
    ArchReleaseLock(&PopLock, OldIrql);
    if (Start)
        PopSetTimer();
}

VOID PopInitWatch(ULONG Limit)
{
    if (Limit != 0)
        PopLimit = Limit;
    KeInitializeTimer(&PopWatchTimer);
    KeInitializeDpc(&PopWatchDpc, PopWatch, NULL);
}

#define POP_MOST_HELD 64u /* the list may be damaged */

/* No lock is taken: no other processor runs, and this one may have been stopped inside of it. */
VOID PoReportHeldFrozen(VOID)
{
    ULONG Count = 0;
    for (POP_REQUEST *Request = PopNextRequest(NULL); Request != NULL && Count < POP_MOST_HELD;
         Request = PopNextRequest(Request), Count++) {
        if (!MmIsAddressValid(Request) || !MmIsAddressValid(Request->Irp))
            return;
        if (PopIsWatched(Request))
            IoReportPendingIrp(Request->Irp);
    }
}

/* [WDK PoQueryWatchdogTime] IRQL <= DISPATCH_LEVEL. FALSE: no driver of the stack holds a power request. */
BOOLEAN NTAPI PoQueryWatchdogTime(PDEVICE_OBJECT Pdo, PULONG SecondsRemaining)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    BOOLEAN Found = FALSE;
    ULONG64 Longest = 0, Limit = (ULONG64)PopLimit * POP_MILLISECOND;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    ULONG64 Now = KeQueryInterruptTime();
    for (POP_REQUEST *Request = PopNextRequest(NULL); Request != NULL; Request = PopNextRequest(Request)) {
        if (!PopIsWatched(Request) || Request->Base != Pdo)
            continue;
        Found = TRUE;
        Longest = max(Longest, Now - Request->Since);
    }
    ArchReleaseLock(&PopLock, OldIrql);
    *SecondsRemaining = (ULONG)((Limit - min(Longest, Limit)) / POP_SECOND);
    return Found;
}

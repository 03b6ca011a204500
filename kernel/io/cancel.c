/* SPDX-License-Identifier: MIT
 * Cancelling an IRP, and the system's cancel spin lock. */
#include "iop.h"

static ARCH_LOCK IopCancelLock = ARCH_LOCK_INIT("IopCancelLock", LockRankIoCancel, DISPATCH_LEVEL);

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoAcquireCancelSpinLock(PKIRQL Irql)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    *Irql = ArchAcquireLock(&IopCancelLock);
}

/* IRQL = DISPATCH_LEVEL. [WDK Bug Check 0x10] the caller does not hold it. */
VOID NTAPI IoReleaseCancelSpinLock(KIRQL Irql)
{
    if (!ArchLockIsHeld(&IopCancelLock))
        KeBugCheckEx(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)&IopCancelLock, 0, 0, 0);
    ArchReleaseLock(&IopCancelLock, Irql);
}

/* [WDK IoCancelIrp] TRUE when a cancel routine was called; it runs with the cancel spin lock and releases it at Irp->CancelIrql.
 * [WDK Bug Check 0x48] the IRP was completed with its cancel routine still set. IRQL <= DISPATCH_LEVEL. */
BOOLEAN NTAPI IoCancelIrp(PIRP Irp)
{
    KIRQL OldIrql;
    IoAcquireCancelSpinLock(&OldIrql);
    Irp->Cancel = TRUE;
    PDRIVER_CANCEL Routine = IoSetCancelRoutine(Irp, NULL);
    if (Routine == NULL) {
        IoReleaseCancelSpinLock(OldIrql);
        return FALSE;
    }
    if (Irp->CurrentLocation > Irp->StackCount + 1)
        KeBugCheckEx(CANCEL_STATE_IN_COMPLETED_IRP, (ULONG_PTR)Irp, (ULONG_PTR)Routine, 0, 0);
    Irp->CancelIrql = OldIrql;
    IopCallCancel(Routine, IoGetCurrentIrpStackLocation(Irp)->DeviceObject, Irp);
    return TRUE;
}

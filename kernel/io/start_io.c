/* SPDX-License-Identifier: MIT
 * StartIo: the I/O manager queues the IRPs of a device and hands them to the driver one at a time. */
#include "iop.h"

static PDRIVER_STARTIO IopStartIoRoutine(PDEVICE_OBJECT Device)
{
    return Device->DriverObject->DriverStartIo;
}

static BOOLEAN IopInsertPacket(PDEVICE_OBJECT Device, PIRP Irp, PULONG Key)
{
    PKDEVICE_QUEUE_ENTRY Entry = &Irp->Tail.Overlay.DeviceQueueEntry;
    if (Key != NULL)
        return KeInsertByKeyDeviceQueue(&Device->DeviceQueue, Entry, *Key);
    return KeInsertDeviceQueue(&Device->DeviceQueue, Entry);
}

/* The IRP waits in the queue. If it was cancelled before the routine was set, the routine is called now. The cancel lock is held and
 * released. */
static VOID IopQueuedPacket(PDEVICE_OBJECT Device, PIRP Irp, KIRQL OldIrql)
{
    PDRIVER_CANCEL Routine = Irp->Cancel ? IoSetCancelRoutine(Irp, NULL) : NULL;
    if (Routine == NULL) {
        IoReleaseCancelSpinLock(OldIrql);
        return;
    }
    Irp->CancelIrql = OldIrql;
    IopCallCancel(Routine, Device, Irp);
}

static VOID IopStart(PDEVICE_OBJECT Device, PIRP Irp, BOOLEAN Cancelable, KIRQL CancelIrql)
{
    Device->CurrentIrp = Irp;
    if (Cancelable)
        IoReleaseCancelSpinLock(CancelIrql);
    IopCallStartIo(IopStartIoRoutine(Device), Device, Irp);
}

/* [WDK IoStartPacket] IRQL <= DISPATCH_LEVEL; StartIo runs at DISPATCH_LEVEL. With CancelFunction the queue is kept under the cancel spin
 * lock. */
VOID NTAPI IoStartPacket(PDEVICE_OBJECT Device, PIRP Irp, PULONG Key, PDRIVER_CANCEL CancelFunction)
{
    KIRQL OldIrql, CancelIrql = DISPATCH_LEVEL;
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    if (CancelFunction != NULL) {
        IoAcquireCancelSpinLock(&CancelIrql);
        IoSetCancelRoutine(Irp, CancelFunction);
    }
    if (!IopInsertPacket(Device, Irp, Key))
        IopStart(Device, Irp, CancelFunction != NULL, CancelIrql);
    else if (CancelFunction != NULL)
        IopQueuedPacket(Device, Irp, CancelIrql);
    KeLowerIrql(OldIrql);
}

static VOID IopStartNext(PDEVICE_OBJECT Device, BOOLEAN Cancelable, BOOLEAN ByKey, ULONG Key)
{
    KIRQL CancelIrql = DISPATCH_LEVEL;
    if (Cancelable)
        IoAcquireCancelSpinLock(&CancelIrql);
    Device->CurrentIrp = NULL;
    PKDEVICE_QUEUE_ENTRY Entry = ByKey ? KeRemoveByKeyDeviceQueue(&Device->DeviceQueue, Key)
                                       : KeRemoveDeviceQueue(&Device->DeviceQueue);
    if (Entry != NULL)
        IopStart(Device, CONTAINING_RECORD(Entry, IRP, Tail.Overlay.DeviceQueueEntry), Cancelable,
                 CancelIrql);
    else if (Cancelable)
        IoReleaseCancelSpinLock(CancelIrql);
}

/* [WDK IoStartNextPacket] IRQL DISPATCH_LEVEL. */
VOID NTAPI IoStartNextPacket(PDEVICE_OBJECT Device, BOOLEAN Cancelable)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    IopStartNext(Device, Cancelable, FALSE, 0);
}

/* [WDK IoStartNextPacketByKey] IRQL DISPATCH_LEVEL. */
VOID NTAPI IoStartNextPacketByKey(PDEVICE_OBJECT Device, BOOLEAN Cancelable, ULONG Key)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    IopStartNext(Device, Cancelable, TRUE, Key);
}

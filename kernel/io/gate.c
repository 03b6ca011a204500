/* SPDX-License-Identifier: MIT
 * The gate: the only places where the I/O manager calls a driver's routines. Around each call KeEnterGate and KeLeaveGate
 * compare IRQL, held locks and APC state and know the routine. */
#include "iop.h"

/* What to blame for a call of Routine: itself, or, when a driver stored a pointer to nowhere, that driver's image. */
static PVOID IopBlamedElsewhere(PDRIVER_OBJECT Driver, const void *Routine)
{
    return IopIsRoutine(Routine) ? (PVOID)Routine : Driver->DriverStart;
}

static inline PVOID IopBlamed(PDRIVER_OBJECT Driver, const void *Routine)
{
    if ((ULONG_PTR)Routine - (ULONG_PTR)Driver->DriverStart < Driver->DriverSize)
        return (PVOID)Routine;
    return IopBlamedElsewhere(Driver, Routine);
}

NTSTATUS IopCallEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateDriverEntry, Driver->DriverInit);
    NTSTATUS Status = Driver->DriverInit(Driver, RegistryPath);
    KeLeaveGate(&Gate);
    return Status;
}

NTSTATUS IoCallAddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDRIVER_ADD_DEVICE Routine = Driver->DriverExtension->AddDevice;
    KE_GATE Gate;
    KeEnterGate(&Gate, GateAddDevice, IopBlamed(Driver, Routine));
    NTSTATUS Status = Routine(Driver, Pdo);
    KeLeaveGate(&Gate);
    return Status;
}

VOID IopCallUnload(PDRIVER_OBJECT Driver)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateUnload, IopBlamed(Driver, Driver->DriverUnload));
    Driver->DriverUnload(Driver);
    KeLeaveGate(&Gate);
}

NTSTATUS IopCallDispatch(PDRIVER_DISPATCH Routine, PDEVICE_OBJECT Device, PIRP Irp, const void *Caller)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateDispatch, IopBlamed(Device->DriverObject, Routine));
    Gate.Caller = Caller;
    NTSTATUS Status = Routine(Device, Irp);
    KeLeaveGate(&Gate);
    return Status;
}

NTSTATUS IopCallCompletion(PIO_COMPLETION_ROUTINE Routine, PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateCompletion,
                Device != NULL ? IopBlamed(Device->DriverObject, Routine) : (PVOID)Routine);
    NTSTATUS Status = Routine(Device, Irp, Context);
    KeLeaveGate(&Gate);
    return Status;
}

/* The routine must return without the cancel spin lock, at the IRQL before it was taken: that is what is compared. */
VOID IopCallCancel(PDRIVER_CANCEL Routine, PDEVICE_OBJECT Device, PIRP Irp)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateCancel, Routine);
    Gate.Irql = Irp->CancelIrql;
    if (NTBOX_CHECKED && Gate.HeldLockCount != 0)
        Gate.HeldLockCount--;
    Routine(Device, Irp);
    KeLeaveGate(&Gate);
}

VOID IopCallWorkItem(PIO_WORKITEM_ROUTINE Routine, PVOID IoObject, PVOID Context)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateWorkItem, Routine);
    Routine(IoObject, Context);
    KeLeaveGate(&Gate);
}

VOID IopCallWorkItemEx(PIO_WORKITEM_ROUTINE_EX Routine, PVOID IoObject, PVOID Context, PIO_WORKITEM Item)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateWorkItem, Routine);
    Routine(IoObject, Context, Item);
    KeLeaveGate(&Gate);
}

VOID IopCallTimer(PIO_TIMER_ROUTINE Routine, PDEVICE_OBJECT Device, PVOID Context)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateTimer, IopBlamed(Device->DriverObject, Routine));
    Routine(Device, Context);
    KeLeaveGate(&Gate);
}

VOID IopCallStartIo(PDRIVER_STARTIO Routine, PDEVICE_OBJECT Device, PIRP Irp)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateDispatch, IopBlamed(Device->DriverObject, Routine));
    Routine(Device, Irp);
    KeLeaveGate(&Gate);
}

IO_ALLOCATION_ACTION IopCallController(PDRIVER_CONTROL Routine, PDEVICE_OBJECT Device, PIRP Irp,
                                       PVOID Context)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateController, IopBlamed(Device->DriverObject, Routine));
    IO_ALLOCATION_ACTION Action = Routine(Device, Irp, NULL, Context);
    KeLeaveGate(&Gate);
    return Action;
}

/* Blamed: the routine, or, when that is no code, who waited with it. */
static inline PVOID IopBlamedForDevice(PDEVICE_OBJECT Device, const void *Routine)
{
    return Device != NULL ? IopBlamed(Device->DriverObject, Routine) : (PVOID)Routine;
}

IO_ALLOCATION_ACTION IopCallAdapterControl(PDRIVER_CONTROL Routine, PDEVICE_OBJECT Device, PIRP Irp,
                                           PVOID MapRegisterBase, PVOID Context)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateAdapter, IopBlamedForDevice(Device, Routine));
    IO_ALLOCATION_ACTION Action = Routine(Device, Irp, MapRegisterBase, Context);
    KeLeaveGate(&Gate);
    return Action;
}

VOID IopCallListControl(PDRIVER_LIST_CONTROL Routine, PDEVICE_OBJECT Device, PIRP Irp,
                        PSCATTER_GATHER_LIST List, PVOID Context)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateScatterGather, IopBlamedForDevice(Device, Routine));
    Routine(Device, Irp, List, Context);
    KeLeaveGate(&Gate);
}

VOID IopCallReinitialize(PDRIVER_REINITIALIZE Routine, PDRIVER_OBJECT Driver, PVOID Context, ULONG Count)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateReinitialize, IopBlamed(Driver, Routine));
    Routine(Driver, Context, Count);
    KeLeaveGate(&Gate);
}

VOID IopCallEcpCleanup(PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK Routine, PVOID Context, LPCGUID Type)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateNotification, Routine);
    Routine(Context, Type);
    KeLeaveGate(&Gate);
}

VOID IopCallTraceEnable(PETWENABLECALLBACK Routine, PVOID Context)
{
    static const GUID Source;
    KE_GATE Gate;
    KeEnterGate(&Gate, GateNotification, Routine);
    Routine(&Source, 1, MAXUCHAR, MAXULONGLONG, 0, NULL, Context);
    KeLeaveGate(&Gate);
}

/* --- fast I/O: the caller can wait --- */

BOOLEAN IopCallFastTransfer(PFAST_IO_READ Routine, PDEVICE_OBJECT Device, const IOP_FAST_TRANSFER *Transfer)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateFastIo, IopBlamed(Device->DriverObject, Routine));
    BOOLEAN Done = Routine(Transfer->File, Transfer->Offset, Transfer->Length, TRUE, Transfer->Key,
                           Transfer->Buffer, Transfer->Iosb, Device);
    KeLeaveGate(&Gate);
    return Done;
}

BOOLEAN IopCallFastControl(PFAST_IO_DEVICE_CONTROL Routine, PDEVICE_OBJECT Device, PFILE_OBJECT File,
                           const IOP_CONTROL *Control, PIO_STATUS_BLOCK Iosb)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateFastIo, IopBlamed(Device->DriverObject, Routine));
    BOOLEAN Done = Routine(File, TRUE, Control->Input, Control->InputLength, Control->Output,
                           Control->OutputLength, Control->Code, Iosb, Device);
    KeLeaveGate(&Gate);
    return Done;
}

BOOLEAN IopCallFastQuery(PFAST_IO_QUERY_BASIC_INFO Routine, PDEVICE_OBJECT Device, PFILE_OBJECT File,
                         PVOID Answer, PIO_STATUS_BLOCK Iosb)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateFastIo, IopBlamed(Device->DriverObject, Routine));
    BOOLEAN Done = Routine(File, TRUE, Answer, Iosb, Device);
    KeLeaveGate(&Gate);
    return Done;
}

BOOLEAN IopCallFastLock(PFAST_IO_LOCK Routine, PDEVICE_OBJECT Device, const IOP_FAST_LOCK *Lock,
                        PIO_STATUS_BLOCK Iosb)
{
    KE_GATE Gate;
    LARGE_INTEGER Offset = Lock->Offset, Length = Lock->Length;
    KeEnterGate(&Gate, GateFastIo, IopBlamed(Device->DriverObject, Routine));
    BOOLEAN Done = Routine(Lock->File, &Offset, &Length, PsGetCurrentProcess(), Lock->Key,
                           Lock->FailImmediately, Lock->Exclusive, Iosb, Device);
    KeLeaveGate(&Gate);
    return Done;
}

BOOLEAN IopCallFastUnlock(PFAST_IO_UNLOCK_SINGLE Routine, PDEVICE_OBJECT Device, const IOP_FAST_LOCK *Lock,
                          PIO_STATUS_BLOCK Iosb)
{
    KE_GATE Gate;
    LARGE_INTEGER Offset = Lock->Offset, Length = Lock->Length;
    KeEnterGate(&Gate, GateFastIo, IopBlamed(Device->DriverObject, Routine));
    BOOLEAN Done = Routine(Lock->File, &Offset, &Length, PsGetCurrentProcess(), Lock->Key, Iosb, Device);
    KeLeaveGate(&Gate);
    return Done;
}

BOOLEAN IopCallFastUnlockAll(PFAST_IO_UNLOCK_ALL Routine, PDEVICE_OBJECT Device, PFILE_OBJECT File)
{
    KE_GATE Gate;
    IO_STATUS_BLOCK Iosb = {0};
    KeEnterGate(&Gate, GateFastIo, IopBlamed(Device->DriverObject, Routine));
    BOOLEAN Done = Routine(File, PsGetCurrentProcess(), &Iosb, Device);
    KeLeaveGate(&Gate);
    return Done;
}

VOID IopCallFastDetach(PFAST_IO_DETACH_DEVICE Routine, PDEVICE_OBJECT Source, PDEVICE_OBJECT Target)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateFastIo, IopBlamed(Source->DriverObject, Routine));
    Routine(Source, Target);
    KeLeaveGate(&Gate);
}

/* SPDX-License-Identifier: MIT
 * Breaks one rule of handling IRPs and devices; the I/O control code says which. [WDK Bug Check 0xC9], [WDK Bug Check 0x10],
 * [WDK IO_STATUS_BLOCK], [WDK IoBuildPartialMdl] */
#include <ntifs.h>

#define RULE(Number) CTL_CODE(FILE_DEVICE_UNKNOWN, (Number), METHOD_BUFFERED, FILE_ANY_ACCESS)

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD WrongUnload;
static DRIVER_DISPATCH WrongOpenClose, WrongControl;

static PDEVICE_OBJECT Second;

static NTSTATUS CompleteWith(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* --- one rule each */

static __attribute__((noinline)) NTSTATUS TellTooMuch(PIRP Irp)
{
    ULONG Room = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.OutputBufferLength;
    return CompleteWith(Irp, STATUS_SUCCESS, Room + 1);
}

static NTSTATUS PendWithoutMark(PIRP Irp)
{
    CompleteWith(Irp, STATUS_SUCCESS, 0);
    return STATUS_PENDING;
}

static KTIMER LaterTimer;
static KDPC LaterDpc;

static VOID NTAPI CompleteLater(PKDPC Dpc, PVOID Context, PVOID One, PVOID Two)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(One);
    UNREFERENCED_PARAMETER(Two);
    CompleteWith(Context, STATUS_SUCCESS, 0);
}

/* The dispatch routine has returned long before. */
static NTSTATUS PendWithoutMarkForLong(PIRP Irp)
{
    LARGE_INTEGER Due = {.QuadPart = -100 * 10000};
    KeInitializeTimer(&LaterTimer);
    KeInitializeDpc(&LaterDpc, CompleteLater, Irp);
    KeSetTimer(&LaterTimer, Due, &LaterDpc);
    return STATUS_PENDING;
}

static NTSTATUS MarkWithoutPending(PIRP Irp)
{
    IoMarkIrpPending(Irp);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS ReturnOtherStatus(PIRP Irp)
{
    CompleteWith(Irp, STATUS_INVALID_PARAMETER, 0);
    return STATUS_SUCCESS;
}

static VOID NTAPI CancelNothing(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
}

static __attribute__((noinline)) NTSTATUS KeepCancelRoutine(PIRP Irp)
{
    IoSetCancelRoutine(Irp, CancelNothing);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static __attribute__((noinline)) NTSTATUS ReleaseCancelLock(PIRP Irp)
{
    IoReleaseCancelSpinLock(PASSIVE_LEVEL);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static __attribute__((noinline)) NTSTATUS CutWrongMdl(PIRP Irp)
{
    static UCHAR Bytes[64];
    PMDL Whole = IoAllocateMdl(Bytes, sizeof(Bytes), FALSE, FALSE, NULL);
    PMDL Part = IoAllocateMdl(Bytes, sizeof(Bytes), FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(Whole);
    IoBuildPartialMdl(Whole, Part, Bytes + 32, 33);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static __attribute__((noinline)) NTSTATUS FreeOwnRequest(PIRP Irp)
{
    IoFreeIrp(Irp);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI KeepIrp(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* An IRP of its own is with the second device, which keeps it. */
static __attribute__((noinline)) NTSTATUS FreeIrpInUse(PIRP Irp)
{
    PIRP Own = IoAllocateIrp(Second->StackSize, FALSE);
    IoGetNextIrpStackLocation(Own)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoSetCompletionRoutine(Own, KeepIrp, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(Second, Own);
    IoFreeIrp(Own);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static __attribute__((noinline)) NTSTATUS CallWithoutDevice(PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver((PDEVICE_OBJECT)(PVOID)Irp, Irp);
}

static __attribute__((noinline)) NTSTATUS CallWithCancelRoutine(PIRP Irp)
{
    IoSetCancelRoutine(Irp, CancelNothing);
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Second, Irp);
}

static __attribute__((noinline)) NTSTATUS DetachTwice(PIRP Irp)
{
    IoDetachDevice(Second);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static __attribute__((noinline)) NTSTATUS DeleteTwice(PIRP Irp)
{
    ObReferenceObject(Second);
    Second->ReferenceCount = 1; /* a file is open, so to say: it stays */
    IoDeleteDevice(Second);
    IoDeleteDevice(Second);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS ForgetReferences(PIRP Irp)
{
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject->ReferenceCount = 0;
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Lose(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
    return STATUS_SUCCESS;
}

/* The dispatch table holds garbage: found at the next flush, which is asked for here. */
static NTSTATUS StoreGarbage(PIRP Irp)
{
    PDEVICE_OBJECT Device = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
    KEVENT Event;
    IO_STATUS_BLOCK Iosb;
    Device->DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = (PDRIVER_DISPATCH)(ULONG_PTR)0x1234;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    PIRP Own = IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Device, NULL, 0, NULL, &Event, &Iosb);
    IoCallDriver(Device, Own);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS StoreGarbageUnload(PIRP Irp)
{
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject->DriverObject->DriverUnload =
        (PDRIVER_UNLOAD)(ULONG_PTR)0x1234;
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static __attribute__((noinline)) NTSTATUS CompleteAboveItself(PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp); /* not to pass it on */
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS (*const Rules[])(PIRP) = {
    TellTooMuch,       PendWithoutMark,    PendWithoutMarkForLong, MarkWithoutPending,
    ReturnOtherStatus, KeepCancelRoutine,  ReleaseCancelLock,      CutWrongMdl,
    FreeOwnRequest,    FreeIrpInUse,       CallWithoutDevice,      CallWithCancelRoutine,
    DetachTwice,       DeleteTwice,        ForgetReferences,       Lose,
    StoreGarbage,      StoreGarbageUnload, CompleteAboveItself,
};

static NTSTATUS NTAPI WrongControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    ULONG Rule = (Code - RULE(0)) >> 2;
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Rule >= RTL_NUMBER_OF(Rules))
        return CompleteWith(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    return Rules[Rule](Irp);
}

static NTSTATUS NTAPI WrongOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return CompleteWith(Irp, STATUS_SUCCESS, 0);
}

/* Flush requests of the second device stay for ever. */
static NTSTATUS NTAPI WrongFlush(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoMarkIrpPending(Irp);
    return STATUS_PENDING;
}

static VOID NTAPI WrongUnload(PDRIVER_OBJECT DriverObject)
{
    while (DriverObject->DeviceObject != NULL)
        IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxWrong");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = WrongOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = WrongOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = WrongOpenClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = WrongControl;
    DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = WrongFlush;
    DriverObject->DriverUnload = WrongUnload;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Second);
    if (!NT_SUCCESS(Status))
        IoDeleteDevice(Device);
    return Status;
}

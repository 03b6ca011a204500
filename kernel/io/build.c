/* SPDX-License-Identifier: MIT
 * IRPs that drivers have built by the I/O manager: IoBuildDeviceIoControlRequest and the two FSD requests. */
#include "iop.h"

static PIRP IopNewRequest(PDEVICE_OBJECT Device, UCHAR Major, PIO_STATUS_BLOCK Iosb, PVOID Owner)
{
    PIRP Irp = IopAllocateIrp(Device->StackSize, Owner);
    if (Irp == NULL)
        return NULL;
    IopOwnIrp(Irp);
    Irp->UserIosb = Iosb;
    IoGetNextIrpStackLocation(Irp)->MajorFunction = Major;
    return Irp;
}

/* [WDK IoBuildDeviceIoControlRequest] NULL when memory is short or a buffer cannot be locked. The IRP belongs to the calling thread and
 * is freed by the I/O manager when it is completed. PASSIVE_LEVEL. */
DECLSPEC_NOINLINE PIRP NTAPI IoBuildDeviceIoControlRequest(ULONG Code, PDEVICE_OBJECT Device, PVOID Input,
                                                           ULONG InputLength, PVOID Output,
                                                           ULONG OutputLength, BOOLEAN Internal,
                                                           PKEVENT Event, PIO_STATUS_BLOCK Iosb)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    PIRP Irp = IopNewRequest(Device, Internal ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL, Iosb,
                             __builtin_return_address(0));
    if (Irp == NULL)
        return NULL;
    const IOP_CONTROL Control = {Code, Input, InputLength, Output, OutputLength, __builtin_return_address(0)};
    if (!NT_SUCCESS(IopSetUpControl(Irp, &Control, KernelMode))) {
        IoFreeIrp(Irp);
        return NULL;
    }
    Irp->UserEvent = Event;
    IopQueueThreadIrp(Irp);
    return Irp;
}

static BOOLEAN IopHasTransfer(ULONG Major)
{
    return Major == IRP_MJ_READ || Major == IRP_MJ_WRITE;
}

static VOID IopSetTransferParameters(PIRP Irp, ULONG Major, ULONG Length, PLARGE_INTEGER Offset)
{
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    LARGE_INTEGER Start = {.QuadPart = Offset != NULL ? Offset->QuadPart : 0};
    if (Major == IRP_MJ_READ) {
        Stack->Parameters.Read.Length = Length;
        Stack->Parameters.Read.ByteOffset = Start;
        Irp->Flags |= IRP_READ_OPERATION;
    } else {
        Stack->Parameters.Write.Length = Length;
        Stack->Parameters.Write.ByteOffset = Start;
        Irp->Flags |= IRP_WRITE_OPERATION;
    }
}

static PIRP IopBuildFsdRequest(ULONG Major, PDEVICE_OBJECT Device, PVOID Buffer, ULONG Length,
                               PLARGE_INTEGER Offset, PIO_STATUS_BLOCK Iosb, PVOID Owner)
{
    PIRP Irp = IopNewRequest(Device, (UCHAR)Major, Iosb, Owner);
    if (Irp == NULL || !IopHasTransfer(Major))
        return Irp;
    if (!NT_SUCCESS(IopSetUpTransfer(Irp, Device, (UCHAR)Major, Buffer, Length, KernelMode, Owner))) {
        IoFreeIrp(Irp);
        return NULL;
    }
    IopSetTransferParameters(Irp, Major, Length, Offset);
    return Irp;
}

/* [WDK IoBuildAsynchronousFsdRequest] IRP_MJ_READ, WRITE, FLUSH_BUFFERS, SHUTDOWN or PNP. The driver's completion routine frees the
 * buffers and the IRP. IRQL <= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE PIRP NTAPI IoBuildAsynchronousFsdRequest(ULONG Major, PDEVICE_OBJECT Device, PVOID Buffer,
                                                           ULONG Length, PLARGE_INTEGER Offset,
                                                           PIO_STATUS_BLOCK Iosb)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return IopBuildFsdRequest(Major, Device, Buffer, Length, Offset, Iosb, __builtin_return_address(0));
}

/* [WDK IoBuildSynchronousFsdRequest] belongs to the calling thread; the I/O manager sets Event and frees the IRP. PASSIVE_LEVEL. */
DECLSPEC_NOINLINE PIRP NTAPI IoBuildSynchronousFsdRequest(ULONG Major, PDEVICE_OBJECT Device, PVOID Buffer,
                                                          ULONG Length, PLARGE_INTEGER Offset, PKEVENT Event,
                                                          PIO_STATUS_BLOCK Iosb)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PIRP Irp = IopBuildFsdRequest(Major, Device, Buffer, Length, Offset, Iosb, __builtin_return_address(0));
    if (Irp == NULL)
        return NULL;
    Irp->UserEvent = Event;
    IopQueueThreadIrp(Irp);
    return Irp;
}

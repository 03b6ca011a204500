/* SPDX-License-Identifier: MIT
 * The driver: its entry, its devices, plug and play. */
#include <initguid.h>
#include "serial.h"

#define FIRST_RATE 9600

NTSTATUS SerialComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, NT_SUCCESS(Status) ? IO_SERIAL_INCREMENT : IO_NO_INCREMENT);
    return Status;
}

VOID SerialEnd(SERIAL *Serial, PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    SerialComplete(Irp, Status, Information);
    IoReleaseRemoveLock(&Serial->RemoveLock, Irp);
}

static NTSTATUS NTAPI OpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return SerialComplete(Irp, STATUS_SUCCESS, 0);
}

/* [WDK IRP_MJ_CLEANUP] The device has one user at a time, so that all requests are whose handle is closed. */
static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT Device, PIRP Irp)
{
    SERIAL *Serial = Device->DeviceExtension;
    EndAll(&Serial->Reads, STATUS_CANCELLED);
    EndAll(&Serial->Writes, STATUS_CANCELLED);
    EndAll(&Serial->Waits, STATUS_CANCELLED);
    return SerialComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS PassDown(SERIAL *Serial, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Serial->Lower, Irp);
}

/* --- plug and play --- */

static NTSTATUS Start(SERIAL *Serial, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    NTSTATUS Status =
        IoForwardIrpSynchronously(Serial->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        Status = UartStart(Serial, Stack->Parameters.StartDevice.AllocatedResourcesTranslated);
    if (NT_SUCCESS(Status))
        (void)IoSetDeviceInterfaceState(&Serial->Interface, TRUE);
    return SerialComplete(Irp, Status, 0);
}

static VOID SetGone(SERIAL *Serial)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Serial->Lock, &Irql);
    Serial->Gone = TRUE;
    KeReleaseSpinLock(&Serial->Lock, Irql);
}

/* Nothing comes to the device any more; requests fail, those that wait and those that come. */
static VOID Lose(SERIAL *Serial)
{
    (void)IoSetDeviceInterfaceState(&Serial->Interface, FALSE);
    UartStop(Serial);
    SetGone(Serial);
    Serve(Serial);
}

static VOID PrintName(PUNICODE_STRING Name, PCWSTR Format, ULONG Number)
{
    int Count = _snwprintf(Name->Buffer, Name->MaximumLength / sizeof(WCHAR), Format, Number);
    Name->Length = (USHORT)((ULONG)Count * sizeof(WCHAR));
}

static VOID DeleteLink(const SERIAL *Serial)
{
    WCHAR Text[40];
    UNICODE_STRING Link = {0, sizeof(Text), Text};
    PrintName(&Link, L"\\??\\Serial%lu", Serial->Number);
    IoDeleteSymbolicLink(&Link);
}

static NTSTATUS Remove(SERIAL *Serial, PIRP Irp)
{
    Lose(Serial);
    IoReleaseRemoveLockAndWait(&Serial->RemoveLock, Irp);
    DbgPrint("serial: port %lu had %lu interrupts\n", Serial->Number, Serial->Interrupts);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = PassDown(Serial, Irp);
    IoDetachDevice(Serial->Lower);
    RtlFreeUnicodeString(&Serial->Interface);
    DeleteLink(Serial);
    IoDeleteDevice(Serial->Device);
    return Status;
}

/* While it is stopped, requests wait. */
static NTSTATUS PnpLocked(SERIAL *Serial, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(Serial, Irp, Stack);
    case IRP_MN_STOP_DEVICE:
        UartStop(Serial);
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        SetGone(Serial); /* first: its registers are not written any more */
        Lose(Serial);
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        break;
    default:
        return PassDown(Serial, Irp);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassDown(Serial, Irp);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    SERIAL *Serial = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Serial->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return SerialComplete(Irp, Status, 0);
    if (Stack->MinorFunction == IRP_MN_REMOVE_DEVICE)
        return Remove(Serial, Irp);
    Status = PnpLocked(Serial, Irp, Stack);
    IoReleaseRemoveLock(&Serial->RemoveLock, Irp);
    return Status;
}

static NTSTATUS NTAPI SystemControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    return PassDown(Device->DeviceExtension, Irp);
}

/* --- devices --- */

static LONG PortCount; /* numbers are not used again */

static NTSTATUS MakeDevice(PDRIVER_OBJECT Driver, ULONG Number, PDEVICE_OBJECT *Device)
{
    WCHAR Text[40], LinkText[40];
    UNICODE_STRING Name = {0, sizeof(Text), Text}, Link = {0, sizeof(LinkText), LinkText};
    PrintName(&Name, L"\\Device\\Serial%lu", Number);
    PrintName(&Link, L"\\??\\Serial%lu", Number);
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(SERIAL), &Name, FILE_DEVICE_SERIAL_PORT,
                                     FILE_DEVICE_SECURE_OPEN, TRUE, Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status))
        IoDeleteDevice(*Device);
    return Status;
}

static NTSTATUS InitDevice(SERIAL *Serial, PDEVICE_OBJECT Device, PDEVICE_OBJECT Pdo, ULONG Number)
{
    Serial->Device = Device;
    Serial->Pdo = Pdo;
    Serial->Number = Number;
    Serial->BaudRate = FIRST_RATE;
    Serial->Line = (SERIAL_LINE_CONTROL){.StopBits = STOP_BIT_1, .Parity = NO_PARITY, .WordLength = 8};
    /* of an ISA card OUT2 lets the interrupt through */
    Serial->ModemControl = SERIAL_IOC_MCR_DTR | SERIAL_IOC_MCR_RTS | SERIAL_IOC_MCR_OUT2;
    IoInitializeRemoveLock(&Serial->RemoveLock, SERIAL_TAG, 0, 0);
    InitQueues(Serial);
    NTSTATUS Status = IoRegisterDeviceInterface(Pdo, &GUID_DEVINTERFACE_COMPORT, NULL, &Serial->Interface);
    if (!NT_SUCCESS(Status))
        return Status;
    Serial->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    if (Serial->Lower != NULL)
        return STATUS_SUCCESS;
    RtlFreeUnicodeString(&Serial->Interface);
    return STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    ULONG Number = (ULONG)InterlockedIncrement(&PortCount) - 1;
    NTSTATUS Status = MakeDevice(Driver, Number, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = InitDevice(Device->DeviceExtension, Device, Pdo, Number);
    if (!NT_SUCCESS(Status)) {
        DeleteLink(Device->DeviceExtension);
        IoDeleteDevice(Device);
        return Status;
    }
    Device->Flags |= DO_BUFFERED_IO | DO_POWER_PAGABLE;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_CREATE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
    Driver->MajorFunction[IRP_MJ_CLOSE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_READ] = SerialReadWrite;
    Driver->MajorFunction[IRP_MJ_WRITE] = SerialReadWrite;
    Driver->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = SerialReadWrite;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = SerialControl;
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->MajorFunction[IRP_MJ_POWER] = SerialPower;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = SystemControl;
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * For function drivers that the PnP manager loads for a device of QEMU, by the INF file beside them: they run cases when a device is started, and when it has been
 * removed, and answer all else as a driver has to. A driver defines DEVICE with DEVICE_COMMON first, and the three routines below. */
#pragma once
#include "../conform/ct_threads.h"

typedef struct DEVICE_COMMON {
    PDEVICE_OBJECT Device, Pdo, Lower;
    PCM_RESOURCE_LIST Raw, Translated; /* of the last start; valid in Started only */
} DEVICE_COMMON;

typedef struct DEVICE DEVICE;

static VOID Started(DEVICE *Device); /* the devices below have started */
static VOID Stopped(DEVICE *Device); /* before the devices below hear of it; interrupts are given back here */
static VOID Removed(DEVICE *Device); /* the devices below have been removed */

static SIZE_T DeviceSize(VOID);

static DEVICE_COMMON *CommonOf(PDEVICE_OBJECT Device)
{
    return Device->DeviceExtension;
}

static PCI_SLOT_NUMBER SlotOf(DEVICE_COMMON *Common, PULONG Bus)
{
    ULONG Address = 0, Size;
    CT_SUCCESS(IoGetDeviceProperty(Common->Pdo, DevicePropertyBusNumber, sizeof(*Bus), Bus, &Size));
    CT_SUCCESS(IoGetDeviceProperty(Common->Pdo, DevicePropertyAddress, sizeof(Address), &Address, &Size));
    return (PCI_SLOT_NUMBER){.u.bits = {.DeviceNumber = Address >> 16, .FunctionNumber = Address & 7}};
}

static ULONG ReadConfig(DEVICE_COMMON *Common, ULONG Offset, ULONG Length)
{
    ULONG Value = 0, Bus = 0;
    PCI_SLOT_NUMBER Slot = SlotOf(Common, &Bus);
    CT_EQUAL(HalGetBusDataByOffset(PCIConfiguration, Bus, Slot.u.AsULONG, &Value, Offset, Length), Length);
    return Value;
}

static inline VOID WriteConfig(DEVICE_COMMON *Common, ULONG Offset, PVOID Value, ULONG Length)
{
    ULONG Bus = 0;
    PCI_SLOT_NUMBER Slot = SlotOf(Common, &Bus);
    CT_EQUAL(HalSetBusDataByOffset(PCIConfiguration, Bus, Slot.u.AsULONG, Value, Offset, Length), Length);
}

/* 0: there is none. */
static inline ULONG FindCapability(DEVICE_COMMON *Common, UCHAR Id)
{
    for (ULONG At = ReadConfig(Common, 0x34, 1), i = 0; At >= 0x40 && i < 48;
         At = ReadConfig(Common, At + 1, 1), i++)
        if (ReadConfig(Common, At, 1) == Id)
            return At;
    return 0;
}

/* The Index-th of a type; NULL: there are not so many. */
static inline const CM_PARTIAL_RESOURCE_DESCRIPTOR *FindResource(PCM_RESOURCE_LIST List, UCHAR Type,
                                                                 ULONG Index)
{
    for (ULONG i = 0; List != NULL && i < List->List[0].PartialResourceList.Count; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *D = &List->List[0].PartialResourceList.PartialDescriptors[i];
        if (D->Type == Type && Index-- == 0)
            return D;
    }
    return NULL;
}

static inline NTSTATUS PassDown(DEVICE_COMMON *Common, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Common->Lower, Irp);
}

static NTSTATUS Start(DEVICE_COMMON *Common, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    NTSTATUS Status =
        IoForwardIrpSynchronously(Common->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    Common->Raw = Stack->Parameters.StartDevice.AllocatedResources;
    Common->Translated = Stack->Parameters.StartDevice.AllocatedResourcesTranslated;
    if (NT_SUCCESS(Status))
        Started((DEVICE *)Common);
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS Remove(DEVICE_COMMON *Common, PIRP Irp)
{
    Stopped((DEVICE *)Common);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = PassDown(Common, Irp);
    Removed((DEVICE *)Common);
    IoDetachDevice(Common->Lower);
    IoDeleteDevice(Common->Device);
    return Status;
}

/* --- surprise removal --- */

static DEVICE_COMMON *Vanished; /* whose case runs */

static NTSTATUS SendDown(DEVICE_COMMON *Common, const IO_STACK_LOCATION *Location)
{
    KEVENT Done;
    IO_STATUS_BLOCK Iosb;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    PIRP Irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, Common->Lower, NULL, 0, NULL, &Done, &Iosb);
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MinorFunction = Location->MinorFunction;
    Stack->Parameters = Location->Parameters;
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    NTSTATUS Status = IoCallDriver(Common->Lower, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
        Status = Iosb.Status;
    }
    return Status;
}

/* What is read from where nobody is, is all ones; what is written is lost. */
static VOID AllOnes(VOID)
{
    ULONG Value = 0, Zero = 0;
    IO_STACK_LOCATION Location = {.MajorFunction = IRP_MJ_PNP, .MinorFunction = IRP_MN_READ_CONFIG};
    Location.Parameters.ReadWriteConfig.WhichSpace = PCI_WHICHSPACE_CONFIG;
    Location.Parameters.ReadWriteConfig.Buffer = &Value;
    Location.Parameters.ReadWriteConfig.Length = sizeof(Value);
    CT_SUCCESS(SendDown(Vanished, &Location));
    CT_EQUAL(Value, 0xffffffff);
    Location.MinorFunction = IRP_MN_WRITE_CONFIG;
    Location.Parameters.ReadWriteConfig.Buffer = &Zero;
    Location.Parameters.ReadWriteConfig.Offset = 4;
    CT_SUCCESS(SendDown(Vanished, &Location));
    CT_EQUAL(ReadConfig(Vanished, 4, 2) &
                 (PCI_ENABLE_IO_SPACE | PCI_ENABLE_MEMORY_SPACE | PCI_ENABLE_BUS_MASTER),
             0);
}

static VOID SurpriseRemoved(DEVICE_COMMON *Common)
{
    static const CT_CASE Case = {"surprise.config", AllOnes};
    Vanished = Common;
    CtRunCase(&Case);
    Stopped((DEVICE *)Common);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    DEVICE_COMMON *Common = CommonOf(Device);
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(Common, Irp, Stack);
    case IRP_MN_REMOVE_DEVICE:
        return Remove(Common, Irp);
    case IRP_MN_SURPRISE_REMOVAL:
        SurpriseRemoved(Common);
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_STOP_DEVICE:
        Stopped((DEVICE *)Common);
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;
    }
    return PassDown(Common, Irp);
}

static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(CommonOf(Device)->Lower, Irp);
}

static NTSTATUS NTAPI SystemControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    return PassDown(CommonOf(Device), Irp);
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(Driver, (ULONG)DeviceSize(), NULL, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    DEVICE_COMMON *Common = CommonOf(Device);
    Common->Device = Device;
    Common->Pdo = Pdo;
    Common->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    if (Common->Lower == NULL) {
        IoDeleteDevice(Device);
        return STATUS_NO_SUCH_DEVICE;
    }
    Device->Flags |= DO_POWER_PAGABLE;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    if (CtReport != NULL)
        ZwClose(CtReport);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    CtDriverObject = Driver;
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->MajorFunction[IRP_MJ_POWER] = Power;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = SystemControl;
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    CtOpenReport();
    return STATUS_SUCCESS;
}

static inline VOID RunCases(const CT_CASE *Cases, ULONG Count)
{
    for (ULONG i = 0; i < Count; i++)
        CtRunCase(&Cases[i]);
}

/* SPDX-License-Identifier: MIT
 * The driver: AddDevice, and which request goes where. */
#include "pci.h"

DRIVER_INITIALIZE DriverEntry;

/* The kernel knows by this section that what goes wrong in here is the fault of a driver that passed the request on (ImIsLibraryAddress). */
__attribute__((section(".ntboxlb"), used)) static const UCHAR PciIsPartOfNtbox = 1;

NTSTATUS PciComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (*(const BOOLEAN *)Device->DeviceExtension)
        return PciBusPnp(Device->DeviceExtension, Irp);
    return PciFunctionPnp(Device->DeviceExtension, Irp);
}

static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    PCI_BUS *Bus = Device->DeviceExtension;
    return Bus->IsBus ? PciBusPower(Bus, Irp) : PciFunctionPower(Device->DeviceExtension, Irp);
}

/* A bus passes down what it does not know; a function ends it as it is. */
static NTSTATUS NTAPI Other(PDEVICE_OBJECT Device, PIRP Irp)
{
    PCI_BUS *Bus = Device->DeviceExtension;
    if (!Bus->IsBus)
        return PciComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Bus->Lower, Irp);
}

/* A bridge is a function of this very driver. */
static PCI_FUNCTION *BridgeOf(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    return Pdo->DriverObject == Driver ? Pdo->DeviceExtension : NULL;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    NTSTATUS Status =
        IoCreateDevice(Driver, sizeof(PCI_BUS), NULL, FILE_DEVICE_BUS_EXTENDER, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    PCI_BUS *Bus = Device->DeviceExtension;
    Bus->IsBus = TRUE;
    Bus->Device = Device;
    Bus->Pdo = Pdo;
    Bus->Bridge = BridgeOf(Driver, Pdo);
    Bus->Root = Bus->Bridge != NULL ? Bus->Bridge->Bus->Root : Bus;
    ExInitializeFastMutex(&Bus->Lock);
    InitializeListHead(&Bus->Functions);
    Bus->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    if (Bus->Lower == NULL) {
        IoDeleteDevice(Device);
        return STATUS_NO_SUCH_DEVICE;
    }
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    if (Bus->Bridge != NULL)
        Bus->Bridge->Behind = Bus;
    else
        (void)PciMakeControl(Bus); /* there is one, of the first root */
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_CREATE] = PciOpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = PciOpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = PciOpenClose;
    Driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = PciControl;
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->MajorFunction[IRP_MJ_POWER] = Power;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = Other;
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

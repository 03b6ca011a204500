/* SPDX-License-Identifier: MIT
 * \Device\NtboxPci, for the scenarios of ntbox: it takes a function away as a hand would that pulls it out while it runs. What the machine's hardware cannot do, the bus
 * driver plays: from then on the function does not decode its addresses, its configuration space is all ones, and it is not there at the next enumeration.
 * [WDK "Handling an IRP_MN_SURPRISE_REMOVAL Request"] */
#include "pci.h"
#include "pci_control.h"

#define PATIENCE_MS 20000

static PCI_BUS *PciRoot;      /* of the control device */
static PDEVICE_OBJECT Device; /* NULL: there is none */

/* Referenced; NULL: there is no such function. */
static PCI_FUNCTION *FindFunction(PCI_BUS *Bus, ULONG Number, ULONG Slot)
{
    PCI_FUNCTION *Found = NULL;
    ExAcquireFastMutex(&Bus->Lock);
    for (PLIST_ENTRY E = Bus->Functions.Flink; Found == NULL && E != &Bus->Functions; E = E->Flink) {
        PCI_FUNCTION *Function = CONTAINING_RECORD(E, PCI_FUNCTION, Entry);
        if (Bus->Number == Number && Function->Slot == Slot && Function->Present)
            Found = Function;
        if (Found != NULL)
            ObReferenceObject(Found->Device);
        else if (Function->Behind != NULL)
            Found = FindFunction(Function->Behind, Number, Slot);
    }
    ExReleaseFastMutex(&Bus->Lock);
    return Found;
}

static NTSTATUS TakeAway(PCI_FUNCTION *Function)
{
    LARGE_INTEGER Time = {.QuadPart = -10000LL * PATIENCE_MS};
    if (Function->Header != PCI_DEVICE_TYPE)
        return STATUS_INVALID_DEVICE_REQUEST; /* what lies behind a bridge would have to go first */
    PciGoAway(Function);
    IoInvalidateDeviceRelations(Function->Bus->Pdo, BusRelations);
    NTSTATUS Status = KeWaitForSingleObject(&Function->Removed, Executive, KernelMode, FALSE, &Time);
    return Status == STATUS_TIMEOUT ? STATUS_IO_TIMEOUT : Status;
}

NTSTATUS NTAPI PciOpenClose(PDEVICE_OBJECT Opened, PIRP Irp)
{
    return PciComplete(Irp, Opened == Device ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST, 0);
}

NTSTATUS NTAPI PciControl(PDEVICE_OBJECT Opened, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    const NTBOX_PCI_PLACE *Place = Irp->AssociatedIrp.SystemBuffer;
    if (Opened != Device || Stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_NTBOX_PCI_TAKE_AWAY)
        return PciComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (Stack->Parameters.DeviceIoControl.InputBufferLength != sizeof(*Place))
        return PciComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    PCI_SLOT_NUMBER Slot = {.u.bits = {.DeviceNumber = Place->Device, .FunctionNumber = Place->Function}};
    PCI_FUNCTION *Function = FindFunction(PciRoot, Place->Bus, Slot.u.AsULONG);
    if (Function == NULL)
        return PciComplete(Irp, STATUS_NO_SUCH_DEVICE, 0);
    PDEVICE_OBJECT Pdo = Function->Device;
    NTSTATUS Status = TakeAway(Function);
    ObDereferenceObject(Pdo);
    return PciComplete(Irp, Status, 0);
}

NTSTATUS PciMakeControl(PCI_BUS *Root)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxPci");
    NTSTATUS Status = IoCreateDevice(Root->Device->DriverObject, sizeof(PCI_CONTROL), &Name,
                                     FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    PciRoot = Root;
    Device->Flags |= DO_BUFFERED_IO;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

VOID PciDeleteControl(const PCI_BUS *Root)
{
    if (Device == NULL || PciRoot != Root)
        return;
    IoDeleteDevice(Device);
    Device = NULL;
}

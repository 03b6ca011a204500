/* SPDX-License-Identifier: MIT
 * A filter that attaches over the ioctl sample's device: every request passes through it on the way down and,
 * by a completion routine, again on the way up. It changes nothing and counts. Load it after ioctl, unload it
 * before. */
#include <ntddk.h>
#include "../../ioctl/sys/ioctl.h"

typedef struct FILTER_EXTENSION {
    PDEVICE_OBJECT Lower;
    LONG Forwarded;   /* requests sent down; changed by interlocked operations */
    LONG Completed;   /* of those, how many have come back */
    LONG Outstanding; /* 1 for the attachment itself, plus requests on their way */
    KEVENT Drained;   /* set when Outstanding falls to 0 */
} FILTER_EXTENSION;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD FilterUnload;
static DRIVER_DISPATCH FilterPass;
static IO_COMPLETION_ROUTINE FilterCompleted;

static VOID Release(FILTER_EXTENSION *Extension)
{
    if (InterlockedDecrement(&Extension->Outstanding) == 0)
        KeSetEvent(&Extension->Drained, IO_NO_INCREMENT, FALSE);
}

/* IRQL <= DISPATCH_LEVEL, arbitrary thread. [WDK IoSetCompletionRoutine] A routine that lets the request go
 * on must pass the pending mark up. DeviceObject is the filter's own device. */
static NTSTATUS NTAPI FilterCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    FILTER_EXTENSION *Extension = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Irp->PendingReturned)
        IoMarkIrpPending(Irp);
    InterlockedIncrement(&Extension->Completed);
    Release(Extension);
    return STATUS_CONTINUE_COMPLETION;
}

/* The same routine for every major function: what a filter does not know it passes on. */
static NTSTATUS NTAPI FilterPass(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    FILTER_EXTENSION *Extension = DeviceObject->DeviceExtension;
    InterlockedIncrement(&Extension->Forwarded);
    InterlockedIncrement(&Extension->Outstanding);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, FilterCompleted, Extension, TRUE, TRUE, TRUE);
    return IoCallDriver(Extension->Lower, Irp);
}

/* PASSIVE_LEVEL. Detach first, so that no new request comes, then wait for those that are below us. */
static VOID NTAPI FilterUnload(PDRIVER_OBJECT DriverObject)
{
    PDEVICE_OBJECT Device = DriverObject->DeviceObject;
    FILTER_EXTENSION *Extension = Device->DeviceExtension;

    IoDetachDevice(Extension->Lower);
    Release(Extension);
    KeWaitForSingleObject(&Extension->Drained, Executive, KernelMode, FALSE, NULL);
    DbgPrint("filter: %d requests passed down, %d came back\n", (int)Extension->Forwarded,
             (int)Extension->Completed);
    IoDeleteDevice(Device);
}

/* The stack's I/O method and type are the lower device's: the I/O manager looks at the top device only. */
static NTSTATUS Attach(PDEVICE_OBJECT Device, PDEVICE_OBJECT Target)
{
    FILTER_EXTENSION *Extension = Device->DeviceExtension;
    KeInitializeEvent(&Extension->Drained, NotificationEvent, FALSE);
    Extension->Outstanding = 1;
    Device->Flags |= Target->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO | DO_POWER_PAGABLE);
    Extension->Lower = IoAttachDeviceToDeviceStack(Device, Target);
    if (Extension->Lower == NULL)
        return STATUS_NO_SUCH_DEVICE;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(IOCTL_SAMPLE_DEVICE);
    PFILE_OBJECT File;
    PDEVICE_OBJECT Target, Device;

    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = IoGetDeviceObjectPointer(&Name, FILE_READ_DATA, &File, &Target);
    if (!NT_SUCCESS(Status)) {
        DbgPrint("filter: %wZ is not there (0x%08X); load ioctl first\n", &Name, (unsigned)Status);
        return Status;
    }
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        DriverObject->MajorFunction[i] = FilterPass;
    DriverObject->DriverUnload = FilterUnload;
    Status = IoCreateDevice(DriverObject, sizeof(FILTER_EXTENSION), NULL, Target->DeviceType,
                            Target->Characteristics & FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (NT_SUCCESS(Status)) {
        Status = Attach(Device, Target);
        if (!NT_SUCCESS(Status))
            IoDeleteDevice(Device);
    }
    /* The attachment keeps the lower device; the file object was needed to find it only. */
    ObDereferenceObject(File);
    if (NT_SUCCESS(Status))
        DbgPrint("filter: attached over %wZ\n", &Name);
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Devices, links and device stacks. [WDK IoCreateDevice, IoDeleteDevice, IoCreateSymbolicLink, IoGetDeviceObjectPointer,
 * IoAttachDevice, IoAttachDeviceToDeviceStack, IoGetAttachedDeviceReference, IoAllocateDriverObjectExtension] */
#include "ct.h"

static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtDevice");
static UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\CtDevice");

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static PDEVICE_OBJECT Make(PUNICODE_STRING DeviceName, ULONG Extension)
{
    PDEVICE_OBJECT Device = NULL;
    CtDriverObject->MajorFunction[IRP_MJ_CREATE] = Succeed;
    CtDriverObject->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    CtDriverObject->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    CT_SUCCESS(IoCreateDevice(CtDriverObject, Extension, DeviceName, FILE_DEVICE_UNKNOWN,
                              FILE_DEVICE_SECURE_OPEN, FALSE, &Device));
    if (Device != NULL)
        Device->Flags &=
            ~DO_DEVICE_INITIALIZING; /* made outside DriverEntry's own list, as an AddDevice routine does */
    return Device;
}

/* The fields that a driver finds set, a zeroed extension, the driver's list, and no second device of the name. */
static VOID DeviceCreate(VOID)
{
    PDEVICE_OBJECT Device, Second = NULL;
    CT_REQUIRE(
        NT_SUCCESS(IoCreateDevice(CtDriverObject, 100, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)));
    CT_EQUAL(Device->Type, IO_TYPE_DEVICE);
    CT_EQUAL(Device->Size, 0x150 + 100);
    CT_EQUAL(Device->DriverObject, CtDriverObject);
    CT_EQUAL(CtDriverObject->DeviceObject, Device);
    CT_EQUAL(Device->StackSize, 1);
    CT_EQUAL(Device->DeviceType, FILE_DEVICE_UNKNOWN);
    CT_EQUAL(Device->DeviceExtension, (PUCHAR)Device + 0x150);
    CT_CHECK(Device->Flags & DO_DEVICE_INITIALIZING);
    CT_CHECK(Device->Flags & DO_DEVICE_HAS_NAME);
    for (ULONG i = 0; i < 100; i++)
        CT_CHECK(((PUCHAR)Device->DeviceExtension)[i] == 0);
    CT_STATUS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Second),
              STATUS_OBJECT_NAME_COLLISION);
    IoDeleteDevice(Device);
}

/* The name is free again and the driver's list is shorter. */
static VOID DeviceDelete(VOID)
{
    PDEVICE_OBJECT First = Make(&Name, 0), Second = Make(NULL, 0);
    CT_REQUIRE(First != NULL && Second != NULL);
    CT_EQUAL(CtDriverObject->DeviceObject, Second);
    CT_EQUAL(Second->NextDevice, First);
    IoDeleteDevice(Second);
    CT_EQUAL(CtDriverObject->DeviceObject, First);
    IoDeleteDevice(First);
    CT_EQUAL(CtDriverObject->DeviceObject, 0);
    First = Make(&Name, 0);
    CT_REQUIRE(First != NULL);
    IoDeleteDevice(First);
}

static NTSTATUS Open(PUNICODE_STRING Path, PFILE_OBJECT *File, PDEVICE_OBJECT *Device)
{
    return IoGetDeviceObjectPointer(Path, FILE_READ_DATA, File, Device);
}

static VOID DeviceLink(VOID)
{
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device = Make(&Name, 0), Found = NULL;
    CT_REQUIRE(Device != NULL);
    CT_SUCCESS(IoCreateSymbolicLink(&Link, &Name));
    CT_STATUS(IoCreateSymbolicLink(&Link, &Name), STATUS_OBJECT_NAME_COLLISION);
    if (NT_SUCCESS(Open(&Link, &File, &Found)))
        ObDereferenceObject(File);
    CT_EQUAL(Found, Device);
    CT_SUCCESS(IoDeleteSymbolicLink(&Link));
    CT_STATUS(IoDeleteSymbolicLink(&Link), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(Open(&Link, &File, &Found), STATUS_OBJECT_NAME_NOT_FOUND);
    IoDeleteDevice(Device);
}

/* Opens the device: its driver sees IRP_MJ_CREATE, and IRP_MJ_CLEANUP and IRP_MJ_CLOSE in the end. */
static VOID DevicePointer(VOID)
{
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device = Make(&Name, 0), Found = NULL;
    UNICODE_STRING None = RTL_CONSTANT_STRING(L"\\Device\\CtNoSuchDevice");
    CT_REQUIRE(Device != NULL);
    CT_STATUS(Open(&None, &File, &Found), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_REQUIRE(NT_SUCCESS(Open(&Name, &File, &Found)));
    CT_EQUAL(Found, Device);
    CT_EQUAL(File->Type, IO_TYPE_FILE);
    CT_EQUAL(File->DeviceObject, Device);
    ObDereferenceObject(File);
    IoDeleteDevice(Device);
}

/* Attaches to the top and returns what was the top; the stack grows by one. */
static VOID DeviceAttach(VOID)
{
    PDEVICE_OBJECT Bottom = Make(&Name, 0), Middle = Make(NULL, 0), Top = Make(NULL, 0);
    CT_REQUIRE(Bottom != NULL && Middle != NULL && Top != NULL);
    CT_EQUAL(IoAttachDeviceToDeviceStack(Middle, Bottom), Bottom);
    CT_EQUAL(IoAttachDeviceToDeviceStack(Top, Bottom), Middle);
    CT_EQUAL(Bottom->AttachedDevice, Middle);
    CT_EQUAL(Middle->AttachedDevice, Top);
    CT_EQUAL(Top->StackSize, 3);
    IoDetachDevice(Middle);
    CT_EQUAL(Middle->AttachedDevice, 0);
    IoDetachDevice(Bottom);
    CT_EQUAL(Bottom->AttachedDevice, 0);
    IoDeleteDevice(Top);
    IoDeleteDevice(Middle);
    IoDeleteDevice(Bottom);
}

static VOID DeviceAttachName(VOID)
{
    PDEVICE_OBJECT Bottom = Make(&Name, 0), Top = Make(NULL, 0), Lower = NULL;
    CT_REQUIRE(Bottom != NULL && Top != NULL);
    CT_SUCCESS(IoAttachDevice(Top, &Name, &Lower));
    CT_EQUAL(Lower, Bottom);
    CT_EQUAL(Bottom->AttachedDevice, Top);
    if (Lower != NULL)
        IoDetachDevice(Lower);
    IoDeleteDevice(Top);
    IoDeleteDevice(Bottom);
}

static VOID DeviceTop(VOID)
{
    PDEVICE_OBJECT Bottom = Make(&Name, 0), Top = Make(NULL, 0);
    CT_REQUIRE(Bottom != NULL && Top != NULL);
    CT_EQUAL(IoGetAttachedDevice(Bottom), Bottom);
    IoAttachDeviceToDeviceStack(Top, Bottom);
    CT_EQUAL(IoGetAttachedDevice(Bottom), Top);
    CT_EQUAL(IoGetAttachedDeviceReference(Bottom), Top);
    ObDereferenceObject(Top);
    IoDetachDevice(Bottom);
    IoDeleteDevice(Top);
    IoDeleteDevice(Bottom);
}

/* One extension for each identifier, zeroed; freed with the driver object. */
static VOID DeviceExtension(VOID)
{
    PVOID First = NULL, Second = NULL;
    CT_EQUAL(IoGetDriverObjectExtension(CtDriverObject, &Name), 0);
    CT_REQUIRE(NT_SUCCESS(IoAllocateDriverObjectExtension(CtDriverObject, &Name, 40, &First)));
    CT_STATUS(IoAllocateDriverObjectExtension(CtDriverObject, &Name, 40, &Second),
              STATUS_OBJECT_NAME_COLLISION);
    CT_EQUAL(IoGetDriverObjectExtension(CtDriverObject, &Name), First);
    for (ULONG i = 0; i < 40; i++)
        CT_CHECK(((PUCHAR)First)[i] == 0);
}

/* System threads run in the system process. */
static VOID DeviceCurrentProcess(VOID)
{
    CT_CHECK(IoGetCurrentProcess() != NULL);
    CT_EQUAL(PsGetProcessId(IoGetCurrentProcess()), PsGetCurrentProcessId());
}

static VOID DeviceStackLimits(VOID)
{
    ULONG_PTR Low = 0, High = 0, Here = (ULONG_PTR)&Low;
    IoGetStackLimits(&Low, &High);
    CT_CHECK(Low < Here && Here < High);
    CT_CHECK(High - Low >= 8192);
}

static const CT_CASE Cases[] = {
    {"device.create", DeviceCreate},
    {"device.delete", DeviceDelete},
    {"device.link", DeviceLink},
    {"device.pointer", DevicePointer},
    {"device.attach", DeviceAttach},
    {"device.attach_name", DeviceAttachName},
    {"device.top", DeviceTop},
    {"device.extension", DeviceExtension},
    {"device.current_process", DeviceCurrentProcess},
    {"device.stack_limits", DeviceStackLimits},
};
CT_DRIVER(Cases)

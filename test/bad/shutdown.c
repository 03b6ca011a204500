/* SPDX-License-Identifier: MIT
 * Registers for the shutdown of the system. With the parameter Stays it has no unload routine and loses the IRP_MJ_SHUTDOWN that it gets;
 * without, it unloads and leaves the registration behind. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD ShutdownUnload;
static DRIVER_DISPATCH ShutdownLosesIrp;
static PDEVICE_OBJECT Device;

static VOID NTAPI ShutdownUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoDeleteDevice(Device);
}

static NTSTATUS NTAPI ShutdownLosesIrp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    return STATUS_SUCCESS;
}

static BOOLEAN Stays(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Parameters = RTL_CONSTANT_STRING(L"Parameters"), Value = RTL_CONSTANT_STRING(L"Stays");
    UCHAR Room[64];
    ULONG Length;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Service, Key = NULL;
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Service, KEY_READ, &Attributes)))
        return FALSE;
    InitializeObjectAttributes(&Attributes, &Parameters, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Service,
                               NULL);
    NTSTATUS Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    ZwClose(Service);
    if (!NT_SUCCESS(Status))
        return FALSE;
    Status = ZwQueryValueKey(Key, &Value, KeyValueBasicInformation, Room, sizeof(Room), &Length);
    ZwClose(Key);
    return NT_SUCCESS(Status);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    if (!Stays(RegistryPath))
        DriverObject->DriverUnload = ShutdownUnload;
    DriverObject->MajorFunction[IRP_MJ_SHUTDOWN] = ShutdownLosesIrp;
    Status = IoRegisterShutdownNotification(Device);
    if (!NT_SUCCESS(Status))
        IoDeleteDevice(Device);
    return Status;
}

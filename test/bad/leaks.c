/* SPDX-License-Identifier: MIT
 * Unloads without giving back two pool blocks, its device and its symbolic link: each must be reported. */
#include <ntddk.h>

#define LEAK_TAG 'kaeL' /* "Leak" */

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD LeakUnload;
static PVOID volatile Blocks[2];

static VOID NTAPI LeakUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxLeaks");
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\NtboxLeaks");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    Blocks[0] = ExAllocatePoolWithTag(NonPagedPool, 100, LEAK_TAG);
    Blocks[1] = ExAllocatePoolWithTag(PagedPool, 5000, LEAK_TAG);
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (NT_SUCCESS(Status))
        Status = IoCreateSymbolicLink(&Link, &Name);
    DriverObject->DriverUnload = LeakUnload;
    return Status;
}

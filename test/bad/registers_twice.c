/* SPDX-License-Identifier: MIT
 * Registers the device of a file system twice: the list of file systems would have it in two places. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\NtboxTwice");
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device);
    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    IoRegisterFileSystem(Device);
    IoRegisterFileSystem(Device);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Writes to its own .text, which is mapped without write access. [WDK Bug Check 0xBE] */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    volatile UCHAR *volatile Code = (volatile UCHAR *)DriverEntry;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    *Code = 0xC3;
    DbgPrint("writes_text: this line must never be printed\n");
    return STATUS_UNSUCCESSFUL;
}

/* SPDX-License-Identifier: MIT
 * Imports two names that no Windows exports: it must be refused with both names, and nothing of it may run.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
__declspec(dllimport) VOID NTAPI ThisFunctionDoesNotExist(VOID);
__declspec(dllimport) VOID NTAPI HalThisFunctionDoesNotExist(VOID);

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    DbgPrint("missing_import: this line must never be printed\n");
    ThisFunctionDoesNotExist();
    HalThisFunctionDoesNotExist();
    return STATUS_SUCCESS;
}

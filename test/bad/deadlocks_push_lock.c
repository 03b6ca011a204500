/* SPDX-License-Identifier: MIT
 * Acquires a push lock that it has: "the thread hangs". [WDK ExAcquirePushLockExclusive] */
#include <ntddk.h>

static EX_PUSH_LOCK Lock;

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    ExInitializePushLock(&Lock);
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&Lock);
    ExAcquirePushLockExclusive(&Lock);
    ExReleasePushLockExclusive(&Lock);
    KeLeaveCriticalRegion();
    return STATUS_SUCCESS;
}

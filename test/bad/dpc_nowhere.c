/* SPDX-License-Identifier: MIT
 * Queues a DPC for a processor that does not exist: bug check 0xC7 (3). */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KDEFERRED_ROUTINE DpcNowhereRoutine;
static KDPC Dpc;

static VOID NTAPI DpcNowhereRoutine(PKDPC ThisDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(ThisDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeDpc(&Dpc, DpcNowhereRoutine, NULL);
    KeSetTargetProcessorDpc(&Dpc, 63);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Its DPC routine loops for ever: bug check 0x133 (0). */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KDEFERRED_ROUTINE DpcLoopsRoutine;
static KDPC Dpc;
static volatile ULONG Spins;

static VOID NTAPI DpcLoopsRoutine(PKDPC ThisDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(ThisDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    for (;;)
        Spins++;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeDpc(&Dpc, DpcLoopsRoutine, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    return STATUS_SUCCESS;
}

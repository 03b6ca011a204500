/* SPDX-License-Identifier: MIT
 * Calls all processors by KeIpiGenericCall; the caller's own faults there while the others spin with interrupts off. The bug
 * check must stop them all the same and tell where they stood. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

static volatile LONG Spinning;

__attribute__((noinline)) static VOID SpinForEver(VOID)
{
    __asm__ volatile("cli");
    InterlockedIncrement(&Spinning);
    for (;;)
        __asm__ volatile("pause");
}

static ULONG_PTR NTAPI Broadcast(ULONG_PTR Caller)
{
    if (KeGetCurrentProcessorNumberEx(NULL) != Caller)
        SpinForEver();
    while (Spinning != (LONG)KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS) - 1)
        __asm__ volatile("pause");
    *(volatile LONG *)16 = 1;
    return 0;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL OldIrql;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    KeIpiGenericCall(Broadcast, KeGetCurrentProcessorNumberEx(NULL));
    KeLowerIrql(OldIrql);
    return STATUS_SUCCESS;
}

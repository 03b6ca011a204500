/* SPDX-License-Identifier: MIT
 * One thread takes a spin lock and never releases it, another one, on another processor, spins for it for ever: the processors stay at
 * DISPATCH_LEVEL, bug check 0x133 (1), or the lock's own limit is found first. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static KSTART_ROUTINE KeepsLockHolder;
static KSPIN_LOCK Lock;
static volatile LONG Held;

static VOID NTAPI KeepsLockHolder(PVOID Context)
{
    KIRQL Irql;
    UNREFERENCED_PARAMETER(Context);
    KeAcquireSpinLock(&Lock, &Irql);
    InterlockedExchange(&Held, 1);
    for (;;)
        __asm__ volatile("pause");
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Thread;
    KIRQL Irql;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&Lock);
    NTSTATUS Status =
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, KeepsLockHolder, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    while (!Held)
        __asm__ volatile("pause");
    KeAcquireSpinLock(&Lock, &Irql);
    KeReleaseSpinLock(&Lock, Irql);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Unloads while its periodic timer runs: the next DPC would execute code that is gone.
 * On Windows that is a later bug check 0xCE; here the timer is found and named when the driver is unloaded. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD TimerLeftUnload;
static KDEFERRED_ROUTINE TimerLeftTick;
static KTIMER Timer;
static KDPC Dpc;

static VOID NTAPI TimerLeftTick(PKDPC ThisDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(ThisDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

static VOID NTAPI TimerLeftUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    LARGE_INTEGER Due = {.QuadPart = -100000};
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeTimerEx(&Timer, NotificationTimer);
    KeInitializeDpc(&Dpc, TimerLeftTick, NULL);
    KeSetTimerEx(&Timer, Due, 10, &Dpc);
    DriverObject->DriverUnload = TimerLeftUnload;
    return STATUS_SUCCESS;
}

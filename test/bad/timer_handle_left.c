/* SPDX-License-Identifier: MIT
 * Unloads while a timer by handle is set, whose routine would be called in an image that is gone. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD TimerHandleLeftUnload;
static HANDLE Timer;

static VOID NTAPI TimerHandleLeftRoutine(PVOID Context, ULONG Low, LONG High)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Low);
    UNREFERENCED_PARAMETER(High);
}

static VOID NTAPI TimerHandleLeftUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES Attributes;
    LARGE_INTEGER Due = {.QuadPart = -10000000};
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = TimerHandleLeftUnload;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status = ZwCreateTimer(&Timer, TIMER_ALL_ACCESS, &Attributes, NotificationTimer);
    return NT_SUCCESS(Status) ? ZwSetTimer(Timer, &Due, TimerHandleLeftRoutine, NULL, FALSE, 0, NULL)
                              : Status;
}

/* SPDX-License-Identifier: MIT
 * A periodic timer whose DPC counts ticks of 10 ms. IOCTL 0x222000 takes a number of ticks (ULONG), waits
 * until so many more have passed and returns the count (ULONG64): a DPC at DISPATCH_LEVEL wakes a thread at
 * PASSIVE_LEVEL. */
#include <ntddk.h>

#define IOCTL_TIMER_WAIT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define TIMER_PERIOD_MS 10
#define TIMER_MAX_TICKS 1000

typedef struct TIMER_EXTENSION {
    KTIMER Timer;
    KDPC Dpc;
    KSPIN_LOCK Lock;
    ULONG64 Ticks;    /* guarded by Lock */
    LIST_ENTRY Waits; /* of TIMER_WAIT; guarded by Lock */
} TIMER_EXTENSION;

/* On the stack of the thread that waits; the DPC takes it off the list before it sets the event. */
typedef struct TIMER_WAIT {
    LIST_ENTRY Entry;
    ULONG64 Until;
    KEVENT Reached;
} TIMER_WAIT;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD TimerUnload;
static DRIVER_DISPATCH TimerOpenClose, TimerControl;
static KDEFERRED_ROUTINE TimerTick;

/* DISPATCH_LEVEL, every TIMER_PERIOD_MS. */
static VOID NTAPI TimerTick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    TIMER_EXTENSION *Extension = Context;
    PLIST_ENTRY Entry, Next;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);

    KeAcquireSpinLockAtDpcLevel(&Extension->Lock);
    Extension->Ticks++;
    for (Entry = Extension->Waits.Flink; Entry != &Extension->Waits; Entry = Next) {
        TIMER_WAIT *Wait = CONTAINING_RECORD(Entry, TIMER_WAIT, Entry);
        Next = Entry->Flink;
        if (Extension->Ticks < Wait->Until)
            continue;
        RemoveEntryList(Entry);
        KeSetEvent(&Wait->Reached, IO_NO_INCREMENT, FALSE);
    }
    KeReleaseSpinLockFromDpcLevel(&Extension->Lock);
}

/* PASSIVE_LEVEL. Returns the tick count after at least Count more ticks. */
static ULONG64 WaitForTicks(TIMER_EXTENSION *Extension, ULONG Count)
{
    TIMER_WAIT Wait;
    KIRQL Irql;

    KeInitializeEvent(&Wait.Reached, NotificationEvent, FALSE);
    KeAcquireSpinLock(&Extension->Lock, &Irql);
    Wait.Until = Extension->Ticks + Count;
    InsertTailList(&Extension->Waits, &Wait.Entry);
    KeReleaseSpinLock(&Extension->Lock, Irql);

    KeWaitForSingleObject(&Wait.Reached, Executive, KernelMode, FALSE, NULL);
    KeAcquireSpinLock(&Extension->Lock, &Irql);
    ULONG64 Ticks = Extension->Ticks;
    KeReleaseSpinLock(&Extension->Lock, Irql);
    return Ticks;
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI TimerControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    ULONG Count;

    if (Location->Parameters.DeviceIoControl.IoControlCode != IOCTL_TIMER_WAIT)
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (Location->Parameters.DeviceIoControl.InputBufferLength < sizeof(ULONG) ||
        Location->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG64))
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    RtlCopyMemory(&Count, Irp->AssociatedIrp.SystemBuffer, sizeof(Count));
    if (Count == 0 || Count > TIMER_MAX_TICKS)
        return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
    ULONG64 Ticks = WaitForTicks(DeviceObject->DeviceExtension, Count);
    RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &Ticks, sizeof(Ticks));
    return Complete(Irp, STATUS_SUCCESS, sizeof(Ticks));
}

static NTSTATUS NTAPI TimerOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* [WDK KeFlushQueuedDpcs] a DPC that the cancelled timer has queued already must run before its memory goes.
 */
static VOID NTAPI TimerUnload(PDRIVER_OBJECT DriverObject)
{
    PDEVICE_OBJECT Device = DriverObject->DeviceObject;
    TIMER_EXTENSION *Extension = Device->DeviceExtension;

    KeCancelTimer(&Extension->Timer);
    KeFlushQueuedDpcs();
    DbgPrint("timer_dpc: stopped after %s\n", Extension->Ticks != 0 ? "ticking" : "no tick");
    IoDeleteDevice(Device);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxTimer");
    LARGE_INTEGER Due = {.QuadPart = -10000LL * TIMER_PERIOD_MS}; /* negative: relative, in 100 ns */
    PDEVICE_OBJECT Device;

    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = IoCreateDevice(DriverObject, sizeof(TIMER_EXTENSION), &Name, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    TIMER_EXTENSION *Extension = Device->DeviceExtension;
    KeInitializeSpinLock(&Extension->Lock);
    InitializeListHead(&Extension->Waits);
    KeInitializeDpc(&Extension->Dpc, TimerTick, Extension);
    KeInitializeTimerEx(&Extension->Timer, NotificationTimer);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = TimerOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = TimerOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = TimerOpenClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = TimerControl;
    DriverObject->DriverUnload = TimerUnload;
    KeSetTimerEx(&Extension->Timer, Due, TIMER_PERIOD_MS, &Extension->Dpc);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Timers and DPCs where they must not be: in memory that is freed, overwritten or initialised again, on the stack of a thread that
 * ends; things that are none; calls of code that is none. Each control code is one of them, and the function below that does it
 * is to blame, also where the kernel finds out later. [WDK Bug Check 0xC7] */
#include <ntifs.h>
#define DEVICE_NAME L"\\Device\\NtboxPlaces"
#include "control_device.h"

static KDEFERRED_ROUTINE PlacesRoutine;
static KTIMER Timer;
static KDPC Dpc;
static PDRIVER_OBJECT Driver;

#define PLACES_TAG 'calP'
#define NOWHERE ((PVOID)(ULONG_PTR)0x1234)
static const LARGE_INTEGER Hour = {.QuadPart = -36000000000};
static const LARGE_INTEGER Soon = {.QuadPart = -100000};

static VOID NTAPI PlacesRoutine(PKDPC ThisDpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(ThisDpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
}

/* The machine stops meanwhile. */
static NTSTATUS Survive(VOID)
{
    LARGE_INTEGER Second = {.QuadPart = -10000000};
    if (KeGetCurrentIrql() == PASSIVE_LEVEL)
        KeDelayExecutionThread(KernelMode, FALSE, &Second);
    return STATUS_SUCCESS;
}

static DECLSPEC_NOINLINE NTSTATUS FreesTimer(SIZE_T Size)
{
    PKTIMER InPool = ExAllocatePoolWithTag(NonPagedPool, Size, PLACES_TAG);
    if (InPool == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeTimer(InPool);
    KeSetTimer(InPool, Hour, NULL);
    ExFreePoolWithTag(InPool, PLACES_TAG);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS FreesDpcOfTimer(VOID)
{
    PKDPC InPool = ExAllocatePoolWithTag(NonPagedPool, sizeof(KDPC), PLACES_TAG);
    if (InPool == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeDpc(InPool, PlacesRoutine, NULL);
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, Hour, InPool);
    ExFreePoolWithTag(InPool, PLACES_TAG);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS FreesQueuedDpc(VOID)
{
    KIRQL Irql;
    PKDPC InPool = ExAllocatePoolWithTag(NonPagedPool, sizeof(KDPC), PLACES_TAG);
    if (InPool == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeDpc(InPool, PlacesRoutine, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeInsertQueueDpc(InPool, NULL, NULL);
    ExFreePoolWithTag(InPool, PLACES_TAG);
    KeLowerIrql(Irql);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS FreesContiguous(VOID)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = -1};
    PKTIMER Contiguous = MmAllocateContiguousMemory(PAGE_SIZE, Highest);
    if (Contiguous == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeTimer(Contiguous);
    KeSetTimer(Contiguous, Hour, NULL);
    MmFreeContiguousMemory(Contiguous);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS SetsInExtension(VOID)
{
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(KTIMER), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeTimer(Device->DeviceExtension);
    KeSetTimer(Device->DeviceExtension, Hour, NULL);
    IoDeleteDevice(Device);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS InitializesSetTimer(VOID)
{
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, Hour, NULL);
    KeInitializeTimer(&Timer);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS InitializesQueuedDpc(VOID)
{
    KIRQL Irql;
    KeInitializeDpc(&Dpc, PlacesRoutine, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeInitializeDpc(&Dpc, PlacesRoutine, NULL);
    KeLowerIrql(Irql);
    return Survive();
}

/* Raised, so that it does not expire before: it is this processor's. */
static DECLSPEC_NOINLINE NTSTATUS OverwritesTimer(UCHAR Value)
{
    KIRQL Irql;
    KeInitializeTimer(&Timer);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeSetTimer(&Timer, Soon, NULL);
    RtlFillMemory(&Timer, sizeof(Timer), Value);
    KeLowerIrql(Irql);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS OverwritesDpc(UCHAR Value)
{
    KIRQL Irql;
    KeInitializeDpc(&Dpc, PlacesRoutine, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    RtlFillMemory(&Dpc, sizeof(Dpc), Value);
    KeLowerIrql(Irql);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS SetsNoTimer(VOID)
{
    RtlFillMemory(&Timer, sizeof(Timer), 0xff);
    KeSetTimer(&Timer, Soon, NULL);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS CancelsNoTimer(VOID)
{
    RtlFillMemory(&Timer, sizeof(Timer), 0xff);
    KeCancelTimer(&Timer);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS QueuesNoDpc(VOID)
{
    RtlFillMemory(&Dpc, sizeof(Dpc), 0xff);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS SetsTimerWithNoDpc(VOID)
{
    RtlZeroMemory(&Dpc, sizeof(Dpc));
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, Soon, &Dpc);
    return Survive();
}

static DECLSPEC_NOINLINE VOID NTAPI SetsOnItsStack(PVOID Context)
{
    KTIMER OnStack;
    UNREFERENCED_PARAMETER(Context);
    KeInitializeTimer(&OnStack);
    KeSetTimer(&OnStack, Hour, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS EndsThread(VOID)
{
    HANDLE Thread;
    NTSTATUS Status =
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, SetsOnItsStack, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    ZwWaitForSingleObject(Thread, FALSE, NULL);
    ZwClose(Thread);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS QueuesNowhere(VOID)
{
    KeInitializeDpc(&Dpc, (PKDEFERRED_ROUTINE)NOWHERE, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS SetsNowhere(VOID)
{
    KeInitializeDpc(&Dpc, (PKDEFERRED_ROUTINE)NOWHERE, NULL);
    KeInitializeTimer(&Timer);
    KeSetTimer(&Timer, Soon, &Dpc);
    return Survive();
}

static DECLSPEC_NOINLINE NTSTATUS CallsNowhere(PVOID Routine)
{
    KeIpiGenericCall((PKIPI_BROADCAST_WORKER)Routine, 0);
    return Survive();
}

static NTSTATUS FreesTimerInBlock(VOID)
{
    return FreesTimer(sizeof(KTIMER));
}

static NTSTATUS FreesTimerInPages(VOID)
{
    return FreesTimer(3 * PAGE_SIZE);
}

static NTSTATUS ClearsTimer(VOID)
{
    return OverwritesTimer(0);
}

static NTSTATUS FillsTimer(VOID)
{
    return OverwritesTimer(0xdd);
}

static NTSTATUS ClearsDpc(VOID)
{
    return OverwritesDpc(0);
}

static NTSTATUS FillsDpc(VOID)
{
    return OverwritesDpc(0xdd);
}

static NTSTATUS CallsNull(VOID)
{
    return CallsNowhere(NULL);
}

static NTSTATUS CallsGarbage(VOID)
{
    return CallsNowhere(NOWHERE);
}

static NTSTATUS (*const Places[])(VOID) = {
    FreesTimerInBlock, FreesTimerInPages, FreesDpcOfTimer,     FreesQueuedDpc,
    FreesContiguous,   SetsInExtension,   InitializesSetTimer, InitializesQueuedDpc,
    ClearsTimer,       FillsTimer,        ClearsDpc,           FillsDpc,
    SetsNoTimer,       CancelsNoTimer,    QueuesNoDpc,         SetsTimerWithNoDpc,
    EndsThread,        QueuesNowhere,     SetsNowhere,         CallsNull,
    CallsGarbage,
};

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG Place =
        (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode - 0x220000) >> 2;
    Driver = Device->DriverObject;
    NTSTATUS Status = Place < RTL_NUMBER_OF(Places) ? Places[Place]() : STATUS_INVALID_DEVICE_REQUEST;
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

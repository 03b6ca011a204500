/* SPDX-License-Identifier: MIT
 * Idle detection: a device that was not used for some seconds is sent to a lower power state. Each second the counter that the driver sets to 0 grows.
 * [WDK PoRegisterDeviceForIdleDetection, PoSetDeviceBusyEx, PoStartDeviceBusy, PoEndDeviceBusy] */
#include "pop.h"

#define POP_IDLE_PERIOD 1000u      /* ms */
#define POP_CLASS_DEFAULT MAXULONG /* seconds: as is usual for the device's class */
#define POP_DISK_IDLE_TIME 1200u   /* of "Turn off hard disk after" with mains power */

typedef struct _POP_IDLE {
    LIST_ENTRY Entry;         /* (l) */
    PDEVICE_OBJECT Device;    /* (c) IoDeleteDevice ends the detection */
    volatile ULONG Counter;   /* seconds; the driver has its address */
    volatile LONG Busy;       /* what the driver has begun and not ended */
    ULONG Timeout;            /* (l) */
    DEVICE_POWER_STATE State; /* (l) */
    BOOLEAN Due;              /* (l) its request is to be sent */
} POP_IDLE;

static LIST_ENTRY PopIdles = {&PopIdles, &PopIdles}; /* (l) */
static KTIMER PopIdleTimer;
static KDPC PopIdleDpc;

static POP_IDLE *PopFindIdleLocked(PDEVICE_OBJECT Device)
{
    for (PLIST_ENTRY E = PopIdles.Flink; E != &PopIdles; E = E->Flink)
        if (CONTAINING_RECORD(E, POP_IDLE, Entry)->Device == Device)
            return CONTAINING_RECORD(E, POP_IDLE, Entry);
    return NULL;
}

/* --- the clock --- */

/* Once for each time that it becomes idle: the counter goes on. */
static VOID PopCountIdleLocked(POP_IDLE *Idle)
{
    if (Idle->Busy > 0) {
        Idle->Counter = 0;
        return;
    }
    ULONG Seconds = InterlockedIncrement((volatile LONG *)&Idle->Counter);
    Idle->Due = Idle->Due || Seconds == Idle->Timeout;
}

/* The device is referenced; NULL: none is due. */
static PDEVICE_OBJECT PopTakeDue(POWER_STATE *State)
{
    PDEVICE_OBJECT Device = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    for (PLIST_ENTRY E = PopIdles.Flink; E != &PopIdles && Device == NULL; E = E->Flink) {
        POP_IDLE *Idle = CONTAINING_RECORD(E, POP_IDLE, Entry);
        if (!Idle->Due)
            continue;
        Idle->Due = FALSE;
        Device = Idle->Device;
        State->DeviceState = Idle->State;
        ObfReferenceObject(Device);
    }
    ArchReleaseLock(&PopLock, OldIrql);
    return Device;
}

static VOID NTAPI PopIdleTick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PDEVICE_OBJECT Device;
    POWER_STATE State;
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    for (PLIST_ENTRY E = PopIdles.Flink; E != &PopIdles; E = E->Flink)
        PopCountIdleLocked(CONTAINING_RECORD(E, POP_IDLE, Entry));
    if (IsListEmpty(&PopIdles))
        KeCancelTimer(&PopIdleTimer);
    ArchReleaseLock(&PopLock, OldIrql);
    while ((Device = PopTakeDue(&State)) != NULL) {
        (void)PoRequestPowerIrp(Device, IRP_MN_SET_POWER, State, NULL, NULL, NULL);
        ObfDereferenceObject(Device);
    }
}

VOID PopInitIdle(VOID)
{
    KeInitializeTimer(&PopIdleTimer);
    KeInitializeDpc(&PopIdleDpc, PopIdleTick, NULL);
}

/* --- registering --- */

VOID PopEndIdle(PDEVICE_OBJECT Device)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    POP_IDLE *Idle = PopFindIdleLocked(Device);
    if (Idle != NULL)
        RemoveEntryList(&Idle->Entry);
    ArchReleaseLock(&PopLock, OldIrql);
    if (Idle != NULL)
        ExFreePoolWithTag(Idle, POP_TAG);
}

/* 0: never. Mains power is there, so that performance counts. */
static ULONG PopIdleTime(PDEVICE_OBJECT Device, ULONG Performance)
{
    BOOLEAN Disk = Device->DeviceType == FILE_DEVICE_DISK || Device->DeviceType == FILE_DEVICE_MASS_STORAGE;
    if (Performance != POP_CLASS_DEFAULT)
        return Performance;
    return Disk ? POP_DISK_IDLE_TIME : 0;
}

static VOID PopStartIdleClockLocked(VOID)
{
    LARGE_INTEGER Due = {.QuadPart = -(LONGLONG)POP_IDLE_PERIOD * 10000};
    if (IsListEmpty(&PopIdles))
        KeSetTimerEx(&PopIdleTimer, Due, POP_IDLE_PERIOD, &PopIdleDpc);
}

/* New, when the device has none yet; it is used up then. */
static POP_IDLE *PopSetIdle(PDEVICE_OBJECT Device, POP_IDLE *New, ULONG Timeout, DEVICE_POWER_STATE State)
{
    KIRQL OldIrql = ArchAcquireLock(&PopLock);
    POP_IDLE *Idle = PopFindIdleLocked(Device);
    if (Idle == NULL) {
        Idle = New;
        Idle->Device = Device;
        PopStartIdleClockLocked();
        InsertTailList(&PopIdles, &Idle->Entry);
    }
    Idle->Timeout = Timeout;
    Idle->State = State;
    Idle->Counter = 0;
    Idle->Due = FALSE;
    ArchReleaseLock(&PopLock, OldIrql);
    return Idle;
}

/* [WDK PoRegisterDeviceForIdleDetection] IRQL < DISPATCH_LEVEL. The counter, which is the driver's until idle detection ends: when both times are 0
 * (NULL is returned), or with the device. NULL also: no memory, or the class of the device has no usual times. */
PULONG NTAPI PoRegisterDeviceForIdleDetection(PDEVICE_OBJECT DeviceObject, ULONG ConservationIdleTime,
                                              ULONG PerformanceIdleTime, DEVICE_POWER_STATE State)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ULONG Timeout = PopIdleTime(DeviceObject, PerformanceIdleTime);
    if ((ConservationIdleTime == 0 && PerformanceIdleTime == 0) ||
        (PerformanceIdleTime == POP_CLASS_DEFAULT && Timeout == 0)) {
        PopEndIdle(DeviceObject);
        return NULL;
    }
    POP_IDLE *New = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*New), POP_TAG);
    if (New == NULL)
        return NULL;
    POP_IDLE *Idle = PopSetIdle(DeviceObject, New, Timeout, State);
    if (Idle != New)
        ExFreePoolWithTag(New, POP_TAG);
    return (PULONG)&Idle->Counter;
}

/* --- use: IRQL <= DISPATCH_LEVEL --- */

static POP_IDLE *PopIdleOf(PULONG Counter)
{
    return CONTAINING_RECORD((volatile ULONG *)Counter, POP_IDLE, Counter);
}

/* [WDK PoSetDeviceBusyEx] the countdown begins again. */
VOID NTAPI PoSetDeviceBusyEx(PULONG IdlePointer)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    PopIdleOf(IdlePointer)->Counter = 0;
}

/* [WDK PoStartDeviceBusy] the device is not idle until PoEndDeviceBusy was called as often. */
VOID NTAPI PoStartDeviceBusy(PULONG IdlePointer)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    InterlockedIncrement(&PopIdleOf(IdlePointer)->Busy);
}

/* [WDK PoEndDeviceBusy] the countdown begins with the last. */
VOID NTAPI PoEndDeviceBusy(PULONG IdlePointer)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    POP_IDLE *Idle = PopIdleOf(IdlePointer);
    Idle->Counter = 0;
    InterlockedDecrement(&Idle->Busy);
}

/* SPDX-License-Identifier: MIT
 * The I/O timer of a device: its routine is called once a second at DISPATCH_LEVEL. */
#include "iop.h"

struct _IO_TIMER {
    CSHORT Type;
    PDEVICE_OBJECT Device;
    PIO_TIMER_ROUTINE Routine;
    PVOID Context;
    KTIMER Timer;
    KDPC Dpc;
};

#define IOP_SECOND (-10000000LL)

static VOID NTAPI IopTimerTick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PIO_TIMER Timer = Context;
    IopCallTimer(Timer->Routine, Timer->Device, Timer->Context);
}

/* [WDK IoInitializeTimer] once per device; the timer is stopped. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoInitializeTimer(PDEVICE_OBJECT Device, PIO_TIMER_ROUTINE Routine, PVOID Context)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (Device->Timer == NULL) {
        Device->Timer = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(struct _IO_TIMER), IOP_TAG_TIMER);
        if (Device->Timer == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Device->Timer->Type = IO_TYPE_TIMER;
        Device->Timer->Device = Device;
        KeInitializeTimer(&Device->Timer->Timer);
        KeInitializeDpc(&Device->Timer->Dpc, IopTimerTick, Device->Timer);
    }
    Device->Timer->Routine = Routine;
    Device->Timer->Context = Context;
    return STATUS_SUCCESS;
}

/* [WDK IoStartTimer] IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoStartTimer(PDEVICE_OBJECT Device)
{
    LARGE_INTEGER First = {.QuadPart = IOP_SECOND};
    KeSetTimerEx(&Device->Timer->Timer, First, 1000, &Device->Timer->Dpc);
}

/* [WDK IoStopTimer] the routine is not called after it. Not from the routine itself. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoStopTimer(PDEVICE_OBJECT Device)
{
    KeCancelTimer(&Device->Timer->Timer);
    KeRemoveQueueDpc(&Device->Timer->Dpc);
}

VOID IopStopDeviceTimer(PDEVICE_OBJECT Device)
{
    if (Device->Timer != NULL)
        IoStopTimer(Device);
}

VOID IopFreeDeviceTimer(PDEVICE_OBJECT Device)
{
    if (Device->Timer == NULL)
        return;
    KeFlushQueuedDpcs();
    ExFreePoolWithTag(Device->Timer, IOP_TAG_TIMER);
}

/* SPDX-License-Identifier: MIT
 * The system goes to sleep and wakes up: each started device hears of it, what lies deepest first on the way down, the bus before what is on it on the
 * way up. All of one level are told at once. [WDK IRP_MN_QUERY_POWER, IRP_MN_SET_POWER, "System Power Actions"] */
#include "pop.h"
#include "hal.h"
#include "kd.h"
#include "pnp.h"

POWER_ACTION PopAction;
static LONG PopChanging; /* a change of the system's state is going on */

/* The requests are made before the first is sent: once the devices go down, nothing can fail for want of memory. */
typedef struct _POP_DEVICE {
    PDEVICE_OBJECT Pdo; /* the PnP manager keeps it */
    ULONG Level;
    BOOLEAN Asked;
    NTSTATUS Status;                /* of the last request */
    POP_REQUEST *Query, *Down, *Up; /* NULL: not wanted, or used */
} POP_DEVICE;

typedef struct _POP_CHANGE {
    SYSTEM_POWER_STATE State;
    POWER_ACTION Action;
    BOOLEAN Ask;
    POP_DEVICE *Devices;
    ULONG Count, Levels;
    volatile LONG Left; /* requests of the level whose end is waited for */
    KEVENT Done;
} POP_CHANGE;

/* --- making the requests --- */

typedef struct _POP_TELL {
    POP_CHANGE *Change;
    POP_DEVICE *Device;
} POP_TELL;

/* Below DISPATCH_LEVEL or at it. */
static VOID PopDeviceTold(POP_REQUEST *Request)
{
    POP_TELL *Tell = Request->Context;
    POP_CHANGE *Change = Tell->Change;
    Tell->Device->Status = Request->Irp->IoStatus.Status;
    ExFreePoolWithTag(Tell, POP_TAG);
    PopFreeRequest(Request);
    if (InterlockedDecrement(&Change->Left) == 0)
        KeSetEvent(&Change->Done, IO_NO_INCREMENT, FALSE);
}

static POP_REQUEST *PopMakeTell(POP_CHANGE *Change, POP_DEVICE *Device, UCHAR Minor, SYSTEM_POWER_STATE State)
{
    POP_TELL *Tell = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Tell), POP_TAG);
    if (Tell == NULL)
        return NULL;
    *Tell = (POP_TELL){Change, Device};
    POP_REQUEST About = {.Queue = PopSystemQueue,
                         .Minor = Minor,
                         .State.SystemState = State,
                         .Done = PopDeviceTold,
                         .Context = Tell};
    POP_REQUEST *Request = PopMakeRequest(Device->Pdo, &About);
    if (Request == NULL)
        ExFreePoolWithTag(Tell, POP_TAG);
    return Request;
}

static VOID PopDropTell(POP_REQUEST *Request)
{
    if (Request == NULL)
        return;
    ExFreePoolWithTag(Request->Context, POP_TAG);
    PopFreeRequest(Request);
}

/* What was not used. */
static VOID PopDropDevices(POP_CHANGE *Change)
{
    for (ULONG i = 0; i < Change->Count; i++) {
        PopDropTell(Change->Devices[i].Query);
        PopDropTell(Change->Devices[i].Down);
        PopDropTell(Change->Devices[i].Up);
    }
    ExFreePoolWithTag(Change->Devices, POP_TAG);
}

static BOOLEAN PopMakeTells(POP_CHANGE *Change, POP_DEVICE *Device)
{
    BOOLEAN Returns = Change->State != PowerSystemShutdown;
    if (Change->Ask)
        Device->Query = PopMakeTell(Change, Device, IRP_MN_QUERY_POWER, Change->State);
    Device->Down = PopMakeTell(Change, Device, IRP_MN_SET_POWER, Change->State);
    if (Returns)
        Device->Up = PopMakeTell(Change, Device, IRP_MN_SET_POWER, PowerSystemWorking);
    return (Device->Query != NULL || !Change->Ask) && Device->Down != NULL &&
           (Device->Up != NULL || !Returns);
}

static NTSTATUS PopMakeDevices(POP_CHANGE *Change, const PNP_STARTED *Started, ULONG Count)
{
    BOOLEAN Made = TRUE;
    Change->Devices = ExAllocatePool2(POOL_FLAG_NON_PAGED, (Count + 1) * sizeof(*Change->Devices), POP_TAG);
    if (Change->Devices == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = 0; i < Count && Made; i++) {
        Change->Devices[i].Pdo = Started[i].Pdo;
        Change->Devices[i].Level = Started[i].Level;
        Change->Levels = max(Change->Levels, Started[i].Level);
        Made = PopMakeTells(Change, &Change->Devices[i]);
        Change->Count++;
    }
    if (Made)
        return STATUS_SUCCESS;
    PopDropDevices(Change);
    return STATUS_INSUFFICIENT_RESOURCES;
}

/* --- telling the devices --- */

/* [WDK IRP_MN_SET_POWER, "System power transition contexts"] where the system comes from and where it goes to. */
static VOID PopDescribe(POP_REQUEST *Request, POWER_ACTION Action, SYSTEM_POWER_STATE From)
{
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Request->Irp);
    SYSTEM_POWER_STATE_CONTEXT *Context = &Stack->Parameters.Power.SystemPowerStateContext;
    Stack->Parameters.Power.ShutdownType = Action;
    Context->ContextAsUlong = 0;
    Context->CurrentSystemState = (ULONG)From;
    Context->TargetSystemState = Context->EffectiveSystemState = (ULONG)Request->State.SystemState;
}

typedef struct _POP_WAVE {
    ULONG Field; /* offset of the request in POP_DEVICE */
    POWER_ACTION Action;
    SYSTEM_POWER_STATE From;
    BOOLEAN Up;        /* parents first */
    BOOLEAN OnlyAsked; /* those that were asked already */
    BOOLEAN Refusable; /* a level in which one refuses is the last */
} POP_WAVE;

/* STATUS_NOT_SUPPORTED: no driver of the stack has anything to say (D-281). */
static BOOLEAN PopIsRefusal(NTSTATUS Status)
{
    return !NT_SUCCESS(Status) && Status != STATUS_NOT_SUPPORTED;
}

static VOID PopTellOne(POP_DEVICE *Device, const POP_WAVE *Wave)
{
    POP_REQUEST **Field = (POP_REQUEST **)((PUCHAR)Device + Wave->Field), *Request = *Field;
    *Field = NULL;
    PopDescribe(Request, Wave->Action, Wave->From);
    Device->Asked = TRUE;
    PopSend(Request);
}

/* What the first of the level that refuses says. */
static NTSTATUS PopTellLevel(POP_CHANGE *Change, ULONG Level, const POP_WAVE *Wave)
{
    NTSTATUS Status = STATUS_SUCCESS;
    KeInitializeEvent(&Change->Done, NotificationEvent, FALSE);
    Change->Left = 1;
    for (ULONG i = 0; i < Change->Count; i++) {
        POP_DEVICE *Device = &Change->Devices[i];
        if (Device->Level != Level || (Wave->OnlyAsked && !Device->Asked))
            continue;
        InterlockedIncrement(&Change->Left);
        PopTellOne(Device, Wave);
    }
    if (InterlockedDecrement(&Change->Left) != 0)
        KeWaitForSingleObject(&Change->Done, Executive, KernelMode, FALSE, NULL);
    for (ULONG i = 0; i < Change->Count && NT_SUCCESS(Status); i++)
        if (Change->Devices[i].Level == Level && PopIsRefusal(Change->Devices[i].Status))
            Status = Change->Devices[i].Status;
    return Status;
}

static NTSTATUS PopTellAll(POP_CHANGE *Change, const POP_WAVE *Wave)
{
    for (ULONG i = 1; i <= Change->Levels; i++) {
        NTSTATUS Status = PopTellLevel(Change, Wave->Up ? i : Change->Levels + 1 - i, Wave);
        if (Wave->Refusable && !NT_SUCCESS(Status))
            return Status;
    }
    return STATUS_SUCCESS;
}

/* A driver cannot refuse what it is told, but it may have failed to do it. */
static VOID PopReportFailures(const POP_CHANGE *Change, PCSTR What)
{
    for (ULONG i = 0; i < Change->Count; i++)
        if (Change->Devices[i].Asked && PopIsRefusal(Change->Devices[i].Status))
            PnpTellDevice(Change->Devices[i].Pdo, What, Change->Devices[i].Status);
}

/* --- the change --- */

static NTSTATUS PopAsk(POP_CHANGE *Change)
{
    POP_WAVE Ask = {FIELD_OFFSET(POP_DEVICE, Query), Change->Action, PowerSystemWorking, FALSE, FALSE, TRUE};
    POP_WAVE Never = {FIELD_OFFSET(POP_DEVICE, Up), PowerActionNone, PowerSystemWorking, TRUE, TRUE, FALSE};
    if (!Change->Ask)
        return STATUS_SUCCESS;
    NTSTATUS Status = PopTellAll(Change, &Ask);
    if (!NT_SUCCESS(Status)) {
        PopReportFailures(Change, "refuses to sleep");
        PopAction = PowerActionNone;
        (void)PopTellAll(Change, &Never); /* [WDK IRP_MN_QUERY_POWER] the state does not change */
    }
    return Status;
}

/* [Win32 GUID_CONSOLE_DISPLAY_STATE, GUID_MONITOR_POWER_ON] */
static VOID PopSetDisplay(BOOLEAN On)
{
    PopChangeSetting(&PopConsoleDisplayState, On);
    PopChangeSetting(&PopMonitorPowerOn, On);
}

#define POP_STANDSTILL 100000u /* 10 ms of interrupt time */

/* Every processor, with nothing else: the time in which a machine would be without power (D-280). */
static ULONG_PTR NTAPI PopStandStill(ULONG_PTR Until)
{
    while (HalQueryInterruptTime() < Until) /* by the processor's counter: no clock interrupt comes here */
        YieldProcessor();
    return 0;
}

static VOID PopSleep(POP_CHANGE *Change)
{
    POP_WAVE Up = {FIELD_OFFSET(POP_DEVICE, Up), Change->Action, Change->State, TRUE, FALSE, FALSE};
    KdLog("po: the system sleeps (S%u), %lu devices", (unsigned)Change->State - PowerSystemWorking,
          Change->Count);
    KeFlushQueuedDpcs();
    (void)KeIpiGenericCall(PopStandStill, HalQueryInterruptTime() + POP_STANDSTILL);
    (void)PopTellAll(Change, &Up);
    PopReportFailures(Change, "failed to wake up");
    PopSetDisplay(TRUE);
    KdLog("po: the system works");
}

static NTSTATUS PopRunChange(const PNP_STARTED *Devices, ULONG Count, PVOID Context)
{
    POP_CHANGE *Change = Context;
    POP_WAVE Down = {FIELD_OFFSET(POP_DEVICE, Down), Change->Action, PowerSystemWorking, FALSE, FALSE, FALSE};
    NTSTATUS Status = PopMakeDevices(Change, Devices, Count);
    if (!NT_SUCCESS(Status))
        return Status;
    PopAction = Change->Action;
    Status = PopAsk(Change);
    if (NT_SUCCESS(Status)) {
        PopSetDisplay(FALSE);
        (void)PopTellAll(Change, &Down);
        PopReportFailures(Change, "failed to go to sleep");
        if (Change->State != PowerSystemShutdown)
            PopSleep(Change);
    }
    PopAction = PowerActionNone;
    PopDropDevices(Change);
    return Status;
}

NTSTATUS PopChangeSystemState(SYSTEM_POWER_STATE State, POWER_ACTION Action, BOOLEAN Ask)
{
    POP_CHANGE Change = {.State = State, .Action = Action, .Ask = Ask};
    if (InterlockedExchange(&PopChanging, TRUE))
        return STATUS_ALREADY_COMMITTED;
    NTSTATUS Status = PnpCallWithDevices(PopRunChange, &Change);
    InterlockedExchange(&PopChanging, FALSE);
    return Status;
}

VOID PoShutDownDevices(VOID)
{
    NTSTATUS Status = PopChangeSystemState(PowerSystemShutdown, PowerActionShutdownOff, FALSE);
    if (!NT_SUCCESS(Status))
        KdLogError("po: the devices were not told that the machine is switched off: status 0x%08lX",
                   (ULONG)Status);
}

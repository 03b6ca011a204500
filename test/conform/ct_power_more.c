/* SPDX-License-Identifier: MIT
 * What drivers register with the power manager, and requests that wait for a wake signal. [WDK PoRegisterDeviceForIdleDetection, PoStartDeviceBusy,
 * PoRegisterSystemState, PoCreatePowerRequest, PoRegisterPowerSettingCallback, IRP_MN_WAIT_WAKE, PoSetSystemWake] */
#include <initguid.h>
#include "ct.h"

DEFINE_GUID(AnySetting, 0x4e54424f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);

static PDEVICE_OBJECT Device;
static volatile LONG Downs;  /* IRP_MN_SET_POWER, PowerDeviceD3 */
static LARGE_INTEGER DownAt; /* interrupt time of the first */
static PIRP Waiting;         /* IRP_MN_WAIT_WAKE */

static VOID NTAPI CancelWait(PDEVICE_OBJECT Of, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Of);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Waiting = NULL;
    Irp->IoStatus.Status = STATUS_CANCELLED;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static NTSTATUS NTAPI Power(PDEVICE_OBJECT Of, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(Of);
    if (Stack->MinorFunction == IRP_MN_WAIT_WAKE) {
        CT_EQUAL(Stack->Parameters.WaitWake.PowerState, PowerSystemSleeping3);
        IoMarkIrpPending(Irp);
        Waiting = Irp;
        IoSetCancelRoutine(Irp, CancelWait);
        return STATUS_PENDING;
    }
    if (Stack->MinorFunction == IRP_MN_SET_POWER &&
        Stack->Parameters.Power.State.DeviceState == PowerDeviceD3) {
        if (Downs == 0) /* the time is there before who waits for the count sees it */
            DownAt.QuadPart = (LONGLONG)KeQueryInterruptTime();
        InterlockedIncrement(&Downs);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID Make(VOID)
{
    CtDriverObject->MajorFunction[IRP_MJ_POWER] = Power;
    CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device));
    Device->Flags = (Device->Flags | DO_POWER_PAGABLE) & ~(ULONG)DO_DEVICE_INITIALIZING;
    Downs = 0;
}

static VOID Pass(LONG Milliseconds)
{
    KeDelayExecutionThread(KernelMode, FALSE, &(LARGE_INTEGER){.QuadPart = -10000ll * Milliseconds});
}

/* --- idle detection --- */

static VOID IdleBusy(PULONG Counter)
{
    PoStartDeviceBusy(Counter);
    PoStartDeviceBusy(Counter);
    PoEndDeviceBusy(Counter);
    Pass(2500);
    CT_EQUAL(Downs, 0); /* begun twice, ended once */
    PoEndDeviceBusy(Counter);
    for (ULONG i = 0; i < 8; i++) {
        PoSetDeviceBusyEx(Counter);
        Pass(300);
    }
    CT_EQUAL(Downs, 0); /* the countdown began again each time */
}

static VOID Idle(VOID)
{
    Make();
    CT_CHECK(PoRegisterDeviceForIdleDetection(Device, 0, 0, PowerDeviceD3) == NULL);
    CT_CHECK(PoRegisterDeviceForIdleDetection(Device, (ULONG)-1, (ULONG)-1, PowerDeviceD3) == NULL);
    PULONG Counter = PoRegisterDeviceForIdleDetection(Device, 2, 2, PowerDeviceD3);
    CT_REQUIRE(Counter != NULL);
    IdleBusy(Counter);
    ULONG64 From = KeQueryInterruptTime();
    while (Downs == 0)
        Pass(20);
    CT_CHECK((ULONG64)DownAt.QuadPart - From > 9000000); /* the countdown began anew */
    CT_CHECK((ULONG64)DownAt.QuadPart - From < 40000000);
    Pass(1500);
    CT_EQUAL(Downs, 1); /* once for each time */
    CT_CHECK(PoRegisterDeviceForIdleDetection(Device, 1, 1, PowerDeviceD3) == Counter);
    while (Downs == 1)
        Pass(20);
    CT_CHECK(PoRegisterDeviceForIdleDetection(Device, 0, 0, PowerDeviceD3) == NULL);
    IoDeleteDevice(Device);
}

/* --- who needs the system --- */

static ULONG ExecutionState(VOID)
{
    ULONG State = 0xffff;
    CT_SUCCESS(ZwPowerInformation(SystemExecutionState, NULL, 0, &State, sizeof(State)));
    return State;
}

static VOID Demand(VOID)
{
    ULONG Small;
    CT_EQUAL(ExecutionState(), 0);
    PVOID Handle = PoRegisterSystemState(NULL, ES_SYSTEM_REQUIRED | ES_USER_PRESENT);
    CT_REQUIRE(Handle != NULL);
    CT_EQUAL(ExecutionState(), ES_SYSTEM_REQUIRED | ES_USER_PRESENT);
    CT_CHECK(PoRegisterSystemState(Handle, ES_DISPLAY_REQUIRED) == Handle);
    CT_EQUAL(ExecutionState(), ES_DISPLAY_REQUIRED);
    PoSetSystemState(ES_SYSTEM_REQUIRED); /* for the moment only */
    CT_EQUAL(ExecutionState(), ES_DISPLAY_REQUIRED);
    PoUnregisterSystemState(Handle);
    CT_EQUAL(ExecutionState(), 0);
    CT_STATUS(ZwPowerInformation(SystemExecutionState, NULL, 0, &Small, 1), STATUS_BUFFER_TOO_SMALL);
    CT_STATUS(ZwPowerInformation(SystemExecutionState, &Small, 4, &Small, 4), STATUS_INVALID_PARAMETER);
    CT_STATUS(ZwPowerInformation(SystemPowerCapabilities, NULL, 0, &Small, 4), STATUS_NOT_SUPPORTED);
}

static VOID Requested(VOID)
{
    PVOID Request = &Request;
    Make();
    CT_STATUS(PoCreatePowerRequest(&Request, NULL, NULL), STATUS_INVALID_PARAMETER);
    CT_CHECK(Request == NULL);
    CT_REQUIRE(CT_SUCCESS(PoCreatePowerRequest(&Request, Device, NULL)));
    CT_EQUAL(ExecutionState(), 0);
    CT_SUCCESS(PoSetPowerRequest(Request, PowerRequestSystemRequired));
    CT_SUCCESS(PoSetPowerRequest(Request, PowerRequestSystemRequired));
    CT_SUCCESS(PoClearPowerRequest(Request, PowerRequestSystemRequired));
    CT_EQUAL(ExecutionState(), ES_SYSTEM_REQUIRED);
    CT_SUCCESS(PoClearPowerRequest(Request, PowerRequestSystemRequired));
    CT_EQUAL(ExecutionState(), 0);
    CT_STATUS(PoSetPowerRequest(Request, (POWER_REQUEST_TYPE)77), STATUS_NOT_SUPPORTED);
    CT_STATUS(PoClearPowerRequest(Request, (POWER_REQUEST_TYPE)77), STATUS_NOT_SUPPORTED);
    PoDeletePowerRequest(Request);
    IoDeleteDevice(Device);
}

/* --- settings --- */

static ULONG Values[8];
static volatile LONG ValueCount;

static NTSTATUS NTAPI Setting(LPCGUID Guid, PVOID Value, ULONG Length, PVOID Context)
{
    CT_CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL && Length == sizeof(ULONG));
    CT_CHECK(IsEqualGUID(Guid, (const GUID *)Context));
    if (ValueCount < (LONG)RTL_NUMBER_OF(Values))
        Values[ValueCount++] = *(PULONG)Value;
    return STATUS_SUCCESS;
}

/* The value now, then each new one. */
static VOID Settings(VOID)
{
    PVOID Handle;
    CT_SUCCESS(PoRegisterPowerSettingCallback(NULL, &GUID_ACDC_POWER_SOURCE, Setting,
                                              (PVOID)&GUID_ACDC_POWER_SOURCE, &Handle));
    CT_CHECK(ValueCount == 1 && Values[0] == PoAc);
    CT_SUCCESS(PoUnregisterPowerSettingCallback(Handle));
    ValueCount = 0;
    CT_SUCCESS(PoRegisterPowerSettingCallback(NULL, &AnySetting, Setting, (PVOID)&AnySetting, &Handle));
    CT_EQUAL(ValueCount, 0); /* nobody knows its value */
    CT_SUCCESS(PoUnregisterPowerSettingCallback(Handle));
    CT_SUCCESS(PoRegisterPowerSettingCallback(NULL, &GUID_CONSOLE_DISPLAY_STATE, Setting,
                                              (PVOID)&GUID_CONSOLE_DISPLAY_STATE, &Handle));
    CT_SUCCESS(ZwInitiatePowerAction(PowerActionSleep, PowerSystemSleeping3, 0, FALSE));
    CT_CHECK(ValueCount == 3 && Values[0] == 1 && Values[1] == 0 && Values[2] == 1);
    CT_SUCCESS(PoUnregisterPowerSettingCallback(Handle));
    CT_SUCCESS(ZwInitiatePowerAction(PowerActionSleep, PowerSystemSleeping3, 0, FALSE));
    CT_EQUAL(ValueCount, 3);
}

/* --- waiting for a wake signal --- */

static ULONG WakesDone;
static NTSTATUS WakeStatus;

static VOID NTAPI WakeDone(PDEVICE_OBJECT Of, UCHAR Minor, POWER_STATE State, PVOID Context,
                           PIO_STATUS_BLOCK Iosb)
{
    CT_CHECK(Of == Device && Minor == IRP_MN_WAIT_WAKE && Context == &WakesDone);
    CT_EQUAL(State.SystemState, PowerSystemSleeping3);
    WakeStatus = Iosb->Status;
    WakesDone++;
}

static PIRP WaitForWake(VOID)
{
    POWER_STATE Lowest = {.SystemState = PowerSystemSleeping3};
    PIRP Irp = NULL;
    CT_STATUS(PoRequestPowerIrp(Device, IRP_MN_WAIT_WAKE, Lowest, WakeDone, &WakesDone, &Irp),
              STATUS_PENDING);
    CT_CHECK(Irp != NULL && Irp == Waiting);
    return Irp;
}

/* It is pending through the device's other requests; it ends when it is cancelled or the signal comes. */
static VOID Wake(VOID)
{
    POWER_STATE D3 = {.DeviceState = PowerDeviceD3};
    Make();
    PIRP Irp = WaitForWake();
    CT_REQUIRE(Waiting != NULL);
    CT_STATUS(PoRequestPowerIrp(Device, IRP_MN_SET_POWER, D3, NULL, NULL, NULL), STATUS_PENDING);
    CT_CHECK(Downs == 1 && WakesDone == 0);
    CT_CHECK(IoCancelIrp(Irp));
    CT_EQUAL(WakesDone, 1);
    CT_STATUS(WakeStatus, STATUS_CANCELLED);
    Irp = WaitForWake();
    CT_REQUIRE(Waiting != NULL);
    CT_CHECK(!PoGetSystemWake(Irp));
    PoSetSystemWake(Irp);
    CT_CHECK(PoGetSystemWake(Irp));
    IoSetCancelRoutine(Irp, NULL);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    CT_EQUAL(WakesDone, 2);
    CT_SUCCESS(WakeStatus);
    IoDeleteDevice(Device);
}

static const CT_CASE Cases[] = {{"power_more.idle", Idle},
                                {"power_more.demand", Demand},
                                {"power_more.request", Requested},
                                {"power_more.setting", Settings},
                                {"power_more.wake", Wake}};
CT_DRIVER(Cases)

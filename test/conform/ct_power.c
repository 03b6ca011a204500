/* SPDX-License-Identifier: MIT
 * Power requests of drivers, down a stack of two devices of ours, at once and pending. [WDK PoRequestPowerIrp, PoSetPowerState, IRP_MN_SET_POWER] */
#include "ct.h"

static PDEVICE_OBJECT Base, Top;
static UCHAR LastMinor;
static POWER_STATE LastState;
static POWER_STATE_TYPE LastType;
static ULONG Requests;
static NTSTATUS FirstStatus; /* that the request came with */
static BOOLEAN Hold;
static PIRP Held;

static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    if (Device == Top) {
        Requests++;
        FirstStatus = Irp->IoStatus.Status;
        LastMinor = Stack->MinorFunction;
        LastType = Stack->Parameters.Power.Type;
        LastState = Stack->Parameters.Power.State;
        PoStartNextPowerIrp(Irp);
        IoSkipCurrentIrpStackLocation(Irp);
        return PoCallDriver(Base, Irp);
    }
    if (Hold) {
        IoMarkIrpPending(Irp);
        Held = Irp;
        return STATUS_PENDING;
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    PoStartNextPowerIrp(Irp);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID MakeStack(VOID)
{
    CtDriverObject->MajorFunction[IRP_MJ_POWER] = Power;
    CT_REQUIRE(CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Base)));
    CT_REQUIRE(CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Top)));
    CT_CHECK(IoAttachDeviceToDeviceStack(Top, Base) == Base);
    Base->Flags = (Base->Flags | DO_POWER_PAGABLE) & ~(ULONG)DO_DEVICE_INITIALIZING;
    Top->Flags = (Top->Flags | DO_POWER_PAGABLE) & ~(ULONG)DO_DEVICE_INITIALIZING;
}

static ULONG Completions;
static KEVENT Completed;

static VOID NTAPI Complete(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                           PIO_STATUS_BLOCK Iosb)
{
    CT_CHECK(Device == Base && Context == &Completions);
    CT_CHECK(Minor == IRP_MN_SET_POWER && State.DeviceState == PowerDeviceD3);
    CT_SUCCESS(Iosb->Status);
    Completions++;
    KeSetEvent(&Completed, IO_NO_INCREMENT, FALSE);
}

static VOID Request(VOID)
{
    POWER_STATE D3 = {.DeviceState = PowerDeviceD3};
    MakeStack();
    KeInitializeEvent(&Completed, SynchronizationEvent, FALSE);
    CT_STATUS(PoRequestPowerIrp(Base, IRP_MN_SET_POWER, D3, Complete, &Completions, NULL), STATUS_PENDING);
    CT_SUCCESS(KeWaitForSingleObject(&Completed, Executive, KernelMode, FALSE, NULL));
    CT_CHECK(Requests == 1 && LastMinor == IRP_MN_SET_POWER && LastType == DevicePowerState &&
             LastState.DeviceState == PowerDeviceD3);
    CT_STATUS(FirstStatus, STATUS_NOT_SUPPORTED);
    CT_STATUS(PoRequestPowerIrp(Base, IRP_MN_POWER_SEQUENCE, D3, NULL, NULL, NULL),
              STATUS_INVALID_PARAMETER_2);
    CT_SUCCESS(KeDelayExecutionThread(KernelMode, FALSE, &(LARGE_INTEGER){.QuadPart = 0}));
    CT_EQUAL(Requests, 1);
}

static VOID Pended(VOID)
{
    POWER_STATE D3 = {.DeviceState = PowerDeviceD3};
    PIRP Irp = NULL;
    Hold = TRUE;
    CT_STATUS(PoRequestPowerIrp(Base, IRP_MN_SET_POWER, D3, Complete, &Completions, &Irp), STATUS_PENDING);
    CT_REQUIRE(Held != NULL && Held == Irp);
    CT_EQUAL(Completions, 1);
    Held->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Held, IO_NO_INCREMENT);
    CT_SUCCESS(KeWaitForSingleObject(&Completed, Executive, KernelMode, FALSE, NULL));
    CT_EQUAL(Completions, 2);
    Hold = FALSE;
    CT_STATUS(PoRequestPowerIrp(Base, IRP_MN_QUERY_POWER, D3, NULL, NULL, NULL),
              STATUS_PENDING); /* nobody wants to know */
    CT_CHECK(LastMinor == IRP_MN_QUERY_POWER);
}

static VOID State(VOID)
{
    POWER_STATE D2 = {.DeviceState = PowerDeviceD2}, D0 = {.DeviceState = PowerDeviceD0},
                S3 = {.SystemState = PowerSystemSleeping3};
    CT_EQUAL(PoSetPowerState(Base, DevicePowerState, D2).DeviceState, PowerDeviceD0);
    CT_EQUAL(PoSetPowerState(Base, DevicePowerState, D0).DeviceState, PowerDeviceD2);
    CT_EQUAL(PoSetPowerState(Base, SystemPowerState, S3).SystemState, PowerSystemWorking);
    CT_EQUAL(PoSetPowerState(Base, DevicePowerState, D0).DeviceState, PowerDeviceD0);
    IoDetachDevice(Base);
    IoDeleteDevice(Top);
    IoDeleteDevice(Base);
}

static const CT_CASE Cases[] = {{"power.request", Request}, {"power.pended", Pended}, {"power.state", State}};
CT_DRIVER(Cases)

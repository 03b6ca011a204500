/* SPDX-License-Identifier: MIT
 * When power requests of drivers are sent: one at a time to a stack, one at a time to devices that draw much current when they are switched on, at
 * PASSIVE_LEVEL to pageable stacks. [WDK PoRequestPowerIrp, IRP_MN_SET_POWER, "Setting Device Object Flags for Power Management"] */
#include "ct.h"

#define DEVICES 2
#define MOST 8

static PDEVICE_OBJECT Devices[DEVICES];
static PIRP Held[MOST]; /* in the order in which they came */
static PDEVICE_OBJECT HeldBy[MOST];
static KIRQL HeldAt[MOST];
static volatile LONG HeldCount, DoneCount;
static KEVENT Came;

static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    IoMarkIrpPending(Irp);
    LONG At = HeldCount;
    Held[At] = Irp;
    HeldBy[At] = Device;
    HeldAt[At] = KeGetCurrentIrql();
    InterlockedIncrement(&HeldCount);
    KeSetEvent(&Came, IO_NO_INCREMENT, FALSE);
    return STATUS_PENDING;
}

static VOID NTAPI Complete(PDEVICE_OBJECT Device, UCHAR Minor, POWER_STATE State, PVOID Context,
                           PIO_STATUS_BLOCK Iosb)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Minor);
    UNREFERENCED_PARAMETER(State);
    UNREFERENCED_PARAMETER(Context);
    CT_SUCCESS(Iosb->Status);
    InterlockedIncrement(&DoneCount);
}

static VOID Request(PDEVICE_OBJECT Device, DEVICE_POWER_STATE To)
{
    POWER_STATE State = {.DeviceState = To};
    CT_STATUS(PoRequestPowerIrp(Device, IRP_MN_SET_POWER, State, Complete, NULL, NULL), STATUS_PENDING);
}

static VOID EndHeld(LONG At)
{
    Held[At]->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Held[At], IO_NO_INCREMENT);
}

static VOID Make(ULONG Flags)
{
    CtDriverObject->MajorFunction[IRP_MJ_POWER] = Power;
    KeInitializeEvent(&Came, SynchronizationEvent, FALSE);
    HeldCount = DoneCount = 0;
    for (ULONG i = 0; i < DEVICES; i++) {
        CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Devices[i]));
        Devices[i]->Flags = (Devices[i]->Flags | Flags) & ~(ULONG)DO_DEVICE_INITIALIZING;
    }
}

static VOID Delete(VOID)
{
    for (ULONG i = 0; i < DEVICES; i++)
        IoDeleteDevice(Devices[i]);
}

/* The second request of a stack is sent when the first is done; that of another stack at once. */
static VOID Queued(VOID)
{
    Make(DO_POWER_PAGABLE);
    Request(Devices[0], PowerDeviceD3);
    Request(Devices[0], PowerDeviceD0);
    CT_REQUIRE(HeldCount == 1);
    Request(Devices[1], PowerDeviceD0);
    CT_REQUIRE(HeldCount == 2 && HeldBy[1] == Devices[1]);
    EndHeld(0);
    CT_REQUIRE(HeldCount == 3 && HeldBy[2] == Devices[0]);
    CT_EQUAL(IoGetCurrentIrpStackLocation(Held[2])->Parameters.Power.State.DeviceState, PowerDeviceD0);
    CT_EQUAL(DoneCount, 1);
    EndHeld(1);
    EndHeld(2);
    CT_EQUAL(DoneCount, 3);
    Delete();
}

/* Only switching on draws the current. */
static VOID Inrush(VOID)
{
    Make(DO_POWER_INRUSH);
    Request(Devices[0], PowerDeviceD0);
    Request(Devices[1], PowerDeviceD0);
    CT_REQUIRE(HeldCount == 1);
    EndHeld(0);
    CT_REQUIRE(HeldCount == 2 && HeldBy[1] == Devices[1]);
    Request(Devices[0], PowerDeviceD3);
    CT_REQUIRE(HeldCount == 3);
    EndHeld(1);
    EndHeld(2);
    CT_EQUAL(DoneCount, 3);
    Delete();
}

/* Asked for at DISPATCH_LEVEL. */
static VOID Irql(VOID)
{
    KIRQL Old;
    Make(DO_POWER_PAGABLE);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    Request(Devices[0], PowerDeviceD3);
    KeLowerIrql(Old);
    CT_SUCCESS(KeWaitForSingleObject(&Came, Executive, KernelMode, FALSE, NULL));
    CT_REQUIRE(HeldCount == 1);
    CT_EQUAL(HeldAt[0], PASSIVE_LEVEL);
    EndHeld(0);
    CT_EQUAL(DoneCount, 1);
    Delete();
    Make(0);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    Request(Devices[0], PowerDeviceD3);
    KeLowerIrql(Old);
    CT_REQUIRE(HeldCount == 1);
    CT_EQUAL(HeldAt[0], DISPATCH_LEVEL);
    EndHeld(0);
    Delete();
}

static const CT_CASE Cases[] = {
    {"power_order.queue", Queued}, {"power_order.inrush", Inrush}, {"power_order.irql", Irql}};
CT_DRIVER(Cases)

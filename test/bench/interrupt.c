/* SPDX-License-Identifier: MIT
 * From the write that makes QEMU's edu device raise an interrupt to its service routine, and from there to its DPC: bench.py counts the instructions. It is
 * installed as edu_pnp.sys by the INF files of test/device: with one it has a line, with the other a message. */
#include "../device/device_driver.h"

#define EDU_STATUS 0x24
#define EDU_RAISE 0x60
#define EDU_ACKNOWLEDGE 0x64
#define ROUNDS 1000

struct DEVICE {
    DEVICE_COMMON Common;
    volatile ULONG *Registers;
    PVOID Connection;
    ULONG Version; /* CONNECT_...; 0: not connected */
    KDPC Dpc;
    ULONG64 Raised, Served;
    volatile ULONG64 Deferred;
};

static SIZE_T DeviceSize(VOID)
{
    return sizeof(DEVICE);
}

static ULONG64 Tsc(VOID)
{
    ULONG Low, High;
    __asm__ volatile("lfence\n\trdtsc" : "=a"(Low), "=d"(High) : : "memory");
    return (ULONG64)High << 32 | Low;
}

static VOID NTAPI Later(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    ((DEVICE *)Context)->Deferred = Tsc();
}

static BOOLEAN NTAPI ServeLine(PKINTERRUPT Interrupt, PVOID Context)
{
    DEVICE *Device = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    Device->Served = Tsc();
    ULONG Raised = Device->Registers[EDU_STATUS / 4];
    if (Raised == 0)
        return FALSE;
    Device->Registers[EDU_ACKNOWLEDGE / 4] = Raised;
    KeInsertQueueDpc(&Device->Dpc, NULL, NULL);
    return TRUE;
}

static BOOLEAN NTAPI ServeMessage(PKINTERRUPT Interrupt, PVOID Context, ULONG Id)
{
    UNREFERENCED_PARAMETER(Id);
    return ServeLine(Interrupt, Context);
}

static BOOLEAN ConnectDevice(DEVICE *Device)
{
    IO_CONNECT_INTERRUPT_PARAMETERS P = {.Version = CONNECT_MESSAGE_BASED};
    P.MessageBased.PhysicalDeviceObject = Device->Common.Pdo;
    P.MessageBased.ConnectionContext.Generic = &Device->Connection;
    P.MessageBased.MessageServiceRoutine = ServeMessage;
    P.MessageBased.FallBackServiceRoutine = ServeLine;
    P.MessageBased.ServiceContext = Device;
    if (!NT_SUCCESS(IoConnectInterruptEx(&P)))
        return FALSE;
    Device->Version = P.Version;
    return TRUE;
}

static VOID Measure(DEVICE *Device)
{
    ULONG64 ToService = 0, ToDpc = 0;
    PCSTR Kind = Device->Version == CONNECT_MESSAGE_BASED ? "message" : "line";
    for (ULONG i = 0; i < ROUNDS; i++) {
        Device->Deferred = 0;
        Device->Raised = Tsc();
        Device->Registers[EDU_RAISE / 4] = 1;
        while (Device->Deferred == 0)
            ;
        ToService += Device->Served - Device->Raised;
        ToDpc += Device->Deferred - Device->Served;
    }
    DbgPrint("op: %s interrupt to service routine: %I64u\n", Kind, ToService / ROUNDS);
    DbgPrint("op: %s service routine to DPC: %I64u\n", Kind, ToDpc / ROUNDS);
}

static VOID Started(DEVICE *Device)
{
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Memory =
        FindResource(Device->Common.Translated, CmResourceTypeMemory, 0);
    if (Memory == NULL)
        return;
    Device->Registers = MmMapIoSpace(Memory->u.Memory.Start, PAGE_SIZE, MmNonCached);
    KeInitializeDpc(&Device->Dpc, Later, Device);
    if (Device->Registers != NULL && ConnectDevice(Device))
        Measure(Device);
}

static VOID Stopped(DEVICE *Device)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS P = {.Version = Device->Version};
    P.ConnectionContext.Generic = Device->Connection;
    if (Device->Version != 0)
        IoDisconnectInterruptEx(&P);
    if (Device->Registers != NULL)
        MmUnmapIoSpace((PVOID)Device->Registers, PAGE_SIZE);
    Device->Version = 0;
    Device->Registers = NULL;
}

static VOID Removed(DEVICE *Device)
{
    UNREFERENCED_PARAMETER(Device);
}

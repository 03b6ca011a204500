/* SPDX-License-Identifier: MIT
 * Power states of a function, by its PM capability. Below D0 it may forget its configuration, which is written again when it comes back.
 * [PCI Power Management 1.2, 3.2, 5.4; WDK IRP_MN_SET_POWER, "Handling Device Power-Down IRPs"] */
#include "pci.h"

#define CAPABILITIES 2 /* of the PM capability */
#define CAPABLE_OF_D1 0x0200u
#define CAPABLE_OF_D2 0x0400u
#define CONTROL_STATUS 4
#define STATE_BITS 3u
#define RECOVERY_MS 10 /* from D3 to D0 */

#define DECODES (PCI_ENABLE_IO_SPACE | PCI_ENABLE_MEMORY_SPACE | PCI_ENABLE_BUS_MASTER)

#define COMMAND_WORD (FIELD_OFFSET(PCI_COMMON_HEADER, Command) / 4)
#define HEADER_WORDS (sizeof(PCI_COMMON_HEADER) / 4)

VOID PciReadPowerCapability(PCI_FUNCTION *Function)
{
    Function->PowerCapability = PciFindCapability(Function, PCI_CAPABILITY_ID_POWER_MANAGEMENT);
    Function->Power = PowerDeviceD0;
    if (Function->PowerCapability == 0)
        return;
    USHORT Capable = PciRead16(Function, Function->PowerCapability + CAPABILITIES);
    Function->HasD1 = (Capable & CAPABLE_OF_D1) != 0;
    Function->HasD2 = (Capable & CAPABLE_OF_D2) != 0;
}

VOID PciSaveConfiguration(PCI_FUNCTION *Function)
{
    PciRead(Function, 0, Function->Saved, sizeof(Function->Saved));
}

/* From the end: what is decoded is the last but the identity, which cannot be written. The status, which clears what is written as one, is left. */
VOID PciRestoreConfiguration(const PCI_FUNCTION *Function)
{
    for (ULONG Word = HEADER_WORDS - 1; Word > COMMAND_WORD; Word--)
        if (PciRead32(Function, Word * 4) != Function->Saved[Word])
            PciWrite32(Function, Word * 4, Function->Saved[Word]);
    PciWrite16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command), (USHORT)Function->Saved[COMMAND_WORD]);
    PciWriteMessages(Function);
}

static VOID Wait(ULONG Milliseconds)
{
    LARGE_INTEGER Time = {.QuadPart = -10000LL * Milliseconds};
    if (KeGetCurrentIrql() <= APC_LEVEL)
        KeDelayExecutionThread(KernelMode, FALSE, &Time);
    else
        KeStallExecutionProcessor(Milliseconds * 1000);
}

static VOID WriteState(const PCI_FUNCTION *Function, DEVICE_POWER_STATE State)
{
    ULONG At = Function->PowerCapability + CONTROL_STATUS;
    PciWrite16(Function, At,
               (PciRead16(Function, At) & (USHORT)~STATE_BITS) | (USHORT)(State - PowerDeviceD0));
}

/* [PCI Power Management 1.2, 3.2.4] a state that it does not have would be ignored. */
static BOOLEAN HasState(const PCI_FUNCTION *Function, DEVICE_POWER_STATE State)
{
    return State == PowerDeviceD0 || State == PowerDeviceD3 || (State == PowerDeviceD1 && Function->HasD1) ||
           (State == PowerDeviceD2 && Function->HasD2);
}

/* [PCI Power Management 1.2, 5.4.1] below D0 it answers in configuration space only; one without the capability the same. */
static VOID LeaveD0(PCI_FUNCTION *Function)
{
    PciSaveConfiguration(Function);
    PciWrite16(Function, FIELD_OFFSET(PCI_COMMON_HEADER, Command),
               (USHORT)Function->Saved[COMMAND_WORD] & (USHORT)~DECODES);
}

NTSTATUS PciSetPower(PCI_FUNCTION *Function, DEVICE_POWER_STATE State)
{
    DEVICE_POWER_STATE Before = Function->Power;
    if (!HasState(Function, State))
        return STATUS_INVALID_PARAMETER;
    Function->Power = State;
    if (State == Before || !Function->Present)
        return STATUS_SUCCESS;
    if (Before == PowerDeviceD0)
        LeaveD0(Function);
    if (Function->PowerCapability != 0)
        WriteState(Function, State);
    if (State != PowerDeviceD0)
        return STATUS_SUCCESS;
    if (Function->PowerCapability != 0)
        Wait(RECOVERY_MS);
    PciRestoreConfiguration(Function);
    return STATUS_SUCCESS;
}

static NTSTATUS SetPower(PCI_FUNCTION *Function, PIO_STACK_LOCATION Stack)
{
    if (Stack->Parameters.Power.Type != DevicePowerState)
        return STATUS_SUCCESS;
    NTSTATUS Status = PciSetPower(Function, Stack->Parameters.Power.State.DeviceState);
    if (NT_SUCCESS(Status))
        PoSetPowerState(Function->Device, DevicePowerState, Stack->Parameters.Power.State);
    return Status;
}

static NTSTATUS QueryPower(const PCI_FUNCTION *Function, PIO_STACK_LOCATION Stack)
{
    BOOLEAN Known = Stack->Parameters.Power.Type != DevicePowerState ||
                    HasState(Function, Stack->Parameters.Power.State.DeviceState);
    return Known ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS PciFunctionPower(PCI_FUNCTION *Function, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = Irp->IoStatus.Status;
    if (Stack->MinorFunction == IRP_MN_SET_POWER)
        Status = SetPower(Function, Stack);
    else if (Stack->MinorFunction == IRP_MN_QUERY_POWER)
        Status = QueryPower(Function, Stack);
    PoStartNextPowerIrp(Irp);
    return PciComplete(Irp, Status, Irp->IoStatus.Information);
}

/* SPDX-License-Identifier: MIT
 * Power requests to a bus. While the system sleeps, its devices are without power: a bridge holds the bus behind it in reset, which takes from the
 * functions what they knew, and gives them their configuration back when the system works again. What a function's driver had told its device,
 * the driver must tell it again. On the root bus there is no such reset: those functions only decode nothing below D0 (D-280).
 * [PCI-to-PCI Bridge 1.2, 3.2.5.17 (Secondary Bus Reset); PCI Express 3.0, 6.6.1] */
#include "pci.h"

#define CONTROL FIELD_OFFSET(PCI_COMMON_HEADER, u.type1.BridgeControl)
#define RESET 0x40u
#define HOLD_MS 1       /* in reset, at least */
#define RECOVERY_MS 100 /* from its end to the first access */

static VOID Pause(ULONG Milliseconds)
{
    LARGE_INTEGER Time = {.QuadPart = -10000LL * Milliseconds};
    KeDelayExecutionThread(KernelMode, FALSE, &Time);
}

static BOOLEAN IsOn(const PCI_FUNCTION *Function)
{
    return Function->Present && Function->Power == PowerDeviceD0;
}

/* Those below D0 have saved theirs. The list is not changed meanwhile: no PnP request is on its way. */
static VOID GoToSleep(PCI_BUS *Bus)
{
    if (Bus->Bridge == NULL || Bus->InReset || Bus->Number == 0)
        return;
    for (PLIST_ENTRY E = Bus->Functions.Flink; E != &Bus->Functions; E = E->Flink) {
        PCI_FUNCTION *Function = CONTAINING_RECORD(E, PCI_FUNCTION, Entry);
        if (IsOn(Function))
            PciSaveConfiguration(Function);
    }
    PciWrite16(Bus->Bridge, CONTROL, PciRead16(Bus->Bridge, CONTROL) | RESET);
    Bus->InReset = TRUE;
}

/* The bridge has its own configuration, with the reset, from the bus above. */
static VOID WakeUp(PCI_BUS *Bus)
{
    if (!Bus->InReset)
        return;
    Bus->InReset = FALSE;
    Pause(HOLD_MS);
    PciWrite16(Bus->Bridge, CONTROL, PciRead16(Bus->Bridge, CONTROL) & (USHORT)~RESET);
    if (!IsListEmpty(&Bus->Functions))
        Pause(RECOVERY_MS);
    PciWakeSlot(Bus);
    for (PLIST_ENTRY E = Bus->Functions.Flink; E != &Bus->Functions; E = E->Flink) {
        PCI_FUNCTION *Function = CONTAINING_RECORD(E, PCI_FUNCTION, Entry);
        if (IsOn(Function))
            PciRestoreConfiguration(Function);
    }
}

static BOOLEAN Sleeps(SYSTEM_POWER_STATE State)
{
    return State >= PowerSystemSleeping1 && State <= PowerSystemHibernate;
}

/* Its devices went before it and come after it. [WDK IRP_MN_SET_POWER] */
NTSTATUS PciBusPower(PCI_BUS *Bus, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    SYSTEM_POWER_STATE State = Stack->Parameters.Power.State.SystemState;
    BOOLEAN Changes =
        Stack->MinorFunction == IRP_MN_SET_POWER && Stack->Parameters.Power.Type == SystemPowerState;
    PoStartNextPowerIrp(Irp);
    if (Changes && Sleeps(State))
        GoToSleep(Bus);
    if (Changes && State == PowerSystemWorking && Bus->InReset) {
        NTSTATUS Status =
            IoForwardIrpSynchronously(Bus->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
        WakeUp(Bus);
        return PciComplete(Irp, Status, Irp->IoStatus.Information);
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(Bus->Lower, Irp);
}

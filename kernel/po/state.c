/* SPDX-License-Identifier: MIT
 * What the power manager knows of a device's state, and how power requests are passed on. [WDK PoSetPowerState, PoCallDriver, PoStartNextPowerIrp] */
#include "pop.h"

/* [WDK PoCallDriver] since Windows Vista the same as IoCallDriver. */
NTSTATUS NTAPI PoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return IofCallDriver(DeviceObject, Irp);
}

/* [WDK PoStartNextPowerIrp] nothing to do since Windows Vista. */
VOID NTAPI PoStartNextPowerIrp(PIRP Irp)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
}

/* [WDK PoSetPowerState] the state before; a device that has told none is in PowerDeviceD0 and PowerSystemWorking. IRQL <= DISPATCH_LEVEL. */
POWER_STATE NTAPI PoSetPowerState(PDEVICE_OBJECT DeviceObject, POWER_STATE_TYPE Type, POWER_STATE State)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return IoExchangePowerState(DeviceObject, Type, State);
}

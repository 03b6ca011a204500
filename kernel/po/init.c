/* SPDX-License-Identifier: MIT
 * The beginning of the power manager, and what it looks for when a device or a driver goes. */
#include "pop.h"
#include "kd.h"
#include "pnp.h"

VOID PoInitSystem(ULONG Limit)
{
    PopInitWatch(Limit);
    PopInitIdle();
}

VOID PoDeviceDeleted(PDEVICE_OBJECT Device)
{
    PnpDeviceDeleted(Device);
    PopEndIdle(Device);
}

VOID PopReportLeak(PIM_MODULE Module, PCSTR Kind)
{
    KdLog("%s: a %s was left; it is taken out", Module->Name, Kind);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, Kind),
             KD_NUMBER(ReportKeyCount, 1));
}

VOID PoReportDriverLeaks(PIM_MODULE Module)
{
    PopReportSettingLeaks(Module);
    PopReportDemandLeaks(Module);
    PopReportFxLeaks(Module);
}

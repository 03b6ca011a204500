/* SPDX-License-Identifier: MIT
 * Tier 3, io: WMI. */
#pragma once
#include "iop.h"
#include <wmistr.h>

/* wmi_query.c, PASSIVE_LEVEL: IRP_MN_REGINFO_EX, or IRP_MN_REGINFO of drivers that do not know it; what is told is logged. */
VOID IopAskProvider(PDEVICE_OBJECT Device, ULONG Id, BOOLEAN Update);

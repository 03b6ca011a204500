/* SPDX-License-Identifier: MIT
 * Tier 2, po: the power manager for init. The PoXxx names are declared by the DDK headers. */
#pragma once
#include "nt.h"

struct _IM_MODULE;

/* PASSIVE_LEVEL, once, before the first device is started. Limit: milliseconds that a driver may hold a power request; 0: as built. */
VOID PoInitSystem(ULONG Limit);

/* PASSIVE_LEVEL, once, at the end of a run: each device that is started hears that the machine is switched off. */
VOID PoShutDownDevices(VOID);

/* While the machine stands still: which driver holds which power request. */
VOID PoReportHeldFrozen(VOID);

/* IO_UPCALLS. IRQL <= APC_LEVEL. */
VOID PoDeviceDeleted(PDEVICE_OBJECT Device);
/* The same, PASSIVE_LEVEL. */
VOID PoReportDriverLeaks(struct _IM_MODULE *Module);

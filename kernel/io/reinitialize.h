/* SPDX-License-Identifier: MIT
 * Tier 3, io: reinitialize routines. [WDK IoRegisterDriverReinitialization, IoRegisterBootDriverReinitialization, DRIVER_REINITIALIZE] */
#pragma once
#include "iop.h"

/* After a driver was loaded. PASSIVE_LEVEL. Calls the routines of
 * drivers whose DriverEntry has succeeded, those of boot drivers first, and again as long as they register again. */
VOID IopRunReinitialization(VOID);
/* Around the loading of many, PASSIVE_LEVEL: the routines are called at the end of it, not when each driver was loaded. */
VOID IopBeginDriverRound(VOID);
VOID IopEndDriverRound(VOID);
/* In a round, PASSIVE_LEVEL: the drivers of boot start were loaded and the devices started. Calls the routines of boot drivers. */
VOID IopEndBootRound(VOID);
/* The driver goes: its routines are not called any more. */
VOID IopForgetReinitialization(PDRIVER_OBJECT Driver);

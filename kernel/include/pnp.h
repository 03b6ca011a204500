/* SPDX-License-Identifier: MIT
 * Tier 2, pnp: the Plug and Play manager for init. The IoXxx names are declared by the DDK headers. */
#pragma once
#include "io.h"

/* PASSIVE_LEVEL, once, when the registry is there: the root of the device tree and the PnP thread. */
VOID PnpInitSystem(VOID);

/* PASSIVE_LEVEL, once, when the boot drivers are loaded: devices are found and started, as deep as the tree goes; returns when all are. */
VOID PnpStartDevices(VOID);

/* PASSIVE_LEVEL, at the end of a run, after the agent: all devices are removed, from the leaves up, so that their drivers unload. */
VOID PnpRemoveDevices(VOID);

/* IO_UPCALLS. The device object of a PDO goes. IRQL <= DISPATCH_LEVEL. */
VOID PnpFreeNode(IO_DEVICE_NODE *Node);
/* A device interface was enabled or disabled. PASSIVE_LEVEL. */
VOID PnpInterfaceChanged(const GUID *Class, PCUNICODE_STRING Name, BOOLEAN Enabled);
/* The last file of a stack that IoCloseStack closed has been closed. IRQL <= DISPATCH_LEVEL. */
VOID PnpFilesClosed(PDEVICE_OBJECT Pdo);

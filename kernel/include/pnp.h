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

/* A device that is started. Its PDO lives as long as the routine that it is given to runs. */
typedef struct _PNP_STARTED {
    PDEVICE_OBJECT Pdo;
    ULONG Level; /* 1: on the root */
} PNP_STARTED;

/* What the routine returns, in the PnP thread: no device comes or goes meanwhile. Parents stand before their children. PASSIVE_LEVEL.
 * STATUS_INSUFFICIENT_RESOURCES: it was not called. */
typedef NTSTATUS PNP_DEVICES_ROUTINE(const PNP_STARTED *Devices, ULONG Count, PVOID Context);
NTSTATUS PnpCallWithDevices(PNP_DEVICES_ROUTINE *Routine, PVOID Context);

/* To the log and the report. IRQL <= APC_LEVEL. */
VOID PnpTellDevice(PDEVICE_OBJECT Pdo, PCSTR What, NTSTATUS Status);

/* IO_UPCALLS. The device object of a PDO goes. IRQL <= DISPATCH_LEVEL. */
VOID PnpFreeNode(IO_DEVICE_NODE *Node);
/* A device interface was enabled or disabled. PASSIVE_LEVEL. */
VOID PnpInterfaceChanged(const GUID *Class, PCUNICODE_STRING Name, BOOLEAN Enabled);
/* A driver deletes a device: a PDO whose device is there is bug check 0xCA. IRQL <= APC_LEVEL. */
VOID PnpDeviceDeleted(PDEVICE_OBJECT Device);
/* What the driver has registered is reported and taken out. PASSIVE_LEVEL. */
VOID PnpReportDriverLeaks(struct _IM_MODULE *Module);
/* The last file of a stack that IoCloseStack closed has been closed. IRQL <= DISPATCH_LEVEL. */
VOID PnpFilesClosed(PDEVICE_OBJECT Pdo);

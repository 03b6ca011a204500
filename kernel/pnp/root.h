/* SPDX-License-Identifier: MIT
 * Tier 3, pnp: the root bus. Its devices are keys below Enum\Root: they are made by installers and by IoReportDetectedDevice. */
#pragma once
#include "pnpp.h"

/* Extension of the devices of \Driver\PnpManager. */
typedef struct _PNP_ROOT_DEVICE {
    PDEVICE_OBJECT Pdo;
    LIST_ENTRY Entry;        /* (p) in PnpRootDevices; empty for the root itself */
    UNICODE_STRING DeviceId; /* (c) "ROOT\FOO"; ObFreeName */
    UNICODE_STRING Instance; /* (c) "0000" */
    BOOLEAN Seen;            /* (p) its key is there */
} PNP_ROOT_DEVICE;

static inline PNP_ROOT_DEVICE *PnpRootDevice(PDEVICE_OBJECT Pdo)
{
    return Pdo->DeviceExtension;
}

/* root_keys.c: the devices whose keys are there, all with a PDO; those whose key is gone are not in the list any more. In the PnP thread. */
VOID PnpReadRootKeys(VOID);
extern LIST_ENTRY PnpRootDevices;       /* (p) */
extern PDRIVER_OBJECT PnpManagerDriver; /* (c) */
/* A PDO in the list. */
NTSTATUS PnpMakeRootDevice(PCUNICODE_STRING Device, PCUNICODE_STRING Instance, PNP_ROOT_DEVICE **Made);
VOID PnpDeleteRootDevice(PNP_ROOT_DEVICE *Device);

/* power.c: of a PDO of the kernel's own bus drivers. */
NTSTATUS NTAPI PnpAnswerPower(PDEVICE_OBJECT Pdo, PIRP Irp);

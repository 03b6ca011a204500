/* SPDX-License-Identifier: MIT
 * Tier 3, io: device interfaces, and what the PnP manager keeps of a physical device object. */
#pragma once
#include "iop.h"

/* NULL: the device is no PDO, or the PnP manager does not know it yet. */
static inline const IO_DEVICE_NODE *IopDeviceNode(PDEVICE_OBJECT Device)
{
    const IO_DEVICE_NODE *Node = IopDeviceState(Device)->DeviceNode;
    return Node != NULL && Node->InstancePath.Length != 0 ? Node : NULL;
}

/* The parts of an interface's name "\??\ROOT#FOO#0000#{guid}\reference"; they point into it. */
typedef struct _IOP_INTERFACE_NAME {
    UNICODE_STRING Device;    /* "ROOT#FOO#0000#{guid}" */
    UNICODE_STRING Class;     /* "{guid}" */
    UNICODE_STRING Reference; /* may be empty */
} IOP_INTERFACE_NAME;

/* interface_key.c, PASSIVE_LEVEL: below Control\DeviceClasses, as Windows has it: {guid}\##?#<Device>\#<Reference>. */
BOOLEAN IopParseInterface(PCUNICODE_STRING Name, IOP_INTERFACE_NAME *Parts);
/* The name of Reference (may be NULL) of a device; ObFreeName. */
NTSTATUS IopMakeInterfaceName(PCUNICODE_STRING InstancePath, const GUID *Class, PCUNICODE_STRING Reference,
                              PUNICODE_STRING Name);
NTSTATUS IopOpenInterfaceKey(const IOP_INTERFACE_NAME *Parts, BOOLEAN Create, PHANDLE Key);
NTSTATUS IopOpenSubKey(HANDLE Root, PCUNICODE_STRING Name, ACCESS_MASK Access, ULONG CreateOptions,
                       BOOLEAN Create, PHANDLE Key);
NTSTATUS IopRecordInterface(const IOP_INTERFACE_NAME *Parts, PCUNICODE_STRING InstancePath);
NTSTATUS IopRecordState(const IOP_INTERFACE_NAME *Parts, BOOLEAN Enabled);

VOID IopInitInterfaces(VOID);

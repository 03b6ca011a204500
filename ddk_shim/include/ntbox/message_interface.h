/* SPDX-License-Identifier: MIT
 * What the root of the PCI bus knows of the interrupt controllers, and tells its bus driver by IRP_MN_QUERY_INTERFACE: what a device has to write to raise a
 * message. Private to ntbox. */
#pragma once

#define NTBOX_MESSAGE_INTERFACE_GUID                                                                         \
    {0x5d2b6c1e, 0x9a34, 0x4f0b, {0x8c, 0x71, 0x2e, 0x60, 0xd3, 0x19, 0x47, 0xa5}}
#define NTBOX_MESSAGE_INTERFACE_VERSION 1

typedef struct NTBOX_MESSAGE_INTERFACE {
    USHORT Size;
    USHORT Version;
    PVOID Context;
    PINTERFACE_REFERENCE InterfaceReference;
    PINTERFACE_DEREFERENCE InterfaceDereference;
    /* Any IRQL. Vector and Processors are those of a raw message descriptor; the lowest of the processors gets it. */
    VOID(NTAPI *DescribeMessage)
    (PVOID Context, ULONG Vector, KAFFINITY Processors, PULONG64 Address, PULONG Data);
} NTBOX_MESSAGE_INTERFACE;

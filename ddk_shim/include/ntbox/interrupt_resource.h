/* SPDX-License-Identifier: MIT
 * What of interrupt resources the mingw-w64 headers lack: the whole of u.Interrupt of an IO_RESOURCE_DESCRIPTOR, of which they have the first two members, and
 * the name of the MSI-X interface. [WDK IO_RESOURCE_DESCRIPTOR, "Dynamically Configuring MSI-X"] */
#pragma once

typedef struct NTBOX_INTERRUPT_REQUIREMENT {
    ULONG MinimumVector;
    ULONG MaximumVector;
    USHORT
    AffinityPolicy; /* IRQ_DEVICE_POLICY; this and the next with CM_RESOURCE_INTERRUPT_POLICY_INCLUDED only */
    USHORT Group;
    ULONG PriorityPolicy;         /* IRQ_PRIORITY */
    KAFFINITY TargetedProcessors; /* of IrqPolicySpecifiedProcessors */
} NTBOX_INTERRUPT_REQUIREMENT;
C_ASSERT(sizeof(NTBOX_INTERRUPT_REQUIREMENT) == sizeof(((IO_RESOURCE_DESCRIPTOR *)0)->u));
C_ASSERT(FIELD_OFFSET(NTBOX_INTERRUPT_REQUIREMENT, TargetedProcessors) == 16);

#define NTBOX_INTERRUPT_OF(Descriptor) ((NTBOX_INTERRUPT_REQUIREMENT *)(PVOID) & (Descriptor)->u)

#define NTBOX_MSIX_TABLE_CONFIG_INTERFACE                                                                    \
    {0x1a6a460b, 0x194f, 0x455d, {0xb3, 0x4b, 0xb8, 0x4c, 0x5b, 0x05, 0x71, 0x2b}}                           \
    /* GUID_MSIX_TABLE_CONFIG_INTERFACE */

/* SPDX-License-Identifier: MIT
 * What a scenario asks of the PCI bus driver: \Device\NtboxPci. Private to ntbox. */
#pragma once

typedef struct NTBOX_PCI_PLACE {
    unsigned char Bus, Device, Function, Reserved;
} NTBOX_PCI_PLACE;

/* Input: NTBOX_PCI_PLACE. The function there is gone from now on; done when its drivers have had IRP_MN_SURPRISE_REMOVAL or IRP_MN_REMOVE_DEVICE.
 * STATUS_NO_SUCH_DEVICE: there is none; STATUS_INVALID_DEVICE_REQUEST: it is a bridge; STATUS_IO_TIMEOUT: its drivers have not let it go. */
#define NTBOX_PCI_DEVICE "\\Device\\NtboxPci"
#define IOCTL_NTBOX_PCI_TAKE_AWAY                                                                            \
    0x0022a404u /* CTL_CODE(FILE_DEVICE_UNKNOWN, 0x901, METHOD_BUFFERED, FILE_WRITE_ACCESS) */

/* SPDX-License-Identifier: MIT
 * Loads an empty interrupt descriptor table in a dispatch routine, then raises an exception: none of its handlers is found. */
#define DEVICE_NAME L"\\Device\\NtboxResets"
#include "control_device.h"

static NTSTATUS NTAPI Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    static const UCHAR Nothing[10];
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    __asm__ volatile("lidt %0\n\tud2" : : "m"(Nothing) : "memory");
    return STATUS_SUCCESS;
}

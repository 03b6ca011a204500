/* SPDX-License-Identifier: MIT
 * Switches the write protection of the kernel off, as hooks do, and leaves it so. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

#define CR0_WP 0x10000

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG64 Cr0;
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    __asm__ volatile("mov %%cr0, %0" : "=r"(Cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(Cr0 & ~(ULONG64)CR0_WP) : "memory");
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Loads CR3 with an address that holds no page tables: the next instruction cannot be fetched, nor any handler. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    __asm__ volatile("movq %0, %%cr3" : : "r"(0xffffff000ull) : "memory");
    return STATUS_SUCCESS;
}

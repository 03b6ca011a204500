/* SPDX-License-Identifier: MIT
 * An export driver: a DLL of the kernel. Nobody starts it; it is loaded because another driver imports from it, and goes with the
 * last one that does. [WDK "Creating Export Drivers"] */
#include <ntddk.h>
#define EXPORTER_ITSELF
#include "exporter.h"

#define EXPORTER_TAG 'tpxE' /* "Expt" */

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);
NTSTATUS NTAPI DllUnload(VOID);

/* Made by DllInitialize, before any client's code can call. */
static volatile LONG *Sum;

LONG NTAPI ExporterAdd(LONG Amount)
{
    return InterlockedExchangeAdd(Sum, Amount) + Amount;
}

/* PASSIVE_LEVEL, right after the image was loaded. RegistryPath: the service key of the DLL's name. */
NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    Sum = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Sum), EXPORTER_TAG);
    if (Sum == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Sum = 0;
    DbgPrint("exporter: DllInitialize, key %wZ\n", RegistryPath);
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL, when the last client is gone. */
NTSTATUS NTAPI DllUnload(VOID)
{
    DbgPrint("exporter: DllUnload, the sum was %d\n", (int)*Sum);
    ExFreePoolWithTag((PVOID)Sum, EXPORTER_TAG);
    return STATUS_SUCCESS;
}

/* Never called: linkers want an entry point. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_NOT_SUPPORTED;
}

/* SPDX-License-Identifier: MIT
 * Unloads while its interrupt is connected. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;

static BOOLEAN NTAPI Service(PKINTERRUPT Interrupt, PVOID Context)
{
    UNREFERENCED_PARAMETER(Interrupt);
    UNREFERENCED_PARAMETER(Context);
    return FALSE;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PKINTERRUPT Interrupt;
    KIRQL Irql;
    KAFFINITY Affinity;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    ULONG Vector = HalGetInterruptVector(Isa, 0, 8, 8, &Irql, &Affinity);
    return IoConnectInterrupt(&Interrupt, Service, NULL, NULL, Vector, Irql, Irql, Latched, FALSE, Affinity,
                              FALSE);
}

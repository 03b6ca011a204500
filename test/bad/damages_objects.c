/* SPDX-License-Identifier: MIT
 * Overwrites what is the system's in its driver object or its device object; the parameter Rule says what. The unload finds it.
 * [WDK DEVICE_OBJECT, DRIVER_OBJECT] */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DamagedUnload;
static PDEVICE_OBJECT Own;

static VOID NTAPI DamagedUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoDeleteDevice(Own);
}

static VOID ZeroDevice(VOID)
{
    RtlZeroMemory(Own, sizeof(*Own));
}

static VOID ForgetExtension(VOID)
{
    Own->DeviceObjectExtension = NULL;
}

static VOID ReplaceName(VOID)
{
    RtlInitUnicodeString(&Own->DriverObject->DriverName, L"\\Driver\\Mine");
}

static ULONG Parameter(PUNICODE_STRING RegistryPath)
{
    ULONG Rule = MAXULONG;
    RTL_QUERY_REGISTRY_TABLE Queries[] = {
        {.Flags = RTL_QUERY_REGISTRY_SUBKEY, .Name = (PWSTR)L"Parameters"},
        {.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK,
         .Name = (PWSTR)L"Rule",
         .EntryContext = &Rule,
         .DefaultType = REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT},
        {.Flags = 0},
    };
    (void)RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer, Queries, NULL, NULL);
    return Rule;
}

static VOID (*const Rules[])(VOID) = {ZeroDevice, ForgetExtension, ReplaceName};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Rule = Parameter(RegistryPath);
    if (Rule >= RTL_NUMBER_OF(Rules))
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Own);
    if (!NT_SUCCESS(Status))
        return Status;
    DriverObject->DriverUnload = DamagedUnload;
    Rules[Rule]();
    return STATUS_SUCCESS;
}

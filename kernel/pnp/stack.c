/* SPDX-License-Identifier: MIT
 * The drivers of a device put theirs on its stack: lower filters, the function driver, upper filters, those of the device before those of its class.
 * [WDK "Adding a PnP Device to a Running System", "Device Filter Driver Ordering"] */
#include "pnpp.h"
#include "ex.h"

static ULONG PnpLoadProblem(NTSTATUS Status)
{
    switch (Status) {
    case STATUS_PLUGPLAY_NO_DEVICE: /* its service is disabled */
        return CM_PROB_DISABLED_SERVICE;
    case STATUS_OBJECT_NAME_NOT_FOUND:
    case STATUS_OBJECT_PATH_NOT_FOUND:
    case STATUS_INVALID_PARAMETER:
    case STATUS_OBJECT_TYPE_MISMATCH:
        return CM_PROB_DRIVER_SERVICE_KEY_INVALID;
    default:
        return CM_PROB_DRIVER_FAILED_LOAD;
    }
}

/* A driver that is there for this device only goes when it does not take it. */
static NTSTATUS PnpAddDriver(PNP_NODE *Node, PCUNICODE_STRING Service, BOOLEAN Function)
{
    PDRIVER_OBJECT Driver;
    NTSTATUS Status = IoGetDriverOfService(Service, &Driver);
    if (!NT_SUCCESS(Status)) {
        PnpSetProblem(Node, PnpLoadProblem(Status), Status);
        return Status;
    }
    Status = Driver->DriverExtension->AddDevice != NULL ? IoCallAddDevice(Driver, Node->Pdo)
                                                        : STATUS_INVALID_DEVICE_REQUEST;
    if (Function || !NT_SUCCESS(Status))
        PnpNoteDriver(Node, Driver);
    if (!NT_SUCCESS(Status)) {
        PnpSetProblem(Node, CM_PROB_FAILED_ADD, Status);
        IoUnloadIdleDriver(Driver);
    }
    ObfDereferenceObject(Driver);
    return Status;
}

static NTSTATUS PnpAddFilters(PNP_NODE *Node, HANDLE Key, PCWSTR Name)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    UNICODE_STRING Service;
    ULONG At = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    if (Key == NULL || !NT_SUCCESS(PnpQueryValue(Key, Name, REG_MULTI_SZ, &Value)))
        return STATUS_SUCCESS;
    while (NT_SUCCESS(Status) && PnpNextText((const WCHAR *)Value->Data, Value->DataLength, &At, &Service))
        Status = PnpAddDriver(Node, &Service, FALSE);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
    return Status;
}

/* *Raw: no function driver is needed. */
static NTSTATUS PnpAddFunction(PNP_NODE *Node, HANDLE Device)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    NTSTATUS Status = PnpQueryValue(Device, L"Service", REG_SZ, &Value);
    if (!NT_SUCCESS(Status)) {
        if (Node->Capabilities.RawDeviceOK)
            return STATUS_SUCCESS; /* [WDK DEVICE_CAPABILITIES] its bus driver can drive it alone */
        PnpSetProblem(Node, CM_PROB_FAILED_INSTALL, Status);
        return Status;
    }
    UNICODE_STRING Service = PnpValueText(Value);
    Status = PnpAddDriver(Node, &Service, TRUE);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
    return Status;
}

static NTSTATUS PnpAddAll(PNP_NODE *Node, HANDLE Device, HANDLE Class)
{
    NTSTATUS Status = PnpAddFilters(Node, Device, L"LowerFilters");
    if (NT_SUCCESS(Status))
        Status = PnpAddFilters(Node, Class, L"LowerFilters");
    if (NT_SUCCESS(Status))
        Status = PnpAddFunction(Node, Device);
    if (NT_SUCCESS(Status))
        Status = PnpAddFilters(Node, Device, L"UpperFilters");
    if (NT_SUCCESS(Status))
        Status = PnpAddFilters(Node, Class, L"UpperFilters");
    return Status;
}

/* NULL: the device has no class. */
static HANDLE PnpOpenClassKey(HANDLE Device)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    HANDLE Key;
    if (!NT_SUCCESS(PnpQueryValue(Device, L"ClassGUID", REG_SZ, &Value)))
        return NULL;
    UNICODE_STRING Guid = PnpValueText(Value);
    NTSTATUS Status = PnpOpenKey(NULL, PNP_CONTROL_SET L"Control\\Class\\", &Guid, L"", KEY_READ, &Key);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
    return NT_SUCCESS(Status) ? Key : NULL;
}

/* The name of the software key, for who asks io for it. */
static VOID PnpReadDriverKey(PNP_NODE *Node, HANDLE Device)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    if (Node->Io.DriverKey.Length != 0 || !NT_SUCCESS(PnpQueryValue(Device, L"Driver", REG_SZ, &Value)))
        return;
    UNICODE_STRING Text = PnpValueText(Value);
    if (NT_SUCCESS(ObAllocateName(&Node->Io.DriverKey, Text.Length)))
        RtlAppendUnicodeStringToString(&Node->Io.DriverKey, &Text);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
}

/* A device that has a service is installed; one without gets the driver that fits best, if there is one. */
static VOID PnpEnsureInstalled(PNP_NODE *Node, HANDLE Device)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    if (NT_SUCCESS(PnpQueryValue(Device, L"Service", REG_SZ, &Value))) {
        ExFreePoolWithTag(Value, PNP_TAG_TEXT);
        PnpReadDriverKey(Node, Device);
        return;
    }
    NTSTATUS Status = PnpInstallDriver(Node, Device);
    if (!NT_SUCCESS(Status))
        return;
    PnpTell(Node, "installed", Status);
    PnpAskRequirementsAgain(
        Node); /* what the INF says may change them [WDK "Interrupt Affinity and Priority"] */
}

NTSTATUS PnpBuildStack(PNP_NODE *Node)
{
    HANDLE Device;
    NTSTATUS Status = PnpOpenNodeKey(Node, &Device);
    if (!NT_SUCCESS(Status)) {
        PnpSetProblem(Node, CM_PROB_REGISTRY, Status);
        return Status;
    }
    PnpEnsureInstalled(Node, Device);
    HANDLE Class = PnpOpenClassKey(Device);
    Status = PnpAddAll(Node, Device, Class);
    if (Class != NULL)
        ZwClose(Class);
    ZwClose(Device);
    if (NT_SUCCESS(Status))
        Node->State = DeviceNodeDriversAdded;
    else
        PnpDropStack(Node);
    return Status;
}

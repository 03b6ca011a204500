/* SPDX-License-Identifier: MIT
 * Devices that their drivers found themselves. [WDK IoReportDetectedDevice] */
#include "root.h"
#include "crt.h"
#include "ex.h"

typedef struct _PNP_DETECTED {
    PDRIVER_OBJECT Driver;
    INTERFACE_TYPE BusType;
    PCM_RESOURCE_LIST Resources;
    PIO_RESOURCE_REQUIREMENTS_LIST Requirements;
    PDEVICE_OBJECT Pdo;
} PNP_DETECTED;

/* "DETECTEDInternal\<driver>" and "DETECTED\<driver>": by them an INF could name it. */
static PCWSTR PnpBusName(INTERFACE_TYPE Type)
{
    switch (Type) {
    case Internal:
        return L"Internal";
    case Isa:
        return L"Isa";
    case Eisa:
        return L"Eisa";
    case PCIBus:
        return L"Pci";
    default:
        return L"";
    }
}

static NTSTATUS PnpRecordDetected(HANDLE Key, const PNP_DETECTED *Found)
{
    PUNICODE_STRING Service = &Found->Driver->DriverExtension->ServiceKeyName;
    WCHAR Ids[2 * PNP_MAX_ID + 1] = {0};
    _snwprintf(Ids, PNP_MAX_ID - 1, L"DETECTED%s\\%wZ", PnpBusName(Found->BusType), Service);
    ULONG At = (ULONG)wcslen(Ids) + 1;
    _snwprintf(Ids + At, PNP_MAX_ID - 1, L"DETECTED\\%wZ", Service);
    NTSTATUS Status = PnpSetData(Key, L"HardwareID", REG_MULTI_SZ, Ids, PnpListLength(Ids));
    if (NT_SUCCESS(Status))
        Status = PnpSetText(Key, L"Service", Service);
    return NT_SUCCESS(Status) ? PnpSetNumber(Key, L"Legacy", 1) : Status;
}

/* The first number of the driver that has no device yet. */
static NTSTATUS PnpMakeDetectedKey(const PNP_DETECTED *Found, PUNICODE_STRING Instance, PWSTR Room,
                                   ULONG Count)
{
    PUNICODE_STRING Service = &Found->Driver->DriverExtension->ServiceKeyName;
    for (ULONG Number = 0; Number < 10000; Number++) {
        WCHAR Suffix[8];
        HANDLE Key;
        _snwprintf(Suffix, RTL_NUMBER_OF(Suffix), L"\\%04lu", Number);
        if (NT_SUCCESS(PnpOpenKey(NULL, PNP_CONTROL_SET L"Enum\\Root\\", Service, Suffix, KEY_READ, &Key))) {
            ZwClose(Key);
            continue;
        }
        _snwprintf(Room, Count, L"%04lu", Number);
        RtlInitUnicodeString(Instance, Room);
        NTSTATUS Status =
            PnpMakeKey(NULL, PNP_CONTROL_SET L"Enum\\Root\\", Service, Suffix, REG_OPTION_VOLATILE, &Key);
        if (!NT_SUCCESS(Status))
            return Status;
        Status = PnpRecordDetected(Key, Found);
        ZwClose(Key);
        return Status;
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS PnpLinkDetected(PNP_ROOT_DEVICE *Device)
{
    PNP_NODE *Node = PnpMakeNode(Device->Pdo);
    if (Node == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ObfReferenceObject(Device->Pdo);
    Node->Reported = TRUE;
    Device->Pdo->Flags |= DO_BUS_ENUMERATED_DEVICE;
    PnpLinkNode(PnpRoot, Node);
    NTSTATUS Status = PnpIdentify(Node);
    if (!NT_SUCCESS(Status)) {
        PnpUnlinkNode(Node);
        return Status;
    }
    Node->State = DeviceNodeStarted; /* its driver drives it already */
    PnpTell(Node, "detected", STATUS_SUCCESS);
    return STATUS_SUCCESS;
}

static NTSTATUS PnpReportDetected(PVOID Context)
{
    PNP_DETECTED *Found = Context;
    UNICODE_STRING Instance, DeviceId;
    WCHAR Room[8];
    PNP_ROOT_DEVICE *Device;
    PUNICODE_STRING Service = &Found->Driver->DriverExtension->ServiceKeyName;
    NTSTATUS Status = PnpMakeDetectedKey(Found, &Instance, Room, RTL_NUMBER_OF(Room));
    if (NT_SUCCESS(Status))
        Status = ObAllocateName(&DeviceId, Service->Length + 5 * sizeof(WCHAR));
    if (!NT_SUCCESS(Status))
        return Status;
    RtlAppendUnicodeToString(&DeviceId, L"ROOT\\");
    RtlAppendUnicodeStringToString(&DeviceId, Service);
    Status = PnpMakeRootDevice(&DeviceId, &Instance, &Device);
    ObFreeName(&DeviceId);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PnpLinkDetected(Device);
    if (!NT_SUCCESS(Status)) {
        PnpDeleteRootDevice(Device);
        return Status;
    }
    Found->Pdo = Device->Pdo;
    return STATUS_SUCCESS;
}

/* [WDK IoReportDetectedDevice] PASSIVE_LEVEL. *DeviceObject NULL: a PDO is made, to which the driver attaches its device; else it is one that the driver
 * reports again, which needs no more than success here. The driver counts as started; it gets PnP requests from now on. */
NTSTATUS NTAPI IoReportDetectedDevice(PDRIVER_OBJECT DriverObject, INTERFACE_TYPE LegacyBusType,
                                      ULONG BusNumber, ULONG SlotNumber, PCM_RESOURCE_LIST ResourceList,
                                      PIO_RESOURCE_REQUIREMENTS_LIST ResourceRequirements,
                                      BOOLEAN ResourceAssigned, PDEVICE_OBJECT *DeviceObject)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PNP_DETECTED Found = {DriverObject, LegacyBusType, ResourceList, ResourceRequirements, NULL};
    if (*DeviceObject != NULL)
        return IoGetDeviceNode(*DeviceObject) != NULL ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    NTSTATUS Status = PnpCall(PnpReportDetected, &Found);
    if (NT_SUCCESS(Status))
        *DeviceObject = Found.Pdo;
    return Status;
}

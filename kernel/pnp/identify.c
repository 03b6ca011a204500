/* SPDX-License-Identifier: MIT
 * Who a new device is: its bus driver tells its IDs, texts and capabilities; the registry gets its key. What a driver tells is not trusted.
 * [WDK IRP_MN_QUERY_ID, "Device Identification Strings", Bug Check 0xCA] */
#include "pnpp.h"
#include "crt.h"
#include "ex.h"

/* Parameter 4 of bug check 0xCA, 3. */
static ULONG PnpIdNumber(BUS_QUERY_ID_TYPE Type)
{
    switch (Type) {
    case BusQueryDeviceID:
        return 1;
    case BusQueryInstanceID:
        return 2;
    case BusQueryHardwareIDs:
        return 3;
    default:
        return 4;
    }
}

/* [WDK Bug Check 0xCA] An ID has characters of 0x20 to 0x7F without the comma; a blank becomes an underscore later, a backslash is only for
 * device IDs and up. Length: characters up to the terminator, 0: it is none. */
static ULONG PnpIdLength(const WCHAR *Id)
{
    for (ULONG i = 0; i < PNP_MAX_ID; i++) {
        if (!MmIsAddressValid((PVOID)(Id + i)) || Id[i] > 0x7F || Id[i] == L',' ||
            (Id[i] != 0 && Id[i] < 0x20))
            return 0;
        if (Id[i] == 0)
            return i;
    }
    return 0;
}

static BOOLEAN PnpIdsAreValid(const WCHAR *Ids)
{
    ULONG At = 0;
    while (At < PNP_MAX_IDS && MmIsAddressValid((PVOID)(Ids + At)) && Ids[At] != 0) {
        ULONG Length = PnpIdLength(Ids + At);
        if (Length == 0)
            return FALSE;
        At += Length + 1;
    }
    return At < PNP_MAX_IDS && MmIsAddressValid((PVOID)(Ids + At));
}

static NTSTATUS PnpQueryValidId(PNP_NODE *Node, BUS_QUERY_ID_TYPE Type, PWSTR *Id)
{
    BOOLEAN List = Type == BusQueryHardwareIDs || Type == BusQueryCompatibleIDs;
    NTSTATUS Status = PnpQueryId(Node, Type, Id);
    if (!NT_SUCCESS(Status))
        return Status;
    if (List ? !PnpIdsAreValid(*Id) : PnpIdLength(*Id) == 0)
        KeBugCheckBlaming(Node->Pdo->DriverObject->DriverInit, PNP_DETECTED_FATAL_ERROR, 3,
                          (ULONG_PTR)Node->Pdo, (ULONG_PTR)*Id, PnpIdNumber(Type),
                          "a bus driver has told an ID that is too long, not terminated or has a character "
                          "that is not allowed");
    return STATUS_SUCCESS;
}

/* [WDK "Device Identification Strings"] blanks become underscores. */
static VOID PnpReplaceBlanks(PWSTR Text)
{
    for (; *Text != 0; Text++)
        if (*Text == L' ')
            *Text = L'_';
}

/* --- the instance path --- */

/* The same for each boot: made of the parent's path, kept in the parent's key. */
static NTSTATUS PnpParentPrefix(const PNP_NODE *Parent, PWSTR Prefix, ULONG Room)
{
    HANDLE Key;
    ULONG Hash = 0;
    UNICODE_STRING Text;
    RtlHashUnicodeString(&Parent->Io.InstancePath, TRUE, HASH_STRING_ALGORITHM_X65599, &Hash);
    _snwprintf(Prefix, Room, L"%lx&%lx&0", Parent->Level + 1, Hash);
    Prefix[Room - 1] = 0;
    RtlInitUnicodeString(&Text, Prefix);
    NTSTATUS Status = PnpOpenNodeKey(Parent, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = PnpSetText(Key, L"ParentIdPrefix", &Text);
    ZwClose(Key);
    return Status;
}

/* A bus that does not know more than its own devices gives IDs that are unique below it only. */
static NTSTATUS PnpMakeInstance(const PNP_NODE *Node, PCWSTR Id, PWSTR Instance, ULONG Room)
{
    WCHAR Prefix[32];
    if (Node->Capabilities.UniqueID && Id != NULL) {
        _snwprintf(Instance, Room, L"%s", Id);
    } else {
        NTSTATUS Status = PnpParentPrefix(Node->Parent, Prefix, RTL_NUMBER_OF(Prefix));
        if (!NT_SUCCESS(Status))
            return Status;
        _snwprintf(Instance, Room, Id != NULL ? L"%s&%s" : L"%s", Prefix, Id);
    }
    Instance[Room - 1] = 0;
    return STATUS_SUCCESS;
}

static NTSTATUS PnpSetPath(PNP_NODE *Node, PCWSTR Device, PCWSTR Instance)
{
    UNICODE_STRING Path;
    NTSTATUS Status = ObAllocateName(&Path, (ULONG)((wcslen(Device) + wcslen(Instance) + 1) * sizeof(WCHAR)));
    if (!NT_SUCCESS(Status))
        return Status;
    RtlAppendUnicodeToString(&Path, Device);
    RtlAppendUnicodeToString(&Path, L"\\");
    RtlAppendUnicodeToString(&Path, Instance);
    Node->Io.InstancePath = Path;
    return STATUS_SUCCESS;
}

/* [WDK Bug Check 0xCA] one bus driver must not report two devices by one name. A device that comes back while its last life is not over waits. */
static NTSTATUS PnpCheckUnique(const PNP_NODE *Node)
{
    for (PNP_NODE *Other = PnpDeepest(PnpRoot); Other != NULL; Other = PnpNextUp(Other, PnpRoot)) {
        if (Other == Node || !RtlEqualUnicodeString(&Other->Io.InstancePath, &Node->Io.InstancePath, TRUE))
            continue;
        if (Other->Reported)
            KeBugCheckBlaming(Node->Pdo->DriverObject->DriverInit, PNP_DETECTED_FATAL_ERROR, 1,
                              (ULONG_PTR)Node->Pdo, (ULONG_PTR)Other->Pdo, 0,
                              "two devices were reported with the same device ID and instance ID");
        return STATUS_DEVICE_BUSY;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS PnpFindPath(PNP_NODE *Node)
{
    WCHAR Instance[PNP_MAX_ID];
    PWSTR Device, Id;
    NTSTATUS Status = PnpQueryValidId(Node, BusQueryDeviceID, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    PnpReplaceBlanks(Device);
    if (!NT_SUCCESS(PnpQueryValidId(Node, BusQueryInstanceID, &Id)))
        Id = NULL;
    if (Id != NULL)
        PnpReplaceBlanks(Id);
    Status = PnpMakeInstance(Node, Id, Instance, RTL_NUMBER_OF(Instance));
    if (NT_SUCCESS(Status))
        Status = PnpSetPath(Node, Device, Instance);
    if (Id != NULL)
        ExFreePool(Id);
    ExFreePool(Device);
    return Status;
}

/* --- the key --- */

static VOID PnpRecordIds(PNP_NODE *Node, HANDLE Key, BUS_QUERY_ID_TYPE Type, PCWSTR Name)
{
    PWSTR Ids;
    if (!NT_SUCCESS(PnpQueryValidId(Node, Type, &Ids)))
        return;
    (void)PnpSetData(Key, Name, REG_MULTI_SZ, Ids, PnpListLength(Ids));
    ExFreePool(Ids);
}

/* A name that an INF has given stays. */
static VOID PnpRecordText(PNP_NODE *Node, HANDLE Key, DEVICE_TEXT_TYPE Type, PCWSTR Name)
{
    PWSTR Text;
    UNICODE_STRING Value;
    PKEY_VALUE_PARTIAL_INFORMATION Before;
    if (NT_SUCCESS(PnpQueryValue(Key, Name, REG_SZ, &Before))) {
        ExFreePoolWithTag(Before, PNP_TAG_TEXT);
        return;
    }
    if (!NT_SUCCESS(PnpQueryText(Node, Type, &Text)))
        return;
    RtlInitUnicodeString(&Value, Text);
    (void)PnpSetText(Key, Name, &Value);
    ExFreePool(Text);
}

/* [Win32 SPDRP_CAPABILITIES] */
static ULONG PnpCapabilityFlags(const DEVICE_CAPABILITIES *C)
{
    return C->LockSupported << 0 | C->EjectSupported << 1 | C->Removable << 2 | C->DockDevice << 3 |
           C->UniqueID << 4 | C->SilentInstall << 5 | C->RawDeviceOK << 6 | C->SurpriseRemovalOK << 7 |
           C->HardwareDisabled << 8 | C->NonDynamic << 9;
}

static NTSTATUS PnpRecordNode(PNP_NODE *Node)
{
    HANDLE Key;
    NTSTATUS Status = PnpMakeKey(NULL, PNP_CONTROL_SET L"Enum\\", &Node->Io.InstancePath, L"",
                                 REG_OPTION_NON_VOLATILE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    PnpRecordIds(Node, Key, BusQueryHardwareIDs, L"HardwareID");
    PnpRecordIds(Node, Key, BusQueryCompatibleIDs, L"CompatibleIDs");
    PnpRecordText(Node, Key, DeviceTextDescription, L"DeviceDesc");
    PnpRecordText(Node, Key, DeviceTextLocationInformation, L"LocationInformation");
    Status = PnpSetNumber(Key, L"Capabilities", PnpCapabilityFlags(&Node->Capabilities));
    if (NT_SUCCESS(Status) && Node->Capabilities.Address != MAXULONG)
        Status = PnpSetNumber(Key, L"Address", Node->Capabilities.Address);
    if (NT_SUCCESS(Status) && Node->Capabilities.UINumber != MAXULONG)
        Status = PnpSetNumber(Key, L"UINumber", Node->Capabilities.UINumber);
    if (NT_SUCCESS(Status))
        Status = PnpSetNumber(Key, L"ConfigFlags", PnpQueryNumber(Key, L"ConfigFlags", 0));
    ZwClose(Key);
    return Status;
}

/* The resources that the firmware has given it, and those that it needs. */
static VOID PnpAskResources(PNP_NODE *Node)
{
    if (Node->BootResources == NULL && !NT_SUCCESS(PnpQueryResources(Node, &Node->BootResources)))
        Node->BootResources = NULL;
    if (Node->Requirements == NULL && !NT_SUCCESS(PnpQueryRequirements(Node, &Node->Requirements)))
        Node->Requirements = NULL;
}

static VOID PnpAskBus(PNP_NODE *Node)
{
    PPNP_BUS_INFORMATION Bus;
    Node->HasBus = NT_SUCCESS(PnpQueryBus(Node, &Bus));
    if (!Node->HasBus)
        return;
    Node->Bus = *Bus;
    ExFreePool(Bus);
}

/* [WDK "Adding a PnP Device to a Running System"] */
NTSTATUS PnpIdentify(PNP_NODE *Node)
{
    NTSTATUS Status = STATUS_SUCCESS;
    (void)PnpQueryCapabilities(Node);
    if (Node->Io.InstancePath.Length == 0)
        Status = PnpFindPath(Node);
    if (NT_SUCCESS(Status))
        Status = PnpCheckUnique(Node);
    if (NT_SUCCESS(Status))
        Status = PnpRecordNode(Node);
    if (!NT_SUCCESS(Status))
        return Status;
    PnpAskBus(Node);
    PnpAskResources(Node);
    PnpReserveBootResources(Node);
    Node->State = DeviceNodeInitialized;
    return STATUS_SUCCESS;
}

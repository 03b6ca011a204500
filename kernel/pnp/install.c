/* SPDX-License-Identifier: MIT
 * A device gets its driver: what SetupAPI does on Windows when a device is new. Its hardware key gets Service, Driver and ClassGUID, its software key is
 * made below the class. [WDK "Registry Trees and Keys for Devices and Drivers"] */
#include "copy_key.h"
#include "match.h"
#include "crt.h"
#include "ex.h"

typedef struct _PNP_INSTALLATION {
    PNP_MATCH Match;
    HANDLE Device;                             /* Enum\<instance path> */
    HANDLE Package, Descriptor, Configuration; /* of the database */
    HANDLE Software;                           /* Control\Class\<class>\<number> */
} PNP_INSTALLATION;

static VOID PnpCloseIfOpen(HANDLE Key)
{
    if (Key != NULL)
        ZwClose(Key);
}

static NTSTATUS PnpOpenDatabase(PNP_INSTALLATION *I)
{
    UNICODE_STRING Package, Id, Configuration;
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    RtlInitUnicodeString(&Package, I->Match.Package);
    RtlInitUnicodeString(&Id, I->Match.Id);
    NTSTATUS Status =
        PnpOpenKey(NULL, PNP_DATABASE L"DriverPackages\\", &Package, L"", KEY_READ, &I->Package);
    if (NT_SUCCESS(Status))
        Status = PnpOpenKey(I->Package, L"Descriptors\\", &Id, L"", KEY_READ, &I->Descriptor);
    if (NT_SUCCESS(Status))
        Status = PnpQueryValue(I->Descriptor, L"Configuration", REG_SZ, &Value);
    if (!NT_SUCCESS(Status))
        return Status;
    Configuration = PnpValueText(Value);
    Status = PnpOpenKey(I->Package, L"Configurations\\", &Configuration, L"", KEY_READ, &I->Configuration);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
    return Status;
}

/* --- the software key: the first free number below the class --- */

static NTSTATUS PnpMakeSoftwareKey(PNP_INSTALLATION *I, PCUNICODE_STRING Class, PUNICODE_STRING DriverKey)
{
    for (ULONG Number = 0; Number < 10000; Number++) {
        WCHAR Suffix[8];
        HANDLE Key;
        _snwprintf(Suffix, RTL_NUMBER_OF(Suffix), L"\\%04lu", Number);
        if (NT_SUCCESS(
                PnpOpenKey(NULL, PNP_CONTROL_SET L"Control\\Class\\", Class, Suffix, KEY_READ, &Key))) {
            ZwClose(Key);
            continue;
        }
        NTSTATUS Status = ObAllocateName(DriverKey, Class->Length + (ULONG)sizeof(Suffix));
        if (!NT_SUCCESS(Status))
            return Status;
        RtlAppendUnicodeStringToString(DriverKey, Class);
        RtlAppendUnicodeToString(DriverKey, Suffix);
        return PnpMakeKey(NULL, PNP_CONTROL_SET L"Control\\Class\\", DriverKey, L"", REG_OPTION_NON_VOLATILE,
                          &I->Software);
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

static VOID PnpFillSoftwareKey(PNP_INSTALLATION *I)
{
    UNICODE_STRING Id;
    RtlInitUnicodeString(&Id, I->Match.Id);
    PnpCopyText(I->Descriptor, L"Description", I->Software, L"DriverDesc");
    PnpCopyText(I->Package, L"Provider", I->Software, L"ProviderName");
    PnpCopyText(I->Package, L"InfName", I->Software, L"InfPath");
    PnpCopyText(I->Package, L"DriverDate", I->Software, L"DriverDate");
    PnpCopyText(I->Package, L"DriverVersion", I->Software, L"DriverVersion");
    PnpCopyText(I->Configuration, L"InfSection", I->Software, L"InfSection");
    PnpCopyText(I->Configuration, L"InfSectionExt", I->Software, L"InfSectionExt");
    (void)PnpSetText(I->Software, L"MatchingDeviceId", &Id);
    PnpCopyNamed(I->Configuration, L"Driver", I->Software, NULL);
}

static VOID PnpFillDeviceKey(PNP_NODE *Node, PNP_INSTALLATION *I)
{
    UNICODE_STRING Empty = RTL_CONSTANT_STRING(L"");
    HANDLE Parameters;
    PnpCopyText(I->Descriptor, L"Description", I->Device, L"DeviceDesc");
    PnpCopyText(I->Descriptor, L"Manufacturer", I->Device, L"Mfg");
    PnpCopyText(I->Package, L"Class", I->Device, L"Class");
    PnpCopyText(I->Package, L"ClassGuid", I->Device, L"ClassGUID");
    (void)PnpSetText(I->Device, L"Driver", &Node->Io.DriverKey);
    if (NT_SUCCESS(
            PnpMakeKey(I->Device, L"Device Parameters", &Empty, L"", REG_OPTION_NON_VOLATILE, &Parameters))) {
        PnpCopyNamed(I->Configuration, L"Device", Parameters, I->Device);
        ZwClose(Parameters);
    }
    PnpInstallInterfaces(Node, I->Configuration);
    PnpCopyText(I->Configuration, L"Service", I->Device,
                L"Service"); /* last: with it the device counts as installed */
}

static NTSTATUS PnpInstall(PNP_NODE *Node, PNP_INSTALLATION *I)
{
    PKEY_VALUE_PARTIAL_INFORMATION Class;
    UNICODE_STRING DriverKey = {0};
    NTSTATUS Status = PnpOpenDatabase(I);
    if (NT_SUCCESS(Status))
        Status = PnpQueryValue(I->Package, L"ClassGuid", REG_SZ, &Class);
    if (!NT_SUCCESS(Status))
        return Status;
    UNICODE_STRING Guid = PnpValueText(Class);
    Status = PnpMakeSoftwareKey(I, &Guid, &DriverKey);
    ExFreePoolWithTag(Class, PNP_TAG_TEXT);
    if (!NT_SUCCESS(Status)) {
        ObFreeName(&DriverKey);
        return Status;
    }
    Node->Io.DriverKey = DriverKey;
    PnpFillSoftwareKey(I);
    PnpFillDeviceKey(Node, I);
    return STATUS_SUCCESS;
}

/* --- devices that the boot needs: they are not installed, but named once and for all. [WDK "Critical Device Database"] A backslash of the ID is a number sign. */

static NTSTATUS PnpInstallCriticalId(HANDLE Device, PCUNICODE_STRING Id)
{
    WCHAR Room[PNP_MAX_ID];
    UNICODE_STRING Name = {0, sizeof(Room), Room};
    HANDLE Key;
    NTSTATUS Status = RtlAppendUnicodeStringToString(&Name, Id);
    for (ULONG i = 0; i < Name.Length / sizeof(WCHAR); i++)
        if (Room[i] == OBJ_NAME_PATH_SEPARATOR)
            Room[i] = L'#';
    if (NT_SUCCESS(Status))
        Status = PnpOpenKey(NULL, PNP_CONTROL_SET L"Control\\CriticalDeviceDatabase\\", &Name, L"", KEY_READ,
                            &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    PnpCopyText(Key, L"ClassGUID", Device, L"ClassGUID");
    PnpCopyText(Key, L"Service", Device, L"Service");
    ZwClose(Key);
    return STATUS_SUCCESS;
}

static NTSTATUS PnpInstallCritical(HANDLE Device, PCWSTR List)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    UNICODE_STRING Id;
    ULONG At = 0;
    NTSTATUS Status = PnpQueryValue(Device, List, REG_MULTI_SZ, &Value);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = STATUS_OBJECT_NAME_NOT_FOUND;
    while (!NT_SUCCESS(Status) && PnpNextText((const WCHAR *)Value->Data, Value->DataLength, &At, &Id))
        Status = PnpInstallCriticalId(Device, &Id);
    ExFreePoolWithTag(Value, PNP_TAG_TEXT);
    return Status;
}

static NTSTATUS PnpInstallBest(PNP_NODE *Node, HANDLE Device)
{
    PNP_INSTALLATION *I = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*I), PNP_TAG_TEXT);
    if (I == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    I->Device = Device;
    NTSTATUS Status = PnpFindPackage(Device, &I->Match);
    if (NT_SUCCESS(Status))
        Status = PnpInstall(Node, I);
    PnpCloseIfOpen(I->Software);
    PnpCloseIfOpen(I->Configuration);
    PnpCloseIfOpen(I->Descriptor);
    PnpCloseIfOpen(I->Package);
    ExFreePoolWithTag(I, PNP_TAG_TEXT);
    return Status;
}

NTSTATUS PnpInstallDriver(PNP_NODE *Node, HANDLE Device)
{
    NTSTATUS Status = PnpInstallBest(Node, Device);
    if (!NT_SUCCESS(Status))
        Status = PnpInstallCritical(Device, L"HardwareID");
    return NT_SUCCESS(Status) ? Status : PnpInstallCritical(Device, L"CompatibleIDs");
}

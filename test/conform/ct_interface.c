/* SPDX-License-Identifier: MIT
 * Device interfaces without a PnP manager: what needs a PDO is refused to other devices; what the registry has is found. [WDK
 * IoRegisterDeviceInterface, IoGetDeviceInterfaces, IoSetDeviceInterfaceState, IoOpenDeviceInterfaceRegistryKey, IoGetDeviceInterfaceAlias] */
#include "ct.h"

#define CLASSES L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\DeviceClasses"
#define GUID1 L"{4e544258-0001-0002-0304-05060708090a}"
#define GUID2 L"{4e544259-0001-0002-0304-05060708090a}"

static const GUID Class1 = {0x4E544258, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};
static const GUID Class2 = {0x4E544259, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};
static UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\ROOT#CT#0000#" GUID1 L"\\ref");

static VOID NotPdo(VOID)
{
    PDEVICE_OBJECT Device;
    UNICODE_STRING Name;
    PWSTR List;
    HANDLE Key;
    CT_REQUIRE(CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)));
    CT_STATUS(IoRegisterDeviceInterface(Device, &Class1, NULL, &Name), STATUS_INVALID_DEVICE_REQUEST);
    CT_STATUS(IoOpenDeviceRegistryKey(Device, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &Key),
              STATUS_INVALID_DEVICE_REQUEST);
    CT_STATUS(IoGetDeviceInterfaces(&Class1, Device, 0, &List), STATUS_INVALID_DEVICE_REQUEST);
    IoDeleteDevice(Device);
}

static HANDLE MakeKey(PCWSTR Path)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key = NULL;
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwCreateKey(&Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, 0, NULL));
    return Key;
}

static const PCWSTR Paths[] = {
    CLASSES L"",
    CLASSES L"\\" GUID1,
    CLASSES L"\\" GUID1 L"\\##?#ROOT#CT#0000#" GUID1,
    CLASSES L"\\" GUID1 L"\\##?#ROOT#CT#0000#" GUID1 L"\\#ref",
    CLASSES L"\\" GUID2,
    CLASSES L"\\" GUID2 L"\\##?#ROOT#CT#0000#" GUID2,
    CLASSES L"\\" GUID2 L"\\##?#ROOT#CT#0000#" GUID2 L"\\#ref",
};

/* As a registration before the last start has left them. */
static VOID MakeInterfaces(VOID)
{
    static const WCHAR Text[] = L"\\\\?\\ROOT#CT#0000#" GUID1 L"\\ref";
    UNICODE_STRING Value = RTL_CONSTANT_STRING(L"SymbolicLink");
    for (ULONG i = 0; i < RTL_NUMBER_OF(Paths); i++) {
        HANDLE Key = MakeKey(Paths[i]);
        if (i == 3)
            CT_SUCCESS(ZwSetValueKey(Key, &Value, 0, REG_SZ, (PVOID)Text, sizeof(Text)));
        ZwClose(Key);
    }
}

static VOID DeleteInterfaces(VOID)
{
    HANDLE Key;
    CT_SUCCESS(IoOpenDeviceInterfaceRegistryKey(&Link, DELETE, &Key));
    CT_SUCCESS(ZwDeleteKey(Key));
    ZwClose(Key);
    for (ULONG i = RTL_NUMBER_OF(Paths); i > 1; i--) {
        Key = MakeKey(Paths[i - 1]);
        CT_SUCCESS(ZwDeleteKey(Key));
        ZwClose(Key);
    }
}

static VOID InRegistry(VOID)
{
    UNICODE_STRING Alias, Other = RTL_CONSTANT_STRING(L"\\??\\ROOT#CT#0001#" GUID1), Found;
    PWSTR List = NULL;
    HANDLE Key;
    CT_SUCCESS(IoGetDeviceInterfaces(&Class1, NULL, DEVICE_INTERFACE_INCLUDE_NONACTIVE, &List));
    CT_CHECK(List[0] == 0);
    ExFreePool(List);
    MakeInterfaces();
    CT_SUCCESS(IoGetDeviceInterfaces(&Class1, NULL, DEVICE_INTERFACE_INCLUDE_NONACTIVE, &List));
    RtlInitUnicodeString(&Found, List);
    CT_CHECK(RtlEqualUnicodeString(&Found, &Link, FALSE) &&
             Found.Buffer[Found.Length / sizeof(WCHAR) + 1] == 0);
    ExFreePool(List);
    CT_SUCCESS(IoGetDeviceInterfaces(&Class1, NULL, 0, &List)); /* not enabled */
    CT_CHECK(List[0] == 0);
    ExFreePool(List);
    CT_SUCCESS(IoOpenDeviceInterfaceRegistryKey(&Link, KEY_ALL_ACCESS, &Key));
    ZwClose(Key);
    CT_STATUS(IoOpenDeviceInterfaceRegistryKey(&Other, KEY_READ, &Key), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_REQUIRE(CT_SUCCESS(IoGetDeviceInterfaceAlias(&Link, &Class2, &Alias)));
    CT_CHECK(Alias.Length == Link.Length && Alias.Buffer[25] == L'9');
    CT_STATUS(IoGetDeviceInterfaceAlias(&Other, &Class2, &Found), STATUS_OBJECT_NAME_NOT_FOUND);
    RtlFreeUnicodeString(&Alias);
    CT_STATUS(IoSetDeviceInterfaceState(&Link, TRUE), STATUS_OBJECT_NAME_NOT_FOUND);
    DeleteInterfaces();
}

static const CT_CASE Cases[] = {{"interface.no_pdo", NotPdo}, {"interface.registry", InRegistry}};
CT_DRIVER(Cases)

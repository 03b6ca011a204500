/* SPDX-License-Identifier: MIT
 * Reading the registry, with the driver's own service key, which every system has: Type, ImagePath and so on. [WDK ZwOpenKey,
 * ZwQueryKey, ZwQueryValueKey, ZwEnumerateKey, ZwEnumerateValueKey, RtlCheckRegistryKey] */
#include "ct.h"

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services"

typedef union ROOM {
    KEY_BASIC_INFORMATION Basic;
    KEY_NODE_INFORMATION Node;
    KEY_FULL_INFORMATION Full;
    KEY_NAME_INFORMATION Name;
    KEY_VALUE_BASIC_INFORMATION ValueBasic;
    KEY_VALUE_FULL_INFORMATION ValueFull;
    KEY_VALUE_PARTIAL_INFORMATION Partial;
    UCHAR Bytes[1024];
} ROOM;

static ROOM Room;
static ULONG Length;

static NTSTATUS Open(PHANDLE Key, HANDLE Root, PUNICODE_STRING Name, ULONG Attributes)
{
    OBJECT_ATTRIBUTES Object;
    InitializeObjectAttributes(&Object, Name, OBJ_KERNEL_HANDLE | Attributes, Root, NULL);
    return ZwOpenKey(Key, KEY_READ, &Object);
}

static NTSTATUS OpenPath(PHANDLE Key, PCWSTR Path)
{
    UNICODE_STRING Name;
    RtlInitUnicodeString(&Name, Path);
    return Open(Key, NULL, &Name, OBJ_CASE_INSENSITIVE);
}

static BOOLEAN OpenService(PHANDLE Key)
{
    return CT_SUCCESS(Open(Key, NULL, &CtRegistryPath, OBJ_CASE_INSENSITIVE));
}

/* The service's name: the last component of the registry path. */
static UNICODE_STRING ServiceName(VOID)
{
    ULONG End = CtRegistryPath.Length / sizeof(WCHAR), Begin = End;
    while (Begin != 0 && CtRegistryPath.Buffer[Begin - 1] != L'\\')
        Begin--;
    UNICODE_STRING Name = {.Buffer = CtRegistryPath.Buffer + Begin};
    Name.Length = Name.MaximumLength = (USHORT)((End - Begin) * sizeof(WCHAR));
    return Name;
}

static BOOLEAN SameText(PCWCH Text, ULONG Bytes, PCUNICODE_STRING Other)
{
    UNICODE_STRING Name = {(USHORT)Bytes, (USHORT)Bytes, (PWCH)Text};
    return RtlEqualUnicodeString(&Name, Other, TRUE);
}

static VOID RegistryOpen(VOID)
{
    HANDLE Services, Key;
    UNICODE_STRING Name = ServiceName();
    CT_REQUIRE(CT_SUCCESS(OpenPath(&Services, SERVICES)));
    CT_REQUIRE(CT_SUCCESS(Open(&Key, Services, &Name, OBJ_CASE_INSENSITIVE)));
    CT_SUCCESS(ZwClose(Key));
    CT_REQUIRE(CT_SUCCESS(Open(&Key, Services, &Name, 0))); /* names of keys ignore case anyway */
    CT_SUCCESS(ZwClose(Key));
    CT_SUCCESS(ZwClose(Services));
    CT_STATUS(ZwClose(Services), STATUS_INVALID_HANDLE);

    CT_REQUIRE(CT_SUCCESS(OpenPath(&Key, L"\\REGISTRY\\machine\\SYSTEM\\currentcontrolset\\SERVICES")));
    CT_SUCCESS(ZwClose(Key));
    CT_REQUIRE(CT_SUCCESS(OpenPath(&Key, L"\\Registry")));
    CT_SUCCESS(ZwClose(Key));
    CT_STATUS(OpenPath(&Key, SERVICES L"\\NtboxNoSuchService"), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(OpenPath(&Key, SERVICES L"\\NtboxNoSuchService\\Parameters"), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(OpenPath(&Key, L"Registry\\Machine"), STATUS_OBJECT_PATH_SYNTAX_BAD);
}

/* Type is REG_DWORD 1, SERVICE_KERNEL_DRIVER. */
static VOID QueryType(HANDLE Key)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"tYPE");
    ULONG Fixed = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data), Value = 0;
    CT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, &Room, sizeof(Room), &Length));
    CT_EQUAL(Length, Fixed + sizeof(ULONG));
    CT_EQUAL(Room.Partial.Type, REG_DWORD);
    CT_EQUAL(Room.Partial.DataLength, sizeof(ULONG));
    RtlCopyMemory(&Value, Room.Partial.Data, sizeof(Value));
    CT_EQUAL(Value, 1);

    /* [WDK ZwQueryValueKey] too small for the fixed part: nothing is written; for the rest: what fits is. */
    RtlFillMemory(&Room, sizeof(Room), 0xEE);
    Length = 0;
    CT_STATUS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, &Room, Fixed - 1, &Length),
              STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Length, Fixed + sizeof(ULONG));
    CT_EQUAL(Room.Bytes[0], 0xEE);
    CT_STATUS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, &Room, Fixed + 2, &Length),
              STATUS_BUFFER_OVERFLOW);
    CT_EQUAL(Length, Fixed + sizeof(ULONG));
    CT_EQUAL(Room.Partial.DataLength, sizeof(ULONG));
    CT_EQUAL(Room.Partial.Data[0], 1);
    CT_EQUAL(Room.Partial.Data[2], 0xEE);
    CT_STATUS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, NULL, 0, &Length),
              STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Length, Fixed + sizeof(ULONG));
}

static VOID QueryOtherClasses(HANDLE Key)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Type");
    CT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValueBasicInformation, &Room, sizeof(Room), &Length));
    CT_EQUAL(Length, FIELD_OFFSET(KEY_VALUE_BASIC_INFORMATION, Name) + Name.Length);
    CT_EQUAL(Room.ValueBasic.Type, REG_DWORD);
    CT_CHECK(SameText(Room.ValueBasic.Name, Room.ValueBasic.NameLength, &Name));

    CT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValueFullInformation, &Room, sizeof(Room), &Length));
    CT_CHECK(SameText(Room.ValueFull.Name, Room.ValueFull.NameLength, &Name));
    CT_EQUAL(Room.ValueFull.DataLength, sizeof(ULONG));
    CT_CHECK(Room.ValueFull.DataOffset >= FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name) + Name.Length);
    CT_EQUAL(Length, Room.ValueFull.DataOffset + sizeof(ULONG));
    CT_EQUAL(Room.Bytes[Room.ValueFull.DataOffset], 1);
    CT_STATUS(ZwQueryValueKey(Key, &Name, (KEY_VALUE_INFORMATION_CLASS)99, &Room, sizeof(Room), &Length),
              STATUS_INVALID_PARAMETER);
}

static VOID RegistryQuery(VOID)
{
    HANDLE Key;
    UNICODE_STRING Missing = RTL_CONSTANT_STRING(L"NtboxNoSuchValue");
    CT_REQUIRE(OpenService(&Key));
    QueryType(Key);
    QueryOtherClasses(Key);
    CT_STATUS(ZwQueryValueKey(Key, &Missing, KeyValuePartialInformation, &Room, sizeof(Room), &Length),
              STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(ZwClose(Key));
    CT_STATUS(ZwQueryValueKey(Key, &Missing, KeyValuePartialInformation, &Room, sizeof(Room), &Length),
              STATUS_INVALID_HANDLE);
}

static VOID QueryPath(HANDLE Key)
{
    UNICODE_STRING Prefix = RTL_CONSTANT_STRING(L"\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet");
    UNICODE_STRING Name = ServiceName();
    CT_SUCCESS(ZwQueryKey(Key, KeyNameInformation, &Room, sizeof(Room), &Length));
    CT_EQUAL(Length, FIELD_OFFSET(KEY_NAME_INFORMATION, Name) + Room.Name.NameLength);
    CT_REQUIRE(Room.Name.NameLength > Prefix.Length + Name.Length);
    /* the link CurrentControlSet was followed */
    CT_CHECK(SameText(Room.Name.Name, Prefix.Length, &Prefix));
    CT_CHECK(
        SameText(Room.Name.Name + (Room.Name.NameLength - Name.Length) / sizeof(WCHAR), Name.Length, &Name));
}

static VOID RegistryQueryKey(VOID)
{
    HANDLE Key;
    ULONG Fixed = FIELD_OFFSET(KEY_BASIC_INFORMATION, Name);
    UNICODE_STRING Name = ServiceName();
    CT_REQUIRE(OpenService(&Key));
    CT_SUCCESS(ZwQueryKey(Key, KeyBasicInformation, &Room, sizeof(Room), &Length));
    CT_EQUAL(Length, Fixed + Name.Length);
    CT_CHECK(Room.Basic.LastWriteTime.QuadPart > 0);
    CT_CHECK(SameText(Room.Basic.Name, Room.Basic.NameLength, &Name));
    CT_STATUS(ZwQueryKey(Key, KeyBasicInformation, &Room, Fixed - 1, &Length), STATUS_BUFFER_TOO_SMALL);
    CT_STATUS(ZwQueryKey(Key, KeyBasicInformation, &Room, Fixed, &Length), STATUS_BUFFER_OVERFLOW);
    CT_EQUAL(Length, Fixed + Name.Length);

    CT_SUCCESS(ZwQueryKey(Key, KeyNodeInformation, &Room, sizeof(Room), &Length));
    CT_CHECK(SameText(Room.Node.Name, Room.Node.NameLength, &Name));
    CT_SUCCESS(ZwQueryKey(Key, KeyFullInformation, &Room, sizeof(Room), &Length));
    CT_CHECK(Room.Full.Values >= 3); /* Type, Start, ErrorControl at least */
    CT_CHECK(Room.Full.MaxValueNameLen >= sizeof(L"ErrorControl") - sizeof(WCHAR));
    CT_CHECK(Room.Full.MaxValueDataLen >= sizeof(ULONG));
    QueryPath(Key);
    CT_STATUS(ZwQueryKey(Key, (KEY_INFORMATION_CLASS)99, &Room, sizeof(Room), &Length),
              STATUS_INVALID_PARAMETER);
    CT_SUCCESS(ZwClose(Key));
}

/* Every subkey of Services is found once, ours among them. */
static VOID EnumerateServices(VOID)
{
    HANDLE Services;
    ULONG Count, Found = 0, Index = 0;
    UNICODE_STRING Name = ServiceName();
    CT_REQUIRE(CT_SUCCESS(OpenPath(&Services, SERVICES)));
    CT_SUCCESS(ZwQueryKey(Services, KeyFullInformation, &Room, sizeof(Room), &Length));
    Count = Room.Full.SubKeys;
    while (NT_SUCCESS(ZwEnumerateKey(Services, Index, KeyBasicInformation, &Room, sizeof(Room), &Length))) {
        CT_EQUAL(Length, FIELD_OFFSET(KEY_BASIC_INFORMATION, Name) + Room.Basic.NameLength);
        Found += SameText(Room.Basic.Name, Room.Basic.NameLength, &Name);
        Index++;
    }
    CT_EQUAL(Index, Count);
    CT_EQUAL(Found, 1);
    CT_STATUS(ZwEnumerateKey(Services, Index, KeyBasicInformation, &Room, sizeof(Room), &Length),
              STATUS_NO_MORE_ENTRIES);
    CT_SUCCESS(ZwClose(Services));
}

static VOID EnumerateValues(VOID)
{
    HANDLE Key;
    ULONG Count, Index = 0, Types = 0;
    UNICODE_STRING Type = RTL_CONSTANT_STRING(L"Type");
    CT_REQUIRE(OpenService(&Key));
    CT_SUCCESS(ZwQueryKey(Key, KeyFullInformation, &Room, sizeof(Room), &Length));
    Count = Room.Full.Values;
    while (
        NT_SUCCESS(ZwEnumerateValueKey(Key, Index, KeyValueFullInformation, &Room, sizeof(Room), &Length))) {
        Types += SameText(Room.ValueFull.Name, Room.ValueFull.NameLength, &Type);
        Index++;
    }
    CT_EQUAL(Index, Count);
    CT_EQUAL(Types, 1);
    CT_STATUS(ZwEnumerateValueKey(Key, Index, KeyValueFullInformation, &Room, sizeof(Room), &Length),
              STATUS_NO_MORE_ENTRIES);
    CT_SUCCESS(ZwClose(Key));
}

static VOID RegistryEnumerate(VOID)
{
    EnumerateServices();
    EnumerateValues();
}

static VOID RegistryRtlCheck(VOID)
{
    static WCHAR Missing[] = L"NtboxNoSuchService";
    static WCHAR Services[] = SERVICES;
    static WCHAR Name[64];
    UNICODE_STRING Service = ServiceName(),
                   Copy = {.Buffer = Name, .MaximumLength = sizeof(Name) - sizeof(WCHAR)};
    CT_REQUIRE(Service.Length <= Copy.MaximumLength);
    RtlCopyUnicodeString(&Copy, &Service);
    CT_SUCCESS(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, Name));
    CT_SUCCESS(RtlCheckRegistryKey(RTL_REGISTRY_ABSOLUTE, Services));
    CT_STATUS(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, Missing), STATUS_OBJECT_NAME_NOT_FOUND);
}

static const CT_CASE Cases[] = {
    {"registry.open", RegistryOpen},          {"registry.query", RegistryQuery},
    {"registry.query_key", RegistryQueryKey}, {"registry.enumerate", RegistryEnumerate},
    {"registry.rtl_check", RegistryRtlCheck},
};

CT_DRIVER(Cases)

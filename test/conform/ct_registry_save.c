/* SPDX-License-Identifier: MIT
 * Keys to files and back, several values at once, a driver's own key. The file is a device of this driver that keeps what is written.
 * [RegSaveKeyEx, RegLoadKey, RegUnLoadKey, WDK ZwQueryMultipleValueKey, WDK IoOpenDriverRegistryKey] */
#include "ct_irp.h"
#include "ct_registry_key.h"

#define FILE_ROOM (256u * 1024)
#define FILE_NAME L"\\Device\\NtboxHiveFile"
#define LOADED L"\\Registry\\Machine\\NtboxLoaded"

static PUCHAR Bytes;
static ULONG Size;
static PDEVICE_OBJECT Device;

static NTSTATUS NTAPI Succeed(PDEVICE_OBJECT Object, PIRP Irp)
{
    return CtComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Transfer(PDEVICE_OBJECT Object, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Length = Stack->Parameters.Read.Length;
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart;
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    if (Stack->MajorFunction == IRP_MJ_WRITE) {
        if (Offset + Length > FILE_ROOM)
            return CtComplete(Irp, STATUS_DISK_FULL, 0);
        RtlCopyMemory(Bytes + Offset, Buffer, Length);
        Size = (ULONG)Offset + Length;
        return CtComplete(Irp, STATUS_SUCCESS, Length);
    }
    if (Offset >= Size)
        return CtComplete(Irp, STATUS_END_OF_FILE, 0);
    if (Length > Size - Offset)
        Length = (ULONG)(Size - Offset);
    RtlCopyMemory(Buffer, Bytes + Offset, Length);
    return CtComplete(Irp, STATUS_SUCCESS, Length);
}

static NTSTATUS NTAPI QueryFile(PDEVICE_OBJECT Object, PIRP Irp)
{
    PFILE_STANDARD_INFORMATION Standard = Irp->AssociatedIrp.SystemBuffer;
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.QueryFile.FileInformationClass !=
        FileStandardInformation)
        return CtComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    RtlZeroMemory(Standard, sizeof(*Standard));
    Standard->EndOfFile.QuadPart = Size;
    return CtComplete(Irp, STATUS_SUCCESS, sizeof(*Standard));
}

static BOOLEAN MakeFile(VOID)
{
    UNICODE_STRING Name = CtName(FILE_NAME);
    Bytes = ExAllocatePool2(POOL_FLAG_PAGED, FILE_ROOM, 'tCtC');
    CtDriverObject->MajorFunction[IRP_MJ_CREATE] = Succeed;
    CtDriverObject->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    CtDriverObject->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    CtDriverObject->MajorFunction[IRP_MJ_READ] = Transfer;
    CtDriverObject->MajorFunction[IRP_MJ_WRITE] = Transfer;
    CtDriverObject->MajorFunction[IRP_MJ_QUERY_INFORMATION] = QueryFile;
    if (!CT_CHECK(Bytes != NULL) ||
        !CT_SUCCESS(
            IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device)))
        return FALSE;
    Device->Flags |= DO_BUFFERED_IO;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return TRUE;
}

static VOID DropFile(VOID)
{
    IoDeleteDevice(Device);
    ExFreePoolWithTag(Bytes, 'tCtC');
}

static NTSTATUS OpenFile(PHANDLE File)
{
    UNICODE_STRING Name = CtName(FILE_NAME);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(File, GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, 0, FILE_OPEN,
                        FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static NTSTATUS Load(PCWSTR To)
{
    UNICODE_STRING Key = CtName(To), File = CtName(FILE_NAME);
    OBJECT_ATTRIBUTES KeyAttributes, FileAttributes;
    InitializeObjectAttributes(&KeyAttributes, &Key, OBJ_CASE_INSENSITIVE, NULL, NULL);
    InitializeObjectAttributes(&FileAttributes, &File, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwLoadKey(&KeyAttributes, &FileAttributes);
}

static NTSTATUS Unload(PCWSTR From)
{
    UNICODE_STRING Key = CtName(From);
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, &Key, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwUnloadKey(&Attributes);
}

/* A key with a value, a subkey and a volatile one becomes a file. */
static BOOLEAN Save(VOID)
{
    HANDLE Root, Sub, Volatile, File, Machine;
    if (!CT_SUCCESS(CtCreateKey(&Root, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)))
        return FALSE;
    CT_SUCCESS(CtCreateKey(&Sub, Root, L"Sub", 0, NULL));
    CT_SUCCESS(CtCreateKey(&Volatile, Root, L"Volatile", REG_OPTION_VOLATILE, NULL));
    CT_SUCCESS(CtSetNumber(Root, L"Number", 1));
    CT_SUCCESS(CtSetNumber(Sub, L"Number", 2));
    if (CT_SUCCESS(OpenFile(&File))) {
        CT_STATUS(ZwSaveKeyEx(Root, File, 3), STATUS_INVALID_PARAMETER);
        CT_SUCCESS(ZwSaveKey(Root, File));
        CT_SUCCESS(ZwSaveKeyEx(Root, File, REG_LATEST_FORMAT));
        if (CT_SUCCESS(CtOpenKey(&Machine, NULL, L"\\Registry\\Machine", 0))) {
            CT_STATUS(ZwSaveKey(Machine, File), STATUS_ACCESS_DENIED);
            CT_SUCCESS(ZwClose(Machine));
        }
        CT_SUCCESS(ZwClose(File));
    }
    CT_SUCCESS(ZwDeleteKey(Volatile));
    CT_SUCCESS(ZwDeleteKey(Sub));
    CT_SUCCESS(ZwDeleteKey(Root));
    CT_SUCCESS(ZwClose(Volatile));
    CT_SUCCESS(ZwClose(Sub));
    CT_SUCCESS(ZwClose(Root));
    return CT_CHECK(Size >= 8192 && Bytes[0] == 'r' && Bytes[3] == 'f');
}

static VOID UseLoaded(VOID)
{
    HANDLE Key, Sub;
    ULONG Value = 0;
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, LOADED, 0)));
    CT_SUCCESS(CtGetNumber(Key, L"Number", &Value));
    CT_EQUAL(Value, 1);
    CT_STATUS(CtOpenKey(&Sub, Key, L"Volatile", 0), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Sub, Key, L"Sub", 0)));
    CT_SUCCESS(CtGetNumber(Sub, L"Number", &Value));
    CT_EQUAL(Value, 2);
    CT_SUCCESS(CtSetNumber(Sub, L"Other", 3));
    CT_STATUS(ZwDeleteKey(Key), STATUS_CANNOT_DELETE);
    CT_STATUS(Unload(LOADED), STATUS_CANNOT_DELETE); /* keys of it are open */
    CT_SUCCESS(ZwClose(Sub));
    CT_SUCCESS(ZwClose(Key));
}

/* The flag of a key where a hive is mounted (0x02) means nothing in a file from outside: the key is there, once. */
static VOID FlagInFile(VOID)
{
    HANDLE Key, Sub;
    ULONG Disposition = 0, Flagged = 0;
    for (ULONG At = 4096; At + 79 <= Size; At++) {
        if (RtlEqualMemory(Bytes + At, "nk", 2) && RtlEqualMemory(Bytes + At + 76, "Sub", 3)) {
            Bytes[At + 2] |= 2;
            Flagged++;
        }
    }
    CT_EQUAL(Flagged, 1);
    CT_REQUIRE(CT_SUCCESS(Load(LOADED)));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, LOADED, 0)));
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Sub, Key, L"Sub", 0, &Disposition)));
    CT_EQUAL(Disposition, REG_OPENED_EXISTING_KEY);
    CT_SUCCESS(ZwClose(Sub));
    CT_SUCCESS(ZwClose(Key));
    CT_SUCCESS(Unload(LOADED));
}

/* The key is named from a handle: by one component. */
static VOID LoadBelow(VOID)
{
    UNICODE_STRING Key = CtName(L"NtboxLoaded"), File = CtName(FILE_NAME);
    OBJECT_ATTRIBUTES KeyAttributes, FileAttributes;
    HANDLE Machine;
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Machine, NULL, L"\\Registry\\Machine", 0)));
    InitializeObjectAttributes(&KeyAttributes, &Key, OBJ_CASE_INSENSITIVE, Machine, NULL);
    InitializeObjectAttributes(&FileAttributes, &File, OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwLoadKey(&KeyAttributes, &FileAttributes));
    CT_SUCCESS(ZwUnloadKey(&KeyAttributes));
    Key = CtName(L"Software\\NtboxLoaded");
    CT_CHECK(!NT_SUCCESS(ZwLoadKey(&KeyAttributes, &FileAttributes)));
    Key = CtName(L"NtboxLoaded");
    FileAttributes.RootDirectory = Machine;
    CT_CHECK(!NT_SUCCESS(ZwLoadKey(&KeyAttributes, &FileAttributes)));
    CT_SUCCESS(ZwClose(Machine));
}

static VOID RegistrySave(VOID)
{
    HANDLE Key;
    CT_REQUIRE(MakeFile());
    if (Save() && CT_SUCCESS(Load(LOADED))) {
        CT_STATUS(Load(LOADED), STATUS_OBJECT_NAME_COLLISION);
        UseLoaded();
        CT_SUCCESS(Unload(LOADED));
        CT_STATUS(CtOpenKey(&Key, NULL, LOADED, 0), STATUS_OBJECT_NAME_NOT_FOUND);
        CT_STATUS(Load(L"\\Registry\\Machine\\Software\\NtboxLoaded"), STATUS_INVALID_PARAMETER);
        CT_STATUS(Unload(L"\\Registry\\Machine\\System"), STATUS_CANNOT_DELETE);
        FlagInFile();
        LoadBelow();
        Bytes[4096] = 'x'; /* the magic of the first bin */
        CT_STATUS(Load(LOADED), STATUS_REGISTRY_CORRUPT);
        CT_STATUS(CtOpenKey(&Key, NULL, LOADED, 0), STATUS_OBJECT_NAME_NOT_FOUND);
    }
    DropFile();
}

static VOID RegistryMultiple(VOID)
{
    HANDLE Key;
    UNICODE_STRING Names[] = {CtName(L"A"), CtName(L"B"), CtName(L"C")};
    KEY_VALUE_ENTRY Entries[3] = {
        {.ValueName = &Names[0]}, {.ValueName = &Names[1]}, {.ValueName = &Names[2]}};
    UCHAR Buffer[64] = {0};
    ULONG Length = sizeof(Buffer), Required = 0;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Key, L"A", 0x11223344));
    CT_SUCCESS(CtSetText(Key, L"B", REG_BINARY, L"xyz", 5));
    CT_STATUS(ZwQueryMultipleValueKey(Key, Entries, 3, Buffer, &Length, &Required),
              STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(CtSetNumber(Key, L"C", 7));
    CT_SUCCESS(ZwQueryMultipleValueKey(Key, Entries, 3, Buffer, &Length, &Required));
    CT_EQUAL(Length, 16);
    CT_EQUAL(Required, 16);
    CT_EQUAL(Entries[1].Type, REG_BINARY);
    CT_EQUAL(Entries[1].DataLength, 5);
    CT_EQUAL(Entries[1].DataOffset, 4);
    CT_EQUAL(Entries[2].DataOffset, 12);
    CT_EQUAL(Buffer[12], 7);
    Length = 10;
    CT_STATUS(ZwQueryMultipleValueKey(Key, Entries, 3, Buffer, &Length, &Required), STATUS_BUFFER_OVERFLOW);
    CT_EQUAL(Required, 16);
    Length = 5; /* nothing is needed behind the last value */
    CT_SUCCESS(ZwQueryMultipleValueKey(Key, Entries + 1, 1, Buffer, &Length, &Required));
    CT_EQUAL(Length, 5);
    CT_EQUAL(Required, 5);
    Entries[1].ValueName = NULL; /* the default value */
    CT_STATUS(ZwQueryMultipleValueKey(Key, Entries + 1, 1, Buffer, &Length, &Required),
              STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static VOID RegistryDriver(VOID)
{
    HANDLE Key, Same;
    ULONG Value = 0;
    CT_REQUIRE(
        CT_SUCCESS(IoOpenDriverRegistryKey(CtDriverObject, DriverRegKeyParameters, KEY_ALL_ACCESS, 0, &Key)));
    CT_SUCCESS(CtSetNumber(Key, L"NtboxNumber", 12));
    UNICODE_STRING Path = CtRegistryPath, Below = CtName(L"Parameters");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Service;
    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_REQUIRE(CT_SUCCESS(ZwOpenKey(&Service, KEY_READ, &Attributes)));
    InitializeObjectAttributes(&Attributes, &Below, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Service, NULL);
    CT_REQUIRE(CT_SUCCESS(ZwOpenKey(&Same, KEY_READ, &Attributes)));
    CT_SUCCESS(CtGetNumber(Same, L"NtboxNumber", &Value));
    CT_EQUAL(Value, 12);
    CT_SUCCESS(CtDeleteValue(Key, L"NtboxNumber"));
    CT_SUCCESS(ZwClose(Same));
    CT_SUCCESS(ZwClose(Service));
    CT_SUCCESS(ZwClose(Key));
    CT_STATUS(IoOpenDriverRegistryKey(CtDriverObject, DriverRegKeyParameters, KEY_READ, 1, &Key),
              STATUS_INVALID_PARAMETER);
}

static const CT_CASE Cases[] = {
    {"registry.save", RegistrySave},
    {"registry.multiple", RegistryMultiple},
    {"registry.driver", RegistryDriver},
};

CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * Device interfaces of a device with a node, as the PnP manager will give it one. */
#include "device_interface.h"
#include "kt.h"

static const GUID InterfaceClass = {0x4E54425A, 1, 2, {3, 4, 5, 6, 7, 8, 9, 10}};
static PDEVICE_OBJECT InterfacePdo;

static NTSTATUS NTAPI InterfaceOpen(PDEVICE_OBJECT Device, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI InterfaceInit(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\KtInterface");
    Driver->MajorFunction[IRP_MJ_CREATE] = InterfaceOpen;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = InterfaceOpen;
    Driver->MajorFunction[IRP_MJ_CLOSE] = InterfaceOpen;
    NTSTATUS Status = IoCreateDevice(Driver, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &InterfacePdo);
    if (NT_SUCCESS(Status))
        InterfacePdo->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return Status;
}

static NTSTATUS InterfaceTry(PUNICODE_STRING Name)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS Status = ZwOpenFile(&File, FILE_READ_DATA, &Attributes, &Iosb, 0, 0);
    if (NT_SUCCESS(Status))
        ZwClose(File);
    return Status;
}

/* How many names the class has. */
static LONG InterfaceCount(ULONG Flags)
{
    PWSTR List;
    LONG Count = 0;
    if (!NT_SUCCESS(IoGetDeviceInterfaces(&InterfaceClass, InterfacePdo, Flags, &List)))
        return -1;
    for (PWSTR Text = List; *Text != 0; Text += wcslen(Text) + 1)
        Count++;
    ExFreePool(List);
    return Count;
}

/* The two share one link; the reference string is the file's name. */
static VOID InterfaceStates(KT_CONTEXT *Kt, PUNICODE_STRING Name, PUNICODE_STRING Plain)
{
    KT_EXPECT(!NT_SUCCESS(InterfaceTry(Name)) && !NT_SUCCESS(InterfaceTry(Plain)));
    KT_EXPECT(InterfaceCount(0) == 0 && InterfaceCount(DEVICE_INTERFACE_INCLUDE_NONACTIVE) == 2);
    KT_EXPECT(IoSetDeviceInterfaceState(Name, FALSE) == STATUS_OBJECT_NAME_NOT_FOUND);
    KT_EXPECT(IoSetDeviceInterfaceState(Name, TRUE) == STATUS_SUCCESS);
    KT_EXPECT(IoSetDeviceInterfaceState(Name, TRUE) == STATUS_OBJECT_NAME_EXISTS);
    KT_EXPECT(InterfaceTry(Name) == STATUS_SUCCESS && InterfaceCount(0) == 1);
    KT_EXPECT(IoSetDeviceInterfaceState(Plain, TRUE) == STATUS_SUCCESS && InterfaceCount(0) == 2);
    KT_EXPECT(IoSetDeviceInterfaceState(Name, FALSE) == STATUS_SUCCESS && InterfaceCount(0) == 1);
    KT_EXPECT(InterfaceTry(Plain) == STATUS_SUCCESS);
    KT_EXPECT(IoSetDeviceInterfaceState(Plain, FALSE) == STATUS_SUCCESS && InterfaceCount(0) == 0);
    KT_EXPECT(InterfaceTry(Plain) == STATUS_OBJECT_NAME_NOT_FOUND);
}

KT_TEST(io_device_interface_of_a_pdo)
{
    static IO_DEVICE_NODE Node = {.InstancePath = RTL_CONSTANT_STRING(L"ROOT\\KT\\0000")};
    UNICODE_STRING Reference = RTL_CONSTANT_STRING(L"one"), Wrong = RTL_CONSTANT_STRING(L"a\\b"), Name, Plain;
    UNICODE_STRING Start = RTL_CONSTANT_STRING(L"\\??\\ROOT#KT#0000#{4e54425a-");
    HANDLE Key;
    KT_EXPECT(IoCreateDriver(L"\\Driver\\KtInterface", InterfaceInit) == STATUS_SUCCESS);
    KT_EXPECT(IoRegisterDeviceInterface(InterfacePdo, &InterfaceClass, NULL, &Name) ==
              STATUS_INVALID_DEVICE_REQUEST);
    IopDeviceState(InterfacePdo)->DeviceNode = &Node;
    KT_EXPECT(IoRegisterDeviceInterface(InterfacePdo, &InterfaceClass, &Wrong, &Name) ==
              STATUS_INVALID_DEVICE_REQUEST);
    KT_EXPECT(IoRegisterDeviceInterface(InterfacePdo, &InterfaceClass, &Reference, &Name) == 0);
    KT_EXPECT(IoRegisterDeviceInterface(InterfacePdo, &InterfaceClass, NULL, &Plain) == 0);
    KT_EXPECT(RtlPrefixUnicodeString(&Start, &Name, TRUE) && Name.Length == Plain.Length + 4 * sizeof(WCHAR));
    InterfaceStates(Kt, &Name, &Plain);
    RtlFreeUnicodeString(&Name);
    RtlFreeUnicodeString(&Plain);
    KT_EXPECT(Kt->Expression != NULL ||
              IoOpenDeviceRegistryKey(InterfacePdo, PLUGPLAY_REGKEY_DRIVER, KEY_READ, &Key) ==
                  STATUS_OBJECT_NAME_NOT_FOUND);
    IopDeviceState(InterfacePdo)->DeviceNode = NULL;
}

/* SPDX-License-Identifier: MIT
 * The I/O operations of ops.c: requests to a device of its own, alone and below a filter, and names. The device answers each request at
 * once with as many bytes as were asked for. */
#pragma once

#define IOCTL_ECHO CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

static PDEVICE_OBJECT IoDevice, IoFilter;
static HANDLE IoFile;
static HANDLE IoDirectories[10];
static UCHAR IoBytes[4096];
static UNICODE_STRING IoDeviceName = RTL_CONSTANT_STRING(L"\\Device\\OpsBench");

/* The extension of the filter's device. */
typedef struct _IO_FILTER {
    PDEVICE_OBJECT Below;
} IO_FILTER;

static NTSTATUS NTAPI IoDispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG_PTR Length = 0;
    if (Device->DeviceExtension != NULL) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IofCallDriver(((IO_FILTER *)Device->DeviceExtension)->Below, Irp);
    }
    if (Stack->MajorFunction == IRP_MJ_DEVICE_CONTROL)
        Length = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    if (Stack->MajorFunction == IRP_MJ_READ)
        Length = Stack->Parameters.Read.Length;
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = Length;
    IofCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static VOID IoReleaseDevice(VOID)
{
    if (IoFile != NULL)
        ZwClose(IoFile);
    if (IoFilter != NULL) {
        IoDetachDevice(((IO_FILTER *)IoFilter->DeviceExtension)->Below);
        IoDeleteDevice(IoFilter);
    }
    if (IoDevice != NULL)
        IoDeleteDevice(IoDevice);
    IoFile = NULL;
    IoDevice = IoFilter = NULL;
}

static BOOLEAN IoOpenDevice(PHANDLE File)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &IoDeviceName, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    return NT_SUCCESS(ZwOpenFile(File, GENERIC_READ | SYNCHRONIZE, &Attributes, &Iosb, FILE_SHARE_READ,
                                 FILE_SYNCHRONOUS_IO_NONALERT));
}

static BOOLEAN IoPrepareDevice(PDRIVER_OBJECT DriverObject)
{
    DriverObject->MajorFunction[IRP_MJ_CREATE] = DriverObject->MajorFunction[IRP_MJ_CLOSE] = IoDispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = DriverObject->MajorFunction[IRP_MJ_READ] = IoDispatch;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = IoDispatch;
    if (!NT_SUCCESS(IoCreateDevice(DriverObject, 0, &IoDeviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &IoDevice)))
        return FALSE;
    IoDevice->Flags |= DO_BUFFERED_IO;
    IoDevice->Flags &= ~DO_DEVICE_INITIALIZING;
    return IoOpenDevice(&IoFile);
}

static BOOLEAN IoPrepareFilter(PDRIVER_OBJECT DriverObject)
{
    if (!IoPrepareDevice(DriverObject) ||
        !NT_SUCCESS(
            IoCreateDevice(DriverObject, sizeof(IO_FILTER), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &IoFilter)))
        return FALSE;
    ((IO_FILTER *)IoFilter->DeviceExtension)->Below = IoAttachDeviceToDeviceStack(IoFilter, IoDevice);
    IoFilter->Flags |= DO_BUFFERED_IO;
    IoFilter->Flags &= ~DO_DEVICE_INITIALIZING;
    return TRUE;
}

/* [WDK IoBuildDeviceIoControlRequest] */
static VOID IoBuildAndWait(PDEVICE_OBJECT Device)
{
    KEVENT Done;
    IO_STATUS_BLOCK Iosb;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    PIRP Irp =
        IoBuildDeviceIoControlRequest(IOCTL_ECHO, Device, IoBytes, 64, IoBytes, 64, FALSE, &Done, &Iosb);
    if (Irp != NULL && IofCallDriver(Device, Irp) == STATUS_PENDING)
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
}

static VOID IoBuildForDevice(VOID)
{
    IoBuildAndWait(IoDevice);
}

static VOID IoBuildForFilter(VOID)
{
    IoBuildAndWait(IoFilter);
}

static VOID IoControl(ULONG Length)
{
    IO_STATUS_BLOCK Iosb;
    ZwDeviceIoControlFile(IoFile, NULL, NULL, NULL, &Iosb, IOCTL_ECHO, IoBytes, Length, IoBytes, Length);
}

static VOID IoControl64(VOID)
{
    IoControl(64);
}

static VOID IoControl4096(VOID)
{
    IoControl(4096);
}

static VOID IoRead64(VOID)
{
    IO_STATUS_BLOCK Iosb;
    ZwReadFile(IoFile, NULL, NULL, NULL, &Iosb, IoBytes, 64, NULL, NULL);
}

static VOID IoOpenClose(VOID)
{
    HANDLE File;
    if (IoOpenDevice(&File))
        ZwClose(File);
}

static VOID IoIrpPair4(VOID)
{
    IoFreeIrp(IoAllocateIrp(4, FALSE));
}

/* --- names --- */

static BOOLEAN IoOpenDirectory(PCWSTR Path, PHANDLE Directory, BOOLEAN Create)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return NT_SUCCESS(Create ? ZwCreateDirectoryObject(Directory, DIRECTORY_ALL_ACCESS, &Attributes)
                             : ZwOpenDirectoryObject(Directory, DIRECTORY_QUERY, &Attributes));
}

static BOOLEAN IoPrepareNames(PDRIVER_OBJECT DriverObject)
{
    WCHAR Path[64] = L"\\";
    UNREFERENCED_PARAMETER(DriverObject);
    for (ULONG i = 0; i < RTL_NUMBER_OF(IoDirectories); i++) {
        Path[i * 5] = L'\\';
        for (ULONG j = 1; j < 5; j++)
            Path[i * 5 + j] = (WCHAR)(L'A' + i);
        Path[i * 5 + 5] = 0;
        if (!IoOpenDirectory(Path, &IoDirectories[i], TRUE))
            return FALSE;
    }
    return TRUE;
}

static VOID IoReleaseNames(VOID)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(IoDirectories); i++) {
        if (IoDirectories[i] != NULL)
            ZwClose(IoDirectories[i]);
        IoDirectories[i] = NULL;
    }
}

static VOID IoLookUp(PCWSTR Path)
{
    HANDLE Directory;
    if (IoOpenDirectory(Path, &Directory, FALSE))
        ZwClose(Directory);
}

static VOID IoLookUpOne(VOID)
{
    IoLookUp(L"\\AAAA");
}

static VOID IoLookUpTen(VOID)
{
    IoLookUp(L"\\AAAA\\BBBB\\CCCC\\DDDD\\EEEE\\FFFF\\GGGG\\HHHH\\IIII\\JJJJ");
}

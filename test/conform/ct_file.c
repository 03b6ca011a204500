/* SPDX-License-Identifier: MIT
 * Files and requests by handle, on a device of this driver, and loading drivers. [WDK ZwCreateFile, ZwOpenFile,
 * ZwReadFile, ZwWriteFile, ZwDeviceIoControlFile, ZwQueryInformationFile, ZwLoadDriver, ZwUnloadDriver] The case
 * driver.load needs the hello sample to be loaded before. */
#include "ct_irp.h"

#define CODE(Function, Method) CTL_CODE(FILE_DEVICE_UNKNOWN, Function, Method, FILE_ANY_ACCESS)

static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtFile");
static PDEVICE_OBJECT Device;
static LONG Creates, Cleanups, Closes;
static UCHAR Store[64];
static LONGLONG SeenOffset;
static USHORT SeenNameLength;

static VOID NTAPI CompleteInDpc(PKDPC Dpc, PVOID Context, PVOID Irp, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument2);
    CtComplete(Irp, STATUS_SUCCESS, 0);
}

/* The last processor completes it, while this one waits or is about to. */
static NTSTATUS CompleteElsewhere(PIRP Irp)
{
    static KDPC Dpc;
    IoMarkIrpPending(Irp);
    KeInitializeDpc(&Dpc, CompleteInDpc, NULL);
    KeSetTargetProcessorDpc(&Dpc, (CCHAR)(KeQueryActiveProcessorCount(NULL) - 1));
    KeInsertQueueDpc(&Dpc, Irp, NULL);
    return STATUS_PENDING;
}

static NTSTATUS Control(PIRP Irp, PIO_STACK_LOCATION Location)
{
    ULONG In = Location->Parameters.DeviceIoControl.InputBufferLength;
    ULONG Out = Location->Parameters.DeviceIoControl.OutputBufferLength, i, Total = 0;
    UCHAR *System = Irp->AssociatedIrp.SystemBuffer, *Direct;
    switch (Location->Parameters.DeviceIoControl.IoControlCode) {
    case CODE(0x910, METHOD_BUFFERED):
        for (i = 0; i < In && i < Out; i++)
            System[i] ^= 0xFF;
        return CtComplete(Irp, STATUS_SUCCESS, i);
    case CODE(0x911, METHOD_IN_DIRECT):
        Direct = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
        for (i = 0; i < Out; i++)
            Total += Direct[i];
        return CtComplete(Irp, STATUS_SUCCESS, Total + System[0]);
    case CODE(0x912, METHOD_OUT_DIRECT):
        Direct = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
        RtlFillMemory(Direct, Out, System[0]);
        return CtComplete(Irp, STATUS_SUCCESS, Out);
    case CODE(0x913, METHOD_NEITHER):
        RtlCopyMemory(Irp->UserBuffer, Location->Parameters.DeviceIoControl.Type3InputBuffer, min(In, Out));
        return CtComplete(Irp, STATUS_SUCCESS, min(In, Out));
    case CODE(0x914, METHOD_BUFFERED):
        RtlFillMemory(System, Out, 0x33);
        return CtComplete(Irp, STATUS_BUFFER_OVERFLOW, Out); /* a warning: the output is copied */
    case CODE(0x915, METHOD_BUFFERED):
        RtlFillMemory(System, Out, 0x44);
        return CtComplete(Irp, STATUS_UNSUCCESSFUL, Out); /* an error: it is not */
    case CODE(0x916, METHOD_BUFFERED):
        return CompleteElsewhere(Irp);
    default:
        return CtComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

/* The position of a synchronous file is kept in the file object; the driver that transfers moves it, as file systems
 * do. */
static NTSTATUS Transferred(PIRP Irp, LONGLONG From, ULONG Length)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    SeenOffset = From;
    if (File->Flags & FO_SYNCHRONOUS_IO)
        File->CurrentByteOffset.QuadPart = From + Length;
    return CtComplete(Irp, STATUS_SUCCESS, Length);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    ULONG Length;
    UNREFERENCED_PARAMETER(DeviceObject);
    switch (Location->MajorFunction) {
    case IRP_MJ_CREATE:
        Creates++;
        SeenNameLength = Location->FileObject->FileName.Length;
        return CtComplete(Irp, STATUS_SUCCESS, FILE_OPENED);
    case IRP_MJ_CLEANUP:
        Cleanups++;
        return CtComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MJ_CLOSE:
        Closes++;
        return CtComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MJ_READ:
        Length = min(Location->Parameters.Read.Length, (ULONG)sizeof(Store));
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Store, Length);
        return Transferred(Irp, Location->Parameters.Read.ByteOffset.QuadPart, Length);
    case IRP_MJ_WRITE:
        Length = min(Location->Parameters.Write.Length, (ULONG)sizeof(Store));
        RtlCopyMemory(Store, Irp->AssociatedIrp.SystemBuffer, Length);
        return Transferred(Irp, Location->Parameters.Write.ByteOffset.QuadPart, Length);
    case IRP_MJ_DEVICE_CONTROL:
        return Control(Irp, Location);
    default:
        return CtComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static BOOLEAN MakeDevice(VOID)
{
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Dispatch;
    if (!NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)))
        return CT_CHECK(FALSE);
    Device->Flags = (Device->Flags | DO_BUFFERED_IO) & ~DO_DEVICE_INITIALIZING;
    Creates = Cleanups = Closes = 0;
    return TRUE;
}

static HANDLE Open(PCWSTR Path)
{
    UNICODE_STRING Text;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle = NULL;
    RtlInitUnicodeString(&Text, Path);
    InitializeObjectAttributes(&Attributes, &Text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwCreateFile(&Handle, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                            FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL,
                            0));
    CT_EQUAL(Iosb.Information, FILE_OPENED);
    return Handle;
}

/* CREATE, and on the last close CLEANUP and CLOSE; what follows the device's name is the file name. */
static VOID FileCreate(VOID)
{
    CT_REQUIRE(MakeDevice());
    HANDLE Handle = Open(L"\\device\\ctfile\\inner\\name");
    CT_CHECK(Handle != NULL && Creates == 1 && Cleanups == 0);
    CT_EQUAL(SeenNameLength, sizeof(L"\\inner\\name") - sizeof(WCHAR));
    CT_SUCCESS(ZwClose(Handle));
    CT_CHECK(Creates == 1 && Cleanups == 1 && Closes == 1);
    IoDeleteDevice(Device);
}

static VOID FileOpen(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING None = RTL_CONSTANT_STRING(L"\\Device\\CtNoSuchFile");
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle;
    CT_REQUIRE(MakeDevice());
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwOpenFile(&Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &Iosb, FILE_SHARE_READ, 0));
    CT_EQUAL(Creates, 1);
    CT_SUCCESS(ZwClose(Handle));
    InitializeObjectAttributes(&Attributes, &None, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_STATUS(ZwOpenFile(&Handle, FILE_READ_DATA, &Attributes, &Iosb, 0, 0), STATUS_OBJECT_NAME_NOT_FOUND);
    IoDeleteDevice(Device);
}

/* Without an offset a synchronous file goes on where it was. */
static VOID FileWrite(VOID)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 100};
    CT_REQUIRE(MakeDevice());
    HANDLE Handle = Open(L"\\Device\\CtFile");
    CT_SUCCESS(ZwWriteFile(Handle, NULL, NULL, NULL, &Iosb, "0123456789", 10, &Offset, NULL));
    CT_EQUAL(Iosb.Information, 10);
    CT_EQUAL(SeenOffset, 100);
    CT_EQUAL(Store[9], '9');
    CT_SUCCESS(ZwWriteFile(Handle, NULL, NULL, NULL, &Iosb, "x", 1, NULL, NULL));
    CT_EQUAL(SeenOffset, 110);
    ZwClose(Handle);
    IoDeleteDevice(Device);
}

static VOID FileRead(VOID)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 7};
    UCHAR Buffer[8] = {0};
    CT_REQUIRE(MakeDevice());
    HANDLE Handle = Open(L"\\Device\\CtFile");
    RtlFillMemory(Store, sizeof(Store), 0x21);
    CT_SUCCESS(ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), &Offset, NULL));
    CT_STATUS(Iosb.Status, STATUS_SUCCESS);
    CT_EQUAL(Iosb.Information, sizeof(Buffer));
    CT_EQUAL(SeenOffset, 7);
    CT_CHECK(Buffer[0] == 0x21 && Buffer[7] == 0x21);
    ZwClose(Handle);
    IoDeleteDevice(Device);
}

static NTSTATUS Request(HANDLE Handle, ULONG Code, UCHAR *In, ULONG InLength, UCHAR *Out, ULONG OutLength,
                        PIO_STATUS_BLOCK Iosb)
{
    Iosb->Information = 0;
    return ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, Iosb, Code, In, InLength, Out, OutLength);
}

/* The four transfer methods, and what comes back with a warning and with an error. */
static VOID FileIoctl(VOID)
{
    IO_STATUS_BLOCK Iosb;
    UCHAR In[8] = {1, 2, 3, 4, 5, 6, 7, 8}, Out[8] = {0};
    CT_REQUIRE(MakeDevice());
    HANDLE Handle = Open(L"\\Device\\CtFile");
    CT_SUCCESS(Request(Handle, CODE(0x910, METHOD_BUFFERED), In, 8, Out, 4, &Iosb));
    CT_CHECK(Iosb.Information == 4 && Out[0] == 0xFE && Out[3] == 0xFB && Out[4] == 0);
    CT_SUCCESS(Request(Handle, CODE(0x911, METHOD_IN_DIRECT), In, 1, In, 8, &Iosb));
    CT_EQUAL(Iosb.Information, 36 + 1);
    CT_SUCCESS(Request(Handle, CODE(0x912, METHOD_OUT_DIRECT), In + 6, 1, Out, 8, &Iosb));
    CT_CHECK(Iosb.Information == 8 && Out[0] == 7 && Out[7] == 7);
    CT_SUCCESS(Request(Handle, CODE(0x913, METHOD_NEITHER), In, 8, Out, 8, &Iosb));
    CT_CHECK(Iosb.Information == 8 && Out[7] == 8);
    CT_STATUS(Request(Handle, CODE(0x914, METHOD_BUFFERED), NULL, 0, Out, 8, &Iosb), STATUS_BUFFER_OVERFLOW);
    CT_EQUAL(Out[0], 0x33);
    CT_STATUS(Request(Handle, CODE(0x915, METHOD_BUFFERED), NULL, 0, Out, 8, &Iosb), STATUS_UNSUCCESSFUL);
    CT_EQUAL(Out[0], 0x33);
    CT_STATUS(Request(Handle, CODE(0x9FF, METHOD_BUFFERED), NULL, 0, NULL, 0, &Iosb),
              STATUS_INVALID_DEVICE_REQUEST);
    ZwClose(Handle);
    IoDeleteDevice(Device);
}

/* What the I/O manager answers itself, without the driver. */
static VOID FileQuery(VOID)
{
    IO_STATUS_BLOCK Iosb;
    FILE_POSITION_INFORMATION Position;
    UCHAR Buffer[4];
    CT_REQUIRE(MakeDevice());
    HANDLE Handle = Open(L"\\Device\\CtFile");
    LARGE_INTEGER Offset = {.QuadPart = 50};
    CT_SUCCESS(ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), &Offset, NULL));
    CT_SUCCESS(ZwQueryInformationFile(Handle, &Iosb, &Position, sizeof(Position), FilePositionInformation));
    CT_EQUAL(Position.CurrentByteOffset.QuadPart, 54);
    CT_STATUS(ZwQueryInformationFile(Handle, &Iosb, &Position, 1, FilePositionInformation),
              STATUS_INFO_LENGTH_MISMATCH);
    ZwClose(Handle);
    IoDeleteDevice(Device);
}

/* By service key; twice is refused; an unknown service has no key. */
/* A request that is over keeps nothing: the close that follows it is the last, whoever completed the request. */
static VOID FileCloseAtOnce(VOID)
{
    IO_STATUS_BLOCK Iosb;
    CT_REQUIRE(MakeDevice());
    for (LONG i = 1; i <= 300; i++) {
        HANDLE Handle = Open(L"\\Device\\CtFile");
        CT_SUCCESS(Request(Handle, CODE(0x916, METHOD_BUFFERED), NULL, 0, NULL, 0, &Iosb));
        CT_SUCCESS(ZwClose(Handle));
        CT_EQUAL(Closes, i);
    }
    KeFlushQueuedDpcs();
    IoDeleteDevice(Device);
}

static VOID DriverLoad(VOID)
{
    UNICODE_STRING Hello =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\hello");
    UNICODE_STRING None =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\CtNoService");
    CT_STATUS(ZwLoadDriver(&Hello), STATUS_IMAGE_ALREADY_LOADED);
    CT_SUCCESS(ZwUnloadDriver(&Hello));
    CT_STATUS(ZwUnloadDriver(&Hello), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(ZwLoadDriver(&Hello));
    CT_STATUS(ZwLoadDriver(&None), STATUS_OBJECT_NAME_NOT_FOUND);
}

static const CT_CASE Cases[] = {
    {"file.create", FileCreate},
    {"file.open", FileOpen},
    {"file.write", FileWrite},
    {"file.read", FileRead},
    {"file.ioctl", FileIoctl},
    {"file.query", FileQuery},
    {"file.close_at_once", FileCloseAtOnce},
    {"driver.load", DriverLoad},
};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * A filter over the file system that does wrong with one request; the I/O control code says which. The file system below must not be blamed.
 * [WDK IO_STATUS_BLOCK] [WDK Completing IRPs] */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD FilterUnload;
static DRIVER_DISPATCH Dispatch;
static IO_COMPLETION_ROUTINE TellTooMuch;

typedef enum _MISTAKE {
    TooMuchRead,
    TooMuchWritten,
    TooMuchAbout,
    TooMuchListed,
    LongWrite,
    LongWriteByTailCall,
    OwnContext
} MISTAKE;

static PDEVICE_OBJECT Filter, Lower;
static MISTAKE Mistake;

static const UCHAR WrongMajor[] = {
    [TooMuchRead] = IRP_MJ_READ,
    [TooMuchWritten] = IRP_MJ_WRITE,
    [TooMuchAbout] = IRP_MJ_QUERY_INFORMATION,
    [TooMuchListed] = IRP_MJ_DIRECTORY_CONTROL,
    [LongWrite] = IRP_MJ_WRITE,
    [LongWriteByTailCall] = IRP_MJ_WRITE,
    [OwnContext] = IRP_MJ_CREATE,
};

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI TellTooMuch(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Context);
    if (Irp->PendingReturned)
        IoMarkIrpPending(Irp);
    Irp->IoStatus.Information = 100000;
    return STATUS_CONTINUE_COMPLETION;
}

__attribute__((noinline, optimize("no-optimize-sibling-calls"))) static NTSTATUS PassLongWrite(PIRP Irp)
{
    IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length = 0x100000;
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Lower, Irp);
}

static NTSTATUS DoWrong(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    switch (Mistake) {
    case LongWrite:
        return PassLongWrite(Irp);
    case LongWriteByTailCall:
        Stack->Parameters.Write.Length = 0x100000;
        break;
    case OwnContext:
        Stack->FileObject->FsContext = (PVOID)(ULONG_PTR)0x1234;
        return Complete(Irp, STATUS_SUCCESS, FILE_OPENED);
    default:
        IoCopyCurrentIrpStackLocationToNext(Irp);
        IoSetCompletionRoutine(Irp, TellTooMuch, NULL, TRUE, TRUE, TRUE);
        return IoCallDriver(Lower, Irp);
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Lower, Irp);
}

static HANDLE OpenPath(PCWSTR Path, ULONG Disposition, ULONG Options)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle = NULL;
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    ACCESS_MASK Access = Options & FILE_DIRECTORY_FILE ? FILE_LIST_DIRECTORY | SYNCHRONIZE
                                                       : FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE;
    NTSTATUS Status =
        ZwCreateFile(&Handle, Access, &Attributes, &Iosb, NULL, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_VALID_FLAGS,
                     Disposition, Options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    return NT_SUCCESS(Status) ? Handle : NULL;
}

static VOID UseFile(HANDLE File)
{
    static UCHAR Bytes[128];
    static union {
        FILE_NAME_INFORMATION Name;
        UCHAR Room[512];
    } Answer;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    NTSTATUS Status = ZwWriteFile(File, NULL, NULL, NULL, &Iosb, Bytes, 5, &Offset, NULL);
    if (Mistake == OwnContext)
        DbgPrint("filters_files: a write of a file that the file system does not know: %08x\n", Status);
    ZwReadFile(File, NULL, NULL, NULL, &Iosb, Bytes, sizeof(Bytes), &Offset, NULL);
    ZwQueryInformationFile(File, &Iosb, &Answer, sizeof(Answer), FileNameInformation);
}

static VOID UseFiles(VOID)
{
    static UCHAR Bytes[128];
    IO_STATUS_BLOCK Iosb;
    HANDLE File = OpenPath(L"\\SystemRoot\\Temp\\filtered", FILE_OPEN_IF, FILE_NON_DIRECTORY_FILE);
    if (File == NULL)
        return;
    UseFile(File);
    ZwClose(File);
    HANDLE Folder = OpenPath(L"\\SystemRoot\\Temp", FILE_OPEN, FILE_DIRECTORY_FILE);
    if (Folder == NULL)
        return;
    ZwQueryDirectoryFile(Folder, NULL, NULL, NULL, &Iosb, Bytes, sizeof(Bytes), FileNamesInformation, FALSE,
                         NULL, TRUE);
    ZwClose(Folder);
}

static NTSTATUS Attach(PDRIVER_OBJECT Driver)
{
    PFILE_OBJECT File;
    HANDLE Handle = OpenPath(L"\\SystemRoot\\Temp\\first", FILE_OPEN_IF, FILE_NON_DIRECTORY_FILE);
    if (Handle == NULL)
        return STATUS_UNSUCCESSFUL;
    NTSTATUS Status =
        ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL);
    ZwClose(Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    PDEVICE_OBJECT Top = IoGetRelatedDeviceObject(File);
    Status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Filter);
    if (NT_SUCCESS(Status)) {
        Filter->Flags |= Top->Flags & (DO_DIRECT_IO | DO_BUFFERED_IO);
        Filter->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
        Status = IoAttachDeviceToDeviceStackSafe(Filter, Top, &Lower);
    }
    ObDereferenceObject(File);
    return Status;
}

static NTSTATUS Control(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    Mistake = (MISTAKE)((Code - CTL_CODE(FILE_DEVICE_UNKNOWN, 0, METHOD_BUFFERED, FILE_ANY_ACCESS)) >> 2);
    NTSTATUS Status = Attach(Device->DriverObject);
    if (NT_SUCCESS(Status)) {
        UseFiles();
        IoDetachDevice(Lower);
    }
    if (Filter != NULL)
        IoDeleteDevice(Filter);
    Filter = NULL;
    return Complete(Irp, Status, 0);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    UCHAR Major = IoGetCurrentIrpStackLocation(Irp)->MajorFunction;
    if (Device != Filter)
        return Major == IRP_MJ_DEVICE_CONTROL ? Control(Device, Irp) : Complete(Irp, STATUS_SUCCESS, 0);
    if (Major == WrongMajor[Mistake])
        return DoWrong(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Lower, Irp);
}

static VOID NTAPI FilterUnload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxFilters");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++)
        DriverObject->MajorFunction[Major] = Dispatch;
    DriverObject->DriverUnload = FilterUnload;
    return IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}

/* SPDX-License-Identifier: MIT
 * The order in which the system ends: a driver's IRP_MJ_SHUTDOWN, in which it may use the registry and files; hives go to their files; the
 * IRP_MJ_SHUTDOWN of the last chance, without either. [WDK IoRegisterShutdownNotification, IoRegisterLastChanceShutdownNotification] It has
 * no unload routine, and prints "shutdown order: " with S, H and L in the order in which it saw them. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_DISPATCH Shutdown;
static PDEVICE_OBJECT First, Last;
static HANDLE Parameters, Folder, Event; /* of the folder that hives are written to */
static PKEVENT EventObject;
static IO_STATUS_BLOCK Iosb;
static ULONG64 Changes[64];
static char Order[8];
static ULONG Count;

static VOID Saw(char Letter)
{
    if (Count < sizeof(Order) - 1)
        Order[Count++] = Letter;
}

/* A hive that is written becomes a new file in the folder. */
static VOID WatchAndWrite(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"AtShutdown");
    ULONG Value = 0x5a5a;
    NTSTATUS Status = NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Iosb, Changes, sizeof(Changes),
                                                  FILE_NOTIFY_CHANGE_FILE_NAME, FALSE);
    if (Status == STATUS_PENDING)
        Status = ZwSetValueKey(Parameters, &Name, 0, REG_DWORD, &Value, sizeof(Value));
    if (!NT_SUCCESS(Status))
        DbgPrint("shutdown order: status 0x%08x\n", Status);
}

static NTSTATUS NTAPI Shutdown(PDEVICE_OBJECT Device, PIRP Irp)
{
    if (Device == First) {
        Saw('S');
        WatchAndWrite();
    }
    if (Device == Last) {
        if (KeReadStateEvent(EventObject))
            Saw('H');
        Saw('L');
        DbgPrint("shutdown order: %s\n", Order);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS OpenFolder(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\SystemRoot\\Temp");
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS Status = ZwCreateFile(&Folder, FILE_LIST_DIRECTORY | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                                   FILE_DIRECTORY_FILE, NULL, 0);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE);
    if (NT_SUCCESS(Status))
        Status =
            ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, (PVOID *)&EventObject, NULL);
    return Status;
}

static NTSTATUS Register(PDRIVER_OBJECT Driver)
{
    NTSTATUS Status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Last);
    if (NT_SUCCESS(Status))
        Status = IoRegisterLastChanceShutdownNotification(Last);
    if (NT_SUCCESS(Status))
        Status = IoCreateDevice(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &First);
    return NT_SUCCESS(Status) ? IoRegisterShutdownNotification(First) : Status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_SHUTDOWN] = Shutdown;
    NTSTATUS Status = IoOpenDriverRegistryKey(Driver, DriverRegKeyParameters, KEY_ALL_ACCESS, 0, &Parameters);
    if (NT_SUCCESS(Status))
        Status = OpenFolder();
    return NT_SUCCESS(Status) ? Register(Driver) : Status;
}

/* SPDX-License-Identifier: MIT
 * A function driver for QEMU's pci-testdev (docs/specs/pci-testdev of QEMU), a device that counts the writes to its registers. It shows how a WDM driver gets at
 * both kinds of registers: memory, which is mapped at the start, and I/O ports, which are not. A read of the device makes it do all its tests and gives
 * lines of text. There is no interrupt: the work is done in the reader's thread, one at a time. */
#include <ntddk.h>
#include <ntstrsafe.h>

/* The head of either register range; its bytes are little endian. */
#define REG_TEST 0   /* write: the number of the test to begin */
#define REG_WIDTH 1  /* bytes of each write that is wanted: 1, 2 or 4 */
#define REG_OFFSET 4 /* where to */
#define REG_DATA 8   /* what */
#define REG_COUNT 12 /* how many of them the device has seen */
#define REG_NAME 16  /* terminated; empty: there is no such test */
#define HEAD_LENGTH 16u
#define WRITES 100u
#define MOST_TESTS 32u
#define NAME_ROOM 32u

typedef struct RANGE {
    PUCHAR Base; /* NULL: there is none */
    ULONG Length;
    BOOLEAN Ports;
} RANGE;

typedef struct TESTDEV {
    PDEVICE_OBJECT Device, Lower;
    IO_REMOVE_LOCK RemoveLock;
    FAST_MUTEX Lock; /* l */
    RANGE Ranges[2]; /* (l) memory, ports; empty while the device is not started */
    BOOLEAN Linked;  /* PnP requests only */
} TESTDEV;

static UNICODE_STRING LinkName = RTL_CONSTANT_STRING(L"\\??\\PciTestdev0");
static UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\PciTestdev0");

/* --- registers: memory by READ_REGISTER_..., ports by READ_PORT_... --- */

static UCHAR ReadByte(const RANGE *Range, ULONG Offset)
{
    PUCHAR At = Range->Base + Offset;
    return Range->Ports ? READ_PORT_UCHAR(At) : READ_REGISTER_UCHAR(At);
}

static ULONG ReadWord(const RANGE *Range, ULONG Offset)
{
    PULONG At = (PULONG)(Range->Base + Offset);
    return Range->Ports ? READ_PORT_ULONG(At) : READ_REGISTER_ULONG(At);
}

static VOID WriteByte(const RANGE *Range, ULONG Offset, UCHAR Value)
{
    PUCHAR At = Range->Base + Offset;
    if (Range->Ports)
        WRITE_PORT_UCHAR(At, Value);
    else
        WRITE_REGISTER_UCHAR(At, Value);
}

static VOID WriteHalf(const RANGE *Range, ULONG Offset, USHORT Value)
{
    PUSHORT At = (PUSHORT)(Range->Base + Offset);
    if (Range->Ports)
        WRITE_PORT_USHORT(At, Value);
    else
        WRITE_REGISTER_USHORT(At, Value);
}

static VOID WriteWord(const RANGE *Range, ULONG Offset, ULONG Value)
{
    PULONG At = (PULONG)(Range->Base + Offset);
    if (Range->Ports)
        WRITE_PORT_ULONG(At, Value);
    else
        WRITE_REGISTER_ULONG(At, Value);
}

/* --- a test --- */

typedef struct TEST {
    UCHAR Width;
    ULONG Offset, Data;
    CHAR Name[NAME_ROOM];
} TEST;

/* FALSE: there is no test of this number, or its write would lie outside of the range. */
static BOOLEAN BeginTest(const RANGE *Range, UCHAR Number, TEST *Test)
{
    WriteByte(Range, REG_TEST, Number);
    Test->Width = ReadByte(Range, REG_WIDTH);
    Test->Offset = ReadWord(Range, REG_OFFSET);
    Test->Data = ReadWord(Range, REG_DATA);
    for (ULONG i = 0; i < NAME_ROOM; i++)
        Test->Name[i] =
            i + 1 < NAME_ROOM && REG_NAME + i < Range->Length ? (CHAR)ReadByte(Range, REG_NAME + i) : 0;
    return Test->Name[0] != 0 && (Test->Width == 1 || Test->Width == 2 || Test->Width == 4) &&
           Test->Offset >= HEAD_LENGTH && Test->Offset < Range->Length &&
           Range->Length - Test->Offset >= Test->Width;
}

static VOID WriteOnce(const RANGE *Range, const TEST *Test)
{
    if (Test->Width == 1)
        WriteByte(Range, Test->Offset, (UCHAR)Test->Data);
    else if (Test->Width == 2)
        WriteHalf(Range, Test->Offset, (USHORT)Test->Data);
    else
        WriteWord(Range, Test->Offset, Test->Data);
}

static ULONG RunTest(const RANGE *Range, const TEST *Test)
{
    ULONG Before = ReadWord(Range, REG_COUNT);
    for (ULONG i = 0; i < WRITES; i++)
        WriteOnce(Range, Test);
    return ReadWord(Range, REG_COUNT) - Before;
}

/* Lines from Text on; how many bytes they have. What does not fit is left out. */
static ULONG RunTests(const RANGE *Range, PCHAR Text, ULONG Room)
{
    ULONG Used = 0;
    TEST Test;
    for (UCHAR Number = 0; Range->Base != NULL && Number < MOST_TESTS && BeginTest(Range, Number, &Test);
         Number++) {
        ULONG Count = RunTest(Range, &Test);
        int Length = _snprintf(Text + Used, Room - Used, "%s: %lu writes of %u bytes, %lu counted\n",
                               Test.Name, (ULONG)WRITES, Test.Width, Count);
        if (Length < 0 || (ULONG)Length > Room - Used)
            break;
        Used += (ULONG)Length;
    }
    return Used;
}

/* --- start and stop --- */

static VOID UseResource(TESTDEV *Testdev, const CM_PARTIAL_RESOURCE_DESCRIPTOR *Resource)
{
    if (Resource->Type == CmResourceTypePort && Testdev->Ranges[1].Base == NULL)
        Testdev->Ranges[1] =
            (RANGE){(PUCHAR)(ULONG_PTR)Resource->u.Port.Start.QuadPart, Resource->u.Port.Length, TRUE};
    if (Resource->Type == CmResourceTypeMemory && Testdev->Ranges[0].Base == NULL)
        Testdev->Ranges[0] =
            (RANGE){MmMapIoSpace(Resource->u.Memory.Start, Resource->u.Memory.Length, MmNonCached),
                    Resource->u.Memory.Length, FALSE};
}

static VOID StopDevice(TESTDEV *Testdev)
{
    if (Testdev->Linked)
        IoDeleteSymbolicLink(&LinkName);
    Testdev->Linked = FALSE;
    ExAcquireFastMutex(&Testdev->Lock);
    if (Testdev->Ranges[0].Base != NULL)
        MmUnmapIoSpace(Testdev->Ranges[0].Base, Testdev->Ranges[0].Length);
    RtlZeroMemory(Testdev->Ranges, sizeof(Testdev->Ranges));
    ExReleaseFastMutex(&Testdev->Lock);
}

static NTSTATUS StartDevice(TESTDEV *Testdev, PCM_RESOURCE_LIST Translated)
{
    if (Translated == NULL)
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    const CM_PARTIAL_RESOURCE_LIST *List = &Translated->List[0].PartialResourceList;
    ExAcquireFastMutex(&Testdev->Lock);
    for (ULONG i = 0; i < List->Count; i++)
        UseResource(Testdev, &List->PartialDescriptors[i]);
    BOOLEAN Complete = Testdev->Ranges[0].Base != NULL && Testdev->Ranges[1].Base != NULL;
    ExReleaseFastMutex(&Testdev->Lock);
    NTSTATUS Status =
        Complete ? IoCreateSymbolicLink(&LinkName, &DeviceName) : STATUS_DEVICE_CONFIGURATION_ERROR;
    Testdev->Linked = NT_SUCCESS(Status); /* programs see a device that works */
    if (!NT_SUCCESS(Status))
        StopDevice(Testdev);
    return Status;
}

/* --- requests --- */

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI OpenClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT Device, PIRP Irp)
{
    TESTDEV *Testdev = Device->DeviceExtension;
    ULONG Room = IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length, Length = 0;
    NTSTATUS Status = IoAcquireRemoveLock(&Testdev->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    ExAcquireFastMutex(&Testdev->Lock);
    BOOLEAN Ready = Testdev->Ranges[0].Base != NULL;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Testdev->Ranges); i++)
        Length +=
            RunTests(&Testdev->Ranges[i], (PCHAR)Irp->AssociatedIrp.SystemBuffer + Length, Room - Length);
    ExReleaseFastMutex(&Testdev->Lock);
    Status = Complete(Irp, Ready ? STATUS_SUCCESS : STATUS_DEVICE_NOT_READY, Length);
    IoReleaseRemoveLock(&Testdev->RemoveLock, Irp);
    return Status;
}

static NTSTATUS PassDown(TESTDEV *Testdev, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Testdev->Lower, Irp);
}

static NTSTATUS Start(TESTDEV *Testdev, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    NTSTATUS Status =
        IoForwardIrpSynchronously(Testdev->Lower, Irp) ? Irp->IoStatus.Status : STATUS_UNSUCCESSFUL;
    if (NT_SUCCESS(Status))
        Status = StartDevice(Testdev, Stack->Parameters.StartDevice.AllocatedResourcesTranslated);
    return Complete(Irp, Status, 0);
}

static NTSTATUS Remove(TESTDEV *Testdev, PIRP Irp)
{
    StopDevice(Testdev);
    IoReleaseRemoveLockAndWait(&Testdev->RemoveLock, Irp);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    NTSTATUS Status = PassDown(Testdev, Irp);
    IoDetachDevice(Testdev->Lower);
    IoDeleteDevice(Testdev->Device);
    return Status;
}

static NTSTATUS PnpLocked(TESTDEV *Testdev, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return Start(Testdev, Irp, Stack);
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        StopDevice(Testdev);
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        break;
    default:
        return PassDown(Testdev, Irp);
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassDown(Testdev, Irp);
}

static NTSTATUS NTAPI Pnp(PDEVICE_OBJECT Device, PIRP Irp)
{
    TESTDEV *Testdev = Device->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = IoAcquireRemoveLock(&Testdev->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return Complete(Irp, Status, 0);
    if (Stack->MinorFunction == IRP_MN_REMOVE_DEVICE)
        return Remove(Testdev, Irp);
    Status = PnpLocked(Testdev, Irp, Stack);
    IoReleaseRemoveLock(&Testdev->RemoveLock, Irp);
    return Status;
}

/* The device has no state that a loss of power could take. */
static NTSTATUS NTAPI Power(PDEVICE_OBJECT Device, PIRP Irp)
{
    TESTDEV *Testdev = Device->DeviceExtension;
    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return PoCallDriver(Testdev->Lower, Irp);
}

static NTSTATUS NTAPI SystemControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    return PassDown(Device->DeviceExtension, Irp);
}

/* --- the driver --- */

static NTSTATUS AttachDevice(TESTDEV *Testdev, PDEVICE_OBJECT Device, PDEVICE_OBJECT Pdo)
{
    Testdev->Device = Device;
    IoInitializeRemoveLock(&Testdev->RemoveLock, 'dtCP', 0, 0);
    ExInitializeFastMutex(&Testdev->Lock);
    Testdev->Lower = IoAttachDeviceToDeviceStack(Device, Pdo);
    return Testdev->Lower != NULL ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(Driver, sizeof(TESTDEV), &DeviceName, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = AttachDevice(Device->DeviceExtension, Device, Pdo);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    Device->Flags |= DO_BUFFERED_IO | DO_POWER_PAGABLE;
    Device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver->MajorFunction[IRP_MJ_CREATE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLEANUP] = OpenClose;
    Driver->MajorFunction[IRP_MJ_CLOSE] = OpenClose;
    Driver->MajorFunction[IRP_MJ_READ] = Read;
    Driver->MajorFunction[IRP_MJ_PNP] = Pnp;
    Driver->MajorFunction[IRP_MJ_POWER] = Power;
    Driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = SystemControl;
    Driver->DriverExtension->AddDevice = AddDevice;
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

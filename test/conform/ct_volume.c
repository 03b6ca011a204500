/* SPDX-License-Identifier: MIT
 * Volumes: a disk and a file system of this driver, mounted by an open; the raw file system; directories and volume information of the
 * boot volume. [WDK VPB, IoRegisterFileSystem, IRP_MN_MOUNT_VOLUME, ZwQueryDirectoryFile, ZwQueryVolumeInformationFile] */
#include "ct_irp.h"
#include "ct_threads.h"

static UNICODE_STRING DiskName = RTL_CONSTANT_STRING(L"\\Device\\CtDisk");
static UNICODE_STRING FsName = RTL_CONSTANT_STRING(L"\\CtFs");
static PDEVICE_OBJECT Disk, FileSystem, Volume;
static LONG Mounts, VolumeCreates, DiskRequests, FilterRequests;
static PDEVICE_OBJECT Filter;         /* above the disk */
static BOOLEAN Recognizes, FailsLate; /* after it set the volume's device */
static IO_STACK_LOCATION Seen;        /* the last request on the volume but create, cleanup, close */
static LARGE_INTEGER SeenLength;
static WCHAR SeenName[16];

static NTSTATUS Mount(PIO_STACK_LOCATION Location)
{
    PVPB Vpb = Location->Parameters.MountVolume.Vpb;
    KIRQL Irql;
    InterlockedIncrement(&Mounts);
    CT_CHECK(!(Vpb->Flags & VPB_MOUNTED) && Vpb->DeviceObject == NULL);
    if (!Recognizes || Vpb->RealDevice != Disk)
        return STATUS_UNRECOGNIZED_VOLUME;
    NTSTATUS Status =
        IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Volume);
    if (!NT_SUCCESS(Status))
        return Status;
    Volume->Flags = (Volume->Flags | DO_BUFFERED_IO) & ~(ULONG)DO_DEVICE_INITIALIZING;
    IoAcquireVpbSpinLock(&Irql);
    CT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    Vpb->DeviceObject = Volume;
    IoReleaseVpbSpinLock(Irql);
    if (!FailsLate)
        return STATUS_SUCCESS;
    IoDeleteDevice(Volume);
    Volume = NULL;
    return STATUS_DISK_CORRUPT_ERROR;
}

static NTSTATUS OnVolume(PIRP Irp, PIO_STACK_LOCATION Location)
{
    switch (Location->MajorFunction) {
    case IRP_MJ_CREATE:
        InterlockedIncrement(&VolumeCreates);
        return CtComplete(Irp, STATUS_SUCCESS, FILE_OPENED);
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
        return CtComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MJ_LOCK_CONTROL:
        SeenLength = *Location->Parameters.LockControl.Length;
        break;
    case IRP_MJ_DIRECTORY_CONTROL:
        if (Location->MinorFunction == IRP_MN_QUERY_DIRECTORY && Location->Parameters.QueryDirectory.FileName)
            RtlCopyMemory(SeenName, Location->Parameters.QueryDirectory.FileName->Buffer,
                          Location->Parameters.QueryDirectory.FileName->Length);
        break;
    default:
        break;
    }
    Seen = *Location;
    return CtComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    if (Device == FileSystem && Location->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL &&
        Location->MinorFunction == IRP_MN_MOUNT_VOLUME)
        return CtComplete(Irp, Mount(Location), 0);
    if (Device == Volume && Volume != NULL)
        return OnVolume(Irp, Location);
    if (Device == Filter && Filter != NULL) {
        FilterRequests++;
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Disk, Irp);
    }
    InterlockedIncrement(&DiskRequests);
    return CtComplete(Irp, STATUS_SUCCESS, Location->MajorFunction == IRP_MJ_READ ? 5 : 0);
}

static BOOLEAN MakeDisk(VOID)
{
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Dispatch;
    if (!NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &DiskName, FILE_DEVICE_DISK, 0, FALSE, &Disk)))
        return CT_CHECK(FALSE);
    Disk->Flags = (Disk->Flags | DO_BUFFERED_IO) & ~(ULONG)DO_DEVICE_INITIALIZING;
    Volume = NULL;
    Mounts = VolumeCreates = DiskRequests = 0;
    return TRUE;
}

static BOOLEAN MakeFileSystem(VOID)
{
    Recognizes = TRUE;
    if (!NT_SUCCESS(
            IoCreateDevice(CtDriverObject, 0, &FsName, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &FileSystem)))
        return CT_CHECK(FALSE);
    FileSystem->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    IoRegisterFileSystem(FileSystem);
    return TRUE;
}

static NTSTATUS OpenFor(PCWSTR Path, ACCESS_MASK Access, ULONG Share, ULONG Options, PHANDLE Handle)
{
    UNICODE_STRING Text;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    *Handle = NULL;
    RtlInitUnicodeString(&Text, Path);
    InitializeObjectAttributes(&Attributes, &Text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwCreateFile(Handle, Access, &Attributes, &Iosb, NULL, 0, Share, FILE_OPEN, Options, NULL, 0);
}

static NTSTATUS Open(PCWSTR Path, ACCESS_MASK Access, PHANDLE Handle)
{
    return OpenFor(Path, Access | SYNCHRONIZE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                   FILE_SYNCHRONOUS_IO_NONALERT, Handle);
}

/* Takes the file system away; the volume's and the disk's devices went with their last file, or go now. */
static VOID RemoveAll(VOID)
{
    IoUnregisterFileSystem(FileSystem);
    IoDeleteDevice(FileSystem);
    if (Volume != NULL)
        IoDeleteDevice(Volume);
    IoDeleteDevice(Disk);
    FileSystem = Volume = Disk = NULL;
}

static VOID CheckMountedFile(HANDLE Handle)
{
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device;
    CT_REQUIRE(NT_SUCCESS(
        ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL)));
    CT_CHECK(File->DeviceObject == Disk && File->Vpb == Disk->Vpb);
    CT_CHECK(IoGetRelatedDeviceObject(File) == Volume);
    CT_CHECK(IoGetBaseFileSystemDeviceObject(File) == Volume);
    ObDereferenceObject(File);
    CT_SUCCESS(IoGetDiskDeviceObject(Volume, &Device));
    CT_CHECK(Device == Disk);
    ObDereferenceObject(Device);
    CT_STATUS(IoGetDiskDeviceObject(Disk, &Device), STATUS_INVALID_PARAMETER);
    Device = IoGetDeviceAttachmentBaseRef(Volume);
    CT_CHECK(Device == Volume);
    ObDereferenceObject(Device);
}

/* The first open mounts; what needs the device only does not. */
static VOID VolumeMount(VOID)
{
    HANDLE Handle, Second;
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    CT_CHECK(Disk->Vpb != NULL && Disk->Vpb->RealDevice == Disk && Disk->Vpb->ReferenceCount == 0);
    CT_SUCCESS(Open(L"\\Device\\CtDisk", FILE_READ_ATTRIBUTES, &Handle));
    CT_CHECK(Mounts == 0 && DiskRequests == 1);
    ZwClose(Handle);
    CT_SUCCESS(Open(L"\\Device\\CtDisk\\a\\b", FILE_READ_DATA, &Handle));
    CT_CHECK(Mounts == 1 && VolumeCreates == 1 && (Disk->Vpb->Flags & VPB_MOUNTED));
    CheckMountedFile(Handle);
    CT_SUCCESS(Open(L"\\Device\\CtDisk", FILE_READ_DATA, &Second));
    CT_CHECK(Mounts == 1 && VolumeCreates == 2 && Disk->Vpb->ReferenceCount == 2);
    ZwClose(Second);
    ZwClose(Handle);
    Disk->Vpb->Flags |= VPB_LOCKED; /* [WDK VPB] no more opens */
    CT_STATUS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA, &Handle), STATUS_ACCESS_DENIED);
    Disk->Vpb->Flags &= (USHORT)~VPB_LOCKED;
    RemoveAll();
}

/* A volume whose device is deleted while a file is open stays until it is closed. */
static VOID VolumeDismount(VOID)
{
    HANDLE Handle;
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    CT_SUCCESS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA, &Handle));
    IoDeleteDevice(Volume);
    ZwClose(Handle);
    CT_CHECK(Disk->Vpb->DeviceObject == NULL && !(Disk->Vpb->Flags & VPB_MOUNTED));
    Volume = NULL;
    CT_SUCCESS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA, &Handle));
    CT_EQUAL(Mounts, 2);
    ZwClose(Handle);
    RemoveAll();
}

/* [WDK How the Volume is Recognized] nobody knows it: it can be opened as a whole. */
static VOID VolumeRaw(VOID)
{
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[8];
    HANDLE Handle;
    FILE_FS_DEVICE_INFORMATION Device;
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    Recognizes = FALSE;
    CT_STATUS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA, &Handle), STATUS_UNRECOGNIZED_VOLUME);
    CT_EQUAL(Mounts, 1);
    CT_SUCCESS(Open(L"\\Device\\CtDisk", FILE_READ_DATA, &Handle));
    CT_CHECK(DiskRequests == 0 && (Disk->Vpb->Flags & VPB_RAW_MOUNT));
    CT_SUCCESS(ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), NULL, NULL));
    CT_CHECK(DiskRequests == 1 && Iosb.Information == 5);
    CT_SUCCESS(ZwQueryVolumeInformationFile(Handle, &Iosb, &Device, sizeof(Device), FileFsDeviceInformation));
    CT_CHECK(Device.DeviceType == FILE_DEVICE_DISK && (Device.Characteristics & FILE_DEVICE_IS_MOUNTED));
    ZwClose(Handle);
    CT_CHECK(Disk->Vpb->DeviceObject == NULL && !(Disk->Vpb->Flags & (VPB_MOUNTED | VPB_RAW_MOUNT)));
    RemoveAll();
}

static BOOLEAN AttachFilter(VOID)
{
    if (!CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_DISK, 0, FALSE, &Filter)))
        return FALSE;
    Filter->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return CT_CHECK(IoAttachDeviceToDeviceStack(Filter, Disk) == Disk);
}

static VOID DetachFilter(VOID)
{
    PDEVICE_OBJECT Gone = Filter;
    IoDetachDevice(Disk);
    Filter = NULL;
    IoDeleteDevice(Gone);
}

/* Filters come and go above a disk that is open as a whole; a request passes those that are there. */
static VOID VolumeRawFilter(VOID)
{
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[8];
    HANDLE Handle;
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    Recognizes = FALSE;
    FilterRequests = 0;
    CT_REQUIRE(AttachFilter());
    CT_REQUIRE(CT_SUCCESS(Open(L"\\Device\\CtDisk", FILE_READ_DATA, &Handle)));
    CT_SUCCESS(ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), NULL, NULL));
    CT_CHECK(FilterRequests == 1 && DiskRequests == 1);
    DetachFilter();
    CT_SUCCESS(ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), NULL, NULL));
    CT_CHECK(FilterRequests == 1 && DiskRequests == 2);
    CT_REQUIRE(AttachFilter());
    CT_SUCCESS(ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), NULL, NULL));
    CT_CHECK(FilterRequests == 2 && DiskRequests == 3);
    ZwClose(Handle);
    DetachFilter();
    RemoveAll();
}

/* Two threads open at once: one mount. */
static VOID NTAPI OpenMany(PVOID Context)
{
    HANDLE Handle;
    for (ULONG i = 0; i < 100; i++) {
        if (NT_SUCCESS(Open(L"\\Device\\CtDisk\\x", FILE_READ_DATA, &Handle)))
            ZwClose(Handle);
        else
            InterlockedIncrement(Context);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID VolumeRace(VOID)
{
    PVOID Threads[4];
    LONG Failed = 0;
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    for (ULONG i = 0; i < 4; i++) {
        HANDLE Handle;
        CT_REQUIRE(NT_SUCCESS(
            PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, OpenMany, &Failed)));
        ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Threads[i], NULL);
        ZwClose(Handle);
    }
    for (ULONG i = 0; i < 4; i++) {
        KeWaitForSingleObject(Threads[i], Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(Threads[i]);
    }
    CT_CHECK(Failed == 0 && Mounts == 1 && VolumeCreates == 400);
    CT_CHECK(Disk->Vpb->ReferenceCount == 0);
    RemoveAll();
}

typedef struct _RACE {
    HANDLE File;
    ULONG Delay; /* of the close, in microseconds: the two come in either order */
    volatile LONG Arrived;
} RACE;

static VOID ArriveAndWait(RACE *Race)
{
    InterlockedIncrement(&Race->Arrived);
    while (Race->Arrived < 3)
        CtSpin();
}

static VOID NTAPI CloseAtOnce(PVOID Context)
{
    RACE *Race = Context;
    ArriveAndWait(Race);
    KeStallExecutionProcessor(Race->Delay);
    ZwClose(Race->File);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI DeleteAtOnce(PVOID Context)
{
    ArriveAndWait(Context);
    IoDeleteDevice(Volume);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Both find the VPB lock taken, and go on together when it is let go. */
static VOID LetThemGo(RACE *Race)
{
    KIRQL Irql;
    while (Race->Arrived < 2)
        CtSpin();
    IoAcquireVpbSpinLock(&Irql);
    InterlockedIncrement(&Race->Arrived);
    KeStallExecutionProcessor(500);
    IoReleaseVpbSpinLock(Irql);
}

/* The last file is closed while the volume's device is deleted: nothing points to it afterwards. */
static BOOLEAN CloseAgainstDelete(ULONG Delay)
{
    static RACE Race; /* a thread that hangs outlives the case */
    Race = (RACE){.Delay = Delay};
    if (!NT_SUCCESS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA, &Race.File)))
        return FALSE;
    PKTHREAD Closer = CtStart(CloseAtOnce, &Race), Deleter = CtStart(DeleteAtOnce, &Race);
    if (Closer == NULL || Deleter == NULL)
        return FALSE;
    LetThemGo(&Race);
    CtJoin(Closer);
    CtJoin(Deleter);
    Volume = NULL;
    return Disk->Vpb->DeviceObject == NULL && !(Disk->Vpb->Flags & VPB_MOUNTED) &&
           Disk->Vpb->ReferenceCount == 0;
}

static VOID VolumeDeleteRace(VOID)
{
    const LONG Rounds =
        KeQueryActiveProcessorCount(NULL) > 2 ? 100 : 5; /* with fewer, the three wait for their turns */
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    for (LONG i = 1; i <= Rounds; i++)
        CT_REQUIRE(CloseAgainstDelete((ULONG)i % 20 * 20) && Mounts == i);
    RemoveAll();
}

/* What a file system leaves in the VPB that fails to mount is not used. */
static VOID VolumeMountFails(VOID)
{
    HANDLE Handle;
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    FailsLate = TRUE;
    CT_STATUS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA, &Handle), STATUS_DISK_CORRUPT_ERROR);
    FailsLate = FALSE;
    CT_CHECK(Disk->Vpb->DeviceObject == NULL && !(Disk->Vpb->Flags & VPB_MOUNTED));
    CT_SUCCESS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA, &Handle));
    CT_EQUAL(Mounts, 2);
    ZwClose(Handle);
    RemoveAll();
}

/* A file system takes its volume off the disk while a file is open: the file stays with it, the next open mounts again. */
static VOID VolumeTakenOff(VOID)
{
    HANDLE Handle, Second;
    KIRQL Irql;
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    CT_SUCCESS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA, &Handle));
    PDEVICE_OBJECT Old = Volume;
    IoAcquireVpbSpinLock(&Irql);
    Disk->Vpb->DeviceObject = NULL;
    Disk->Vpb->Flags &= (USHORT)~VPB_MOUNTED;
    IoReleaseVpbSpinLock(Irql);
    CT_SUCCESS(Open(L"\\Device\\CtDisk\\b", FILE_READ_DATA, &Second));
    CT_CHECK(Mounts == 2 && Volume != Old && Old->ReferenceCount == 1 && Volume->ReferenceCount == 1);
    ZwClose(Handle);
    CT_CHECK(Old->ReferenceCount == 0 && Volume->ReferenceCount == 1 && Disk->Vpb->DeviceObject == Volume);
    IoDeleteDevice(Old);
    ZwClose(Second);
    CT_EQUAL(Disk->Vpb->ReferenceCount, 0);
    RemoveAll();
}

/* --- what requests look like to the file system --- */

static VOID CheckLocks(HANDLE Handle)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 10}, Length = {.QuadPart = 20};
    CT_SUCCESS(ZwLockFile(Handle, NULL, NULL, NULL, &Iosb, &Offset, &Length, 7, TRUE, FALSE));
    CT_CHECK(Seen.MajorFunction == IRP_MJ_LOCK_CONTROL && Seen.MinorFunction == IRP_MN_LOCK);
    CT_CHECK(Seen.Flags == SL_FAIL_IMMEDIATELY && Seen.Parameters.LockControl.Key == 7);
    CT_CHECK(Seen.Parameters.LockControl.ByteOffset.QuadPart == 10 && SeenLength.QuadPart == 20);
    CT_SUCCESS(NtLockFile(Handle, NULL, NULL, NULL, &Iosb, &Offset, &Length, 7, FALSE, TRUE));
    CT_EQUAL(Seen.Flags, SL_EXCLUSIVE_LOCK);
    CT_SUCCESS(ZwUnlockFile(Handle, &Iosb, &Offset, &Length, 7));
    CT_EQUAL(Seen.MinorFunction, IRP_MN_UNLOCK_SINGLE);
    Length.QuadPart = 21;
    CT_SUCCESS(NtUnlockFile(Handle, &Iosb, &Offset, &Length, 8));
    CT_CHECK(Seen.Parameters.LockControl.Key == 8 && SeenLength.QuadPart == 21);
}

static VOID CheckNotify(HANDLE Handle)
{
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[64];
    CT_SUCCESS(NtNotifyChangeDirectoryFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer),
                                           FILE_NOTIFY_CHANGE_FILE_NAME, TRUE));
    CT_CHECK(Seen.MinorFunction == IRP_MN_NOTIFY_CHANGE_DIRECTORY && Seen.Flags == SL_WATCH_TREE);
    CT_CHECK(Seen.Parameters.NotifyDirectory.CompletionFilter == FILE_NOTIFY_CHANGE_FILE_NAME);
    CT_STATUS(NtNotifyChangeDirectoryFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), 0, FALSE),
              STATUS_INVALID_PARAMETER);
    CT_STATUS(NtNotifyChangeDirectoryFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), 0x80000001,
                                          FALSE),
              STATUS_INVALID_PARAMETER);
}

static VOID CheckQuery(HANDLE Handle)
{
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[256];
    UNICODE_STRING Pattern = RTL_CONSTANT_STRING(L"*.sys");
    CT_SUCCESS(ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer),
                                    FileBothDirectoryInformation, TRUE, &Pattern, TRUE));
    CT_CHECK(Seen.MinorFunction == IRP_MN_QUERY_DIRECTORY &&
             Seen.Flags == (SL_RETURN_SINGLE_ENTRY | SL_RESTART_SCAN));
    CT_CHECK(Seen.Parameters.QueryDirectory.FileInformationClass == FileBothDirectoryInformation);
    CT_EQUAL(RtlCompareMemory(SeenName, Pattern.Buffer, Pattern.Length), Pattern.Length);
    Pattern.Length = 3;
    CT_STATUS(ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer),
                                   FileBothDirectoryInformation, TRUE, &Pattern, TRUE),
              STATUS_INVALID_PARAMETER);
}

static VOID VolumeRequests(VOID)
{
    HANDLE Handle;
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtDisk\\a");
    OBJECT_ATTRIBUTES Attributes;
    LONG Before;
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    CT_SUCCESS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA | FILE_WRITE_DATA, &Handle));
    CheckLocks(Handle);
    CheckNotify(Handle);
    CheckQuery(Handle);
    ZwClose(Handle);
    Before = VolumeCreates;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwDeleteFile(&Attributes));
    CT_SUCCESS(NtDeleteFile(&Attributes));
    CT_EQUAL(VolumeCreates, Before + 2);
    RemoveAll();
}

/* [WDK ZwSetVolumeInformationFile] lengths are checked before the file system sees it. */
static VOID VolumeLabel(VOID)
{
    HANDLE Handle;
    IO_STATUS_BLOCK Iosb;
    FILE_FS_LABEL_INFORMATION Label = {2, L"x"};
    CT_REQUIRE(MakeDisk());
    CT_REQUIRE(MakeFileSystem());
    CT_SUCCESS(Open(L"\\Device\\CtDisk\\a", FILE_READ_DATA | FILE_WRITE_DATA, &Handle));
    CT_SUCCESS(ZwSetVolumeInformationFile(Handle, &Iosb, &Label, sizeof(Label), FileFsLabelInformation));
    CT_CHECK(Seen.MajorFunction == IRP_MJ_SET_VOLUME_INFORMATION &&
             Seen.Parameters.SetVolume.Length == sizeof(Label));
    CT_SUCCESS(NtSetVolumeInformationFile(Handle, &Iosb, &Label, sizeof(Label), FileFsLabelInformation));
    CT_STATUS(ZwSetVolumeInformationFile(Handle, &Iosb, &Label, 2, FileFsLabelInformation),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwSetVolumeInformationFile(Handle, &Iosb, &Label, sizeof(Label), FileFsSizeInformation),
              STATUS_INVALID_INFO_CLASS);
    ZwClose(Handle);
    RemoveAll();
}

/* --- the boot volume --- */

static NTSTATUS NextName(HANDLE Handle, PCWSTR Pattern, BOOLEAN Restart, PUCHAR Buffer, ULONG Length,
                         PIO_STATUS_BLOCK Iosb)
{
    UNICODE_STRING Text;
    RtlInitUnicodeString(&Text, Pattern);
    return ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, Iosb, Buffer, Length, FileBothDirectoryInformation,
                                TRUE, Pattern != NULL ? &Text : NULL, Restart);
}

static BOOLEAN IsName(PVOID Entry, PCWSTR Expected)
{
    FILE_BOTH_DIR_INFORMATION *Found = Entry;
    UNICODE_STRING Name = {(USHORT)Found->FileNameLength, (USHORT)Found->FileNameLength, Found->FileName},
                   Text;
    RtlInitUnicodeString(&Text, Expected);
    return RtlEqualUnicodeString(&Name, &Text, TRUE);
}

/* A pattern holds for all queries of a handle; the scan goes on, ends, and begins again when told. */
static VOID CheckScan(HANDLE Handle)
{
    IO_STATUS_BLOCK Iosb;
    ULONG64 Room[64];
    UCHAR *const Buffer = (UCHAR *)Room;
    CT_SUCCESS(NextName(Handle, L"NTOSKRNL.EXE", FALSE, Buffer, sizeof(Room), &Iosb));
    CT_CHECK(IsName(Buffer, L"ntoskrnl.exe"));
    CT_CHECK(((FILE_BOTH_DIR_INFORMATION *)Buffer)->EndOfFile.QuadPart > 100000);
    CT_STATUS(NextName(Handle, L"*", FALSE, Buffer, sizeof(Room), &Iosb), STATUS_NO_MORE_FILES);
    CT_SUCCESS(NextName(Handle, NULL, TRUE, Buffer, sizeof(Room), &Iosb));
    CT_CHECK(IsName(Buffer, L"ntoskrnl.exe"));
    CT_STATUS(NextName(Handle, NULL, FALSE, Buffer, 4, &Iosb), STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Room),
                                   FileBasicInformation, TRUE, NULL, FALSE),
              STATUS_INVALID_INFO_CLASS);
}

/* Many entries in one buffer: chained at multiples of 8, "." and ".." first. */
static VOID CheckMany(HANDLE Handle)
{
    IO_STATUS_BLOCK Iosb;
    ULONG64 Room[256];
    UCHAR *const Buffer = (UCHAR *)Room;
    ULONG At = 0, Count = 1, Drivers = 0;
    CT_SUCCESS(NtQueryDirectoryFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Room),
                                    FileBothDirectoryInformation, FALSE, NULL, FALSE));
    CT_CHECK(Iosb.Information > 100 && Iosb.Information <= sizeof(Room));
    CT_CHECK(IsName(Buffer, L"."));
    for (;; Count++) {
        FILE_BOTH_DIR_INFORMATION *Entry = (PVOID)(Buffer + At);
        Drivers += IsName(Entry, L"drivers") && (Entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY);
        if (Entry->NextEntryOffset == 0)
            break;
        At += Entry->NextEntryOffset;
        CT_REQUIRE(At % 8 == 0 && At < Iosb.Information);
    }
    CT_CHECK(Count > 3 && Drivers == 1);
}

/* A name that does not fit is cut, and told whole. */
static VOID CheckCut(HANDLE Handle)
{
    IO_STATUS_BLOCK Iosb;
    ULONG64 Room[13];
    const ULONG Length = FIELD_OFFSET(FILE_BOTH_DIR_INFORMATION, FileName) + 6;
    UCHAR *const Buffer = (UCHAR *)Room;
    CT_STATUS(NextName(Handle, L"ntoskrnl.exe", FALSE, Buffer, Length, &Iosb), STATUS_BUFFER_OVERFLOW);
    CT_EQUAL(((FILE_BOTH_DIR_INFORMATION *)Buffer)->FileNameLength, 24);
    CT_EQUAL(Iosb.Information, Length);
}

static VOID VolumeDirectory(VOID)
{
    HANDLE Handle;
    IO_STATUS_BLOCK Iosb;
    UCHAR Buffer[256];
    static VOID (*const Checks[])(HANDLE) = {CheckScan, CheckMany, CheckCut};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Checks); i++) {
        CT_SUCCESS(Open(L"\\SystemRoot\\System32", FILE_LIST_DIRECTORY, &Handle));
        Checks[i](Handle);
        ZwClose(Handle);
    }
    CT_SUCCESS(Open(L"\\SystemRoot\\System32", FILE_LIST_DIRECTORY, &Handle));
    CT_STATUS(NextName(Handle, L"none.*", FALSE, Buffer, sizeof(Buffer), &Iosb), STATUS_NO_SUCH_FILE);
    ZwClose(Handle);
    CT_SUCCESS(Open(L"\\SystemRoot\\System32\\ntoskrnl.exe", FILE_READ_DATA, &Handle));
    CT_STATUS(NextName(Handle, NULL, FALSE, Buffer, sizeof(Buffer), &Iosb), STATUS_INVALID_PARAMETER);
    ZwClose(Handle);
}

static VOID VolumeQuery(VOID)
{
    HANDLE Handle;
    IO_STATUS_BLOCK Iosb;
    FILE_FS_SIZE_INFORMATION Size;
    FILE_FS_VOLUME_INFORMATION Label;
    FILE_FS_DEVICE_INFORMATION Device;
    UCHAR Attributes[64];
    FILE_FS_ATTRIBUTE_INFORMATION *Attribute = (PVOID)Attributes;
    CT_SUCCESS(Open(L"\\SystemRoot\\System32", FILE_LIST_DIRECTORY, &Handle));
    CT_SUCCESS(ZwQueryVolumeInformationFile(Handle, &Iosb, &Size, sizeof(Size), FileFsSizeInformation));
    CT_CHECK(Size.BytesPerSector == 512 && Size.TotalAllocationUnits.QuadPart > 1000 &&
             Size.AvailableAllocationUnits.QuadPart == 0);
    CT_SUCCESS(NtQueryVolumeInformationFile(Handle, &Iosb, &Label, sizeof(Label), FileFsVolumeInformation));
    CT_CHECK(Label.VolumeLabelLength == 0 && Label.VolumeSerialNumber != 0);
    CT_SUCCESS(ZwQueryVolumeInformationFile(Handle, &Iosb, &Device, sizeof(Device), FileFsDeviceInformation));
    CT_EQUAL(Device.DeviceType, FILE_DEVICE_VIRTUAL_DISK);
    CT_SUCCESS(ZwQueryVolumeInformationFile(Handle, &Iosb, Attributes, sizeof(Attributes),
                                            FileFsAttributeInformation));
    CT_CHECK(Attribute->FileSystemAttributes & FILE_READ_ONLY_VOLUME);
    CT_STATUS(ZwQueryVolumeInformationFile(Handle, &Iosb, Attributes, sizeof(*Attribute),
                                           FileFsAttributeInformation),
              STATUS_BUFFER_OVERFLOW);
    CT_STATUS(ZwQueryVolumeInformationFile(Handle, &Iosb, &Size, 8, FileFsSizeInformation),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_STATUS(ZwQueryVolumeInformationFile(Handle, &Iosb, &Size, sizeof(Size), FileFsLabelInformation),
              STATUS_INVALID_INFO_CLASS);
    ZwClose(Handle);
}

/* [WDK ZwCreateFile] who has a file open says what others may do. */
static VOID VolumeShare(VOID)
{
    HANDLE First, Second;
    PCWSTR Path = L"\\SystemRoot\\System32\\hal.dll";
    CT_SUCCESS(OpenFor(Path, FILE_READ_DATA, 0, 0, &First));
    CT_STATUS(OpenFor(Path, FILE_READ_DATA, FILE_SHARE_READ, 0, &Second), STATUS_SHARING_VIOLATION);
    CT_SUCCESS(OpenFor(Path, FILE_READ_ATTRIBUTES, 0, 0, &Second));
    ZwClose(Second);
    ZwClose(First);
    CT_SUCCESS(OpenFor(Path, FILE_READ_DATA, FILE_SHARE_READ, 0, &First));
    CT_SUCCESS(OpenFor(Path, FILE_READ_DATA, FILE_SHARE_READ, 0, &Second));
    ZwClose(Second);
    ZwClose(First);
}

static VOID VolumeAttributes(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\SystemRoot\\System32\\hal.dll");
    UNICODE_STRING None = RTL_CONSTANT_STRING(L"\\SystemRoot\\System32\\none.dll");
    OBJECT_ATTRIBUTES Attributes;
    FILE_NETWORK_OPEN_INFORMATION Information;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwQueryFullAttributesFile(&Attributes, &Information));
    CT_CHECK(Information.EndOfFile.QuadPart > 0 && (Information.FileAttributes & FILE_ATTRIBUTE_READONLY));
    InitializeObjectAttributes(&Attributes, &None, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_STATUS(ZwQueryFullAttributesFile(&Attributes, &Information), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* The device that swallows all. */
static VOID VolumeNull(VOID)
{
    HANDLE Handle;
    IO_STATUS_BLOCK Iosb;
    UCHAR Byte = 1;
    FILE_STANDARD_INFORMATION Standard;
    FILE_FS_DEVICE_INFORMATION Device;
    CT_SUCCESS(Open(L"\\??\\NUL", FILE_READ_DATA | FILE_WRITE_DATA, &Handle));
    CT_STATUS(ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, &Byte, 1, NULL, NULL), STATUS_END_OF_FILE);
    CT_SUCCESS(ZwWriteFile(Handle, NULL, NULL, NULL, &Iosb, &Byte, 1, NULL, NULL));
    CT_EQUAL(Iosb.Information, 1);
    CT_SUCCESS(ZwQueryInformationFile(Handle, &Iosb, &Standard, sizeof(Standard), FileStandardInformation));
    CT_EQUAL(Standard.EndOfFile.QuadPart, 0);
    CT_SUCCESS(ZwQueryVolumeInformationFile(Handle, &Iosb, &Device, sizeof(Device), FileFsDeviceInformation));
    CT_EQUAL(Device.DeviceType, FILE_DEVICE_NULL);
    CT_STATUS(ZwQueryInformationFile(Handle, &Iosb, &Standard, sizeof(Standard), FileInternalInformation),
              STATUS_INVALID_INFO_CLASS);
    ZwClose(Handle);
}

static const CT_CASE Cases[] = {
    {"volume.mount", VolumeMount},
    {"volume.dismount", VolumeDismount},
    {"volume.raw", VolumeRaw},
    {"volume.raw_filter", VolumeRawFilter},
    {"volume.race", VolumeRace},
    {"volume.delete_race", VolumeDeleteRace},
    {"volume.mount_fails", VolumeMountFails},
    {"volume.taken_off", VolumeTakenOff},
    {"volume.requests", VolumeRequests},
    {"volume.label", VolumeLabel},
    {"volume.directory", VolumeDirectory},
    {"volume.query", VolumeQuery},
    {"volume.share", VolumeShare},
    {"volume.attributes", VolumeAttributes},
    {"volume.null", VolumeNull},
};
CT_DRIVER(Cases)

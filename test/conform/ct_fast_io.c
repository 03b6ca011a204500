/* SPDX-License-Identifier: MIT
 * Fast I/O: which requests the driver's table is asked for, with what, and what becomes of its answer. [WDK "Operations That Can Be IRP-Based or
 * Fast I/O", FAST_IO_DISPATCH] */
#include "ct_irp.h"

#define CODE_FAST CTL_CODE(FILE_DEVICE_UNKNOWN, 0x930, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_SLOW CTL_CODE(FILE_DEVICE_UNKNOWN, 0x931, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_FAIL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x932, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define CODE_SILENT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x933, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)

static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtFast");
static PDEVICE_OBJECT Device;
static FAST_IO_DISPATCH Table;
static LONG Irps, Fast;
static PVOID SeenBuffer;
static LONGLONG SeenOffset;
static ULONG SeenLength, SeenKey;
static PFILE_OBJECT SeenFile;
static BOOLEAN Declines, CacheFiles;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(DeviceObject);
    switch (Location->MajorFunction) {
    case IRP_MJ_CREATE:
        Location->FileObject->PrivateCacheMap = CacheFiles ? &Table : NULL;
        return CtComplete(Irp, STATUS_SUCCESS, FILE_OPENED);
    case IRP_MJ_CLOSE:
    case IRP_MJ_CLEANUP:
        Location->FileObject->PrivateCacheMap = NULL;
        return CtComplete(Irp, STATUS_SUCCESS, 0);
    default:
        Irps++;
        return CtComplete(Irp, STATUS_SUCCESS, 1);
    }
}

static BOOLEAN Answer(PFILE_OBJECT File, PIO_STATUS_BLOCK Iosb, NTSTATUS Status, ULONG_PTR Information)
{
    SeenFile = File;
    Fast += !Declines;
    Iosb->Status = Status;
    Iosb->Information = Information;
    return !Declines;
}

static BOOLEAN NTAPI FastControl(PFILE_OBJECT File, BOOLEAN Wait, PVOID Input, ULONG InputLength,
                                 PVOID Output, ULONG OutputLength, ULONG Code, PIO_STATUS_BLOCK Iosb,
                                 PDEVICE_OBJECT Target)
{
    CT_CHECK(Wait && Target == Device && KeGetCurrentIrql() == PASSIVE_LEVEL);
    SeenBuffer = Output;
    SeenLength = InputLength + OutputLength;
    if (Code == CODE_SILENT)
        return TRUE;
    if (Code == CODE_SLOW)
        return FALSE;
    if (Code == CODE_FAIL)
        return Answer(File, Iosb, STATUS_INVALID_PARAMETER, 0);
    if (Input != NULL && OutputLength != 0)
        *(UCHAR *)Output = (UCHAR)(*(UCHAR *)Input + 1);
    return Answer(File, Iosb, STATUS_SUCCESS, OutputLength);
}

static BOOLEAN NTAPI FastRead(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait, ULONG Key,
                              PVOID Buffer, PIO_STATUS_BLOCK Iosb, PDEVICE_OBJECT Target)
{
    CT_CHECK(Wait && Target == Device);
    SeenOffset = Offset->QuadPart;
    SeenKey = Key;
    SeenBuffer = Buffer;
    if (Declines)
        return FALSE;
    RtlFillMemory(Buffer, Length, 0x66);
    File->CurrentByteOffset.QuadPart = Offset->QuadPart + Length;
    return Answer(File, Iosb, STATUS_SUCCESS, Length);
}

static BOOLEAN NTAPI FastWrite(PFILE_OBJECT File, PLARGE_INTEGER Offset, ULONG Length, BOOLEAN Wait,
                               ULONG Key, PVOID Buffer, PIO_STATUS_BLOCK Iosb, PDEVICE_OBJECT Target)
{
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(Key);
    UNREFERENCED_PARAMETER(Target);
    SeenOffset = Offset->QuadPart;
    SeenBuffer = Buffer;
    return Answer(File, Iosb, STATUS_SUCCESS, Length);
}

static BOOLEAN NTAPI FastBasic(PFILE_OBJECT File, BOOLEAN Wait, PFILE_BASIC_INFORMATION Basic,
                               PIO_STATUS_BLOCK Iosb, PDEVICE_OBJECT Target)
{
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(Target);
    Basic->FileAttributes = 0x1234;
    return Answer(File, Iosb, STATUS_SUCCESS, sizeof(*Basic));
}

static BOOLEAN NTAPI FastStandard(PFILE_OBJECT File, BOOLEAN Wait, PFILE_STANDARD_INFORMATION Standard,
                                  PIO_STATUS_BLOCK Iosb, PDEVICE_OBJECT Target)
{
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(Target);
    Standard->NumberOfLinks = 17;
    return Answer(File, Iosb, STATUS_SUCCESS, sizeof(*Standard));
}

static BOOLEAN NTAPI FastNetworkOpen(PFILE_OBJECT File, BOOLEAN Wait, PFILE_NETWORK_OPEN_INFORMATION Network,
                                     PIO_STATUS_BLOCK Iosb, PDEVICE_OBJECT Target)
{
    UNREFERENCED_PARAMETER(Wait);
    UNREFERENCED_PARAMETER(Target);
    Network->EndOfFile.QuadPart = 99;
    return Answer(File, Iosb, STATUS_SUCCESS, sizeof(*Network));
}

static BOOLEAN NTAPI FastLock(PFILE_OBJECT File, PLARGE_INTEGER Offset, PLARGE_INTEGER Length,
                              PEPROCESS Process, ULONG Key, BOOLEAN FailImmediately, BOOLEAN Exclusive,
                              PIO_STATUS_BLOCK Iosb, PDEVICE_OBJECT Target)
{
    CT_CHECK(Process == PsGetCurrentProcess() && FailImmediately && Exclusive && Target == Device);
    SeenOffset = Offset->QuadPart;
    SeenLength = (ULONG)Length->QuadPart;
    SeenKey = Key;
    return Answer(File, Iosb, STATUS_LOCK_NOT_GRANTED, 0);
}

static BOOLEAN NTAPI FastUnlock(PFILE_OBJECT File, PLARGE_INTEGER Offset, PLARGE_INTEGER Length,
                                PEPROCESS Process, ULONG Key, PIO_STATUS_BLOCK Iosb, PDEVICE_OBJECT Target)
{
    CT_CHECK(Process == PsGetCurrentProcess() && Target == Device);
    SeenOffset = Offset->QuadPart;
    SeenLength = (ULONG)Length->QuadPart;
    SeenKey = Key;
    return Answer(File, Iosb, STATUS_SUCCESS, 0);
}

static NTSTATUS MakeDevice(PUNICODE_STRING DeviceName, PDEVICE_OBJECT *Made)
{
    NTSTATUS Status = IoCreateDevice(CtDriverObject, 0, DeviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, Made);
    if (NT_SUCCESS(Status))
        (*Made)->Flags = ((*Made)->Flags | DO_BUFFERED_IO) & ~DO_DEVICE_INITIALIZING;
    return Status;
}

static HANDLE Prepare(ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE File = NULL;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Dispatch;
    Table = (FAST_IO_DISPATCH){.SizeOfFastIoDispatch = sizeof(Table),
                               .FastIoRead = FastRead,
                               .FastIoWrite = FastWrite,
                               .FastIoLock = FastLock,
                               .FastIoUnlockSingle = FastUnlock,
                               .FastIoDeviceControl = FastControl,
                               .FastIoQueryBasicInfo = FastBasic,
                               .FastIoQueryStandardInfo = FastStandard,
                               .FastIoQueryNetworkOpenInfo = FastNetworkOpen};
    CtDriverObject->FastIoDispatch = &Table;
    Irps = Fast = 0;
    Declines = FALSE;
    if (!CT_SUCCESS(MakeDevice(&Name, &Device)))
        return NULL;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwCreateFile(&File, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                            FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, Options, NULL, 0));
    return File;
}

static VOID Finish(HANDLE File)
{
    CT_SUCCESS(ZwClose(File));
    IoDeleteDevice(Device);
    CtDriverObject->FastIoDispatch = NULL;
}

static LARGE_INTEGER Now;

/* Each device control goes to the routine first, with the caller's own buffers whatever the method is; one that it declines becomes an IRP. */
static VOID FastControlCase(VOID)
{
    UCHAR Input[4] = {7}, Output[4] = {0};
    IO_STATUS_BLOCK Iosb = {.Information = 77};
    HANDLE File = Prepare(0), Event;
    CT_REQUIRE(File != NULL);
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE));
    CT_SUCCESS(ZwDeviceIoControlFile(File, Event, NULL, NULL, &Iosb, CODE_FAST, Input, 4, Output, 4));
    CT_CHECK(Fast == 1 && Irps == 0 && Output[0] == 8 && Iosb.Information == 4);
    CT_CHECK(SeenBuffer == Output && SeenLength == 8);
    CT_SUCCESS(ZwWaitForSingleObject(Event, FALSE, &Now));
    CT_SUCCESS(ZwDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb, CODE_SLOW, Input, 4, Output, 4));
    CT_CHECK(Fast == 1 && Irps == 1);
    CT_STATUS(ZwDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb, CODE_FAIL, NULL, 0, Output, 4),
              STATUS_INVALID_PARAMETER);
    CT_CHECK(Fast == 2 && Irps == 1);
    /* a routine that says nothing of its result: nothing is made up */
    CT_SUCCESS(ZwDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb, CODE_SILENT, NULL, 0, Output, 4));
    CT_CHECK(Irps == 1 && Iosb.Information == 0);
    Table.SizeOfFastIoDispatch = FIELD_OFFSET(FAST_IO_DISPATCH, FastIoDeviceControl);
    CT_SUCCESS(ZwDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb, CODE_FAST, Input, 4, Output, 4));
    CT_CHECK(Fast == 2 && Irps == 2); /* the table says that it is shorter */
    CT_SUCCESS(ZwClose(Event));
    Finish(File);
}

/* Ranges, of any file. */
static VOID FastLockCase(VOID)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 6}, Length = {.QuadPart = 4};
    HANDLE File = Prepare(0);
    CT_REQUIRE(File != NULL);
    CT_STATUS(ZwLockFile(File, NULL, NULL, NULL, &Iosb, &Offset, &Length, 9, TRUE, TRUE),
              STATUS_LOCK_NOT_GRANTED);
    CT_CHECK(Fast == 1 && Irps == 0 && SeenOffset == 6 && SeenLength == 4 && SeenKey == 9);
    Offset.QuadPart = 7;
    CT_SUCCESS(ZwUnlockFile(File, &Iosb, &Offset, &Length, 8));
    CT_CHECK(Fast == 2 && Irps == 0 && SeenOffset == 7 && SeenKey == 8);
    Declines = TRUE;
    CT_SUCCESS(ZwLockFile(File, NULL, NULL, NULL, &Iosb, &Offset, &Length, 9, TRUE, TRUE));
    CT_SUCCESS(ZwUnlockFile(File, &Iosb, &Offset, &Length, 9));
    CT_CHECK(Fast == 2 && Irps == 2);
    Finish(File);
}

/* Reads and writes of synchronous files that are cached. */
static VOID FastTransferCase(VOID)
{
    UCHAR Buffer[8] = {0};
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 5};
    ULONG Key = 3;
    CacheFiles = TRUE;
    HANDLE File = Prepare(FILE_SYNCHRONOUS_IO_NONALERT);
    CT_REQUIRE(File != NULL);
    CT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Iosb, Buffer, 8, &Offset, &Key));
    CT_CHECK(Fast == 1 && Irps == 0 && Buffer[7] == 0x66 && Iosb.Information == 8);
    CT_CHECK(SeenBuffer == Buffer && SeenOffset == 5 && SeenKey == 3);
    CT_SUCCESS(ZwWriteFile(File, NULL, NULL, NULL, &Iosb, Buffer, 8, NULL, NULL));
    CT_CHECK(Fast == 2 && SeenOffset == 13);
    Declines = TRUE;
    CT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Iosb, Buffer, 8, &Offset, NULL));
    CT_CHECK(Fast == 2 && Irps == 1);
    Finish(File);
}

/* Not for asynchronous files, and not for files that are not cached. */
static VOID FastUncachedCase(VOID)
{
    UCHAR Buffer[8];
    IO_STATUS_BLOCK Iosb;
    CacheFiles = TRUE;
    HANDLE File = Prepare(0);
    CT_REQUIRE(File != NULL);
    CT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Iosb, Buffer, 8, &Now, NULL));
    CT_CHECK(Fast == 0 && Irps == 1);
    Finish(File);
    CacheFiles = FALSE;
    File = Prepare(FILE_SYNCHRONOUS_IO_NONALERT);
    CT_REQUIRE(File != NULL);
    CT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Iosb, Buffer, 8, &Now, NULL));
    CT_CHECK(Fast == 0 && Irps == 1);
    Finish(File);
}

static VOID FastQueryCase(VOID)
{
    FILE_BASIC_INFORMATION Basic;
    FILE_STANDARD_INFORMATION Standard;
    FILE_NETWORK_OPEN_INFORMATION Network;
    FILE_INTERNAL_INFORMATION Internal;
    IO_STATUS_BLOCK Iosb;
    CacheFiles = FALSE;
    HANDLE File = Prepare(0);
    CT_REQUIRE(File != NULL);
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, &Basic, sizeof(Basic), FileBasicInformation));
    CT_CHECK(Basic.FileAttributes == 0x1234 && Iosb.Information == sizeof(Basic));
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, &Standard, sizeof(Standard), FileStandardInformation));
    CT_EQUAL(Standard.NumberOfLinks, 17);
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, &Network, sizeof(Network), FileNetworkOpenInformation));
    CT_EQUAL(Network.EndOfFile.QuadPart, 99);
    CT_CHECK(Fast == 3 && Irps == 0);
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, &Internal, sizeof(Internal), FileInternalInformation));
    CT_EQUAL(Irps, 1);
    Declines = TRUE;
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, &Basic, sizeof(Basic), FileBasicInformation));
    CT_CHECK(Fast == 3 && Irps == 2);
    Finish(File);
}

/* What the port and the event of a request learn of fast I/O. */
static VOID FastPortCase(VOID)
{
    FILE_IO_COMPLETION_NOTIFICATION_INFORMATION Modes = {FILE_SKIP_SET_USER_EVENT_ON_FAST_IO};
    FILE_COMPLETION_INFORMATION Association = {.Key = (PVOID)3};
    PVOID Key, Context;
    IO_STATUS_BLOCK Iosb, Result;
    HANDLE File = Prepare(0), Event;
    CT_REQUIRE(File != NULL);
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE));
    CT_SUCCESS(ZwCreateIoCompletion(&Association.Port, IO_COMPLETION_ALL_ACCESS, NULL, 0));
    CT_SUCCESS(
        ZwSetInformationFile(File, &Iosb, &Association, sizeof(Association), FileCompletionInformation));
    CT_SUCCESS(
        ZwSetInformationFile(File, &Iosb, &Modes, sizeof(Modes), FileIoCompletionNotificationInformation));
    CT_SUCCESS(ZwDeviceIoControlFile(File, Event, NULL, &Modes, &Iosb, CODE_FAST, NULL, 0, &Key, 2));
    CT_SUCCESS(ZwRemoveIoCompletion(Association.Port, &Key, &Context, &Result, &Now));
    CT_CHECK(Key == (PVOID)3 && Context == &Modes && Result.Information == 2);
    CT_STATUS(ZwWaitForSingleObject(Event, FALSE, &Now), STATUS_TIMEOUT);
    CT_SUCCESS(ZwClose(Association.Port));
    CT_SUCCESS(ZwClose(Event));
    Finish(File);
}

static PDEVICE_OBJECT DetachedFrom;

static VOID NTAPI FastDetach(PDEVICE_OBJECT Source, PDEVICE_OBJECT Target)
{
    DetachedFrom = Target;
    IoDetachDevice(Target);
    IoDeleteDevice(Source);
}

/* A filter learns that the device below it is deleted, when no file uses that any more, and detaches. */
static VOID FastDetachCase(VOID)
{
    PDEVICE_OBJECT Filter, Target;
    CacheFiles = FALSE;
    HANDLE File = Prepare(0);
    CT_REQUIRE(File != NULL);
    Table.FastIoDetachDevice = FastDetach;
    Target = Device;
    CT_SUCCESS(MakeDevice(NULL, &Filter));
    CT_CHECK(IoAttachDeviceToDeviceStack(Filter, Target) == Target);
    DetachedFrom = NULL;
    IoDeleteDevice(Target);
    CT_CHECK(DetachedFrom == NULL);
    CT_SUCCESS(ZwClose(File));
    CT_CHECK(DetachedFrom == Target && CtDriverObject->DeviceObject == NULL);
    CtDriverObject->FastIoDispatch = NULL;
}

static const CT_CASE Cases[] = {
    {"fast.control", FastControlCase},   {"fast.lock", FastLockCase},   {"fast.transfer", FastTransferCase},
    {"fast.uncached", FastUncachedCase}, {"fast.query", FastQueryCase}, {"fast.port", FastPortCase},
    {"fast.detach", FastDetachCase},
};
CT_DRIVER(Cases)

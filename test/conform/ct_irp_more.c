/* SPDX-License-Identifier: MIT
 * Device stacks, associated requests, forwarding, requests of files that are not reads and writes, device queues. [WDK
 * IoAttachDeviceToDeviceStackSafe, IoGetLowerDeviceObject, IoGetRelatedDeviceObject, IoMakeAssociatedIrp, IoSetCompletionRoutineEx,
 * IoForwardIrpSynchronously, IoGetTopLevelIrp, IoIsOperationSynchronous, IoCreateFile, ZwSetInformationFile, ZwFsControlFile,
 * ZwFlushBuffersFile, IoCsqInitializeEx, KeInsertDeviceQueue] */
#include "ct_irp.h"

#define CT_FSCTL CTL_CODE(FILE_DEVICE_FILE_SYSTEM, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS)

static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtMore");
static PDEVICE_OBJECT Lower, Upper;
static PIRP Kept;                 /* the last request of Lower, when it is to be kept */
static BOOLEAN Keep, Synchronous; /* Synchronous: what IoIsOperationSynchronous said of the last one */
static KEVENT IsKept;
static UCHAR SeenMajor;
static LONGLONG SeenEnd;

static NTSTATUS DispatchLower(PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    SeenMajor = Location->MajorFunction;
    Synchronous = IoIsOperationSynchronous(Irp);
    if (SeenMajor == IRP_MJ_SET_INFORMATION)
        SeenEnd = ((PFILE_END_OF_FILE_INFORMATION)Irp->AssociatedIrp.SystemBuffer)->EndOfFile.QuadPart;
    if (Keep) {
        IoMarkIrpPending(Irp);
        Kept = Irp;
        KeSetEvent(&IsKept, IO_NO_INCREMENT, FALSE);
        return STATUS_PENDING;
    }
    return CtComplete(Irp, STATUS_SUCCESS, 0);
}

/* Upper waits for Lower and completes the request itself. */
static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    if (DeviceObject == Lower)
        return DispatchLower(Irp);
    CT_CHECK(IoForwardIrpSynchronously(Lower, Irp));
    return CtComplete(Irp, Irp->IoStatus.Status, 77);
}

static BOOLEAN MakeStack(VOID)
{
    PDEVICE_OBJECT Below = NULL;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Dispatch;
    Keep = FALSE;
    KeInitializeEvent(&IsKept, NotificationEvent, FALSE);
    if (!CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Lower)))
        return FALSE;
    if (!CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Upper)))
        return FALSE;
    CT_SUCCESS(IoAttachDeviceToDeviceStackSafe(Upper, Lower, &Below));
    CT_EQUAL(Below, Lower);
    CT_EQUAL(Upper->StackSize, 2);
    Lower->Flags &= ~DO_DEVICE_INITIALIZING;
    Upper->Flags &= ~DO_DEVICE_INITIALIZING;
    return TRUE;
}

static VOID DropStack(VOID)
{
    IoDetachDevice(Lower);
    IoDeleteDevice(Upper);
    IoDeleteDevice(Lower);
}

static VOID DeviceLower(VOID)
{
    CT_REQUIRE(MakeStack());
    PDEVICE_OBJECT Below = IoGetLowerDeviceObject(Upper);
    CT_EQUAL(Below, Lower);
    CT_EQUAL(IoGetLowerDeviceObject(Lower), NULL);
    if (Below != NULL)
        ObDereferenceObject(Below);
    DropStack();
}

static VOID DeviceUnprotectedLink(VOID)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\CtMoreLink");
    CT_SUCCESS(IoCreateUnprotectedSymbolicLink(&Link, &Name));
    CT_STATUS(IoCreateUnprotectedSymbolicLink(&Link, &Name), STATUS_OBJECT_NAME_COLLISION);
    CT_SUCCESS(IoDeleteSymbolicLink(&Link));
}

static VOID DeviceInitialStack(VOID)
{
    ULONG_PTR Low, High;
    IoGetStackLimits(&Low, &High);
    CT_EQUAL(IoGetInitialStack(), High);
}

static HANDLE Open(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle = NULL;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(IoCreateFile(&Handle, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                            0, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, CreateFileTypeNone, NULL,
                            0));
    CT_EQUAL(Iosb.Information, 77); /* what Upper completed with */
    return Handle;
}

/* The file's device is the named one, its requests go to the top of the stack. */
static VOID FileRelated(VOID)
{
    PFILE_OBJECT File;
    CT_REQUIRE(MakeStack());
    HANDLE Handle = Open();
    CT_REQUIRE(Handle != NULL);
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL));
    CT_EQUAL(File->DeviceObject, Lower);
    CT_EQUAL(IoGetRelatedDeviceObject(File), Upper);
    ObDereferenceObject(File);
    ZwClose(Handle);
    DropStack();
}

static VOID FileSet(VOID)
{
    IO_STATUS_BLOCK Iosb;
    FILE_POSITION_INFORMATION Position = {.CurrentByteOffset.QuadPart = 1234}, Read = {0};
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = 4321};
    CT_REQUIRE(MakeStack());
    HANDLE Handle = Open();
    SeenMajor = 0xFF;
    CT_SUCCESS(ZwSetInformationFile(Handle, &Iosb, &Position, sizeof(Position), FilePositionInformation));
    CT_SUCCESS(ZwQueryInformationFile(Handle, &Iosb, &Read, sizeof(Read), FilePositionInformation));
    CT_EQUAL(Read.CurrentByteOffset.QuadPart, 1234);
    CT_EQUAL(SeenMajor, 0xFF); /* the I/O manager's own */
    CT_SUCCESS(ZwSetInformationFile(Handle, &Iosb, &End, sizeof(End), FileEndOfFileInformation));
    CT_EQUAL(SeenMajor, IRP_MJ_SET_INFORMATION);
    CT_EQUAL(SeenEnd, 4321);
    CT_STATUS(ZwSetInformationFile(Handle, &Iosb, &End, 1, FileEndOfFileInformation),
              STATUS_INFO_LENGTH_MISMATCH);
    ZwClose(Handle);
    DropStack();
}

static VOID FileFsctl(VOID)
{
    IO_STATUS_BLOCK Iosb;
    CT_REQUIRE(MakeStack());
    HANDLE Handle = Open();
    CT_SUCCESS(ZwFsControlFile(Handle, NULL, NULL, NULL, &Iosb, CT_FSCTL, NULL, 0, NULL, 0));
    CT_EQUAL(SeenMajor, IRP_MJ_FILE_SYSTEM_CONTROL);
    CT_EQUAL(Iosb.Information, 77);
    ZwClose(Handle);
    DropStack();
}

static VOID FileFlush(VOID)
{
    IO_STATUS_BLOCK Iosb;
    CT_REQUIRE(MakeStack());
    HANDLE Handle = Open();
    CT_SUCCESS(ZwFlushBuffersFile(Handle, &Iosb));
    CT_EQUAL(SeenMajor, IRP_MJ_FLUSH_BUFFERS);
    CT_CHECK(Synchronous);
    ZwClose(Handle);
    DropStack();
}

typedef struct STOP {
    KEVENT Event;
    PDEVICE_OBJECT SeenDevice;
    LONG Calls;
} STOP;

static NTSTATUS NTAPI Stop(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    STOP *Seen = Context;
    UNREFERENCED_PARAMETER(Irp);
    Seen->SeenDevice = DeviceObject;
    Seen->Calls++;
    KeSetEvent(&Seen->Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Two associated requests complete the master, and only the second does. */
static VOID IrpAssociated(VOID)
{
    STOP Seen = {0};
    PIRP Part[2];
    CT_REQUIRE(MakeStack());
    KeInitializeEvent(&Seen.Event, NotificationEvent, FALSE);
    PIRP Master = IoAllocateIrp(2, FALSE);
    CT_REQUIRE(Master != NULL);
    IoSetNextIrpStackLocation(Master);
    IoSetCompletionRoutine(Master, Stop, &Seen, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Master);
    Master->IoStatus.Status = STATUS_SUCCESS;
    Master->AssociatedIrp.IrpCount = 2;
    Keep = TRUE;
    for (ULONG i = 0; i < 2; i++) {
        PIRP Irp = IoMakeAssociatedIrp(Master, Lower->StackSize);
        CT_REQUIRE(Irp != NULL);
        CT_CHECK(Irp->AssociatedIrp.MasterIrp == Master && (Irp->Flags & IRP_ASSOCIATED_IRP));
        IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
        CT_STATUS(IoCallDriver(Lower, Irp), STATUS_PENDING);
        Part[i] = Kept;
    }
    CtComplete(Part[0], STATUS_SUCCESS, 0);
    CT_EQUAL(Seen.Calls, 0);
    CtComplete(Part[1], STATUS_SUCCESS, 0);
    CT_EQUAL(Seen.Calls, 1);
    IoFreeIrp(Master);
    DropStack();
}

static VOID IrpCompletionEx(VOID)
{
    STOP Seen = {0};
    CT_REQUIRE(MakeStack());
    KeInitializeEvent(&Seen.Event, NotificationEvent, FALSE);
    PIRP Irp = IoAllocateIrp(Lower->StackSize, FALSE);
    CT_REQUIRE(Irp != NULL);
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    CT_SUCCESS(IoSetCompletionRoutineEx(Upper, Irp, Stop, &Seen, TRUE, TRUE, TRUE));
    CT_SUCCESS(IoCallDriver(Lower, Irp));
    CT_EQUAL(Seen.Calls, 1);
    IoFreeIrp(Irp);
    DropStack();
}

/* The request pends below: Upper waits, and the sender gets Upper's answer. */
static VOID NTAPI CompleteLater(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&IsKept, Executive, KernelMode, FALSE, NULL);
    CtComplete(Kept, STATUS_SUCCESS, 0);
}

static VOID IrpForward(VOID)
{
    IO_STATUS_BLOCK Iosb = {0};
    KEVENT Event;
    CT_REQUIRE(MakeStack());
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    PIRP Irp = IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Upper, NULL, 0, NULL, &Event, &Iosb);
    PIO_WORKITEM Item = IoAllocateWorkItem(Lower);
    CT_REQUIRE(Irp != NULL && Item != NULL);
    Keep = TRUE;
    IoQueueWorkItem(Item, CompleteLater, DelayedWorkQueue, NULL);
    CT_SUCCESS(IoCallDriver(Upper, Irp));
    CT_EQUAL(Iosb.Information, 77);
    IoFreeWorkItem(Item);
    DropStack();
}

static VOID IrpTopLevel(VOID)
{
    CT_EQUAL(IoGetTopLevelIrp(), NULL);
    IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
    CT_EQUAL(IoGetTopLevelIrp(), FSRTL_FSP_TOP_LEVEL_IRP);
    IoSetTopLevelIrp(NULL);
}

/* --- queues --- */

static IO_CSQ Csq;
static LIST_ENTRY CsqList;
static KSPIN_LOCK CsqLock;
static PVOID CsqContext;

static NTSTATUS NTAPI CsqInsert(PIO_CSQ Queue, PIRP Irp, PVOID InsertContext)
{
    UNREFERENCED_PARAMETER(Queue);
    CsqContext = InsertContext;
    if (InsertContext == NULL)
        return STATUS_DEVICE_BUSY;
    InsertTailList(&CsqList, &Irp->Tail.Overlay.ListEntry);
    return STATUS_SUCCESS;
}

static VOID NTAPI CsqRemove(PIO_CSQ Queue, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Queue);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI CsqPeek(PIO_CSQ Queue, PIRP Irp, PVOID PeekContext)
{
    PLIST_ENTRY Next = Irp == NULL ? CsqList.Flink : Irp->Tail.Overlay.ListEntry.Flink;
    UNREFERENCED_PARAMETER(Queue);
    UNREFERENCED_PARAMETER(PeekContext);
    return Next == &CsqList ? NULL : CONTAINING_RECORD(Next, IRP, Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqAcquire(PIO_CSQ Queue, PKIRQL Irql)
{
    UNREFERENCED_PARAMETER(Queue);
    KeAcquireSpinLock(&CsqLock, Irql);
}

static VOID NTAPI CsqRelease(PIO_CSQ Queue, KIRQL Irql)
{
    UNREFERENCED_PARAMETER(Queue);
    KeReleaseSpinLock(&CsqLock, Irql);
}

static VOID NTAPI CsqCancelled(PIO_CSQ Queue, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Queue);
    Irp->IoStatus.Status = STATUS_CANCELLED;
}

/* The insertion gets its context and may refuse; then the request is not queued and not pending. */
static VOID CsqEx(VOID)
{
    InitializeListHead(&CsqList);
    KeInitializeSpinLock(&CsqLock);
    CT_SUCCESS(IoCsqInitializeEx(&Csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqCancelled));
    PIRP Irp = IoAllocateIrp(1, FALSE);
    CT_REQUIRE(Irp != NULL);
    IoSetNextIrpStackLocation(Irp);
    CT_STATUS(IoCsqInsertIrpEx(&Csq, Irp, NULL, NULL), STATUS_DEVICE_BUSY);
    CT_CHECK(!(IoGetCurrentIrpStackLocation(Irp)->Control & SL_PENDING_RETURNED));
    CT_SUCCESS(IoCsqInsertIrpEx(&Csq, Irp, NULL, &Csq));
    CT_EQUAL(CsqContext, &Csq);
    CT_CHECK(IoGetCurrentIrpStackLocation(Irp)->Control & SL_PENDING_RETURNED);
    CT_EQUAL(IoCsqRemoveNextIrp(&Csq, NULL), Irp);
    IoFreeIrp(Irp);
}

/* The first insertion makes the queue busy and is not queued; keys are kept in order. */
static VOID DeviceQueue(VOID)
{
    KDEVICE_QUEUE Queue;
    KDEVICE_QUEUE_ENTRY Entry[4];
    KIRQL Irql;
    KeInitializeDeviceQueue(&Queue);
    CT_CHECK(!Queue.Busy);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    CT_CHECK(!KeInsertDeviceQueue(&Queue, &Entry[0]) && Queue.Busy);
    CT_CHECK(KeInsertByKeyDeviceQueue(&Queue, &Entry[1], 20));
    CT_CHECK(KeInsertByKeyDeviceQueue(&Queue, &Entry[2], 10));
    CT_CHECK(KeInsertDeviceQueue(&Queue, &Entry[3]));
    CT_CHECK(KeRemoveEntryDeviceQueue(&Queue, &Entry[3]) && !KeRemoveEntryDeviceQueue(&Queue, &Entry[3]));
    CT_EQUAL(KeRemoveByKeyDeviceQueue(&Queue, 15), &Entry[1]);
    CT_EQUAL(KeRemoveDeviceQueue(&Queue), &Entry[2]);
    CT_CHECK(KeRemoveDeviceQueue(&Queue) == NULL && !Queue.Busy);
    CT_CHECK(KeRemoveByKeyDeviceQueueIfBusy(&Queue, 0) == NULL && !Queue.Busy);
    CT_CHECK(!KeInsertByKeyDeviceQueue(&Queue, &Entry[0], 5) &&
             KeInsertByKeyDeviceQueue(&Queue, &Entry[1], 6));
    CT_EQUAL(KeRemoveByKeyDeviceQueueIfBusy(&Queue, 0), &Entry[1]);
    CT_CHECK(KeRemoveByKeyDeviceQueueIfBusy(&Queue, 0) == NULL && !Queue.Busy);
    KeLowerIrql(Irql);
}

static const CT_CASE Cases[] = {
    {"device.lower", DeviceLower},
    {"device.unprotected_link", DeviceUnprotectedLink},
    {"device.initial_stack", DeviceInitialStack},
    {"device.queue", DeviceQueue},
    {"file.related", FileRelated},
    {"file.set", FileSet},
    {"file.fsctl", FileFsctl},
    {"file.flush", FileFlush},
    {"irp.associated", IrpAssociated},
    {"irp.completion_ex", IrpCompletionEx},
    {"irp.forward", IrpForward},
    {"irp.top_level", IrpTopLevel},
    {"csq.ex", CsqEx},
};
CT_DRIVER(Cases)

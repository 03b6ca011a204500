/* SPDX-License-Identifier: MIT
 * A device that cannot answer at once: it pends each READ in a cancel-safe queue, and a timer's DPC completes
 * one every 10 ms with a running number. Closing the handle or cancelling the thread's I/O takes a request
 * out again. */
#include <ntddk.h>

#define QUEUE_PERIOD_MS 10

typedef struct QUEUE_EXTENSION {
    IO_CSQ Csq;
    KSPIN_LOCK Lock;
    LIST_ENTRY Pending; /* of IRPs, oldest first; guarded by Lock */
    KTIMER Timer;
    KDPC Dpc;
    ULONG64 Served; /* used by the DPC only */
} QUEUE_EXTENSION;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD QueueUnload;
static DRIVER_DISPATCH QueueRead, QueueCleanup, QueueOpenClose;
static KDEFERRED_ROUTINE QueueTick;

static QUEUE_EXTENSION *FromCsq(PIO_CSQ Csq)
{
    return CONTAINING_RECORD(Csq, QUEUE_EXTENSION, Csq);
}

/* The six callbacks of [WDK IoCsqInitialize]: the library calls them with the lock held where a list is
 * touched, and settles every race with cancellation itself. */
static VOID NTAPI CsqInsert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&FromCsq(Csq)->Pending, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

/* PeekContext is a file object whose requests are wanted, or NULL for any. Irp NULL starts at the head. */
static PIRP NTAPI CsqPeekNext(PIO_CSQ Csq, PIRP Irp, PVOID PeekContext)
{
    PLIST_ENTRY Head = &FromCsq(Csq)->Pending;
    PLIST_ENTRY Entry = Irp != NULL ? Irp->Tail.Overlay.ListEntry.Flink : Head->Flink;
    for (; Entry != Head; Entry = Entry->Flink) {
        PIRP Next = CONTAINING_RECORD(Entry, IRP, Tail.Overlay.ListEntry);
        if (PeekContext == NULL || IoGetCurrentIrpStackLocation(Next)->FileObject == PeekContext)
            return Next;
    }
    return NULL;
}

static VOID NTAPI CsqAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&FromCsq(Csq)->Lock, Irql);
}

static VOID NTAPI CsqRelease(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&FromCsq(Csq)->Lock, Irql);
}

static VOID NTAPI CsqCompleteCanceled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

/* DISPATCH_LEVEL, every QUEUE_PERIOD_MS. */
static VOID NTAPI QueueTick(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    QUEUE_EXTENSION *Extension = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);

    PIRP Irp = IoCsqRemoveNextIrp(&Extension->Csq, NULL);
    if (Irp == NULL)
        return;
    Extension->Served++;
    RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &Extension->Served, sizeof(Extension->Served));
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = sizeof(Extension->Served);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* [WDK IoCsqInsertIrp] marks the request pending; it may be completed before the call returns. */
static NTSTATUS NTAPI QueueRead(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    QUEUE_EXTENSION *Extension = DeviceObject->DeviceExtension;
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length < sizeof(ULONG64))
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL);
    IoCsqInsertIrp(&Extension->Csq, Irp, NULL);
    return STATUS_PENDING;
}

/* The last handle of a file object is closed: requests that still wait belong to nobody. [WDK IRP_MJ_CLEANUP]
 */
static NTSTATUS NTAPI QueueCleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    QUEUE_EXTENSION *Extension = DeviceObject->DeviceExtension;
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PIRP Pending;
    while ((Pending = IoCsqRemoveNextIrp(&Extension->Csq, File)) != NULL)
        Complete(Pending, STATUS_CANCELLED);
    return Complete(Irp, STATUS_SUCCESS);
}

static NTSTATUS NTAPI QueueOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS);
}

/* No handle is open any more, so the queue is empty; only the timer is left. [WDK KeFlushQueuedDpcs]
 * afterwards no DPC runs that was queued before: the extension may go. */
static VOID NTAPI QueueUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\NtboxQueue");
    PDEVICE_OBJECT Device = DriverObject->DeviceObject;
    QUEUE_EXTENSION *Extension = Device->DeviceExtension;

    KeCancelTimer(&Extension->Timer);
    KeFlushQueuedDpcs();
    DbgPrint("queue: served %I64u requests\n", Extension->Served);
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(Device);
}

static NTSTATUS StartQueue(QUEUE_EXTENSION *Extension)
{
    LARGE_INTEGER Due = {.QuadPart = -10000LL * QUEUE_PERIOD_MS};
    KeInitializeSpinLock(&Extension->Lock);
    InitializeListHead(&Extension->Pending);
    NTSTATUS Status = IoCsqInitialize(&Extension->Csq, CsqInsert, CsqRemove, CsqPeekNext, CsqAcquire,
                                      CsqRelease, CsqCompleteCanceled);
    if (!NT_SUCCESS(Status))
        return Status;
    KeInitializeTimerEx(&Extension->Timer, NotificationTimer);
    KeInitializeDpc(&Extension->Dpc, QueueTick, Extension);
    KeSetTimerEx(&Extension->Timer, Due, QUEUE_PERIOD_MS, &Extension->Dpc);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxQueue");
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\NtboxQueue");
    PDEVICE_OBJECT Device;

    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = IoCreateDevice(DriverObject, sizeof(QUEUE_EXTENSION), &Name, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status))
        return Status;
    Device->Flags |= DO_BUFFERED_IO;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = QueueOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = QueueOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = QueueCleanup;
    DriverObject->MajorFunction[IRP_MJ_READ] = QueueRead;
    DriverObject->DriverUnload = QueueUnload;
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (NT_SUCCESS(Status)) {
        Status = StartQueue(Device->DeviceExtension);
        if (!NT_SUCCESS(Status))
            IoDeleteSymbolicLink(&Link);
    }
    if (!NT_SUCCESS(Status))
        IoDeleteDevice(Device);
    return Status;
}

/* SPDX-License-Identifier: MIT
 * File objects: IRP_MJ_CLEANUP when the last handle is closed, IRP_MJ_CLOSE when the last reference is gone; the lock of files that were
 * opened for synchronous I/O. */
#include "completion.h"
#include "fast_io.h"
#include "kd.h"

POBJECT_TYPE IoFileObjectType;

/* Without memory for the IRP the driver misses the close and its file context stays: said in the log. */
static VOID IopSendClosing(PFILE_OBJECT File, UCHAR Major, UCHAR Minor)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(File);
    PIRP Irp = IoAllocateIrp(Device->StackSize, FALSE);
    IO_STATUS_BLOCK Iosb;
    if (Irp == NULL) {
        KdLog("no memory for the request 0x%x of file %p, which is closed", Major, File);
        return;
    }
    Irp->Flags = Minor == 0 ? IRP_CLOSE_OPERATION : 0;
    Irp->Tail.Overlay.OriginalFileObject = File;
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = Major;
    Stack->MinorFunction = Minor;
    Stack->FileObject = File;
    (void)IopSendAndWait(Device, Irp,
                         &Iosb); /* [WDK IRP_MJ_CLOSE] [WDK IRP_MJ_CLEANUP] the status has no effect */
}

/* --- handles --- */

typedef struct _IOP_HANDLE_SEARCH {
    PVOID Object;
    BOOLEAN Found;
} IOP_HANDLE_SEARCH;

static VOID IopNoteHandle(const OB_HANDLE_ENTRY *Entry, PVOID Context)
{
    IOP_HANDLE_SEARCH *Search = Context;
    Search->Found = Search->Found || Entry->Object == Search->Object;
}

static BOOLEAN IopHasHandle(POB_HANDLE_TABLE Table, PFILE_OBJECT File)
{
    IOP_HANDLE_SEARCH Search = {File, FALSE};
    ObEnumerateHandles(Table, IopNoteHandle, &Search);
    return Search.Found;
}

/* [WDK IRP_MJ_LOCK_CONTROL] IRP_MN_UNLOCK_ALL: a process has closed its last handle, others have theirs. A kernel handle, and one that is
 * duplicated away, is closed by a thread of any process: the ranges that go are those of the process whose handle it was. */
static VOID IopUnlockProcess(PFILE_OBJECT File, POB_HANDLE_TABLE Table)
{
    KAPC_STATE State;
    PKPROCESS Owner = ObProcessOfTable(Table);
    if (Owner == NULL)
        Owner = &PsInitialSystemProcess->Pcb;
    KeStackAttachProcess(Owner, &State);
    if (!IopFastUnlockAll(File, IoGetRelatedDeviceObject(File)))
        IopSendClosing(File, IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_ALL);
    KeUnstackDetachProcess(&State);
}

static VOID IopEndHandles(PFILE_OBJECT File)
{
    InterlockedOr((LONG *)&File->Flags, FO_HANDLE_CREATED);
    IopSendClosing(File, IRP_MJ_CLEANUP, 0);
    InterlockedOr((LONG *)&File->Flags, FO_CLEANUP_COMPLETE);
}

static VOID IopCloseFile(PVOID Object, POB_HANDLE_TABLE Table, LONG64 HandlesLeft)
{
    PFILE_OBJECT File = Object;
    BOOLEAN Synchronous = (File->Flags & FO_SYNCHRONOUS_IO) != 0;
    if (File->DeviceObject == NULL ||
        (HandlesLeft != 0 && (!File->LockOperation || IopHasHandle(Table, File))))
        return;
    if (Synchronous)
        IopLockFile(File);
    if (HandlesLeft != 0)
        IopUnlockProcess(File, Table);
    else
        IopEndHandles(File);
    if (Synchronous)
        IopUnlockFile(File);
}

static VOID IopDropHint(PDEVICE_OBJECT Hint)
{
    if (Hint == NULL)
        return;
    IopDereferenceDevice(Hint);
    ObfDereferenceObject(Hint);
}

/* A file whose open failed has no device any more. */
static VOID IopDeleteFile(PVOID Object)
{
    PFILE_OBJECT File = Object;
    PDEVICE_OBJECT Device = File->DeviceObject;
    if (Device != NULL && !(File->Flags & FO_CLEANUP_COMPLETE))
        IopSendClosing(File, IRP_MJ_CLEANUP, 0); /* the driver had opened it, but there was never a handle */
    if (Device != NULL)
        IopSendClosing(File, IRP_MJ_CLOSE, 0);
    IopLeavePort(File);
    if (File->FileName.Buffer != NULL)
        ExFreePool(File->FileName.Buffer); /* a file system may have put another buffer there */
    IopDropHint(IopFile(File)->Hint);
    if (Device == NULL)
        return;
    if (IopFile(File)->Vpb != NULL)
        IopDereferenceVolume(File);
    IopDereferenceDevice(Device);
    ObfDereferenceObject(Device);
}

static NTSTATUS IopParseFile(PVOID Object, OB_PARSE *Parse, PVOID *Found)
{
    PFILE_OBJECT File = Object;
    if (Parse->ObjectType != IoFileObjectType || Parse->Context == NULL)
        return STATUS_OBJECT_TYPE_MISMATCH;
    return IopOpenFile(File->DeviceObject, File, Parse, Found);
}

static const OB_TYPE_INFO IopFileTypeInfo = {
    .Name = L"File",
    .PoolTag = 'eliF',
    .Mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS},
    .ValidAccess = FILE_ALL_ACCESS,
    .WaitOffset = FIELD_OFFSET(FILE_OBJECT, Event),
    .IgnoreCase = TRUE,
    .AlwaysParse = TRUE, /* an empty name relative to a file opens it again */
    .Methods = {.Close = IopCloseFile,
                .Delete = IopDeleteFile,
                .Parse = IopParseFile,
                .QueryName = IopQueryFileName,
                .Security = IopFileSecurity},
};

VOID IopInitFileType(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&IopFileTypeInfo, &IoFileObjectType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(IO1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 3, 0, 0);
}

/* FILE_OBJECT.Busy is the lock; who finds it taken waits for the event Lock, which is set when somebody waits. The caller has a reference. */
static NTSTATUS IopTakeFile(PFILE_OBJECT File, KPROCESSOR_MODE Mode, BOOLEAN Alertable)
{
    NTSTATUS Status = STATUS_SUCCESS;
    if (__atomic_exchange_n(&File->Busy, TRUE, __ATOMIC_SEQ_CST) == FALSE)
        return STATUS_SUCCESS;
    InterlockedIncrement((LONG *)&File->Waiters);
    while (Status == STATUS_SUCCESS && __atomic_exchange_n(&File->Busy, TRUE, __ATOMIC_SEQ_CST) != FALSE)
        Status = KeWaitForSingleObject(&File->Lock, Executive, Mode, Alertable, NULL);
    InterlockedDecrement((LONG *)&File->Waiters);
    return Status;
}

VOID IopLockFile(PFILE_OBJECT File)
{
    (void)IopTakeFile(File, KernelMode, FALSE);
}

NTSTATUS IopLockFileForRequest(PFILE_OBJECT File, KPROCESSOR_MODE Mode)
{
    BOOLEAN Alertable = (File->Flags & FO_ALERTABLE_IO) != 0;
    return IopTakeFile(File, Alertable ? Mode : KernelMode, Alertable);
}

VOID IopUnlockFile(PFILE_OBJECT File)
{
    (void)__atomic_exchange_n(&File->Busy, FALSE, __ATOMIC_SEQ_CST); /* before Waiters is read */
    if (File->Waiters != 0)
        KeSetEvent(&File->Lock, IO_NO_INCREMENT, FALSE);
}

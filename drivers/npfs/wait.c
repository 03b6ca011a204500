/* SPDX-License-Identifier: MIT
 * FSCTL_PIPE_WAIT: until an instance of the name listens, or the time is over. [Win32 WaitNamedPipe] Whoever takes the IRP out of the
 * queue ends it; the record goes with the timer: who cancels it frees it, else its DPC does. */
#include "npfs.h"

typedef struct WAIT {
    IO_CSQ_IRP_CONTEXT Context;
    KTIMER Timer;
    KDPC Dpc;
    volatile LONG
        References; /* one of the timer with its DPC, one of whoever takes the IRP out of the queue */
} WAIT;

static IO_CSQ Queue;
static KSPIN_LOCK Lock;
static LIST_ENTRY Irps;

static VOID NTAPI Insert(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    InsertTailList(&Irps, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static UNICODE_STRING NameOf(PIRP Irp)
{
    FILE_PIPE_WAIT_FOR_BUFFER *Wait = Irp->AssociatedIrp.SystemBuffer;
    return (UNICODE_STRING){(USHORT)Wait->NameLength, (USHORT)Wait->NameLength, Wait->Name};
}

/* Context: the name, in upper case as those of the requests are: it is compared at DISPATCH_LEVEL. */
static PIRP NTAPI PeekNext(PIO_CSQ Csq, PIRP After, PVOID Context)
{
    PCUNICODE_STRING Wanted = Context;
    PLIST_ENTRY E = After != NULL ? After->Tail.Overlay.ListEntry.Flink : Irps.Flink;
    UNREFERENCED_PARAMETER(Csq);
    for (; E != &Irps; E = E->Flink) {
        PIRP Irp = CONTAINING_RECORD(E, IRP, Tail.Overlay.ListEntry);
        UNICODE_STRING Name = NameOf(Irp);
        if (Wanted == NULL || (Name.Length == Wanted->Length &&
                               RtlCompareMemory(Name.Buffer, Wanted->Buffer, Name.Length) == Name.Length))
            return Irp;
    }
    return NULL;
}

static VOID NTAPI Acquire(PIO_CSQ Csq, PKIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeAcquireSpinLock(&Lock, Irql);
}

static VOID NTAPI Release(PIO_CSQ Csq, KIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID DropWait(WAIT *Wait)
{
    if (InterlockedDecrement(&Wait->References) == 0)
        ExFreePoolWithTag(Wait, NP_TAG);
}

/* The IRP is out of the queue. The time may be over, and the DPC have run. */
static VOID EndWait(PIRP Irp)
{
    WAIT *Wait = Irp->Tail.Overlay.DriverContext[2];
    if (KeCancelTimer(&Wait->Timer))
        DropWait(Wait);
    DropWait(Wait);
}

static VOID NTAPI CompleteCanceled(PIO_CSQ Csq, PIRP Irp)
{
    EndWait(Irp);
    NpCompleteCanceled(Csq, Irp);
}

static VOID NTAPI TimeOut(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    WAIT *Wait = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    PIRP Irp = IoCsqRemoveIrp(&Queue, &Wait->Context);
    if (Irp != NULL) {
        DropWait(Wait);
        NpComplete(Irp, STATUS_IO_TIMEOUT, 0);
    }
    DropWait(Wait);
}

VOID NpInitializeWaits(VOID)
{
    KeInitializeSpinLock(&Lock);
    InitializeListHead(&Irps);
    IoCsqInitialize(&Queue, Insert, Remove, PeekNext, Acquire, Release, CompleteCanceled);
}

/* The name is compared with the queue's spin lock held, so it must not be in paged pool. */
VOID NpInstanceIsFree(PCUNICODE_STRING Name)
{
    PIRP Irp;
    UNICODE_STRING Upper = {0, Name->Length, ExAllocatePool2(POOL_FLAG_NON_PAGED, Name->Length, NP_TAG)};
    if (Upper.Buffer == NULL)
        return; /* they wait for the next, or until their time is over */
    RtlUpcaseUnicodeString(&Upper, Name, FALSE);
    while ((Irp = IoCsqRemoveNextIrp(&Queue, &Upper)) != NULL) {
        EndWait(Irp);
        NpFinishLater(Irp, STATUS_SUCCESS, 0);
    }
    ExFreePoolWithTag(Upper.Buffer, NP_TAG);
}

static NTSTATUS CheckRequest(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    const FILE_PIPE_WAIT_FOR_BUFFER *Given = Irp->AssociatedIrp.SystemBuffer;
    ULONG Header = FIELD_OFFSET(FILE_PIPE_WAIT_FOR_BUFFER, Name);
    ULONG Length = Stack->Parameters.FileSystemControl.InputBufferLength;
    if (NpEnd(Stack->FileObject) != NULL)
        return STATUS_ILLEGAL_FUNCTION;
    if (Length < Header || Given->NameLength == 0 || Given->NameLength % sizeof(WCHAR) != 0 ||
        Given->NameLength > MAXUSHORT - sizeof(WCHAR) || Given->NameLength > Length - Header)
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* The timer is set when the IRP is in the queue: whoever takes the IRP before that cannot cancel it and leaves the record to the DPC. */
static NTSTATUS StartWait(PIRP Irp, LARGE_INTEGER Timeout)
{
    WAIT *Wait = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Wait), NP_TAG);
    if (Wait == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Wait->References = 2;
    KeInitializeTimer(&Wait->Timer);
    KeInitializeDpc(&Wait->Dpc, TimeOut, Wait);
    Irp->Tail.Overlay.DriverContext[2] = Wait;
    IoCsqInsertIrp(&Queue, Irp, &Wait->Context);
    KeSetTimer(&Wait->Timer, Timeout, &Wait->Dpc);
    return STATUS_PENDING;
}

NTSTATUS NpWaitForPipe(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    FILE_PIPE_WAIT_FOR_BUFFER *Given = Irp->AssociatedIrp.SystemBuffer;
    NTSTATUS Status = CheckRequest(Irp, Stack);
    if (!NT_SUCCESS(Status))
        return Status;
    UNICODE_STRING Name = NameOf(Irp);
    NP_PIPE *Pipe = NpFindPipe(&Name);
    if (Pipe == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (NpListeningInstance(Pipe) != NULL)
        return STATUS_SUCCESS;
    RtlUpcaseUnicodeString(&Name, &Name, FALSE);
    return StartWait(Irp, Given->TimeoutSpecified ? Given->Timeout : Pipe->DefaultTimeout);
}

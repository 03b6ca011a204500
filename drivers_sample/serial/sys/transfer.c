/* SPDX-License-Identifier: MIT
 * Reads, writes and waits: cancel-safe queues, and what ends a request. A request's IoStatus says how far it is: STATUS_PENDING until it is done, and the
 * bytes that it has had. [WDK "Cancel-Safe IRP Queues", "SERIAL_TIMEOUTS structure"] */
#include "serial.h"

#define NEVER MAXULONG64
#define MILLISECOND 10000ull /* in units of 100 ns */

/* --- the queues --- */

static SERIAL_QUEUE *QueueOf(PIO_CSQ Csq)
{
    return CONTAINING_RECORD(Csq, SERIAL_QUEUE, Csq);
}

static VOID NTAPI CsqInsert(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&QueueOf(Csq)->Waiting, &Irp->Tail.Overlay.ListEntry);
}

/* The UART forgets a write that is taken away in its midst. */
static VOID NTAPI CsqRemove(PIO_CSQ Csq, PIRP Irp)
{
    SERIAL_QUEUE *Queue = QueueOf(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    if (Queue->Begun != Irp)
        return;
    Queue->Begun = NULL;
    if (Queue == &Queue->Serial->Writes) {
        KIRQL Irql = UartAcquire(Queue->Serial);
        UartStopSending(Queue->Serial);
        UartRelease(Queue->Serial, Irql);
    }
}

/* With a context only those that are done. */
static PIRP NTAPI CsqPeek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    SERIAL_QUEUE *Queue = QueueOf(Csq);
    PLIST_ENTRY At = Irp == NULL ? Queue->Waiting.Flink : Irp->Tail.Overlay.ListEntry.Flink;
    for (; At != &Queue->Waiting; At = At->Flink) {
        PIRP Next = CONTAINING_RECORD(At, IRP, Tail.Overlay.ListEntry);
        if (Context == NULL || Next->IoStatus.Status != STATUS_PENDING)
            return Next;
    }
    return NULL;
}

static VOID NTAPI CsqAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&QueueOf(Csq)->Serial->Lock, Irql);
}

static VOID NTAPI CsqRelease(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&QueueOf(Csq)->Serial->Lock, Irql);
}

static VOID NTAPI CsqCancelled(PIO_CSQ Csq, PIRP Irp)
{
    SerialEnd(QueueOf(Csq)->Serial, Irp, STATUS_CANCELLED, Irp->IoStatus.Information);
}

static VOID InitQueue(SERIAL *Serial, SERIAL_QUEUE *Queue)
{
    Queue->Serial = Serial;
    Queue->Deadline = NEVER;
    InitializeListHead(&Queue->Waiting);
    IoCsqInitialize(&Queue->Csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqCancelled);
}

VOID InitQueues(SERIAL *Serial)
{
    KeInitializeSpinLock(&Serial->Lock);
    KeInitializeDpc(&Serial->Dpc, ServeDpc, Serial);
    KeInitializeTimer(&Serial->Timer);
    InitQueue(Serial, &Serial->Reads);
    InitQueue(Serial, &Serial->Writes);
    InitQueue(Serial, &Serial->Waits);
}

/* The request holds the remove lock. */
NTSTATUS QueueRequest(SERIAL_QUEUE *Queue, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_PENDING;
    Irp->IoStatus.Information = 0;
    IoCsqInsertIrp(&Queue->Csq, Irp, NULL); /* which marks it pending */
    Serve(Queue->Serial);
    return STATUS_PENDING;
}

VOID EndAll(SERIAL_QUEUE *Queue, NTSTATUS Status)
{
    PIRP Irp;
    while ((Irp = IoCsqRemoveNextIrp(&Queue->Csq, NULL)) != NULL)
        SerialEnd(Queue->Serial, Irp, Status, Irp->IoStatus.Information);
}

static VOID FinishDone(SERIAL_QUEUE *Queue)
{
    PIRP Irp;
    while ((Irp = IoCsqRemoveNextIrp(&Queue->Csq, Queue)) != NULL)
        SerialEnd(Queue->Serial, Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
}

static PIRP FirstPendingLocked(SERIAL_QUEUE *Queue)
{
    for (PLIST_ENTRY At = Queue->Waiting.Flink; At != &Queue->Waiting; At = At->Flink) {
        PIRP Irp = CONTAINING_RECORD(At, IRP, Tail.Overlay.ListEntry);
        if (Irp->IoStatus.Status == STATUS_PENDING)
            return Irp;
    }
    return NULL;
}

/* --- time --- */

static ULONG LengthOf(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length; /* of a write too */
}

/* [WDK SERIAL_TIMEOUTS] in milliseconds; with both 0 there is no time-out. */
static ULONG64 TotalDeadline(ULONG Multiplier, ULONG Constant, ULONG Length)
{
    if (Multiplier == 0 && Constant == 0)
        return NEVER;
    return KeQueryInterruptTime() + ((ULONG64)Multiplier * Length + Constant) * MILLISECOND;
}

/* A multiplier of MAXULONG with an interval of MAXULONG is a sign, and no time. */
static ULONG64 ReadDeadline(const SERIAL_TIMEOUTS *Timeouts, ULONG Length)
{
    ULONG Multiplier = Timeouts->ReadTotalTimeoutMultiplier;
    if (Timeouts->ReadIntervalTimeout == MAXULONG && Multiplier == MAXULONG)
        Multiplier = 0;
    return TotalDeadline(Multiplier, Timeouts->ReadTotalTimeoutConstant, Length);
}

/* When the read that has some bytes has waited long enough for the next one. */
static ULONG64 IntervalDeadline(const SERIAL *Serial, PIRP Irp)
{
    ULONG Interval = Serial->Timeouts.ReadIntervalTimeout;
    if (Interval == 0 || Interval == MAXULONG || Irp->IoStatus.Information == 0)
        return NEVER;
    return Serial->LastByte + Interval * MILLISECOND;
}

/* --- reads --- */

static VOID BeginReadLocked(SERIAL *Serial, PIRP Irp)
{
    Serial->Reads.Begun = Irp;
    Serial->Reads.Deadline = ReadDeadline(&Serial->Timeouts, LengthOf(Irp));
}

static VOID FillReadLocked(SERIAL *Serial, PIRP Irp)
{
    ULONG Had = (ULONG)Irp->IoStatus.Information;
    KIRQL Irql = UartAcquire(Serial);
    ULONG Taken = UartTake(Serial, (UCHAR *)Irp->AssociatedIrp.SystemBuffer + Had, LengthOf(Irp) - Had);
    UartRelease(Serial, Irql);
    if (Taken != 0)
        Serial->LastByte = KeQueryInterruptTime();
    Irp->IoStatus.Information += Taken;
}

/* [WDK SERIAL_TIMEOUTS] An interval of MAXULONG: what is there is enough, be it nothing, or, with a multiplier of MAXULONG, one byte at least. */
static NTSTATUS JudgeReadLocked(const SERIAL *Serial, PIRP Irp)
{
    const SERIAL_TIMEOUTS *Timeouts = &Serial->Timeouts;
    ULONG64 Now = KeQueryInterruptTime();
    if (Irp->IoStatus.Information == LengthOf(Irp))
        return STATUS_SUCCESS;
    if (Timeouts->ReadIntervalTimeout == MAXULONG) {
        if (Timeouts->ReadTotalTimeoutMultiplier == 0 && Timeouts->ReadTotalTimeoutConstant == 0)
            return STATUS_SUCCESS;
        if (Timeouts->ReadTotalTimeoutMultiplier == MAXULONG && Irp->IoStatus.Information != 0)
            return STATUS_SUCCESS;
    }
    return Now >= Serial->Reads.Deadline || Now >= IntervalDeadline(Serial, Irp) ? STATUS_TIMEOUT
                                                                                 : STATUS_PENDING;
}

static VOID ServeReadsLocked(SERIAL *Serial)
{
    PIRP Irp;
    while ((Irp = FirstPendingLocked(&Serial->Reads)) != NULL) {
        if (Serial->Reads.Begun != Irp)
            BeginReadLocked(Serial, Irp);
        FillReadLocked(Serial, Irp);
        Irp->IoStatus.Status = JudgeReadLocked(Serial, Irp);
        if (Irp->IoStatus.Status == STATUS_PENDING)
            return;
    }
}

/* --- writes --- */

/* [WDK IRP_MJ_FLUSH_BUFFERS for serial devices] A flush is done when the writes before it are: a write of nothing. */
static ULONG WriteLength(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_WRITE ? LengthOf(Irp) : 0;
}

static VOID BeginWriteLocked(SERIAL *Serial, PIRP Irp)
{
    const SERIAL_TIMEOUTS *Timeouts = &Serial->Timeouts;
    KIRQL Irql = UartAcquire(Serial);
    Serial->Writes.Begun = Irp;
    Serial->Writes.Deadline = TotalDeadline(Timeouts->WriteTotalTimeoutMultiplier,
                                            Timeouts->WriteTotalTimeoutConstant, WriteLength(Irp));
    UartSend(Serial, Irp->AssociatedIrp.SystemBuffer, WriteLength(Irp));
    UartRelease(Serial, Irql);
}

static NTSTATUS JudgeWriteLocked(SERIAL *Serial, PIRP Irp)
{
    NTSTATUS Status = STATUS_PENDING;
    KIRQL Irql = UartAcquire(Serial);
    Irp->IoStatus.Information = WriteLength(Irp) - Serial->OutLeft;
    if (!Serial->Sending)
        Status = STATUS_SUCCESS;
    else if (KeQueryInterruptTime() >= Serial->Writes.Deadline) {
        UartStopSending(Serial);
        Status = STATUS_TIMEOUT;
    }
    UartRelease(Serial, Irql);
    return Status;
}

static VOID ServeWritesLocked(SERIAL *Serial)
{
    PIRP Irp;
    while ((Irp = FirstPendingLocked(&Serial->Writes)) != NULL) {
        if (Serial->Writes.Begun != Irp)
            BeginWriteLocked(Serial, Irp);
        Irp->IoStatus.Status = JudgeWriteLocked(Serial, Irp);
        if (Irp->IoStatus.Status == STATUS_PENDING)
            return;
    }
}

/* --- waits --- */

/* [WDK IOCTL_SERIAL_WAIT_ON_MASK] The answer is what happened since the last one. */
static VOID ServeWaitsLocked(SERIAL *Serial)
{
    PIRP Irp = FirstPendingLocked(&Serial->Waits);
    if (Irp == NULL)
        return;
    KIRQL Irql = UartAcquire(Serial);
    ULONG Events = Serial->Events;
    Serial->Events = 0;
    UartRelease(Serial, Irql);
    if (Events == 0)
        return;
    *(PULONG)Irp->AssociatedIrp.SystemBuffer = Events;
    Irp->IoStatus.Information = sizeof(Events);
    Irp->IoStatus.Status = STATUS_SUCCESS;
}

/* --- all of them --- */

static ULONG64 DeadlineLocked(SERIAL *Serial)
{
    PIRP Read = FirstPendingLocked(&Serial->Reads), Write = FirstPendingLocked(&Serial->Writes);
    ULONG64 Deadline = NEVER;
    if (Read != NULL)
        Deadline = min(Serial->Reads.Deadline, IntervalDeadline(Serial, Read));
    if (Write != NULL)
        Deadline = min(Deadline, Serial->Writes.Deadline);
    return Deadline;
}

static VOID SetTimerLocked(SERIAL *Serial)
{
    ULONG64 Deadline = DeadlineLocked(Serial), Now = KeQueryInterruptTime();
    if (Deadline == NEVER) {
        KeCancelTimer(&Serial->Timer);
        return;
    }
    LARGE_INTEGER Due = {.QuadPart = -(LONGLONG)(Deadline > Now ? Deadline - Now : 1)};
    KeSetTimer(&Serial->Timer, Due, &Serial->Dpc);
}

VOID Serve(SERIAL *Serial)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Serial->Lock, &Irql);
    BOOLEAN Gone = Serial->Gone;
    if (Serial->Awake) {
        ServeReadsLocked(Serial);
        ServeWritesLocked(Serial);
        ServeWaitsLocked(Serial);
        SetTimerLocked(Serial);
    }
    KeReleaseSpinLock(&Serial->Lock, Irql);
    SERIAL_QUEUE *Queues[] = {&Serial->Reads, &Serial->Writes, &Serial->Waits};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Queues); i++) {
        FinishDone(Queues[i]);
        if (Gone)
            EndAll(Queues[i], STATUS_NO_SUCH_DEVICE);
    }
}

VOID NTAPI ServeDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    Serve(Context);
}

NTSTATUS NTAPI SerialReadWrite(PDEVICE_OBJECT Device, PIRP Irp)
{
    SERIAL *Serial = Device->DeviceExtension;
    BOOLEAN IsRead = IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_READ;
    NTSTATUS Status = IoAcquireRemoveLock(&Serial->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return SerialComplete(Irp, Status, 0);
    return QueueRequest(IsRead ? &Serial->Reads : &Serial->Writes, Irp);
}

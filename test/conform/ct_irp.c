/* SPDX-License-Identifier: MIT
 * Requests: building, sending, completing, pending, cancelling. The driver sends to devices of its own. [WDK
 * IoAllocateIrp, IoBuildDeviceIoControlRequest, IoBuildSynchronousFsdRequest, IoBuildAsynchronousFsdRequest,
 * IofCallDriver, IoCompleteRequest, IoSetCompletionRoutine, IoCancelIrp, IoCsqInitialize, IoStartPacket] */
#include "ct_irp.h"

#define CT_IOCTL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900, METHOD_BUFFERED, FILE_ANY_ACCESS)

static LARGE_INTEGER Patience = {.QuadPart = -10 * 10000000LL};
static PDEVICE_OBJECT Lower, Upper; /* Upper is attached over Lower */

/* What the dispatch routine of Lower shall do with the next request, and what it saw. */
static enum { CompleteNow, PendForLater, PendCancelable } Mode;
static PIRP Pended;
static PIO_STACK_LOCATION SeenLocation;
static PDEVICE_OBJECT SeenDevice;

/* [WDK IoSetCancelRoutine] A cancel routine runs at DISPATCH_LEVEL and releases the cancel lock itself. */
static VOID NTAPI OnCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    CtComplete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KIRQL Irql;
    if (DeviceObject == Upper) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Lower, Irp);
    }
    SeenDevice = DeviceObject;
    SeenLocation = IoGetCurrentIrpStackLocation(Irp);
    if (Mode == CompleteNow)
        return CtComplete(Irp, STATUS_SUCCESS, 4);
    IoMarkIrpPending(Irp);
    Pended = Irp;
    if (Mode == PendCancelable) {
        IoAcquireCancelSpinLock(&Irql);
        IoSetCancelRoutine(Irp, OnCancel);
        IoReleaseCancelSpinLock(Irql);
    }
    return STATUS_PENDING;
}

static BOOLEAN MakeStack(VOID)
{
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Dispatch;
    Mode = CompleteNow;
    Lower = Upper = NULL;
    if (!NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Lower)) ||
        !NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Upper)))
        return CT_CHECK(FALSE);
    Lower->Flags = (Lower->Flags | DO_BUFFERED_IO) & ~DO_DEVICE_INITIALIZING;
    Upper->Flags = (Upper->Flags | DO_BUFFERED_IO) & ~DO_DEVICE_INITIALIZING;
    return CT_CHECK(IoAttachDeviceToDeviceStack(Upper, Lower) == Lower);
}

static VOID DropStack(VOID)
{
    IoDetachDevice(Lower);
    IoDeleteDevice(Upper);
    IoDeleteDevice(Lower);
}

static VOID IrpAllocate(VOID)
{
    PIRP Irp = IoAllocateIrp(3, FALSE);
    CT_REQUIRE(Irp != NULL);
    CT_EQUAL(Irp->Type, IO_TYPE_IRP);
    CT_EQUAL(Irp->Size, IoSizeOfIrp(3));
    CT_EQUAL(Irp->StackCount, 3);
    CT_EQUAL(Irp->CurrentLocation, 4);
    CT_EQUAL(Irp->Tail.Overlay.CurrentStackLocation, (PIO_STACK_LOCATION)(Irp + 1) + 3);
    CT_CHECK(!Irp->PendingReturned && !Irp->Cancel && Irp->CancelRoutine == NULL);
    IoFreeIrp(Irp);
}

static VOID IrpInitialize(VOID)
{
    USHORT Size = IoSizeOfIrp(2);
    PIRP Irp = ExAllocatePoolWithTag(NonPagedPool, Size, 'riTC');
    CT_REQUIRE(Irp != NULL);
    RtlFillMemory(Irp, Size, 0xCC);
    IoInitializeIrp(Irp, Size, 2);
    CT_EQUAL(Irp->Type, IO_TYPE_IRP);
    CT_EQUAL(Irp->StackCount, 2);
    CT_EQUAL(Irp->CurrentLocation, 3);
    CT_CHECK(IsListEmpty(&Irp->ThreadListEntry));
    CT_EQUAL(Irp->IoStatus.Status, 0);
    ExFreePoolWithTag(Irp, 'riTC');
}

/* --- sending and completing --- */

/* A completion routine's own stop: the request is the sender's again. */
typedef struct STOP {
    KEVENT Event;
    LONG Calls;
    BOOLEAN Pending;
    PDEVICE_OBJECT Device;
} STOP;

static NTSTATUS NTAPI Stop(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    STOP *This = Context;
    This->Calls++;
    This->Pending = Irp->PendingReturned;
    This->Device = DeviceObject;
    KeSetEvent(&This->Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Prepare(STOP *This, CCHAR Locations)
{
    PIRP Irp = IoAllocateIrp(Locations, FALSE);
    RtlZeroMemory(This, sizeof(*This));
    KeInitializeEvent(&This->Event, NotificationEvent, FALSE);
    if (Irp == NULL)
        return NULL;
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoSetCompletionRoutine(Irp, Stop, This, TRUE, TRUE, TRUE);
    return Irp;
}

/* IofCallDriver advances the stack location, fills in its device and calls the routine of the major function. */
static VOID IrpCall(VOID)
{
    STOP This;
    CT_REQUIRE(MakeStack());
    PIRP Irp = Prepare(&This, Upper->StackSize);
    if (CT_CHECK(Irp != NULL)) {
        PIO_STACK_LOCATION Next = IoGetNextIrpStackLocation(Irp);
        CT_SUCCESS(IoCallDriver(Upper, Irp));
        CT_EQUAL(SeenDevice, Lower);
        CT_EQUAL(SeenLocation, Next); /* the upper device skipped its location */
        CT_EQUAL(Irp->IoStatus.Information, 4);
        IoFreeIrp(Irp);
    }
    DropStack();
}

static LONG Order, UpperAt, LowerAt;
static BOOLEAN UpperSawPending;

static NTSTATUS NTAPI NoteUpper(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    UpperAt = ++Order;
    UpperSawPending = Irp->PendingReturned;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS NTAPI NoteLower(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    LowerAt = ++Order;
    if (Irp->PendingReturned)
        IoMarkIrpPending(Irp);
    return STATUS_CONTINUE_COMPLETION;
}

/* Completion routines run from the lowest location up, only for the outcomes that they asked for; the pending mark
 * reaches the next one through IoMarkIrpPending; STATUS_MORE_PROCESSING_REQUIRED ends it. */
static VOID IrpComplete(VOID)
{
    STOP This;
    CT_REQUIRE(MakeStack());
    PIRP Irp = IoAllocateIrp(2, FALSE);
    CT_REQUIRE(Irp != NULL);
    Order = UpperAt = LowerAt = 0;
    Mode = PendForLater;
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoSetCompletionRoutine(Irp, NoteUpper, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, NoteLower, NULL, TRUE, TRUE, TRUE);
    CT_STATUS(IoCallDriver(Lower, Irp), STATUS_PENDING);
    CT_EQUAL(Order, 0);
    CtComplete(Pended, STATUS_SUCCESS, 0);
    CT_CHECK(LowerAt == 1 && UpperAt == 2);
    CT_CHECK(UpperSawPending);
    IoFreeIrp(Irp);

    Irp = Prepare(&This, 1);
    Mode = PendForLater;
    CT_REQUIRE(Irp != NULL);
    IoSetCompletionRoutine(Irp, Stop, &This, FALSE, TRUE, FALSE); /* on errors only */
    IoCallDriver(Lower, Irp);
    CtComplete(Pended, STATUS_UNSUCCESSFUL, 0);
    CT_EQUAL(This.Calls, 1);
    CT_CHECK(This.Pending);
    IoFreeIrp(Irp);
    DropStack();
}

/* [WDK IO_COMPLETION_ROUTINE] without a routine of the location between, the pending mark is handed on all the same. */
static VOID IrpPendingOn(VOID)
{
    CT_REQUIRE(MakeStack());
    PIRP Irp = IoAllocateIrp(2, FALSE);
    CT_REQUIRE(Irp != NULL);
    Mode = PendForLater;
    UpperSawPending = FALSE;
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoSetCompletionRoutine(Irp, NoteUpper, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    CT_STATUS(IoCallDriver(Lower, Irp), STATUS_PENDING);
    CtComplete(Pended, STATUS_SUCCESS, 0);
    CT_CHECK(UpperSawPending);
    IoFreeIrp(Irp);
    DropStack();
}

/* Whether a routine that is set for these outcomes (1 success, 2 error, 4 cancelled) is called. */
static BOOLEAN IsInvoked(ULONG Wanted, BOOLEAN Cancel, NTSTATUS Status)
{
    BOOLEAN Called = FALSE;
    PIRP Irp = IoAllocateIrp(2, FALSE);
    if (!CT_CHECK(Irp != NULL))
        return FALSE;
    Mode = PendForLater;
    Order = LowerAt = 0;
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoSetCompletionRoutine(Irp, NoteUpper, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, NoteLower, NULL, Wanted & 1, (Wanted & 2) != 0, (Wanted & 4) != 0);
    IoCallDriver(Lower, Irp);
    if (Cancel)
        IoCancelIrp(Irp);
    CtComplete(Pended, Status, 0);
    Called = LowerAt != 0;
    IoFreeIrp(Irp);
    return Called;
}

/* [WDK IoSetCompletionRoutine] InvokeOnCancel: when the IRP is marked cancelled, however it ends. */
static VOID IrpInvoke(VOID)
{
    CT_REQUIRE(MakeStack());
    for (ULONG Wanted = 0; Wanted < 8; Wanted++) {
        CT_EQUAL(IsInvoked(Wanted, FALSE, STATUS_SUCCESS), (Wanted & 1) != 0);
        CT_EQUAL(IsInvoked(Wanted, FALSE, STATUS_UNSUCCESSFUL), (Wanted & 2) != 0);
        CT_EQUAL(IsInvoked(Wanted, TRUE, STATUS_SUCCESS), (Wanted & 5) != 0);
        CT_EQUAL(IsInvoked(Wanted, TRUE, STATUS_CANCELLED), (Wanted & 6) != 0);
    }
    DropStack();
}

/* The same IRP again, as if new; its status is the caller's. */
static VOID IrpReuse(VOID)
{
    STOP This;
    CT_REQUIRE(MakeStack());
    PIRP Irp = Prepare(&This, 1);
    CT_REQUIRE(Irp != NULL);
    IoCallDriver(Lower, Irp);
    IoReuseIrp(Irp, STATUS_NOT_SUPPORTED);
    CT_STATUS(Irp->IoStatus.Status, STATUS_NOT_SUPPORTED);
    CT_EQUAL(Irp->CurrentLocation, 2);
    IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
    IoSetCompletionRoutine(Irp, Stop, &This, TRUE, TRUE, TRUE);
    CT_SUCCESS(IoCallDriver(Lower, Irp));
    CT_EQUAL(This.Calls, 2);
    IoFreeIrp(Irp);
    DropStack();
}

/* --- requests that the I/O manager builds --- */

static NTSTATUS NTAPI Answer(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    SeenDevice = DeviceObject;
    SeenLocation = Location;
    if (Location->MajorFunction == IRP_MJ_DEVICE_CONTROL ||
        Location->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL) {
        ULONG *Value = Irp->AssociatedIrp.SystemBuffer;
        *Value += Location->Parameters.DeviceIoControl.IoControlCode == CT_IOCTL;
        return CtComplete(Irp, STATUS_SUCCESS, sizeof(ULONG));
    }
    if (Location->MajorFunction == IRP_MJ_READ) {
        RtlFillMemory(Irp->AssociatedIrp.SystemBuffer, Location->Parameters.Read.Length, 0x77);
        return CtComplete(Irp, STATUS_SUCCESS, Location->Parameters.Read.Length);
    }
    return CtComplete(Irp, STATUS_SUCCESS, 0);
}

static VOID AnswerAll(VOID)
{
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Answer;
}

/* METHOD_BUFFERED: input is copied in, output copied out, the event set, the IRP freed. */
static VOID IrpDeviceControl(VOID)
{
    for (ULONG Internal = 0; Internal < 2; Internal++) {
        KEVENT Event;
        IO_STATUS_BLOCK Iosb = {.Information = 0};
        ULONG In = 41, Out = 0;
        CT_REQUIRE(MakeStack());
        AnswerAll();
        KeInitializeEvent(&Event, NotificationEvent, FALSE);
        PIRP Irp = IoBuildDeviceIoControlRequest(CT_IOCTL, Lower, &In, sizeof(In), &Out, sizeof(Out),
                                                 (BOOLEAN)Internal, &Event, &Iosb);
        if (CT_CHECK(Irp != NULL)) {
            NTSTATUS Status = IoCallDriver(Lower, Irp);
            if (Status == STATUS_PENDING)
                KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Patience);
            CT_STATUS(Iosb.Status, STATUS_SUCCESS);
            CT_EQUAL(Iosb.Information, sizeof(Out));
            CT_EQUAL(Out, 42);
            CT_CHECK(KeReadStateEvent(&Event) != 0);
        }
        DropStack();
    }
}

static VOID IrpSynchronous(VOID)
{
    KEVENT Event;
    IO_STATUS_BLOCK Iosb = {.Information = 0};
    LARGE_INTEGER Offset = {.QuadPart = 512};
    UCHAR Buffer[16] = {0};
    CT_REQUIRE(MakeStack());
    AnswerAll();
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    PIRP Irp =
        IoBuildSynchronousFsdRequest(IRP_MJ_READ, Lower, Buffer, sizeof(Buffer), &Offset, &Event, &Iosb);
    if (CT_CHECK(Irp != NULL)) {
        PIO_STACK_LOCATION Next = IoGetNextIrpStackLocation(Irp);
        CT_EQUAL(Next->MajorFunction, IRP_MJ_READ);
        CT_EQUAL(Next->Parameters.Read.Length, sizeof(Buffer));
        CT_EQUAL(Next->Parameters.Read.ByteOffset.QuadPart, 512);
        if (IoCallDriver(Lower, Irp) == STATUS_PENDING)
            KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Patience);
        CT_STATUS(Iosb.Status, STATUS_SUCCESS);
        CT_EQUAL(Iosb.Information, sizeof(Buffer));
        CT_CHECK(Buffer[0] == 0x77 && Buffer[15] == 0x77);
    }
    DropStack();
}

static NTSTATUS NTAPI FreeAsynchronous(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    if (Irp->AssociatedIrp.SystemBuffer != NULL && (Irp->Flags & IRP_DEALLOCATE_BUFFER))
        ExFreePool(Irp->AssociatedIrp.SystemBuffer);
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Belongs to no thread: the sender frees it in its completion routine, the buffered-I/O buffer included. */
static VOID IrpAsynchronous(VOID)
{
    KEVENT Event;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    UCHAR Buffer[8] = {1};
    CT_REQUIRE(MakeStack());
    AnswerAll();
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    PIRP Irp = IoBuildAsynchronousFsdRequest(IRP_MJ_WRITE, Lower, Buffer, sizeof(Buffer), &Offset, &Iosb);
    if (CT_CHECK(Irp != NULL)) {
        CT_CHECK(IsListEmpty(&Irp->ThreadListEntry));
        IoSetCompletionRoutine(Irp, FreeAsynchronous, &Event, TRUE, TRUE, TRUE);
        CT_SUCCESS(IoCallDriver(Lower, Irp));
        CT_SUCCESS(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Patience));
    }
    DropStack();
}

/* The process that issued the request; NULL when it is nobody's. */
static VOID IrpRequestor(VOID)
{
    KEVENT Event;
    IO_STATUS_BLOCK Iosb;
    ULONG In = 0, Out = 0;
    CT_REQUIRE(MakeStack());
    AnswerAll();
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    PIRP Irp = IoBuildDeviceIoControlRequest(CT_IOCTL, Lower, &In, sizeof(In), &Out, sizeof(Out), FALSE,
                                             &Event, &Iosb);
    if (CT_CHECK(Irp != NULL)) {
        CT_EQUAL(IoGetRequestorProcess(Irp), IoGetCurrentProcess());
        if (IoCallDriver(Lower, Irp) == STATUS_PENDING)
            KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Patience);
    }
    DropStack();
}

/* --- cancel --- */

/* TRUE when there was a cancel routine, which is called; the mark stays either way. */
static VOID IrpCancel(VOID)
{
    STOP This;
    CT_REQUIRE(MakeStack());
    PIRP Irp = Prepare(&This, 1);
    CT_REQUIRE(Irp != NULL);
    Mode = PendForLater;
    IoCallDriver(Lower, Irp);
    CT_CHECK(!IoCancelIrp(Irp));
    CT_CHECK(Irp->Cancel);
    CtComplete(Pended, STATUS_SUCCESS, 0);
    CT_EQUAL(This.Calls, 1);
    IoFreeIrp(Irp);

    Irp = Prepare(&This, 1);
    CT_REQUIRE(Irp != NULL);
    Mode = PendCancelable;
    CT_STATUS(IoCallDriver(Lower, Irp), STATUS_PENDING);
    CT_CHECK(IoCancelIrp(Irp));
    CT_SUCCESS(KeWaitForSingleObject(&This.Event, Executive, KernelMode, FALSE, &Patience));
    CT_STATUS(Irp->IoStatus.Status, STATUS_CANCELLED);
    CT_CHECK(Irp->CancelRoutine == NULL);
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    IoFreeIrp(Irp);
    DropStack();
}

/* --- cancel-safe queue --- */

static struct {
    IO_CSQ Csq;
    KSPIN_LOCK Lock;
    LIST_ENTRY List;
    LONG Canceled;
} Queue;

static VOID NTAPI CsqInsert(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    InsertTailList(&Queue.List, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI CsqPeek(PIO_CSQ Csq, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Csq);
    UNREFERENCED_PARAMETER(Context);
    PLIST_ENTRY Next = Irp != NULL ? Irp->Tail.Overlay.ListEntry.Flink : Queue.List.Flink;
    return Next != &Queue.List ? CONTAINING_RECORD(Next, IRP, Tail.Overlay.ListEntry) : NULL;
}

static VOID NTAPI CsqAcquire(PIO_CSQ Csq, PKIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeAcquireSpinLock(&Queue.Lock, Irql);
}

static VOID NTAPI CsqRelease(PIO_CSQ Csq, KIRQL Irql)
{
    UNREFERENCED_PARAMETER(Csq);
    KeReleaseSpinLock(&Queue.Lock, Irql);
}

static VOID NTAPI CsqCanceled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    Queue.Canceled++;
    CtComplete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS NTAPI DispatchToQueue(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoCsqInsertIrp(&Queue.Csq, Irp, Irp->UserBuffer); /* the test's IO_CSQ_IRP_CONTEXT, or NULL */
    return STATUS_PENDING;
}

static BOOLEAN MakeQueue(VOID)
{
    KeInitializeSpinLock(&Queue.Lock);
    InitializeListHead(&Queue.List);
    Queue.Canceled = 0;
    if (!MakeStack())
        return FALSE;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = DispatchToQueue;
    return CT_CHECK(NT_SUCCESS(
        IoCsqInitialize(&Queue.Csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqCanceled)));
}

static struct {
    KEVENT Event;
    IO_STATUS_BLOCK Iosb;
    NTSTATUS Status;
} Left[3];

static VOID NTAPI LeaveRequests(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Left); i++) {
        KeInitializeEvent(&Left[i].Event, NotificationEvent, FALSE);
        Left[i].Iosb.Status = STATUS_PENDING;
        PIRP Irp = IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, Lower, NULL, 0, NULL, &Left[i].Event,
                                                &Left[i].Iosb);
        Left[i].Status = Irp != NULL ? IoCallDriver(Lower, Irp) : STATUS_INSUFFICIENT_RESOURCES;
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* [WDK Handling IRP_MJ_CLEANUP; Cancelling IRPs] a thread that ends cancels all that it has asked for, and waits for it. */
static VOID IrpThreadEnd(VOID)
{
    HANDLE Handle;
    CT_REQUIRE(MakeQueue());
    CT_REQUIRE(
        NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, LeaveRequests, NULL)));
    CT_SUCCESS(ZwWaitForSingleObject(Handle, FALSE, &Patience));
    ZwClose(Handle);
    CT_EQUAL(Queue.Canceled, RTL_NUMBER_OF(Left));
    for (ULONG i = 0; i < RTL_NUMBER_OF(Left); i++) {
        CT_STATUS(Left[i].Status, STATUS_PENDING);
        CT_STATUS(Left[i].Iosb.Status, STATUS_CANCELLED);
        CT_CHECK(KeReadStateEvent(&Left[i].Event) != 0);
    }
    DropStack();
}

/* In order out; a cancelled request leaves the queue by itself, and cannot be cancelled once it is out. */
static VOID CsqInsertCase(VOID)
{
    STOP Stops[3];
    PIRP Irps[3];
    CT_REQUIRE(MakeQueue());
    for (ULONG i = 0; i < 3; i++) {
        Irps[i] = Prepare(&Stops[i], 1);
        CT_REQUIRE(Irps[i] != NULL);
        CT_STATUS(IoCallDriver(Lower, Irps[i]), STATUS_PENDING);
    }
    CT_CHECK(IoCancelIrp(Irps[1]));
    CT_EQUAL(Queue.Canceled, 1);
    CT_STATUS(Irps[1]->IoStatus.Status, STATUS_CANCELLED);
    CT_EQUAL(IoCsqRemoveNextIrp(&Queue.Csq, NULL), Irps[0]);
    CT_CHECK(!IoCancelIrp(Irps[0]));
    CtComplete(Irps[0], STATUS_SUCCESS, 0);
    CT_EQUAL(IoCsqRemoveNextIrp(&Queue.Csq, NULL), Irps[2]);
    CtComplete(Irps[2], STATUS_SUCCESS, 0);
    CT_EQUAL(IoCsqRemoveNextIrp(&Queue.Csq, NULL), 0);
    for (ULONG i = 0; i < 3; i++) {
        CT_EQUAL(Stops[i].Calls, 1);
        IoFreeIrp(Irps[i]);
    }
    DropStack();
}

/* A given request, named by the context of its insertion; NULL when it was cancelled before. */
static VOID CsqRemoveCase(VOID)
{
    STOP This;
    IO_CSQ_IRP_CONTEXT Context;
    CT_REQUIRE(MakeQueue());
    for (ULONG Cancel = 0; Cancel < 2; Cancel++) {
        PIRP Irp = Prepare(&This, 1);
        CT_REQUIRE(Irp != NULL);
        Irp->UserBuffer = &Context;
        IoCallDriver(Lower, Irp);
        if (Cancel) {
            CT_CHECK(IoCancelIrp(Irp));
            CT_EQUAL(IoCsqRemoveIrp(&Queue.Csq, &Context), 0);
        } else {
            CT_EQUAL(IoCsqRemoveIrp(&Queue.Csq, &Context), Irp);
            CtComplete(Irp, STATUS_SUCCESS, 0);
        }
        CT_EQUAL(This.Calls, 1);
        IoFreeIrp(Irp);
    }
    DropStack();
}

/* --- StartIo --- */

static ULONG Started;

static VOID NTAPI StartIo(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    Started++;
    CT_EQUAL(DeviceObject->CurrentIrp, Irp);
    CT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
}

static NTSTATUS NTAPI DispatchToStartIo(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    IoMarkIrpPending(Irp);
    IoStartPacket(DeviceObject, Irp, NULL, NULL);
    return STATUS_PENDING;
}

static VOID FinishCurrent(VOID)
{
    KIRQL Irql;
    PIRP Irp = Lower->CurrentIrp;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    CtComplete(Irp, STATUS_SUCCESS, 0);
    IoStartNextPacket(Lower, FALSE);
    KeLowerIrql(Irql);
}

/* One request at a time is given to the driver's StartIo routine; the others wait in the device queue. */
static VOID IrpStartPacket(VOID)
{
    STOP Stops[2];
    PIRP Irps[2];
    CT_REQUIRE(MakeStack());
    CtDriverObject->DriverStartIo = StartIo;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = DispatchToStartIo;
    Started = 0;
    for (ULONG i = 0; i < 2; i++) {
        Irps[i] = Prepare(&Stops[i], 1);
        CT_REQUIRE(Irps[i] != NULL);
        IoCallDriver(Lower, Irps[i]);
    }
    CT_EQUAL(Started, 1);
    CT_EQUAL(Lower->CurrentIrp, Irps[0]);
    FinishCurrent();
    CT_EQUAL(Started, 2);
    CT_EQUAL(Lower->CurrentIrp, Irps[1]);
    FinishCurrent();
    CT_EQUAL(Lower->CurrentIrp, 0);
    for (ULONG i = 0; i < 2; i++) {
        CT_EQUAL(Stops[i].Calls, 1);
        IoFreeIrp(Irps[i]);
    }
    CtDriverObject->DriverStartIo = NULL;
    DropStack();
}

static const CT_CASE Cases[] = {
    {"irp.allocate", IrpAllocate},
    {"irp.initialize", IrpInitialize},
    {"irp.call", IrpCall},
    {"irp.complete", IrpComplete},
    {"irp.pending_on", IrpPendingOn},
    {"irp.invoke", IrpInvoke},
    {"irp.reuse", IrpReuse},
    {"irp.device_control", IrpDeviceControl},
    {"irp.synchronous", IrpSynchronous},
    {"irp.asynchronous", IrpAsynchronous},
    {"irp.requestor", IrpRequestor},
    {"irp.cancel", IrpCancel},
    {"irp.thread_end", IrpThreadEnd},
    {"csq.insert", CsqInsertCase},
    {"csq.remove", CsqRemoveCase},
    {"irp.start_packet", IrpStartPacket},
};
CT_DRIVER(Cases)

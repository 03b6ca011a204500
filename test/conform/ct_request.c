/* SPDX-License-Identifier: MIT
 * Where and when a request ends: in the thread that issued it, by a special kernel APC; asynchronous files; APC routines; the services
 * as user mode calls them. [WDK ZwReadFile, ZwDeviceIoControlFile, KeEnterGuardedRegion, "Types of APCs", IO_STATUS_BLOCK] */
#include "ct_irp.h"

#define CODE_PEND CTL_CODE(FILE_DEVICE_UNKNOWN, 0x920, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_NOW CTL_CODE(FILE_DEVICE_UNKNOWN, 0x921, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_CANCEL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x923, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define CODE_FAIL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x922, METHOD_BUFFERED, FILE_ANY_ACCESS)

static UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\CtRequest");
static PDEVICE_OBJECT Device;
static PIRP volatile Pended;
static LARGE_INTEGER Now, Patience = {.QuadPart = -10 * 10000000LL};

static ULONG FillOutput(PIRP Irp)
{
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.OutputBufferLength;
    if (Length != 0)
        RtlFillMemory(Irp->AssociatedIrp.SystemBuffer, Length, 0x5A);
    return Length;
}

static VOID NTAPI Cancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    CtComplete(Irp, STATUS_CANCELLED, 0);
}

static NTSTATUS Control(PIRP Irp)
{
    switch (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode) {
    case CODE_PEND:
        IoMarkIrpPending(Irp);
        Pended = Irp;
        return STATUS_PENDING;
    case CODE_CANCEL:
        IoMarkIrpPending(Irp);
        IoSetCancelRoutine(Irp, Cancel);
        return STATUS_PENDING;
    case CODE_NOW:
        return CtComplete(Irp, STATUS_SUCCESS, FillOutput(Irp));
    default:
        return CtComplete(Irp, STATUS_UNSUCCESSFUL, 0);
    }
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Location = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Location->MajorFunction == IRP_MJ_DEVICE_CONTROL)
        return Control(Irp);
    if (Location->MajorFunction != IRP_MJ_READ && Location->MajorFunction != IRP_MJ_WRITE)
        return CtComplete(Irp, STATUS_SUCCESS, 0);
    ULONG Length = Location->Parameters.Read.Length;
    if (Location->MajorFunction == IRP_MJ_READ)
        RtlFillMemory(Irp->AssociatedIrp.SystemBuffer, Length, 0x5A);
    return CtComplete(Irp, STATUS_SUCCESS, Length);
}

static HANDLE Open(ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle = NULL;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(NtCreateFile(&Handle, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                            FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, Options, NULL, 0));
    return Handle;
}

static HANDLE Prepare(ULONG Options)
{
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Dispatch;
    if (!CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)))
        return NULL;
    Device->Flags = (Device->Flags | DO_BUFFERED_IO) & ~DO_DEVICE_INITIALIZING;
    Pended = NULL;
    return Open(Options);
}

static VOID Finish(HANDLE Handle)
{
    CT_SUCCESS(ZwClose(Handle));
    IoDeleteDevice(Device);
}

/* Completes the request that was pended, from a DPC of the last processor, and returns when that has been done. */
static KEVENT Completed;

static VOID NTAPI CompleteInDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    PIRP Irp = Pended;
    CtComplete(Irp, STATUS_SUCCESS, FillOutput(Irp));
    KeSetEvent(&Completed, IO_NO_INCREMENT, FALSE);
}

static VOID CompleteElsewhere(VOID)
{
    static KDPC Dpc;
    KeInitializeEvent(&Completed, NotificationEvent, FALSE);
    KeInitializeDpc(&Dpc, CompleteInDpc, NULL);
    KeSetTargetProcessorDpc(&Dpc, (CCHAR)(KeQueryActiveProcessorCount(NULL) - 1));
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    CT_SUCCESS(KeWaitForSingleObject(&Completed, Executive, KernelMode, FALSE, &Patience));
    KeFlushQueuedDpcs();
}

/* Output, status block, event and file change when the thread may get its special kernel APC, and no sooner. */
static VOID RequestInThread(VOID)
{
    IO_STATUS_BLOCK Iosb = {.Status = STATUS_PENDING, .Information = 77};
    UCHAR Output[4] = {0};
    HANDLE Handle = Prepare(0), Event;
    PKEVENT Object;
    CT_REQUIRE(Handle != NULL);
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, TRUE));
    CT_SUCCESS(ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, (PVOID *)&Object, NULL));
    CT_STATUS(ZwDeviceIoControlFile(Handle, Event, NULL, NULL, &Iosb, CODE_PEND, NULL, 0, Output, 4),
              STATUS_PENDING);
    CT_CHECK(KeReadStateEvent(Object) == 0);
    KeEnterGuardedRegion();
    CompleteElsewhere();
    CT_EQUAL(KeReadStateEvent(Object), 0);
    CT_EQUAL(Iosb.Information, 77);
    CT_EQUAL(Output[0], 0);
    KeLeaveGuardedRegion();
    CT_CHECK(KeReadStateEvent(Object) != 0);
    CT_CHECK(Iosb.Status == STATUS_SUCCESS && Iosb.Information == 4);
    CT_CHECK(Output[0] == 0x5A && Output[3] == 0x5A);
    ObDereferenceObject(Object);
    ZwClose(Event);
    Finish(Handle);
}

/* Without an event the file itself is signalled; a synchronous file's call returns when the request is done. */
static VOID RequestFileEvent(VOID)
{
    IO_STATUS_BLOCK Iosb = {.Status = STATUS_PENDING};
    HANDLE Handle = Prepare(0);
    CT_REQUIRE(Handle != NULL);
    CT_STATUS(ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb, CODE_PEND, NULL, 0, NULL, 0),
              STATUS_PENDING);
    CT_STATUS(ZwWaitForSingleObject(Handle, FALSE, &Now), STATUS_TIMEOUT);
    CompleteElsewhere();
    CT_SUCCESS(ZwWaitForSingleObject(Handle, FALSE, &Now));
    CT_STATUS(Iosb.Status, STATUS_SUCCESS);
    CT_SUCCESS(ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb, CODE_NOW, NULL, 0, NULL, 0));
    CT_SUCCESS(ZwWaitForSingleObject(Handle, FALSE, &Now));
    Iosb.Information = 77; /* a request that fails at once tells by its return value alone */
    CT_STATUS(ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb, CODE_FAIL, NULL, 0, NULL, 0),
              STATUS_UNSUCCESSFUL);
    CT_EQUAL(Iosb.Information, 77);
    CT_STATUS(ZwWaitForSingleObject(Handle, FALSE, &Now), STATUS_TIMEOUT);
    Finish(Handle);
}

/* --- APC routines --- */

static struct {
    LONG Calls;
    PVOID Context, Iosb;
    ULONG Reserved;
    KIRQL Irql;
    PKTHREAD Thread;
} Apc;

static VOID NTAPI ApcRoutine(PVOID Context, PIO_STATUS_BLOCK Iosb, ULONG Reserved)
{
    Apc.Calls++;
    Apc.Context = Context;
    Apc.Iosb = Iosb;
    Apc.Reserved = Reserved;
    Apc.Irql = KeGetCurrentIrql();
    Apc.Thread = KeGetCurrentThread();
}

static VOID CheckApc(PVOID Context, PIO_STATUS_BLOCK Iosb)
{
    CT_EQUAL(Apc.Calls, 1);
    CT_CHECK(Apc.Context == Context && Apc.Iosb == Iosb && Apc.Reserved == 0);
    CT_CHECK(Apc.Irql == PASSIVE_LEVEL && Apc.Thread == KeGetCurrentThread());
    Apc.Calls = 0;
}

/* A normal kernel APC for a kernel-mode caller: not inside a critical region; not for a request that failed at once. */
static VOID ApcCases(HANDLE Handle)
{
    IO_STATUS_BLOCK Iosb = {.Status = STATUS_PENDING};
    CT_SUCCESS(ZwDeviceIoControlFile(Handle, NULL, ApcRoutine, &Device, &Iosb, CODE_NOW, NULL, 0, NULL, 0));
    CheckApc(&Device, &Iosb);
    CT_STATUS(ZwDeviceIoControlFile(Handle, NULL, ApcRoutine, &Device, &Iosb, CODE_FAIL, NULL, 0, NULL, 0),
              STATUS_UNSUCCESSFUL);
    CT_EQUAL(Apc.Calls, 0);
    KeEnterCriticalRegion();
    CT_SUCCESS(ZwDeviceIoControlFile(Handle, NULL, ApcRoutine, &Now, &Iosb, CODE_NOW, NULL, 0, NULL, 0));
    CT_EQUAL(Apc.Calls, 0);
    KeLeaveCriticalRegion();
    CheckApc(&Now, &Iosb);
}

static VOID RequestApc(VOID)
{
    IO_STATUS_BLOCK Iosb = {.Status = STATUS_PENDING};
    HANDLE Handle = Prepare(0), Synchronous;
    CT_REQUIRE(Handle != NULL);
    ApcCases(Handle);
    CT_STATUS(ZwDeviceIoControlFile(Handle, NULL, ApcRoutine, &Name, &Iosb, CODE_PEND, NULL, 0, NULL, 0),
              STATUS_PENDING);
    CT_EQUAL(Apc.Calls, 0);
    CompleteElsewhere();
    CheckApc(&Name, &Iosb);
    Synchronous = Open(FILE_SYNCHRONOUS_IO_NONALERT);
    ApcCases(Synchronous);
    ZwClose(Synchronous);
    Finish(Handle);
}

/* --- as user mode calls them; a system thread's previous mode is kernel mode --- */

static VOID RequestNt(VOID)
{
    IO_STATUS_BLOCK Iosb;
    OBJECT_ATTRIBUTES Attributes;
    FILE_POSITION_INFORMATION Position;
    UCHAR Buffer[8] = {0};
    HANDLE Handle = Prepare(FILE_SYNCHRONOUS_IO_NONALERT), Other;
    CT_REQUIRE(Handle != NULL);
    CT_SUCCESS(NtReadFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), NULL, NULL));
    CT_CHECK(Iosb.Information == 8 && Buffer[7] == 0x5A);
    CT_SUCCESS(NtWriteFile(Handle, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer), NULL, NULL));
    CT_EQUAL(Iosb.Information, 8);
    CT_SUCCESS(NtQueryInformationFile(Handle, &Iosb, &Position, sizeof(Position), FilePositionInformation));
    CT_EQUAL(Position.CurrentByteOffset.QuadPart, 16);
    Position.CurrentByteOffset.QuadPart = 4;
    CT_SUCCESS(NtSetInformationFile(Handle, &Iosb, &Position, sizeof(Position), FilePositionInformation));
    CT_SUCCESS(NtQueryInformationFile(Handle, &Iosb, &Position, sizeof(Position), FilePositionInformation));
    CT_EQUAL(Position.CurrentByteOffset.QuadPart, 4);
    CT_SUCCESS(NtDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb, CODE_NOW, NULL, 0, Buffer, 2));
    CT_EQUAL(Iosb.Information, 2);
    CT_SUCCESS(NtFsControlFile(Handle, NULL, NULL, NULL, &Iosb, CODE_NOW, NULL, 0, NULL, 0));
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(NtOpenFile(&Other, GENERIC_READ, &Attributes, &Iosb, FILE_SHARE_READ, 0));
    ZwClose(Other);
    Finish(Handle);
}

/* Entries that follow one another at multiples of four, each name with its end. */
static NTSTATUS CheckEa(UCHAR *Bytes, ULONG Length, PULONG Wrong)
{
    *Wrong = 77;
    return IoCheckEaBufferValidity((PFILE_FULL_EA_INFORMATION)Bytes, Length, Wrong);
}

static VOID RequestEa(VOID)
{
    /* Next offset, flags, length of the name, of the value; the name, the value */
    DECLSPEC_ALIGN(8) UCHAR Ea[24] = {12, 0, 0, 0, 0, 1, 2, 0, 'a', 0, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    ULONG Wrong;
    CT_SUCCESS(CheckEa(Ea, 21, &Wrong));
    CT_STATUS(CheckEa(Ea, 16, &Wrong), STATUS_EA_LIST_INCONSISTENT);
    CT_EQUAL(Wrong, 12); /* what is left is too short for an entry */
    Ea[0] = 13;
    CT_STATUS(CheckEa(Ea, 24, &Wrong), STATUS_EA_LIST_INCONSISTENT);
    CT_EQUAL(Wrong, 0);
    Ea[0] = 0;
    CT_SUCCESS(CheckEa(Ea, 12, &Wrong));
    CT_STATUS(CheckEa(Ea, 11, &Wrong), STATUS_EA_LIST_INCONSISTENT);
    Ea[9] = 'b';
    CT_STATUS(CheckEa(Ea, 24, &Wrong), STATUS_EA_LIST_INCONSISTENT);
}

/* Only what this thread has under way on this file, and only once. */
static VOID RequestCancel(VOID)
{
    IO_STATUS_BLOCK Iosb = {.Status = STATUS_PENDING}, Cancel;
    HANDLE Handle = Prepare(0), Other = Open(0);
    CT_REQUIRE(Handle != NULL && Other != NULL);
    CT_STATUS(ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb, CODE_CANCEL, NULL, 0, NULL, 0),
              STATUS_PENDING);
    CT_SUCCESS(ZwCancelIoFile(Other, &Cancel));
    CT_EQUAL(Iosb.Status, STATUS_PENDING);
    CT_SUCCESS(ZwCancelIoFile(Handle, &Cancel));
    CT_CHECK(Cancel.Status == STATUS_SUCCESS && Cancel.Information == 0);
    CT_EQUAL(Iosb.Status, STATUS_CANCELLED);
    CT_SUCCESS(ZwCancelIoFile(Handle, &Cancel));
    CT_STATUS(ZwCancelIoFile((HANDLE)(LONG_PTR)0xFFFF8, &Cancel), STATUS_INVALID_HANDLE);
    ZwClose(Other);
    Finish(Handle);
}

/* [WDK ZwCreateFile] FILE_SYNCHRONOUS_IO_ALERT: an alert ends the wait; the driver is asked to cancel the request. Without it the alert waits
 * for another wait. */
static VOID RequestAlert(VOID)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Moment = {.QuadPart = -10000};
    HANDLE Handle = Prepare(FILE_SYNCHRONOUS_IO_ALERT), Plain = Open(FILE_SYNCHRONOUS_IO_NONALERT);
    CT_REQUIRE(Handle != NULL && Plain != NULL);
    KeAlertThread(KeGetCurrentThread(), KernelMode);
    CT_STATUS(ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb, CODE_CANCEL, NULL, 0, NULL, 0),
              STATUS_ALERTED);
    CT_STATUS(Iosb.Status, STATUS_ALERTED);
    KeAlertThread(KeGetCurrentThread(), KernelMode);
    CT_SUCCESS(ZwDeviceIoControlFile(Plain, NULL, NULL, NULL, &Iosb, CODE_NOW, NULL, 0, NULL, 0));
    CT_SUCCESS(
        ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &Iosb, CODE_NOW, NULL, 0, NULL, 0)); /* no wait */
    CT_STATUS(KeDelayExecutionThread(KernelMode, TRUE, &Moment), STATUS_ALERTED);
    ZwClose(Plain);
    Finish(Handle);
}

static const CT_CASE Cases[] = {
    {"request.cancel", RequestCancel},
    {"request.in_thread", RequestInThread},
    {"request.file_event", RequestFileEvent},
    {"request.apc", RequestApc},
    {"request.nt", RequestNt},
    {"request.ea", RequestEa},
    {"request.alert", RequestAlert},
};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * System threads, critical regions, work items, version and debug print. [WDK PsCreateSystemThread,
 * PsTerminateSystemThread, KeDelayExecutionThread, KeSetPriorityThread, KeEnterCriticalRegion,
 * KeEnterGuardedRegion, IoQueueWorkItem, ExQueueWorkItem, DbgPrintEx] */
#include "ct.h"
#include <stdarg.h>

CT_IMPORT(PKTHREAD, KeGetCurrentThread, (VOID));

static LARGE_INTEGER Now;
static LARGE_INTEGER Patience = {.QuadPart = -10 * 10000000LL};

/* What a new thread saw. */
typedef struct SEEN {
    volatile LONG Calls;
    KIRQL Irql;
    PETHREAD Thread;
    HANDLE ThreadId, ProcessId;
    BOOLEAN System;
    KEVENT Go;
} SEEN;

static VOID NTAPI Body(PVOID Context)
{
    SEEN *Seen = Context;
    Seen->Irql = KeGetCurrentIrql();
    Seen->Thread = (PETHREAD)KeGetCurrentThread();
    Seen->ThreadId = PsGetCurrentThreadId();
    Seen->ProcessId = PsGetCurrentProcessId();
    Seen->System = PsIsSystemThread(Seen->Thread);
    KeWaitForSingleObject(&Seen->Go, Executive, KernelMode, FALSE, NULL);
    InterlockedIncrement(&Seen->Calls);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Starts a thread that waits for Seen->Go; *Thread is referenced. */
static NTSTATUS Start(SEEN *Seen, PVOID *Thread, PCLIENT_ID Id)
{
    HANDLE Handle;
    OBJECT_ATTRIBUTES Attributes;
    RtlZeroMemory(Seen, sizeof(*Seen));
    KeInitializeEvent(&Seen->Go, NotificationEvent, FALSE);
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, NULL, Id, Body, Seen);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, Thread, NULL);
    ZwClose(Handle);
    return Status;
}

static VOID Finish(SEEN *Seen, PVOID Thread)
{
    KeSetEvent(&Seen->Go, IO_NO_INCREMENT, FALSE);
    CT_SUCCESS(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, &Patience));
    CT_EQUAL(Seen->Calls, 1);
    ObDereferenceObject(Thread);
}

/* A thread object is signalled when the thread has ended, and stays so. */
static VOID ThreadCreate(VOID)
{
    SEEN Seen;
    PVOID Thread;
    CT_REQUIRE(NT_SUCCESS(Start(&Seen, &Thread, NULL)));
    CT_STATUS(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, &Now), STATUS_TIMEOUT);
    KeSetEvent(&Seen.Go, IO_NO_INCREMENT, FALSE);
    CT_SUCCESS(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, &Patience));
    CT_SUCCESS(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, &Now));
    CT_EQUAL(Seen.Irql, PASSIVE_LEVEL);
    CT_EQUAL(Seen.Thread, Thread);
    ObDereferenceObject(Thread);
}

static VOID ThreadTerminate(VOID)
{
    SEEN Seen;
    PVOID Thread;
    CT_REQUIRE(NT_SUCCESS(Start(&Seen, &Thread, NULL)));
    Finish(&Seen, Thread);
}

/* System threads belong to the system process. */
static VOID ThreadIds(VOID)
{
    SEEN Seen;
    CLIENT_ID Id = {NULL, NULL};
    PVOID Thread;
    CT_REQUIRE(NT_SUCCESS(Start(&Seen, &Thread, &Id)));
    ObReferenceObject(Thread);
    Finish(&Seen, Thread);
    CT_EQUAL(Seen.ThreadId, Id.UniqueThread);
    CT_EQUAL(Seen.ProcessId, Id.UniqueProcess);
    CT_EQUAL(PsGetThreadId(Thread), Id.UniqueThread);
    ObDereferenceObject(Thread);
    CT_CHECK(PsGetCurrentThreadId() != Id.UniqueThread);
    CT_EQUAL(PsGetProcessId(IoGetCurrentProcess()), PsGetCurrentProcessId());
}

static VOID ThreadSystem(VOID)
{
    SEEN Seen;
    PVOID Thread;
    CT_REQUIRE(NT_SUCCESS(Start(&Seen, &Thread, NULL)));
    Finish(&Seen, Thread);
    CT_CHECK(Seen.System);
    CT_CHECK(PsIsSystemThread((PETHREAD)KeGetCurrentThread()));
}

static VOID ThreadCurrent(VOID)
{
    CT_EQUAL(Imported_KeGetCurrentThread(), KeGetCurrentThread());
}

static VOID ThreadDelay(VOID)
{
    LARGE_INTEGER Delay = {.QuadPart = -30 * 10000};
    ULONG64 Before = KeQueryInterruptTime();
    CT_SUCCESS(KeDelayExecutionThread(KernelMode, FALSE, &Delay));
    CT_CHECK(KeQueryInterruptTime() - Before >= (ULONG64)(30 * 10000 - KeQueryTimeIncrement()));
}

/* Returns the priority before. */
static VOID ThreadSetPriority(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KPRIORITY Before = KeQueryPriorityThread(Thread);
    CT_EQUAL(KeSetPriorityThread(Thread, LOW_REALTIME_PRIORITY + 1), Before);
    CT_EQUAL(KeQueryPriorityThread(Thread), LOW_REALTIME_PRIORITY + 1);
    CT_EQUAL(KeSetPriorityThread(Thread, Before), LOW_REALTIME_PRIORITY + 1);
}

/* Regions nest. */
static VOID ThreadCritical(VOID)
{
    CT_CHECK(!KeAreApcsDisabled());
    KeEnterCriticalRegion();
    KeEnterCriticalRegion();
    KeLeaveCriticalRegion();
    CT_CHECK(KeAreApcsDisabled());
    KeLeaveCriticalRegion();
    CT_CHECK(!KeAreApcsDisabled());
}

static VOID ThreadGuarded(VOID)
{
    KeEnterGuardedRegion();
    CT_CHECK(KeAreApcsDisabled());
    CT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeLeaveGuardedRegion();
    CT_CHECK(!KeAreApcsDisabled());
}

static VOID ThreadVersion(VOID)
{
    ULONG Major = 0, Minor = 0, Build = 0;
    PsGetVersion(&Major, &Minor, &Build, NULL);
    CT_EQUAL(Major, 10);
    CT_EQUAL(Minor, 0);
    CT_CHECK(Build >= 10240);
}

/* --- work items --- */

typedef struct WORK {
    WORK_QUEUE_ITEM Item;
    KEVENT Done;
    KIRQL Irql;
    PVOID Device, Handle;
} WORK;

static VOID NTAPI OnWork(PVOID Context)
{
    WORK *Work = Context;
    Work->Irql = KeGetCurrentIrql();
    KeSetEvent(&Work->Done, IO_NO_INCREMENT, FALSE);
}

static VOID WorkItemQueue(VOID)
{
    WORK Work;
    KeInitializeEvent(&Work.Done, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Work.Item, OnWork, &Work);
    ExQueueWorkItem(&Work.Item, DelayedWorkQueue);
    CT_SUCCESS(KeWaitForSingleObject(&Work.Done, Executive, KernelMode, FALSE, &Patience));
    CT_EQUAL(Work.Irql, PASSIVE_LEVEL);
}

static VOID NTAPI OnIoWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    ((WORK *)Context)->Device = DeviceObject;
    OnWork(Context);
}

static VOID NTAPI OnIoWorkEx(PVOID IoObject, PVOID Context, PIO_WORKITEM Item)
{
    ((WORK *)Context)->Handle = Item;
    OnIoWork(IoObject, Context);
}

static PDEVICE_OBJECT MakeDevice(VOID)
{
    PDEVICE_OBJECT Device = NULL;
    CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device));
    return Device;
}

/* At PASSIVE_LEVEL, with the device that it was allocated for. */
static VOID WorkItemIo(VOID)
{
    WORK Work = {.Device = NULL};
    PDEVICE_OBJECT Device = MakeDevice();
    PIO_WORKITEM Item = IoAllocateWorkItem(Device);
    CT_REQUIRE(Item != NULL);
    KeInitializeEvent(&Work.Done, NotificationEvent, FALSE);
    IoQueueWorkItem(Item, OnIoWork, DelayedWorkQueue, &Work);
    CT_SUCCESS(KeWaitForSingleObject(&Work.Done, Executive, KernelMode, FALSE, &Patience));
    CT_EQUAL(Work.Irql, PASSIVE_LEVEL);
    CT_EQUAL(Work.Device, Device);
    IoFreeWorkItem(Item);
    IoDeleteDevice(Device);
}

static VOID WorkItemIoEx(VOID)
{
    WORK Work = {.Device = NULL};
    PDEVICE_OBJECT Device = MakeDevice();
    PIO_WORKITEM Item = IoAllocateWorkItem(Device);
    CT_REQUIRE(Item != NULL);
    KeInitializeEvent(&Work.Done, NotificationEvent, FALSE);
    IoQueueWorkItemEx(Item, OnIoWorkEx, CriticalWorkQueue, &Work);
    CT_SUCCESS(KeWaitForSingleObject(&Work.Done, Executive, KernelMode, FALSE, &Patience));
    CT_EQUAL(Work.Device, Device);
    CT_EQUAL(Work.Handle, Item);
    IoFreeWorkItem(Item);
    IoDeleteDevice(Device);
}

static VOID WorkItemSizes(VOID)
{
    WORK Work = {.Device = NULL};
    PDEVICE_OBJECT Device = MakeDevice();
    ULONG Size = IoSizeofWorkItem();
    CT_REQUIRE(Size >= sizeof(LIST_ENTRY));
    PIO_WORKITEM Item = ExAllocatePoolWithTag(NonPagedPool, Size, 'tseT');
    CT_REQUIRE(Item != NULL);
    IoInitializeWorkItem(Device, Item);
    KeInitializeEvent(&Work.Done, NotificationEvent, FALSE);
    IoQueueWorkItemEx(Item, OnIoWorkEx, DelayedWorkQueue, &Work);
    CT_SUCCESS(KeWaitForSingleObject(&Work.Done, Executive, KernelMode, FALSE, &Patience));
    IoUninitializeWorkItem(Item);
    ExFreePoolWithTag(Item, 'tseT');
    IoDeleteDevice(Device);
}

/* --- debug print --- */

static VOID DbgPrintCase(VOID)
{
    CT_SUCCESS(DbgPrint("dbg.print: %d %s %ls %wZ\n", 42, "text", L"wide", &CtRegistryPath));
}

static VOID DbgPrintExCase(VOID)
{
    CT_SUCCESS(DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "dbg.print_ex: %u\n", 7u));
}

static ULONG Vprint(PCCH Prefix, PCCH Format, ...)
{
    va_list Arguments;
    va_start(Arguments, Format);
    ULONG Status = Prefix != NULL ? vDbgPrintExWithPrefix(Prefix, DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,
                                                          Format, Arguments)
                                  : vDbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, Format, Arguments);
    va_end(Arguments);
    return Status;
}

static VOID DbgVprint(VOID)
{
    CT_SUCCESS(Vprint(NULL, "dbg.vprint: %d\n", 1));
    CT_SUCCESS(Vprint("dbg.vprint: ", "with prefix %d\n", 2));
}

/* No debugger is attached: the two flags are opposites, and KUSER_SHARED_DATA agrees. */
static VOID DbgPresent(VOID)
{
    CT_CHECK(KdDebuggerEnabled == 0 || KdDebuggerEnabled == 1);
    CT_CHECK(KdDebuggerEnabled || KdDebuggerNotPresent);
}

static NTSTATUS AssertNow(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    RtlAssert((PVOID) "1 == 2", (PVOID) "ct_thread.c", 1, NULL);
    return STATUS_SUCCESS;
}

/* Prints and breaks; where no debugger takes the breakpoint it is an exception. */
static VOID AssertFail(VOID)
{
    CT_STATUS(NtboxGuardedCall(AssertNow, NULL), STATUS_BREAKPOINT);
}

static VOID NTAPI OnBugCheck(PVOID Buffer, ULONG Length)
{
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(Length);
}

/* A record can be registered once; FALSE says that nothing was done. */
static VOID BugCheckCallback(VOID)
{
    static KBUGCHECK_CALLBACK_RECORD TheRecord;
    static UCHAR Buffer[16];
    PKBUGCHECK_CALLBACK_RECORD Record = &TheRecord;
    KeInitializeCallbackRecord(Record);
    CT_CHECK(KeRegisterBugCheckCallback(Record, OnBugCheck, Buffer, sizeof(Buffer), (PUCHAR) "ct_thread"));
    CT_CHECK(!KeRegisterBugCheckCallback(Record, OnBugCheck, Buffer, sizeof(Buffer), (PUCHAR) "ct_thread"));
    CT_CHECK(KeDeregisterBugCheckCallback(Record));
    CT_CHECK(!KeDeregisterBugCheckCallback(Record));
}

static VOID NTAPI OnReason(KBUGCHECK_CALLBACK_REASON Reason, PKBUGCHECK_REASON_CALLBACK_RECORD Record,
                           PVOID Data, ULONG Length)
{
    UNREFERENCED_PARAMETER(Reason);
    UNREFERENCED_PARAMETER(Record);
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(Length);
}

/* [WDK KeRegisterBugCheckReasonCallback] What is called, and with what, test/bad/bugcheck_callbacks.c shows. */
static VOID BugCheckReason(VOID)
{
    static const KBUGCHECK_CALLBACK_REASON Reasons[] = {KbCallbackAddPages, KbCallbackSecondaryDumpData,
                                                        KbCallbackDumpIo};
    static KBUGCHECK_REASON_CALLBACK_RECORD Records[RTL_NUMBER_OF(Reasons)];
    for (ULONG i = 0; i < RTL_NUMBER_OF(Reasons); i++) {
        PKBUGCHECK_REASON_CALLBACK_RECORD Record = &Records[i];
        KeInitializeCallbackRecord(Record);
        CT_CHECK(!KeDeregisterBugCheckReasonCallback(Record));
        CT_CHECK(KeRegisterBugCheckReasonCallback(Record, OnReason, Reasons[i], (PUCHAR) "ct_thread"));
        CT_CHECK(!KeRegisterBugCheckReasonCallback(Record, OnReason, Reasons[i], (PUCHAR) "ct_thread"));
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(Reasons); i++) {
        CT_CHECK(KeDeregisterBugCheckReasonCallback(&Records[i]));
        CT_CHECK(!KeDeregisterBugCheckReasonCallback(&Records[i]));
    }
    CT_CHECK(KeRegisterBugCheckReasonCallback(&Records[0], OnReason, KbCallbackDumpIo, (PUCHAR) "ct_thread"));
    CT_CHECK(KeDeregisterBugCheckReasonCallback(&Records[0]));
    PKBUGCHECK_REASON_CALLBACK_RECORD Invalid = &Records[1];
    CT_CHECK(!KeRegisterBugCheckReasonCallback(Invalid, OnReason, KbCallbackInvalid, (PUCHAR) "ct_thread"));
}

static const CT_CASE Cases[] = {
    {"thread.create", ThreadCreate},
    {"thread.terminate", ThreadTerminate},
    {"thread.ids", ThreadIds},
    {"thread.system", ThreadSystem},
    {"thread.current", ThreadCurrent},
    {"thread.delay", ThreadDelay},
    {"thread.priority", ThreadSetPriority},
    {"thread.critical", ThreadCritical},
    {"thread.guarded", ThreadGuarded},
    {"thread.version", ThreadVersion},
    {"workitem.queue", WorkItemQueue},
    {"workitem.io", WorkItemIo},
    {"workitem.io_ex", WorkItemIoEx},
    {"workitem.sizes", WorkItemSizes},
    {"dbg.print", DbgPrintCase},
    {"dbg.print_ex", DbgPrintExCase},
    {"dbg.vprint", DbgVprint},
    {"dbg.present", DbgPresent},
    {"assert.fail", AssertFail},
    {"bugcheck.callback", BugCheckCallback},
    {"bugcheck.reason", BugCheckReason},
};
CT_DRIVER(Cases)

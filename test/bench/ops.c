/* SPDX-License-Identifier: MIT
 * What operations of the kernel cost, for bench.py: each is done COUNT times between two readings of the TSC, less what the
 * empty loop takes. Under `-icount shift=0` a tick is an instruction. Exports only; one line of DbgPrint for each operation. */
#include <ntifs.h>

#define COUNT 2000u
#define TAG 'hcnB'

typedef VOID OPERATION(VOID);

static KSPIN_LOCK Lock;
static FAST_MUTEX Mutex;
static KEVENT Event, Ping, Pong;
static KTIMER Timer;
static KDPC Dpc;
static SLIST_HEADER List;
static SLIST_ENTRY Entry;
static NPAGED_LOOKASIDE_LIST Lookaside;
static PIO_WORKITEM WorkItem;
static ULONG64 DpcRan;
static volatile BOOLEAN Ended;
static DECLSPEC_ALIGN(PAGE_SIZE) UCHAR PageBuffer[PAGE_SIZE];
static struct {
    MDL Mdl;
    PFN_NUMBER Frame;
} Page;

DRIVER_INITIALIZE DriverEntry;

#include "ops_io.h"
#include "ops_registry.h"

static ULONG64 Tsc(VOID)
{
    ULONG Low, High;
    __asm__ volatile("lfence\n\trdtsc" : "=a"(Low), "=d"(High) : : "memory");
    return (ULONG64)High << 32 | Low;
}

/* --- the operations --- */

static VOID Nothing(VOID)
{
    __asm__ volatile("" : : : "memory");
}

static VOID SpinLockPair(VOID)
{
    KeReleaseSpinLock(&Lock, KeAcquireSpinLockRaiseToDpc(&Lock));
}

static VOID FastMutexPair(VOID)
{
    ExAcquireFastMutex(&Mutex);
    ExReleaseFastMutex(&Mutex);
}

static VOID SetAndWait(VOID)
{
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}

static VOID PingPong(VOID)
{
    KeSetEvent(&Ping, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Pong, Executive, KernelMode, FALSE, NULL);
}

static VOID SetAndCancelTimer(VOID)
{
    LARGE_INTEGER Due = {.QuadPart = -10000000};
    KeSetTimer(&Timer, Due, NULL);
    KeCancelTimer(&Timer);
}

static VOID QueryCounter(VOID)
{
    (void)KeQueryPerformanceCounter(NULL);
}

static VOID RaiseAndLower(VOID)
{
    KIRQL Irql = KeRaiseIrqlToDpcLevel();
    KeLowerIrql(Irql);
}

static VOID PushAndPop(VOID)
{
    ExpInterlockedPushEntrySList(&List, &Entry);
    ExpInterlockedPopEntrySList(&List);
}

static VOID Pool64(VOID)
{
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPoolNx, 64, TAG), TAG);
}

static VOID Pool4096(VOID)
{
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPoolNx, 4096, TAG), TAG);
}

static VOID MdlLockMapPair(VOID)
{
    MmInitializeMdl(&Page.Mdl, PageBuffer, PAGE_SIZE);
    MmProbeAndLockPages(&Page.Mdl, KernelMode, IoWriteAccess);
    MmUnmapLockedPages(
        MmMapLockedPagesSpecifyCache(&Page.Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority),
        &Page.Mdl);
    MmUnlockPages(&Page.Mdl);
}

static VOID MdlBuildMapPair(VOID)
{
    PMDL Mdl = IoAllocateMdl(PageBuffer, PAGE_SIZE, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(Mdl);
    MmUnmapLockedPages(
        MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE, NormalPagePriority), Mdl);
    IoFreeMdl(Mdl);
}

static VOID LookasidePair(VOID)
{
    ExFreeToNPagedLookasideList(&Lookaside, ExAllocateFromNPagedLookasideList(&Lookaside));
}

static VOID IrpPair(VOID)
{
    IoFreeIrp(IoAllocateIrp(1, FALSE));
}

static VOID NTAPI WorkRoutine(PDEVICE_OBJECT Device, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static VOID WorkItemRoundTrip(VOID)
{
    IoQueueWorkItem(WorkItem, WorkRoutine, DelayedWorkQueue, &Event);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
}

/* --- measuring --- */

static ULONG64 Measure(OPERATION *volatile Operation)
{
    for (ULONG i = 0; i < 16; i++)
        Operation();
    ULONG64 Begin = Tsc();
    for (ULONG i = 0; i < COUNT; i++)
        Operation();
    return Tsc() - Begin;
}

static VOID Tell(PCSTR Name, ULONG64 Ticks)
{
    DbgPrint("op: %s: %I64u.%02I64u\n", Name, Ticks / COUNT, Ticks % COUNT * 100 / COUNT);
}

static VOID NTAPI DpcRoutine(PKDPC Self, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Self);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    DpcRan = Tsc();
}

static VOID MeasureDpc(PDRIVER_OBJECT DriverObject, ULONG64 Empty)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(Empty);
    ULONG64 Sum = 0;
    for (ULONG i = 0; i < COUNT; i++) {
        ULONG64 Begin = Tsc();
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        Sum += DpcRan - Begin;
    }
    Tell("DPC queued to running", Sum);
}

static VOID NTAPI Partner(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    while (!Ended) {
        KeWaitForSingleObject(&Ping, Executive, KernelMode, FALSE, NULL);
        KeSetEvent(&Pong, IO_NO_INCREMENT, FALSE);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* The partner is of the same priority and gone when this returns. */
static VOID MeasurePingPong(PDRIVER_OBJECT DriverObject, ULONG64 Empty)
{
    UNREFERENCED_PARAMETER(DriverObject);
    HANDLE Handle;
    PVOID Thread;
    if (!NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Partner, NULL)))
        return;
    ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, NULL, KernelMode, &Thread, NULL);
    ZwClose(Handle);
    Tell("event ping-pong, round trip", Measure(PingPong) - Empty);
    Ended = TRUE;
    PingPong();
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}

/* Each touch is the first one of its page. The time that zeroing a page takes is measured beside it: a page that the zero-page thread has
 * zeroed costs none. */
static PUCHAR NextPage;

static VOID TouchPage(VOID)
{
    *(volatile UCHAR *)NextPage = 1;
    NextPage += PAGE_SIZE;
}

static VOID MeasureFault(PDRIVER_OBJECT DriverObject, ULONG64 Empty)
{
    UNREFERENCED_PARAMETER(DriverObject);
    PVOID Base = NULL;
    SIZE_T Size = (COUNT + 16) * PAGE_SIZE;
    if (!NT_SUCCESS(ZwAllocateVirtualMemory(ZwCurrentProcess(), &Base, 0, &Size, MEM_RESERVE | MEM_COMMIT,
                                            PAGE_READWRITE)))
        return;
    NextPage = Base;
    Tell("soft fault, demand zero", Measure(TouchPage) - Empty);
    Size = 0;
    ZwFreeVirtualMemory(ZwCurrentProcess(), &Base, &Size, MEM_RELEASE);
}

static VOID MeasureWorkItem(PDRIVER_OBJECT DriverObject, ULONG64 Empty)
{
    PDEVICE_OBJECT Device;
    if (!NT_SUCCESS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)))
        return;
    WorkItem = IoAllocateWorkItem(Device);
    if (WorkItem != NULL) {
        Tell("work item, round trip", Measure(WorkItemRoundTrip) - Empty);
        IoFreeWorkItem(WorkItem);
    }
    IoDeleteDevice(Device);
}

static VOID Initialize(VOID)
{
    KeInitializeSpinLock(&Lock);
    ExInitializeFastMutex(&Mutex);
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Ping, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Pong, SynchronizationEvent, FALSE);
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, DpcRoutine, NULL);
    InitializeSListHead(&List);
    ExInitializeNPagedLookasideList(&Lookaside, NULL, NULL, 0, 64, TAG, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    ExDeleteNPagedLookasideList(&Lookaside);
}

/* --- all of them, in the order of the table; Measured is for what needs more than a call --- */

static const struct {
    PCSTR Name;
    OPERATION *Operation;
    VOID (*Measured)(PDRIVER_OBJECT DriverObject, ULONG64 Empty);
    BOOLEAN (*Prepare)(PDRIVER_OBJECT DriverObject);
    VOID (*Release)(VOID);
} Operations[] = {
    {"spin lock pair", SpinLockPair, NULL, NULL, NULL},
    {"fast mutex pair", FastMutexPair, NULL, NULL, NULL},
    {"set + satisfied wait, one thread", SetAndWait, NULL, NULL, NULL},
    {"timer set + cancel", SetAndCancelTimer, NULL, NULL, NULL},
    {"KeQueryPerformanceCounter", QueryCounter, NULL, NULL, NULL},
    {"raise + lower IRQL", RaiseAndLower, NULL, NULL, NULL},
    {"SList push + pop", PushAndPop, NULL, NULL, NULL},
    {"pool 64 B allocate + free", Pool64, NULL, NULL, NULL},
    {"pool 4 KiB allocate + free", Pool4096, NULL, NULL, NULL},
    {"lookaside allocate + free", LookasidePair, NULL, NULL, NULL},
    {"IoAllocateIrp + IoFreeIrp", IrpPair, NULL, NULL, NULL},
    {"IoAllocateIrp + IoFreeIrp, 4 locations", IoIrpPair4, NULL, NULL, NULL},
    {"IoBuildDeviceIoControlRequest 64 B to its end", IoBuildForDevice, NULL, IoPrepareDevice,
     IoReleaseDevice},
    {"the same through a filter", IoBuildForFilter, NULL, IoPrepareFilter, IoReleaseDevice},
    {"ZwDeviceIoControlFile 64 B", IoControl64, NULL, IoPrepareDevice, IoReleaseDevice},
    {"ZwDeviceIoControlFile 4096 B", IoControl4096, NULL, IoPrepareDevice, IoReleaseDevice},
    {"ZwReadFile 64 B", IoRead64, NULL, IoPrepareDevice, IoReleaseDevice},
    {"open + close of a device by name", IoOpenClose, NULL, IoPrepareDevice, IoReleaseDevice},
    {"name of one component", IoLookUpOne, NULL, IoPrepareNames, IoReleaseNames},
    {"name of ten components", IoLookUpTen, NULL, IoPrepareNames, IoReleaseNames},
    {"ZwQueryValueKey of a number", RegistryQuery, NULL, RegistryPrepare, RegistryRelease},
    {"ZwSetValueKey of a number", RegistrySet, NULL, RegistryPrepare, RegistryRelease},
    {"open + close of a key by path", RegistryOpenClose, NULL, RegistryPrepare, RegistryRelease},
    {"DPC queued to running", NULL, MeasureDpc, NULL, NULL},
    {"event ping-pong, round trip", NULL, MeasurePingPong, NULL, NULL},
    {"work item, round trip", NULL, MeasureWorkItem, NULL, NULL},
    {"MDL build, map, unmap of a page", MdlBuildMapPair, NULL, NULL, NULL},
    {"MDL lock, map, unmap, unlock of a page", MdlLockMapPair, NULL, NULL, NULL},
    {"soft fault, demand zero", NULL, MeasureFault, NULL, NULL},
};

static HANDLE OpenKey(HANDLE Root, PUNICODE_STRING Name)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key = NULL;
    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Root, NULL);
    return NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)) ? Key : NULL;
}

/* The value Only of the Parameters key: the number of one operation; 0 and above the last: none; missing: all. */
static ULONG ReadOnly(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Parameters = RTL_CONSTANT_STRING(L"Parameters"), Only = RTL_CONSTANT_STRING(L"Only");
    struct {
        KEY_VALUE_PARTIAL_INFORMATION Information;
        ULONG Room;
    } Value;
    ULONG Number = (ULONG)-1, Length;
    HANDLE Service = OpenKey(NULL, RegistryPath);
    HANDLE Key = Service != NULL ? OpenKey(Service, &Parameters) : NULL;
    if (Key != NULL &&
        NT_SUCCESS(ZwQueryValueKey(Key, &Only, KeyValuePartialInformation, &Value, sizeof(Value), &Length)))
        Number = *(ULONG *)Value.Information.Data;
    if (Key != NULL)
        ZwClose(Key);
    if (Service != NULL)
        ZwClose(Service);
    return Number;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Only = ReadOnly(RegistryPath);
    DriverObject->DriverUnload = Unload;
    Initialize();
    ULONG64 Empty = Measure(Nothing);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Operations); i++) {
        if (Only != (ULONG)-1 && Only != i + 1)
            continue;
        BOOLEAN Ready = Operations[i].Prepare == NULL || Operations[i].Prepare(DriverObject);
        if (Operations[i].Measured != NULL)
            Operations[i].Measured(DriverObject, Empty);
        else if (Ready)
            Tell(Operations[i].Name, Measure(Operations[i].Operation) - Empty);
        if (Operations[i].Release != NULL)
            Operations[i].Release();
    }
    return STATUS_SUCCESS;
}

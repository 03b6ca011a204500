/* SPDX-License-Identifier: MIT
 * Stops the machine in one of the ways in which drivers do; the I/O control code says which. [WDK Bug Check Code Reference] */
#include <ntifs.h>

#define WAY(Number) CTL_CODE(FILE_DEVICE_UNKNOWN, (Number), METHOD_BUFFERED, FILE_ANY_ACCESS)
#define TAG 0x68737243u /* "Crsh" */

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD CrashUnload;
static DRIVER_DISPATCH CrashOpenClose, CrashControl;

static volatile ULONG Sink;
static PVOID volatile Nowhere = (PVOID)(ULONG_PTR)0xFFFFF6FBBEEF0000; /* in no region that is used */

/* --- exceptions that nobody handles */

static VOID WriteNull(VOID)
{
    *(volatile ULONG *)(ULONG_PTR)8 = 1;
}

static VOID Divide(VOID)
{
    __asm__ volatile("xorl %%ecx, %%ecx; movl $1, %%eax; cltd; idivl %%ecx" : : : "eax", "ecx", "edx", "cc");
}

static VOID Break(VOID)
{
    __asm__ volatile("int3");
}

static VOID Assert(VOID)
{
    __asm__ volatile("int $0x2c");
}

static VOID Undefined(VOID)
{
    __asm__ volatile("ud2");
}

static VOID NonCanonical(VOID)
{
    Sink = *(volatile ULONG *)(ULONG_PTR)0x0123456789ABCDEF;
}

static VOID RaiseStatus(VOID)
{
    ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
}

/* --- the same where no thread's handler may see it: a DPC interrupts any thread */

static KDPC Dpc;
static KEVENT Never;

static VOID RunInDpc(PKDEFERRED_ROUTINE Routine)
{
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    KeInitializeDpc(&Dpc, Routine, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

#define DPC_ROUTINE(Name, Body)                                                                              \
    static VOID NTAPI Name(PKDPC One, PVOID Two, PVOID Three, PVOID Four)                                    \
    {                                                                                                        \
        UNREFERENCED_PARAMETER(One);                                                                         \
        UNREFERENCED_PARAMETER(Two);                                                                         \
        UNREFERENCED_PARAMETER(Three);                                                                       \
        UNREFERENCED_PARAMETER(Four);                                                                        \
        Body;                                                                                                \
    }
DPC_ROUTINE(UndefinedInDpc, Undefined())
DPC_ROUTINE(RaiseInDpc, ExRaiseStatus(STATUS_UNSUCCESSFUL))
DPC_ROUTINE(WriteNullInDpc, WriteNull())

static VOID UndefinedDpc(VOID)
{
    RunInDpc(UndefinedInDpc);
}

static VOID RaiseDpc(VOID)
{
    RunInDpc(RaiseInDpc);
}

static VOID WriteNullDpc(VOID)
{
    RunInDpc(WriteNullInDpc);
}

/* --- page faults that are no exceptions */

static VOID ReadNowhere(VOID)
{
    Sink = *(volatile ULONG *)Nowhere;
}

static VOID ReadNowhereAtDispatch(VOID)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    ReadNowhere();
    KeLowerIrql(Old);
}

/* The kernel reads for the driver: the kernel's code, the driver's fault. */
static VOID KernelReadsNowhereAtDispatch(VOID)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    KeSetEvent((PKEVENT)Nowhere, IO_NO_INCREMENT, FALSE);
    KeLowerIrql(Old);
}

static VOID RunPool(VOID)
{
    PUCHAR Code = ExAllocatePoolWithTag(NonPagedPoolNx, 16, TAG);
    if (Code == NULL)
        return;
    *Code = 0xC3;
    ((VOID(*)(VOID))(PVOID)Code)();
}

static ULONG64 Overflow(volatile ULONG64 *Above)
{
    volatile ULONG64 Room[64];
    Room[0] = *Above;
    return Room[0] == 1 ? 0 : Overflow(Room) + Room[0]; /* it never is */
}

static VOID UseUpStack(VOID)
{
    volatile ULONG64 Start = 0;
    Sink = (ULONG)Overflow(&Start);
}

static VOID FaultOnStrangeStack(VOID)
{
    PUCHAR Stack = ExAllocatePoolWithTag(NonPagedPoolNx, 0x6000, TAG);
    if (Stack == NULL)
        return;
    __asm__ volatile("movq %0, %%rsp; ud2" : : "r"(Stack + 0x5FF0) : "memory");
}

/* --- fast fail */

static VOID FastFailList(VOID)
{
    __asm__ volatile("int $0x29" : : "c"(3) : "memory");
}

static VOID FastFailArgument(VOID)
{
    __asm__ volatile("int $0x29" : : "c"(5) : "memory");
}

/* Ways from here on: a fast fail with the code that is left. */
#define FIRST_FAST_FAIL 0x100

__attribute__((noinline)) static VOID FastFail(ULONG Code)
{
    __asm__ volatile("int $0x29" : : "c"(Code) : "memory");
}

/* --- objects and threads */

static VOID DereferenceTooOften(VOID)
{
    HANDLE Handle;
    PVOID Event;
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)))
        return;
    if (!NT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, &Event, NULL)))
        return;
    ObDereferenceObject(Event);
    ObDereferenceObject(Event);
}

static VOID NTAPI ReturnRaised(PVOID Context)
{
    KIRQL Old;
    UNREFERENCED_PARAMETER(Context);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
}

static VOID RaisedWorkItem(VOID)
{
    static WORK_QUEUE_ITEM Item;
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, ReturnRaised, NULL);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

/* On all processors at IPI_LEVEL; the first to raise it stops the machine. */
static ULONG_PTR NTAPI RaiseInBroadcast(ULONG_PTR Context)
{
    UNREFERENCED_PARAMETER(Context);
    ExRaiseStatus(STATUS_UNSUCCESSFUL);
    return 0;
}

static VOID Broadcast(VOID)
{
    KeIpiGenericCall(RaiseInBroadcast, 0);
}

static VOID (*const Ways[])(VOID) = {
    WriteNull,
    Divide,
    Break,
    Assert,
    Undefined,
    NonCanonical,
    RaiseStatus,
    UndefinedDpc,
    RaiseDpc,
    WriteNullDpc,
    ReadNowhere,
    ReadNowhereAtDispatch,
    KernelReadsNowhereAtDispatch,
    RunPool,
    UseUpStack,
    FaultOnStrangeStack,
    FastFailList,
    FastFailArgument,
    DereferenceTooOften,
    RaisedWorkItem,
    Broadcast,
};

static NTSTATUS CompleteWith(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI CrashControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    ULONG Way = (Code - WAY(0)) >> 2;
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Way >= FIRST_FAST_FAIL)
        FastFail(Way - FIRST_FAST_FAIL);
    if (Way >= RTL_NUMBER_OF(Ways))
        return CompleteWith(Irp, STATUS_INVALID_DEVICE_REQUEST);
    Ways[Way]();
    return CompleteWith(Irp, STATUS_SUCCESS);
}

static NTSTATUS NTAPI CrashOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return CompleteWith(Irp, STATUS_SUCCESS);
}

static VOID NTAPI CrashUnload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxCrash");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = CrashOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = CrashOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = CrashOpenClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = CrashControl;
    DriverObject->DriverUnload = CrashUnload;
    return IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}

/* SPDX-License-Identifier: MIT
 * Breaks one rule of pool; the I/O control code says which. [WDK Bug Check 0xC2, Bug Check 0x19] */
#include <ntifs.h>

#define RULE(Number) CTL_CODE(FILE_DEVICE_UNKNOWN, (Number), METHOD_BUFFERED, FILE_ANY_ACCESS)
#define TAG 0x6C6F6F50u /* "Pool" */
#define BREAKS __attribute__((noinline, optimize("no-optimize-sibling-calls"))) static VOID

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD PoolUnload;
static DRIVER_DISPATCH PoolOpenClose, PoolControl;

/* An address far behind what the pool has handed out. */
static PVOID FarBehind(POOL_TYPE Type)
{
    PUCHAR Block = ExAllocatePoolWithTag(Type, 64, TAG);
    return Block != NULL ? Block + 0x10000000 : NULL;
}

BREAKS FreeUser(VOID)
{
    ExFreePoolWithTag((PVOID)(ULONG_PTR)0x10000, TAG);
}

BREAKS FreeImage(VOID)
{
    static ULONG64 Data[8];
    ExFreePoolWithTag(Data, TAG);
}

BREAKS FreeBehind(VOID)
{
    ExFreePoolWithTag(FarBehind(NonPagedPoolNx), TAG);
}

BREAKS FreeBehindPaged(VOID)
{
    ExFreePoolWithTag(FarBehind(PagedPool), TAG);
}

BREAKS FreeMiddle(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, 64, TAG);
    ExFreePoolWithTag(Block + 16, TAG);
}

BREAKS AllocateRaised(VOID)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    (VOID) ExAllocatePoolWithTag(PagedPool, 100, TAG);
    KeLowerIrql(Old);
}

BREAKS FreeRaised(VOID)
{
    KIRQL Old;
    PVOID Block = ExAllocatePoolWithTag(PagedPool, 100, TAG);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    ExFreePoolWithTag(Block, TAG);
    KeLowerIrql(Old);
}

BREAKS AllocateUntagged(VOID)
{
    (VOID) ExAllocatePoolWithTag(NonPagedPoolNx, 100, 0);
}

BREAKS AllocateForSure(VOID)
{
    (VOID) ExAllocatePoolWithTag(NonPagedPoolMustSucceed, 100, TAG);
}

BREAKS FreeContiguous(VOID)
{
    MmFreeContiguousMemory(ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, TAG));
}

/* Over the end of one block into the header of the next, which is freed. Blocks of 40 bytes lie 64 apart. */
BREAKS OverrunHeader(VOID)
{
    static PUCHAR Blocks[64];
    for (ULONG I = 0; I < RTL_NUMBER_OF(Blocks); I++)
        Blocks[I] = ExAllocatePoolWithTag(NonPagedPoolNx, 40, TAG);
    for (ULONG I = 0; I < RTL_NUMBER_OF(Blocks); I++)
        for (ULONG J = 0; J < RTL_NUMBER_OF(Blocks); J++)
            if (Blocks[I] + 64 == Blocks[J]) {
                RtlFillMemory(Blocks[I], 64, 'x');
                ExFreePoolWithTag(Blocks[J], TAG);
            }
}

static VOID (*const Rules[])(VOID) = {
    FreeUser,   FreeImage,        FreeBehind,      FreeBehindPaged, FreeMiddle,    AllocateRaised,
    FreeRaised, AllocateUntagged, AllocateForSure, FreeContiguous,  OverrunHeader,
};

static NTSTATUS CompleteWith(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI PoolControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    ULONG Rule = (Code - RULE(0)) >> 2;
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Rule >= RTL_NUMBER_OF(Rules))
        return CompleteWith(Irp, STATUS_INVALID_DEVICE_REQUEST);
    Rules[Rule]();
    return CompleteWith(Irp, STATUS_SUCCESS);
}

static NTSTATUS NTAPI PoolOpenClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return CompleteWith(Irp, STATUS_SUCCESS);
}

static VOID NTAPI PoolUnload(PDRIVER_OBJECT DriverObject)
{
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\NtboxPool");
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = PoolOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = PoolOpenClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = PoolOpenClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = PoolControl;
    DriverObject->DriverUnload = PoolUnload;
    return IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}

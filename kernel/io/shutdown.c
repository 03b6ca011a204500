/* SPDX-License-Identifier: MIT
 * Devices whose drivers want to know that the system is shut down: each gets an IRP_MJ_SHUTDOWN, who registered last first, then those
 * that asked for the last chance. [WDK IoRegisterShutdownNotification] */
#include "iop.h"
#include "ex.h"
#include "kd.h"

typedef struct _IOP_SHUTDOWN {
    LIST_ENTRY Entry;      /* (d) */
    PDEVICE_OBJECT Device; /* (c) referenced */
} IOP_SHUTDOWN;

static LIST_ENTRY IopShutdowns = {&IopShutdowns, &IopShutdowns};             /* (d) */
static LIST_ENTRY IopLastShutdowns = {&IopLastShutdowns, &IopLastShutdowns}; /* (d) */

static NTSTATUS IopRegisterShutdown(PLIST_ENTRY List, PDEVICE_OBJECT Device)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_SHUTDOWN *Shutdown = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Shutdown), IOP_TAG_SHUTDOWN);
    if (Shutdown == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Shutdown->Device = Device;
    ObfReferenceObject(Device);
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    InsertHeadList(List, &Shutdown->Entry);
    Device->Flags |= DO_SHUTDOWN_REGISTERED;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoRegisterShutdownNotification(PDEVICE_OBJECT Device)
{
    return IopRegisterShutdown(&IopShutdowns, Device);
}

NTSTATUS NTAPI IoRegisterLastChanceShutdownNotification(PDEVICE_OBJECT Device)
{
    return IopRegisterShutdown(&IopLastShutdowns, Device);
}

/* The first of the list that Device, or any device of Driver, has; or simply the first. Taken out. */
static IOP_SHUTDOWN *IopTakeShutdown(PLIST_ENTRY List, PDEVICE_OBJECT Device, PDRIVER_OBJECT Driver)
{
    IOP_SHUTDOWN *Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    for (PLIST_ENTRY E = List->Flink; Found == NULL && E != List; E = E->Flink) {
        IOP_SHUTDOWN *Shutdown = CONTAINING_RECORD(E, IOP_SHUTDOWN, Entry);
        if ((Device == NULL || Shutdown->Device == Device) &&
            (Driver == NULL || Shutdown->Device->DriverObject == Driver))
            Found = Shutdown;
    }
    if (Found != NULL) {
        RemoveEntryList(&Found->Entry);
        Found->Device->Flags &= ~(ULONG)DO_SHUTDOWN_REGISTERED;
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Found;
}

static VOID IopFreeShutdown(IOP_SHUTDOWN *Shutdown)
{
    ObfDereferenceObject(Shutdown->Device);
    ExFreePoolWithTag(Shutdown, IOP_TAG_SHUTDOWN);
}

/* [WDK IoUnregisterShutdownNotification] both kinds. */
VOID NTAPI IoUnregisterShutdownNotification(PDEVICE_OBJECT Device)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PLIST_ENTRY Lists[] = {&IopShutdowns, &IopLastShutdowns};
    IOP_SHUTDOWN *Shutdown;
    for (ULONG I = 0; I < RTL_NUMBER_OF(Lists); I++) {
        while ((Shutdown = IopTakeShutdown(Lists[I], Device, NULL)) != NULL)
            IopFreeShutdown(Shutdown);
    }
}

ULONG IopReportShutdownLeaks(PDRIVER_OBJECT Driver)
{
    PLIST_ENTRY Lists[] = {&IopShutdowns, &IopLastShutdowns};
    PCSTR Name = IopModule(Driver)->Name;
    IOP_SHUTDOWN *Shutdown;
    ULONG Count = 0;
    for (ULONG I = 0; I < RTL_NUMBER_OF(Lists); I++) {
        while ((Shutdown = IopTakeShutdown(Lists[I], NULL, Driver)) != NULL) {
            IopFreeShutdown(Shutdown);
            Count++;
        }
    }
    if (Count == 0)
        return 0;
    KdLog("%s: %lu shutdown notifications were not unregistered; they are now", Name, Count);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Name), KD_TEXT(ReportKeyKind, "shutdown notification"),
             KD_NUMBER(ReportKeyCount, Count));
    return Count;
}

/* Without memory for the IRP that driver is not told: said in the log. */
static DECLSPEC_NOINLINE VOID IopSendShutdown(PDEVICE_OBJECT Registered)
{
    PDEVICE_OBJECT Device = IoGetAttachedDeviceReference(Registered);
    PIRP Irp = IopAllocateIrp(Device->StackSize, __builtin_return_address(0));
    IO_STATUS_BLOCK Iosb;
    if (Irp != NULL) {
        IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_SHUTDOWN;
        (void)IopSendAndWait(Device, Irp, &Iosb);
    } else {
        KdLog("no memory for the IRP_MJ_SHUTDOWN of device %p", Device);
    }
    ObfDereferenceObject(Device);
}

static VOID IopShutDown(PLIST_ENTRY List)
{
    IOP_SHUTDOWN *Shutdown;
    while ((Shutdown = IopTakeShutdown(List, NULL, NULL)) != NULL) {
        IopSendShutdown(Shutdown->Device);
        IopFreeShutdown(Shutdown);
    }
}

VOID IoShutdownSystem(BOOLEAN LastChance)
{
    IopShutDown(LastChance ? &IopLastShutdowns : &IopShutdowns);
}

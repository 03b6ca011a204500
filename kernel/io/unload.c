/* SPDX-License-Identifier: MIT
 * Unloading: DriverUnload is called when no file is open on any of the driver's devices and nothing is attached to them. */
#include "iop.h"
#include "kd.h"

static LIST_ENTRY IopWaiting = {&IopWaiting, &IopWaiting}; /* (d) IOP_DRIVER.WaitingEntry */

static DECLSPEC_NORETURN VOID IopBlameDriver(PDRIVER_OBJECT Driver, ULONG Code, ULONG_PTR P1, ULONG_PTR P2,
                                             ULONG_PTR P3, ULONG_PTR P4, PCSTR Text)
{
    PVOID Routine = (PVOID)Driver->DriverUnload;
    KeBugCheckBlaming(IopIsRoutine(Routine) ? Routine : Driver->DriverStart, Code, P1, P2, P3, P4, Text);
}

/* [WDK Bug Check 0x18] Its creation and its name count as references until the unload takes them away; only the driver itself can have taken
 * them away before. Held: references of who asks. */
static VOID IopCheckReferences(PDRIVER_OBJECT Driver, ULONG Held)
{
    LONG64 Count = ObfReferenceObject(Driver) - 1;
    ObfDereferenceObject(Driver);
    if (Count < 2 + (LONG64)Held)
        IopBlameDriver(Driver, REFERENCE_BY_POINTER, (ULONG_PTR)IoDriverObjectType, (ULONG_PTR)Driver, 1,
                       (ULONG_PTR)Count, "the driver object was dereferenced more often than referenced");
}

static VOID IopRunUnload(PDRIVER_OBJECT Driver, ULONG Held)
{
    PIM_MODULE Module = IopModule(Driver);
    IopCallUnload(Driver);
    KdLog("%s: unloaded", Module->Name);
    KdReport(ReportUnload, KD_TEXT(ReportKeyDriver, Module->Name),
             KD_NUMBER(ReportKeyStatus, STATUS_SUCCESS));
    IopReportLeaks(Driver);
    IopCheckReferences(Driver, Held);
    IopDropDriverObject(Driver);
}

static VOID NTAPI IopUnloadWorker(PVOID Context)
{
    IopRunUnload(Context, 0);
}

static BOOLEAN IopDriverIsIdleLocked(PDRIVER_OBJECT Driver)
{
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        if (!IopDeviceIsIdleLocked(Device))
            return FALSE;
    }
    return TRUE;
}

static VOID IopMarkUnloadLocked(PDRIVER_OBJECT Driver)
{
    IopDriver(Driver)->UnloadRequested = TRUE;
    InsertTailList(&IopWaiting, &IopDriver(Driver)->WaitingEntry);
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device != NULL; Device = Device->NextDevice)
        IopDeviceState(Device)->ExtensionFlags |= DOE_UNLOAD_PENDING;
}

static BOOLEAN IopTakeUnloadLocked(PDRIVER_OBJECT Driver)
{
    if (!IopDriver(Driver)->UnloadRequested || (Driver->Flags & DRVO_UNLOAD_INVOKED) ||
        !IopDriverIsIdleLocked(Driver))
        return FALSE;
    Driver->Flags |= DRVO_UNLOAD_INVOKED;
    RemoveEntryList(&IopDriver(Driver)->WaitingEntry);
    return TRUE;
}

/* IRQL <= DISPATCH_LEVEL; DriverUnload runs at PASSIVE_LEVEL, here or in a worker thread. Held: references that the caller has. */
static VOID IopTryUnloadHeld(PDRIVER_OBJECT Driver, ULONG Held)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    BOOLEAN Run = IopTakeUnloadLocked(Driver);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (!Run)
        return;
    if (OldIrql == PASSIVE_LEVEL) {
        IopRunUnload(Driver, Held);
        return;
    }
    ExInitializeWorkItem(&IopDriver(Driver)->UnloadItem, IopUnloadWorker, Driver);
    ExQueueWorkItem(&IopDriver(Driver)->UnloadItem, DelayedWorkQueue);
}

VOID IopTryUnload(PDRIVER_OBJECT Driver)
{
    IopTryUnloadHeld(Driver, 0);
}

/* --- what the unload relies on may have been overwritten by the driver: nobody else writes there --- */

static DECLSPEC_NORETURN VOID IopIsDamaged(PDRIVER_OBJECT Driver, PVOID Object, PCSTR Text)
{
    IopBlameDriver(Driver, DRIVER_VERIFIER_DETECTED_VIOLATION, IOP_RULE_DAMAGED_OBJECT, (ULONG_PTR)Object,
                   (ULONG_PTR)Driver, 0, Text);
}

static BOOLEAN IopDeviceIsWhole(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Device)
{
    if (!MmIsAddressValid(Device) || Device->Type != IO_TYPE_DEVICE || Device->DriverObject != Driver)
        return FALSE;
    return MmIsAddressValid(IopDeviceState(Device)) && IopDeviceState(Device)->DeviceObject == Device;
}

static VOID IopCheckObjectsLocked(PDRIVER_OBJECT Driver)
{
    if (Driver->DriverName.Buffer != IopDriver(Driver)->NameBuffer)
        IopIsDamaged(Driver, Driver, "the driver has overwritten the name in its DRIVER_OBJECT");
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device != NULL; Device = Device->NextDevice)
        if (!IopDeviceIsWhole(Driver, Device))
            IopIsDamaged(Driver, Device, "the driver has overwritten one of its DEVICE_OBJECTs");
}

NTSTATUS IopRequestUnload(PDRIVER_OBJECT Driver)
{
    /* [WDK ZwUnloadDriver] a driver without an unload routine stays. */
    if (Driver->DriverUnload == NULL || IopModule(Driver) == NULL)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!(Driver->Flags & DRVO_INITIALIZED)) /* its DriverEntry still runs (D-009) */
        return STATUS_INVALID_DEVICE_REQUEST;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IopCheckObjectsLocked(Driver);
    BOOLEAN Before = IopDriver(Driver)->UnloadRequested;
    if (!Before)
        IopMarkUnloadLocked(Driver);
    BOOLEAN Idle = IopDriverIsIdleLocked(Driver);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Before)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (!Idle)
        KdLog("%s: unload waits until its devices are closed and detached", IopModule(Driver)->Name);
    IopTryUnloadHeld(Driver, 1);
    return STATUS_SUCCESS;
}

NTSTATUS IopFindDriver(PCUNICODE_STRING Name, PDRIVER_OBJECT *Driver)
{
    static const PCWSTR Prefixes[] = {L"\\Driver\\", L"\\FileSystem\\"};
    NTSTATUS Status = STATUS_OBJECT_NAME_NOT_FOUND;
    for (ULONG I = 0; I < RTL_NUMBER_OF(Prefixes) && Status == STATUS_OBJECT_NAME_NOT_FOUND; I++) {
        UNICODE_STRING Path;
        Status = IopMakePath(&Path, Prefixes[I], Name, L"");
        if (!NT_SUCCESS(Status))
            return Status;
        Status = ObReferenceObjectByName(&Path, OBJ_CASE_INSENSITIVE, NULL, 0, IoDriverObjectType, KernelMode,
                                         NULL, (PVOID *)Driver);
        ObFreeName(&Path);
    }
    return Status;
}

/* It has added devices to stacks of the PnP manager's. */
static BOOLEAN IopHasPnpDevice(PDRIVER_OBJECT Driver)
{
    BOOLEAN Found = FALSE;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IopCheckObjectsLocked(Driver);
    for (PDEVICE_OBJECT Device = Driver->DeviceObject; Device != NULL && !Found; Device = Device->NextDevice)
        Found = IopDeviceState(IopBaseDeviceLocked(Device))->DeviceNode != NULL;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Found;
}

/* [WDK "Writing an Unload Routine"] the PnP manager unloads a PnP driver when its last device is removed; nobody else does before. */
static NTSTATUS IopRequestUnloadByName(PDRIVER_OBJECT Driver)
{
    if (Driver->DriverExtension->AddDevice != NULL && IopHasPnpDevice(Driver))
        return STATUS_INVALID_DEVICE_REQUEST;
    return IopRequestUnload(Driver);
}

/* [WDK ZwUnloadDriver] STATUS_INVALID_DEVICE_REQUEST without an unload routine or while PnP devices have it, STATUS_OBJECT_NAME_NOT_FOUND when it is not loaded.
 * STATUS_SUCCESS also when the unload routine can run only after the last file is closed. PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwUnloadDriver(PUNICODE_STRING DriverServiceName)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    UNICODE_STRING Name;
    PDRIVER_OBJECT Driver;
    NTSTATUS Status = IopServiceName(DriverServiceName, &Name);
    if (NT_SUCCESS(Status))
        Status = IopFindDriver(&Name, &Driver);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopRequestUnloadByName(Driver);
    ObfDereferenceObject(Driver);
    return Status;
}

/* --- what waits at the end -------------------------------------------------------------------------------------------- */

#define IOP_UNLOAD_STEP (-100000) /* 10 ms */
#define IOP_UNLOAD_STEPS 100

/* A file's last reference may go in a worker thread: a second is enough. */
static VOID IopAwaitUnloads(VOID)
{
    LARGE_INTEGER Step = {.QuadPart = IOP_UNLOAD_STEP};
    for (ULONG Steps = 0; Steps < IOP_UNLOAD_STEPS && !IsListEmpty(&IopWaiting); Steps++)
        KeDelayExecutionThread(KernelMode, FALSE, &Step);
}

/* The first that waits, referenced and in no list any more; NULL: none. Its unload routine may run later all the same. */
static PDRIVER_OBJECT IopTakeWaiting(VOID)
{
    PDRIVER_OBJECT Driver = NULL;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    if (!IsListEmpty(&IopWaiting)) {
        LIST_ENTRY *Entry = RemoveHeadList(&IopWaiting);
        InitializeListHead(Entry);
        Driver = &CONTAINING_RECORD(Entry, IOP_DRIVER, WaitingEntry)->Object;
        ObfReferenceObject(Driver);
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Driver;
}

VOID IoReportWaitingUnloads(VOID)
{
    PDRIVER_OBJECT Driver;
    IopAwaitUnloads();
    while ((Driver = IopTakeWaiting()) != NULL) {
        IopReportDevicesInUse(Driver);
        ObfDereferenceObject(Driver);
    }
}

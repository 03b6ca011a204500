/* SPDX-License-Identifier: MIT
 * What a driver leaves behind when it is unloaded or its DriverEntry fails: devices, interrupts, timers, notify routines of images, processes and threads,
 * registry callbacks and notifications, symbolic links, threads, routines that run, callbacks, handles, mappings, locked sections, lookaside lists,
 * extra create parameters, DMA adapters and what comes from them, resources, hives, pool. A device or thread
 * leads back into the image, so the image then stays mapped. */
#include "iop.h"
#include "cm.h"
#include "ex.h"
#include "kd.h"
#include "mm_user.h"

static VOID IopReportDeviceLeak(PIM_MODULE Module, PDEVICE_OBJECT Device)
{
    struct {
        OBJECT_NAME_INFORMATION Information;
        WCHAR Room[128];
    } Name = {};
    ULONG Needed;
    CHAR Text[3 * 128];
    (void)ObQueryNameString(Device, &Name.Information, sizeof(Name), &Needed); /* empty when it has none */
    KdLog("%s: device object %p \"%wZ\" was not deleted", Module->Name, Device, &Name.Information.Name);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, "device"),
             KD_NUMBER(ReportKeySize, Device->Size), KD_NUMBER(ReportKeyCount, 1),
             KdUnicodeField(ReportKeyDevice, &Name.Information.Name, Text, sizeof(Text)));
}

static PDEVICE_OBJECT IopReferenceDeviceAt(PDRIVER_OBJECT Driver, ULONG Index)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    PDEVICE_OBJECT Device = Driver->DeviceObject;
    while (Device != NULL && Index-- != 0)
        Device = Device->NextDevice;
    if (Device != NULL)
        ObfReferenceObject(Device);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Device;
}

/* The name is free for the next driver (D-237); the object stays, as its image does. The reference is its own from then on. */
static VOID IopTakeNameOfLeaked(PDEVICE_OBJECT Device)
{
    if (Device->Flags & DO_DEVICE_HAS_NAME) {
        ObfReferenceObject(Device);
        ObMakeTemporaryObject(Device);
    }
}

static ULONG IopReportDeviceLeaks(PDRIVER_OBJECT Driver)
{
    ULONG Count = 0;
    PDEVICE_OBJECT Device;
    while ((Device = IopReferenceDeviceAt(Driver, Count)) != NULL) {
        IopReportDeviceLeak(IopModule(Driver), Device);
        IopTakeNameOfLeaked(Device);
        ObfDereferenceObject(Device);
        Count++;
    }
    return Count;
}

static VOID IopReportDeviceInUse(PIM_MODULE Module, PDEVICE_OBJECT Device, PCSTR Kind, LONG Count)
{
    struct {
        OBJECT_NAME_INFORMATION Information;
        WCHAR Room[128];
    } Name = {};
    ULONG Needed;
    CHAR Text[3 * 128];
    (void)ObQueryNameString(Device, &Name.Information, sizeof(Name), &Needed); /* empty when it has none */
    KdLog("%s: its unload routine was never called: device object %p \"%wZ\" has an %s", Module->Name, Device,
          &Name.Information.Name, Kind);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name), KD_TEXT(ReportKeyKind, Kind),
             KD_NUMBER(ReportKeyCount, (ULONG64)Count),
             KdUnicodeField(ReportKeyName, &Name.Information.Name, Text, sizeof(Text)));
}

VOID IopReportDevicesInUse(PDRIVER_OBJECT Driver)
{
    PDEVICE_OBJECT Device;
    for (ULONG I = 0; (Device = IopReferenceDeviceAt(Driver, I)) != NULL; I++) {
        LONG Files = Device->ReferenceCount;
        if (Files != 0)
            IopReportDeviceInUse(IopModule(Driver), Device, "open file that its unload waits for", Files);
        if (Device->AttachedDevice != NULL)
            IopReportDeviceInUse(IopModule(Driver), Device, "attached device that its unload waits for", 1);
        ObfDereferenceObject(Device);
    }
}

/* What would run the driver's code later. It is taken out, so that it does not. */
static VOID IopReportQueuedLeaks(PIM_MODULE Module)
{
    KeFlushQueuedDpcs(); /* a DPC that is queued already runs while the image is still there */
    ULONG Timers = KeReportDriverTimers(Module->Name, Module->Base, Module->Size);
    KeFlushQueuedDpcs(); /* one that was expiring on another processor is in its queue again, or its DPC has run */
    Timers += KeReportDriverTimers(Module->Name, Module->Base, Module->Size);
    Timers += PsReportDriverTimers(Module);
    if (Timers != 0)
        KdLog("%s: %lu timers were not cancelled; they are taken out of the queue", Module->Name, Timers);
    ULONG Notifications = CmReportDriverNotifications(Module->Name, Module->Base, Module->Size);
    if (Notifications != 0) /* before the work items: one that ends meanwhile has its item queued */
        KdLog("%s: %lu registry notifications were still asked for; they are taken out", Module->Name,
              Notifications);
    ULONG Items = ExReportDriverWorkItems(Module->Name, Module->Base, Module->Size);
    if (Items != 0)
        KdLog("%s: %lu work items were still queued; they are taken out of the queue", Module->Name, Items);
    ULONG Apcs = PsReportDriverApcs(Module);
    if (Apcs != 0)
        KdLog("%s: %lu APCs were still queued; they are taken out of the queue", Module->Name, Apcs);
}

#define IOP_GRACE_STEP (-100000) /* 10 ms */
#define IOP_GRACE_STEPS 100

/* A routine whose last act was to tell the unload routine that it is done has a few instructions left: it is given a second.
 * TRUE: there was one, and it may have queued something. */
static BOOLEAN IopAwaitRoutines(PIM_MODULE Module)
{
    LARGE_INTEGER Step = {.QuadPart = IOP_GRACE_STEP};
    ULONG Steps = 0;

    while (Steps < IOP_GRACE_STEPS && PsIsRoutineRunning(Module)) {
        KeDelayExecutionThread(KernelMode, FALSE, &Step);
        Steps++;
    }
    return Steps != 0;
}

BOOLEAN IoReportModuleLeaks(PIM_MODULE Module)
{
    ULONG Interrupts = KeReportDriverInterrupts(Module->Name, Module->Base, Module->Size);
    if (Interrupts != 0)
        KdLog("%s: %lu interrupts were not disconnected; they are now", Module->Name, Interrupts);
    ImReportDriverNotifies(Module);
    PsReportDriverNotifies(Module);
    ObReportDriverCallbacks(Module->Name, Module->Base, Module->Size);
    CmReportDriverCallbacks(Module->Name, Module->Base, Module->Size);
    IoUpcalls->ReportPowerLeaks(Module);
    IoUpcalls->ReportNotificationLeaks(Module);
    IopReportQueuedLeaks(Module);
    if (IopAwaitRoutines(Module))
        IopReportQueuedLeaks(Module);
    BOOLEAN Inside = PsReportDriverThreads(Module) != 0; /* their code must stay */
    KeReportDriverCallbacks(Module->Name, Module->Base, Module->Size);
    IopReportLinkLeaks(Module);
    IopReportTraceLeaks(Module);
    IopReportEcpLeaks(Module);
    IopReportDmaLeaks(Module);
    ExReportDriverResources(Module->Name, Module->Base, Module->Size);
    CmReportDriverHives(Module->Name, Module->Base, Module->Size);
    ObReportDriverHandles(Module->Name, Module->Base, Module->Size);
    ObReportDriverReferences(Module->Name, Module->Base, Module->Size);
    MmReportDriverMappings(Module->Name, Module->Base, Module->Size);
    MmReportDriverMemory(Module->Name, Module->Base, Module->Size);
    ImReportLockedSections(Module);
    ExReportDriverLookasides(Module->Name, Module->Base, Module->Size);
    ExReportDriverLeaks(Module);
    return Inside;
}

VOID IopReportLeaks(PDRIVER_OBJECT Driver)
{
    BOOLEAN Devices = IopReportDeviceLeaks(Driver) != 0;
    IopReportShutdownLeaks(Driver);
    IopReportWmiLeaks(Driver);

    if (IoReportModuleLeaks(IopModule(Driver)) || Devices)
        IopDriver(Driver)->KeepImage = TRUE;
}

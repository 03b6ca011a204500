/* SPDX-License-Identifier: MIT
 * WMI for its providers: devices register, are asked for their blocks by IRPs of a worker thread, and write events. Nobody consumes blocks yet; events
 * are freed when they were told to the trace. [WDK IoWMIRegistrationControl, IoWMIWriteEvent, IRP_MN_REGINFO_EX] */
#include "iop.h"
#include "kd.h"
#include "wmi.h"

typedef struct _IOP_WMI_PROVIDER {
    LIST_ENTRY Entry;      /* (d) */
    PDEVICE_OBJECT Device; /* referenced */
    ULONG Id;
    BOOLEAN Queued;  /* (d) the item is queued or runs */
    BOOLEAN Again;   /* (d) asked once more when it is done */
    BOOLEAN Updates; /* (d) WMIUPDATE is to be asked for */
    BOOLEAN Blocked; /* (d) no IRPs any more */
    KEVENT Idle;     /* set while the item is not queued */
    WORK_QUEUE_ITEM Item;
} IOP_WMI_PROVIDER;

static LIST_ENTRY IopWmiProviders = {&IopWmiProviders, &IopWmiProviders}; /* (d) */
static ULONG IopWmiLastId;                                                /* (d) */

static IOP_WMI_PROVIDER *IopFindProviderLocked(PDEVICE_OBJECT Device, PDRIVER_OBJECT Driver)
{
    for (PLIST_ENTRY E = IopWmiProviders.Flink; E != &IopWmiProviders; E = E->Flink) {
        IOP_WMI_PROVIDER *Provider = CONTAINING_RECORD(E, IOP_WMI_PROVIDER, Entry);
        if (Device != NULL ? Provider->Device == Device : Provider->Device->DriverObject == Driver)
            return Provider;
    }
    return NULL;
}

/* One more question, or none. */
static BOOLEAN IopTakeQuestion(IOP_WMI_PROVIDER *Provider, PBOOLEAN Update)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    BOOLEAN Ask = Provider->Again && !Provider->Blocked;
    *Update = Provider->Updates;
    Provider->Again = FALSE;
    Provider->Queued = Ask;
    if (!Ask) /* under the lock, so that nobody has queued it again meanwhile; it may be gone afterwards */
        KeSetEvent(&Provider->Idle, IO_NO_INCREMENT, FALSE);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Ask;
}

static VOID NTAPI IopWmiWorker(PVOID Context)
{
    IOP_WMI_PROVIDER *Provider = Context;
    BOOLEAN Update;
    while (IopTakeQuestion(Provider, &Update))
        IopAskProvider(Provider->Device, Provider->Id, Update);
}

/* IopDatabaseLock held. TRUE: the caller queues the item. */
static BOOLEAN IopWantQuestionLocked(IOP_WMI_PROVIDER *Provider, BOOLEAN Update)
{
    BOOLEAN Queue = !Provider->Queued && !Provider->Blocked;
    Provider->Again = TRUE;
    Provider->Updates = Update;
    if (!Queue)
        return FALSE;
    Provider->Queued = TRUE;
    KeClearEvent(&Provider->Idle);
    return TRUE;
}

static NTSTATUS IopRegisterProvider(PDEVICE_OBJECT Device)
{
    IOP_WMI_PROVIDER *Provider = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Provider), IOP_TAG_WMI);
    if (Provider == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Provider->Device = Device;
    KeInitializeEvent(&Provider->Idle, NotificationEvent, TRUE);
    ExInitializeWorkItem(&Provider->Item, IopWmiWorker, Provider);
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    BOOLEAN Taken = IopFindProviderLocked(Device, NULL) != NULL;
    if (!Taken) {
        ObfReferenceObject(Device);
        Provider->Id = ++IopWmiLastId;
        InsertTailList(&IopWmiProviders, &Provider->Entry);
        (void)IopWantQuestionLocked(Provider, FALSE);
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Taken) {
        ExFreePoolWithTag(Provider, IOP_TAG_WMI);
        return STATUS_OBJECT_NAME_EXISTS;
    }
    ExQueueWorkItem(&Provider->Item, DelayedWorkQueue);
    return STATUS_SUCCESS;
}

/* Out of the list, if it is there, and after its last IRP. */
static BOOLEAN IopRemoveProvider(PDEVICE_OBJECT Device, PDRIVER_OBJECT Driver)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IOP_WMI_PROVIDER *Provider = IopFindProviderLocked(Device, Driver);
    if (Provider != NULL) {
        Provider->Blocked = TRUE;
        RemoveEntryList(&Provider->Entry);
    }
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Provider == NULL)
        return FALSE;
    KeWaitForSingleObject(&Provider->Idle, Executive, KernelMode, FALSE, NULL);
    ObfDereferenceObject(Provider->Device);
    ExFreePoolWithTag(Provider, IOP_TAG_WMI);
    return TRUE;
}

static NTSTATUS IopAskAgain(PDEVICE_OBJECT Device)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IOP_WMI_PROVIDER *Provider = IopFindProviderLocked(Device, NULL);
    BOOLEAN Queue = Provider != NULL && IopWantQuestionLocked(Provider, TRUE);
    if (Queue) /* under the lock: who removes the provider waits for it from now on */
        ExQueueWorkItem(&Provider->Item, DelayedWorkQueue);
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Provider != NULL ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* The provider stays registered; nothing is sent to it any more, nor under way. */
static NTSTATUS IopBlockProvider(PDEVICE_OBJECT Device)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IOP_WMI_PROVIDER *Provider = IopFindProviderLocked(Device, NULL);
    if (Provider != NULL)
        Provider->Blocked = TRUE;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Provider == NULL)
        return STATUS_INVALID_PARAMETER;
    KeWaitForSingleObject(&Provider->Idle, Executive, KernelMode, FALSE, NULL);
    return STATUS_SUCCESS;
}

/* [WDK IoWMIRegistrationControl] after WMIREG_ACTION_DEREGISTER and BLOCK_IRPS no IRP is under way. STATUS_OBJECT_NAME_EXISTS: it is registered,
 * STATUS_INVALID_PARAMETER: it is not, or there is no such action. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoWMIRegistrationControl(PDEVICE_OBJECT Device, ULONG Action)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    switch (Action) {
    case WMIREG_ACTION_REGISTER:
        return IopRegisterProvider(Device);
    case WMIREG_ACTION_DEREGISTER:
        return IopRemoveProvider(Device, NULL) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    case WMIREG_ACTION_REREGISTER:
    case WMIREG_ACTION_UPDATE_GUIDS:
        return IopAskAgain(Device);
    case WMIREG_ACTION_BLOCK_IRPS:
        return IopBlockProvider(Device);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

ULONG IopReportWmiLeaks(PDRIVER_OBJECT Driver)
{
    PCSTR Name = IopModule(Driver)->Name;
    ULONG Count = 0;
    while (IopRemoveProvider(NULL, Driver))
        Count++;
    if (Count == 0)
        return 0;
    KdLog("%s: %lu WMI registrations were not undone; they are now", Name, Count);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Name), KD_TEXT(ReportKeyKind, "WMI registration"),
             KD_NUMBER(ReportKeyCount, Count));
    return Count;
}

/* [WDK IoWMIDeviceObjectToProviderId] 0: the device is not registered. IRQL <= DISPATCH_LEVEL. */
ULONG NTAPI IoWMIDeviceObjectToProviderId(PDEVICE_OBJECT Device)
{
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IOP_WMI_PROVIDER *Provider = IopFindProviderLocked(Device, NULL);
    ULONG Id = Provider != NULL ? Provider->Id : 0;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    return Id;
}

/* [WDK IoWMIWriteEvent] with success WMI owns the block, which came from pool, and frees it; else the caller keeps it. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI IoWMIWriteEvent(PVOID WnodeEventItem)
{
    const WNODE_HEADER *Node = WnodeEventItem;
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (Node->BufferSize < sizeof(*Node) ||
        !(Node->Flags & (WNODE_FLAG_EVENT_ITEM | WNODE_FLAG_EVENT_REFERENCE)))
        return STATUS_INVALID_PARAMETER;
    ExFreePool(WnodeEventItem);
    return STATUS_SUCCESS;
}

/* --- instance identifiers: of each GUID from 0 on --- */

typedef struct _IOP_WMI_COUNTER {
    struct _IOP_WMI_COUNTER *Next;
    GUID Guid;
    ULONG NextId;
} IOP_WMI_COUNTER;

static IOP_WMI_COUNTER *IopWmiCounters; /* (d) */

static IOP_WMI_COUNTER *IopFindCounterLocked(const GUID *Guid)
{
    IOP_WMI_COUNTER *Counter = IopWmiCounters;
    while (Counter != NULL && RtlCompareMemory(&Counter->Guid, Guid, sizeof(*Guid)) != sizeof(*Guid))
        Counter = Counter->Next;
    return Counter;
}

/* [WDK IoWMIAllocateInstanceIds] that many identifiers, unique for the GUID while the system runs. PASSIVE_LEVEL. */
NTSTATUS NTAPI IoWMIAllocateInstanceIds(GUID *Guid, ULONG InstanceCount, ULONG *FirstInstanceId)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_WMI_COUNTER *New = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*New), IOP_TAG_WMI);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    New->Guid = *Guid;
    KIRQL OldIrql = ArchAcquireLock(&IopDatabaseLock);
    IOP_WMI_COUNTER *Counter = IopFindCounterLocked(Guid);
    if (Counter == NULL) {
        New->Next = IopWmiCounters;
        IopWmiCounters = Counter = New;
    }
    *FirstInstanceId = Counter->NextId;
    Counter->NextId += InstanceCount;
    ArchReleaseLock(&IopDatabaseLock, OldIrql);
    if (Counter != New)
        ExFreePoolWithTag(New, IOP_TAG_WMI);
    return STATUS_SUCCESS;
}

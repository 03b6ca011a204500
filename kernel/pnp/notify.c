/* SPDX-License-Identifier: MIT
 * Drivers hear of devices that they have open and of interfaces that come and go. [WDK "Using PnP Notification", IoRegisterPlugPlayNotification] */
#include "pnpp.h"
#include "crt.h"
#include "ex.h"
#include "image.h"
#include "kd.h"
#include "resources.h"

typedef struct _PNP_WATCH {
    LIST_ENTRY Entry; /* (w) */
    IO_NOTIFICATION_EVENT_CATEGORY Category;
    PDRIVER_OBJECT Driver; /* referenced */
    PDRIVER_NOTIFICATION_CALLBACK_ROUTINE Routine;
    PVOID Context;
    GUID Class;         /* of interfaces */
    PFILE_OBJECT File;  /* of a target device; only to be named: the driver may close it */
    PDEVICE_OBJECT Pdo; /* of a target device, referenced */
    PKTHREAD Caller;    /* (w) in its routine; NULL: nobody */
    BOOLEAN Removed;    /* (w) it goes when its routine returns */
    KEVENT Returned;    /* notification: nobody is in its routine */
} PNP_WATCH;

static LIST_ENTRY PnpWatches = {&PnpWatches, &PnpWatches}; /* (w) */
static KGUARDED_MUTEX PnpWatchLock;                        /* (w) never held over a call */

VOID PnpInitWatches(VOID)
{
    KeInitializeGuardedMutex(&PnpWatchLock);
}

static VOID PnpFreeWatch(PNP_WATCH *Watch)
{
    if (Watch->Pdo != NULL)
        ObfDereferenceObject(Watch->Pdo);
    ObfDereferenceObject(Watch->Driver);
    ExFreePoolWithTag(Watch, PNP_TAG_NOTIFY);
}

static NTSTATUS PnpCallWatch(PNP_WATCH *Watch, PVOID Notification)
{
    KE_GATE Gate;
    KeEnterGate(&Gate, GateNotification, (PVOID)Watch->Routine);
    NTSTATUS Status = Watch->Routine(Notification, Watch->Context);
    KeLeaveGate(&Gate);
    return Status;
}

/* Lock held at entry and at return. The next entry, which may be the end. What was removed meanwhile goes. */
static PLIST_ENTRY PnpTellWatchLocked(PNP_WATCH *Watch, PVOID Notification, PNTSTATUS Status)
{
    Watch->Caller = KiCurrentThread();
    KeClearEvent(&Watch->Returned);
    KeReleaseGuardedMutex(&PnpWatchLock);
    *Status = PnpCallWatch(Watch, Notification);
    KeAcquireGuardedMutex(&PnpWatchLock);
    PLIST_ENTRY Next = Watch->Entry.Flink;
    Watch->Caller = NULL;
    KeSetEvent(&Watch->Returned, IO_NO_INCREMENT, FALSE);
    if (Watch->Removed) {
        RemoveEntryList(&Watch->Entry);
        PnpFreeWatch(Watch);
    }
    return Next;
}

/* [WDK TARGET_DEVICE_REMOVAL_NOTIFICATION, TARGET_DEVICE_CUSTOM_NOTIFICATION] they begin alike, and each who listens finds his own file in it. */
_Static_assert(FIELD_OFFSET(TARGET_DEVICE_REMOVAL_NOTIFICATION, FileObject) ==
                   FIELD_OFFSET(TARGET_DEVICE_CUSTOM_NOTIFICATION, FileObject),
               "both notifications name the file at the same place");

static NTSTATUS PnpTellTarget(PNP_WATCH *Watch, PTARGET_DEVICE_REMOVAL_NOTIFICATION Notification,
                              PLIST_ENTRY *Next)
{
    NTSTATUS Status;
    Notification->FileObject = Watch->File;
    *Next = PnpTellWatchLocked(Watch, Notification, &Status);
    return Status;
}

static BOOLEAN PnpSameGuid(const GUID *A, const GUID *B)
{
    return RtlCompareMemory(A, B, sizeof(*A)) == sizeof(*A);
}

NTSTATUS PnpNotifyFiles(PDEVICE_OBJECT Pdo, PVOID Notification)
{
    NTSTATUS Status = STATUS_SUCCESS;
    const TARGET_DEVICE_REMOVAL_NOTIFICATION *Common = Notification;
    BOOLEAN Asks = PnpSameGuid(&Common->Event, &GUID_TARGET_DEVICE_QUERY_REMOVE);
    KeAcquireGuardedMutex(&PnpWatchLock);
    for (PLIST_ENTRY E = PnpWatches.Flink, Next; E != &PnpWatches && (!Asks || NT_SUCCESS(Status));
         E = Next) {
        PNP_WATCH *Watch = CONTAINING_RECORD(E, PNP_WATCH, Entry);
        Next = E->Flink;
        if (Watch->Category == EventCategoryTargetDeviceChange && Watch->Pdo == Pdo && !Watch->Removed)
            Status = PnpTellTarget(Watch, Notification, &Next);
    }
    KeReleaseGuardedMutex(&PnpWatchLock);
    return Asks ? Status : STATUS_SUCCESS;
}

NTSTATUS PnpNotifyTarget(PNP_NODE *Node, const GUID *Event)
{
    TARGET_DEVICE_REMOVAL_NOTIFICATION Notification = {1, sizeof(Notification), *Event, NULL};
    return PnpNotifyFiles(Node->Pdo, &Notification);
}

/* --- interfaces --- */

/* Pool; the name lies behind it. */
typedef struct _PNP_INTERFACE_EVENT {
    GUID Class;
    const GUID *Event;
    UNICODE_STRING Name;
} PNP_INTERFACE_EVENT;

static NTSTATUS PnpTellInterface(PVOID Context)
{
    PNP_INTERFACE_EVENT *Event = Context;
    NTSTATUS Status;
    DEVICE_INTERFACE_CHANGE_NOTIFICATION Notification = {1, sizeof(Notification), *Event->Event, Event->Class,
                                                         &Event->Name};
    KeAcquireGuardedMutex(&PnpWatchLock);
    for (PLIST_ENTRY E = PnpWatches.Flink; E != &PnpWatches;) {
        PNP_WATCH *Watch = CONTAINING_RECORD(E, PNP_WATCH, Entry);
        if (Watch->Category == EventCategoryDeviceInterfaceChange &&
            PnpSameGuid(&Watch->Class, &Event->Class) && !Watch->Removed)
            E = PnpTellWatchLocked(Watch, &Notification, &Status);
        else
            E = E->Flink;
    }
    KeReleaseGuardedMutex(&PnpWatchLock);
    ExFreePoolWithTag(Event, PNP_TAG_NOTIFY);
    return STATUS_SUCCESS;
}

/* Told later, in the PnP thread: who listens may open the device at once, which may be about to start. */
VOID PnpInterfaceChanged(const GUID *Class, PCUNICODE_STRING Name, BOOLEAN Enabled)
{
    PNP_INTERFACE_EVENT *Event =
        ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Event) + Name->Length + sizeof(WCHAR), PNP_TAG_NOTIFY);
    if (Event == NULL) {
        KdLogError("pnp: no memory to tell that the interface %wZ has changed", Name);
        return;
    }
    Event->Class = *Class;
    Event->Event = Enabled ? &GUID_DEVICE_INTERFACE_ARRIVAL : &GUID_DEVICE_INTERFACE_REMOVAL;
    Event->Name = (UNICODE_STRING){Name->Length, Name->Length, (PWCH)(Event + 1)};
    RtlCopyMemory(Event + 1, Name->Buffer, Name->Length);
    if (!NT_SUCCESS(PnpPost(PnpTellInterface, Event)))
        ExFreePoolWithTag(Event, PNP_TAG_NOTIFY);
}

/* [WDK IoRegisterPlugPlayNotification] PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES: those that are there are told to the new one, now. */
static VOID PnpTellExisting(PNP_WATCH *Watch)
{
    PWSTR Names;
    if (!NT_SUCCESS(IoGetDeviceInterfaces(&Watch->Class, NULL, 0, &Names)))
        return;
    for (PWSTR Name = Names; *Name != 0; Name += wcslen(Name) + 1) {
        UNICODE_STRING Text;
        RtlInitUnicodeString(&Text, Name);
        DEVICE_INTERFACE_CHANGE_NOTIFICATION Notification = {
            1, sizeof(Notification), GUID_DEVICE_INTERFACE_ARRIVAL, Watch->Class, &Text};
        (void)PnpCallWatch(Watch, &Notification);
    }
    ExFreePool(Names);
}

/* --- registration --- */

/* The device's bus driver says which PDO a file leads to. [WDK IRP_MN_QUERY_DEVICE_RELATIONS, TargetDeviceRelation] */
static NTSTATUS PnpFindTarget(PFILE_OBJECT File, PDEVICE_OBJECT *Pdo)
{
    ULONG_PTR Information = 0;
    IO_STACK_LOCATION Location = {
        .MajorFunction = IRP_MJ_PNP, .MinorFunction = IRP_MN_QUERY_DEVICE_RELATIONS, .FileObject = File};
    Location.Parameters.QueryDeviceRelations.Type = TargetDeviceRelation;
    PDEVICE_OBJECT Top = IoGetRelatedDeviceObject(File);
    NTSTATUS Status = IoSendPnpRequest(Top, &Location, &Information);
    if (!NT_SUCCESS(Status) || Information == 0)
        return NT_SUCCESS(Status) ? STATUS_NOT_SUPPORTED : Status;
    PDEVICE_RELATIONS Relations = (PDEVICE_RELATIONS)Information;
    *Pdo = Relations->Count == 1 ? Relations->Objects[0] : NULL;
    ExFreePool(Relations);
    return *Pdo != NULL && IoGetDeviceNode(*Pdo) != NULL ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS PnpFillWatch(PNP_WATCH *Watch, PVOID Data)
{
    switch (Watch->Category) {
    case EventCategoryHardwareProfileChange:
        return STATUS_SUCCESS; /* there is one profile, so that nothing is ever told */
    case EventCategoryDeviceInterfaceChange:
        Watch->Class = *(const GUID *)Data;
        return STATUS_SUCCESS;
    case EventCategoryTargetDeviceChange:
        Watch->File = Data;
        return PnpFindTarget(Watch->File, &Watch->Pdo);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

/* [WDK IoRegisterPlugPlayNotification] PASSIVE_LEVEL. The driver stays loaded while it is registered. */
NTSTATUS NTAPI IoRegisterPlugPlayNotification(IO_NOTIFICATION_EVENT_CATEGORY EventCategory,
                                              ULONG EventCategoryFlags, PVOID EventCategoryData,
                                              PDRIVER_OBJECT DriverObject,
                                              PDRIVER_NOTIFICATION_CALLBACK_ROUTINE CallbackRoutine,
                                              PVOID Context, PVOID *NotificationEntry)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    *NotificationEntry = NULL;
    PNP_WATCH *Watch = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Watch), PNP_TAG_NOTIFY);
    if (Watch == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Watch->Category = EventCategory;
    Watch->Routine = CallbackRoutine;
    Watch->Context = Context;
    KeInitializeEvent(&Watch->Returned, NotificationEvent, TRUE);
    NTSTATUS Status = PnpFillWatch(Watch, EventCategoryData);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Watch, PNP_TAG_NOTIFY);
        return Status;
    }
    Watch->Driver = DriverObject;
    ObfReferenceObject(DriverObject);
    KeAcquireGuardedMutex(&PnpWatchLock);
    InsertTailList(&PnpWatches, &Watch->Entry);
    KeReleaseGuardedMutex(&PnpWatchLock);
    *NotificationEntry = Watch;
    if (EventCategory == EventCategoryDeviceInterfaceChange &&
        (EventCategoryFlags & PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES))
        PnpTellExisting(Watch);
    return STATUS_SUCCESS;
}

/* Waits for its routine, if that runs in another thread. */
static VOID PnpEndWatch(PNP_WATCH *Watch)
{
    for (;;) {
        KeAcquireGuardedMutex(&PnpWatchLock);
        BOOLEAN Inside = Watch->Caller == KiCurrentThread(), Idle = Watch->Caller == NULL;
        if (Inside)
            Watch->Removed = TRUE; /* who called it frees it */
        else if (Idle)
            RemoveEntryList(&Watch->Entry);
        KeReleaseGuardedMutex(&PnpWatchLock);
        if (Idle)
            PnpFreeWatch(Watch);
        if (Idle || Inside)
            return;
        KeWaitForSingleObject(&Watch->Returned, Executive, KernelMode, FALSE, NULL);
    }
}

static PNP_WATCH *PnpFindWatchOf(const IM_MODULE *Module)
{
    PNP_WATCH *Found = NULL;
    KeAcquireGuardedMutex(&PnpWatchLock);
    for (PLIST_ENTRY E = PnpWatches.Flink; E != &PnpWatches && Found == NULL; E = E->Flink) {
        PNP_WATCH *Watch = CONTAINING_RECORD(E, PNP_WATCH, Entry);
        if (!Watch->Removed && (ULONG_PTR)Watch->Routine - (ULONG_PTR)Module->Base < Module->Size)
            Found = Watch;
    }
    KeReleaseGuardedMutex(&PnpWatchLock);
    return Found;
}

/* Nobody of the driver runs any more who could take it out himself. */
VOID PnpReportDriverLeaks(PIM_MODULE Module)
{
    PNP_WATCH *Watch;
    PnpReportUsageLeaks(Module);
    while ((Watch = PnpFindWatchOf(Module)) != NULL) {
        PnpEndWatch(Watch);
        KdLog("%s: a plug and play notification was left; it is taken out", Module->Name);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Module->Name),
                 KD_TEXT(ReportKeyKind, "plug and play notification"), KD_NUMBER(ReportKeyCount, 1));
    }
}

/* [WDK IoUnregisterPlugPlayNotification, IoUnregisterPlugPlayNotificationEx] PASSIVE_LEVEL. Also from its own routine; else the routine does not run any
 * more when it returns. */
NTSTATUS NTAPI IoUnregisterPlugPlayNotification(PVOID NotificationEntry)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PnpEndWatch(NotificationEntry);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoUnregisterPlugPlayNotificationEx(PVOID NotificationEntry)
{
    return IoUnregisterPlugPlayNotification(NotificationEntry);
}

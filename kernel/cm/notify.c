/* SPDX-License-Identifier: MIT
 * ZwNotifyChangeKey: who waits for a change of a key, or of what lies below it. [WDK ZwNotifyChangeKey, RegNotifyChangeKeyValue] The first
 * call on a handle says what it watches, from then on until the handle is closed; a change that comes while no call waits ends the
 * next one at once. What a driver has asked for and left is taken out when it is unloaded. */
#include "cm/notify.h"
#include "cm_service.h"
#include "ex.h"
#include "kd.h"
#include "ke.h"
#include "mm_caller.h"

static LIST_ENTRY CmpOwnedRequests = {&CmpOwnedRequests, &CmpOwnedRequests}; /* (r) of CMP_REQUEST */

static VOID CmpUnlinkRequest(CMP_REQUEST *Request)
{
    RemoveEntryList(&Request->Entry);
    if (Request->Owner != NULL)
        RemoveEntryList(&Request->OwnedEntry);
}

static VOID CmpEndRequest(CMP_REQUEST *Request, NTSTATUS Status)
{
    CmpUnlinkRequest(Request);
    Request->Status = Status;
    if (Request->User.Thread != NULL) {
        CmpEndForUser(Request);
        return;
    }
    Request->Iosb->Status = Status;
    Request->Iosb->Information = 0;
    if (Request->Event != NULL) {
        KeSetEvent(Request->Event, IO_NO_INCREMENT, FALSE);
        ObDereferenceObjectDeferDelete(Request->Event);
    }
    if (Request->Item != NULL)
        ExQueueWorkItem(Request->Item, Request->Queue);
    if (Request->Waiter != NULL)
        KeSetEvent(Request->Waiter, IO_NO_INCREMENT, FALSE);
    else
        ExFreePoolWithTag(Request, CMP_TAG_NOTIFY);
}

static VOID CmpEndRequests(CMP_NOTIFY *Notify, NTSTATUS Status)
{
    while (!IsListEmpty(&Notify->Requests))
        CmpEndRequest(CONTAINING_RECORD(Notify->Requests.Flink, CMP_REQUEST, Entry), Status);
}

static VOID CmpTrigger(CMP_NOTIFY *Notify)
{
    if (IsListEmpty(&Notify->Requests))
        Notify->Missed = TRUE;
    else
        CmpEndRequests(Notify, STATUS_NOTIFY_ENUM_DIR);
}

VOID CmpReportChange(CMP_KCB *Kcb, ULONG Filter)
{
    CmpFlushLater(Kcb->Hive);
    for (CMP_KCB *At = Kcb; At != NULL; At = At->Parent) {
        for (LIST_ENTRY *Entry = At->Notifies.Flink; Entry != &At->Notifies; Entry = Entry->Flink) {
            CMP_NOTIFY *Notify = CONTAINING_RECORD(Entry, CMP_NOTIFY, Entry);
            if ((Notify->Filter & Filter) && (At == Kcb || Notify->WatchTree))
                CmpTrigger(Notify);
        }
    }
}

/* (r) alone. [RegNotifyChangeKeyValue] "If the specified key is closed, the event is signaled." */
static VOID CmpDisarm(CMP_NOTIFY *Notify)
{
    if (!Notify->Armed)
        return;
    Notify->Armed = FALSE;
    RemoveEntryList(&Notify->Entry);
    CmpEndRequests(Notify, STATUS_NOTIFY_CLEANUP);
}

/* A thread that has a reference may still ask: it is refused from here on. Few keys are armed: the lock is shared for the others. */
VOID CmpEndNotify(CMP_KEY *Key)
{
    CmpLockShared();
    __atomic_store_n(&Key->Notify.Closed, TRUE, __ATOMIC_RELAXED);
    BOOLEAN Armed = Key->Notify.Armed;
    CmpUnlockShared();
    if (!Armed)
        return;
    CmpLockExclusive();
    CmpDisarm(&Key->Notify);
    CmpUnlockExclusive();
}

VOID CmpEndKcbNotifies(CMP_KCB *Kcb)
{
    while (!IsListEmpty(&Kcb->Notifies))
        CmpDisarm(CONTAINING_RECORD(Kcb->Notifies.Flink, CMP_NOTIFY, Entry));
}

/* STATUS_PENDING: the request waits. Not taken when it is no success. */
static NTSTATUS CmpEnqueue(CMP_KEY *Key, CMP_REQUEST *Request, ULONG Filter, BOOLEAN WatchTree)
{
    CMP_NOTIFY *Notify = &Key->Notify;
    if (Key->Kcb->Deleted)
        return STATUS_KEY_DELETED;
    if (Notify->Closed)
        return STATUS_INVALID_HANDLE;
    if (!Notify->Armed) {
        Notify->Filter = Filter;
        Notify->WatchTree = WatchTree;
        Notify->Armed = TRUE;
        Notify->Missed = FALSE;
        InsertTailList(&Key->Kcb->Notifies, &Notify->Entry);
    }
    InsertTailList(&Notify->Requests, &Request->Entry);
    if (Request->Owner != NULL)
        InsertTailList(&CmpOwnedRequests, &Request->OwnedEntry);
    if (!Notify->Missed)
        return STATUS_PENDING;
    Notify->Missed = FALSE;
    CmpEndRequest(Request, STATUS_NOTIFY_ENUM_DIR);
    return STATUS_NOTIFY_ENUM_DIR;
}

/* A wait that ended without the change, because the thread is to end or has an APC. Nobody will set the caller's event. */
static NTSTATUS CmpWithdraw(CMP_REQUEST *Request, NTSTATUS Status)
{
    PKEVENT Event = NULL;
    CmpLockExclusive();
    if (KeReadStateEvent(Request->Waiter) == 0) {
        CmpUnlinkRequest(Request);
        Event = Request->Event;
        Request->Event = NULL;
    } else {
        Status = Request->Status;
    }
    CmpUnlockExclusive();
    if (Event != NULL)
        ObfDereferenceObject(Event);
    return Status;
}

static NTSTATUS CmpWaitForChange(CMP_KEY *Key, CMP_REQUEST *Request, ULONG Filter, BOOLEAN WatchTree,
                                 KPROCESSOR_MODE Mode)
{
    KEVENT Done;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Request->Waiter = &Done;
    CmpLockExclusive();
    NTSTATUS Status = CmpEnqueue(Key, Request, Filter, WatchTree);
    CmpUnlockExclusive();
    if (Status != STATUS_PENDING)
        return Status;
    Status = KeWaitForSingleObject(&Done, UserRequest, Mode, FALSE, NULL);
    return Status == STATUS_SUCCESS ? Request->Status : CmpWithdraw(Request, Status);
}

static NTSTATUS CmpAskForChange(CMP_KEY *Key, const CMP_REQUEST *From, ULONG Filter, BOOLEAN WatchTree)
{
    CMP_REQUEST *Request = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Request), CMP_TAG_NOTIFY);
    if (Request == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Request = *From;
    CmpLockExclusive();
    NTSTATUS Status = CmpEnqueue(Key, Request, Filter, WatchTree);
    CmpUnlockExclusive();
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(Request, CMP_TAG_NOTIFY);
    return Status;
}

static NTSTATUS CmpReferenceEvent(HANDLE Handle, KPROCESSOR_MODE Mode, PKEVENT *Event)
{
    *Event = NULL;
    if (Handle == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status =
        ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, ExEventObjectType, Mode, (PVOID *)Event, NULL);
    if (NT_SUCCESS(Status))
        KeClearEvent(*Event);
    return Status;
}

/* The status block is the kernel's. */
static NTSTATUS CmpNotify(HANDLE KeyHandle, HANDLE Event, CMP_REQUEST *Request, ULONG Filter,
                          BOOLEAN WatchTree, BOOLEAN Asynchronous, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Key;
    NTSTATUS Status = CmpReferenceKey(KeyHandle, KEY_NOTIFY, Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpReferenceEvent(Event, Mode, &Request->Event);
    if (NT_SUCCESS(Status)) {
        Status = Asynchronous ? CmpAskForChange(Key, Request, Filter, WatchTree)
                              : CmpWaitForChange(Key, Request, Filter, WatchTree, Mode);
        if (!NT_SUCCESS(Status) && Request->Event != NULL)
            ObfDereferenceObject(Request->Event);
    }
    ObfDereferenceObject(Key);
    return Status;
}

/* The caller waits, and gets the status block when it is over. */
static NTSTATUS CmpNotifyUser(HANDLE KeyHandle, HANDLE Event, PIO_STATUS_BLOCK IoStatusBlock, ULONG Filter,
                              BOOLEAN WatchTree, KPROCESSOR_MODE Mode)
{
    IO_STATUS_BLOCK Iosb = {0};
    CMP_REQUEST Request = {.Iosb = &Iosb};
    NTSTATUS Status = CmpNotify(KeyHandle, Event, &Request, Filter, WatchTree, FALSE, Mode);
    if (Status == STATUS_NOTIFY_ENUM_DIR || Status == STATUS_NOTIFY_CLEANUP)
        (void)MmWriteCaller(IoStatusBlock, &Iosb, sizeof(Iosb), Mode);
    return Status;
}

static NTSTATUS CmpNotifyUserLater(HANDLE KeyHandle, HANDLE Event, CMP_REQUEST *Request, ULONG Filter,
                                   BOOLEAN WatchTree, KPROCESSOR_MODE Mode)
{
    Request->User.Thread = PsGetCurrentThread();
    Request->User.Process = PsGetCurrentProcess();
    ObfReferenceObject(Request->User.Thread);
    NTSTATUS Status = CmpNotify(KeyHandle, Event, Request, Filter, WatchTree, TRUE, Mode);
    if (!NT_SUCCESS(Status))
        ObfDereferenceObject(Request->User.Thread);
    return Status;
}

/* [WDK ZwNotifyChangeKey] For a kernel-mode caller ApcRoutine is a WORK_QUEUE_ITEM and ApcContext the WORK_QUEUE_TYPE. [WDK Bug Check
 * 0xE4] 7: the item has no routine; told here, where its driver is on the stack, and not when the key changes. */
static NTSTATUS CmpTakeItem(CMP_REQUEST *Request, PWORK_QUEUE_ITEM Item, ULONG_PTR Queue)
{
    if (Item == NULL)
        return STATUS_SUCCESS;
    if ((ULONG)Queue > (ULONG)DelayedWorkQueue)
        return STATUS_INVALID_PARAMETER;
    Request->Item = Item;
    Request->Queue = (WORK_QUEUE_TYPE)Queue;
    Request->ItemRoutine = (PVOID)Item->WorkerRoutine;
    if (!ExIsWorkRoutine(Request->ItemRoutine))
        KeBugCheckEx(WORKER_INVALID, 7, (ULONG_PTR)Item, Queue, 0);
    return STATUS_SUCCESS;
}

NTSTATUS CmNotifyChangeKey(HANDLE KeyHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                           PIO_STATUS_BLOCK IoStatusBlock, ULONG CompletionFilter, BOOLEAN WatchTree,
                           BOOLEAN Asynchronous, KPROCESSOR_MODE Mode)
{
    CMP_REQUEST Request = {.Iosb = IoStatusBlock};
    if ((CompletionFilter & ~(ULONG)REG_LEGAL_CHANGE_FILTER) || CompletionFilter == 0)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = MmProbeCallerOutput(IoStatusBlock, sizeof(*IoStatusBlock), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Mode != KernelMode && !Asynchronous)
        return CmpNotifyUser(KeyHandle, Event, IoStatusBlock, CompletionFilter, WatchTree, Mode);
    if (Mode != KernelMode) {
        Request.User.Routine = ApcRoutine;
        Request.User.Context = ApcContext;
        return CmpNotifyUserLater(KeyHandle, Event, &Request, CompletionFilter, WatchTree, Mode);
    }
    Status = CmpTakeItem(&Request, (PWORK_QUEUE_ITEM)ApcRoutine, (ULONG_PTR)ApcContext);
    if (!NT_SUCCESS(Status))
        return Status;
    Request.Owner = KiCurrentThread()->GateRoutine;
    return CmpNotify(KeyHandle, Event, &Request, CompletionFilter, WatchTree, Asynchronous, Mode);
}

/* --- what a driver left ---------------------------------------------------------------------------------------- */

static BOOLEAN CmpLeadsInto(const CMP_REQUEST *Request, ULONG_PTR Base, SIZE_T Size)
{
    return (ULONG_PTR)Request->Owner - Base < Size || (ULONG_PTR)Request->Item - Base < Size ||
           (ULONG_PTR)Request->ItemRoutine - Base < Size || (ULONG_PTR)Request->Iosb - Base < Size;
}

/* A request that nobody waits for and that leads into [Base, Base + Size), in no list any more. Who waits is a thread of his own. */
static CMP_REQUEST *CmpTakeOwnedRequest(ULONG_PTR Base, SIZE_T Size)
{
    CMP_REQUEST *Found = NULL;
    CmpLockExclusive();
    for (LIST_ENTRY *E = CmpOwnedRequests.Flink; E != &CmpOwnedRequests && Found == NULL; E = E->Flink) {
        CMP_REQUEST *Request = CONTAINING_RECORD(E, CMP_REQUEST, OwnedEntry);
        if (Request->Waiter == NULL && CmpLeadsInto(Request, Base, Size))
            Found = Request;
    }
    if (Found != NULL)
        CmpUnlinkRequest(Found);
    CmpUnlockExclusive();
    return Found;
}

/* Nobody is told: event, status block and item may be gone with the driver. */
ULONG CmReportDriverNotifications(PCSTR Driver, const void *Base, SIZE_T Size)
{
    CMP_REQUEST *Request;
    ULONG Count = 0;
    for (; (Request = CmpTakeOwnedRequest((ULONG_PTR)Base, Size)) != NULL; Count++) {
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver),
                 KD_TEXT(ReportKeyKind, "registry notification"), KD_NUMBER(ReportKeyCount, 1),
                 KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Request->Item));
        if (Request->Event != NULL)
            ObfDereferenceObject(Request->Event);
        ExFreePoolWithTag(Request, CMP_TAG_NOTIFY);
    }
    return Count;
}

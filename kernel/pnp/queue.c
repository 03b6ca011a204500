/* SPDX-License-Identifier: MIT
 * The PnP thread and what it is asked for. A job lies in its node, so that asking needs no memory and can be done at DISPATCH_LEVEL; a job that
 * waits has a reference of the node's PDO. */
#include "pnpp.h"
#include "ex.h"
#include "ps.h"

static ARCH_LOCK PnpQueueLock = ARCH_LOCK_INIT("PnpQueue", LockRankPnp, DISPATCH_LEVEL);
static LIST_ENTRY PnpQueue = {&PnpQueue, &PnpQueue}; /* (q) */
static KEVENT PnpWork, PnpIdle;
static PKTHREAD PnpThread;

/* FALSE: it waits already. */
static BOOLEAN PnpQueueJob(PNP_JOB *Job)
{
    KIRQL OldIrql = ArchAcquireLock(&PnpQueueLock);
    BOOLEAN New = !Job->Queued;
    if (New) {
        Job->Queued = TRUE;
        InsertTailList(&PnpQueue, &Job->Entry);
        KeClearEvent(&PnpIdle);
    }
    ArchReleaseLock(&PnpQueueLock, OldIrql);
    if (New)
        KeSetEvent(&PnpWork, IO_NO_INCREMENT, FALSE);
    return New;
}

VOID PnpAsk(PNP_NODE *Node, PNP_JOB_KIND Kind)
{
    ObfReferenceObject(Node->Pdo); /* the PnP thread gives it back */
    if (!PnpQueueJob(&Node->Jobs[Kind]))
        ObfDereferenceObject(Node->Pdo);
}

typedef struct _PNP_CALL {
    PNP_JOB Job;
    NTSTATUS (*Routine)(PVOID Context);
    PVOID Context;
    NTSTATUS Status;
    BOOLEAN Posted; /* nobody waits: from pool */
    KEVENT Done;
} PNP_CALL;

/* NULL: none waits, and the last one taken is done. */
static PNP_JOB *PnpTakeJob(VOID)
{
    PNP_JOB *Job = NULL;
    KIRQL OldIrql = ArchAcquireLock(&PnpQueueLock);
    if (!IsListEmpty(&PnpQueue)) {
        Job = CONTAINING_RECORD(RemoveHeadList(&PnpQueue), PNP_JOB, Entry);
        Job->Queued = FALSE;
    } else {
        KeSetEvent(&PnpIdle, IO_NO_INCREMENT, FALSE); /* under the lock: nobody has asked meanwhile */
    }
    ArchReleaseLock(&PnpQueueLock, OldIrql);
    return Job;
}

static VOID PnpDoCall(PNP_CALL *Call)
{
    Call->Status = Call->Routine(Call->Context);
    if (Call->Posted) {
        ExFreePoolWithTag(Call, PNP_TAG_LIST);
        return;
    }
    KeSetEvent(&Call->Done, IO_NO_INCREMENT, FALSE); /* the caller's stack may be gone afterwards */
}

static VOID PnpDoNode(PNP_NODE *Node, PNP_JOB_KIND Kind)
{
    PDEVICE_OBJECT Pdo = Node->Pdo;
    switch (Kind) {
    case PnpJobEnumerate:
        PnpEnumerateNode(Node);
        break;
    case PnpJobState:
        PnpUpdateState(Node);
        break;
    case PnpJobEject:
        PnpEject(Node);
        break;
    case PnpJobClosed:
        PnpFinishRemoval(Node);
        break;
    default:
        NT_CHECK(FALSE);
    }
    ObfDereferenceObject(Pdo);
}

static VOID PnpDoJob(PNP_JOB *Job)
{
    PNP_JOB *First = Job - Job->Kind; /* of the node's */
    if (Job->Kind == PnpJobCall)
        PnpDoCall(CONTAINING_RECORD(Job, PNP_CALL, Job));
    else
        PnpDoNode(CONTAINING_RECORD(First, PNP_NODE, Jobs[0]), Job->Kind);
}

static VOID NTAPI PnpThreadRoutine(PVOID Context)
{
    PnpThread = KiCurrentThread();
    for (;;) {
        PNP_JOB *Job = PnpTakeJob();
        if (Job != NULL)
            PnpDoJob(Job);
        else
            KeWaitForSingleObject(&PnpWork, Executive, KernelMode, FALSE, NULL);
    }
}

NTSTATUS PnpCall(NTSTATUS (*Routine)(PVOID Context), PVOID Context)
{
    if (KiCurrentThread() == PnpThread)
        return Routine(Context);
    PNP_CALL Call = {.Job.Kind = PnpJobCall, .Routine = Routine, .Context = Context};
    KeInitializeEvent(&Call.Done, NotificationEvent, FALSE);
    PnpQueueJob(&Call.Job);
    KeWaitForSingleObject(&Call.Done, Executive, KernelMode, FALSE, NULL);
    return Call.Status;
}

NTSTATUS PnpPost(NTSTATUS (*Routine)(PVOID Context), PVOID Context)
{
    PNP_CALL *Call = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Call), PNP_TAG_LIST);
    if (Call == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Call->Job.Kind = PnpJobCall;
    Call->Routine = Routine;
    Call->Context = Context;
    Call->Posted = TRUE;
    (void)PnpQueueJob(&Call->Job);
    return STATUS_SUCCESS;
}

VOID PnpWaitIdle(VOID)
{
    KeWaitForSingleObject(&PnpIdle, Executive, KernelMode, FALSE, NULL);
}

VOID PnpStartThread(VOID)
{
    HANDLE Thread;
    KeInitializeEvent(&PnpWork, SynchronizationEvent, FALSE);
    KeInitializeEvent(&PnpIdle, NotificationEvent, TRUE);
    NTSTATUS Status =
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, PnpThreadRoutine, NULL);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(PP1_INITIALIZATION_FAILED, (ULONG_PTR)Status, 0, 0, 0);
    ZwClose(Thread);
}

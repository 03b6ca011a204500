/* SPDX-License-Identifier: MIT
 * Processes and threads by number. Both have their numbers from one counter; a number is given again only when no object has it any
 * more. [WDK PsLookupProcessByProcessId, PsLookupThreadByThreadId] An object is found as long as it is there, also when it has ended. */
#include "psp.h"
#include "ob.h"

#define PSP_BUCKETS 256u

ARCH_LOCK PspListLock = ARCH_LOCK_INIT("Processes", LockRankPs, DISPATCH_LEVEL);
LIST_ENTRY PspProcesses = {&PspProcesses, &PspProcesses};
static LIST_ENTRY PspProcessIds[PSP_BUCKETS], PspThreadIds[PSP_BUCKETS]; /* (l) filled when first used */
static ULONG PspNextId = 4;                                              /* (l) 4 is the System process's */

static PLIST_ENTRY PspBucket(LIST_ENTRY *Table, HANDLE Id)
{
    PLIST_ENTRY Bucket = &Table[(ULONG_PTR)Id / 4 % PSP_BUCKETS];

    if (Bucket->Flink == NULL)
        InitializeListHead(Bucket);
    return Bucket;
}

static PEPROCESS PspFindProcessLocked(HANDLE Id)
{
    PLIST_ENTRY Bucket = PspBucket(PspProcessIds, Id);

    for (PLIST_ENTRY Entry = Bucket->Flink; Entry != Bucket; Entry = Entry->Flink) {
        PEPROCESS Process = CONTAINING_RECORD(Entry, EPROCESS, IdEntry);
        if (Process->UniqueProcessId == Id)
            return Process;
    }
    return NULL;
}

static PETHREAD PspFindThreadLocked(HANDLE Id)
{
    PLIST_ENTRY Bucket = PspBucket(PspThreadIds, Id);

    for (PLIST_ENTRY Entry = Bucket->Flink; Entry != Bucket; Entry = Entry->Flink) {
        PETHREAD Thread = CONTAINING_RECORD(Entry, ETHREAD, IdEntry);
        if (Thread->Cid.UniqueThread == Id)
            return Thread;
    }
    return NULL;
}

/* The counter comes round after a thousand million objects. */
static HANDLE PspNewIdLocked(VOID)
{
    HANDLE Id;

    do {
        PspNextId = PspNextId >= MAXLONG - 7 ? 8 : PspNextId + 4;
        Id = (HANDLE)(ULONG_PTR)PspNextId;
    } while (PspFindProcessLocked(Id) != NULL || PspFindThreadLocked(Id) != NULL);
    return Id;
}

VOID PspEnterProcess(PEPROCESS Process)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);

    if (Process->UniqueProcessId == NULL)
        Process->UniqueProcessId = PspNewIdLocked();
    InsertTailList(PspBucket(PspProcessIds, Process->UniqueProcessId), &Process->IdEntry);
    InsertTailList(&PspProcesses, &Process->ListEntry);
    ArchReleaseLock(&PspListLock, OldIrql);
}

VOID PspForgetProcess(PEPROCESS Process)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);

    RemoveEntryList(&Process->IdEntry);
    RemoveEntryList(&Process->ListEntry);
    ArchReleaseLock(&PspListLock, OldIrql);
}

VOID PspGiveThreadId(PETHREAD Thread)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);

    Thread->Cid.UniqueThread = PspNewIdLocked();
    InsertTailList(PspBucket(PspThreadIds, Thread->Cid.UniqueThread), &Thread->IdEntry);
    ArchReleaseLock(&PspListLock, OldIrql);
}

VOID PspForgetThread(PETHREAD Thread)
{
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);

    if (Thread->IdEntry.Flink != NULL)
        RemoveEntryList(&Thread->IdEntry);
    ArchReleaseLock(&PspListLock, OldIrql);
}

/* [WDK PsLookupProcessByProcessId] IRQL <= APC_LEVEL. */
NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    PEPROCESS Found = PspFindProcessLocked(ProcessId);
    if (Found != NULL && !ObReferenceObjectSafe(Found))
        Found = NULL;
    ArchReleaseLock(&PspListLock, OldIrql);
    if (Found == NULL)
        return STATUS_INVALID_PARAMETER;
    *Process = Found;
    return STATUS_SUCCESS;
}

/* [WDK PsLookupThreadByThreadId] IRQL <= APC_LEVEL. */
NTSTATUS NTAPI PsLookupThreadByThreadId(HANDLE ThreadId, PETHREAD *Thread)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&PspListLock);
    PETHREAD Found = PspFindThreadLocked(ThreadId);
    if (Found != NULL && !ObReferenceObjectSafe(Found))
        Found = NULL;
    ArchReleaseLock(&PspListLock, OldIrql);
    if (Found == NULL)
        return STATUS_INVALID_PARAMETER;
    *Thread = Found;
    return STATUS_SUCCESS;
}

/* A thread and, if Process is not NULL, its process: STATUS_INVALID_CID when there is no such pair. */
NTSTATUS NTAPI PsLookupProcessThreadByCid(PCLIENT_ID Cid, PEPROCESS *Process, PETHREAD *Thread)
{
    PETHREAD Found;

    KI_REQUIRE_IRQL(APC_LEVEL);
    NTSTATUS Status = PsLookupThreadByThreadId(Cid->UniqueThread, &Found);
    if (!NT_SUCCESS(Status))
        return STATUS_INVALID_CID;
    if (Found->Cid.UniqueProcess != Cid->UniqueProcess) {
        ObDereferenceObject(Found);
        return STATUS_INVALID_CID;
    }
    if (Process != NULL)
        ObReferenceObject(*Process = (PEPROCESS)Found->Tcb.Process);
    *Thread = Found;
    return STATUS_SUCCESS;
}

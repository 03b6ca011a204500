/* SPDX-License-Identifier: MIT
 * Stress: a kernel queue, whose workers also wait for everything else, and work items that are counted. */
#include "stress.h"

#define ENTRIES 24

typedef struct _STRESS_ENTRY {
    LIST_ENTRY Link;
    volatile LONG Queued;
} STRESS_ENTRY;

static KQUEUE Queue;
static STRESS_ENTRY Entries[ENTRIES];
static volatile LONG64 Given, Taken;

static VOID QueuePrepare(VOID)
{
    KeInitializeQueue(&Queue, 0);
}

static VOID StressGiveEntry(STRESS_WORKER *Worker)
{
    STRESS_ENTRY *Entry = &Entries[StressRandom(Worker, ENTRIES)];

    if (InterlockedCompareExchange(&Entry->Queued, TRUE, FALSE) != FALSE)
        return;
    if (StressRandom(Worker, 4) == 0)
        KeInsertHeadQueue(&Queue, &Entry->Link);
    else
        KeInsertQueue(&Queue, &Entry->Link);
    InterlockedIncrement64(&Given);
}

static VOID StressTakeEntry(STRESS_WORKER *Worker)
{
    LARGE_INTEGER Timeout = {.QuadPart = -(LONG64)StressRandom(Worker, 2 * STRESS_MILLISECOND)};
    PLIST_ENTRY Link = KeRemoveQueue(&Queue, KernelMode, &Timeout);

    if ((ULONG_PTR)Link == STATUS_TIMEOUT)
        return;
    ULONG_PTR Offset = (ULONG_PTR)Link - (ULONG_PTR)Entries;
    if (Offset >= sizeof(Entries) || Offset % sizeof(STRESS_ENTRY) != 0) {
        StressFail("KeRemoveQueue gave %p, which nobody has queued", (PVOID)Link);
        return;
    }
    InterlockedIncrement64(&Taken);
    STRESS_EQUAL(InterlockedExchange(&CONTAINING_RECORD(Link, STRESS_ENTRY, Link)->Queued, FALSE), TRUE);
}

static VOID QueueOperate(STRESS_WORKER *Worker)
{
    if (StressRandom(Worker, 2) != 0)
        StressGiveEntry(Worker);
    else
        StressTakeEntry(Worker);
}

static VOID QueueCheck(VOID)
{
    STRESS_EQUAL(Given, Taken + KeReadStateQueue(&Queue));
    STRESS_EXPECT(IsListEmpty(&Queue.ThreadListHead));
    STRESS_EQUAL(Queue.CurrentCount, 0);
    (void)KeRundownQueue(&Queue);
}

const STRESS_KIND StressQueueKinds[] = {
    {"queue", 10, QueuePrepare, QueueOperate, QueueCheck},
};
const ULONG StressQueueKindCount = RTL_NUMBER_OF(StressQueueKinds);

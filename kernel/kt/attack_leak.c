/* SPDX-License-Identifier: MIT
 * What an attack must not leave behind: memory, pool by tag, objects by type, handles of the System process, files and keys. Caches of the kernel
 * keep a few blocks of a tag; a leak of an attack of some ten thousand calls is more than that. */
#include "attack.h"
#include "ex.h"
#include "io.h"
#include "ps.h"

#define LEAK_ROWS 512u
#define LEAK_CACHED 96u /* blocks of a tag that may be kept for the next who needs one */

typedef struct _LEAK_COUNTS {
    SIZE_T Committed;
    ULONG Handles;
    LONG64 Objects[9];
} LEAK_COUNTS;

static LEAK_COUNTS LeakBefore;
static EX_POOL_USAGE *LeakPool; /* before, and after */
static ULONG LeakRowCount;

#define LEAK_THREADS 1
static const struct {
    PCSTR Name;
    POBJECT_TYPE *Type;
} LeakTypes[] = {{"processes", &PsProcessType},      {"threads", &PsThreadType},
                 {"events", &ExEventObjectType},     {"files", &IoFileObjectType},
                 {"sections", &MmSectionObjectType}, {"keys", &CmKeyObjectType},
                 {"tokens", &SeTokenObjectType},     {"semaphores", &ExSemaphoreObjectType},
                 {"mutants", &ObMutantType}};
_Static_assert(RTL_NUMBER_OF(LeakTypes) <= RTL_NUMBER_OF(LeakBefore.Objects), "a count for each");

static VOID LeakCount(LEAK_COUNTS *Counts)
{
    MM_COMMITMENT Commitment;
    ExSettle(); /* a backlog of work may have brought worker threads */
    MmQueryCommitment(&Commitment);
    Counts->Committed = Commitment.Committed;
    Counts->Handles = ObHandleCount(ObSystemHandleTable());
    for (ULONG I = 0; I < RTL_NUMBER_OF(LeakTypes); I++)
        Counts->Objects[I] = ObCountObjects(*LeakTypes[I].Type);
}

VOID AttackCountBefore(VOID)
{
    LeakPool = MmAllocateSystemPages(2 * LEAK_ROWS * sizeof(*LeakPool) / PAGE_SIZE, MmReadWrite);
    STRESS_EXPECT(LeakPool != NULL);
    LeakCount(&LeakBefore);
    if (LeakPool != NULL)
        LeakRowCount = ExQueryPoolUsage(LeakPool, LEAK_ROWS);
}

static ULONG64 LeakBlocksBefore(const EX_POOL_USAGE *Row)
{
    ULONG64 Count = 0;
    for (ULONG I = 0; I < LeakRowCount; I++)
        if (LeakPool[I].Tag == Row->Tag && LeakPool[I].Type == Row->Type && LeakPool[I].Driver == Row->Driver)
            Count += LeakPool[I].Count;
    return Count;
}

static VOID LeakComparePool(VOID)
{
    EX_POOL_USAGE *After = LeakPool + LEAK_ROWS;
    ULONG Count = ExQueryPoolUsage(After, LEAK_ROWS);
    for (ULONG I = 0; I < Count; I++) {
        ULONG64 Before = LeakBlocksBefore(&After[I]);
        if (After[I].Count > Before + 8)
            KdLog("attack: pool, tag '%.4s': %llu blocks, %llu before", (PCSTR)&After[I].Tag, After[I].Count,
                  Before);
        if (After[I].Count > Before + LEAK_CACHED)
            StressFail("%llu blocks of pool with tag '%.4s' stay", After[I].Count - Before,
                       (PCSTR)&After[I].Tag);
    }
    MmFreeSystemPages(LeakPool, 2 * LEAK_ROWS * sizeof(*LeakPool) / PAGE_SIZE);
}

VOID AttackCountAfter(VOID)
{
    LEAK_COUNTS After;

    LeakCount(&After);
    STRESS_EXPECT(After.Handles <= LeakBefore.Handles);
    After.Objects[LEAK_THREADS] -= StressWorkerCount; /* they have ended, and are looked at until the end */
    for (ULONG I = 0; I < RTL_NUMBER_OF(LeakTypes); I++)
        if (After.Objects[I] != LeakBefore.Objects[I])
            StressFail("there are %lld %s, and were %lld", After.Objects[I], LeakTypes[I].Name,
                       LeakBefore.Objects[I]);
    STRESS_EQUAL(After.Committed, LeakBefore.Committed);
    if (LeakPool != NULL)
        LeakComparePool();
}

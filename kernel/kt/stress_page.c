/* SPDX-License-Identifier: MIT
 * Stress: physical pages. Each worker keeps some, single ones and runs, with a stamp of its own in every page: that finds a page that two have.
 * A page that was asked for with zeroes and comes without is found too. */
#include "stress.h"
#include "mm.h"

#define SLOTS 16
#define RUN_MOST 24

static struct {
    PFN_NUMBER First;
    ULONG Count; /* 0: empty */
    ULONG64 Stamp;
} Slots[STRESS_WORKERS_MAX][SLOTS]; /* (o) the worker's own */

static ULONG64 *Word(PFN_NUMBER Frame, ULONG Index)
{
    return (ULONG64 *)MmDirectMap(Frame << PAGE_SHIFT) + Index;
}

static VOID PageTake(STRESS_WORKER *Worker, ULONG Slot)
{
    BOOLEAN Zero = StressRandom(Worker, 2) == 0;
    ULONG Count = StressRandom(Worker, 3) == 0 ? 1 + StressRandom(Worker, RUN_MOST) : 1;
    PFN_NUMBER First =
        Count == 1 ? MmAllocatePhysicalPage(Zero) : MmAllocatePhysicalPages(Count, 0, MM_ANY_PAGE, 0);
    if (First == MM_NO_PAGE)
        return;
    for (ULONG I = 0; Count == 1 && Zero && I < PAGE_SIZE / 8; I++)
        STRESS_EXPECT(*Word(First, I) == 0);
    ULONG64 Stamp = (ULONG64)(Worker->Index + 1) << 48 | (ULONG64)Slot << 32 | StressRandom(Worker, 1u << 30);
    for (ULONG I = 0; I < Count; I++)
        *Word(First + I, 0) = *Word(First + I, PAGE_SIZE / 8 - 1) = Stamp + I;
    Slots[Worker->Index][Slot].First = First;
    Slots[Worker->Index][Slot].Count = Count;
    Slots[Worker->Index][Slot].Stamp = Stamp;
}

static VOID PageGive(ULONG Index, ULONG Slot)
{
    PFN_NUMBER First = Slots[Index][Slot].First;
    for (ULONG I = 0; I < Slots[Index][Slot].Count; I++) {
        STRESS_EXPECT(*Word(First + I, 0) == Slots[Index][Slot].Stamp + I);
        STRESS_EXPECT(*Word(First + I, PAGE_SIZE / 8 - 1) == Slots[Index][Slot].Stamp + I);
    }
    MmFreePhysicalPages(First, Slots[Index][Slot].Count);
    Slots[Index][Slot].Count = 0;
}

static VOID PageOperate(STRESS_WORKER *Worker)
{
    ULONG Slot = StressRandom(Worker, SLOTS);
    if (Slots[Worker->Index][Slot].Count != 0)
        PageGive(Worker->Index, Slot);
    else
        PageTake(Worker, Slot);
}

static VOID PageCheck(VOID)
{
    for (ULONG Index = 0; Index < STRESS_WORKERS_MAX; Index++)
        for (ULONG Slot = 0; Slot < SLOTS; Slot++)
            if (Slots[Index][Slot].Count != 0)
                PageGive(Index, Slot);
}

/* Memory of a random cache type, written by one mapping and read by an MDL's, which has the memory's type whatever it asks for. */
static VOID CacheOperate(STRESS_WORKER *Worker)
{
    static const MEMORY_CACHING_TYPE Types[] = {MmCached, MmNonCached, MmWriteCombined};
    PHYSICAL_ADDRESS Zero = {0}, Highest = {.QuadPart = MAXLONG64};
    SIZE_T Size = (1 + StressRandom(Worker, 4)) * PAGE_SIZE;
    MEMORY_CACHING_TYPE Type = Types[StressRandom(Worker, 3)];
    ULONG64 *Memory = MmAllocateContiguousMemorySpecifyCache(Size, Zero, Highest, Zero, Type);
    if (Memory != NULL)
        STRESS_EXPECT(KtIsCached(Memory, Size, Type));
    PMDL Mdl = Memory != NULL ? IoAllocateMdl(Memory, (ULONG)Size, FALSE, FALSE, NULL) : NULL;
    if (Mdl != NULL) {
        Memory[Size / 8 - 1] = Worker->Index + 7;
        MmProbeAndLockPages(Mdl, KernelMode, IoReadAccess);
        const ULONG64 *View = MmMapLockedPagesSpecifyCache(Mdl, KernelMode, Types[StressRandom(Worker, 3)],
                                                           NULL, FALSE, NormalPagePriority);
        if (View != NULL) {
            STRESS_EXPECT(View[Size / 8 - 1] == Worker->Index + 7);
            STRESS_EXPECT(KtIsCached(View, Size, Type));
        }
        MmUnlockPages(Mdl);
        IoFreeMdl(Mdl);
    }
    if (Memory != NULL)
        MmFreeContiguousMemory(Memory);
}

const STRESS_KIND StressPageKinds[] = {
    {"physical pages", 4, NULL, PageOperate, PageCheck},
    {"cache types", 2, NULL, CacheOperate, NULL},
};
const ULONG StressPageKindCount = RTL_NUMBER_OF(StressPageKinds);

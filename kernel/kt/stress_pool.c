/* SPDX-License-Identifier: MIT
 * Stress: pool. Blocks of all sizes and both pools hang in slots that all workers share: whoever gets at one frees it, often on another
 * processor than it was allocated on. Each block is filled from its first to its last byte with a pattern of its own, which says what was asked
 * for: two blocks that overlap, or one that somebody else writes to, do not keep it. */
#include "stress.h"

#define TAG 'lpSK'
#define STRESS_SLOTS 256u
#define STRESS_PATTERN 0x9e3779b97f4a7c15ull

typedef struct _STRESS_BLOCK {
    SIZE_T Size; /* of the whole block */
    ULONG64 Seed;
    BOOLEAN Paged;
    UCHAR Bytes[];
} STRESS_BLOCK;

static STRESS_BLOCK *volatile Slots[STRESS_SLOTS]; /* interlocked: who takes a block out owns it */
static volatile LONG Allocated, Freed;             /* atomic */

static UCHAR StressByte(ULONG64 Seed, SIZE_T Index)
{
    return (UCHAR)((Seed + Index) * STRESS_PATTERN >> 56);
}

static SIZE_T StressPoolSize(STRESS_WORKER *Worker)
{
    ULONG Kind = StressRandom(Worker, 16);

    if (Kind == 0)
        return sizeof(STRESS_BLOCK) + StressRandom(Worker, 5 * PAGE_SIZE);
    return sizeof(STRESS_BLOCK) + StressRandom(Worker, Kind < 4 ? PAGE_SIZE : 300);
}

static STRESS_BLOCK *StressAllocateBlock(STRESS_WORKER *Worker, BOOLEAN Paged)
{
    SIZE_T Size = StressPoolSize(Worker);
    STRESS_BLOCK *Block = ExAllocatePoolWithTag(Paged ? PagedPool : NonPagedPoolNx, Size, TAG);

    if (Block == NULL)
        return NULL;
    STRESS_EXPECT(((ULONG_PTR)Block & (Size >= PAGE_SIZE ? PAGE_MASK : 15)) == 0);
    *Block = (STRESS_BLOCK){.Size = Size, .Seed = Worker->Random, .Paged = Paged};
    for (SIZE_T I = 0; I < Size - sizeof(*Block); I++)
        Block->Bytes[I] = StressByte(Block->Seed, I);
    InterlockedIncrement(&Allocated);
    return Block;
}

static VOID StressFreeBlock(STRESS_BLOCK *Block)
{
    SIZE_T Wrong = 0;

    for (SIZE_T I = 0; I < Block->Size - sizeof(*Block); I++)
        Wrong += Block->Bytes[I] != StressByte(Block->Seed, I);
    STRESS_EQUAL(Wrong, 0);
    ExFreePoolWithTag(Block, TAG);
    InterlockedIncrement(&Freed);
}

/* Nobody can have so much; before that is said all processors' magazines are emptied. */
static VOID StressAskTooMuch(VOID)
{
    STRESS_EXPECT(ExAllocatePoolWithTag(NonPagedPoolNx, (SIZE_T)1 << 46, TAG) == NULL);
}

/* Blocks of nonpaged pool may be at any IRQL up to DISPATCH_LEVEL. */
static VOID PoolOperate(STRESS_WORKER *Worker)
{
    BOOLEAN Paged = StressRandom(Worker, 3) == 0, Raise = !Paged && StressRandom(Worker, 2) == 0;
    KIRQL OldIrql = KeGetCurrentIrql();
    STRESS_BLOCK *New, *Old = NULL;

    if (StressRandom(Worker, 32) == 0)
        StressAskTooMuch();
    if (Raise)
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    New = StressAllocateBlock(Worker, Paged);
    if (Raise)
        KeLowerIrql(OldIrql);
    StressDelay(Worker);
    Old = InterlockedExchangePointer((PVOID *)&Slots[StressRandom(Worker, STRESS_SLOTS)], New);
    if (Old == NULL)
        return;
    Raise = !Old->Paged && StressRandom(Worker, 2) == 0;
    if (Raise)
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    StressFreeBlock(Old);
    if (Raise)
        KeLowerIrql(OldIrql);
}

static VOID PoolCheck(VOID)
{
    for (ULONG I = 0; I < STRESS_SLOTS; I++)
        if (Slots[I] != NULL)
            StressFreeBlock(Slots[I]);
    STRESS_EQUAL(Allocated, Freed);
    RtlZeroMemory((PVOID)Slots, sizeof(Slots));
}

const STRESS_KIND StressPoolKinds[] = {{"pool", 8, NULL, PoolOperate, PoolCheck}};
const ULONG StressPoolKindCount = RTL_NUMBER_OF(StressPoolKinds);

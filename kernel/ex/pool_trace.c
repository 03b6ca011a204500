/* SPDX-License-Identifier: MIT
 * Checked kernel: the call chains that allocated and freed blocks. Each chain is kept once, under a number, which is what the
 * block has. One whose driver is unloaded gets the driver's name and matches no new one; its number is used again when no
 * block has it any more.
 *
 *   number of chains: bounded by the code that there is; when the room is used up, blocks are nobody's (0)
 *   finding: no lock, interrupts off; adding and taking out: ExpTraceLock. What is taken out stays as it is until each
 *   processor has had its interrupts on, so that nobody follows it who found it before */
#include "exp.h"
#include "crt.h"
#include "rtl.h"

#if NTBOX_CHECKED

#define EXP_TRACE_FRAMES 6u
#define EXP_TRACE_BUCKETS 4096u
#define EXP_TRACES 32768u
#define EXP_GONE_DRIVERS 64u

typedef struct _EXP_TRACE {
    ULONG Hash;
    USHORT Count;
    volatile USHORT Gone;           /* 0, or number of the driver that is unloaded */
    volatile ULONG Next;            /* of the bucket; written before the trace is found */
    ULONG NextFree;                 /* (lock) taken out: the next number that is free */
    PVOID Frames[EXP_TRACE_FRAMES]; /* [0]: the code that called the pool */
} EXP_TRACE;
ASSERT_SIZE(EXP_TRACE, 64);

typedef struct _EXP_GONE {
    CHAR Name[56];
    PUCHAR Base;
    USHORT Number;
} EXP_GONE;

/* Behind the records of pages, which need less than half of their region; number 0 is not used. */
#define EXP_TRACE_TABLE ((EXP_TRACE *)(MM_POOL_RECORDS_BASE + MM_REGION_SIZE / 2))
_Static_assert(MmAllPoolRegions *EXP_REGION_PAGES * sizeof(EXP_PAGE) <= MM_REGION_SIZE / 2,
               "room for the chains");

static ARCH_LOCK ExpTraceLock = ARCH_LOCK_INIT("pool traces", LockRankExTrace, DISPATCH_LEVEL);
static volatile ULONG ExpBuckets[EXP_TRACE_BUCKETS]; /* (lock to write) newest trace, 0: none */
static volatile ULONG ExpTraceEnd = 1;          /* (lock to write) numbers below it were used; grows only */
static ULONG ExpFreeTraces;                     /* (lock) first number that is used again, 0: none */
static ULONG64 ExpTracesInUse[EXP_TRACES / 64]; /* a bit for each chain that a block has; by who unloads */
static EXP_GONE ExpGone[EXP_GONE_DRIVERS];      /* by who unloads: one at a time */
static USHORT ExpGoneCount;

static EXP_TRACE *ExpTraceOf(ULONG Number)
{
    return &EXP_TRACE_TABLE[Number];
}

/* --- storing: IRQL <= DISPATCH_LEVEL, no lock of ex or above ------------------------------------------------------- */

static ULONG ExpHashFrames(const EXP_TRACE *Trace)
{
    ULONG64 Hash = Trace->Count;

    for (ULONG I = 0; I < Trace->Count; I++)
        Hash = (Hash ^ (ULONG64)Trace->Frames[I]) * 0x9e3779b97f4a7c15ull;
    return (ULONG)(Hash >> 32);
}

static ULONG ExpFindTrace(const EXP_TRACE *Wanted)
{
    BOOLEAN Enabled = ArchDisableInterrupts();
    ULONG Number = ExpBuckets[Wanted->Hash % EXP_TRACE_BUCKETS];

    for (; Number != 0; Number = ExpTraceOf(Number)->Next) {
        const EXP_TRACE *Trace = ExpTraceOf(Number);
        if (Trace->Hash == Wanted->Hash && Trace->Count == Wanted->Count && Trace->Gone == 0 &&
            memcmp(Trace->Frames, Wanted->Frames, Trace->Count * sizeof(PVOID)) == 0)
            break;
    }
    ArchRestoreInterrupts(Enabled);
    return Number;
}

/* With the lock. 0: no room. */
static ULONG ExpNewNumber(VOID)
{
    ULONG Number = ExpFreeTraces;

    if (Number != 0) {
        ExpFreeTraces = ExpTraceOf(Number)->NextFree;
        return Number;
    }
    Number = ExpTraceEnd;
    if (Number == EXP_TRACES || !MmCommitPoolRecords(ExpTraceOf(Number), sizeof(EXP_TRACE)))
        return 0;
    ExpTraceEnd = Number + 1;
    return Number;
}

static ULONG ExpAddTrace(const EXP_TRACE *New)
{
    volatile ULONG *Bucket = &ExpBuckets[New->Hash % EXP_TRACE_BUCKETS];
    KIRQL OldIrql = ArchAcquireLock(&ExpTraceLock);
    ULONG Number = ExpFindTrace(New); /* another processor may have stored it just now */

    if (Number == 0 && (Number = ExpNewNumber()) != 0) {
        *ExpTraceOf(Number) = *New;
        ExpTraceOf(Number)->Next = *Bucket;
        __atomic_store_n(Bucket, Number, __ATOMIC_RELEASE);
    }
    ArchReleaseLock(&ExpTraceLock, OldIrql);
    return Number;
}

/* The chain begins with Code, which need not have called the pool itself: what it called is left out. */
static VOID ExpStartWith(EXP_TRACE *Trace, PVOID Code)
{
    ULONG First = 0;

    while (First < Trace->Count && Trace->Frames[First] != Code)
        First++;
    if (First == Trace->Count) {
        Trace->Count = 1;
        Trace->Frames[0] = Code;
        return;
    }
    Trace->Count -= (USHORT)First;
    memmove(&Trace->Frames[0], &Trace->Frames[First], Trace->Count * sizeof(PVOID));
}

EXP_OWNER ExpCapture(PVOID *ReturnAddress, PVOID Code)
{
    EXP_TRACE Trace = {.Count = 0};

    if (!KeChecksOff)
        Trace.Count = (USHORT)RtlQuickWalk((const ULONG64 *)ReturnAddress, Trace.Frames, EXP_TRACE_FRAMES);
    if (Code != NULL || Trace.Count == 0)
        ExpStartWith(&Trace, Code != NULL ? Code : *ReturnAddress);
    Trace.Hash = ExpHashFrames(&Trace);
    ULONG Number = ExpFindTrace(&Trace);
    return Number != 0 ? Number : ExpAddTrace(&Trace);
}

/* --- reading: any IRQL ---------------------------------------------------------------------------------------------- */

PVOID ExpOwnerCode(EXP_OWNER Owner)
{
    ULONG Number = (ULONG)Owner;

    if (Number == 0 || Number >= ExpTraceEnd || ExpTraceOf(Number)->Gone != 0)
        return NULL;
    return ExpTraceOf(Number)->Frames[0];
}

static const EXP_GONE *ExpGoneDriver(USHORT Number)
{
    const EXP_GONE *Gone = &ExpGone[Number % EXP_GONE_DRIVERS];

    return Number != 0 && Gone->Number == Number ? Gone : NULL;
}

PCSTR ExpGoneOwner(EXP_OWNER Owner)
{
    ULONG Number = (ULONG)Owner;
    const EXP_GONE *Gone =
        Number != 0 && Number < ExpTraceEnd ? ExpGoneDriver(ExpTraceOf(Number)->Gone) : NULL;

    return Gone != NULL ? Gone->Name : NULL;
}

static int ExpDescribeFrame(const EXP_TRACE *Trace, ULONG Index, PCHAR Text, SIZE_T Room)
{
    const EXP_GONE *Gone = ExpGoneDriver(Trace->Gone);
    KI_SYMBOL Symbol;

    KiUpcalls->Symbolize((PUCHAR)Trace->Frames[Index] - 1, &Symbol);
    if (Symbol.Module[0] == 0 && Gone != NULL)
        return _snprintf(Text, Room, "%s%s+0x%llx", Index != 0 ? " < " : "", Gone->Name,
                         (unsigned long long)((PUCHAR)Trace->Frames[Index] - Gone->Base));
    return _snprintf(Text, Room, "%s%s", Index != 0 ? " < " : "", Symbol.Text);
}

VOID ExpDescribeTrace(ULONG Number, PCHAR Text, SIZE_T Room)
{
    SIZE_T Length = 0;

    _snprintf(Text, Room, "code that is not known");
    if (Number == 0 || Number >= ExpTraceEnd)
        return;
    const EXP_TRACE *Trace = ExpTraceOf(Number);
    for (ULONG I = 0; I < Trace->Count; I++) {
        int More = ExpDescribeFrame(Trace, I, Text + Length, Room - Length);
        if (More < 0 || (SIZE_T)More >= Room - Length) {
            Text[Length] = 0;
            return;
        }
        Length += (SIZE_T)More;
    }
}

/* --- a driver goes -------------------------------------------------------------------------------------------------- */

static VOID ExpMarkNumber(ULONG Number)
{
    if (Number < EXP_TRACES)
        ExpTracesInUse[Number / 64] |= 1ull << Number % 64;
}

VOID ExpMarkTraces(const EX_POOL_BLOCK *Block)
{
    ExpMarkNumber((ULONG)Block->Traces);
    ExpMarkNumber((ULONG)(Block->Traces >> 32));
}

static BOOLEAN ExpPassesThrough(const EXP_TRACE *Trace, const PIM_MODULE Module)
{
    for (ULONG I = 0; I < Trace->Count; I++)
        if ((ULONG64)((PUCHAR)Trace->Frames[I] - Module->Base) < Module->Size)
            return TRUE;
    return FALSE;
}

static USHORT ExpRememberGone(const PIM_MODULE Module)
{
    USHORT Number = ++ExpGoneCount;

    if (Number == 0)
        Number = ++ExpGoneCount;
    EXP_GONE *Gone = &ExpGone[Number % EXP_GONE_DRIVERS];
    _snprintf(Gone->Name, sizeof(Gone->Name), "%s", Module->Name);
    Gone->Name[sizeof(Gone->Name) - 1] = 0;
    Gone->Base = Module->Base;
    Gone->Number = Number;
    return Number;
}

static BOOLEAN ExpIsForgotten(ULONG Number)
{
    return ExpTraceOf(Number)->Gone != 0 && !(ExpTracesInUse[Number / 64] >> Number % 64 & 1);
}

/* Out of the bucket goes what no block has. Returns the first of the list that they make, with First behind it. */
static ULONG ExpUnlinkForgotten(volatile ULONG *Bucket, ULONG First)
{
    volatile ULONG *Link = Bucket;

    while (*Link != 0) {
        EXP_TRACE *Trace = ExpTraceOf(*Link);
        if (ExpIsForgotten(*Link)) {
            Trace->NextFree = First;
            First = *Link;
            *Link = Trace->Next;
        } else {
            Link = &Trace->Next;
        }
    }
    return First;
}

static ULONG ExpTakeForgotten(VOID)
{
    ULONG First = 0;
    KIRQL OldIrql = ArchAcquireLock(&ExpTraceLock);

    for (ULONG I = 0; I < EXP_TRACE_BUCKETS; I++)
        First = ExpUnlinkForgotten(&ExpBuckets[I], First);
    ArchReleaseLock(&ExpTraceLock, OldIrql);
    return First;
}

static ULONG_PTR NTAPI ExpPassBy(ULONG_PTR Context)
{
    return Context;
}

static VOID ExpUseAgain(ULONG First)
{
    ULONG Last = First;

    if (First == 0)
        return;
    KeIpiGenericCall(ExpPassBy, 0); /* who was in ExpFindTrace has left it */
    KIRQL OldIrql = ArchAcquireLock(&ExpTraceLock);
    while (ExpTraceOf(Last)->NextFree != 0)
        Last = ExpTraceOf(Last)->NextFree;
    ExpTraceOf(Last)->NextFree = ExpFreeTraces;
    ExpFreeTraces = First;
    ArchReleaseLock(&ExpTraceLock, OldIrql);
}

VOID ExpForgetModule(PIM_MODULE Module)
{
    USHORT Number = ExpRememberGone(Module);

    for (ULONG I = 1; I < ExpTraceEnd; I++)
        if (ExpTraceOf(I)->Gone == 0 && ExpPassesThrough(ExpTraceOf(I), Module))
            ExpTraceOf(I)->Gone = Number;
    ExpUseAgain(ExpTakeForgotten());
    memset(ExpTracesInUse, 0, sizeof(ExpTracesInUse));
}

#endif

/* SPDX-License-Identifier: MIT
 * Checked kernel: the call chains that allocated and freed blocks. Each chain is kept once, under a number, which is what the
 * block has. Chains are never freed; one whose driver is unloaded gets the driver's name and matches no new one.
 *
 *   number of chains: bounded by the code that there is; when the room is used up, blocks are nobody's (0) */
#include "exp.h"
#include "crt.h"
#include "rtl.h"

#if NTBOX_CHECKED

#define EXP_TRACE_FRAMES 6u
#define EXP_TRACE_BUCKETS 4096u
#define EXP_TRACE_CHUNKS 64u
#define EXP_CHUNK_TRACES 256u
#define EXP_GONE_DRIVERS 64u

typedef struct _EXP_TRACE {
    ULONG Hash;
    USHORT Count;
    volatile USHORT Gone; /* 0, or number of the driver that is unloaded */
    ULONG Next;           /* of the bucket; written before the trace is found */
    ULONG Reserved;
    PVOID Frames[EXP_TRACE_FRAMES]; /* [0]: the code that called the pool */
} EXP_TRACE;
ASSERT_SIZE(EXP_TRACE, 64);

typedef struct _EXP_GONE {
    CHAR Name[56];
    PUCHAR Base;
    USHORT Number;
} EXP_GONE;

static EXP_TRACE *volatile ExpChunks[EXP_TRACE_CHUNKS]; /* set once each, interlocked */
static volatile ULONG ExpBuckets[EXP_TRACE_BUCKETS];    /* interlocked: newest trace, 0: none */
static volatile ULONG ExpTraceCount;                    /* interlocked; number 0 is not used */
static EXP_GONE ExpGone[EXP_GONE_DRIVERS];              /* by who unloads: one at a time */
static USHORT ExpGoneCount;

static EXP_TRACE *ExpTraceOf(ULONG Number)
{
    return &ExpChunks[Number / EXP_CHUNK_TRACES][Number % EXP_CHUNK_TRACES];
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
    ULONG Number = ExpBuckets[Wanted->Hash % EXP_TRACE_BUCKETS];

    for (; Number != 0; Number = ExpTraceOf(Number)->Next) {
        const EXP_TRACE *Trace = ExpTraceOf(Number);
        if (Trace->Hash == Wanted->Hash && Trace->Count == Wanted->Count && Trace->Gone == 0 &&
            memcmp(Trace->Frames, Wanted->Frames, Trace->Count * sizeof(PVOID)) == 0)
            break;
    }
    return Number;
}

static BOOLEAN ExpMakeChunk(ULONG Index)
{
    SIZE_T Pages = EXP_CHUNK_TRACES * sizeof(EXP_TRACE) / PAGE_SIZE;

    if (ExpChunks[Index] != NULL)
        return TRUE;
    EXP_TRACE *Chunk = MmAllocateSystemPages(Pages, MmReadWrite), *Nobody = NULL;
    if (Chunk == NULL)
        return FALSE;
    if (!__atomic_compare_exchange_n(&ExpChunks[Index], &Nobody, Chunk, FALSE, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        MmFreeSystemPages(Chunk, Pages);
    return TRUE;
}

/* Two processors may store the same chain: then it is there twice. */
static ULONG ExpAddTrace(const EXP_TRACE *New)
{
    volatile ULONG *Bucket = &ExpBuckets[New->Hash % EXP_TRACE_BUCKETS];

    if (ExpTraceCount >= EXP_TRACE_CHUNKS * EXP_CHUNK_TRACES - KI_MAX_PROCESSORS)
        return 0;
    if (!ExpMakeChunk((ExpTraceCount + KI_MAX_PROCESSORS) / EXP_CHUNK_TRACES) ||
        !ExpMakeChunk((ExpTraceCount + 1) / EXP_CHUNK_TRACES))
        return 0;
    ULONG Number = __atomic_add_fetch(&ExpTraceCount, 1, __ATOMIC_RELAXED), First = *Bucket;
    EXP_TRACE *Trace = ExpTraceOf(Number);
    *Trace = *New;
    do
        Trace->Next = First;
    while (!__atomic_compare_exchange_n(Bucket, &First, Number, FALSE, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
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

    if (Number == 0 || Number > ExpTraceCount || ExpTraceOf(Number)->Gone != 0)
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
        Number != 0 && Number <= ExpTraceCount ? ExpGoneDriver(ExpTraceOf(Number)->Gone) : NULL;

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
    if (Number == 0 || Number > ExpTraceCount)
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

static BOOLEAN ExpPassesThrough(const EXP_TRACE *Trace, const PIM_MODULE Module)
{
    for (ULONG I = 0; I < Trace->Count; I++)
        if ((ULONG64)((PUCHAR)Trace->Frames[I] - Module->Base) < Module->Size)
            return TRUE;
    return FALSE;
}

/* IRQL PASSIVE_LEVEL: drivers are unloaded one at a time. */
VOID ExpForgetModule(PIM_MODULE Module)
{
    USHORT Number = ++ExpGoneCount;

    if (Number == 0)
        Number = ++ExpGoneCount;
    EXP_GONE *Gone = &ExpGone[Number % EXP_GONE_DRIVERS];
    _snprintf(Gone->Name, sizeof(Gone->Name), "%s", Module->Name);
    Gone->Name[sizeof(Gone->Name) - 1] = 0;
    Gone->Base = Module->Base;
    Gone->Number = Number;
    for (ULONG I = 1; I <= ExpTraceCount; I++)
        if (ExpTraceOf(I)->Gone == 0 && ExpPassesThrough(ExpTraceOf(I), Module))
            ExpTraceOf(I)->Gone = Number;
}

#endif

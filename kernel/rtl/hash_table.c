/* SPDX-License-Identifier: MIT
 * Dynamic hash tables (ntddk.h: RtlCreateHashTable ...): linear hashing [Litwin 1980]; the caller gives signatures, which are the
 * keys, and embeds the entries. Buckets 0..Pivot-1 and those they were split to use the mask of the next doubling. A chain is sorted by
 * signature. Any IRQL <= DISPATCH_LEVEL; the caller keeps others out, except that several weak enumerations may run at once.
 *
 * Directory points to segments of chains, segment n >= 1 as large as all before it, so that chains never move. */
#include "rtl_pool.h"

#define FIRST_SEGMENT 128u /* chains; a power of 2 */
#define SEGMENTS 20        /* 2^26 chains */
#define MAXIMUM_SIZE (FIRST_SEGMENT << (SEGMENTS - 1))

typedef struct _RTLP_DIRECTORY {
    PLIST_ENTRY Segments[SEGMENTS];
} RTLP_DIRECTORY;

static ULONG RtlpLog2(ULONG Value)
{
    return 31u - (ULONG)__builtin_clz(Value);
}

/* The segment of chain Index and the first chain in it. */
static ULONG RtlpSegmentOf(ULONG Index, ULONG *First)
{
    ULONG Segment = Index < FIRST_SEGMENT ? 0 : RtlpLog2(Index / FIRST_SEGMENT) + 1;

    *First = Segment == 0 ? 0 : FIRST_SEGMENT << (Segment - 1);
    return Segment;
}

static PLIST_ENTRY RtlpChain(const RTL_DYNAMIC_HASH_TABLE *Table, ULONG Index)
{
    ULONG First, Segment = RtlpSegmentOf(Index, &First);

    return &((RTLP_DIRECTORY *)Table->Directory)->Segments[Segment][Index - First];
}

static BOOLEAN RtlpAddSegment(PRTL_DYNAMIC_HASH_TABLE Table, ULONG Segment, const void *Caller)
{
    ULONG Count = Segment == 0 ? FIRST_SEGMENT : FIRST_SEGMENT << (Segment - 1);
    PLIST_ENTRY Chains = RtlpAllocateFor(Caller, NonPagedPoolNx, Count * sizeof(LIST_ENTRY));

    for (ULONG i = 0; Chains != NULL && i < Count; i++)
        InitializeListHead(&Chains[i]);
    ((RTLP_DIRECTORY *)Table->Directory)->Segments[Segment] = Chains;
    return Chains != NULL;
}

/* The pointers of entries and signatures are often multiples of 8 or more: all bits of the signature count. */
static ULONG RtlpBucket(const RTL_DYNAMIC_HASH_TABLE *Table, ULONG_PTR Signature)
{
    ULONG Hash = (ULONG)(((ULONG64)(Signature >> Table->Shift) * 0x9E3779B97F4A7C15ull) >> 32);
    ULONG Index = Hash & Table->DivisorMask;

    return Index < Table->Pivot ? Hash & (Table->DivisorMask * 2 + 1) : Index;
}

static PRTL_DYNAMIC_HASH_TABLE_ENTRY RtlpHashEntry(PLIST_ENTRY Linkage)
{
    return CONTAINING_RECORD(Linkage, RTL_DYNAMIC_HASH_TABLE_ENTRY, Linkage);
}

/* Where to insert: *PrevLinkage is followed by the first entry whose signature is not less. Enumerators (reserved signature) are
 * passed over. */
static VOID RtlpLocate(const RTL_DYNAMIC_HASH_TABLE *Table, ULONG_PTR Signature,
                       PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    PLIST_ENTRY Chain = RtlpChain(Table, RtlpBucket(Table, Signature)), Previous = Chain;

    for (PLIST_ENTRY i = Chain->Flink; i != Chain; i = i->Flink) {
        ULONG_PTR Other = RtlpHashEntry(i)->Signature;
        if (Other != RTL_HASH_RESERVED_SIGNATURE && Other >= Signature)
            break;
        Previous = i;
    }
    Context->ChainHead = Chain;
    Context->PrevLinkage = Previous;
    Context->Signature = Signature;
}

/* ntddk.h: a NULL *HashTable is allocated. Shift is the number of low bits of a signature that say nothing. Flags is reserved.
 * FALSE: no memory, or a wrong argument. */
DECLSPEC_NOINLINE BOOLEAN NTAPI RtlCreateHashTable(PRTL_DYNAMIC_HASH_TABLE *HashTable, ULONG Shift,
                                                   ULONG Flags)
{
    PRTL_DYNAMIC_HASH_TABLE Table = *HashTable;
    ULONG Owned = Table == NULL ? RTL_HASH_ALLOCATED_HEADER : 0;

    if (Shift >= 64 || Flags != 0)
        return FALSE;
    if (Table == NULL)
        Table = RtlpAllocateFor(RTLP_CALLER(), NonPagedPoolNx, sizeof(*Table));
    if (Table == NULL)
        return FALSE;
    *Table = (RTL_DYNAMIC_HASH_TABLE){
        .Flags = Owned, .Shift = Shift, .TableSize = FIRST_SEGMENT, .DivisorMask = FIRST_SEGMENT - 1};
    Table->Directory = RtlpAllocateFor(RTLP_CALLER(), NonPagedPoolNx, sizeof(RTLP_DIRECTORY));
    if (Table->Directory != NULL) {
        memset(Table->Directory, 0, sizeof(RTLP_DIRECTORY));
        if (RtlpAddSegment(Table, 0, RTLP_CALLER())) {
            *HashTable = Table;
            return TRUE;
        }
        ExFreePoolWithTag(Table->Directory, RTLP_TAG);
    }
    if (Owned)
        ExFreePoolWithTag(Table, RTLP_TAG);
    return FALSE;
}

/* The entries are the caller's. */
VOID NTAPI RtlDeleteHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable)
{
    RTLP_DIRECTORY *Directory = HashTable->Directory;

    for (ULONG i = 0; i < SEGMENTS && Directory->Segments[i] != NULL; i++)
        ExFreePoolWithTag(Directory->Segments[i], RTLP_TAG);
    ExFreePoolWithTag(Directory, RTLP_TAG);
    HashTable->Directory = NULL;
    if (HashTable->Flags & RTL_HASH_ALLOCATED_HEADER)
        ExFreePoolWithTag(HashTable, RTLP_TAG);
}

/* A signature of RTL_HASH_RESERVED_SIGNATURE becomes another. A context of a lookup of the same signature spares the search. */
BOOLEAN NTAPI RtlInsertEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable, PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry,
                                      ULONG_PTR Signature, PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Own = {.ChainHead = NULL};

    if (Signature == RTL_HASH_RESERVED_SIGNATURE)
        Signature++;
    if (Context == NULL)
        Context = &Own;
    if (Context->ChainHead == NULL)
        RtlpLocate(HashTable, Signature, Context);
    Entry->Signature = Signature;
    if (IsListEmpty(Context->ChainHead))
        HashTable->NonEmptyBuckets++;
    InsertHeadList(Context->PrevLinkage, &Entry->Linkage);
    HashTable->NumEntries++;
    return TRUE;
}

BOOLEAN NTAPI RtlRemoveEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable, PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry,
                                      PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    PLIST_ENTRY Before = Entry->Linkage.Blink;

    if (RemoveEntryList(&Entry->Linkage))
        HashTable->NonEmptyBuckets--;
    HashTable->NumEntries--;
    if (Context != NULL && Context->ChainHead != NULL && Context->PrevLinkage == &Entry->Linkage)
        Context->PrevLinkage = Before;
    return TRUE;
}

/* The first entry at or behind Linkage that is no enumerator, when it has the signature; Previous is told. */
static PRTL_DYNAMIC_HASH_TABLE_ENTRY RtlpNextMatch(PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    PLIST_ENTRY i = Context->PrevLinkage->Flink;

    while (i != Context->ChainHead && RtlpHashEntry(i)->Signature == RTL_HASH_RESERVED_SIGNATURE)
        i = i->Flink;
    if (i == Context->ChainHead || RtlpHashEntry(i)->Signature != Context->Signature)
        return NULL;
    return RtlpHashEntry(i);
}

/* The first entry of that signature; Context, when given, is ready for RtlGetNextEntryHashTable and for an insertion. */
PRTL_DYNAMIC_HASH_TABLE_ENTRY NTAPI RtlLookupEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                                            ULONG_PTR Signature,
                                                            PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Own;

    if (Signature == RTL_HASH_RESERVED_SIGNATURE)
        Signature++;
    if (Context == NULL)
        Context = &Own;
    RtlpLocate(HashTable, Signature, Context);
    return RtlpNextMatch(Context);
}

/* The next entry of the signature that Context was looked up with. */
PRTL_DYNAMIC_HASH_TABLE_ENTRY NTAPI RtlGetNextEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                                             PRTL_DYNAMIC_HASH_TABLE_CONTEXT Context)
{
    PRTL_DYNAMIC_HASH_TABLE_ENTRY Current = RtlpNextMatch(Context);

    UNREFERENCED_PARAMETER(HashTable);
    if (Current == NULL)
        return NULL;
    Context->PrevLinkage = &Current->Linkage;
    return RtlpNextMatch(Context);
}

/* Entries (and no enumerator: there is none) of chain From whose bucket is To now go there, in order. */
static VOID RtlpMoveEntries(PRTL_DYNAMIC_HASH_TABLE Table, PLIST_ENTRY From, ULONG To)
{
    PLIST_ENTRY Target = RtlpChain(Table, To), Next;

    for (PLIST_ENTRY i = From->Flink; i != From; i = Next) {
        Next = i->Flink;
        if (RtlpBucket(Table, RtlpHashEntry(i)->Signature) == To) {
            RemoveEntryList(i);
            InsertTailList(Target, i);
        }
    }
}

/* Splits one bucket. FALSE: the table is at its largest, is enumerated, or there is no memory. */
DECLSPEC_NOINLINE BOOLEAN NTAPI RtlExpandHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable)
{
    ULONG First, New = HashTable->TableSize, Segment = RtlpSegmentOf(New, &First);

    if (New == MAXIMUM_SIZE || HashTable->NumEnumerators != 0)
        return FALSE;
    if (((RTLP_DIRECTORY *)HashTable->Directory)->Segments[Segment] == NULL &&
        !RtlpAddSegment(HashTable, Segment, RTLP_CALLER()))
        return FALSE;
    PLIST_ENTRY Old = RtlpChain(HashTable, HashTable->Pivot);
    BOOLEAN HadEntries = !IsListEmpty(Old);
    HashTable->Pivot++;
    HashTable->TableSize++;
    RtlpMoveEntries(HashTable, Old, New);
    HashTable->NonEmptyBuckets +=
        (ULONG)!IsListEmpty(Old) + !IsListEmpty(RtlpChain(HashTable, New)) - HadEntries;
    if (HashTable->Pivot == HashTable->DivisorMask + 1) {
        HashTable->DivisorMask = HashTable->DivisorMask * 2 + 1;
        HashTable->Pivot = 0;
    }
    return TRUE;
}

/* Both chains are sorted: Other's entries are merged into Chain. */
static VOID RtlpMerge(PLIST_ENTRY Chain, PLIST_ENTRY Other)
{
    PLIST_ENTRY At = Chain->Flink;

    while (!IsListEmpty(Other)) {
        PLIST_ENTRY Entry = Other->Flink;
        while (At != Chain && RtlpHashEntry(At)->Signature <= RtlpHashEntry(Entry)->Signature)
            At = At->Flink;
        RemoveEntryList(Entry);
        InsertTailList(At, Entry);
    }
}

/* Undoes one split. FALSE: the table is at its smallest, or is enumerated. */
BOOLEAN NTAPI RtlContractHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable)
{
    ULONG First, Last = HashTable->TableSize - 1, Segment = RtlpSegmentOf(Last, &First);
    RTLP_DIRECTORY *Directory = HashTable->Directory;

    if (HashTable->TableSize == FIRST_SEGMENT || HashTable->NumEnumerators != 0)
        return FALSE;
    if (HashTable->Pivot == 0) {
        HashTable->DivisorMask /= 2;
        HashTable->Pivot = HashTable->DivisorMask + 1;
    }
    PLIST_ENTRY Chain = RtlpChain(HashTable, HashTable->Pivot - 1), Other = RtlpChain(HashTable, Last);
    HashTable->NonEmptyBuckets -= !IsListEmpty(Chain) && !IsListEmpty(Other);
    RtlpMerge(Chain, Other);
    HashTable->Pivot--;
    HashTable->TableSize--;
    if (Last == First) {
        ExFreePoolWithTag(Directory->Segments[Segment], RTLP_TAG);
        Directory->Segments[Segment] = NULL;
    }
    return TRUE;
}

/* The first entry behind Linkage in its chain or a later one that is no enumerator; NULL: none. */
static PRTL_DYNAMIC_HASH_TABLE_ENTRY RtlpNextEntry(PRTL_DYNAMIC_HASH_TABLE Table, PLIST_ENTRY Linkage,
                                                   PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    for (PLIST_ENTRY i = Linkage->Flink;;) {
        while (i == Enumerator->ChainHead) {
            if (++Enumerator->BucketIndex >= Table->TableSize)
                return NULL;
            Enumerator->ChainHead = RtlpChain(Table, Enumerator->BucketIndex);
            i = Enumerator->ChainHead->Flink;
        }
        if (RtlpHashEntry(i)->Signature != RTL_HASH_RESERVED_SIGNATURE)
            return RtlpHashEntry(i);
        i = i->Flink;
    }
}

static VOID RtlpInitEnumerator(PRTL_DYNAMIC_HASH_TABLE Table, PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    Enumerator->BucketIndex = 0;
    Enumerator->ChainHead = RtlpChain(Table, 0);
    Enumerator->HashEntry.Signature = RTL_HASH_RESERVED_SIGNATURE;
}

/* The enumerator lies in the chain as a mark: entries may be inserted and removed between two calls. */
static VOID RtlpPlaceMark(PRTL_DYNAMIC_HASH_TABLE Table, PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator,
                          PLIST_ENTRY Behind)
{
    if (IsListEmpty(Enumerator->ChainHead))
        Table->NonEmptyBuckets++;
    InsertHeadList(Behind, &Enumerator->HashEntry.Linkage);
}

static VOID RtlpTakeMark(PRTL_DYNAMIC_HASH_TABLE Table, PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    if (RemoveEntryList(&Enumerator->HashEntry.Linkage))
        Table->NonEmptyBuckets--;
}

BOOLEAN NTAPI RtlInitEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                          PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    RtlpInitEnumerator(HashTable, Enumerator);
    RtlpPlaceMark(HashTable, Enumerator, Enumerator->ChainHead);
    HashTable->NumEnumerators++;
    return TRUE;
}

/* NULL at the end; the mark then stays in the last chain. */
PRTL_DYNAMIC_HASH_TABLE_ENTRY NTAPI RtlEnumerateEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                                               PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry =
        RtlpNextEntry(HashTable, &Enumerator->HashEntry.Linkage, Enumerator);

    RtlpTakeMark(HashTable, Enumerator);
    if (Entry == NULL)
        Enumerator->BucketIndex = HashTable->TableSize - 1;
    RtlpPlaceMark(HashTable, Enumerator, Entry == NULL ? Enumerator->ChainHead->Blink : &Entry->Linkage);
    return Entry;
}

VOID NTAPI RtlEndEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                      PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    RtlpTakeMark(HashTable, Enumerator);
    HashTable->NumEnumerators--;
    Enumerator->ChainHead = NULL;
}

/* A weak enumeration leaves the chains alone, so that several may run under a shared lock; the entry that was returned last must
 * still be there at the next call. */
BOOLEAN NTAPI RtlInitWeakEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                              PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    RtlpInitEnumerator(HashTable, Enumerator);
    Enumerator->HashEntry.Linkage.Flink = Enumerator->HashEntry.Linkage.Blink = Enumerator->ChainHead;
    __atomic_add_fetch(&HashTable->NumEnumerators, 1, __ATOMIC_RELAXED);
    return TRUE;
}

/* Linkage.Blink is the entry returned last, where RtlInitHashTableContextFromEnumerator looks for it. */
PRTL_DYNAMIC_HASH_TABLE_ENTRY NTAPI RtlWeaklyEnumerateEntryHashTable(
    PRTL_DYNAMIC_HASH_TABLE HashTable, PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry =
        RtlpNextEntry(HashTable, Enumerator->HashEntry.Linkage.Blink, Enumerator);

    if (Entry == NULL)
        Enumerator->HashEntry.Linkage.Blink = Enumerator->ChainHead->Blink;
    else
        Enumerator->HashEntry.Linkage.Blink = &Entry->Linkage;
    return Entry;
}

VOID NTAPI RtlEndWeakEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
                                          PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator)
{
    __atomic_sub_fetch(&HashTable->NumEnumerators, 1, __ATOMIC_RELAXED);
    Enumerator->ChainHead = NULL;
}

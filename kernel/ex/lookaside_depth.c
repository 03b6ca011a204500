/* SPDX-License-Identifier: MIT
 * Which lookaside lists there are, and how deep each is. [WDK Using Lookaside Lists] "The operating system tracks the number of
 * entries and the rate of allocation, and adjusts the maximum number of entries." Once a second a list that was used much and was often
 * found empty doubles its depth, and one that was hardly used halves it.
 *
 * Lists are drivers' memory, so they are noted here outside of them. What a driver leaves is found at its unload, and the checked kernel finds
 * a list in pool that is freed. A list for which there was no memory to note it works with the depth that it began with. */
#include "exp.h"
#include "ke.h"
#include "ke_bugcheck.h"
#include "kd.h"
#include "mm.h"

#define EXP_TAG_LIST 'lLxE'
#define EXP_TUNE_MILLISECONDS 1000
#define EXP_USED_MUCH 32u  /* allocations a second */
#define EXP_MISS_SHARE 16u /* one of so many finds it empty: often */

/* (n) ExpListsLock, (c) constant */
typedef struct _EXP_LIST {
    LIST_ENTRY Entry;             /* (n) of ExpLists */
    GENERAL_LOOKASIDE_POOL *List; /* (c) */
    ULONG Tag, Size;              /* (c) as they were: memory that is no such list any more is left alone */
    const void *Maker;            /* (c) code behind the call that initialised it */
} EXP_LIST;

static ARCH_LOCK ExpListsLock = ARCH_LOCK_INIT("ExpListsLock", LockRankExPool, DISPATCH_LEVEL);
static LIST_ENTRY ExpLists = {&ExpLists, &ExpLists}; /* (n) */
static volatile LONG ExpListCount;                   /* (n) to write */
static KTIMER ExpTuneTimer;
static KDPC ExpTuneDpc;

/* Lock held. The first list that begins in the range, or that code in it made (Base and Size are an image then); NULL: none. */
static EXP_LIST *ExpFindListLocked(ULONG_PTR Base, SIZE_T Size, BOOLEAN Makers)
{
    for (LIST_ENTRY *E = ExpLists.Flink; E != &ExpLists; E = E->Flink) {
        EXP_LIST *Note = CONTAINING_RECORD(E, EXP_LIST, Entry);
        if ((ULONG_PTR)Note->List - Base < Size || (Makers && (ULONG_PTR)Note->Maker - Base < Size))
            return Note;
    }
    return NULL;
}

/* The note, unlinked. */
static EXP_LIST *ExpTakeList(ULONG_PTR Base, SIZE_T Size, BOOLEAN Makers)
{
    KIRQL OldIrql = ArchAcquireLock(&ExpListsLock);
    EXP_LIST *Note = ExpFindListLocked(Base, Size, Makers);
    if (Note != NULL) {
        RemoveEntryList(&Note->Entry);
        ExpListCount--;
    }
    ArchReleaseLock(&ExpListsLock, OldIrql);
    return Note;
}

VOID ExpForgetLookaside(GENERAL_LOOKASIDE_POOL *List)
{
    EXP_LIST *Note = ExpTakeList((ULONG_PTR)List, 1, FALSE);
    if (Note != NULL)
        ExFreePoolWithTag(Note, EXP_TAG_LIST);
}

VOID ExpNoteLookaside(GENERAL_LOOKASIDE_POOL *List, const void *Maker)
{
    ExpForgetLookaside(List); /* one that was made here before and left: its memory was used again */
    EXP_LIST *Note = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Note), EXP_TAG_LIST);
    if (Note == NULL)
        return;
    *Note = (EXP_LIST){.List = List, .Tag = List->Tag, .Size = List->Size, .Maker = Maker};
    KIRQL OldIrql = ArchAcquireLock(&ExpListsLock);
    InsertTailList(&ExpLists, &Note->Entry);
    ExpListCount++;
    ArchReleaseLock(&ExpListsLock, OldIrql);
}

/* --- the depth ------------------------------------------------------------------------------------------------------- */

USHORT ExpNextDepth(USHORT Depth, USHORT Maximum, ULONG Allocates, ULONG Misses)
{
    if (Allocates < EXP_USED_MUCH)
        return (USHORT)max(Depth / 2, EXP_LOOKASIDE_DEPTH);
    if (Misses < Allocates / EXP_MISS_SHARE)
        return Depth;
    return (USHORT)min(Depth * 2u, Maximum);
}

static VOID ExpTuneList(const EXP_LIST *Note)
{
    GENERAL_LOOKASIDE_POOL *List = Note->List;
    if (!MmIsAddressValid(List) || !MmIsAddressValid(List + 1) || List->Tag != Note->Tag ||
        List->Size != Note->Size)
        return;
    ULONG Allocates = List->TotalAllocates, Misses = List->AllocateMisses;
    List->Depth = ExpNextDepth(List->Depth, List->MaximumDepth, Allocates - List->LastTotalAllocates,
                               Misses - List->LastAllocateMisses);
    List->LastTotalAllocates = Allocates;
    List->LastAllocateMisses = Misses;
}

static VOID NTAPI ExpTuneLists(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    KIRQL OldIrql = ArchAcquireLock(&ExpListsLock);
    for (LIST_ENTRY *E = ExpLists.Flink; E != &ExpLists; E = E->Flink)
        ExpTuneList(CONTAINING_RECORD(E, EXP_LIST, Entry));
    ArchReleaseLock(&ExpListsLock, OldIrql);
}

VOID ExTuneLookasideLists(VOID)
{
    LARGE_INTEGER Due = {.QuadPart = -10000LL * EXP_TUNE_MILLISECONDS};
    KeInitializeTimer(&ExpTuneTimer);
    KeInitializeDpc(&ExpTuneDpc, ExpTuneLists, NULL);
    (void)KeSetTimerEx(&ExpTuneTimer, Due, EXP_TUNE_MILLISECONDS, &ExpTuneDpc);
}

/* --- lists that are left ---------------------------------------------------------------------------------------------- */

ULONG ExReportDriverLookasides(PCSTR Driver, const void *Base, SIZE_T Size)
{
    ULONG Count = 0;
    EXP_LIST *Note;
    for (; (Note = ExpTakeList((ULONG_PTR)Base, Size, TRUE)) != NULL; Count++) {
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "lookaside list"),
                 KD_TEXTN(ReportKeyTag, &Note->Tag, sizeof(Note->Tag)), KD_NUMBER(ReportKeySize, Note->Size),
                 KD_NUMBER(ReportKeyCount, 1));
        ExFreePoolWithTag(Note, EXP_TAG_LIST);
    }
    return Count;
}

#if NTBOX_CHECKED
VOID ExpCheckNoLookaside(PVOID Block, SIZE_T Size)
{
    if (ExpListCount == 0 || KeChecksOff)
        return;
    KIRQL OldIrql = ArchAcquireLock(&ExpListsLock);
    const EXP_LIST *Note = ExpFindListLocked((ULONG_PTR)Block, Size, FALSE);
    ArchReleaseLock(&ExpListsLock, OldIrql);
    if (Note != NULL)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_LOOKASIDE, (ULONG_PTR)Note->List,
                          (ULONG_PTR)Block, Size,
                          "pool is freed with a lookaside list in it that was not deleted");
}
#endif

/* SPDX-License-Identifier: MIT
 * Tier 3 of mm: the user half: entries, address ranges, address spaces.
 *
 * MM_ADDRESS_SPACE.Lock is a push lock, taken with all kernel APCs off (a special one may touch user memory); it ranks above every other
 * lock of mm but MM_SEGMENT.ViewLock, that of a segment comes next. User memory is never touched while it is held. Tables of the user half are
 * read and written through the direct map, under that lock, whoever is attached where. */
#pragma once
#include "mi.h"
#include "pfn_word.h"
#include "mm/user_protection.h"
#include "mm/vad.h"
#include "mm_user.h"

/* --- entries --------------------------------------------------------------------------------------------------------
 * zero: ask the range. Present: bits 52-58 the rights, OWNS: the page is of this entry alone, else the segment's.
 * Not present: SOFT; rights; DECOMMITTED, or committed, then with OWNS a page that is there but may not be touched just now. */

#define MI_PTE_USER 0x4ull
#define MI_PTE_SOFT 0x4ull          /* not present: not zero */
#define MI_PTE_LOCKED 0x200ull      /* NtLockVirtualMemory */
#define MI_PTE_DECOMMITTED 0x400ull /* not present */
#define MI_PTE_SHARE 0x400ull       /* present: a share of the segment's page is this entry's */
#define MI_PTE_RIGHTS_SHIFT 52

static inline MI_ACCESS MiRightsOf(MI_PTE Pte)
{
    return (MI_ACCESS)((Pte >> MI_PTE_RIGHTS_SHIFT) & MI_USER_RIGHTS);
}

static inline MI_PTE MiRightsPte(MI_ACCESS Rights)
{
    return (MI_PTE)Rights << MI_PTE_RIGHTS_SHIFT;
}

/* The entry that shows Frame with these rights (which include no guard). Writable: the hardware may write at once. */
MI_PTE MiUserEntry(PFN_NUMBER Frame, MI_ACCESS Rights, BOOLEAN Writable);

/* --- ranges ------------------------------------------------------------------------------------------------------ */

typedef enum _MI_VAD_KIND {
    MiVadPrivate,
    MiVadView,  /* of a segment */
    MiVadFixed, /* KUSER_SHARED_DATA */
    MiVadMdl,   /* pages of an MDL, user_mdl.c */
} MI_VAD_KIND;

typedef struct _MI_VAD {
    MI_VAD_NODE Node; /* first: a node is its range */
    UCHAR Kind;
    BOOLEAN Committed;          /* private: pages whose entry is zero are committed */
    BOOLEAN NoChange;           /* SEC_NO_CHANGE: its protection stays */
    MI_ACCESS AllocationRights; /* as the caller said at first */
    MI_ACCESS Rights;           /* of pages whose entry is zero */
    MI_ACCESS Most;             /* of a view: what the section permits */
    ULONG SecureCount;          /* MmSecureVirtualMemory: entries of Space->Secures inside */
    SIZE_T Charged;             /* pages of commitment */
    PMM_SEGMENT Segment;        /* of a view, referenced */
    ULONG64 SegmentPage;        /* of the segment, that the first page shows */
    LIST_ENTRY ViewEntry;       /* Segment->Views; empty: not in it */
    PMM_ADDRESS_SPACE Space;    /* (c) of a view */
    const VOID *Owner;          /* the driver's routine in which it was asked for; NULL: none */
} MI_VAD;

#define MI_TAG_VAD 'daVM'
#define MI_TAG_SPACE 'psMM'

/* --- address spaces ------------------------------------------------------------------------------------------------ */

/* Everything under Lock but Root, which is constant, and what has a lock of its own. */
struct _MM_ADDRESS_SPACE {
    EX_PUSH_LOCK Lock;
    ULONG64 Root; /* physical */
    MI_VAD_TREE Ranges;
    MI_VAD *Hint; /* found last; NULL: none */
    MM_SPACE_COUNTERS Counters;
    LIST_ENTRY Secures;
    MI_VAD SharedData;
    LIST_ENTRY LockedMdls; /* locked_mdl.c, under its lock */
    SIZE_T MdlPages;       /* of all these; the same lock */
};

/* IRQL <= APC_LEVEL. A lock under which the thread's own page faults cannot be resolved: until it is given up, a fault at a user address is
 * STATUS_POSSIBLE_DEADLOCK. */
VOID MiAcquire(PEX_PUSH_LOCK Lock);
VOID MiRelinquish(PEX_PUSH_LOCK Lock);
VOID MiLockSpace(PMM_ADDRESS_SPACE Space);
VOID MiUnlockSpace(PMM_ADDRESS_SPACE Space);
VOID MiInitSystemSpace(ULONG64 Root);

/* vad_space.c. Space locked, here and below. */
MI_VAD *MiFindVad(PMM_ADDRESS_SPACE Space, ULONG64 Page);
/* The range that holds all of [First, Last]; NULL: none. */
MI_VAD *MiFindVadOver(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last);
/* A place for Vad (Node.First is set here), of the pages below Limit; *Base != 0: that one. Counts its pages. STATUS_NO_MEMORY,
 * STATUS_CONFLICTING_ADDRESSES. */
NTSTATUS MiPlaceVad(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG64 Base, ULONG64 Pages, ULONG64 HighestPage,
                    BOOLEAN TopDown);
/* Out of the tree, its tables trimmed; the caller frees it. */
VOID MiRemoveVad(PMM_ADDRESS_SPACE Space, MI_VAD *Vad);
/* No range covers [First, Last] any more: whole tables of the hole that is there now go, but not beyond what its own tables show. */
VOID MiTrimHole(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last);
/* [WDK ZwAllocateVirtualMemory, ZwMapViewOfSection] the highest page that ZeroBits permits; FALSE: not a valid number. */
BOOLEAN MiHighestPageFor(ULONG_PTR Base, ULONG_PTR ZeroBits, ULONG64 *HighestPage);

/* user_table.c */
/* The entry of a page; NULL when it has no table: *Next is the first page behind what the missing table would show. */
MI_PTE *MiFindUserPte(PMM_ADDRESS_SPACE Space, ULONG64 Page, ULONG64 *Next);
MI_PTE *MiMakeUserPte(PMM_ADDRESS_SPACE Space, ULONG64 Page); /* NULL: no memory */
ULONG64 MiCountMissingTables(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last);
/* Frees the tables that show nothing but free pages of [First, Last]. */
VOID MiTrimTables(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last);
VOID MiFreeUserTables(PMM_ADDRESS_SPACE Space); /* all, and the root's lower half; no flush */

/* user_pages.c: many entries at once, one flush for many, pages freed after it. */
typedef enum _MI_CLEAR { MiClearToZero, MiClearToDecommitted } MI_CLEAR;
VOID MiClearRange(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last, MI_CLEAR To);
/* Entries that are changed and whose pages are to be freed when all processors know. Begins as {Space}. */
typedef struct _MI_CLEARED {
    PMM_ADDRESS_SPACE Space;
    ULONG64 First, Last; /* of the entries; only with Changed */
    BOOLEAN Changed;
    ULONG Count;
    PFN_NUMBER Frames[64];
} MI_CLEARED;
VOID MiClearOne(MI_CLEARED *Cleared, ULONG64 Page, MI_PTE *Pte, MI_PTE New); /* New is not present */
VOID MiNoteChanged(MI_CLEARED *Cleared, ULONG64 Page); /* the entry's page stays, processors must be told */
VOID MiFinishCleared(MI_CLEARED *Cleared);
VOID MiReleaseShown(
    PFN_NUMBER Frame); /* the page of an entry with OWNS or SHARE, after the processors were told */
/* Pages of [First, Last] that a private range has committed. */
ULONG64 MiCountCommitted(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 First, ULONG64 Last);
VOID MiCountPage(PMM_ADDRESS_SPACE Space); /* one page more in the working set */

/* What a page of a range is, by its entry (0 when it has no table). */
BOOLEAN MiIsCommitted(const MI_VAD *Vad, ULONG64 Page, MI_PTE Pte);
MI_ACCESS MiRightsOfPage(const MI_VAD *Vad, ULONG64 Page, MI_PTE Pte);
/* Is a page of the range committed? Then *Rights are its rights. *Next: the first page behind it that may be different. */
BOOLEAN MiLookAtPage(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 Page, MI_ACCESS *Rights,
                     ULONG64 *Next);

/* commit.c */
BOOLEAN MiChargeCommit(SIZE_T Pages);
VOID MiCountCommit(SIZE_T Pages); /* pages that are in use already: the limit may be passed */
VOID MiReturnCommit(SIZE_T Pages);
NTSTATUS MiChargeSpace(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, SIZE_T Pages);
VOID MiReturnSpace(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, SIZE_T Pages);

/* user_fault.c: makes one page present for the access. STATUS_RETRY: a page of a file must be read, with the space unlocked. */
NTSTATUS MiResolveFault(PMM_ADDRESS_SPACE Space, ULONG64 Page, BOOLEAN Write, BOOLEAN Execute);
/* After STATUS_RETRY: reads the page. The space is unlocked meanwhile: what was found in it counts no more. */
NTSTATUS MiReadForFault(PMM_ADDRESS_SPACE Space, ULONG64 Page);

/* user_lock.c. Makes a page present for the access, whatever that takes. Space locked, but not all the time. */
NTSTATUS MiMakePresent(PMM_ADDRESS_SPACE Space, ULONG64 Page, BOOLEAN Write);

/* For mdl.c, in the current process, no space locked. All pages or none; IRQL <= APC_LEVEL, to unlock <= DISPATCH_LEVEL. */
NTSTATUS MiLockUserPages(ULONG_PTR Base, SIZE_T Count, BOOLEAN Write, PFN_NUMBER *Frames);
VOID MiUnlockFrames(const PFN_NUMBER *Frames, SIZE_T Count); /* of the kernel half too */

/* locked_mdl.c: an MDL has locked so many pages of Space, has unlocked some of them, all of them. Owner: code address in who does it. The
 * first: no lock of mm held; IRQL <= APC_LEVEL, the others <= DISPATCH_LEVEL. */
NTSTATUS MiEnterLockedMdl(PMM_ADDRESS_SPACE Space, const MDL *Mdl, SIZE_T Pages, const VOID *Owner);
VOID MiShrinkLockedMdl(PMM_ADDRESS_SPACE Space, const MDL *Mdl, SIZE_T Pages);
VOID MiForgetLockedMdl(PMM_ADDRESS_SPACE Space,
                       const MDL *Mdl); /* [WDK Bug Check 0x76] 1: it has locked nothing */
/* For MmReportDriverMemory. */
ULONG MiReportLockedMdls(PMM_ADDRESS_SPACE Space, PCSTR Driver, const VOID *Base, SIZE_T Size);

/* user_mdl.c, for mdl_map.c. *Base 0: anywhere; else it may be rounded down. MiUnmapUserPages: FALSE when that mapping is not there. */
NTSTATUS MiMapUserPages(ULONG_PTR *Base, const PFN_NUMBER *Frames, SIZE_T Count, BOOLEAN Write,
                        MI_CACHE Wanted);
BOOLEAN MiUnmapUserPages(ULONG_PTR Base, SIZE_T Count);

/* virtual_secure.c */
BOOLEAN MiSecuredAgainst(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 First, ULONG64 Last,
                         MI_ACCESS Rights);
VOID MiFreeSecures(PMM_ADDRESS_SPACE Space);

/* [First, Last] from a caller's base and size: whole pages. FALSE: not user addresses, or nothing. */
BOOLEAN MiPagesOf(ULONG_PTR Base, SIZE_T Size, ULONG64 *First, ULONG64 *Last);

#define MI_USER_HIGHEST_PAGE (0x7ffffffeffffull >> PAGE_SHIFT)

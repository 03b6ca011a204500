/* SPDX-License-Identifier: MIT
 * Tier 3 of mm: segments, what sections are made of: pages that several address spaces can show. A page's prototype entry says where
 * it is, for all views together.
 *
 * MM_SEGMENT.Lock is a push lock below that of an address space. ViewLock is one above: who has it may look into the address space of each
 * view in the list, and no such view comes or goes. Pages live as long as the segment; it lives as long as somebody has
 * a reference: a section object, a view. */
#pragma once
#include "mm/user_space.h"
#include "mm_section.h"

#define MI_TAG_SEGMENT 'gsMM'
#define MI_PROTOTYPES_PER_TABLE (PAGE_SIZE / sizeof(MI_PTE))

/* Prototype entries: PRESENT and frame; DIRTY: newer than the file; DECOMMITTED: SEC_RESERVE, not committed yet; FILE: when it is not
 * there, it is read from the file, else it is zero; bits 52-58 the rights of an image's page. Zero: committed, not there yet.
 *
 * A page that is there is the segment's own (OWNS: a share of it), or, when it can be had again, a kept one (pfn.h): it is on the standby
 * list while nobody shows it, and may be taken away from there at any time, even while the segment is locked; the entry then is
 * as before the page came. */
#define MI_PTE_FILE 0x200ull

struct _MM_SEGMENT {
    EX_PUSH_LOCK FlushLock; /* before Lock, and held while pages are written to the file: segment_flush.c */
    PKTHREAD Flusher;       /* (FlushLock) who has it; anybody may ask whether he is it */
    EX_PUSH_LOCK Lock;
    LIST_ENTRY Writes; /* (Lock) MM_REQUEST_WRITE.Entry: what requests write; to enter, FlushLock too */
    LIST_ENTRY Reads;  /* (Lock) MI_FILE_READ.Entry: pages that are being read from the file */
    volatile LONG64 References;        /* interlocked */
    ULONG64 Found;                     /* MiLockFiles: how many times by its file */
    UCHAR Kind;                        /* MM_SEGMENT_KIND, (c) */
    BOOLEAN Reserved;                  /* (c) SEC_RESERVE: pages are committed one by one */
    MI_ACCESS Rights;                  /* (c) the most that a view may have */
    volatile ULONG64 PageCount;        /* (Lock) to write; grows only */
    volatile ULONG64 Size;             /* (Lock) to write: bytes, as the section says */
    MI_PTE **Tables;                   /* (Lock) one page each, NULL while all its entries are zero */
    ULONG64 TableCount;                /* (Lock) room in Tables */
    SIZE_T Charged;                    /* (Lock) commitment */
    PVOID File;                        /* (c) FILE_OBJECT, referenced; NULL: none */
    PSECTION_OBJECT_POINTERS Pointers; /* (c) of the file */
    EX_PUSH_LOCK ViewLock;
    LIST_ENTRY Views; /* (ViewLock) MI_VAD.ViewEntry: views of a file that it can be written through */
    volatile LONG UserViews, WritableUserViews, SystemViews; /* interlocked */
    MM_IMAGE_HEADER Image;                                   /* (c) */
    const MM_IMAGE_PAGE *ImagePages;                         /* (c) one for each page; NULL: no image */
};

VOID MiLockSegment(PMM_SEGMENT Segment);
VOID MiUnlockSegment(PMM_SEGMENT Segment);
/* The prototype entry of a page inside; NULL: it has no table, or (Make) there is no memory for it. Segment locked. */
MI_PTE *MiFindPrototype(PMM_SEGMENT Segment, ULONG64 Page);
MI_PTE *MiMakePrototype(PMM_SEGMENT Segment, ULONG64 Page);

/* The segment is not locked, from here on. */
BOOLEAN MiSegmentIsCommitted(PMM_SEGMENT Segment, ULONG64 Page);
BOOLEAN MiSegmentIsImage(PMM_SEGMENT Segment);
MI_ACCESS MiSegmentRights(PMM_SEGMENT Segment, ULONG64 Page);
/* May a view of the segment, by a section that permits Most, have these rights? Of physical memory nobody gets a copy. */
BOOLEAN MiSegmentPermits(PMM_SEGMENT Segment, MI_ACCESS Most, MI_ACCESS Rights);
/* So many pages from Page on, at most Most, are sure to be committed, or not, and to have rights, like that one. */
ULONG64 MiSegmentRun(PMM_SEGMENT Segment, ULONG64 Page, ULONG64 Most);

/* The page's frame with a share of it, made if need be; MiReleaseSegmentFrame gives that back. STATUS_RETRY: MiReadSegmentPage first, with no
 * address space locked. Physical memory has no shares. */
typedef enum _MI_FRAME_USE {
    MiFrameToRead,
    MiFrameToWrite, /* it becomes dirty */
    MiFrameToPin,   /* it stays until it is written to the file, or the segment goes */
} MI_FRAME_USE;
NTSTATUS MiSegmentFrame(PMM_SEGMENT Segment, ULONG64 Page, MI_FRAME_USE Use, PFN_NUMBER *Frame);
VOID MiReleaseSegmentFrame(PMM_SEGMENT Segment, PFN_NUMBER Frame);
NTSTATUS MiReadSegmentPage(PMM_SEGMENT Segment, ULONG64 Page);

/* segment.c, for who makes a segment: a page that came, whose share is the caller's, becomes the entry's. Segment locked or private. */
VOID MiSetPrototype(PMM_SEGMENT Segment, MI_PTE *Prototype, PFN_NUMBER Frame);
/* A share of the page, if it is there. Segment locked, as for the next two. */
BOOLEAN MiSharePrototype(MI_PTE *Prototype, PFN_NUMBER *Frame);
/* The page, of which the caller has a share, becomes the segment's own, Also: MI_PTE_DIRTY; or can be had from the file again. */
VOID MiPinPrototype(MI_PTE *Prototype, PFN_NUMBER Frame, MI_PTE Also);
VOID MiUnpinPrototype(MI_PTE *Prototype, PFN_NUMBER Frame);

/* Around MiReadFilePage, which reads the page as the file has it, for a segment of Size bytes; the first two with the segment not locked, the
 * others with. MiEndFileRead: FALSE: a request has written to the page, or the segment has grown in it, since the read began: what was
 * read is old. */
typedef struct _MI_FILE_READ {
    LIST_ENTRY Entry; /* (Lock) */
    ULONG64 Page;
    BOOLEAN Old; /* (Lock) */
} MI_FILE_READ;
VOID MiBeginFileRead(PMM_SEGMENT Segment, ULONG64 Page, MI_FILE_READ *Read);
NTSTATUS MiReadFilePage(PMM_SEGMENT Segment, ULONG64 Size, ULONG64 Page, PFN_NUMBER Frame);
BOOLEAN MiEndFileRead(MI_FILE_READ *Read);
VOID MiMakeReadsOld(PMM_SEGMENT Segment, ULONG64 First, ULONG64 Last);

/* segment_flush.c: one flush at a time. FALSE: the caller is the one who flushes already (a filter, below its paging write), and has nothing to
 * give back. */
BOOLEAN MiEnterFlush(PMM_SEGMENT Segment);
VOID MiLeaveFlush(PMM_SEGMENT Segment);

/* SEC_RESERVE: the pages become committed; *New is how many were not. */
NTSTATUS MiCommitSegment(PMM_SEGMENT Segment, ULONG64 First, ULONG64 Last);

/* view.c: a page that was marked clean just now. TRUE: whoever writes to it from here on is seen, by a page fault. */
BOOLEAN MiWatchWrites(PMM_SEGMENT Segment, ULONG64 SegmentPage, PFN_NUMBER Frame);

/* view.c. No address space locked, before; the view that is mapped or taken away meanwhile. */
VOID MiLockViews(PMM_SEGMENT Segment);
VOID MiUnlockViews(PMM_SEGMENT Segment);
/* Views and the space locked. The view leaves its space: its pages, its charge, its place in the list of its segment. */
VOID MiTakeUserView(PMM_ADDRESS_SPACE Space, MI_VAD *Vad);

/* A view has gone: its counts, and its reference. */
VOID MiReleaseView(PMM_SEGMENT Segment, const MI_VAD *Vad);

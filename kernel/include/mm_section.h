/* SPDX-License-Identifier: MIT
 * Tier 2, mm: segments and their views. Section objects, their names and handles are vm's. IRQL <= APC_LEVEL, no address space locked. */
#pragma once
#include "mm_user.h"

typedef enum _MM_SEGMENT_KIND {
    MmSegmentPageFile, /* memory that has no file: zeroes at first */
    MmSegmentFile,     /* the bytes of a file */
    MmSegmentImage,    /* a PE image as it lies in memory */
    MmSegmentPhysical, /* physical memory itself */
} MM_SEGMENT_KIND;

/* What is told of an image, from its headers; vm fills it. */
typedef struct _MM_IMAGE_HEADER {
    ULONG64 PreferredBase;
    ULONG64 EntryPoint; /* offset; 0: none */
    ULONG64 StackReserve, StackCommit;
    ULONG SubSystem;
    USHORT SubSystemMajor, SubSystemMinor;
    USHORT Characteristics, DllCharacteristics, Machine;
    BOOLEAN ContainsCode;
    BOOLEAN Relocatable; /* it may lie elsewhere: the kernel relocates it */
    ULONG FileSize, CheckSum;
} MM_IMAGE_HEADER;

/* A page of an image: PAGE_xxx, and the bytes of the file that it begins with, the rest is zero. FileBytes 0: all zero, or it cannot be
 * read again. */
typedef struct _MM_IMAGE_PAGE {
    ULONG Protect;
    ULONG FileOffset, FileBytes;
} MM_IMAGE_PAGE;

/* How mm reaches files: set once by init. PASSIVE_LEVEL or APC_LEVEL. */
typedef struct _MM_UPCALLS {
    /* At Offset of File (a FILE_OBJECT) from or to Buffer, which is not paged, without a cache. *Done: bytes. Behind the
     * end of the file: STATUS_END_OF_FILE. */
    NTSTATUS(*TransferPages)
    (PVOID File, ULONG64 Offset, PVOID Buffer, ULONG Length, BOOLEAN Write, PULONG_PTR Done);
} MM_UPCALLS;
extern const MM_UPCALLS *MmUpcalls;

/* A segment with one reference, the caller's. Protect: PAGE_xxx, the most that views may have; checked by the caller. */
NTSTATUS MmCreatePageFileSegment(ULONG64 Size, ULONG Protect, BOOLEAN Reserve, PMM_SEGMENT *Segment);
NTSTATUS MmCreatePhysicalSegment(PMM_SEGMENT *Segment); /* all that the processor can address */
/* The file's one data segment: found or made, as large as Size at least. */
NTSTATUS MmReferenceFileSegment(PFILE_OBJECT File, ULONG64 Size, PMM_SEGMENT *Segment);
/* That segment, if there is one. */
PMM_SEGMENT MmFindFileSegment(PFILE_OBJECT File);
/* The file's one image segment; NULL: it has none yet. Then MmCreateImageSegment makes it of Size bytes at Pages, laid out by RVA;
 * ImagePages: one for each page. Another one may have been faster: that one is returned. */
PMM_SEGMENT MmFindImageSegment(PFILE_OBJECT File);
NTSTATUS MmCreateImageSegment(PFILE_OBJECT File, const VOID *Pages, ULONG64 Size,
                              const MM_IMAGE_PAGE *ImagePages, const MM_IMAGE_HEADER *Header,
                              PMM_SEGMENT *Segment);

VOID MmReferenceSegment(PMM_SEGMENT Segment);
VOID MmReleaseSegment(PMM_SEGMENT Segment); /* the last one: dirty pages are written, then all is freed. */

MM_SEGMENT_KIND MmSegmentKindOf(PMM_SEGMENT Segment);
const MM_IMAGE_HEADER *MmSegmentImageHeader(PMM_SEGMENT Segment);
ULONG64 MmSegmentSize(PMM_SEGMENT Segment);
PFILE_OBJECT MmSegmentFileObject(PMM_SEGMENT Segment); /* NULL: none */

/* Writes the dirty pages of [Offset, Offset + Length) to the file. STATUS_SUCCESS too when there is no file. They are clean then, unless a
 * system view or an MDL can write to them unseen. A page that a request is writing to stays dirty until that has ended, which is waited
 * for unless the request is the caller's own; Timeout as in KeWaitForSingleObject. Who asks from inside a flush (a filter, below its paging
 * write) gets STATUS_SUCCESS: it is being done. */
NTSTATUS MmFlushSegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, PLARGE_INTEGER Timeout,
                        PIO_STATUS_BLOCK Iosb);

/* A request that writes [Offset, Offset + Length) of the file; the caller's until it has ended. */
typedef struct _MM_REQUEST_WRITE {
    ULONG64 Offset, Length;
    LIST_ENTRY Entry;
    LIST_ENTRY Waiters;
    PKTHREAD Thread;
    BOOLEAN Postponed; /* a page was not flushed because of it */
} MM_REQUEST_WRITE;

/* Around a request that writes to the file: no flush of what a page had before can undo it. No lock is held between the two calls. When
 * it has ended (Ended: the bytes may have changed), pages that are in memory get the bytes that it wrote, and nothing else. */
VOID MmBeginRequestWrite(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, MM_REQUEST_WRITE *Write);
VOID MmEndRequestWrite(PMM_SEGMENT Segment, MM_REQUEST_WRITE *Write, BOOLEAN Ended);

/* A page as it is for all; Data has room for one. */
NTSTATUS MmReadSegmentPage(PMM_SEGMENT Segment, ULONG64 Page, PVOID Data);

/* --- views ---------------------------------------------------------------------------------------------------------- */

typedef struct _MM_VIEW {
    ULONG_PTR Base; /* in: 0: anywhere; out */
    SIZE_T Size;    /* in: 0: to the end of the section; out: whole pages */
    ULONG64 Offset; /* in, out: of the section, rounded down to MM_GRANULARITY */
    SIZE_T Commit;  /* of a SEC_RESERVE section: so many bytes from the start of the view */
    ULONG_PTR ZeroBits;
    ULONG Type;           /* MEM_TOP_DOWN, MEM_RESERVE */
    ULONG Protect;        /* PAGE_xxx */
    ULONG SectionProtect; /* PAGE_xxx of the section: the most */
    ULONG64 SectionSize;  /* bytes; a segment of a file may be larger than this section of it */
    UCHAR Inherit;        /* SECTION_INHERIT */
    BOOLEAN NoChange;     /* SEC_NO_CHANGE */
} MM_VIEW;

/* [WDK ZwMapViewOfSection] */
NTSTATUS MmMapView(PMM_ADDRESS_SPACE Space, PMM_SEGMENT Segment, MM_VIEW *View);
NTSTATUS MmUnmapView(PMM_ADDRESS_SPACE Space, ULONG_PTR Address);

/* The segment whose view lies at Address, referenced, with the view's base, size and offset; NULL: none. */
PMM_SEGMENT MmReferenceSegmentAt(PMM_ADDRESS_SPACE Space, ULONG_PTR Address, MM_VIEW *View);

/* A view of an image: the page at Address becomes a copy of its own with these contents, its protection stays. A page that all processes write
 * to (IMAGE_SCN_MEM_SHARED) stays as it is (deviation D-180). */
NTSTATUS MmReplacePage(PMM_ADDRESS_SPACE Space, PMM_SEGMENT Segment, ULONG_PTR Address, const VOID *Data);

/* [WDK MmMapViewInSystemSpace] All pages are there from the start. Owner: return address in who asked for it. */
NTSTATUS MmMapSystemView(PMM_SEGMENT Segment, ULONG64 Offset, BOOLEAN Write, PVOID *Base, PSIZE_T Size,
                         const VOID *Owner);
NTSTATUS MmUnmapSystemView(PVOID Base);

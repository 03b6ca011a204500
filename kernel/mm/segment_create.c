/* SPDX-License-Identifier: MIT
 * Segments made, found by their file, extended, and freed with their last reference. */
#include "mm/pfn.h"
#include "mm/segment.h"
#include "kd.h"
#include "ke.h"

#define MI_SEGMENT_LIMIT (1ull << 44) /* bytes: 16 TiB */

/* Which file has which segment: SECTION_OBJECT_POINTERS, and the last reference of a segment that they name. */
static EX_PUSH_LOCK MiFileLock;

static VOID MiLockFiles(VOID)
{
    KeEnterGuardedRegion();
    ExAcquirePushLockExclusiveEx(&MiFileLock, 0);
}

static VOID MiUnlockFiles(VOID)
{
    ExReleasePushLockExclusiveEx(&MiFileLock, 0);
    KeLeaveGuardedRegion();
}

static ULONG64 MiTablesFor(ULONG64 Pages)
{
    return (Pages + MI_PROTOTYPES_PER_TABLE - 1) / MI_PROTOTYPES_PER_TABLE;
}

static NTSTATUS MiAllocateSegment(MM_SEGMENT_KIND Kind, ULONG64 Size, MI_ACCESS Rights, PMM_SEGMENT *Created)
{
    ULONG64 Tables = MiTablesFor(BYTES_TO_PAGES(Size));
    if (Size > MI_SEGMENT_LIMIT && Kind != MmSegmentPhysical)
        return STATUS_SECTION_TOO_BIG;
    PMM_SEGMENT Segment = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Segment), MI_TAG_SEGMENT);
    if (Segment == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Kind != MmSegmentPhysical) {
        Segment->Tables = ExAllocatePool2(POOL_FLAG_NON_PAGED, Tables * sizeof(MI_PTE *), MI_TAG_SEGMENT);
        if (Segment->Tables == NULL) {
            ExFreePoolWithTag(Segment, MI_TAG_SEGMENT);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    Segment->References = 1;
    InitializeListHead(&Segment->Views);
    InitializeListHead(&Segment->Writes);
    InitializeListHead(&Segment->Reads);
    Segment->Kind = (UCHAR)Kind;
    Segment->Rights = Rights;
    Segment->PageCount = BYTES_TO_PAGES(Size);
    Segment->Size = Size;
    Segment->TableCount = Tables;
    *Created = Segment;
    return STATUS_SUCCESS;
}

/* A kept page may be taken away just now, and be another's before it is forgotten here. */
static VOID MiFreePrototype(MI_PTE *Prototype)
{
    MI_PTE Value = MiReadPte(Prototype);
    if (!(Value & MI_PTE_PRESENT))
        return;
    if (Value & MI_PTE_OWNS)
        MiReleaseFrame(MiFrameOf(Value));
    else
        (void)MiForgetFrame(MiFrameOf(Value), Prototype);
}

static VOID MiFreePages(PMM_SEGMENT Segment)
{
    for (ULONG64 T = 0; Segment->Tables != NULL && T < Segment->TableCount; T++) {
        MI_PTE *Table = Segment->Tables[T];
        if (Table == NULL)
            continue;
        for (ULONG I = 0; I < MI_PROTOTYPES_PER_TABLE; I++)
            MiFreePrototype(&Table[I]);
        MmFreePhysicalPages(MmPhysicalFromDirect(Table) >> PAGE_SHIFT, 1);
        MiReturnCommit(1);
    }
}

static VOID MiFreeSegment(PMM_SEGMENT Segment)
{
    MiFreePages(Segment);
    MiReturnCommit(Segment->Charged);
    if (Segment->Tables != NULL)
        ExFreePoolWithTag(Segment->Tables, MI_TAG_SEGMENT);
    if (Segment->ImagePages != NULL)
        ExFreePoolWithTag((PVOID)Segment->ImagePages, MI_TAG_SEGMENT);
    if (Segment->File != NULL)
        ObfDereferenceObject(Segment->File);
    ExFreePoolWithTag(Segment, MI_TAG_SEGMENT);
}

VOID MmReferenceSegment(PMM_SEGMENT Segment)
{
    InterlockedIncrement64(&Segment->References);
}

static PVOID *MiPointerTo(PSECTION_OBJECT_POINTERS Pointers, MM_SEGMENT_KIND Kind)
{
    return Kind == MmSegmentImage ? &Pointers->ImageSectionObject : &Pointers->DataSectionObject;
}

/* Nobody is left who could be told that it failed. */
static VOID MiWriteLast(PMM_SEGMENT Segment)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER AtOnce = {.QuadPart = 0};
    PFILE_OBJECT File = Segment->File;

    if (NT_SUCCESS(MmFlushSegment(Segment, 0, Segment->Size, &AtOnce, &Iosb)))
        return;
    KdLogError("what was written to views of the file '%wZ' is lost: writing it failed with status 0x%08x",
               &File->FileName, (unsigned)Iosb.Status);
    KdReport(ReportViolation, KD_TEXT(ReportKeyKind, "view-not-written"),
             KD_TEXT(ReportKeyText,
                     "what was written to views of a file is lost: the file system could not write it"));
}

/* The last reference writes what is dirty before it goes. Who finds the segment by its file meanwhile may have made more. */
VOID MmReleaseSegment(PMM_SEGMENT Segment)
{
    MiLockFiles();
    ULONG64 Written = Segment->Found - 1;
    while (Segment->Kind == MmSegmentFile && Segment->References == 1 && Written != Segment->Found) {
        Written = Segment->Found;
        MiUnlockFiles();
        MiWriteLast(Segment);
        MiLockFiles();
    }
    BOOLEAN Last = InterlockedDecrement64(&Segment->References) == 0;
    if (Last && Segment->Pointers != NULL)
        *MiPointerTo(Segment->Pointers, (MM_SEGMENT_KIND)Segment->Kind) = NULL;
    MiUnlockFiles();
    if (Last)
        MiFreeSegment(Segment);
}

MM_SEGMENT_KIND MmSegmentKindOf(PMM_SEGMENT Segment)
{
    return (MM_SEGMENT_KIND)Segment->Kind;
}

const MM_IMAGE_HEADER *MmSegmentImageHeader(PMM_SEGMENT Segment)
{
    return &Segment->Image;
}

ULONG64 MmSegmentSize(PMM_SEGMENT Segment)
{
    return Segment->Size;
}

PFILE_OBJECT MmSegmentFileObject(PMM_SEGMENT Segment)
{
    return Segment->File;
}

/* --- without a file --- */

/* Charged before anything is made. */
NTSTATUS MmCreatePageFileSegment(ULONG64 Size, ULONG Protect, BOOLEAN Reserve, PMM_SEGMENT *Created)
{
    MI_ACCESS Rights = 0;
    SIZE_T Charge = Reserve ? 0 : BYTES_TO_PAGES(Size);
    (void)MiRightsFromPage(Protect, &Rights);
    if (Size > MI_SEGMENT_LIMIT)
        return STATUS_SECTION_TOO_BIG;
    if (!MiChargeCommit(Charge))
        return STATUS_COMMITMENT_LIMIT;
    NTSTATUS Status = MiAllocateSegment(MmSegmentPageFile, Size, Rights, Created);
    if (!NT_SUCCESS(Status)) {
        MiReturnCommit(Charge);
        return Status;
    }
    (*Created)->Reserved = Reserve;
    (*Created)->Charged = Charge;
    return STATUS_SUCCESS;
}

NTSTATUS MmCreatePhysicalSegment(PMM_SEGMENT *Created)
{
    return MiAllocateSegment(MmSegmentPhysical, MiPhysicalEnd(), MI_USER_READ | MI_USER_WRITE, Created);
}

/* --- of a file --- */

static PMM_SEGMENT MiFindOfFile(PFILE_OBJECT File, MM_SEGMENT_KIND Kind)
{
    PMM_SEGMENT Segment = *MiPointerTo(File->SectionObjectPointer, Kind);
    if (Segment != NULL) {
        MmReferenceSegment(Segment);
        Segment->Found++;
    }
    return Segment;
}

/* The segment becomes the file's unless it has one, which is returned instead. */
static PMM_SEGMENT MiPublish(PFILE_OBJECT File, PMM_SEGMENT Segment)
{
    MiLockFiles();
    PMM_SEGMENT Other = MiFindOfFile(File, (MM_SEGMENT_KIND)Segment->Kind);
    if (Other == NULL) {
        Segment->Pointers = File->SectionObjectPointer;
        *MiPointerTo(Segment->Pointers, (MM_SEGMENT_KIND)Segment->Kind) = Segment;
    }
    MiUnlockFiles();
    if (Other == NULL)
        return Segment;
    MiFreeSegment(Segment);
    return Other;
}

static VOID MiSetFile(PMM_SEGMENT Segment, PFILE_OBJECT File)
{
    ObfReferenceObject(File);
    Segment->File = File;
}

/* A file that has grown: its segment never gets smaller. */
static NTSTATUS MiGrowLocked(PMM_SEGMENT Segment, ULONG64 Size)
{
    ULONG64 Tables = MiTablesFor(BYTES_TO_PAGES(Size));
    if (Tables > Segment->TableCount) {
        MI_PTE **New = ExAllocatePool2(POOL_FLAG_NON_PAGED, Tables * sizeof(MI_PTE *), MI_TAG_SEGMENT);
        if (New == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        RtlCopyMemory(New, Segment->Tables, Segment->TableCount * sizeof(MI_PTE *));
        ExFreePoolWithTag(Segment->Tables, MI_TAG_SEGMENT);
        Segment->Tables = New;
        Segment->TableCount = Tables;
    }
    Segment->PageCount = BYTES_TO_PAGES(Size);
    Segment->Size = Size;
    return STATUS_SUCCESS;
}

/* The page that the segment ends in, if it has it; what the file has behind the segment's bytes is to go in there. Segment locked. */
static BOOLEAN MiShareTail(PMM_SEGMENT Segment, PFN_NUMBER *Frame)
{
    if ((Segment->Size & PAGE_MASK) == 0)
        return FALSE;
    MI_PTE *Prototype = MiFindPrototype(Segment, Segment->Size >> PAGE_SHIFT);
    return Prototype != NULL && MiSharePrototype(Prototype, Frame);
}

/* New, if Current, is the page that the segment ends in as the file has it now. STATUS_RETRY: that is to be read first. */
static NTSTATUS MiTryGrow(PMM_SEGMENT Segment, ULONG64 Size, BOOLEAN Current, PFN_NUMBER New)
{
    PFN_NUMBER Frame;
    ULONG64 Old = Segment->Size, At = Old & PAGE_MASK;
    BOOLEAN Tail = MiShareTail(Segment, &Frame);
    NTSTATUS Status = Tail && !Current ? STATUS_RETRY : MiGrowLocked(Segment, Size);

    if (Status == STATUS_SUCCESS) {
        MiMakeReadsOld(Segment, Old >> PAGE_SHIFT, Old >> PAGE_SHIFT);
        if (Tail)
            RtlCopyMemory((PUCHAR)MmDirectMap(Frame << PAGE_SHIFT) + At,
                          (PUCHAR)MmDirectMap(New << PAGE_SHIFT) + At, PAGE_SIZE - At);
    }
    if (Tail)
        MiReleaseFrame(Frame);
    return Status;
}

/* Nobody else lets the segment grow meanwhile. */
static NTSTATUS MiGrowWithTail(PMM_SEGMENT Segment, ULONG64 Size, PFN_NUMBER New)
{
    NTSTATUS Status = STATUS_RETRY;
    MI_FILE_READ Read;

    while (Status == STATUS_RETRY) {
        MiBeginFileRead(Segment, Segment->Size >> PAGE_SHIFT, &Read);
        Status = MiReadFilePage(Segment, Size, Read.Page, New);
        MiLockSegment(Segment);
        BOOLEAN Current = MiEndFileRead(&Read);
        if (NT_SUCCESS(Status))
            Status = MiTryGrow(Segment, Size, Current, New);
        MiUnlockSegment(Segment);
    }
    return Status;
}

static NTSTATUS MiGrow(PMM_SEGMENT Segment, ULONG64 Size)
{
    MiLockSegment(Segment);
    NTSTATUS Status = Size > Segment->Size ? MiTryGrow(Segment, Size, FALSE, MM_NO_PAGE) : STATUS_SUCCESS;
    MiUnlockSegment(Segment);
    if (Status != STATUS_RETRY)
        return Status;
    PFN_NUMBER New = MmAllocatePhysicalPage(FALSE);
    if (New == MM_NO_PAGE)
        return STATUS_NO_MEMORY;
    Status = MiGrowWithTail(Segment, Size, New);
    MiReleaseFrame(New);
    return Status;
}

/* No flush meanwhile: it would write the page that the segment ends in with the old bytes behind the old end. */
static NTSTATUS MiExtendSegment(PMM_SEGMENT Segment, ULONG64 Size)
{
    if (Size > MI_SEGMENT_LIMIT)
        return STATUS_SECTION_TOO_BIG;
    BOOLEAN Began = MiEnterFlush(Segment);
    NTSTATUS Status = MiGrow(Segment, Size);
    if (Began)
        MiLeaveFlush(Segment);
    return Status;
}

/* What a view may do with a file is the section's business, which knows how the file was opened. */
NTSTATUS MmReferenceFileSegment(PFILE_OBJECT File, ULONG64 Size, PMM_SEGMENT *Found)
{
    if (File->SectionObjectPointer == NULL)
        return STATUS_INVALID_FILE_FOR_SECTION;
    MiLockFiles();
    *Found = MiFindOfFile(File, MmSegmentFile);
    MiUnlockFiles();
    if (*Found == NULL) {
        PMM_SEGMENT Segment;
        NTSTATUS Status =
            MiAllocateSegment(MmSegmentFile, Size, MI_USER_READ | MI_USER_WRITE | MI_USER_EXECUTE, &Segment);
        if (!NT_SUCCESS(Status))
            return Status;
        MiSetFile(Segment, File);
        *Found = MiPublish(File, Segment);
    }
    NTSTATUS Status = (*Found)->Size < Size ? MiExtendSegment(*Found, Size) : STATUS_SUCCESS;
    if (!NT_SUCCESS(Status))
        MmReleaseSegment(*Found);
    return Status;
}

static PMM_SEGMENT MiFindSegment(PFILE_OBJECT File, MM_SEGMENT_KIND Kind)
{
    MiLockFiles();
    PMM_SEGMENT Segment = MiFindOfFile(File, Kind);
    MiUnlockFiles();
    return Segment;
}

PMM_SEGMENT MmFindImageSegment(PFILE_OBJECT File)
{
    return MiFindSegment(File, MmSegmentImage);
}

PMM_SEGMENT MmFindFileSegment(PFILE_OBJECT File)
{
    return MiFindSegment(File, MmSegmentFile);
}

/* Pages that are all zeroes have a frame only when they are touched. */
static BOOLEAN MiIsZero(const ULONG64 *Words)
{
    for (ULONG I = 0; I < PAGE_SIZE / sizeof(ULONG64); I++)
        if (Words[I] != 0)
            return FALSE;
    return TRUE;
}

static NTSTATUS MiFillImagePage(PMM_SEGMENT Segment, ULONG64 Page, const VOID *Data)
{
    const MM_IMAGE_PAGE *Source = &Segment->ImagePages[Page];
    MI_ACCESS Rights = 0;
    MI_PTE *Prototype = MiMakePrototype(Segment, Page);
    if (Prototype == NULL)
        return STATUS_NO_MEMORY;
    (void)MiRightsFromPage(Source->Protect, &Rights);
    if ((Rights & (MI_USER_WRITE | MI_USER_COPY)) == MI_USER_WRITE) { /* written to, it cannot be had again */
        if (!MiChargeCommit(1))
            return STATUS_COMMITMENT_LIMIT;
        Segment->Charged++;
    }
    MiWritePte(Prototype, MiRightsPte(Rights) | (Source->FileBytes != 0 ? MI_PTE_FILE : 0));
    if (MiIsZero(Data))
        return STATUS_SUCCESS;
    PFN_NUMBER Frame = MmAllocatePhysicalPage(FALSE);
    if (Frame == MM_NO_PAGE)
        return STATUS_NO_MEMORY;
    RtlCopyMemory(MmDirectMap(Frame << PAGE_SHIFT), Data, PAGE_SIZE);
    if (Source->FileBytes != 0) {
        MiSetPrototype(Segment, Prototype, Frame);
        MiReleaseFrame(Frame); /* nobody shows it yet */
    } else {
        MiWritePte(Prototype, *Prototype | ((MI_PTE)Frame << PAGE_SHIFT) | MI_PTE_PRESENT | MI_PTE_OWNS);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS MiFillImage(PMM_SEGMENT Segment, const VOID *Pages, const MM_IMAGE_PAGE *ImagePages)
{
    SIZE_T Bytes = Segment->PageCount * sizeof(*ImagePages);
    PVOID Copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, Bytes, MI_TAG_SEGMENT);
    NTSTATUS Status = STATUS_SUCCESS;
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(Copy, ImagePages, Bytes);
    Segment->ImagePages = Copy;
    for (ULONG64 Page = 0; Page < Segment->PageCount && NT_SUCCESS(Status); Page++)
        Status = MiFillImagePage(Segment, Page, (const UCHAR *)Pages + (Page << PAGE_SHIFT));
    return Status;
}

NTSTATUS MmCreateImageSegment(PFILE_OBJECT File, const VOID *Pages, ULONG64 Size,
                              const MM_IMAGE_PAGE *ImagePages, const MM_IMAGE_HEADER *Header,
                              PMM_SEGMENT *Created)
{
    PMM_SEGMENT Segment;
    NTSTATUS Status = MiAllocateSegment(
        MmSegmentImage, Size, MI_USER_READ | MI_USER_WRITE | MI_USER_COPY | MI_USER_EXECUTE, &Segment);
    if (!NT_SUCCESS(Status))
        return Status;
    Segment->Image = *Header;
    Status = MiFillImage(Segment, Pages, ImagePages);
    if (!NT_SUCCESS(Status)) {
        MiFreeSegment(Segment);
        return Status;
    }
    MiSetFile(Segment, File);
    *Created = MiPublish(File, Segment);
    return STATUS_SUCCESS;
}

/* --- what file systems ask ------------------------------------------------------------------------------------------- */

/* A segment of the file, looked at while it cannot go; TRUE when there is none. */
typedef BOOLEAN MI_SEGMENT_TEST(PMM_SEGMENT Segment, PLARGE_INTEGER Size);

static BOOLEAN MiTestSegment(PVOID *Slot, MI_SEGMENT_TEST *Test, PLARGE_INTEGER Size)
{
    MiLockFiles();
    BOOLEAN Result = *Slot == NULL || Test(*Slot, Size);
    MiUnlockFiles();
    return Result;
}

static BOOLEAN MiNever(PMM_SEGMENT Segment, PLARGE_INTEGER Size)
{
    return FALSE;
}

static BOOLEAN MiHasNoUserView(PMM_SEGMENT Segment, PLARGE_INTEGER Size)
{
    return Segment->UserViews == 0;
}

/* IRQL < DISPATCH_LEVEL. [WDK MmFlushImageSection] FALSE: somebody has a section or a view of the image; for a deletion also a
 * user's view of the data. A segment goes with its last user, so there is nothing to flush. */
BOOLEAN NTAPI MmFlushImageSection(PSECTION_OBJECT_POINTERS SectionObjectPointer, MMFLUSH_TYPE FlushType)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    if (!MiTestSegment(&SectionObjectPointer->ImageSectionObject, MiNever, NULL))
        return FALSE;
    return FlushType != MmFlushForDelete ||
           MiTestSegment(&SectionObjectPointer->DataSectionObject, MiHasNoUserView, NULL);
}

/* IRQL < DISPATCH_LEVEL. [WDK MmForceSectionClosed] TRUE: the file has no section any more. */
BOOLEAN NTAPI MmForceSectionClosed(PSECTION_OBJECT_POINTERS SectionObjectPointer, BOOLEAN DelayClose)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    return MiTestSegment(&SectionObjectPointer->ImageSectionObject, MiNever, NULL) &&
           MiTestSegment(&SectionObjectPointer->DataSectionObject, MiNever, NULL);
}

/* With a user's view a file must keep what the section shows. */
static BOOLEAN MiCanShrink(PMM_SEGMENT Segment, PLARGE_INTEGER Size)
{
    return Segment->UserViews == 0 || (Size != NULL && (ULONG64)Size->QuadPart >= Segment->Size);
}

/* IRQL < DISPATCH_LEVEL. [WDK MmCanFileBeTruncated] NewFileSize NULL: the file is to be deleted. */
BOOLEAN NTAPI MmCanFileBeTruncated(PSECTION_OBJECT_POINTERS SectionPointer, PLARGE_INTEGER NewFileSize)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    return MiTestSegment(&SectionPointer->ImageSectionObject, MiNever, NULL) &&
           MiTestSegment(&SectionPointer->DataSectionObject, MiCanShrink, NewFileSize);
}

static BOOLEAN MiHasNoWritableView(PMM_SEGMENT Segment, PLARGE_INTEGER Size)
{
    return Segment->WritableUserViews == 0;
}

/* IRQL < DISPATCH_LEVEL. [WDK MmDoesFileHaveUserWritableReferences] not 0: a user could write to the file by a view. */
ULONG NTAPI MmDoesFileHaveUserWritableReferences(PSECTION_OBJECT_POINTERS SectionPointer)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    return !MiTestSegment(&SectionPointer->DataSectionObject, MiHasNoWritableView, NULL);
}

/* SPDX-License-Identifier: MIT
 * Page faults at user addresses: demand zero, pages of segments, copy on write, guard pages. */
#include "mm/pfn.h"
#include "mm/user_space.h"
#include "mm/segment.h"
#include "ke.h"

#define MI_FAULT_WRITE 2u
#define MI_FAULT_FETCH 16u

/* A page of the entry's own with what Source has; NULL: zeroes. */
static NTSTATUS MiMakePrivate(PMM_ADDRESS_SPACE Space, MI_PTE *Pte, MI_ACCESS Rights,
                              const PFN_NUMBER *Source)
{
    PFN_NUMBER Frame = MmAllocatePhysicalPage(Source == NULL);
    if (Frame == MM_NO_PAGE)
        return STATUS_NO_MEMORY;
    if (Source != NULL)
        RtlCopyMemory(MmDirectMap(Frame << PAGE_SHIFT), MmDirectMap(*Source << PAGE_SHIFT), PAGE_SIZE);
    MI_PTE Locked = *Pte & MI_PTE_LOCKED;
    MiWritePte(Pte, MiUserEntry(Frame, Rights, (Rights & MI_USER_WRITE) != 0) | MI_PTE_OWNS | Locked);
    MiCountPage(Space);
    return STATUS_SUCCESS;
}

/* The page is there but does not permit the access: written for the first time, or forbidden. */
static NTSTATUS MiResolvePresent(PMM_ADDRESS_SPACE Space, ULONG64 Page, MI_PTE *Pte, BOOLEAN Write,
                                 BOOLEAN Execute)
{
    MI_ACCESS Rights = MiRightsOf(*Pte);
    PFN_NUMBER Frame = MiFrameOf(*Pte);
    if (!MiRightsAllow(Rights, Write, Execute))
        return STATUS_ACCESS_VIOLATION;
    if (!Write || (*Pte & MI_PTE_WRITE))
        return STATUS_SUCCESS; /* another thread was faster */
    MI_VAD *Vad = MiFindVad(Space, Page);
    NT_CHECK(Vad != NULL && Vad->Segment != NULL);
    if (!(Rights & MI_USER_COPY)) {
        NTSTATUS Dirty =
            MiSegmentFrame(Vad->Segment, Vad->SegmentPage + (Page - Vad->Node.First), MiFrameToWrite, &Frame);
        NT_CHECK(Dirty == STATUS_SUCCESS); /* the entry has a share of it */
        (void)Dirty;
        MiReleaseSegmentFrame(Vad->Segment, Frame);
        MiWritePte(Pte, *Pte | MI_PTE_WRITE | MI_PTE_DIRTY);
        return STATUS_SUCCESS;
    }
    BOOLEAN Shared = (*Pte & MI_PTE_SHARE) != 0;
    NTSTATUS Status = MiMakePrivate(Space, Pte, MiRightsOfCopy(Rights), &Frame);
    if (NT_SUCCESS(Status)) {
        Space->Counters.WorkingSet--; /* it was counted before */
        MiFlushTlbRange(Page << PAGE_SHIFT, 1);
        if (Shared)
            MiReleaseShown(Frame);
    }
    return Status;
}

/* Of device memory that nobody has mapped. A program that says nothing does not want its registers cached. */
static MI_CACHE MiCacheFor(MI_ACCESS Rights)
{
    return Rights & MI_USER_COMBINE ? MiCacheCombine : MiCacheOff;
}

/* A page of physical memory: RAM as it is, device memory with the cache type that it has or gets now. *Bits: cache and share. */
static BOOLEAN MiShowPhysical(PFN_NUMBER Frame, MI_ACCESS Rights, MI_PTE *Bits)
{
    BOOLEAN Ram;
    (void)MiRunOfKind(Frame, 1, &Ram);
    if (Ram) {
        *Bits = MiIsManaged(Frame) ? MiCacheBitsOfFrame(Frame, MiCacheBack) : 0;
        return TRUE;
    }
    if (!MiShareDevice(Frame, 1, MiCacheFor(Rights)))
        return FALSE;
    *Bits = MiCacheBitsOfDevice(Frame) | MI_PTE_SHARE;
    return TRUE;
}

static BOOLEAN MiShowFrame(PMM_SEGMENT Segment, PFN_NUMBER Frame, MI_ACCESS Rights, MI_PTE *Bits)
{
    if (Segment->Kind == MmSegmentPhysical)
        return MiShowPhysical(Frame, Rights, Bits);
    *Bits = MI_PTE_SHARE; /* the caller's */
    return TRUE;
}

/* A page of a view that is not shown yet. */
static NTSTATUS MiResolveView(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG64 Page, MI_PTE *Pte,
                              MI_ACCESS Rights, BOOLEAN Write)
{
    BOOLEAN Copy = (Rights & MI_USER_COPY) != 0, Writes = Write && !Copy;
    PFN_NUMBER Frame;
    NTSTATUS Status = MiSegmentFrame(Vad->Segment, Vad->SegmentPage + (Page - Vad->Node.First),
                                     Writes ? MiFrameToWrite : MiFrameToRead, &Frame);
    if (Status != STATUS_SUCCESS)
        return Status;
    if (Write && Copy) {
        Status = MiMakePrivate(Space, Pte, MiRightsOfCopy(Rights), &Frame);
        MiReleaseSegmentFrame(Vad->Segment, Frame);
        return Status;
    }
    MI_PTE Bits, Locked = *Pte & MI_PTE_LOCKED;
    if (!MiShowFrame(Vad->Segment, Frame, Rights, &Bits))
        return STATUS_NO_MEMORY;
    MiWritePte(Pte, MiUserEntry(Frame, Rights, Writes) | Bits | Locked);
    MiCountPage(Space);
    return STATUS_SUCCESS;
}

static NTSTATUS MiResolveFixed(PMM_ADDRESS_SPACE Space, MI_PTE *Pte)
{
    ULONG64 Physical;
    if (!MmTranslate((PVOID)MM_SHARED_DATA_BASE, &Physical))
        return STATUS_ACCESS_VIOLATION;
    MiWritePte(Pte, MiUserEntry(Physical >> PAGE_SHIFT, MI_USER_READ, FALSE));
    MiCountPage(Space);
    return STATUS_SUCCESS;
}

/* [WDK Memory Protection Constants, PAGE_GUARD] The first access takes the guard off, and is told. */
static NTSTATUS MiTakeGuardOff(PMM_ADDRESS_SPACE Space, ULONG64 Page, MI_ACCESS Rights)
{
    MI_PTE *Pte = MiMakeUserPte(Space, Page);
    if (Pte == NULL)
        return STATUS_NO_MEMORY;
    MI_PTE Kept = *Pte & ~MiRightsPte(MI_USER_RIGHTS);
    MiWritePte(Pte, Kept | MI_PTE_SOFT | MiRightsPte((MI_ACCESS)(Rights & ~MI_USER_GUARD)));
    return STATUS_GUARD_PAGE_VIOLATION;
}

static NTSTATUS MiResolveAbsent(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG64 Page, MI_PTE Old,
                                MI_ACCESS Rights, BOOLEAN Write)
{
    MI_PTE *Pte = MiMakeUserPte(Space, Page);
    if (Pte == NULL)
        return STATUS_NO_MEMORY;
    if (Old & MI_PTE_OWNS) {
        MiWritePte(Pte, MiUserEntry(MiFrameOf(Old), Rights, (Rights & MI_USER_WRITE) != 0) |
                            (Old & (MI_PTE_OWNS | MI_PTE_LOCKED)));
        MiCountPage(Space);
        return STATUS_SUCCESS;
    }
    if (Vad->Kind == MiVadPrivate)
        return MiMakePrivate(Space, Pte, Rights, NULL);
    return Vad->Kind == MiVadView ? MiResolveView(Space, Vad, Page, Pte, Rights, Write)
                                  : MiResolveFixed(Space, Pte);
}

NTSTATUS MiResolveFault(PMM_ADDRESS_SPACE Space, ULONG64 Page, BOOLEAN Write, BOOLEAN Execute)
{
    ULONG64 Next;
    MI_PTE *Pte = MiFindUserPte(Space, Page, &Next), Old = Pte != NULL ? *Pte : 0;
    if (Old & MI_PTE_PRESENT)
        return MiResolvePresent(Space, Page, Pte, Write, Execute);
    MI_VAD *Vad = MiFindVad(Space, Page);
    if (Vad == NULL || !MiIsCommitted(Vad, Page, Old))
        return STATUS_ACCESS_VIOLATION;
    MI_ACCESS Rights = MiRightsOfPage(Vad, Page, Old);
    if (Rights & MI_USER_GUARD)
        return MiTakeGuardOff(Space, Page, Rights);
    if (!MiRightsAllow(Rights, Write, Execute))
        return STATUS_ACCESS_VIOLATION;
    return MiResolveAbsent(Space, Vad, Page, Old, Rights, Write);
}

/* The file is read with nothing locked but the segment, which is kept alive meanwhile. */
NTSTATUS MiReadForFault(PMM_ADDRESS_SPACE Space, ULONG64 Page)
{
    MI_VAD *Vad = MiFindVad(Space, Page);
    PMM_SEGMENT Segment = Vad->Segment;
    ULONG64 SegmentPage = Vad->SegmentPage + (Page - Vad->Node.First);

    MmReferenceSegment(Segment);
    MiUnlockSpace(Space);
    NTSTATUS Status = MiReadSegmentPage(Segment, SegmentPage);
    MmReleaseSegment(Segment);
    MiLockSpace(Space);
    return Status;
}

NTSTATUS MmAccessFault(ULONG64 Address, ULONG64 ErrorCode)
{
    PKPROCESS Process = KiCurrentThread()->ApcState.Process;
    PMM_ADDRESS_SPACE Space = Process != NULL ? Process->AddressSpace : NULL;
    ULONG64 Page = Address >> PAGE_SHIFT;
    BOOLEAN Write = (ErrorCode & MI_FAULT_WRITE) != 0, Execute = (ErrorCode & MI_FAULT_FETCH) != 0;
    NTSTATUS Status;

    if (Space == NULL)
        return STATUS_ACCESS_VIOLATION;
    if (KiCurrentThread()->MemoryLocks != 0)
        return STATUS_POSSIBLE_DEADLOCK;
    MiLockSpace(Space);
    Space->Counters.PageFaults++;
    do {
        Status = MiResolveFault(Space, Page, Write, Execute);
    } while (Status == STATUS_RETRY && NT_SUCCESS(Status = MiReadForFault(Space, Page)));
    MiUnlockSpace(Space);
    return Status;
}

static NTSTATUS MiCopyGuarded(PVOID To, const VOID *From, SIZE_T Length)
{
    __try {
        RtlCopyMemory(To, From, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static BOOLEAN MiIsUserRange(const VOID *Base, SIZE_T Length)
{
    ULONG_PTR First = (ULONG_PTR)Base;
    return First + Length >= First && First + Length <= MmUserProbeAddress;
}

NTSTATUS MmCopyFromUser(PVOID To, const VOID *From, SIZE_T Length)
{
    return MiIsUserRange(From, Length) ? MiCopyGuarded(To, From, Length) : STATUS_ACCESS_VIOLATION;
}

NTSTATUS MmCopyToUser(PVOID To, const VOID *From, SIZE_T Length)
{
    return MiIsUserRange(To, Length) ? MiCopyGuarded(To, From, Length) : STATUS_ACCESS_VIOLATION;
}

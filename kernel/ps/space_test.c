/* SPDX-License-Identifier: MIT
 * Address spaces of processes: each its own, demand zero, guard pages, copy on write between two, teardown without a leak. */
#include "ps.h"
#include "ex.h"
#include "kt.h"
#include "mm_section.h"
#include "ob.h"

#define SPACE_BASE 0x20000000ull

static NTSTATUS SpaceTouch(ULONG_PTR Address, BOOLEAN Write, UCHAR *Value)
{
    __try {
        if (Write)
            *(volatile UCHAR *)Address = *Value;
        else
            *Value = *(volatile UCHAR *)Address;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS SpaceWrite(ULONG_PTR Address, UCHAR Value)
{
    return SpaceTouch(Address, TRUE, &Value);
}

/* The byte there, or -1. */
static int SpaceRead(ULONG_PTR Address)
{
    UCHAR Value;
    return NT_SUCCESS(SpaceTouch(Address, FALSE, &Value)) ? Value : -1;
}

static NTSTATUS SpaceReserve(PEPROCESS Process, ULONG_PTR Base, SIZE_T Size, ULONG Type, ULONG Protect)
{
    PVOID At = (PVOID)Base;
    return MmAllocateVirtual(Process->Pcb.AddressSpace, &At, 0, &Size, Type, Protect);
}

static NTSTATUS SpaceProtect(PEPROCESS Process, ULONG_PTR Base, SIZE_T Size, ULONG Protect)
{
    PVOID At = (PVOID)Base;
    ULONG Old;
    return MmProtectVirtual(Process->Pcb.AddressSpace, &At, &Size, Protect, &Old);
}

static PFN_NUMBER SpaceFreePages(VOID)
{
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    return Counters.FreePages;
}

static SIZE_T SpaceCommitted(VOID)
{
    MM_COMMITMENT Commitment;
    MmQueryCommitment(&Commitment);
    return Commitment.Committed;
}

/* Two processes with the same address, each with its own contents; nothing is left of them. */
static BOOLEAN SpaceTwo(PEPROCESS First, PEPROCESS Second)
{
    KAPC_STATE State;
    BOOLEAN Right = TRUE;
    PEPROCESS Both[] = {First, Second};

    for (UCHAR I = 0; I < 2; I++) {
        Right &= SpaceReserve(Both[I], SPACE_BASE, 0x300000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) == 0;
        KeStackAttachProcess(&Both[I]->Pcb, &State);
        for (ULONG At = 0; At < 0x300000; At += 0x40000)
            Right &= SpaceRead(SPACE_BASE + At) == 0 && SpaceWrite(SPACE_BASE + At, (UCHAR)(I + 1)) == 0;
        KeUnstackDetachProcess(&State);
    }
    for (UCHAR I = 0; I < 2; I++) {
        KeStackAttachProcess(&Both[I]->Pcb, &State);
        for (ULONG At = 0; At < 0x300000; At += 0x40000)
            Right &= SpaceRead(SPACE_BASE + At) == I + 1 && SpaceRead(SPACE_BASE + At + 1) == 0;
        KeUnstackDetachProcess(&State);
    }
    return Right && SpaceRead(SPACE_BASE) == -1;
}

static BOOLEAN SpaceTwoRound(VOID)
{
    PEPROCESS First, Second;

    if (PsCreateEmptyProcess(&First) != STATUS_SUCCESS || PsCreateEmptyProcess(&Second) != STATUS_SUCCESS)
        return FALSE;
    BOOLEAN Right = SpaceTwo(First, Second);
    ObDereferenceObject(First);
    ObDereferenceObject(Second);
    return Right;
}

/* Pages that are gone after a round. The first rounds fill what is kept: pool, tables of the kernel half. */
static LONG64 SpaceMeasure(BOOLEAN (*Round)(VOID), BOOLEAN *Right)
{
    LONG64 Before = (LONG64)SpaceFreePages();
    SIZE_T Committed = SpaceCommitted();

    *Right = *Right && Round() && SpaceCommitted() == Committed;
    return Before - (LONG64)SpaceFreePages();
}

#define SPACE_WARM_ROUNDS 4u
#define SPACE_ROUNDS 16u

/* Other threads take and give pages too; a page that each round loses is more than they ever hold. */
static BOOLEAN SpaceLosesNothing(BOOLEAN (*Round)(VOID))
{
    BOOLEAN Right = TRUE;
    LONG64 Lost = 0;

    for (ULONG I = 0; I < SPACE_WARM_ROUNDS && Right; I++)
        (void)SpaceMeasure(Round, &Right);
    for (ULONG I = 0; I < SPACE_ROUNDS && Right; I++)
        Lost += SpaceMeasure(Round, &Right);
    return Right && Lost < (LONG64)SPACE_ROUNDS;
}

KT_TEST(space_of_each_process_is_its_own)
{
    KT_EXPECT(SpaceLosesNothing(SpaceTwoRound));
}

/* --- one process --- */

static BOOLEAN SpaceIn(BOOLEAN (*Body)(PEPROCESS Process))
{
    PEPROCESS Process;
    KAPC_STATE State;

    if (!NT_SUCCESS(PsCreateEmptyProcess(&Process)))
        return FALSE;
    KeStackAttachProcess(&Process->Pcb, &State);
    BOOLEAN Right = Body(Process);
    KeUnstackDetachProcess(&State);
    ObDereferenceObject(Process);
    return Right;
}

static BOOLEAN SpaceFaults(PEPROCESS Process)
{
    return SpaceReserve(Process, SPACE_BASE, 0x10000, MEM_RESERVE, PAGE_READWRITE) == 0 &&
           SpaceWrite(SPACE_BASE, 1) == STATUS_ACCESS_VIOLATION &&
           SpaceReserve(Process, SPACE_BASE + 0x2000, 0x3000, MEM_COMMIT, PAGE_READWRITE) == 0 &&
           SpaceWrite(SPACE_BASE + 0x2000, 7) == 0 && SpaceRead(SPACE_BASE + 0x2000) == 7 &&
           SpaceWrite(SPACE_BASE + 0x1fff, 1) == STATUS_ACCESS_VIOLATION &&
           SpaceWrite(SPACE_BASE + 0x5000, 1) == STATUS_ACCESS_VIOLATION &&
           SpaceProtect(Process, SPACE_BASE + 0x2000, 0x1000, PAGE_READONLY) == 0 &&
           SpaceRead(SPACE_BASE + 0x2000) == 7 &&
           SpaceWrite(SPACE_BASE + 0x2000, 1) == STATUS_ACCESS_VIOLATION &&
           SpaceProtect(Process, SPACE_BASE + 0x2000, 0x1000, PAGE_NOACCESS) == 0 &&
           SpaceRead(SPACE_BASE + 0x2000) == -1 &&
           SpaceProtect(Process, SPACE_BASE + 0x2000, 0x2000, PAGE_READWRITE | PAGE_GUARD) == 0 &&
           SpaceWrite(SPACE_BASE + 0x2000, 9) == STATUS_GUARD_PAGE_VIOLATION &&
           SpaceRead(SPACE_BASE + 0x2000) == 7 && SpaceWrite(SPACE_BASE + 0x2000, 9) == 0 &&
           SpaceWrite(SPACE_BASE + 0x3000, 9) == STATUS_GUARD_PAGE_VIOLATION &&
           SpaceWrite(SPACE_BASE + 0x3000, 9) == 0;
}

KT_TEST(space_faults_as_its_pages_say)
{
    KT_EXPECT(SpaceIn(SpaceFaults));
}

/* More than there is: refused before a table is made. */
static BOOLEAN SpaceTooMuch(PEPROCESS Process)
{
    const SIZE_T Huge = 1ull << 43;
    const ULONG_PTR Base = 1ull << 40;
    MM_SPACE_COUNTERS Before, After;
    SIZE_T Committed = SpaceCommitted();

    BOOLEAN Right = SpaceReserve(Process, Base, Huge, MEM_RESERVE, PAGE_READWRITE) == 0;
    MmQueryAddressSpace(Process->Pcb.AddressSpace, &Before);
    Right &= SpaceReserve(Process, Base + PAGE_SIZE, Huge - PAGE_SIZE, MEM_COMMIT, PAGE_READWRITE) ==
             STATUS_COMMITMENT_LIMIT;
    MmQueryAddressSpace(Process->Pcb.AddressSpace, &After);
    return Right && After.TablePages == Before.TablePages && After.CommitPages == 0 &&
           SpaceCommitted() == Committed;
}

KT_TEST(space_loses_nothing_when_memory_is_refused)
{
    KT_EXPECT(SpaceIn(SpaceTooMuch));
}

/* What MDLs have locked is counted until it is unlocked, also of a part that was passed by. */
static BOOLEAN SpaceLocks(PEPROCESS Process)
{
    MM_SPACE_COUNTERS Locked, Passed, After;
    PMM_ADDRESS_SPACE Space = Process->Pcb.AddressSpace;
    BOOLEAN Right = SpaceReserve(Process, SPACE_BASE, 0x10000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) == 0;
    PMDL Mdl = IoAllocateMdl((PVOID)SPACE_BASE, 0x4000, FALSE, FALSE, NULL);
    if (!Right || Mdl == NULL)
        return FALSE;
    MmProbeAndLockPages(Mdl, UserMode, IoWriteAccess);
    MmQueryAddressSpace(Space, &Locked);
    Right &= NT_SUCCESS(MmAdvanceMdl(Mdl, 0x1800));
    MmQueryAddressSpace(Space, &Passed);
    MmUnlockPages(Mdl);
    MmQueryAddressSpace(Space, &After);
    IoFreeMdl(Mdl);
    return Right && Locked.MdlPages == 4 && Passed.MdlPages == 3 && After.MdlPages == 0;
}

KT_TEST(space_counts_what_mdls_lock)
{
    KT_EXPECT(SpaceIn(SpaceLocks));
}

static BOOLEAN SpaceShared(PEPROCESS Process)
{
    const volatile ULONG *Major = (PVOID)(MM_USER_SHARED_DATA + 0x26c);
    MEMORY_BASIC_INFORMATION Information;

    return *Major == 10 && SpaceWrite(MM_USER_SHARED_DATA, 1) == STATUS_ACCESS_VIOLATION &&
           MmQueryBasic(Process->Pcb.AddressSpace, MM_USER_SHARED_DATA, &Information) == 0 &&
           Information.State == MEM_COMMIT && Information.Protect == PAGE_READONLY;
}

KT_TEST(space_shows_the_shared_data)
{
    KT_EXPECT(SpaceIn(SpaceShared));
}

static BOOLEAN SpaceCopies(PEPROCESS Process)
{
    UCHAR Bytes[16];
    return MmCopyToUser((PVOID)SPACE_BASE, "abc", 4) == STATUS_ACCESS_VIOLATION &&
           SpaceReserve(Process, SPACE_BASE, 0x2000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) == 0 &&
           MmCopyToUser((PVOID)(SPACE_BASE + 0xffe), "abc", 4) == 0 &&
           MmCopyFromUser(Bytes, (PVOID)(SPACE_BASE + 0xffe), 4) == 0 && Bytes[2] == 'c' &&
           MmCopyFromUser(Bytes, (PVOID)(SPACE_BASE + 0x1ff8), 16) == STATUS_ACCESS_VIOLATION &&
           MmCopyFromUser(Bytes, (PVOID)MM_IMAGE_BASE, 16) == STATUS_ACCESS_VIOLATION &&
           MmCopyFromUser(Bytes, (PVOID)~15ull, 16) == STATUS_ACCESS_VIOLATION &&
           MmCopyToUser((PVOID)0x8000000000000000, Bytes, 16) == STATUS_ACCESS_VIOLATION;
}

KT_TEST(space_copies_never_fault)
{
    KT_EXPECT(SpaceIn(SpaceCopies));
}

/* --- views of one segment in two processes --- */

static NTSTATUS SpaceMap(PEPROCESS Process, PMM_SEGMENT Segment, ULONG_PTR Base, ULONG Protect)
{
    MM_VIEW View = {.Base = Base,
                    .Protect = Protect,
                    .SectionProtect = PAGE_READWRITE,
                    .SectionSize = 0x50000,
                    .Inherit = ViewUnmap};
    return MmMapView(Process->Pcb.AddressSpace, Segment, &View);
}

#define SPACE_COPY 0x30000000ull

static BOOLEAN SpaceMapBoth(PEPROCESS Process, PMM_SEGMENT Segment)
{
    return SpaceMap(Process, Segment, SPACE_BASE, PAGE_READWRITE) == 0 &&
           SpaceMap(Process, Segment, SPACE_COPY, PAGE_WRITECOPY) == 0;
}

static BOOLEAN SpaceSee(PEPROCESS Process, int Shared, int Copy)
{
    KAPC_STATE State;
    KeStackAttachProcess(&Process->Pcb, &State);
    BOOLEAN Right = SpaceRead(SPACE_BASE) == Shared && SpaceRead(SPACE_COPY) == Copy;
    KeUnstackDetachProcess(&State);
    return Right;
}

static BOOLEAN SpacePut(PEPROCESS Process, ULONG_PTR Address, UCHAR Value)
{
    KAPC_STATE State;
    KeStackAttachProcess(&Process->Pcb, &State);
    BOOLEAN Right = SpaceWrite(Address, Value) == 0;
    KeUnstackDetachProcess(&State);
    return Right;
}

/* What is written to the view is seen by all; what is written to a copy by nobody else, and it keeps what it had. */
static BOOLEAN SpaceShare(PEPROCESS A, PEPROCESS B, PMM_SEGMENT Segment)
{
    return SpaceMapBoth(A, Segment) && SpaceMapBoth(B, Segment) && SpacePut(A, SPACE_BASE, 5) &&
           SpaceSee(A, 5, 5) && SpaceSee(B, 5, 5) && SpacePut(B, SPACE_COPY, 6) && SpaceSee(A, 5, 5) &&
           SpaceSee(B, 5, 6) && SpacePut(A, SPACE_BASE, 7) && SpaceSee(A, 7, 7) && SpaceSee(B, 7, 6) &&
           SpacePut(A, SPACE_COPY, 8) && SpaceSee(A, 7, 8) && SpaceSee(B, 7, 6);
}

static BOOLEAN SpaceShareRound(VOID)
{
    PEPROCESS A, B;
    PMM_SEGMENT Segment;

    if (PsCreateEmptyProcess(&A) != 0 || PsCreateEmptyProcess(&B) != 0 ||
        MmCreatePageFileSegment(0x50000, PAGE_READWRITE, FALSE, &Segment) != 0)
        return FALSE;
    BOOLEAN Right = SpaceShare(A, B, Segment);
    MmReleaseSegment(Segment); /* the views keep it */
    Right &=
        MmUnmapView(A->Pcb.AddressSpace, SPACE_BASE + 0x1234) == 0 && SpaceSee(A, -1, 8) && SpaceSee(B, 7, 6);
    ObDereferenceObject(A);
    Right &= SpaceSee(B, 7, 6);
    ObDereferenceObject(B);
    return Right;
}

KT_TEST(space_views_are_shared_or_copied)
{
    KT_EXPECT(SpaceLosesNothing(SpaceShareRound));
}

/* --- threads in one address space at once, on all processors --- */

#define SPACE_THREADS 4
#define SPACE_PAGES 512u

typedef struct _SPACE_CREW {
    PEPROCESS Process;
    volatile LONG Wrong;
    volatile LONG Next;     /* number of the worker that begins next */
    volatile LONG Arrived;  /* workers that are on their processor */
    volatile LONG64 Worked; /* bit per processor that a worker works on */
} SPACE_CREW;

/* Each on a processor of its own, as long as there are any; nobody begins before all are there. */
static VOID SpaceArrive(SPACE_CREW *Crew)
{
    ULONG Processor = (ULONG)(InterlockedIncrement(&Crew->Next) - 1) % KeQueryActiveProcessorCount(NULL);
    LARGE_INTEGER Tick = {.QuadPart = -10000};

    KeSetSystemAffinityThread((KAFFINITY)1 << Processor);
    InterlockedIncrement(&Crew->Arrived);
    while (Crew->Arrived < SPACE_THREADS)
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
    InterlockedOr64(&Crew->Worked, 1ll << KeGetCurrentProcessorNumberEx(NULL));
}

/* All touch the same pages, which are there once; each takes its own range away again and again. */
static VOID NTAPI SpaceWorker(PVOID Context)
{
    SPACE_CREW *Crew = Context;
    SpaceArrive(Crew);
    KAPC_STATE State;
    ULONG_PTR Own = 0;
    SIZE_T Size = 0x10000;

    KeStackAttachProcess(&Crew->Process->Pcb, &State);
    for (ULONG I = 0; I < SPACE_PAGES; I++)
        InterlockedIncrement((volatile LONG *)(SPACE_BASE + I * PAGE_SIZE));
    for (ULONG I = 0; I < 50; I++) {
        PVOID Base = NULL;
        if (MmAllocateVirtual(Crew->Process->Pcb.AddressSpace, &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE) !=
            0)
            InterlockedIncrement(&Crew->Wrong);
        Own = (ULONG_PTR)Base;
        for (ULONG At = 0; At < Size; At += PAGE_SIZE)
            if (SpaceRead(Own + At) != 0 || SpaceWrite(Own + At, (UCHAR)I | 1) != 0)
                InterlockedIncrement(&Crew->Wrong);
        Size = 0;
        if (MmFreeVirtual(Crew->Process->Pcb.AddressSpace, &Base, &Size, 0x8000) != 0)
            InterlockedIncrement(&Crew->Wrong);
    }
    KeUnstackDetachProcess(&State);
    KeRevertToUserAffinityThread();
}

static BOOLEAN SpaceRunCrew(SPACE_CREW *Crew)
{
    PVOID Threads[SPACE_THREADS] = {NULL};
    BOOLEAN Right = TRUE;

    for (ULONG I = 0; I < SPACE_THREADS; I++)
        Right &= (Threads[I] = KtStartThread(SpaceWorker, Crew)) != NULL;
    for (ULONG I = 0; I < SPACE_THREADS; I++)
        KtJoinThread(Threads[I]);
    return Right && Crew->Wrong == 0;
}

static BOOLEAN SpaceCountCrew(PEPROCESS Process)
{
    for (ULONG I = 0; I < SPACE_PAGES; I++)
        if (*(volatile LONG *)(SPACE_BASE + I * PAGE_SIZE) != SPACE_THREADS)
            return FALSE;
    MM_SPACE_COUNTERS Counters;
    MmQueryAddressSpace(Process->Pcb.AddressSpace, &Counters);
    return Counters.WorkingSet == SPACE_PAGES && Counters.CommitPages == SPACE_PAGES &&
           Counters.PageFaults >= SPACE_PAGES + SPACE_THREADS * 50 * 16;
}

static BOOLEAN SpaceCrew(PEPROCESS Process)
{
    SPACE_CREW Crew = {.Process = Process};
    ULONG Processors = min(KeQueryActiveProcessorCount(NULL), SPACE_THREADS);
    return SpaceReserve(Process, SPACE_BASE, SPACE_PAGES * PAGE_SIZE, MEM_RESERVE | MEM_COMMIT,
                        PAGE_READWRITE) == 0 &&
           SpaceRunCrew(&Crew) && Crew.Worked == (1ll << Processors) - 1 && SpaceCountCrew(Process);
}

KT_TEST(space_is_used_by_threads_on_all_processors)
{
    KT_EXPECT(SpaceIn(SpaceCrew));
}

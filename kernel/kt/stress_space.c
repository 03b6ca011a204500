/* SPDX-License-Identifier: MIT
 * Stress: many threads change one address space at once: each has a range of its own there and knows what every page of it must be;
 * and a page of a section that all of them map and count in, in two processes. */
#include "stress.h"
#include "mm_section.h"
#include "ob.h"
#include "ps.h"

#define SPACE_PAGES 24u
#define SPACE_STEPS 6u

typedef enum _SPACE_STATE { SpaceReserved, SpaceReadWrite, SpaceReadOnly, SpaceNoAccess } SPACE_STATE;

/* What a worker's range is. */
typedef struct _SPACE_MODEL {
    ULONG_PTR Base; /* 0: none */
    struct {
        UCHAR State; /* SPACE_STATE */
        UCHAR Value; /* of its first byte */
    } Page[SPACE_PAGES];
} SPACE_MODEL;

static PEPROCESS SpaceProcess[2];
static PMM_SEGMENT SpaceSegment;
static SPACE_MODEL SpaceModels[STRESS_WORKERS_MAX];
static ULONG SpaceCounts[STRESS_WORKERS_MAX]; /* what each worker has counted in its word of the section */
static SIZE_T SpaceCommittedBefore;

static PMM_ADDRESS_SPACE SpaceOf(ULONG Process)
{
    return SpaceProcess[Process]->Pcb.AddressSpace;
}

static VOID SpacePrepare(VOID)
{
    MM_COMMITMENT Commitment;

    MmQueryCommitment(&Commitment);
    SpaceCommittedBefore = Commitment.Committed;
    for (ULONG i = 0; i < RTL_NUMBER_OF(SpaceProcess); i++)
        STRESS_EXPECT(NT_SUCCESS(PsCreateEmptyProcess(&SpaceProcess[i])));
    STRESS_EXPECT(NT_SUCCESS(MmCreatePageFileSegment(2 * PAGE_SIZE, PAGE_READWRITE, FALSE, &SpaceSegment)));
}

/* The byte at an address, or -1: it may not be touched. Write: it is set to Value before. */
static int SpaceTouch(ULONG_PTR Address, BOOLEAN Write, UCHAR Value)
{
    volatile UCHAR *Byte = (PVOID)Address;

    __try {
        if (Write)
            *Byte = Value;
        return *Byte;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        STRESS_EQUAL((NTSTATUS)GetExceptionCode(), STATUS_ACCESS_VIOLATION);
        return -1;
    }
}

static VOID SpaceCheckPage(const SPACE_MODEL *Model, ULONG Page)
{
    ULONG_PTR Address = Model->Base + Page * PAGE_SIZE;
    SPACE_STATE State = Model->Page[Page].State;
    BOOLEAN Readable = State == SpaceReadWrite || State == SpaceReadOnly;

    STRESS_EQUAL(SpaceTouch(Address, FALSE, 0), Readable ? Model->Page[Page].Value : -1);
    STRESS_EQUAL(SpaceTouch(Address + 1, FALSE, 0), Readable ? 0 : -1);
    if (State != SpaceReadWrite)
        STRESS_EQUAL(SpaceTouch(Address, TRUE, 0xee), -1);
}

/* --- changes of pages [First, First + Count) --- */

static VOID SpaceCommit(SPACE_MODEL *Model, ULONG First, ULONG Count)
{
    PVOID Base = (PVOID)(Model->Base + First * PAGE_SIZE);
    SIZE_T Size = Count * PAGE_SIZE;

    STRESS_EQUAL(MmAllocateVirtual(SpaceOf(0), &Base, 0, &Size, MEM_COMMIT, PAGE_READWRITE), 0);
    for (ULONG i = First; i < First + Count; i++) {
        if (Model->Page[i].State == SpaceReserved)
            Model->Page[i].Value = 0;
        Model->Page[i].State = SpaceReadWrite;
    }
}

static VOID SpaceDecommit(SPACE_MODEL *Model, ULONG First, ULONG Count)
{
    PVOID Base = (PVOID)(Model->Base + First * PAGE_SIZE);
    SIZE_T Size = Count * PAGE_SIZE;

    STRESS_EQUAL(MmFreeVirtual(SpaceOf(0), &Base, &Size, MEM_DECOMMIT), 0);
    for (ULONG i = First; i < First + Count; i++)
        Model->Page[i].State = SpaceReserved;
}

/* Of one page, if it is committed. */
static VOID SpaceProtect(SPACE_MODEL *Model, ULONG Page, ULONG Protect, SPACE_STATE State)
{
    PVOID Base = (PVOID)(Model->Base + Page * PAGE_SIZE);
    SIZE_T Size = 1;
    ULONG Old;
    NTSTATUS Wanted = Model->Page[Page].State == SpaceReserved ? STATUS_NOT_COMMITTED : STATUS_SUCCESS;

    STRESS_EQUAL(MmProtectVirtual(SpaceOf(0), &Base, &Size, Protect, &Old), Wanted);
    if (NT_SUCCESS(Wanted))
        Model->Page[Page].State = State;
}

static VOID SpaceWrite(STRESS_WORKER *Worker, SPACE_MODEL *Model, ULONG Page)
{
    UCHAR Value = (UCHAR)StressRandom(Worker, 256);

    if (Model->Page[Page].State != SpaceReadWrite)
        return;
    STRESS_EQUAL(SpaceTouch(Model->Base + Page * PAGE_SIZE, TRUE, Value), Value);
    Model->Page[Page].Value = Value;
}

static VOID SpaceReserve(SPACE_MODEL *Model, BOOLEAN TopDown)
{
    PVOID Base = NULL;
    SIZE_T Size = SPACE_PAGES * PAGE_SIZE;
    ULONG Type = MEM_RESERVE | (TopDown ? MEM_TOP_DOWN : 0);

    RtlZeroMemory(Model, sizeof(*Model));
    STRESS_EQUAL(MmAllocateVirtual(SpaceOf(0), &Base, 0, &Size, Type, PAGE_READWRITE), 0);
    Model->Base = (ULONG_PTR)Base;
}

static VOID SpaceRelease(SPACE_MODEL *Model)
{
    PVOID Base = (PVOID)Model->Base;
    SIZE_T Size = 0;

    STRESS_EQUAL(MmFreeVirtual(SpaceOf(0), &Base, &Size, MEM_RELEASE), 0);
    Model->Base = 0;
}

static VOID SpaceStep(STRESS_WORKER *Worker, SPACE_MODEL *Model)
{
    ULONG First = StressRandom(Worker, SPACE_PAGES), Count = 1 + StressRandom(Worker, SPACE_PAGES - First);

    switch (StressRandom(Worker, 8)) {
    case 0:
    case 1:
        SpaceCommit(Model, First, Count);
        break;
    case 2:
        SpaceDecommit(Model, First, Count);
        break;
    case 3:
        SpaceProtect(Model, First, PAGE_READONLY, SpaceReadOnly);
        break;
    case 4:
        SpaceProtect(Model, First, PAGE_NOACCESS, SpaceNoAccess);
        break;
    case 5:
        SpaceProtect(Model, First, PAGE_READWRITE, SpaceReadWrite);
        break;
    default:
        SpaceWrite(Worker, Model, First);
    }
    SpaceCheckPage(Model, StressRandom(Worker, SPACE_PAGES));
}

static VOID SpaceOperate(STRESS_WORKER *Worker)
{
    SPACE_MODEL *Model = &SpaceModels[Worker->Index];
    KAPC_STATE State;

    KeStackAttachProcess(&SpaceProcess[0]->Pcb, &State);
    if (Model->Base == 0)
        SpaceReserve(Model, StressRandom(Worker, 2) == 0);
    for (ULONG i = 0; i < SPACE_STEPS; i++)
        SpaceStep(Worker, Model);
    if (StressRandom(Worker, 8) == 0)
        SpaceRelease(Model);
    KeUnstackDetachProcess(&State);
}

/* --- the section --- */

/* Each has a word in the first page, which all map, and leaves it where a copy of it, once written, must not be seen. */
static VOID ViewOperate(STRESS_WORKER *Worker)
{
    ULONG Process = StressRandom(Worker, 2), Copy = StressRandom(Worker, 4) == 0;
    MM_VIEW View = {.Protect = Copy ? PAGE_WRITECOPY : PAGE_READWRITE,
                    .SectionProtect = PAGE_READWRITE,
                    .SectionSize = 2 * PAGE_SIZE,
                    .Inherit = ViewUnmap};
    KAPC_STATE State;

    STRESS_EQUAL(MmMapView(SpaceOf(Process), SpaceSegment, &View), 0);
    KeStackAttachProcess(&SpaceProcess[Process]->Pcb, &State);
    volatile ULONG *Word = (volatile ULONG *)View.Base + Worker->Index;
    STRESS_EQUAL(*Word, SpaceCounts[Worker->Index]);
    StressDelay(Worker);
    *Word += 1;
    STRESS_EQUAL(*Word, SpaceCounts[Worker->Index] + 1);
    if (!Copy)
        SpaceCounts[Worker->Index]++;
    KeUnstackDetachProcess(&State);
    STRESS_EQUAL(MmUnmapView(SpaceOf(Process), View.Base), 0);
}

static VOID SpaceCheck(VOID)
{
    MM_COMMITMENT Commitment;
    MM_SPACE_COUNTERS Counters;

    MmQueryAddressSpace(SpaceOf(1), &Counters);
    STRESS_EQUAL(Counters.WorkingSet + Counters.CommitPages, 0);
    for (ULONG i = 0; i < RTL_NUMBER_OF(SpaceProcess); i++)
        ObDereferenceObject(SpaceProcess[i]);
    MmReleaseSegment(SpaceSegment);
    MmQueryCommitment(&Commitment);
    STRESS_EQUAL(Commitment.Committed, SpaceCommittedBefore);
}

const STRESS_KIND StressSpaceKinds[] = {
    {"pages of an address space", 5, SpacePrepare, SpaceOperate, SpaceCheck},
    {"views of a section", 5, NULL, ViewOperate, NULL},
};
const ULONG StressSpaceKindCount = RTL_NUMBER_OF(StressSpaceKinds);

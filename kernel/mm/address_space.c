/* SPDX-License-Identifier: MIT
 * Address spaces of processes: made, locked, deleted. The upper half of every root is the same and complete since boot, but for the
 * recursive slot, which is the root's own. */
#include "mm/user_space.h"
#include "mm/segment.h"
#include "ke.h"

static MM_ADDRESS_SPACE MiSystemSpace;

PMM_ADDRESS_SPACE MmSystemAddressSpace(VOID)
{
    return &MiSystemSpace;
}

VOID MiAcquire(PEX_PUSH_LOCK Lock)
{
    KeEnterGuardedRegion();
    ExAcquirePushLockExclusiveEx(Lock, 0);
    KiCurrentThread()->MemoryLocks++;
}

VOID MiRelinquish(PEX_PUSH_LOCK Lock)
{
    KiCurrentThread()->MemoryLocks--;
    ExReleasePushLockExclusiveEx(Lock, 0);
    KeLeaveGuardedRegion();
}

VOID MiLockSpace(PMM_ADDRESS_SPACE Space)
{
    MiAcquire(&Space->Lock);
}

VOID MiUnlockSpace(PMM_ADDRESS_SPACE Space)
{
    MiRelinquish(&Space->Lock);
}

static VOID MiInitAddressSpace(PMM_ADDRESS_SPACE Space, ULONG64 Root)
{
    Space->Root = Root;
    InitializeListHead(&Space->Secures);
    InitializeListHead(&Space->LockedMdls);
    Space->Counters.MinimumWorkingSet = 50; /* [WDK SetProcessWorkingSetSize] the defaults, in pages */
    Space->Counters.MaximumWorkingSet = 345;
    Space->SharedData = (MI_VAD){
        .Node = {.First = MM_USER_SHARED_DATA >> PAGE_SHIFT, .Last = MM_USER_SHARED_DATA >> PAGE_SHIFT},
        .Kind = MiVadFixed,
        .AllocationRights = MI_USER_READ,
        .Rights = MI_USER_READ};
    BOOLEAN Inserted = MiVadInsert(&Space->Ranges, &Space->SharedData.Node);
    NT_CHECK(Inserted);
    (void)Inserted;
}

VOID MiInitSystemSpace(ULONG64 Root)
{
    MiInitAddressSpace(&MiSystemSpace, Root);
}

static VOID MiFillRoot(PFN_NUMBER Frame)
{
    const MI_PTE *Kernel = MmDirectMap(MiSystemSpace.Root);
    MI_PTE *Root = MmDirectMap(Frame << PAGE_SHIFT);

    for (ULONG I = 256; I < 512; I++)
        Root[I] = MiReadPte(&Kernel[I]);
    MI_PTE *Self = &Root[MiSlotOf(MM_PAGE_TABLES_BASE)];
    *Self = (*Self & ~MI_PTE_FRAME) | ((MI_PTE)Frame << PAGE_SHIFT);
}

NTSTATUS MmCreateAddressSpace(PMM_ADDRESS_SPACE *Created, PULONG64 Root)
{
    PMM_ADDRESS_SPACE Space = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Space), MI_TAG_SPACE);

    if (Space == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    PFN_NUMBER Frame = MmAllocatePhysicalPage(TRUE);
    if (Frame == MM_NO_PAGE) {
        ExFreePoolWithTag(Space, MI_TAG_SPACE);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MiFillRoot(Frame);
    MiInitAddressSpace(Space, Frame << PAGE_SHIFT);
    *Created = Space;
    *Root = Space->Root;
    return STATUS_SUCCESS;
}

static VOID MiTakeVad(PMM_ADDRESS_SPACE Space, MI_VAD *Vad)
{
    MiLockSpace(Space);
    if (Vad->Segment != NULL) {
        MiTakeUserView(Space, Vad);
    } else {
        MiClearRange(Space, Vad->Node.First, Vad->Node.Last, MiClearToZero);
        MiReturnSpace(Space, Vad, Vad->Charged);
    }
    MiVadRemove(&Space->Ranges, &Vad->Node);
    MiUnlockSpace(Space);
}

/* Nobody else changes the ranges of the space any more; who flushes a file looks at pages of its views. */
static MI_VAD *MiTakeAnyVad(PMM_ADDRESS_SPACE Space)
{
    if (Space->Ranges.Root == NULL)
        return NULL;
    MI_VAD *Vad = CONTAINING_RECORD(Space->Ranges.Root, MI_VAD, Node);
    if (Vad->Segment != NULL)
        MiLockViews(Vad->Segment);
    MiTakeVad(Space, Vad);
    if (Vad->Segment != NULL)
        MiUnlockViews(Vad->Segment);
    return Vad;
}

static VOID MiFreeVad(MI_VAD *Vad)
{
    if (Vad->Kind == MiVadFixed)
        return;
    if (Vad->Segment != NULL)
        MiReleaseView(Vad->Segment, Vad);
    ExFreePoolWithTag(Vad, MI_TAG_VAD);
}

VOID MmDeleteAddressSpace(PMM_ADDRESS_SPACE Space)
{
    NT_CHECK(Space != &MiSystemSpace && Space->Root != (ArchReadCr3() & MI_PTE_FRAME));
    MI_VAD *Vad;
    while ((Vad = MiTakeAnyVad(Space)) != NULL)
        MiFreeVad(Vad);
    MiFreeSecures(Space);
    MiFreeUserTables(Space);
    NT_CHECK(Space->Counters.WorkingSet == 0 && Space->Counters.CommitPages == 0 &&
             Space->Counters.TablePages == 0);
    MmFreePhysicalPages(Space->Root >> PAGE_SHIFT, 1);
    ExFreePoolWithTag(Space, MI_TAG_SPACE);
}

VOID MmQueryAddressSpace(PMM_ADDRESS_SPACE Space, MM_SPACE_COUNTERS *Counters)
{
    MiLockSpace(Space);
    *Counters = Space->Counters;
    Counters->MdlPages = Space->MdlPages;
    MiUnlockSpace(Space);
}

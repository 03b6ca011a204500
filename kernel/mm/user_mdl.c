/* SPDX-License-Identifier: MIT
 * Pages of an MDL in the user half of the current process. [WDK MmMapLockedPagesSpecifyCache, AccessMode UserMode] The range belongs to who
 * mapped it: its process cannot free it or change its protection; it goes with the process at the latest. Pages that the MDL has locked may be
 * nobody's else by now; device memory is shown as by a view of physical memory. */
#include "ke.h"
#include "mm/pfn.h"
#include "mm/user_space.h"

static PMM_ADDRESS_SPACE MiCurrentSpace(VOID)
{
    PKPROCESS Process = KiCurrentThread()->ApcState.Process;
    return Process != NULL ? Process->AddressSpace : NULL;
}

/* RAM that nobody owns is refused. [WDK Bug Check 0x1A] 0x1233: a page that is not locked */
static NTSTATUS MiShareMdlPage(PFN_NUMBER Frame, MI_CACHE Wanted)
{
    BOOLEAN Ram;
    if (MiIsManaged(Frame)) {
        if (!MiShareLockedFrame(Frame))
            KeBugCheckEx(MEMORY_MANAGEMENT, 0x1233, Frame, 0, 0);
        return STATUS_SUCCESS;
    }
    (void)MiRunOfKind(Frame, 1, &Ram);
    if (Ram)
        return STATUS_INVALID_PARAMETER;
    return MiShareDevice(Frame, 1, Wanted) ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS MiShowPages(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, const PFN_NUMBER *Frames,
                            MI_CACHE Wanted)
{
    for (ULONG64 Page = Vad->Node.First; Page <= Vad->Node.Last; Page++) {
        PFN_NUMBER Frame = Frames[Page - Vad->Node.First];
        MI_PTE *Pte = MiMakeUserPte(Space, Page);
        if (Pte == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        NTSTATUS Status = MiShareMdlPage(Frame, Wanted);
        if (!NT_SUCCESS(Status))
            return Status;
        MiWritePte(Pte, MiUserEntry(Frame, Vad->Rights, (Vad->Rights & MI_USER_WRITE) != 0) | MI_PTE_SHARE |
                            MiCacheBitsOfFrame(Frame, Wanted));
        MiCountPage(Space);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS MiPlacePages(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, ULONG_PTR Base, const PFN_NUMBER *Frames,
                             SIZE_T Count, MI_CACHE Wanted)
{
    NTSTATUS Status = MiPlaceVad(Space, Vad, Base, Count, MI_USER_HIGHEST_PAGE, FALSE);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = MiShowPages(Space, Vad, Frames, Wanted);
    if (!NT_SUCCESS(Status)) {
        MiClearRange(Space, Vad->Node.First, Vad->Node.Last, MiClearToZero);
        MiRemoveVad(Space, Vad);
    }
    return Status;
}

/* [WDK MmMapLockedPagesSpecifyCache] the system may round the address down. */
NTSTATUS MiMapUserPages(ULONG_PTR *Base, const PFN_NUMBER *Frames, SIZE_T Count, BOOLEAN Write,
                        MI_CACHE Wanted)
{
    PMM_ADDRESS_SPACE Space = MiCurrentSpace();
    ULONG_PTR Place = *Base & ~(ULONG_PTR)(MM_GRANULARITY - 1);
    ULONG64 First, Last;

    if (Space == NULL)
        return STATUS_INVALID_PARAMETER;
    if (*Base != 0 && (Place < MM_USER_LOWEST || !MiPagesOf(Place, Count << PAGE_SHIFT, &First, &Last)))
        return STATUS_INVALID_ADDRESS;
    MI_VAD *Vad = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Vad), MI_TAG_VAD);
    if (Vad == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Vad->Kind = MiVadMdl;
    Vad->NoChange = TRUE;
    Vad->Rights = Vad->AllocationRights = Write ? MI_USER_READ | MI_USER_WRITE : MI_USER_READ;
    MiLockSpace(Space);
    NTSTATUS Status = MiPlacePages(Space, Vad, Place, Frames, Count, Wanted);
    *Base = Vad->Node.First << PAGE_SHIFT;
    MiUnlockSpace(Space);
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(Vad, MI_TAG_VAD);
    return Status;
}

BOOLEAN MiUnmapUserPages(ULONG_PTR Base, SIZE_T Count)
{
    PMM_ADDRESS_SPACE Space = MiCurrentSpace();

    if (Space == NULL)
        return FALSE;
    MiLockSpace(Space);
    MI_VAD *Vad = MiFindVad(Space, Base >> PAGE_SHIFT);
    BOOLEAN Ours = Vad != NULL && Vad->Kind == MiVadMdl && Vad->Node.First == Base >> PAGE_SHIFT &&
                   Vad->Node.Last - Vad->Node.First + 1 == Count;
    if (Ours) {
        MiClearRange(Space, Vad->Node.First, Vad->Node.Last, MiClearToZero);
        MiRemoveVad(Space, Vad);
    }
    MiUnlockSpace(Space);
    if (Ours)
        ExFreePoolWithTag(Vad, MI_TAG_VAD);
    return Ours;
}

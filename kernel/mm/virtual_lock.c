/* SPDX-License-Identifier: MIT
 * Locking pages into the working set. Nothing is ever paged out, so a lock makes the pages present and is remembered.
 * [WDK VirtualLock] */
#include "mm/segment.h"
#include "mm/user_space.h"
#include "ke.h"

static NTSTATUS MiLockOne(PMM_ADDRESS_SPACE Space, ULONG64 Page)
{
    ULONG64 Next;
    NTSTATUS Status = MiMakePresent(Space, Page, FALSE);
    if (!NT_SUCCESS(Status))
        return Status;
    MI_PTE *Pte = MiFindUserPte(Space, Page, &Next);
    if (!(*Pte & MI_PTE_LOCKED)) {
        if (Space->Counters.LockedPages >= Space->Counters.MaximumWorkingSet)
            return STATUS_WORKING_SET_QUOTA;
        MiWritePte(Pte, *Pte | MI_PTE_LOCKED);
        Space->Counters.LockedPages++;
    }
    return STATUS_SUCCESS;
}

static BOOLEAN MiUnlockOne(PMM_ADDRESS_SPACE Space, ULONG64 Page)
{
    ULONG64 Next;
    MI_PTE *Pte = MiFindUserPte(Space, Page, &Next);
    if (Pte == NULL || *Pte == 0 || !(*Pte & MI_PTE_LOCKED))
        return FALSE;
    MiWritePte(Pte, *Pte & ~MI_PTE_LOCKED);
    Space->Counters.LockedPages--;
    return TRUE;
}

static NTSTATUS MiLockPages(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG64 Page = First;
    for (; Page <= Last && NT_SUCCESS(Status); Page++)
        Status = MiLockOne(Space, Page);
    return Status;
}

/* [WDK VirtualUnlock] fails when a page is not locked, and then unlocks none. */
static NTSTATUS MiUnlockPages(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    ULONG64 Next;
    for (ULONG64 Page = First; Page <= Last; Page++) {
        const MI_PTE *Pte = MiFindUserPte(Space, Page, &Next);
        if (Pte == NULL || *Pte == 0 || !(*Pte & MI_PTE_LOCKED))
            return STATUS_NOT_LOCKED;
    }
    for (ULONG64 Page = First; Page <= Last; Page++)
        (void)MiUnlockOne(Space, Page);
    return STATUS_SUCCESS;
}

static NTSTATUS MiOnPages(PMM_ADDRESS_SPACE Space, PVOID *Base, PSIZE_T Size,
                          NTSTATUS (*Operation)(PMM_ADDRESS_SPACE, ULONG64, ULONG64))
{
    ULONG64 First, Last;

    if (!MiPagesOf((ULONG_PTR)*Base, *Size, &First, &Last))
        return STATUS_INVALID_PARAMETER;
    MiLockSpace(Space);
    NTSTATUS Status = Operation(Space, First, Last);
    MiUnlockSpace(Space);
    *Base = (PVOID)(First << PAGE_SHIFT);
    *Size = (Last - First + 1) << PAGE_SHIFT;
    return Status;
}

NTSTATUS MmLockVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, PSIZE_T Size)
{
    return MiOnPages(Space, Base, Size, MiLockPages);
}

NTSTATUS MmUnlockVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, PSIZE_T Size)
{
    return MiOnPages(Space, Base, Size, MiUnlockPages);
}

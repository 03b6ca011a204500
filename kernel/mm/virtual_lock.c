/* SPDX-License-Identifier: MIT
 * Locking pages into the working set. Nothing is ever paged out, so a lock makes the pages present and is remembered.
 * [WDK VirtualLock] */
#include "mm/segment.h"
#include "mm/user_space.h"
#include "ke.h"

/* *New: the page was not locked before. */
static NTSTATUS MiLockOne(PMM_ADDRESS_SPACE Space, ULONG64 Page, PBOOLEAN New)
{
    ULONG64 Next;
    NTSTATUS Status = MiMakePresent(Space, Page, FALSE);
    if (!NT_SUCCESS(Status))
        return Status;
    MI_PTE *Pte = MiFindUserPte(Space, Page, &Next);
    *New = !(*Pte & MI_PTE_LOCKED);
    if (*New) {
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

/* [WDK VirtualLock] all or none. What was locked before stays so: at most as many pages as the working set may have are new. */
static NTSTATUS MiLockPages(PMM_ADDRESS_SPACE Space, ULONG64 First, ULONG64 Last)
{
    RTL_BITMAP New;
    BOOLEAN IsNew;
    ULONG Pages = (ULONG)(Last - First + 1);

    if (Last - First >= Space->Counters.MaximumWorkingSet)
        return STATUS_WORKING_SET_QUOTA;
    PULONG Bits = ExAllocatePool2(POOL_FLAG_NON_PAGED, (Pages + 31) / 32 * sizeof(ULONG), MI_TAG_VAD);
    if (Bits == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlInitializeBitMap(&New, Bits, Pages);
    NTSTATUS Status = STATUS_SUCCESS;
    for (ULONG I = 0; I < Pages && NT_SUCCESS(Status); I++) {
        Status = MiLockOne(Space, First + I, &IsNew);
        if (NT_SUCCESS(Status) && IsNew)
            RtlSetBits(&New, I, 1);
    }
    for (ULONG I = 0; I < Pages && !NT_SUCCESS(Status); I++)
        if (RtlTestBit(&New, I))
            (void)MiUnlockOne(Space, First + I);
    ExFreePoolWithTag(Bits, MI_TAG_VAD);
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

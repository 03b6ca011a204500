/* SPDX-License-Identifier: MIT
 * MDLs that have pages of a process locked, and who locked them: a process cannot end before they are unlocked. */
#include "kd.h"
#include "ke.h"
#include "ke_bugcheck.h"
#include "mm/user_space.h"

#define MI_TAG_LOCKED 'klMM'

typedef struct _MI_LOCKED_MDL {
    LIST_ENTRY Entry; /* Space->LockedMdls */
    const MDL *Mdl;   /* (c) the driver's: not looked at */
    SIZE_T Pages;
    const VOID *Owner; /* code address in who locked it; NULL: was reported */
} MI_LOCKED_MDL;

/* LockedMdls and MdlPages of all address spaces, and the entries. */
static ARCH_LOCK MiLockedMdlLock = ARCH_LOCK_INIT("locked MDLs", LockRankMmLockedMdl, DISPATCH_LEVEL);

NTSTATUS MiEnterLockedMdl(PMM_ADDRESS_SPACE Space, const MDL *Mdl, SIZE_T Pages, const VOID *Owner)
{
    MI_LOCKED_MDL *Locked = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Locked), MI_TAG_LOCKED);
    if (Locked == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Locked = (MI_LOCKED_MDL){.Mdl = Mdl, .Pages = Pages, .Owner = Owner};
    KIRQL OldIrql = ArchAcquireLock(&MiLockedMdlLock);
    InsertHeadList(&Space->LockedMdls, &Locked->Entry);
    Space->MdlPages += Pages;
    ArchReleaseLock(&MiLockedMdlLock, OldIrql);
    return STATUS_SUCCESS;
}

static MI_LOCKED_MDL *MiFindLockedMdl(PMM_ADDRESS_SPACE Space, const MDL *Mdl)
{
    for (PLIST_ENTRY Entry = Space->LockedMdls.Flink; Entry != &Space->LockedMdls; Entry = Entry->Flink)
        if (CONTAINING_RECORD(Entry, MI_LOCKED_MDL, Entry)->Mdl == Mdl)
            return CONTAINING_RECORD(Entry, MI_LOCKED_MDL, Entry);
    return NULL;
}

/* [WDK Bug Check 0x76] 1: p2 MDL, p3 pages of the process that are locked */
static DECLSPEC_NORETURN VOID MiNotLocked(const MDL *Mdl, SIZE_T Pages)
{
    KeBugCheckBlaming(NULL, PROCESS_HAS_LOCKED_PAGES, 1, (ULONG_PTR)Mdl, Pages, 0,
                      "MmUnlockPages was given an MDL that has no pages of its process locked");
}

VOID MiShrinkLockedMdl(PMM_ADDRESS_SPACE Space, const MDL *Mdl, SIZE_T Pages)
{
    KIRQL OldIrql = ArchAcquireLock(&MiLockedMdlLock);
    MI_LOCKED_MDL *Locked = MiFindLockedMdl(Space, Mdl);
    if (Locked != NULL) {
        Pages = min(Pages, Locked->Pages);
        Locked->Pages -= Pages;
        Space->MdlPages -= Pages;
    }
    ArchReleaseLock(&MiLockedMdlLock, OldIrql);
}

VOID MiForgetLockedMdl(PMM_ADDRESS_SPACE Space, const MDL *Mdl)
{
    KIRQL OldIrql = ArchAcquireLock(&MiLockedMdlLock);
    MI_LOCKED_MDL *Locked = MiFindLockedMdl(Space, Mdl);
    SIZE_T Left = Space->MdlPages;
    if (Locked != NULL) {
        RemoveEntryList(&Locked->Entry);
        Space->MdlPages -= Locked->Pages;
    }
    ArchReleaseLock(&MiLockedMdlLock, OldIrql);
    if (Locked == NULL)
        MiNotLocked(Mdl, Left);
    ExFreePoolWithTag(Locked, MI_TAG_LOCKED);
}

/* The driver's next one is found, and its owner forgotten. */
static BOOLEAN MiTakeLockedOwner(PMM_ADDRESS_SPACE Space, const VOID *Base, SIZE_T Size, MI_LOCKED_MDL *Found)
{
    BOOLEAN Inside = FALSE;
    KIRQL OldIrql = ArchAcquireLock(&MiLockedMdlLock);
    for (PLIST_ENTRY Entry = Space->LockedMdls.Flink; Entry != &Space->LockedMdls && !Inside;
         Entry = Entry->Flink) {
        MI_LOCKED_MDL *Locked = CONTAINING_RECORD(Entry, MI_LOCKED_MDL, Entry);
        Inside = (ULONG_PTR)Locked->Owner - (ULONG_PTR)Base < Size;
        if (Inside) {
            *Found = *Locked;
            Locked->Owner = NULL;
        }
    }
    ArchReleaseLock(&MiLockedMdlLock, OldIrql);
    return Inside;
}

ULONG MiReportLockedMdls(PMM_ADDRESS_SPACE Space, PCSTR Driver, const VOID *Base, SIZE_T Size)
{
    MI_LOCKED_MDL Locked;
    ULONG Count = 0;

    for (; MiTakeLockedOwner(Space, Base, Size, &Locked); Count++) {
        ULONG64 Bytes = Locked.Pages << PAGE_SHIFT, Offset = (ULONG_PTR)Locked.Owner - (ULONG_PTR)Base;
        KdLog("%s: MDL %p has %llu bytes of user memory locked; locked at %s+0x%llx", Driver, Locked.Mdl,
              Bytes, Driver, Offset);
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "locked user pages"),
                 KD_NUMBER(ReportKeySize, Bytes), KD_TEXT(ReportKeyModule, Driver),
                 KD_NUMBER(ReportKeyOffset, Offset));
    }
    return Count;
}

/* [WDK Bug Check 0x76] 0: p2 process, p3 locked pages. Nobody locks or unlocks any more. */
VOID MmRequireUnlocked(PMM_ADDRESS_SPACE Space, const VOID *Process)
{
    if (IsListEmpty(&Space->LockedMdls))
        return;
    const MI_LOCKED_MDL *Locked = CONTAINING_RECORD(Space->LockedMdls.Flink, MI_LOCKED_MDL, Entry);
    KeBugCheckBlaming(Locked->Owner, PROCESS_HAS_LOCKED_PAGES, 0, (ULONG_PTR)Process, Space->MdlPages, 0,
                      "a process has ended while an MDL had pages of it locked");
}

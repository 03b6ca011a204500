/* SPDX-License-Identifier: MIT
 * The memory behind the page frame database: entries of 4096 frames (16 MiB of RAM, 128 KiB of entries) come into being together when the first
 * of them is used; those of device memory a page of entries (128 frames) at a time. The pages for that come from the free ones, and have
 * entries themselves. Nothing here is ever given back. */
#include "pfn.h"

#define MI_GROUP_PAGES (MI_GROUP_FRAMES * sizeof(MI_PFN) / PAGE_SIZE)
#define MI_STORE_TABLE (MI_PTE_PRESENT | MI_PTE_WRITE | MI_PTE_ACCESSED)
#define MI_STORE_PAGE                                                                                        \
    (MI_STORE_TABLE | MI_PTE_DIRTY | MI_PTE_GLOBAL | MI_PTE_NX | ((MI_PTE)MiUsePages << MI_PTE_USE_SHIFT))

PFN_NUMBER MiStoreFrames;
volatile ULONG64 *MiStoreGroups;

PFN_NUMBER MiPfnStorePages; /* MiPhysicalLock; pages of entries, and of tables that map them */

SIZE_T MiPfnStoreBytes(PFN_NUMBER Frames)
{
    return (Frames / MI_GROUP_FRAMES / 64 + 1) * 8;
}

VOID MiInitPfnStore(PFN_NUMBER Frames, PVOID GroupBits)
{
    MiStoreFrames = Frames;
    MiStoreGroups = GroupBits;
    for (SIZE_T I = 0; I < MiPfnStoreBytes(Frames) / 8; I++)
        MiStoreGroups[I] = 0;
}

BOOLEAN MiAreBacked(PFN_NUMBER First, PFN_NUMBER Count)
{
    PFN_NUMBER Last = First + Count - 1;
    if (Last < First || Last >= MiStoreFrames)
        return FALSE;
    for (ULONG64 Group = First / MI_GROUP_FRAMES; Group <= Last / MI_GROUP_FRAMES; Group++)
        if (!MiIsGroupBacked(Group))
            return FALSE;
    return TRUE;
}

/* The entry gets a page of its own if it has none. */
static BOOLEAN MiFillEntry(MI_PTE *Entry, MI_PTE Bits)
{
    if (MiReadPte(Entry) & MI_PTE_PRESENT)
        return TRUE;
    PFN_NUMBER Frame = MiTakeMetaPageLocked();
    if (Frame == MM_NO_PAGE)
        return FALSE;
    MiWritePte(Entry, (Frame << PAGE_SHIFT) | Bits);
    MiPfnStorePages++;
    return TRUE;
}

static BOOLEAN MiFillPage(ULONG_PTR Address)
{
    return MiFillEntry(MiTopOf(Address), MI_STORE_TABLE) &&
           MiFillEntry(MiDirectoryPointerOf(Address), MI_STORE_TABLE) &&
           MiFillEntry(MiDirectoryOf(Address), MI_STORE_TABLE) &&
           MiFillEntry(MiPteOf(Address), MI_STORE_PAGE);
}

/* The page that an entry of ours names is in use. Its own entry may have to be made first: it lies among the lowest free pages, so the
 * group of the first such page holds the next ones, and this ends after a few levels. */
static BOOLEAN MiMarkMetaPage(MI_PTE Entry)
{
    PFN_NUMBER Frame = MiFrameOf(Entry);
    if (!MiBackFramesLocked(Frame, 1))
        return FALSE;
    MiPfnOf(Frame)->Word = MiWord(MiFrameActive, MiCacheBack, 1);
    return TRUE;
}

static BOOLEAN MiMarkTables(ULONG_PTR Address)
{
    return MiMarkMetaPage(MiReadPte(MiTopOf(Address))) &&
           MiMarkMetaPage(MiReadPte(MiDirectoryPointerOf(Address))) &&
           MiMarkMetaPage(MiReadPte(MiDirectoryOf(Address)));
}

static BOOLEAN MiBackPages(ULONG_PTR Base, ULONG Count)
{
    for (ULONG I = 0; I < Count; I++)
        if (!MiFillPage(Base + I * PAGE_SIZE))
            return FALSE;
    return TRUE;
}

static BOOLEAN MiMarkPages(ULONG_PTR Base, ULONG Count)
{
    for (ULONG I = 0; I < Count; I++)
        if (!MiMarkMetaPage(MiReadPte(MiPteOf(Base + I * PAGE_SIZE))))
            return FALSE;
    return MiMarkTables(Base);
}

/* The bit is set before the pages are marked, because their entries may be among the new ones. A group that could not be marked
 * whole is complete all the same: what is not marked is nobody's to free. */
static BOOLEAN MiBackGroup(ULONG64 Group)
{
    ULONG_PTR Base = (ULONG_PTR)MiPfnOf(Group * MI_GROUP_FRAMES);
    if (!MiBackPages(Base, MI_GROUP_PAGES))
        return FALSE;
    MiStoreGroups[Group / 64] |= 1ull << (Group % 64);
    return MiMarkPages(Base, MI_GROUP_PAGES);
}

static BOOLEAN MiBackDevicePage(ULONG_PTR Base)
{
    ULONG64 Physical;
    return MmTranslate((PVOID)Base, &Physical) || (MiBackPages(Base, 1) && MiMarkPages(Base, 1));
}

BOOLEAN MiBackFramesLocked(PFN_NUMBER First, PFN_NUMBER Count)
{
    PFN_NUMBER Last = First + Count - 1;
    if (Last < MiStoreFrames) {
        for (ULONG64 Group = First / MI_GROUP_FRAMES; Group <= Last / MI_GROUP_FRAMES; Group++)
            if (!MiIsGroupBacked(Group) && !MiBackGroup(Group))
                return FALSE;
        return TRUE;
    }
    if (Last >= MI_PFN_MOST)
        return FALSE;
    ULONG_PTR End = (ULONG_PTR)(MiPfnOf(Last) + 1);
    for (ULONG_PTR At = (ULONG_PTR)MiPfnOf(First) & ~(ULONG_PTR)PAGE_MASK; At < End; At += PAGE_SIZE)
        if (!MiBackDevicePage(At))
            return FALSE;
    return TRUE;
}

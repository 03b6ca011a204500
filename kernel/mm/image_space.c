/* SPDX-License-Identifier: MIT
 * Where images live: each page gets the protection of its section, and never write and execute together. */
#include "mi.h"

/* [WDK Bug Check 0x1A] 0x8888: internal memory management structures are corrupted */
static VOID MiRequireImageRange(ULONG_PTR Base, SIZE_T Size)
{
    ULONG64 First = (Base - MiImageSpace.Base) >> PAGE_SHIFT;
    if ((Base & PAGE_MASK) != 0 || Base < MiImageSpace.Base || Size > MiImageSpace.PageCount << PAGE_SHIFT ||
        !MiBitmapIsTaken(&MiImageSpace.Map, First, BYTES_TO_PAGES(Size)))
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x8888, Base, Size, 0);
}

PVOID MmAllocateImageSpace(SIZE_T Size)
{
    SIZE_T PageCount = BYTES_TO_PAGES(Size);
    if (PageCount == 0)
        return NULL;
    ULONG_PTR Base = MiReserve(&MiImageSpace, PageCount);
    if (Base != 0 && !MiMapNewPages(Base, PageCount, MiTemplate(MmReadWrite, MmCached, MiUseImage), TRUE)) {
        MiRelease(&MiImageSpace, Base, PageCount);
        Base = 0;
    }
    return (PVOID)Base;
}

/* Discarded pages stay discarded. */
VOID MmProtectImage(PVOID Base, SIZE_T Size, MM_PROTECTION Protection)
{
    MiRequireImageRange((ULONG_PTR)Base, Size);
    MiProtect((ULONG_PTR)Base, BYTES_TO_PAGES(Size), Protection);
}

VOID MmDiscardImagePages(PVOID Base, SIZE_T Size)
{
    MiRequireImageRange((ULONG_PTR)Base, Size);
    MiUnmap((ULONG_PTR)Base, BYTES_TO_PAGES(Size), MiAbsentFreedImage);
}

VOID MmFreeImageSpace(PVOID Base, SIZE_T Size)
{
    MmDiscardImagePages(Base, Size);
    MiRelease(&MiImageSpace, (ULONG_PTR)Base, BYTES_TO_PAGES(Size));
}

/* SPDX-License-Identifier: MIT
 * Whose mapping is it: what drivers map or allocate in system space is followed by a page that is never mapped, and its entry holds
 * the code address of who asked for it, as an offset from where images lie. So a driver's mappings are found at its unload, and
 * who runs over the end of one faults. */
#include "mi.h"
#include "kd.h"

static volatile ULONG64
    MiOwnedEnd; /* grows only: every page of the region below was reserved once, so it has a table */

static MI_PTE MiOwnerPte(const void *Owner)
{
    ULONG_PTR Offset = (ULONG_PTR)Owner - MM_IMAGE_BASE;
    return MI_ABSENT_PTE(MiAbsentOwner, Offset < MM_REGION_SIZE ? Offset : 0);
}

static VOID MiRaiseOwnedEnd(ULONG_PTR End)
{
    ULONG64 Old = MiOwnedEnd;
    while (Old < End &&
           !__atomic_compare_exchange_n(&MiOwnedEnd, &Old, End, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
}

ULONG_PTR MiReserveOwned(SIZE_T PageCount, const void *Owner)
{
    ULONG_PTR Base = MiReserve(&MiSystemPteSpace, PageCount + 1);
    if (Base == 0)
        return 0;
    ULONG_PTR End = Base + PageCount * PAGE_SIZE;
    MiWritePte(MiPteOf(End), MiOwnerPte(Owner));
    MiRaiseOwnedEnd(End + PAGE_SIZE);
    return Base;
}

VOID MiReleaseOwned(ULONG_PTR Base, SIZE_T PageCount)
{
    MiWritePte(MiPteOf(Base + PageCount * PAGE_SIZE), MI_ABSENT_PTE(MiAbsentFreedMapping, 0));
    MiRelease(&MiSystemPteSpace, Base, PageCount + 1);
}

VOID MiFreeOwnedMapping(ULONG_PTR Base, SIZE_T PageCount, MI_USE Use)
{
    MiUnmapWhole(&MiSystemPteSpace, Base, PageCount, Use, MiAbsentFreedMapping);
    MiReleaseOwned(Base, PageCount);
}

static PCSTR MiNameOfUse(MI_PTE Pte)
{
    switch ((MI_USE)((Pte >> MI_PTE_USE_SHIFT) & 0xf)) {
    case MiUseIoSpace:
        return "I/O mapping";
    case MiUseMdl:
        return "mapped MDL";
    case MiUseContiguous:
        return "contiguous memory";
    case MiUseReserved:
        return "reserved mapping address";
    case MiUseView:
        return "view in system space";
    default:
        return "noncached memory";
    }
}

/* The first page of a mapping, the last page in front of reserved addresses: there an MDL may be mapped besides. */
static BOOLEAN MiIsFirst(MI_PTE Pte)
{
    const MI_PTE Reserved = (MI_PTE)MiUseReserved << MI_PTE_USE_SHIFT, Use = 0xfull << MI_PTE_USE_SHIFT;
    return (Pte & MI_PTE_FIRST) && !(MiIsMapped(Pte) && (Pte & Use) == Reserved);
}

/* Pages of a mapping, and those around it that belong to it. A view has a section besides. */
static VOID MiMeasureMapping(MI_PTE First, SIZE_T Bytes)
{
    SIZE_T Around = MiIsMapped(First) ? 1 : 1 + MI_RESERVED_HEAD;
    if ((MI_USE)((First >> MI_PTE_USE_SHIFT) & 0xf) != MiUseView)
        KdMeasureLeak(0, (Bytes >> PAGE_SHIFT) + Around);
}

/* End is the page behind the mapping. */
static VOID MiReportMapping(PCSTR Driver, ULONG_PTR End, ULONG64 Offset)
{
    ULONG_PTR Base = End - PAGE_SIZE;
    while (!MiIsFirst(MiReadPte(MiPteOf(Base))))
        Base -= PAGE_SIZE;
    MI_PTE Pte = MiReadPte(MiPteOf(Base));
    PCSTR Kind = MiNameOfUse(Pte);
    if (!MiIsMapped(Pte))
        Base += PAGE_SIZE;
    KdLog("%s: %s at %p, %llu bytes, was not given back; asked for at %s+0x%llx", Driver, Kind, (PVOID)Base,
          (ULONG64)(End - Base), Driver, Offset);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, Kind),
             KD_NUMBER(ReportKeySize, End - Base), KD_TEXT(ReportKeyModule, Driver),
             KD_NUMBER(ReportKeyOffset, Offset));
    MiMeasureMapping(Pte, End - Base);
}

/* The owner is forgotten: the next image at that address is not to blame. */
ULONG MmReportDriverMappings(PCSTR Driver, const void *Base, SIZE_T Size)
{
    ULONG Count = 0;
    for (ULONG_PTR At = MM_SYSTEM_PTE_BASE; At < MiOwnedEnd; At += PAGE_SIZE) {
        MI_PTE Pte = MiReadPte(MiPteOf(At));
        ULONG64 Offset = MI_ABSENT_PAGES(Pte) - ((ULONG_PTR)Base - MM_IMAGE_BASE);
        if ((Pte & MI_PTE_PRESENT) || MI_ABSENT_KIND(Pte) != MiAbsentOwner || Offset >= Size)
            continue;
        MiReportMapping(Driver, At, Offset);
        MiWritePte(MiPteOf(At), MiOwnerPte(NULL));
        Count++;
    }
    return Count;
}

/* SPDX-License-Identifier: MIT
 * The address space in which processors start: the kernel half, and one page below 1 MiB mapped to itself, executable and not
 * writable. It lives only while processors are being started; the kernel's own tables never map the lower half. */
#include "mi.h"

#define MI_FOUR_GIGABYTE_PAGE (0x100000000ull >> PAGE_SHIFT)
#define MI_VIDEO_PAGE (0xa0000 >> PAGE_SHIFT) /* start-up vectors from here on are reserved */

static MI_PTE *MiTableOf(const MM_START_SPACE *Space, ULONG Level)
{
    return MmDirectMap(Space->Tables[Level] << PAGE_SHIFT);
}

static VOID MiFillStartTables(const MM_START_SPACE *Space)
{
    const MI_PTE *Kernel = MmDirectMap(ArchReadCr3() & MI_PTE_FRAME);
    ULONG Last = RTL_NUMBER_OF(Space->Tables) - 1;

    for (ULONG Level = 0; Level <= Last; Level++)
        MiZeroFrame(Space->Tables[Level]);
    for (ULONG I = 256; I < 512; I++)
        MiTableOf(Space, 0)[I] = MiReadPte(&Kernel[I]);
    for (ULONG Level = 0; Level < Last; Level++)
        MiTableOf(Space, Level)[0] =
            (Space->Tables[Level + 1] << PAGE_SHIFT) | MI_PTE_PRESENT | MI_PTE_ACCESSED;
    MiTableOf(Space, Last)[Space->Code >> PAGE_SHIFT] = Space->Code | MI_PTE_PRESENT | MI_PTE_ACCESSED;
}

BOOLEAN MmCreateStartSpace(MM_START_SPACE *Space)
{
    PFN_NUMBER Code = MmAllocatePhysicalPages(1, 1, MI_VIDEO_PAGE - 1, 0);

    if (Code == MM_NO_PAGE)
        return FALSE;
    for (ULONG I = 0; I < RTL_NUMBER_OF(Space->Tables); I++) {
        Space->Tables[I] = MmAllocatePhysicalPages(1, 0, MI_FOUR_GIGABYTE_PAGE - 1, 0);
        if (Space->Tables[I] == MM_NO_PAGE) {
            while (I-- > 0)
                MmFreePhysicalPages(Space->Tables[I], 1);
            MmFreePhysicalPages(Code, 1);
            return FALSE;
        }
    }
    Space->Code = (ULONG)(Code << PAGE_SHIFT);
    Space->Root = (ULONG)(Space->Tables[0] << PAGE_SHIFT);
    MiFillStartTables(Space);
    return TRUE;
}

VOID MmDeleteStartSpace(MM_START_SPACE *Space)
{
    for (ULONG I = 0; I < RTL_NUMBER_OF(Space->Tables); I++)
        MmFreePhysicalPages(Space->Tables[I], 1);
    MmFreePhysicalPages(Space->Code >> PAGE_SHIFT, 1);
}

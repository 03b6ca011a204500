/* SPDX-License-Identifier: MIT
 * Probing of buffers that a user-mode caller named. IRQL <= APC_LEVEL, inside __try. */
#include "mi.h"

static VOID MiProbe(ULONG_PTR Address, SIZE_T Length, ULONG Alignment)
{
    if ((Address & (Alignment - 1)) != 0)
        ExRaiseDatatypeMisalignment();
    if (Address + Length < Address || Address + Length > MmUserProbeAddress)
        ExRaiseAccessViolation();
}

/* [WDK ProbeForRead] checks the range and the alignment, not whether pages are there; a length of 0 passes.
 */
VOID NTAPI ProbeForRead(const VOID *Address, SIZE_T Length, ULONG Alignment)
{
    if (Length != 0)
        MiProbe((ULONG_PTR)Address, Length, Alignment);
}

/* [WDK ProbeForWrite] the same, and each page is written to with what it holds. */
VOID NTAPI ProbeForWrite(PVOID Address, SIZE_T Length, ULONG Alignment)
{
    if (Length == 0)
        return;
    MiProbe((ULONG_PTR)Address, Length, Alignment);
    ULONG_PTR Last = (ULONG_PTR)Address + Length - 1;
    for (ULONG_PTR At = (ULONG_PTR)Address; At <= Last; At = (At & ~(ULONG_PTR)PAGE_MASK) + PAGE_SIZE)
        *(volatile CHAR *)At = *(volatile CHAR *)At;
}

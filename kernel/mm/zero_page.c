/* SPDX-License-Identifier: MIT
 * The zero-page thread: fills free pages with zeroes when no other thread wants the processor, so that a page fault need not. It keeps a
 * reserve and no more: most of a large memory is never touched. */
#include "pfn.h"
#include "ke.h"

#define MI_ZEROED_MOST ((4ull << 20) >> PAGE_SHIFT)
#define MI_ZEROED_SHARE 16 /* at most one of so many pages of memory */
#define MI_ZERO_SPARE 64   /* so many others stay free */

static KEVENT MiZeroEvent;
BOOLEAN MiZeroResting;
static PFN_NUMBER MiZeroMost; /* (c) when the thread runs */

BOOLEAN MiShouldZeroLocked(PFN_NUMBER Zeroed)
{
    if (!MiZeroResting || Zeroed >= MiZeroMost / 2)
        return FALSE;
    MiZeroResting = FALSE;
    return TRUE;
}

VOID MiZeroThreadRestsLocked(VOID)
{
    MiZeroResting = TRUE;
}

VOID MiWakeZeroThread(VOID)
{
    KeSetEvent(&MiZeroEvent, IO_NO_INCREMENT, FALSE);
}

VOID NTAPI MmZeroPageThread(PVOID Context)
{
    MM_COUNTERS Counters;
    KeInitializeEvent(&MiZeroEvent, SynchronizationEvent, FALSE);
    MmQueryCounters(&Counters);
    MiZeroMost = min(MI_ZEROED_MOST, Counters.TotalPages / MI_ZEROED_SHARE);
    KeBecomeZeroPageThread();
    for (;;) {
        PFN_NUMBER Frame = MiTakePageToZero(MiZeroMost, MI_ZERO_SPARE);
        if (Frame == MM_NO_PAGE) {
            KeWaitForSingleObject(&MiZeroEvent, WrFreePage, KernelMode, FALSE, NULL);
            continue;
        }
        MiZeroFrame(Frame);
        MiPutZeroedPage(Frame);
    }
}

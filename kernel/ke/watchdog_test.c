/* SPDX-License-Identifier: MIT
 * The watchdog over the time at DISPATCH_LEVEL and above. */
#include "ki.h"
#include "kt.h"

#define WATCHDOG_LIMIT 150 /* ms */

/* Milliseconds. Reading the time is slow under -icount, so it is read seldom. */
static VOID WatchdogCompute(ULONG Time)
{
    ULONG64 End = ArchReadTsc() + HalTscFrequency() / 1000 * Time;

    while (ArchReadTsc() < End)
        for (ULONG i = 0; i < 10000; i++)
            __asm__ volatile("" : : "r"(i));
}

/* Who calls all processors with a lock held takes each clock interrupt as the IRQL falls to DISPATCH_LEVEL, never below: that the
 * processor is below it again and again must be seen all the same. */
KT_TEST(watchdog_sees_that_the_irql_was_low)
{
    const KE_WATCHDOG_LIMITS Short = {.Raised = WATCHDOG_LIMIT};
    ULONG64 End = HalQueryInterruptTime() + 4 * WATCHDOG_LIMIT * 10000ull;
    KE_WATCHDOG_LIMITS Usual = KeSetWatchdogLimits(&Short);

    while (HalQueryInterruptTime() < End) {
        KIRQL OldIrql = ArchRaiseIrql(CLOCK_LEVEL);
        WatchdogCompute(15);
        ArchSetIrql(DISPATCH_LEVEL);
        ArchSetIrql(OldIrql);
    }
    (void)KeSetWatchdogLimits(&Usual);
    KT_EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

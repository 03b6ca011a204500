/* SPDX-License-Identifier: MIT
 * Time: the time stamp counter is calibrated once against the ACPI PM timer and then is the clock; the local APIC timer,
 * calibrated in the same interval, ticks every millisecond. Under `-icount` every run calibrates alike. */
#include "halp.h"
#include "rtl.h"

#define PM_TIMER_FREQUENCY 3579545u
#define CALIBRATION_TICKS 7160u /* 2 ms of the PM timer */

static ULONG64 HalpTscAtBoot;
static ULONG64 HalpTscHz;
static ULONG64 HalpTscTo100ns; /* 100 ns per TSC tick, 32.32 fixed point */
static ULONG HalpApicHz;

/* Runs Ticks of the PM timer (24 bits count for sure) and returns how many really passed. */
static ULONG HalpWaitPmTimer(USHORT Port, ULONG Ticks)
{
    ULONG Start = ArchIn32(Port) & 0xffffff, Passed;

    do {
        Passed = (ArchIn32(Port) - Start) & 0xffffff;
    } while (Passed < Ticks);
    return Passed;
}

/* The 8254's channel 2, gate by port 0x61, for a board without ACPI: 1.193182 MHz, scaled to PM timer ticks. */
static ULONG HalpWaitPit(ULONG Ticks)
{
    ULONG Count = Ticks / 3;

    ArchOut8(0x61, (UCHAR)((ArchIn8(0x61) & 0xfc) | 1));
    ArchOut8(0x43, 0xb0); /* channel 2, both bytes, mode 0 */
    ArchOut8(0x42, (UCHAR)Count);
    ArchOut8(0x42, (UCHAR)(Count >> 8));
    while ((ArchIn8(0x61) & 0x20) == 0) {
    }
    return Count * 3;
}

VOID HalpInitClock(VOID)
{
    USHORT Port = HalpPmTimerPort();
    ULONG ApicStart = HalpApicTimerCount();
    ULONG64 TscStart = ArchReadTsc();
    ULONG Passed = Port != 0 ? HalpWaitPmTimer(Port, CALIBRATION_TICKS) : HalpWaitPit(CALIBRATION_TICKS);
    ULONG64 Tsc = ArchReadTsc() - TscStart;
    ULONG Apic = ApicStart - HalpApicTimerCount();

    HalpTscHz = Tsc * PM_TIMER_FREQUENCY / Passed;
    HalpApicHz = (ULONG)((ULONG64)Apic * PM_TIMER_FREQUENCY / Passed);
    HalpTscTo100ns = (10000000ull << 32) / HalpTscHz;
}

ULONG64 HalQueryInterruptTime(VOID)
{
    return (ULONG64)(((unsigned __int128)(ArchReadTsc() - HalpTscAtBoot) * HalpTscTo100ns) >> 32);
}

ULONG64 HalQueryPerformanceCounter(VOID)
{
    return HalQueryInterruptTime(); /* 10 MHz, as Windows 10 has it */
}

ULONG64 HalTscFrequency(VOID)
{
    return HalpTscHz;
}

VOID HalStartClock(ULONG Period)
{
    HalpApicStartTimer((ULONG)((ULONG64)HalpApicHz * Period / 10000000));
}

/* [WDK KeStallExecutionProcessor] Busy-waits at any IRQL for at least that many microseconds. */
VOID NTAPI KeStallExecutionProcessor(ULONG MicroSeconds)
{
    ULONG64 End = ArchReadTsc() + HalpTscHz * MicroSeconds / 1000000 + 1;

    while ((LONG64)(ArchReadTsc() - End) < 0)
        __builtin_ia32_pause();
}

VOID HalInitSystem(const LOADER_BLOCK *Block)
{
    HalpTscAtBoot = Block->TscAtEntry;
    HalpInitAcpi(Block);
    HalpInitApic();
    HalpInitIoApics();
    HalpInitClock();
}

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

/* The counters at one moment. */
typedef struct _HALP_SAMPLE {
    ULONG64 Tsc;
    ULONG Apic; /* counts down */
    ULONG Pm;   /* 24 bits; 0 without ACPI */
} HALP_SAMPLE;

/* A virtual processor may be off its host between two reads, for longer than the whole interval: of some tries the
 * shortest counts. */
static HALP_SAMPLE HalpSampleCounters(USHORT Port)
{
    HALP_SAMPLE Best = {0};
    ULONG64 Shortest = ~0ull;

    for (ULONG i = 0; i < 16; i++) {
        ULONG64 Begin = ArchReadTsc();
        ULONG Apic = HalpApicTimerCount();
        ULONG Pm = Port != 0 ? ArchIn32(Port) & 0xffffff : 0;
        ULONG64 End = ArchReadTsc();
        if (End - Begin >= Shortest)
            continue;
        Shortest = End - Begin;
        Best = (HALP_SAMPLE){Begin, Apic, Pm};
    }
    return Best;
}

static VOID HalpWaitPmTimer(USHORT Port, ULONG Ticks)
{
    ULONG Start = ArchIn32(Port) & 0xffffff;

    while (((ArchIn32(Port) - Start) & 0xffffff) < Ticks) {
    }
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
    ULONG Passed = 0;

    (void)HalpApicTimerCount(); /* starts it */
    HALP_SAMPLE Start = HalpSampleCounters(Port);
    if (Port != 0)
        HalpWaitPmTimer(Port, CALIBRATION_TICKS);
    else
        Passed = HalpWaitPit(CALIBRATION_TICKS);
    HALP_SAMPLE End = HalpSampleCounters(Port);
    if (Port != 0)
        Passed = (End.Pm - Start.Pm) & 0xffffff;
    HalpTscHz = (End.Tsc - Start.Tsc) * PM_TIMER_FREQUENCY / Passed;
    HalpApicHz = (ULONG)((ULONG64)(Start.Apic - End.Apic) * PM_TIMER_FREQUENCY / Passed);
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

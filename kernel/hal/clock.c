/* SPDX-License-Identifier: MIT
 * Time: the time stamp counter is calibrated once against the HPET, or else the ACPI PM timer, or else the 8254, and then is the
 * clock; the local APIC timer, calibrated in the same interval, ticks every millisecond. Under `-icount` every run calibrates alike. */
#include "halp.h"
#include "kd.h"
#include "rtl.h"

#define PM_TIMER_FREQUENCY 3579545u
#define PIT_FREQUENCY 1193182u
#define CALIBRATIONS_PER_SECOND 500u /* one takes 2 ms */

static ULONG64 HalpTscAtBoot;
static ULONG64 HalpTscHz;
static ULONG64 HalpTscTo100ns; /* 100 ns per TSC tick, 32.32 fixed point */
static ULONG HalpApicHz;
static PCSTR HalpReferenceName;

/* What the other counters are compared with: it counts up and wraps at Mask. */
typedef struct _HALP_REFERENCE {
    PCSTR Name;
    ULONG (*Read)(VOID); /* NULL: it cannot be read together with others, only waited for */
    ULONG Mask, Frequency;
} HALP_REFERENCE;

static volatile ULONG *HalpHpetCounter;
static USHORT HalpPmPort;

static ULONG HalpReadHpet(VOID)
{
    return *HalpHpetCounter;
}

static ULONG HalpReadPmTimer(VOID)
{
    return ArchIn32(HalpPmPort);
}

/* [IA-PC HPET 1.0a, 2.3.4 and 2.3.5] The upper half of the capabilities is the period in femtoseconds, at most 100 ns; bit 0 of the
 * configuration (0x10) lets the counter (0xf0) run. Its lower half is enough. */
static BOOLEAN HalpStartHpet(HALP_REFERENCE *Reference)
{
    volatile ULONG *Hpet = (volatile ULONG *)HalpPhysical(HalpHpetAddress(), PAGE_SIZE);

    if (Hpet == NULL || Hpet[1] == 0 || Hpet[1] > 100000000)
        return FALSE;
    Hpet[0x10 / 4] |= 1;
    HalpHpetCounter = Hpet + 0xf0 / 4;
    *Reference = (HALP_REFERENCE){"HPET", HalpReadHpet, ~0u, (ULONG)(1000000000000000ull / Hpet[1])};
    return TRUE;
}

static VOID HalpChooseReference(HALP_REFERENCE *Reference)
{
    HalpPmPort = HalpPmTimerPort();
    if (HalpStartHpet(Reference))
        return;
    if (HalpPmPort != 0)
        *Reference = (HALP_REFERENCE){"PM timer", HalpReadPmTimer, 0xffffff, PM_TIMER_FREQUENCY};
    else
        *Reference = (HALP_REFERENCE){"8254", NULL, 0, PIT_FREQUENCY};
}

/* The counters at one moment. */
typedef struct _HALP_SAMPLE {
    ULONG64 Tsc;
    ULONG Apic; /* counts down */
    ULONG Reference;
} HALP_SAMPLE;

/* A virtual processor may be off its host between two reads, for longer than the whole interval: of some tries the
 * shortest counts. */
static HALP_SAMPLE HalpSampleCounters(const HALP_REFERENCE *Reference)
{
    HALP_SAMPLE Best = {0};
    ULONG64 Shortest = ~0ull;

    for (ULONG i = 0; i < 16; i++) {
        ULONG64 Begin = ArchReadTsc();
        ULONG Apic = HalpApicTimerCount();
        ULONG Count = Reference->Read != NULL ? Reference->Read() : 0;
        ULONG64 End = ArchReadTsc();
        if (End - Begin >= Shortest)
            continue;
        Shortest = End - Begin;
        Best = (HALP_SAMPLE){Begin, Apic, Count};
    }
    return Best;
}

/* The 8254's channel 2, gate by port 0x61. */
static VOID HalpWaitPit(ULONG Count)
{
    ArchOut8(0x61, (UCHAR)((ArchIn8(0x61) & 0xfc) | 1));
    ArchOut8(0x43, 0xb0); /* channel 2, both bytes, mode 0 */
    ArchOut8(0x42, (UCHAR)Count);
    ArchOut8(0x42, (UCHAR)(Count >> 8));
    while ((ArchIn8(0x61) & 0x20) == 0) {
    }
}

static VOID HalpWaitReference(const HALP_REFERENCE *Reference, ULONG Ticks)
{
    if (Reference->Read == NULL) {
        HalpWaitPit(Ticks);
        return;
    }
    ULONG Start = Reference->Read();
    while (((Reference->Read() - Start) & Reference->Mask) < Ticks) {
    }
}

VOID HalpInitClock(VOID)
{
    HALP_REFERENCE Reference;

    HalpChooseReference(&Reference);
    ULONG Ticks = Reference.Frequency / CALIBRATIONS_PER_SECOND;
    (void)HalpApicTimerCount(); /* starts it */
    HALP_SAMPLE Start = HalpSampleCounters(&Reference);
    HalpWaitReference(&Reference, Ticks);
    HALP_SAMPLE End = HalpSampleCounters(&Reference);
    ULONG64 Passed = Reference.Read != NULL ? (End.Reference - Start.Reference) & Reference.Mask : Ticks;
    HalpTscHz = (End.Tsc - Start.Tsc) * Reference.Frequency / Passed;
    HalpApicHz = (ULONG)((ULONG64)(Start.Apic - End.Apic) * Reference.Frequency / Passed);
    HalpTscTo100ns = (10000000ull << 32) / HalpTscHz;
    HalpReferenceName = Reference.Name;
}

VOID HalpLogClock(VOID)
{
    KdLog("clock: time stamp counter %llu Hz, local APIC timer %u Hz, by the %s",
          (unsigned long long)HalpTscHz, (unsigned)HalpApicHz, HalpReferenceName);
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

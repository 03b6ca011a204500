/* SPDX-License-Identifier: MIT
 * The clock interrupt: renews the clocks in KUSER_SHARED_DATA, counts the quantum down, looks for due timers. The hardware
 * ticks every millisecond; KeTickCount and KeQueryTimeIncrement keep Windows' 15.625 ms, as on a machine whose timer
 * resolution was raised. */
#include "ki.h"
#include "rtl.h"

#define KI_SHARED ((NTBOX_KUSER_SHARED_DATA *)MM_SHARED_DATA_BASE)
#define KI_TIME_INCREMENT 156250

static ULONG64 KiBootSystemTime;

ULONG64 KiSystemTimeOffset(VOID)
{
    return KiBootSystemTime;
}

/* Readers take High1 first and High2 last, so that they see a torn value: [WDK KSYSTEM_TIME]. Only the boot processor writes. */
static VOID KiStoreTime(volatile KSYSTEM_TIME *Time, ULONG64 Value)
{
    Time->High2Time = (LONG)(Value >> 32);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    *(volatile ULONG64 *)&Time->LowPart = Value;
}

static VOID KiUpdateSharedTime(VOID)
{
    ULONG64 Now = HalQueryInterruptTime();

    KiStoreTime(&KI_SHARED->InterruptTime, Now);
    KiStoreTime(&KI_SHARED->SystemTime, Now + KiBootSystemTime);
    KiStoreTime(&KI_SHARED->TickCount, Now / KI_TIME_INCREMENT);
}

/* QEMU with -icount runs one processor at a time: until it pauses or halts, or until the next timer, whose expiry begins with processor 0
 * again. One that never waits would starve those behind it; so in each millisecond another one does not pass the turn on. */
static VOID KiPassTurn(const KPRCB *Prcb)
{
    if (Prcb->ClockTicks % KeActiveProcessorCount != Prcb->Number)
        __builtin_ia32_pause();
}

VOID KiClockInterrupt(ARCH_TRAP_FRAME *Frame)
{
    PKPRCB Prcb = KeGetPrcb();
    PKTHREAD Thread = Prcb->CurrentThread;

    ArchSetIrql(CLOCK_LEVEL);
    Prcb->ClockTicks += Prcb->TickLength;
    KiPassTurn(Prcb);
    if (Prcb->Number == 0)
        KiUpdateSharedTime();
    Thread->KernelTicks += Prcb->TickLength;
    KiCheckTimers();
    KiTickDpcs(Prcb);
    KiTickWatchdog(Prcb, Frame);
    if (Thread != Prcb->IdleThread && (Thread->Quantum -= (LONG)Prcb->TickLength) <= 0) {
        Prcb->QuantumEnd = TRUE;
        HalRequestSoftwareInterrupt(HAL_VECTOR_DPC);
    }
    HalEndOfInterrupt();
    ArchSetIrql((KIRQL)Frame->Irql);
}

static VOID KiFillSharedData(VOID)
{
    static const WCHAR Root[] = L"C:\\Windows";
    NTBOX_KUSER_SHARED_DATA *Shared = KI_SHARED;

    Shared->TickCountMultiplier = 0x0fa00000; /* 15.625 ms in 8.24 fixed point */
    Shared->ImageNumberLow = Shared->ImageNumberHigh = 0x8664;
    memcpy(Shared->NtSystemRoot, Root, sizeof(Root));
    Shared->NtBuildNumber = 19045;
    Shared->NtProductType = 1; /* NtProductWinNt */
    Shared->ProductTypeIsValid = TRUE;
    Shared->NativeProcessorArchitecture = 9; /* AMD64 */
    Shared->NtMajorVersion = 10;
    Shared->QpcFrequency = (LONG64)HAL_PERFORMANCE_FREQUENCY;
    Shared->ActiveGroupCount = 1;
}

/* PF_* of the published headers: what drivers ask ExIsProcessorFeaturePresent about. */
static VOID KiFillProcessorFeatures(VOID)
{
    BOOLEAN *Features = KI_SHARED->ProcessorFeatures;
    ARCH_CPUID Basic = ArchCpuid(1, 0);

    Features[2] = TRUE;                           /* PF_COMPARE_EXCHANGE_DOUBLE */
    Features[3] = TRUE;                           /* PF_MMX_INSTRUCTIONS_AVAILABLE */
    Features[6] = TRUE;                           /* PF_XMMI_INSTRUCTIONS_AVAILABLE */
    Features[8] = TRUE;                           /* PF_RDTSC_INSTRUCTION_AVAILABLE */
    Features[9] = TRUE;                           /* PF_PAE_ENABLED */
    Features[10] = TRUE;                          /* PF_XMMI64_INSTRUCTIONS_AVAILABLE */
    Features[12] = TRUE;                          /* PF_NX_ENABLED */
    Features[13] = (Basic.Ecx & 1) != 0;          /* PF_SSE3_INSTRUCTIONS_AVAILABLE */
    Features[14] = TRUE;                          /* PF_COMPARE_EXCHANGE128 */
    Features[17] = (Basic.Ecx & (1u << 26)) != 0; /* PF_XSAVE_ENABLED */
}

VOID KiPublishProcessorCount(VOID)
{
    KI_SHARED->ActiveProcessorCount = KeActiveProcessorCount;
    KI_SHARED->UnparkedProcessorCount = (USHORT)KeActiveProcessorCount;
}

VOID KeInitializeClock(VOID)
{
    KiBootSystemTime = HalQueryRealTimeClock() - HalQueryInterruptTime();
    KiFillSharedData();
    KiFillProcessorFeatures();
    KiUpdateSharedTime();
    KiPublishProcessorCount();
    HalStartClock(HAL_CLOCK_PERIOD);
}

/* [WDK KeQueryTimeIncrement] 100 ns units that KeQueryTickCount counts in. */
ULONG NTAPI KeQueryTimeIncrement(VOID)
{
    return KI_TIME_INCREMENT;
}

/* [WDK KeQueryPerformanceCounter] Any IRQL. It never goes back from one processor to another: time stamp counters run in step on every
 * processor with an invariant one, and QEMU's are all one clock that is kept from going back (conform time.monotonic). */
LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER Counter = {.QuadPart = (LONGLONG)HalQueryPerformanceCounter()};

    if (PerformanceFrequency != NULL)
        PerformanceFrequency->QuadPart = (LONGLONG)HAL_PERFORMANCE_FREQUENCY;
    return Counter;
}

VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = (LONGLONG)(HalQueryInterruptTime() + KiBootSystemTime);
}

ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    ULONG64 Now = HalQueryInterruptTime();

    *QpcTimeStamp = Now;
    return Now;
}

/* [WDK KeQueryUnbiasedInterruptTimePrecise] */
ULONG64 NTAPI KeQueryUnbiasedInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    return KeQueryInterruptTimePrecise(QpcTimeStamp);
}

/* [WDK KeQueryUnbiasedInterruptTime] Without the time the machine slept: it never does here. */
ULONGLONG NTAPI KeQueryUnbiasedInterruptTime(VOID)
{
    return KI_SHARED->InterruptTime.LowPart | ((ULONGLONG)KI_SHARED->InterruptTime.High1Time << 32);
}

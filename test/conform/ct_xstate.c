/* SPDX-License-Identifier: MIT
 * Vector registers survive whatever the kernel does between two instructions of a thread: interrupts, DPCs, the end of its quantum.
 * [WDK "Using floating point or MMX in a WDM driver": the system saves the state of x64 drivers] */
#include "ct_threads.h"

/* XSTATE_MASK_xxx, which the mingw headers spell with suffixes that gcc does not know. */
#define FEATURE_SSE 2ull
#define FEATURES_LEGACY 3ull
#define FEATURE_AVX 4ull

typedef struct REGISTERS {
    DECLSPEC_ALIGN(32) UCHAR Before[16 * 32];
    DECLSPEC_ALIGN(32) UCHAR After[16 * 32];
} REGISTERS;

#define SPINS 20000000ull /* more than two quanta */

/* Loads 16 registers from Before, counts down, stores them to After. */
static VOID SpinSse(REGISTERS *R)
{
    ULONG64 Count = SPINS;
    __asm__ volatile(
        "movups 0x00(%1),%%xmm0; movups 0x10(%1),%%xmm1; movups 0x20(%1),%%xmm2; movups 0x30(%1),%%xmm3;"
        "movups 0x40(%1),%%xmm4; movups 0x50(%1),%%xmm5; movups 0x60(%1),%%xmm6; movups 0x70(%1),%%xmm7;"
        "movups 0x80(%1),%%xmm8; movups 0x90(%1),%%xmm9; movups 0xa0(%1),%%xmm10; movups 0xb0(%1),%%xmm11;"
        "movups 0xc0(%1),%%xmm12; movups 0xd0(%1),%%xmm13; movups 0xe0(%1),%%xmm14; movups 0xf0(%1),%%xmm15;"
        "1: dec %0; jnz 1b;"
        "movups %%xmm0,0x00(%2); movups %%xmm1,0x10(%2); movups %%xmm2,0x20(%2); movups %%xmm3,0x30(%2);"
        "movups %%xmm4,0x40(%2); movups %%xmm5,0x50(%2); movups %%xmm6,0x60(%2); movups %%xmm7,0x70(%2);"
        "movups %%xmm8,0x80(%2); movups %%xmm9,0x90(%2); movups %%xmm10,0xa0(%2); movups %%xmm11,0xb0(%2);"
        "movups %%xmm12,0xc0(%2); movups %%xmm13,0xd0(%2); movups %%xmm14,0xe0(%2); movups %%xmm15,0xf0(%2);"
        : "+r"(Count)
        : "r"(R->Before), "r"(R->After)
        : "memory", "cc"); /* the compiler uses no vector register */
}

static VOID SpinAvx(REGISTERS *R)
{
    ULONG64 Count = SPINS;
    __asm__ volatile(
        "vmovups 0x00(%1),%%ymm0; vmovups 0x20(%1),%%ymm1; vmovups 0x40(%1),%%ymm2; vmovups 0x60(%1),%%ymm3;"
        "vmovups 0x80(%1),%%ymm4; vmovups 0xa0(%1),%%ymm5; vmovups 0xc0(%1),%%ymm6; vmovups 0xe0(%1),%%ymm7;"
        "vmovups 0x100(%1),%%ymm8; vmovups 0x120(%1),%%ymm9; vmovups 0x140(%1),%%ymm10; vmovups "
        "0x160(%1),%%ymm11;"
        "vmovups 0x180(%1),%%ymm12; vmovups 0x1a0(%1),%%ymm13; vmovups 0x1c0(%1),%%ymm14; vmovups "
        "0x1e0(%1),%%ymm15;"
        "1: dec %0; jnz 1b;"
        "vmovups %%ymm0,0x00(%2); vmovups %%ymm1,0x20(%2); vmovups %%ymm2,0x40(%2); vmovups %%ymm3,0x60(%2);"
        "vmovups %%ymm4,0x80(%2); vmovups %%ymm5,0xa0(%2); vmovups %%ymm6,0xc0(%2); vmovups %%ymm7,0xe0(%2);"
        "vmovups %%ymm8,0x100(%2); vmovups %%ymm9,0x120(%2); vmovups %%ymm10,0x140(%2); vmovups "
        "%%ymm11,0x160(%2);"
        "vmovups %%ymm12,0x180(%2); vmovups %%ymm13,0x1a0(%2); vmovups %%ymm14,0x1c0(%2); vmovups "
        "%%ymm15,0x1e0(%2);"
        : "+r"(Count)
        : "r"(R->Before), "r"(R->After)
        : "memory", "cc"); /* the compiler uses no vector register */
}

/* CPUID leaf 1: OSXSAVE and AVX. */
static BOOLEAN HasAvx(VOID)
{
    ULONG Eax = 1, Ebx, Ecx = 0, Edx;
    __asm__ volatile("cpuid" : "+a"(Eax), "=b"(Ebx), "+c"(Ecx), "=d"(Edx));
    return (Ecx & (3u << 27)) == 3u << 27;
}

typedef struct RUNNER {
    REGISTERS Registers;
    BOOLEAN Avx;
    UCHAR Seed;
    volatile LONG Wrong;
} RUNNER;

static VOID NTAPI Run(PVOID Context)
{
    RUNNER *Runner = Context;
    REGISTERS *R = &Runner->Registers;
    ULONG Length = Runner->Avx ? 512 : 256;
    KeSetSystemAffinityThreadEx(1);
    for (ULONG i = 0; i < sizeof(R->Before); i++)
        R->Before[i] = (UCHAR)(i * 7 + Runner->Seed);
    if (Runner->Avx)
        SpinAvx(R);
    else
        SpinSse(R);
    for (ULONG i = 0; i < Length; i++)
        Runner->Wrong += R->Before[i] != R->After[i];
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Two threads share a processor, each with other values in all registers. */
static VOID RunPair(BOOLEAN Avx)
{
    static RUNNER Runners[2];
    PKTHREAD Threads[2];
    for (ULONG i = 0; i < 2; i++) {
        RtlZeroMemory(&Runners[i], sizeof(Runners[i]));
        Runners[i].Avx = Avx;
        Runners[i].Seed = (UCHAR)(i * 101 + 1);
        Threads[i] = CtStart(Run, &Runners[i]);
    }
    for (ULONG i = 0; i < 2; i++)
        if (Threads[i] != NULL)
            CtJoin(Threads[i]);
    CT_EQUAL(Runners[0].Wrong, 0);
    CT_EQUAL(Runners[1].Wrong, 0);
}

static VOID XstateSse(VOID)
{
    RunPair(FALSE);
}

/* Where the processor has them; where not, the lower halves again. */
static VOID XstateAvx(VOID)
{
    RunPair(HasAvx());
}

/* [WDK KeSaveExtendedProcessorState] What the driver does to the registers in between is not seen after the restore. In one assembler
 * statement, since the compiler owns the registers otherwise. */
static VOID XstateSave(VOID)
{
    static XSTATE_SAVE Save;
    ULONG64 Before[2] = {0x1122334455667788, 0x99aabbccddeeff00}, After[2] = {0, 0};
    ULONG64 Enabled = RtlGetEnabledExtendedFeatures((ULONG64)-1);
    NTSTATUS Status;

    CT_EQUAL(Enabled & FEATURES_LEGACY, FEATURES_LEGACY);
    CT_EQUAL((Enabled & FEATURE_AVX) != 0, HasAvx());
    CT_EQUAL(RtlGetEnabledExtendedFeatures(FEATURE_SSE), FEATURE_SSE);
    __asm__ volatile("movups %0, %%xmm8" : : "m"(Before));
    Status = KeSaveExtendedProcessorState(FEATURES_LEGACY, &Save);
    __asm__ volatile("pxor %xmm8, %xmm8");
    if (CT_SUCCESS(Status)) {
        KeRestoreExtendedProcessorState(&Save);
        __asm__ volatile("movups %%xmm8, %0" : "=m"(After));
        CT_EQUAL(After[0], Before[0]);
        CT_EQUAL(After[1], Before[1]);
    }
}

static const CT_CASE Cases[] = {
    {"xstate.sse", XstateSse}, {"xstate.avx", XstateAvx}, {"xstate.save", XstateSave}};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * What the processor must have, and the entropy that it gives. */
#include "osloader/osl.h"

#define EFER 0xc0000080u
#define EFER_SCE (1u << 0)
#define EFER_NXE (1u << 11)
#define RDRAND_BIT (1u << 30)
#define GIGABYTE_PAGES_BIT (1u << 26)

typedef struct CPUID {
    uint32_t Eax, Ebx, Ecx, Edx;
} CPUID;

static CPUID ReadCpuid(uint32_t Leaf)
{
    CPUID Result;
    __asm__ volatile("cpuid"
                     : "=a"(Result.Eax), "=b"(Result.Ebx), "=c"(Result.Ecx), "=d"(Result.Edx)
                     : "a"(Leaf), "c"(0));
    return Result;
}

static void Append(char *List, size_t Size, const char *Text)
{
    size_t At = 0;
    while (List[At])
        At++;
    if (At > 0) {
        List[At++] = ',';
        List[At++] = ' ';
    }
    while (*Text && At < Size - 1)
        List[At++] = *Text++;
    List[At] = 0;
}

/* PAE, MSRs and long mode itself were checked before long mode was entered (entry.asm). */
void OslCheckProcessor(void)
{
    CPUID Basic = ReadCpuid(1);
    CPUID Extended = ReadCpuid(0x80000001);
    const struct {
        uint32_t Register, Bit;
        const char *Name;
    } Needs[] = {
        {Extended.Edx, 20, "NX (no-execute pages)"},
        {Basic.Ecx, 13, "CMPXCHG16B"},
        {Basic.Edx, 24, "FXSAVE"},
        {Basic.Edx, 25, "SSE"},
        {Basic.Edx, 26, "SSE2"},
        {Basic.Edx, 9, "an APIC"},
    };
    char Missing[128] = {0};
    for (size_t i = 0; i < sizeof(Needs) / sizeof(Needs[0]); i++) {
        if (!(Needs[i].Register >> Needs[i].Bit & 1))
            Append(Missing, sizeof(Missing), Needs[i].Name);
    }
    if (Missing[0])
        OslFail(
            "ntbox: this processor lacks %s; ntbox needs a 64-bit processor with long mode, NX, CMPXCHG16B, "
            "FXSAVE, SSE2 and an APIC",
            Missing);
}

bool OslHasGigabytePages(void)
{
    return (ReadCpuid(0x80000001).Edx & GIGABYTE_PAGES_BIT) != 0;
}

void OslEnableNoExecute(void)
{
    uint32_t Low, High;
    __asm__ volatile("rdmsr" : "=a"(Low), "=d"(High) : "c"(EFER));
    __asm__ volatile("wrmsr" : : "a"(Low | EFER_NXE | EFER_SCE), "d"(High), "c"(EFER));
}

/* RDRAND may fail now and then; ten failures in a row mean that it is broken. */
static uint64_t ReadRdrand(void)
{
    for (uint32_t Try = 0; Try < 10; Try++) {
        uint64_t Value;
        uint8_t Good;
        __asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(Value), "=q"(Good) : : "cc");
        if (Good)
            return Value;
    }
    return 0;
}

uint64_t OslSeed(const char *CommandLine)
{
    uint64_t Seed;
    if (OslCommandLineNumber(CommandLine, "seed", &Seed))
        return Seed;
    uint32_t Low, High;
    __asm__ volatile("rdtsc" : "=a"(Low), "=d"(High));
    Seed = (uint64_t)High << 32 | Low;
    if (ReadCpuid(1).Ecx & RDRAND_BIT)
        Seed ^= ReadRdrand();
    return LayoutNextRandom(&Seed);
}

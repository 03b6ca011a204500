/* SPDX-License-Identifier: MIT
 * Memory type range registers: what the boot processor has is given to each processor that is started.
 * [Intel SDM volume 3, 12.11.8 "MTRR considerations in MP systems"] */
#include "arch_start.h"
#include "rtl.h"

#define MSR_MTRR_CAPABILITIES 0xfe
#define MSR_MTRR_VARIABLE 0x200
#define MSR_MTRR_DEFAULT 0x2ff
#define MTRR_ENABLE 0x800ull
#define MAX_VARIABLE_RANGES 32
#define CR0_CACHE_DISABLE (1ull << 30)
#define CR4_GLOBAL (1ull << 7)

static const USHORT ArchFixedRanges[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                         0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

static struct {
    BOOLEAN Present, HasFixed;
    ULONG VariableCount; /* registers: two for each range */
    ULONG64 Default;
    ULONG64 Fixed[RTL_NUMBER_OF(ArchFixedRanges)];
    ULONG64 Variable[2 * MAX_VARIABLE_RANGES];
} ArchMemoryTypes; /* written once, by the boot processor */

VOID ArchSaveMemoryTypes(VOID)
{
    if ((ArchCpuid(1, 0).Edx & (1u << 12)) == 0)
        return;
    ULONG64 Capabilities = ArchReadMsr(MSR_MTRR_CAPABILITIES);
    ArchMemoryTypes.Present = TRUE;
    ArchMemoryTypes.HasFixed = (Capabilities & 0x100) != 0;
    ArchMemoryTypes.VariableCount = 2 * min((ULONG)(Capabilities & 0xff), MAX_VARIABLE_RANGES);
    ArchMemoryTypes.Default = ArchReadMsr(MSR_MTRR_DEFAULT);
    for (ULONG i = 0; i < ArchMemoryTypes.VariableCount; i++)
        ArchMemoryTypes.Variable[i] = ArchReadMsr(MSR_MTRR_VARIABLE + i);
    for (ULONG i = 0; ArchMemoryTypes.HasFixed && i < RTL_NUMBER_OF(ArchFixedRanges); i++)
        ArchMemoryTypes.Fixed[i] = ArchReadMsr(ArchFixedRanges[i]);
}

static VOID ArchWriteRanges(VOID)
{
    ArchWriteMsr(MSR_MTRR_DEFAULT, ArchMemoryTypes.Default & ~MTRR_ENABLE);
    for (ULONG i = 0; i < ArchMemoryTypes.VariableCount; i++)
        ArchWriteMsr(MSR_MTRR_VARIABLE + i, ArchMemoryTypes.Variable[i]);
    for (ULONG i = 0; ArchMemoryTypes.HasFixed && i < RTL_NUMBER_OF(ArchFixedRanges); i++)
        ArchWriteMsr(ArchFixedRanges[i], ArchMemoryTypes.Fixed[i]);
    ArchWriteMsr(MSR_MTRR_DEFAULT, ArchMemoryTypes.Default);
}

/* Caches are off and empty while the types change. */
VOID ArchLoadMemoryTypes(VOID)
{
    ULONG64 Cr0, Cr4 = ArchReadCr4();

    if (!ArchMemoryTypes.Present)
        return;
    __asm__ volatile("mov %%cr0, %0" : "=r"(Cr0));
    __asm__ volatile("mov %0, %%cr0; wbinvd" : : "r"(Cr0 | CR0_CACHE_DISABLE) : "memory");
    ArchWriteCr4(Cr4 ^ CR4_GLOBAL);
    ArchWriteRanges();
    __asm__ volatile("wbinvd; mov %0, %%cr0" : : "r"(Cr0) : "memory");
    ArchWriteCr4(Cr4);
}

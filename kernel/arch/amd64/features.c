/* SPDX-License-Identifier: MIT
 * Optional processor features: switched on where CPUID shows them. What is required was checked by osloader. */
#include "arch_trap.h"

#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP (1ull << 20)
#define CR4_PKS (1ull << 24)
#define CR4_UMIP (1ull << 11)
#define CR4_PGE (1ull << 7)

VOID ArchSelectXSave(ULONG Bytes);

static VOID ArchEnableXSave(VOID)
{
    ULONG Mask = ArchCpuid(13, 0).Eax & 0xe7; /* x87, SSE, AVX, AVX-512 */

    ArchWriteCr4(ArchReadCr4() | CR4_OSXSAVE);
    __asm__ volatile("xsetbv" : : "c"(0), "a"(Mask), "d"(0));
    ArchSelectXSave(ArchCpuid(13, 0).Ebx); /* size for what XCR0 enables now */
}

VOID ArchEnableFeatures(VOID)
{
    ARCH_CPUID Basic = ArchCpuid(1, 0);
    ARCH_CPUID Extended = ArchCpuid(0, 0).Eax >= 7 ? ArchCpuid(7, 0) : (ARCH_CPUID){0};
    ULONG64 Cr4 = ArchReadCr4() | CR4_PGE;
    ULONG MxCsr = 0x1f80;

    if (Extended.Ebx & (1u << 7))
        Cr4 |= CR4_SMEP;
    if (Extended.Ebx & (1u << 20))
        Cr4 |= ARCH_CR4_SMAP;
    if (Extended.Ecx & (1u << 2))
        Cr4 |= CR4_UMIP;
    if (Extended.Ecx & (1u << 31))
        Cr4 |= CR4_PKS;
    ArchWriteCr4(Cr4);
    if ((Basic.Ecx & (1u << 26)) && ArchCpuid(0, 0).Eax >= 13)
        ArchEnableXSave();
    __asm__ volatile("fninit; ldmxcsr %0" : : "m"(MxCsr));
}

/* SPDX-License-Identifier: MIT
 * RtlRandomEx, RtlRandom [WDK]: uniform in 0..MAXLONG-1, the sequence depends on *Seed alone (runs are reproducible). */
#include "rtlp.h"

/* The seed walks through all 2^32 values (odd step); the result is a mix of it (the finaliser of
 * MurmurHash3). */
ULONG NTAPI RtlRandomEx(PULONG Seed)
{
    ULONG Value = *Seed += 0x9E3779B9;

    Value = (Value ^ (Value >> 16)) * 0x85EBCA6B;
    Value = (Value ^ (Value >> 13)) * 0xC2B2AE35;
    Value ^= Value >> 16;
    return (ULONG)(((ULONG64)Value * 0x7FFFFFFF) >> 32);
}

/* [WDK RtlRandom] 0..MAXLONG-1, slower than RtlRandomEx on Windows; the same numbers here. */
ULONG NTAPI RtlRandom(PULONG Seed)
{
    return RtlRandomEx(Seed);
}

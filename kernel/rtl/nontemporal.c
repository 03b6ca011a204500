/* SPDX-License-Identifier: MIT
 * Memory without the caches [WDK RtlCopyMemoryNonTemporal, RtlPrefetchMemoryNonTemporal]: for data that this processor will not read soon. Any IRQL at
 * which the memory is resident. */
#include "rtlp.h"

#define CACHE_LINE 64

/* [Intel SDM MOVNTI, SFENCE] Whole quadwords at aligned addresses go past the caches; the fence orders them before what follows. */
VOID NTAPI RtlCopyMemoryNonTemporal(VOID UNALIGNED *Destination, CONST VOID UNALIGNED *Source, SIZE_T Length)
{
    PUCHAR To = Destination;
    const UCHAR *From = Source;
    SIZE_T Head = (8 - (ULONG_PTR)To % 8) % 8;

    if (Head > Length)
        Head = Length;
    memcpy(To, From, Head);
    for (To += Head, From += Head, Length -= Head; Length >= 8; To += 8, From += 8, Length -= 8) {
        ULONG64 Value;
        memcpy(&Value, From, sizeof(Value));
        __asm__ volatile("movnti %1, %0" : "=m"(*(ULONG64 *)To) : "r"(Value));
    }
    memcpy(To, From, Length);
    __asm__ volatile("sfence" ::: "memory");
}

/* [WDK] A hint: it does not fault. */
VOID FASTCALL RtlPrefetchMemoryNonTemporal(PVOID Source, SIZE_T Length)
{
    for (SIZE_T i = 0; i < Length; i += CACHE_LINE)
        __asm__ volatile("prefetchnta %0" ::"m"(((const CHAR *)Source)[i]));
}

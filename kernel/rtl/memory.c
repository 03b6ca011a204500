/* SPDX-License-Identifier: MIT
 * Copy, fill and compare. Small sizes use overlapping loads and stores (two per size class, no loop); the
 * bulk is `rep movsq`/`rep stosq`, which counts 8 bytes per instruction under TCG. `rep movsb` is several
 * times slower there and is not used. DF = 0 is an invariant of the kernel. Compiled code uses no SSE
 * register. */
#include "rtlp.h"

typedef struct __attribute__((packed, may_alias)) _RTLP_U64 {
    ULONG64 Value;
} RTLP_U64;
typedef struct __attribute__((packed, may_alias)) _RTLP_U32 {
    ULONG Value;
} RTLP_U32;
typedef struct __attribute__((packed, may_alias)) _RTLP_U16 {
    USHORT Value;
} RTLP_U16;

#define U64(P) (((RTLP_U64 *)(P))->Value)
#define U32(P) (((RTLP_U32 *)(P))->Value)
#define U16(P) (((RTLP_U16 *)(P))->Value)
#define READ64(P) (((const RTLP_U64 *)(P))->Value)
#define READ32(P) (((const RTLP_U32 *)(P))->Value)
#define READ16(P) (((const RTLP_U16 *)(P))->Value)

/* Up to 32 bytes. All loads come before the first store, so overlapping areas are right too. */
static inline void RtlpMoveSmall(UCHAR *To, const UCHAR *From, SIZE_T Size)
{
    if (Size >= 16) {
        ULONG64 A = READ64(From), B = READ64(From + 8);
        ULONG64 C = READ64(From + Size - 16), D = READ64(From + Size - 8);
        U64(To) = A;
        U64(To + 8) = B;
        U64(To + Size - 16) = C;
        U64(To + Size - 8) = D;
    } else if (Size >= 8) {
        ULONG64 A = READ64(From), B = READ64(From + Size - 8);
        U64(To) = A;
        U64(To + Size - 8) = B;
    } else if (Size >= 4) {
        ULONG A = READ32(From), B = READ32(From + Size - 4);
        U32(To) = A;
        U32(To + Size - 4) = B;
    } else if (Size >= 2) {
        USHORT A = READ16(From), B = READ16(From + Size - 2);
        U16(To) = A;
        U16(To + Size - 2) = B;
    } else if (Size == 1) {
        *To = *From;
    }
}

/* More than 32 bytes, lowest address first. The last 8 bytes are read before they can be overwritten. */
static inline void RtlpMoveUp(UCHAR *To, const UCHAR *From, SIZE_T Size)
{
    ULONG64 Last = READ64(From + Size - 8);
    UCHAR *LastTo = To + Size - 8;
    SIZE_T Count = Size / 8;
    __asm__ volatile("rep movsq" : "+D"(To), "+S"(From), "+c"(Count) : : "memory");
    U64(LastTo) = Last;
}

/* More than 32 bytes, highest address first. The first 8 bytes are read before they can be overwritten. */
static inline void RtlpMoveDown(UCHAR *To, const UCHAR *From, SIZE_T Size)
{
    ULONG64 First = READ64(From);
    SIZE_T Left = Size;
    for (; Left >= 8; Left -= 8)
        U64(To + Left - 8) = READ64(From + Left - 8);
    U64(To) = First;
}

void *__cdecl memcpy(void *To, const void *From, size_t Size)
{
    if (Size <= 32)
        RtlpMoveSmall(To, From, Size);
    else
        RtlpMoveUp(To, From, Size);
    return To;
}

void *__cdecl memmove(void *To, const void *From, size_t Size)
{
    if (Size <= 32)
        RtlpMoveSmall(To, From, Size);
    else if ((ULONG_PTR)To - (ULONG_PTR)From >= Size)
        RtlpMoveUp(To, From, Size);
    else
        RtlpMoveDown(To, From, Size);
    return To;
}

void *__cdecl memset(void *To, int Value, size_t Size)
{
    UCHAR *P = To;
    ULONG64 Pattern = (ULONG64)(UCHAR)Value * 0x0101010101010101ull;

    if (Size >= 8) {
        U64(P + Size - 8) = Pattern;
        if (Size <= 32) {
            U64(P) = Pattern;
            if (Size > 16) {
                U64(P + 8) = Pattern;
                U64(P + Size - 16) = Pattern;
            }
        } else {
            SIZE_T Count = Size / 8;
            __asm__ volatile("rep stosq" : "+D"(P), "+c"(Count) : "a"(Pattern) : "memory");
        }
    } else if (Size >= 4) {
        U32(P) = (ULONG)Pattern;
        U32(P + Size - 4) = (ULONG)Pattern;
    } else if (Size >= 2) {
        U16(P) = (USHORT)Pattern;
        U16(P + Size - 2) = (USHORT)Pattern;
    } else if (Size == 1) {
        *P = (UCHAR)Value;
    }
    return To;
}

int __cdecl memcmp(const void *A, const void *B, size_t Size)
{
    SIZE_T Equal = RtlCompareMemory(A, B, Size);
    if (Equal == Size)
        return 0;
    return ((const UCHAR *)A)[Equal] < ((const UCHAR *)B)[Equal] ? -1 : 1;
}

void *__cdecl memchr(const void *Area, int Value, size_t Size)
{
    const UCHAR *P = Area;
    for (size_t i = 0; i < Size; i++)
        if (P[i] == (UCHAR)Value)
            return (void *)(P + i);
    return NULL;
}

/* [WDK RtlCompareMemory] Returns the number of bytes that match until the first difference. */
SIZE_T NTAPI RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *A = Source1, *B = Source2;
    SIZE_T i = 0;

    for (; Length - i >= 8; i += 8) {
        ULONG64 Difference = READ64(A + i) ^ READ64(B + i);
        if (Difference != 0)
            return i + (SIZE_T)__builtin_ctzll(Difference) / 8;
    }
    while (i < Length && A[i] == B[i])
        i++;
    return i;
}

/* [WDK RtlCompareMemoryUlong] Source must be ULONG aligned and Length a multiple of 4, otherwise 0 is
 * returned; the result counts bytes up to the first ULONG that differs from Pattern. */
SIZE_T NTAPI RtlCompareMemoryUlong(PVOID Source, SIZE_T Length, ULONG Pattern)
{
    const ULONG *P = Source;

    if (((ULONG_PTR)Source & 3) != 0 || (Length & 3) != 0)
        return 0;
    SIZE_T i = 0;
    while (i < Length / 4 && P[i] == Pattern)
        i++;
    return i * 4;
}

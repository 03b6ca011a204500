/* SPDX-License-Identifier: MIT
 * RTL_BITMAP. Bit n is bit n % 32 of ULONG n / 32. Any IRQL at which the bitmap is resident; the caller
 * serialises. A range that leaves the bitmap is cut at its end when set or cleared, and neither set nor clear
 * when tested. */
#include "rtlp.h"

#define NOT_FOUND 0xFFFFFFFF

VOID NTAPI RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    BitMapHeader->SizeOfBitMap = SizeOfBitMap;
    BitMapHeader->Buffer = BitMapBuffer;
}

static inline BOOLEAN RtlpBit(const RTL_BITMAP *Map, ULONG Index)
{
    return (Map->Buffer[Index / 32] >> (Index % 32)) & 1;
}

/* First index in [From, To) whose bit is Value, or To. Whole words that cannot hold it are skipped. */
static ULONG RtlpFindBit(const RTL_BITMAP *Map, ULONG From, ULONG To, BOOLEAN Value)
{
    ULONG Skip = Value ? 0 : MAXULONG;

    while (From < To) {
        if (From % 32 == 0 && Map->Buffer[From / 32] == Skip) {
            From = To - From < 32 ? To : From + 32;
            continue;
        }
        if (RtlpBit(Map, From) == Value)
            return From;
        From++;
    }
    return To;
}

/* End of [Start, Start + Count), at most the size of the map. */
static ULONG RtlpRangeEnd(const RTL_BITMAP *Map, ULONG Start, ULONG Count)
{
    if (Start >= Map->SizeOfBitMap)
        return Start;
    return Count > Map->SizeOfBitMap - Start ? Map->SizeOfBitMap : Start + Count;
}

static VOID RtlpFillBits(PRTL_BITMAP Map, ULONG Start, ULONG Count, BOOLEAN Value)
{
    ULONG End = RtlpRangeEnd(Map, Start, Count);

    while (Start < End) {
        ULONG First = Start % 32, Bits = 32 - First < End - Start ? 32 - First : End - Start;
        ULONG Mask = (Bits == 32 ? MAXULONG : (1u << Bits) - 1) << First;
        if (Value)
            Map->Buffer[Start / 32] |= Mask;
        else
            Map->Buffer[Start / 32] &= ~Mask;
        Start += Bits;
    }
}

static BOOLEAN RtlpAreBits(const RTL_BITMAP *Map, ULONG Start, ULONG Count, BOOLEAN Value)
{
    if (Count == 0 || Start >= Map->SizeOfBitMap || Count > Map->SizeOfBitMap - Start)
        return FALSE;
    return RtlpFindBit(Map, Start, Start + Count, !Value) == Start + Count;
}

/* A run of Count bits of Value that begins in [From, Until). */
static ULONG RtlpFindRun(const RTL_BITMAP *Map, ULONG Count, ULONG From, ULONG Until, BOOLEAN Value)
{
    ULONG Size = Map->SizeOfBitMap;

    for (;;) {
        ULONG Start = RtlpFindBit(Map, From, Size, Value);
        if (Start >= Until || Count > Size - Start)
            return NOT_FOUND;
        ULONG End = RtlpFindBit(Map, Start, Start + Count, !Value);
        if (End == Start + Count)
            return Start;
        From = End;
    }
}

/* [WDK RtlFindClearBits] From the hint to the end, then from the start. Count 0 gives the hint rounded down
 * to 8. */
static ULONG RtlpFindBits(const RTL_BITMAP *Map, ULONG Count, ULONG Hint, BOOLEAN Value)
{
    if (Hint >= Map->SizeOfBitMap)
        Hint = 0;
    if (Count == 0)
        return Hint & ~7u;
    if (Count > Map->SizeOfBitMap)
        return NOT_FOUND;
    ULONG Found = RtlpFindRun(Map, Count, Hint, Map->SizeOfBitMap, Value);
    return Found == NOT_FOUND ? RtlpFindRun(Map, Count, 0, Hint, Value) : Found;
}

VOID NTAPI RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    RtlpFillBits(BitMapHeader, BitNumber, 1, TRUE);
}

VOID NTAPI RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    RtlpFillBits(BitMapHeader, BitNumber, 1, FALSE);
}

BOOLEAN NTAPI RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    return BitNumber < BitMapHeader->SizeOfBitMap && RtlpBit(BitMapHeader, BitNumber);
}

VOID NTAPI RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    RtlpFillBits(BitMapHeader, StartingIndex, NumberToSet, TRUE);
}

VOID NTAPI RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    RtlpFillBits(BitMapHeader, StartingIndex, NumberToClear, FALSE);
}

VOID NTAPI RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
    RtlpFillBits(BitMapHeader, 0, BitMapHeader->SizeOfBitMap, TRUE);
}

VOID NTAPI RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    RtlpFillBits(BitMapHeader, 0, BitMapHeader->SizeOfBitMap, FALSE);
}

BOOLEAN NTAPI RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return RtlpAreBits(BitMapHeader, StartingIndex, Length, TRUE);
}

BOOLEAN NTAPI RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return RtlpAreBits(BitMapHeader, StartingIndex, Length, FALSE);
}

ULONG NTAPI RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return RtlpFindBits(BitMapHeader, NumberToFind, HintIndex, FALSE);
}

ULONG NTAPI RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return RtlpFindBits(BitMapHeader, NumberToFind, HintIndex, TRUE);
}

ULONG NTAPI RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG Start = RtlpFindBits(BitMapHeader, NumberToFind, HintIndex, FALSE);
    if (Start != NOT_FOUND)
        RtlpFillBits(BitMapHeader, Start, NumberToFind, TRUE);
    return Start;
}

ULONG NTAPI RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG Start = RtlpFindBits(BitMapHeader, NumberToFind, HintIndex, TRUE);
    if (Start != NOT_FOUND)
        RtlpFillBits(BitMapHeader, Start, NumberToFind, FALSE);
    return Start;
}

/* [WDK RtlFindNextForwardRunClear] Length of the next clear run at or above FromIndex, 0 if there is none. */
ULONG NTAPI RtlFindNextForwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex, PULONG StartingRunIndex)
{
    ULONG Size = BitMapHeader->SizeOfBitMap;
    ULONG Start = RtlpFindBit(BitMapHeader, FromIndex, Size, FALSE);

    *StartingRunIndex = Start;
    return Start >= Size ? 0 : RtlpFindBit(BitMapHeader, Start, Size, TRUE) - Start;
}

ULONG NTAPI RtlFindFirstRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    return RtlFindNextForwardRunClear(BitMapHeader, 0, StartingIndex);
}

ULONG NTAPI RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
    ULONG Size = BitMapHeader->SizeOfBitMap, Count = 0;

    for (ULONG i = 0; i < Size / 32; i++)
        for (ULONG Word = BitMapHeader->Buffer[i]; Word != 0; Word &= Word - 1)
            Count++;
    for (ULONG i = Size & ~31u; i < Size; i++)
        Count += RtlpBit(BitMapHeader, i);
    return Count;
}

ULONG NTAPI RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader)
{
    return BitMapHeader->SizeOfBitMap - RtlNumberOfSetBits(BitMapHeader);
}

/* The run of clear bits behind Index; its length, 0 for none. */
static ULONG RtlpNextRun(PRTL_BITMAP Map, ULONG Index, ULONG *Start)
{
    return Index >= Map->SizeOfBitMap ? 0 : RtlFindNextForwardRunClear(Map, Index, Start);
}

/* [WDK RtlFindLongestRunClear] The first of the longest runs; 0: no bit is clear. */
ULONG NTAPI RtlFindLongestRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    ULONG Longest = 0, Start = 0, Length;

    *StartingIndex = 0;
    for (ULONG Index = 0; (Length = RtlpNextRun(BitMapHeader, Index, &Start)) != 0; Index = Start + Length) {
        if (Length > Longest) {
            Longest = Length;
            *StartingIndex = Start;
        }
    }
    return Longest;
}

/* Puts a run into the array, which is sorted from long to short, if it is longer than the last there. */
static VOID RtlpKeepLong(PRTL_BITMAP_RUN Runs, ULONG Room, ULONG *Count, RTL_BITMAP_RUN Run)
{
    if (*Count == Room && Runs[Room - 1].NumberOfBits >= Run.NumberOfBits)
        return;
    ULONG At = *Count < Room ? (*Count)++ : Room - 1;
    for (; At > 0 && Runs[At - 1].NumberOfBits < Run.NumberOfBits; At--)
        Runs[At] = Runs[At - 1];
    Runs[At] = Run;
}

/* [WDK RtlFindClearRuns] The first runs that fit the array, or, when LocateLongestRuns, the longest, from long to short. */
ULONG NTAPI RtlFindClearRuns(PRTL_BITMAP BitMapHeader, PRTL_BITMAP_RUN RunArray, ULONG SizeOfRunArray,
                             BOOLEAN LocateLongestRuns)
{
    ULONG Count = 0, Length;
    RTL_BITMAP_RUN Run = {0, 0};

    for (ULONG Index = 0; SizeOfRunArray != 0; Index = Run.StartingIndex + Length) {
        Length = RtlpNextRun(BitMapHeader, Index, &Run.StartingIndex);
        if (Length == 0 || (Count == SizeOfRunArray && !LocateLongestRuns))
            break;
        Run.NumberOfBits = Length;
        if (LocateLongestRuns)
            RtlpKeepLong(RunArray, SizeOfRunArray, &Count, Run);
        else
            RunArray[Count++] = Run;
    }
    return Count;
}

/* [WDK RtlFindLastBackwardRunClear] The run of clear bits that ends at FromIndex or before it; 0: none. */
ULONG NTAPI RtlFindLastBackwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex, PULONG StartingRunIndex)
{
    ULONG End, Length = 0;

    if (FromIndex >= BitMapHeader->SizeOfBitMap)
        FromIndex = BitMapHeader->SizeOfBitMap - 1;
    for (End = FromIndex + 1; End > 0 && RtlTestBit(BitMapHeader, End - 1);)
        End--;
    while (End > 0 && !RtlTestBit(BitMapHeader, End - 1)) {
        End--;
        Length++;
    }
    *StartingRunIndex = End;
    return Length;
}

/* SPDX-License-Identifier: MIT
 * The sorted memory map. Machines have some ten ranges, so linear walks are the fastest thing. */
#include "osloader/memory_map.h"

#define ONE_MIB 0x100000ull
#define TOP_OF_ADDRESSES 0x0010000000000000ull /* 52 bits: no processor has more */

static uint32_t Rank(uint32_t Type)
{
    switch (Type) {
    case LoaderMemoryFree:
        return 0;
    case LoaderMemoryAcpiReclaim:
        return 1;
    case LoaderMemoryAcpiNvs:
        return 2;
    case LoaderMemoryReserved:
        return 3;
    case LoaderMemoryBad:
        return 4;
    default:
        return 5;
    }
}

static uint64_t End(const LOADER_MEMORY_RANGE *Range)
{
    return Range->Base + Range->Length;
}

/* Opens a slot in front of index At; false if the map is full. */
static bool OpenSlot(OSL_MAP *Map, uint32_t At)
{
    if (Map->Count == OSL_MAP_RANGES) {
        Map->Overflow = true;
        return false;
    }
    for (uint32_t i = Map->Count; i > At; i--)
        Map->Ranges[i] = Map->Ranges[i - 1];
    Map->Count++;
    return true;
}

static void CloseSlot(OSL_MAP *Map, uint32_t At)
{
    Map->Count--;
    for (uint32_t i = At; i < Map->Count; i++)
        Map->Ranges[i] = Map->Ranges[i + 1];
}

/* Takes [Base, Stop) away from the range at index At, which overlaps it. Returns how many ranges are left of
 * it. */
static uint32_t CutOut(OSL_MAP *Map, uint32_t At, uint64_t Base, uint64_t Stop)
{
    LOADER_MEMORY_RANGE Old = Map->Ranges[At];
    bool Left = Old.Base < Base;
    bool Right = End(&Old) > Stop;
    if (!Left && !Right) {
        CloseSlot(Map, At);
        return 0;
    }
    if (Left && Right && !OpenSlot(Map, At))
        return 1;
    if (Left)
        Map->Ranges[At].Length = Base - Old.Base;
    if (Right) {
        LOADER_MEMORY_RANGE *Rest = &Map->Ranges[At + Left];
        Rest->Base = Stop;
        Rest->Length = End(&Old) - Stop;
    }
    return (uint32_t)Left + Right;
}

/* Removes [Base, Stop) from all ranges that a range of this type displaces. */
static void Displace(OSL_MAP *Map, uint64_t Base, uint64_t Stop, LOADER_MEMORY_TYPE Type)
{
    for (uint32_t i = 0; i < Map->Count && Map->Ranges[i].Base < Stop;) {
        const LOADER_MEMORY_RANGE *Range = &Map->Ranges[i];
        if (End(Range) <= Base || Rank(Range->Type) > Rank(Type))
            i++;
        else
            i += CutOut(Map, i, Base, Stop);
    }
}

static bool InsertPiece(OSL_MAP *Map, uint32_t At, uint64_t Base, uint64_t Stop, LOADER_MEMORY_TYPE Type)
{
    if (Base >= Stop)
        return false;
    if (!OpenSlot(Map, At))
        return false;
    Map->Ranges[At] = (LOADER_MEMORY_RANGE){Base, Stop - Base, (uint32_t)Type, 0};
    return true;
}

/* Puts [Base, Stop) into the gaps that stronger ranges leave. */
static void FillGaps(OSL_MAP *Map, uint64_t Base, uint64_t Stop, LOADER_MEMORY_TYPE Type)
{
    uint32_t i = 0;
    while (i < Map->Count && End(&Map->Ranges[i]) <= Base)
        i++;
    while (i < Map->Count && Map->Ranges[i].Base < Stop) {
        i += InsertPiece(Map, i, Base, Map->Ranges[i].Base, Type);
        if (Map->Overflow)
            return;
        Base = End(&Map->Ranges[i]);
        i++;
    }
    InsertPiece(Map, i, Base, Stop, Type);
}

void OslMapInsert(OSL_MAP *Map, uint64_t Base, uint64_t Length, LOADER_MEMORY_TYPE Type)
{
    if (Base >= TOP_OF_ADDRESSES || Length == 0)
        return;
    uint64_t Stop = Length > TOP_OF_ADDRESSES - Base ? TOP_OF_ADDRESSES : Base + Length;
    uint64_t Mask = OSL_PAGE_SIZE - 1;
    if (Type == LoaderMemoryFree) {
        Base = (Base + Mask) & ~Mask;
        Stop &= ~Mask;
    } else {
        Base &= ~Mask;
        Stop = (Stop + Mask) & ~Mask;
    }
    if (Base >= Stop || Map->Overflow)
        return;
    Displace(Map, Base, Stop, Type);
    FillGaps(Map, Base, Stop, Type);
}

uint64_t OslMapClaim(OSL_MAP *Map, uint64_t Length, uint64_t Alignment, uint64_t Limit,
                     LOADER_MEMORY_TYPE Type)
{
    if (Length == 0 || Length > Limit || Length > TOP_OF_ADDRESSES)
        return 0;
    Length = (Length + OSL_PAGE_SIZE - 1) & ~(uint64_t)(OSL_PAGE_SIZE - 1);
    for (uint32_t i = 0; i < Map->Count; i++) {
        const LOADER_MEMORY_RANGE *Range = &Map->Ranges[i];
        if (Range->Type != LoaderMemoryFree || End(Range) <= ONE_MIB)
            continue;
        uint64_t Base = Range->Base < ONE_MIB ? ONE_MIB : Range->Base;
        Base = (Base + Alignment - 1) & ~(Alignment - 1);
        uint64_t Stop = End(Range) < Limit ? End(Range) : Limit;
        if (Base < Stop && Stop - Base >= Length) {
            OslMapInsert(Map, Base, Length, Type);
            return Map->Overflow ? 0 : Base;
        }
    }
    return 0;
}

void OslMapCoalesce(OSL_MAP *Map)
{
    for (uint32_t i = 0; i + 1 < Map->Count;) {
        LOADER_MEMORY_RANGE *Range = &Map->Ranges[i];
        if (Range->Type == Range[1].Type && End(Range) == Range[1].Base) {
            Range->Length += Range[1].Length;
            CloseSlot(Map, i + 1);
        } else {
            i++;
        }
    }
}

uint64_t OslMapTopOfRam(const OSL_MAP *Map)
{
    for (uint32_t i = Map->Count; i > 0; i--) {
        uint32_t Type = Map->Ranges[i - 1].Type;
        if (Type != LoaderMemoryReserved && Type != LoaderMemoryBad)
            return End(&Map->Ranges[i - 1]);
    }
    return 0;
}

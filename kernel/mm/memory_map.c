/* SPDX-License-Identifier: MIT
 * Which pages are RAM: memory_map.h. */
#include "memory_map.h"

#define MI_MAP_PAGE_SHIFT 12

bool MiIsRam(const LOADER_MEMORY_RANGE *Range)
{
    return Range->Type != LoaderMemoryReserved && Range->Type != LoaderMemoryBad &&
           Range->Type != LoaderMemoryAcpiNvs;
}

static uint64_t Smaller(uint64_t A, uint64_t B)
{
    return A < B ? A : B;
}

uint64_t MiMapRunOfKind(MI_MEMORY_MAP Map, uint64_t First, uint64_t Count, bool *Ram)
{
    *Ram = false;
    for (uint32_t I = 0; I < Map.Count; I++) {
        uint64_t Base = Map.Ranges[I].Base >> MI_MAP_PAGE_SHIFT,
                 Pages = Map.Ranges[I].Length >> MI_MAP_PAGE_SHIFT;
        if (First < Base)
            return Smaller(Count, Base - First);
        if (First - Base < Pages) {
            *Ram = MiIsRam(&Map.Ranges[I]);
            return Smaller(Count, Base + Pages - First);
        }
    }
    return Count;
}

bool MiMapNextRam(MI_MEMORY_MAP Map, uint64_t End, uint64_t *Frame, uint64_t *Count)
{
    bool Ram = false;
    uint64_t Run = 0;
    for (; *Frame < End && !Ram; *Frame += Ram ? 0 : Run)
        Run = MiMapRunOfKind(Map, *Frame, End - *Frame, &Ram);
    for (*Count = 0; Ram && *Frame + *Count < End; *Count += Ram ? Run : 0)
        Run = MiMapRunOfKind(Map, *Frame + *Count, End - *Frame - *Count, &Ram);
    return *Count != 0;
}

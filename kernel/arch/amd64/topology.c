/* SPDX-License-Identifier: MIT
 * CPUID's words on cores, packages and caches. [Intel SDM volume 3, "Identifying Topological Relationships"; volume 2, CPUID
 * leaves 1, 4 and 0BH; AMD APM volume 3, CPUID functions 8000_0005, 8000_0006, 8000_0008 and 8000_001D] */
#include "arch.h"
#include "arch_topology.h"

#define EXTENDED 0x80000000u

static BOOLEAN ArchHasLeaf(ULONG Leaf)
{
    return ArchCpuid(Leaf & EXTENDED, 0).Eax >= Leaf;
}

/* Bits that number Count things. */
static UCHAR ArchBitsFor(ULONG Count)
{
    UCHAR Bits = 0;
    while (((ULONG64)1 << Bits) < Count)
        Bits++;
    return Bits;
}

/* Leaf 0BH: a level a subleaf, 1 the threads of a core, 2 the cores of a package. */
static BOOLEAN ArchReadLevels(ARCH_TOPOLOGY *Topology)
{
    if (!ArchHasLeaf(11) || ArchCpuid(11, 0).Ebx == 0)
        return FALSE;
    for (ULONG Level = 0; Level < 8; Level++) {
        ARCH_CPUID Leaf = ArchCpuid(11, Level);
        ULONG Type = (Leaf.Ecx >> 8) & 0xff;
        if (Type == 0)
            break;
        if (Type == 1)
            Topology->CoreShift = Leaf.Eax & 0x1f;
        Topology->PackageShift = Leaf.Eax & 0x1f;
    }
    return TRUE;
}

/* Leaves 1 (threads of a package, CPUID.1:EDX.HTT) and 4 or 8000_0008 (cores of a package). */
static VOID ArchReadCounts(ARCH_TOPOLOGY *Topology)
{
    ARCH_CPUID Basic = ArchCpuid(1, 0);
    ULONG Threads = (Basic.Edx & (1u << 28)) != 0 ? (Basic.Ebx >> 16) & 0xff : 1;
    ULONG Cores = 1;

    if (ArchHasLeaf(4) && (ArchCpuid(4, 0).Eax & 0x1f) != 0)
        Cores = (ArchCpuid(4, 0).Eax >> 26) + 1;
    else if (ArchHasLeaf(0x80000008))
        Cores = (ArchCpuid(0x80000008, 0).Ecx & 0xff) + 1;
    Topology->PackageShift = ArchBitsFor(Threads > Cores ? Threads : Cores);
    Topology->CoreShift = (UCHAR)(Topology->PackageShift - ArchBitsFor(Cores));
}

static VOID ArchAddCache(ARCH_TOPOLOGY *Topology, const ARCH_CACHE *Cache)
{
    if (Topology->CacheCount < ARCH_MAX_CACHES && Cache->Size != 0)
        Topology->Caches[Topology->CacheCount++] = *Cache;
}

/* Leaves 4 and 8000_001D have one format: a cache a subleaf. */
static VOID ArchReadCaches(ARCH_TOPOLOGY *Topology, ULONG Leaf)
{
    static const PROCESSOR_CACHE_TYPE Types[] = {CacheData, CacheInstruction, CacheUnified};

    for (ULONG i = 0; ArchHasLeaf(Leaf) && i < ARCH_MAX_CACHES; i++) {
        ARCH_CPUID R = ArchCpuid(Leaf, i);
        ULONG Type = R.Eax & 0x1f;
        if (Type == 0 || Type > RTL_NUMBER_OF(Types))
            break;
        ULONG Ways = (R.Ebx >> 22) + 1, Partitions = ((R.Ebx >> 12) & 0x3ff) + 1, Line = (R.Ebx & 0xfff) + 1;
        ArchAddCache(Topology, &(ARCH_CACHE){
                                   .Level = (R.Eax >> 5) & 7,
                                   .Associativity = (R.Eax & 0x200) != 0 || Ways >= CACHE_FULLY_ASSOCIATIVE
                                                        ? CACHE_FULLY_ASSOCIATIVE
                                                        : (UCHAR)Ways,
                                   .LineSize = (USHORT)Line,
                                   .Size = Ways * Partitions * Line * (R.Ecx + 1),
                                   .Type = Types[Type - 1],
                                   .Shift = ArchBitsFor(((R.Eax >> 14) & 0xfff) + 1),
                               });
    }
}

/* [APM 8000_0006] the code of the associativity of a second- or third-level cache */
static UCHAR ArchWays(ULONG Code)
{
    static const UCHAR Ways[16] = {0, 1, 2, 3, 4, 6, 8, 0, 16, 0, 32, 48, 64, 96, 128, 0xff};
    return Ways[Code & 15];
}

/* Leaves 8000_0005 and 8000_0006 do not say who shares: the first two levels are a core's, the third the package's. */
static VOID ArchReadOldCaches(ARCH_TOPOLOGY *Topology)
{
    if (!ArchHasLeaf(0x80000006))
        return;
    ARCH_CPUID First = ArchCpuid(0x80000005, 0), Second = ArchCpuid(0x80000006, 0);
    UCHAR Core = Topology->CoreShift, Package = Topology->PackageShift;
    ArchAddCache(Topology, &(ARCH_CACHE){1, (UCHAR)(First.Ecx >> 16), First.Ecx & 0xff,
                                         (First.Ecx >> 24) * 1024, CacheData, Core});
    ArchAddCache(Topology, &(ARCH_CACHE){1, (UCHAR)(First.Edx >> 16), First.Edx & 0xff,
                                         (First.Edx >> 24) * 1024, CacheInstruction, Core});
    ArchAddCache(Topology, &(ARCH_CACHE){2, ArchWays(Second.Ecx >> 12), Second.Ecx & 0xff,
                                         (Second.Ecx >> 16) * 1024, CacheUnified, Core});
    ArchAddCache(Topology, &(ARCH_CACHE){3, ArchWays(Second.Edx >> 12), Second.Edx & 0xff,
                                         (Second.Edx >> 18) * 512 * 1024, CacheUnified, Package});
}

VOID ArchReadTopology(ARCH_TOPOLOGY *Topology)
{
    *Topology = (ARCH_TOPOLOGY){.CacheCount = 0};
    if (!ArchReadLevels(Topology))
        ArchReadCounts(Topology);
    ArchReadCaches(Topology, 4);
    if (Topology->CacheCount == 0)
        ArchReadCaches(Topology, 0x8000001D);
    if (Topology->CacheCount == 0)
        ArchReadOldCaches(Topology);
}

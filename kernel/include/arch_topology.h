/* SPDX-License-Identifier: MIT
 * Tier 2, arch: which processors share a core, a package and a cache, as CPUID says. Processors whose APIC ids are the same
 * above the shift share it. */
#pragma once
#include "nt.h"

#define ARCH_MAX_CACHES 8

typedef struct _ARCH_CACHE {
    UCHAR Level;
    UCHAR Associativity; /* CACHE_FULLY_ASSOCIATIVE or ways */
    USHORT LineSize;     /* bytes, as Size */
    ULONG Size;
    PROCESSOR_CACHE_TYPE Type;
    UCHAR Shift;
} ARCH_CACHE;

typedef struct _ARCH_TOPOLOGY {
    UCHAR CoreShift, PackageShift;
    UCHAR CacheCount;
    ARCH_CACHE Caches[ARCH_MAX_CACHES];
} ARCH_TOPOLOGY;

/* Of the running processor; all are taken to be alike. Any IRQL. */
VOID ArchReadTopology(ARCH_TOPOLOGY *Topology);

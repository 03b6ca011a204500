/* SPDX-License-Identifier: MIT
 * Tier 2, mm: physical pages, the kernel address space and its page tables, stacks, image space, MDLs. The
 * MmXxx names that drivers see are declared by the DDK headers; this header adds what ke, ex, image, ps and
 * io call. A page is never writable and executable: MM_PROTECTION cannot express it, and MmAuditPageTables
 * proves it. */
#pragma once
#include "nt.h"
#include "osloader/loader_block.h"

/* --- the kernel half of the address space (docs: kernel/mm/README.md)
 * ------------------------------------------- */

/* Regions that the kernel places at random at each boot (ldr/osloader/layout.h), each in whole entries of the top-level page table,
 * made at boot, so that all address spaces share what is mapped there. REGION(name, entries of 512 GiB, what lies there).
 * tools/address_map.py writes docs/address-map.md from here. The pools are neighbours. */
#define MM_RANDOM_REGIONS(REGION)                                                                            \
    REGION(Shadow, 32, "kept free for a KASAN shadow")                                                       \
    REGION(Pools, 3, "nonpaged pool, paged pool, special pool; read/write, no-execute")                      \
    REGION(PoolRecords, 1, "a record for each pool page (ex), backed on demand")                             \
    REGION(PfnDatabase, 1, "an entry for each physical page (mm), backed on demand")                         \
    REGION(SystemPtes, 1, "system PTEs: stacks, device memory, MDL mappings, contiguous memory; no-execute") \
    REGION(SystemViews, 1, "views of sections in system space")

/* (c) after MmInitSystem. The first two are osloader's choice. */
typedef struct _MM_LAYOUT {
    ULONG64 DirectMap;  /* all physical memory, read/write, no-execute */
    ULONG64 PageTables; /* the page tables, through their recursive entry */
    ULONG64 DirectMapEnd;
#define MM_LAYOUT_FIELD(Name, Slots, Text) ULONG64 Name;
    MM_RANDOM_REGIONS(MM_LAYOUT_FIELD)
#undef MM_LAYOUT_FIELD
} MM_LAYOUT;
extern MM_LAYOUT MmLayout;

#define MM_REGION_SIZE (1ull << 39) /* one entry of the top-level table */
#define MM_DIRECT_MAP_BASE MmLayout.DirectMap
#define MM_DIRECT_MAP_END MmLayout.DirectMapEnd
#define MM_SHADOW_BASE MmLayout.Shadow
#define MM_NONPAGED_POOL_BASE MmLayout.Pools
#define MM_PAGED_POOL_BASE (MmLayout.Pools + MM_REGION_SIZE)
#define MM_SPECIAL_POOL_BASE (MmLayout.Pools + 2 * MM_REGION_SIZE) /* blocks with a guard page each */
#define MM_POOL_RECORDS_BASE MmLayout.PoolRecords
#define MM_PFN_DATABASE_BASE MmLayout.PfnDatabase
#define MM_PAGE_TABLES_BASE MmLayout.PageTables
#define MM_SYSTEM_PTE_BASE MmLayout.SystemPtes
#define MM_SYSTEM_VIEW_BASE MmLayout.SystemViews
#define MM_KERNEL_HALF 0xffff800000000000ull
/* Fixed by NT: one page that the kernel writes; images, of which the first lie at random in the first 512 MiB. */
#define MM_SHARED_DATA_BASE 0xfffff78000000000ull
#define MM_IMAGE_BASE LOADER_IMAGE_BASE
#define MM_USER_END 0x0000800000000000ull /* first address that is not canonical */

typedef enum _MM_PROTECTION { MmNoAccess, MmReadOnly, MmReadWrite, MmExecuteRead } MM_PROTECTION;

/* --- start-up, by init
 * ------------------------------------------------------------------------------------------ */

/* Once, boot processor, interrupts off, before any allocation. Takes over the memory map and the page tables
 * that osloader made, maps KUSER_SHARED_DATA (zeroed). Stops with INSTALL_MORE_MEMORY when the map is
 * unusable. Block is not kept. */
VOID MmInitSystem(const LOADER_BLOCK *Block);

/* On each processor, the boot processor included (MmInitSystem does it there): page attribute table, CR4.PGE.
 */
VOID MmInitProcessor(VOID);

/* Where processors start: the kernel half and the page at Code mapped to itself, executable, not writable. FALSE: no memory
 * below 1 MiB, or none below 4 GiB. IRQL <= DISPATCH_LEVEL. Deleted when no processor uses it any more. */
typedef struct _MM_START_SPACE {
    ULONG Code; /* physical, below 640 KiB */
    ULONG Root; /* physical, for CR3 */
    PFN_NUMBER Tables[4];
} MM_START_SPACE;
BOOLEAN MmCreateStartSpace(MM_START_SPACE *Space);
VOID MmDeleteStartSpace(MM_START_SPACE *Space);

/* Once, IRQL PASSIVE_LEVEL, when nobody needs the loader block, the loader's stack or the identity map any
 * more: unmaps the lower half and frees LoaderMemoryLoader. The caller runs on a stack from
 * MmAllocateKernelStack (checked). */
VOID MmReleaseLoaderMemory(VOID);

/* --- physical pages: IRQL <= DISPATCH_LEVEL
 * ---------------------------------------------------------------------- */

#define MM_NO_PAGE ((PFN_NUMBER) - 1)
#define MM_ANY_PAGE ((PFN_NUMBER) - 2) /* as Highest: no limit */

typedef struct _MM_COUNTERS {
    PFN_NUMBER TotalPages;   /* of RAM that the map names */
    PFN_NUMBER FreePages;    /* that an allocation can have: free, zeroed and standby ones */
    PFN_NUMBER ZeroedPages;  /* of those, zeroed in advance */
    PFN_NUMBER StandbyPages; /* of those, with contents that somebody may ask for again */
    PFN_NUMBER LowestPage;   /* of RAM */
    PFN_NUMBER HighestPage;
    PFN_NUMBER TablePages; /* page tables made since boot, and pages of the page frame database */
    PFN_NUMBER PfnPages;   /* of those, the latter */
    PFN_NUMBER SystemPtes; /* pages of the system PTE region in use */
} MM_COUNTERS;

/* A page comes with one share in the page frame database, its owner's; MmFreePhysicalPages gives that back.
 * MM_NO_PAGE when there is none. Memory below 1 MiB is never given out unasked, below 16 MiB last. Contents
 * are those of the previous owner unless Zero. */
PFN_NUMBER MmAllocatePhysicalPage(BOOLEAN Zero);

/* Count consecutive pages, all within [Lowest, Highest], first page a multiple of nothing, no crossing of a
 * multiple of Boundary pages (0 = no such limit). MM_NO_PAGE when there is no such run. Not zeroed. */
PFN_NUMBER MmAllocatePhysicalPages(PFN_NUMBER Count, PFN_NUMBER Lowest, PFN_NUMBER Highest,
                                   PFN_NUMBER Boundary);

/* Freeing a page that is free or no RAM, that others share or that an MDL has locked stops with PFN_LIST_CORRUPT. */
VOID MmFreePhysicalPages(PFN_NUMBER First, PFN_NUMBER Count);
/* Routine of the one thread that zeroes free pages when no other thread is ready; never ends. */
VOID NTAPI MmZeroPageThread(PVOID Context);
VOID MmQueryCounters(MM_COUNTERS *Counters);

/* The first run of RAM at or after *Frame: where it begins, and its pages. FALSE: no more. Any IRQL. */
BOOLEAN MmNextRamRange(PFN_NUMBER *Frame, PFN_NUMBER *Count);

/* Pages that the caller owns and nobody has mapped: their cache type; MmNotMapped: the first mapping's. FALSE: no such type, or no memory for
 * page tables; then the caller frees them. */
BOOLEAN MmSetPagesCaching(const PFN_NUMBER *Frames, SIZE_T Count, MEMORY_CACHING_TYPE Type);

static inline PVOID MmDirectMap(ULONG64 Physical)
{
    return (PVOID)(MM_DIRECT_MAP_BASE + Physical);
}

static inline ULONG64 MmPhysicalFromDirect(const void *Address)
{
    return (ULONG64)Address - MM_DIRECT_MAP_BASE;
}

/* --- kernel address space: IRQL <= DISPATCH_LEVEL
 * ------------------------------------------------------------------ */

/* Pages of system space that are backed by physical pages of their own, zeroed, NX. NULL when memory is
 * short. */
PVOID MmAllocateSystemPages(SIZE_T PageCount, MM_PROTECTION Protection);
VOID MmFreeSystemPages(PVOID Base, SIZE_T PageCount);

/* A kernel stack of Size bytes, whole pages, with a guard page on each side. *Base is the highest address (16-byte aligned, exclusive),
 * *Limit the lowest usable one. */
#define MM_KERNEL_STACK_SIZE KERNEL_STACK_SIZE
BOOLEAN MmAllocateKernelStack(SIZE_T Size, PVOID *Base, PVOID *Limit);
VOID MmFreeKernelStack(PVOID Base, PVOID Limit);

/* Image space. Pages are zeroed and MmReadWrite first; then each range gets what its section says. Base is
 * page-aligned, Size in bytes is rounded up. A range that is not inside image space that was allocated (or of
 * a boot image, to protect) stops with MEMORY_MANAGEMENT. */
PVOID MmAllocateImageSpace(SIZE_T Size);
VOID MmProtectImage(PVOID Base, SIZE_T Size, MM_PROTECTION Protection);
VOID MmDiscardImagePages(PVOID Base,
                         SIZE_T Size); /* their memory is freed, the addresses stay taken and fault */
VOID MmFreeImageSpace(PVOID Base, SIZE_T Size);

/* Pool pages for ex: PageCount pages mapped read/write, NX, not zeroed, in the region of that pool. */
typedef enum _MM_POOL_REGION {
    MmNonPagedPoolRegion,
    MmPagedPoolRegion,
    MmPoolRegions, /* the ordinary ones */
    MmSpecialPoolRegion = MmPoolRegions,
    MmAllPoolRegions
} MM_POOL_REGION;
PVOID MmAllocatePoolPages(MM_POOL_REGION Region, SIZE_T PageCount);
VOID MmFreePoolPages(MM_POOL_REGION Region, PVOID Base,
                     SIZE_T PageCount); /* unmapped: a later touch is MmFaultFreedPool */

/* The same in the region of special pool: an address that is never mapped lies before and behind, and addresses are used again as
 * late as possible. Paged: as paged pool at DISPATCH_LEVEL. */
PVOID MmAllocateSpecialPages(SIZE_T PageCount, BOOLEAN Paged);
VOID MmFreeSpecialPages(PVOID Base, SIZE_T PageCount);
SIZE_T MmPoolRegionPages(MM_POOL_REGION Region);     /* size of the region, constant after boot */
SIZE_T MmFreePoolRegionPages(MM_POOL_REGION Region); /* addresses that nobody has, at this moment. Any IRQL */

/* Backs the pages of [Base, Base + Size) inside MM_POOL_RECORDS_BASE that are not yet backed, zeroed. */
BOOLEAN MmCommitPoolRecords(PVOID Base, SIZE_T Size);

/* --- questions: any IRQL, no lock
 * ------------------------------------------------------------------------------------ */

/* The page of this address is locked by an MDL. */
BOOLEAN MmIsPageLocked(const void *Address);

/* The physical address of a mapped address, 4 KiB and large pages; FALSE when it is not mapped. */
BOOLEAN MmTranslate(const void *Address, ULONG64 *Physical);

typedef enum _MM_FAULT_KIND {
    MmFaultNonCanonical, /* "a non-canonical address" */
    MmFaultUser,         /* the lower half */
    MmFaultNull,         /* the first 64 KiB of it */
    MmFaultUnmapped,     /* kernel half, never mapped there */
    MmFaultStackGuard,   /* Base, Size: the stack (usable part) above it */
    MmFaultFreedPool,    /* a pool page that was given back */
    MmFaultPagedPool,    /* mapped, but denied at DISPATCH_LEVEL and above (ke_paged.h) */
    MmFaultSpecialFreed, /* a block of special pool that was freed */
    MmFaultSpecialGuard, /* the page before or behind a block of special pool */
    MmFaultFreedImage,   /* an unloaded image or discarded INIT section */
    MmFaultFreedMapping, /* a system mapping (I/O space, MDL, stack, contiguous memory) that was undone */
    MmFaultNoAccess,     /* PAGE_NOACCESS */
    MmFaultReadOnly,     /* written, but mapped read-only */
    MmFaultNoExecute,    /* executed, but data */
    MmFaultMapped,       /* the tables allow the access (spurious, or the reserved-bit error) */
} MM_FAULT_KIND;

typedef enum _MM_REGION {
    MmRegionNone,
    MmRegionUser,
    MmRegionDirectMap,
    MmRegionNonPagedPool,
    MmRegionPagedPool,
    MmRegionSpecialPool,
    MmRegionPageTables,
    MmRegionSharedData,
    MmRegionImages,
    MmRegionSystemPtes,
    MmRegionPfnDatabase,
} MM_REGION;

typedef struct _MM_FAULT {
    MM_FAULT_KIND Kind;
    MM_REGION Region;
    PCSTR Text; /* English, "the guard page below a kernel stack" */
    PVOID Base; /* of the stack; else NULL */
    SIZE_T Size;
    ULONG64 Entry; /* page-table entry of the address, as it is; 0: no table */
} MM_FAULT;

/* What was hit by the page fault of processor error code ErrorCode at Address. For images ask ImFindModule,
 * for pool ExQueryPoolBlock. Usable in a bug check. */
VOID MmClassifyFault(const void *Address, ULONG64 ErrorCode, MM_FAULT *Fault);

/* Walks every table of the current address space; calls Report (may be NULL) for each page that is writable
 * and executable. Returns how many there are. IRQL <= DISPATCH_LEVEL. */
typedef VOID MM_AUDIT_REPORT(PVOID Address, SIZE_T Size, PVOID Context);
SIZE_T MmAuditPageTables(MM_AUDIT_REPORT *Report, PVOID Context);

/* The audit after boot and after each load in the checked kernel: names each such page in the log and stops (0x1A, p1 0x4E540001). */
VOID MmRequireNoWritableCode(VOID);

/* After a driver's unload routine: memory and mappings of system space that it asked for and did not give back: written to log
 * and report, counted. They stay. PASSIVE_LEVEL. */
ULONG MmReportDriverMappings(PCSTR Driver, const void *Base, SIZE_T Size);

/* SPDX-License-Identifier: MIT
 * The hand-over from osloader to the kernel: one versioned block, read once by KiSystemStartup. Both sides
 * include this header, so it uses fixed-width types only and every layout is asserted. All addresses marked
 * (va) are kernel virtual addresses that osloader has mapped; those marked (pa) are physical. */
#pragma once
#include <stdint.h>

#define LOADER_BLOCK_MAGIC 0x4b4c42584f42544eull /* "NTBOXBLK" */
#define LOADER_BLOCK_VERSION 2

/*
 * The address space at hand-over, which the kernel keeps (48-bit canonical, 4-level tables):
 *
 *   DirectMapBase      direct map of all physical memory, read/write, no-execute (1 GiB pages where the processor has them,
 *                      else 2 MiB); at random (layout.h)
 *   RecursiveSlot      page tables seen through this entry of the top table; at random
 *   fffff780'00000000  KUSER_SHARED_DATA (made by the kernel)
 *   fffff800'00000000  images: ntoskrnl.exe, hal.dll, later drivers; 4 KiB pages, W^X per section
 *   0 .. 4 GiB         identity map for osloader's own code; the kernel drops it
 */
#define LOADER_IMAGE_BASE 0xfffff80000000000ull

typedef enum LOADER_MEMORY_TYPE {
    LoaderMemoryFree = 1,        /* RAM that nobody uses */
    LoaderMemoryReserved = 2,    /* firmware, devices, holes that the map names */
    LoaderMemoryAcpiReclaim = 3, /* ACPI tables: RAM once they have been read */
    LoaderMemoryAcpiNvs = 4,
    LoaderMemoryBad = 5,
    LoaderMemoryLoader = 6,     /* osloader's code, heap, this block: free once the kernel has copied it */
    LoaderMemoryImage = 7,      /* pages of ntoskrnl.exe and hal.dll */
    LoaderMemoryPageTables = 8, /* the tables of the address space above */
    LoaderMemoryArchive = 9,    /* boot.cpio: stays */
} LOADER_MEMORY_TYPE;

/* Sorted by Base, no overlaps, page-aligned. Free memory below 1 MiB is listed too (the kernel keeps a page
 * for APs). */
typedef struct LOADER_MEMORY_RANGE {
    uint64_t Base;   /* (pa) */
    uint64_t Length; /* bytes, multiple of 4096 */
    uint32_t Type;   /* LOADER_MEMORY_TYPE */
    uint32_t Reserved;
} LOADER_MEMORY_RANGE;
_Static_assert(sizeof(LOADER_MEMORY_RANGE) == 24, "LOADER_MEMORY_RANGE");

typedef enum LOADER_SCREEN_TYPE {
    LoaderScreenNone = 0,
    LoaderScreenText = 1, /* EGA text cells: character, attribute */
    LoaderScreenRgb = 2,  /* linear frame buffer, direct colour */
} LOADER_SCREEN_TYPE;

typedef struct LOADER_SCREEN {
    uint64_t Base;   /* (pa) */
    uint32_t Type;   /* LOADER_SCREEN_TYPE */
    uint32_t Pitch;  /* bytes from one row (pixel row or text row) to the next */
    uint32_t Width;  /* pixels or columns */
    uint32_t Height; /* pixels or rows */
    uint8_t BitsPerPixel;
    uint8_t RedPosition, RedSize, GreenPosition, GreenSize, BluePosition, BlueSize;
    uint8_t CursorRow; /* text line at which the kernel goes on */
} LOADER_SCREEN;
_Static_assert(sizeof(LOADER_SCREEN) == 32, "LOADER_SCREEN");

typedef enum LOADER_BOOT_PROTOCOL {
    LoaderBootPvh = 1,
    LoaderBootMultiboot2Bios = 2,
    LoaderBootMultiboot2Uefi = 3,
} LOADER_BOOT_PROTOCOL;

#define LOADER_MAX_IMAGES 4
typedef struct LOADER_IMAGE {
    char Name[32];     /* file name, e.g. "ntoskrnl.exe" */
    uint64_t Base;     /* (va) */
    uint64_t Physical; /* (pa) of Base; the image is physically contiguous */
    uint32_t Size;     /* SizeOfImage rounded up to pages */
    uint32_t Reserved;
    uint64_t Entry; /* (va) */
} LOADER_IMAGE;
_Static_assert(sizeof(LOADER_IMAGE) == 64, "LOADER_IMAGE");

typedef struct LOADER_BLOCK {
    uint64_t Magic;
    uint32_t Version;
    uint32_t Size;      /* sizeof(LOADER_BLOCK) as osloader knows it */
    uint64_t MemoryMap; /* (va) LOADER_MEMORY_RANGE[MemoryMapCount] */
    uint32_t MemoryMapCount;
    uint32_t BootProtocol;    /* LOADER_BOOT_PROTOCOL */
    uint64_t DirectMapBase;   /* (va) of physical 0; whole entries of the top table */
    uint64_t DirectMapLength; /* bytes mapped */
    uint32_t RecursiveSlot;   /* index in the top table */
    uint32_t Reserved2;
    uint64_t CommandLine;    /* (va) NUL-terminated ASCII, never null */
    uint64_t Rsdp;           /* (pa) ACPI root pointer, 0 = none found */
    uint64_t EfiSystemTable; /* (pa) 0 = none */
    uint64_t Archive;        /* (va, direct map) boot.cpio */
    uint64_t ArchiveLength;
    uint64_t PageTableRoot; /* (pa) of the PML4 in CR3 */
    uint64_t StackTop;      /* (va, direct map) of the 32 KiB stack KiSystemStartup runs on */
    uint64_t StackLength;
    uint64_t Seed;       /* entropy for cookies and layout: `seed=N` of the command line, else RDRAND/TSC */
    uint64_t TscAtEntry; /* RDTSC at osloader's first instruction in long mode */
    LOADER_SCREEN Screen;
    uint32_t ImageCount;
    uint32_t Reserved;
    LOADER_IMAGE Images[LOADER_MAX_IMAGES]; /* [0] is ntoskrnl.exe */
} LOADER_BLOCK;
_Static_assert(sizeof(LOADER_BLOCK) == 136 + 32 + 8 + 4 * 64, "LOADER_BLOCK");

/* The kernel's entry, called with the Microsoft x64 convention, interrupts off, CR8 = 0, on Block->StackTop.
 * CR0.WP|PG|PE|NE|MP, CR4.PAE|OSFXSR|OSXMMEXCPT, EFER.LME|NXE|SCE are set. It does not return. */
typedef void (*LOADER_KERNEL_ENTRY)(LOADER_BLOCK *Block);

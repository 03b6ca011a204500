/* SPDX-License-Identifier: MIT
 * Private to osloader: what its files offer one another. One processor, interrupts off, physical memory below
 * 4 GiB mapped one to one; whatever fails ends in OslFail, so nothing here returns an error unless it says
 * so. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpio/cpio.h"
#include "osloader/boot_info.h"
#include "osloader/layout.h"
#include "osloader/loader_block.h"
#include "osloader/memory_map.h"

#define OSL_REACH 0x100000000ull /* osloader sees physical addresses below this */

/* --- output.c ------------------------------------------------------------------------------------------ */

/* Initialises COM1 if it is there. Before anything else. */
void OslOpenOutput(void);

/* Tells OslFail what it may use besides COM1: the screen and the command line's `exitport=`. Boot must stay.
 */
void OslSetFailureContext(const OSL_BOOT_INFO *Boot);

/* One line to COM1. %s, %u (uint64_t, decimal) and %x (uint64_t, hexadecimal) only. */
void OslPrint(const char *Format, ...);

/* "osloader: <sentence>" to COM1 and the screen, then stops the machine: by the exit port of `exitport=N`
 * with value OSL_EXIT_ENVIRONMENT if it is given, else by halting. A sentence that starts with "ntbox:"
 * stands alone. */
_Noreturn void OslFail(const char *Format, ...);
#define OSL_EXIT_ENVIRONMENT 4u

/* --- memory.c ------------------------------------------------------------------------------------------- */

/* As in [C11 7.24]; the compiler and ldr/pe call them too. */
void *memcpy(void *Destination, const void *Source, size_t Count);
void *memmove(void *Destination, const void *Source, size_t Count);
void *memset(void *Destination, int Value, size_t Count);
int memcmp(const void *A, const void *B, size_t Count);

/* --- command_line.c: pure ------------------------------------------------------------------------------- */

/* The number after the word "<Key>=" (decimal, or hexadecimal with 0x). False: no such word, or it is no
 * number. */
bool OslCommandLineNumber(const char *CommandLine, const char *Key, uint64_t *Value);

/* --- cpu.c ---------------------------------------------------------------------------------------------- */

/* Fails if the processor lacks something that the kernel needs. */
void OslCheckProcessor(void);
bool OslHasGigabytePages(void);
/* `seed=N`, else something that differs from boot to boot. */
uint64_t OslSeed(const char *CommandLine);
/* EFER.NXE and SCE. */
void OslEnableNoExecute(void);

/* --- bios.c --------------------------------------------------------------------------------------------- */

/* The text screen as the BIOS's data area describes it; nothing if it is not in an 80-column text mode. */
void OslFindTextScreen(LOADER_SCREEN *Screen);

/* The ACPI root pointer as told by the boot loader if its checksum is right, else found by scanning the
 * BIOS's areas (not under UEFI). A copy is moved to memory of its own. 0: none. */
uint64_t OslFindRsdp(const OSL_BOOT_INFO *Boot);

/* --- page_table.c --------------------------------------------------------------------------------------- */

#define OSL_PAGE_WRITE 0x2ull
#define OSL_PAGE_NO_EXECUTE 0x8000000000000000ull

typedef struct OSL_PAGE_TABLES {
    uint64_t Root; /* (pa) of the PML4 */
    uint64_t Next; /* (pa) first table page that is not used yet */
    uint64_t End;
} OSL_PAGE_TABLES;

/* Makes the kernel's address space without images, where the block says: direct map (its length a multiple of 1 GiB), recursive
 * slot, identity map. OslMapPage may then enter pages of the block's images. */
void OslCreatePageTables(OSL_PAGE_TABLES *Tables, OSL_MAP *Map, const LOADER_BLOCK *Block);
void OslMapPage(OSL_PAGE_TABLES *Tables, uint64_t Virtual, uint64_t Physical, uint64_t Flags);

/* --- image.c -------------------------------------------------------------------------------------------- */

/* Most that all images and their gaps take of the address space. */
#define OSL_IMAGE_SPACE 0x4000000ull
/* The images lie 64 KiB apart and start at one of 8192 multiples of it. */
#define OSL_IMAGE_STEP 0x10000ull
#define OSL_IMAGE_SLIDES 8192u

/* Loads ntoskrnl.exe and hal.dll out of the archive: maps, relocates, binds them to each other, sets their
 * cookies. Fills Block->Images. *Random: state for LayoutNextRandom. */
void OslLoadImages(const void *Archive, uint64_t ArchiveLength, OSL_MAP *Map, uint64_t *Random,
                   LOADER_BLOCK *Block);
/* Enters their pages, each with its section's protection. */
void OslMapImages(OSL_PAGE_TABLES *Tables);

/* --- main.c --------------------------------------------------------------------------------------------- */

/* Claims memory below 4 GiB; fails with What in the sentence if there is none. Contents are undefined. */
void *OslClaim(OSL_MAP *Map, uint64_t Length, LOADER_MEMORY_TYPE Type, const char *What);
/* An OSL_PHYSICAL: identity for what lies in (0, 4 GiB), else NULL. */
const void *OslPhysicalPointer(uint64_t Address, uint64_t Length);

/* --- entry.asm ------------------------------------------------------------------------------------------ */

/* Changes to the new address space, control registers and stack, and calls Entry(Block) by the Microsoft
 * convention. */
_Noreturn void OslEnterKernel(uint64_t Root, uint64_t StackTop, uint64_t Entry, uint64_t Block);

/* Start and end of the image in memory, with what is zeroed (loader.ld); the identity map's tables lie
 * inside. */
extern uint8_t OslImageStart[], OslImageEnd[], OslIdentityTables[], OslIdentityTablesEnd[];

static inline void OslOutByte(uint16_t Port, uint8_t Value)
{
    __asm__ volatile("outb %0, %1" : : "a"(Value), "Nd"(Port));
}

static inline uint8_t OslInByte(uint16_t Port)
{
    uint8_t Value;
    __asm__ volatile("inb %1, %0" : "=a"(Value) : "Nd"(Port));
    return Value;
}

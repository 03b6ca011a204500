/* SPDX-License-Identifier: MIT
 * From the boot loader's hands to the kernel's: read what is told, choose memory, load the images, make the
 * address space, describe it all in one block, jump. */
#include "osloader/osl.h"
#include "screen/screen.h"

#define MULTIBOOT2_MAGIC 0x36d76289u
#define PVH_MAGIC 0x336ec578u
#define ONE_GIB 0x40000000ull
#define DIRECT_MAP_MAX (64ull << 40)
#define STACK_LENGTH 0x8000u

_Noreturn void OslMain(uint32_t Magic, uint32_t Info, uint64_t TimeStamp);

/* Zero at start (.bss) and too large for the stack. */
static OSL_MAP Map;
static OSL_BOOT_INFO Boot;

const void *OslPhysicalPointer(uint64_t Address, uint64_t Length)
{
    if (Address == 0 || Address >= OSL_REACH || Length > OSL_REACH - Address)
        return NULL;
    return (const void *)(uintptr_t)Address;
}

void *OslClaim(OSL_MAP *Memory, uint64_t Length, LOADER_MEMORY_TYPE Type, const char *What)
{
    uint64_t Base = OslMapClaim(Memory, Length, OSL_PAGE_SIZE, OSL_REACH, Type);
    if (Base == 0)
        OslFail("there is no free memory of %u KiB below 4 GiB for %s", (Length + 1023) / 1024, What);
    return (void *)(uintptr_t)Base;
}

static uint64_t DirectAddress(const LOADER_BLOCK *Block, const void *Pointer)
{
    return Block->DirectMapBase + (uint64_t)(uintptr_t)Pointer;
}

static void ReadBootInfo(uint32_t Magic, uint32_t Info)
{
    const char *Fault = NULL;
    Boot.Map = &Map;
    Boot.CommandLine = "";
    OslSetFailureContext(&Boot);
    if (Magic == MULTIBOOT2_MAGIC) {
        uint32_t Length = 0;
        Fault = OslParseMultiboot2((const void *)(uintptr_t)Info, &Boot, &Length);
        OslMapInsert(&Map, Info, Length, LoaderMemoryLoader);
    } else if (Magic == PVH_MAGIC) {
        Fault = OslParsePvh(Info, OslPhysicalPointer, &Boot);
    } else {
        Fault = "started by something that is neither Multiboot2 nor PVH";
    }
    if (Boot.Screen.Type == LoaderScreenNone && Boot.Protocol != LoaderBootMultiboot2Uefi)
        OslFindTextScreen(&Boot.Screen);
    if (Fault)
        OslFail("%s", Fault);
}

/* The first page stays out of use: address 0 means "none", and the BIOS keeps its data there. */
static void ClaimWhatIsThere(void)
{
    uint64_t Start = (uint64_t)(uintptr_t)OslImageStart;
    uint64_t Tables = (uint64_t)(uintptr_t)OslIdentityTables;
    OslMapInsert(&Map, 0, OSL_PAGE_SIZE, LoaderMemoryReserved);
    OslMapInsert(&Map, Start, (uint64_t)(uintptr_t)OslImageEnd - Start, LoaderMemoryLoader);
    OslMapInsert(&Map, Tables, (uint64_t)(uintptr_t)OslIdentityTablesEnd - Tables, LoaderMemoryPageTables);
    OslMapInsert(&Map, Boot.Module, Boot.ModuleLength, LoaderMemoryArchive);
    if (Map.Overflow)
        OslFail("the firmware's memory map has more than %u ranges", (uint64_t)OSL_MAP_RANGES);
}

static const void *FindArchive(void)
{
    if (Boot.ModuleCount == 0)
        OslFail("boot.cpio is missing: pass it as the only module (GRUB: module2, QEMU: -initrd)");
    if (Boot.ModuleCount > 1)
        OslFail("%u modules were passed: boot.cpio must be the only one", (uint64_t)Boot.ModuleCount);
    const void *Archive = OslPhysicalPointer(Boot.Module, Boot.ModuleLength);
    if (!Archive)
        OslFail("boot.cpio lies above 4 GiB, at 0x%x", Boot.Module);
    return Archive;
}

/* All of RAM, at least 4 GiB for the devices below, and the frame buffer wherever it is. */
static uint64_t DirectMapLength(void)
{
    uint64_t Top = OslMapTopOfRam(&Map);
    uint64_t Screen = ScreenGlassSize(&Boot.Screen);
    if (Screen && Boot.Screen.Base + Screen > Top)
        Top = Boot.Screen.Base + Screen;
    if (Top < OSL_REACH)
        Top = OSL_REACH;
    if (Top > DIRECT_MAP_MAX)
        OslFail("the machine has memory above 64 TiB, at 0x%x", Top);
    return (Top + ONE_GIB - 1) & ~(ONE_GIB - 1);
}

static size_t CommandLineSize(void)
{
    size_t Size = 1;
    while (Boot.CommandLine[Size - 1])
        Size++;
    return Size;
}

/* Before any address in the direct map is told. *Random: see LayoutNextRandom. */
static void ChooseLayout(LOADER_BLOCK *Block, uint64_t *Random)
{
    LAYOUT Layout = {.Random = *Random};
    Block->DirectMapLength = DirectMapLength();
    uint32_t Slots = (uint32_t)((Block->DirectMapLength + LAYOUT_SLOT_SIZE - 1) / LAYOUT_SLOT_SIZE);
    Block->DirectMapBase = LayoutSlotAddress(LayoutPick(&Layout, Slots));
    Block->RecursiveSlot = LayoutPick(&Layout, 1);
    *Random = Layout.Random;
}

/* One claim for the block, the command line behind it and the memory map at the end. */
static LOADER_BLOCK *CreateBlock(uint64_t *Random, uint64_t *MemoryMap)
{
    size_t TextSize = (CommandLineSize() + 7) & ~(size_t)7;
    uint8_t *Memory = OslClaim(&Map, sizeof(LOADER_BLOCK) + TextSize + sizeof(Map.Ranges), LoaderMemoryLoader,
                               "the loader block");
    LOADER_BLOCK *Block = (LOADER_BLOCK *)(void *)Memory;
    memset(Block, 0, sizeof(*Block));
    Block->Magic = LOADER_BLOCK_MAGIC;
    Block->Version = LOADER_BLOCK_VERSION;
    Block->Size = sizeof(*Block);
    Block->BootProtocol = Boot.Protocol;
    Block->EfiSystemTable = Boot.EfiSystemTable;
    Block->Screen = Boot.Screen;
    Block->Seed = *Random = OslSeed(Boot.CommandLine);
    ChooseLayout(Block, Random);
    Block->CommandLine = DirectAddress(Block, Memory + sizeof(*Block));
    memcpy(Memory + sizeof(*Block), Boot.CommandLine, CommandLineSize());
    *MemoryMap = (uint64_t)(uintptr_t)Memory + sizeof(*Block) + TextSize;
    Block->MemoryMap = Block->DirectMapBase + *MemoryMap;
    return Block;
}

static void CreateAddressSpace(LOADER_BLOCK *Block)
{
    OSL_PAGE_TABLES Tables;
    OslCreatePageTables(&Tables, &Map, Block);
    OslMapImages(&Tables);
    Block->PageTableRoot = Tables.Root;
}

/* No claim may follow. */
static void HandOverMemoryMap(LOADER_BLOCK *Block, uint64_t MemoryMap)
{
    OslMapCoalesce(&Map);
    memcpy((void *)(uintptr_t)MemoryMap, Map.Ranges, Map.Count * sizeof(Map.Ranges[0]));
    Block->MemoryMapCount = Map.Count;
}

_Noreturn void OslMain(uint32_t Magic, uint32_t Info, uint64_t TimeStamp)
{
    uint64_t MemoryMap, Random;
    OslOpenOutput();
    ReadBootInfo(Magic, Info);
    OslCheckProcessor();
    ClaimWhatIsThere();

    const void *Archive = FindArchive();
    LOADER_BLOCK *Block = CreateBlock(&Random, &MemoryMap);
    Block->TscAtEntry = TimeStamp;
    Block->Archive = DirectAddress(Block, Archive);
    Block->ArchiveLength = Boot.ModuleLength;
    Block->Rsdp = OslFindRsdp(&Boot);
    Block->StackLength = STACK_LENGTH;
    Block->StackTop =
        DirectAddress(Block, OslClaim(&Map, STACK_LENGTH, LoaderMemoryLoader, "a stack")) + STACK_LENGTH;

    OslLoadImages(Archive, Boot.ModuleLength, &Map, &Random, Block);
    CreateAddressSpace(Block);
    HandOverMemoryMap(Block, MemoryMap);

    OslPrint("ntbox osloader " NTBOX_VERSION ": kernel at 0x%x", Block->Images[0].Base);
    OslEnableNoExecute();
    OslEnterKernel(Block->PageTableRoot, Block->StackTop, Block->Images[0].Entry,
                   DirectAddress(Block, Block));
}

/* SPDX-License-Identifier: MIT
 * [Xen, public/arch-x86/hvm/start_info.h] PVH start information, version 1: the memory map is part of it. */
#include "osloader/boot_info.h"

#define PVH_MAGIC 0x336ec578u

typedef struct PVH_START_INFO {
    uint32_t Magic;
    uint32_t Version;
    uint32_t Flags;
    uint32_t ModuleCount;
    uint64_t ModuleList;
    uint64_t CommandLine;
    uint64_t Rsdp;
    uint64_t MemoryMap;
    uint32_t MemoryMapCount;
    uint32_t Reserved;
} PVH_START_INFO;
_Static_assert(sizeof(PVH_START_INFO) == 56, "PVH_START_INFO");

typedef struct PVH_MODULE {
    uint64_t Address;
    uint64_t Size;
    uint64_t CommandLine;
    uint64_t Reserved;
} PVH_MODULE;
_Static_assert(sizeof(PVH_MODULE) == 32, "PVH_MODULE");

/* Types are those of the BIOS's E820 map. */
typedef struct PVH_MEMORY_RANGE {
    uint64_t Address;
    uint64_t Size;
    uint32_t Type;
    uint32_t Reserved;
} PVH_MEMORY_RANGE;
_Static_assert(sizeof(PVH_MEMORY_RANGE) == 24, "PVH_MEMORY_RANGE");

static LOADER_MEMORY_TYPE TypeOfE820(uint32_t Type)
{
    switch (Type) {
    case 1:
        return LoaderMemoryFree;
    case 3:
        return LoaderMemoryAcpiReclaim;
    case 4:
        return LoaderMemoryAcpiNvs;
    case 5:
        return LoaderMemoryBad;
    default:
        return LoaderMemoryReserved;
    }
}

static const char *ReadMemoryMap(const PVH_START_INFO *Start, OSL_PHYSICAL *Physical, OSL_BOOT_INFO *Boot)
{
    uint64_t Length = (uint64_t)Start->MemoryMapCount * sizeof(PVH_MEMORY_RANGE);
    const PVH_MEMORY_RANGE *Ranges = Start->MemoryMap ? Physical(Start->MemoryMap, Length) : 0;
    if (!Ranges || Start->MemoryMapCount == 0)
        return "the PVH start information has no memory map";
    for (uint32_t i = 0; i < Start->MemoryMapCount; i++)
        OslMapInsert(Boot->Map, Ranges[i].Address, Ranges[i].Size, TypeOfE820(Ranges[i].Type));
    OslMapInsert(Boot->Map, Start->MemoryMap, Length, LoaderMemoryLoader);
    return 0;
}

static const char *ReadModules(const PVH_START_INFO *Start, OSL_PHYSICAL *Physical, OSL_BOOT_INFO *Boot)
{
    Boot->ModuleCount = Start->ModuleCount;
    if (Start->ModuleCount == 0)
        return 0;
    const PVH_MODULE *Module = Physical(Start->ModuleList, sizeof(*Module));
    if (!Module)
        return "the PVH module list lies above 4 GiB";
    Boot->Module = Module->Address;
    Boot->ModuleLength = Module->Size;
    return 0;
}

static const char *ReadCommandLine(const PVH_START_INFO *Start, OSL_PHYSICAL *Physical, OSL_BOOT_INFO *Boot)
{
    if (Start->CommandLine == 0)
        return 0;
    const char *Text = Physical(Start->CommandLine, OSL_COMMAND_LINE_MAX);
    if (!Text)
        return "the PVH command line lies above 4 GiB";
    for (uint32_t i = 0; i < OSL_COMMAND_LINE_MAX; i++) {
        if (Text[i] == 0) {
            Boot->CommandLine = Text;
            OslMapInsert(Boot->Map, Start->CommandLine, i + 1, LoaderMemoryLoader);
            return 0;
        }
    }
    return "the command line is longer than 4095 characters or not terminated";
}

const char *OslParsePvh(uint64_t Info, OSL_PHYSICAL *Physical, OSL_BOOT_INFO *Boot)
{
    Boot->Protocol = LoaderBootPvh;
    Boot->CommandLine = "";
    const PVH_START_INFO *Start = Physical(Info, sizeof(*Start));
    if (!Start || Start->Magic != PVH_MAGIC)
        return "the PVH start information is not where the processor's EBX points";
    if (Start->Version < 1)
        return "the PVH start information is version 0, which has no memory map";
    Boot->Rsdp = Start->Rsdp;
    const char *Fault = ReadCommandLine(Start, Physical, Boot);
    if (!Fault)
        Fault = ReadMemoryMap(Start, Physical, Boot);
    if (!Fault)
        Fault = ReadModules(Start, Physical, Boot);
    return Fault;
}

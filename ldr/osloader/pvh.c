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

/* Copies a structure, which may lie on any address; false if it cannot be reached. */
static bool CopyFrom(OSL_PHYSICAL *Physical, uint64_t Address, void *To, uint64_t Length)
{
    const void *From = Physical(Address, Length);
    if (From)
        __builtin_memcpy(To, From, Length);
    return From != 0;
}

static const char *ReadMemoryMap(const PVH_START_INFO *Start, OSL_PHYSICAL *Physical, OSL_BOOT_INFO *Boot)
{
    uint64_t Length = (uint64_t)Start->MemoryMapCount * sizeof(PVH_MEMORY_RANGE);
    if (Length == 0 || !Physical(Start->MemoryMap, Length))
        return "the PVH start information has no memory map";
    for (uint64_t At = 0; At < Length; At += sizeof(PVH_MEMORY_RANGE)) {
        PVH_MEMORY_RANGE Range;
        if (CopyFrom(Physical, Start->MemoryMap + At, &Range, sizeof(Range)))
            OslMapInsert(Boot->Map, Range.Address, Range.Size, TypeOfE820(Range.Type));
    }
    OslMapInsert(Boot->Map, Start->MemoryMap, Length, LoaderMemoryLoader);
    return 0;
}

static const char *ReadModules(const PVH_START_INFO *Start, OSL_PHYSICAL *Physical, OSL_BOOT_INFO *Boot)
{
    Boot->ModuleCount = Start->ModuleCount;
    if (Start->ModuleCount == 0)
        return 0;
    PVH_MODULE Module;
    if (!CopyFrom(Physical, Start->ModuleList, &Module, sizeof(Module)))
        return "the PVH module list lies above 4 GiB";
    Boot->Module = Module.Address;
    Boot->ModuleLength = Module.Size;
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
    PVH_START_INFO Start;
    if (!CopyFrom(Physical, Info, &Start, sizeof(Start)) || Start.Magic != PVH_MAGIC)
        return "the PVH start information is not where the processor's EBX points";
    if (Start.Version < 1)
        return "the PVH start information is version 0, which has no memory map";
    Boot->Rsdp = Start.Rsdp;
    const char *Fault = ReadCommandLine(&Start, Physical, Boot);
    if (!Fault)
        Fault = ReadMemoryMap(&Start, Physical, Boot);
    if (!Fault)
        Fault = ReadModules(&Start, Physical, Boot);
    return Fault;
}

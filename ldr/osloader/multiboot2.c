/* SPDX-License-Identifier: MIT
 * [Multiboot2 specification 2.0, section 3.6] Boot information: a total size, then tags of type, size and
 * contents, each on a multiple of 8. Unknown tags are skipped. */
#include "osloader/boot_info.h"

enum {
    TagEnd = 0,
    TagCommandLine = 1,
    TagModule = 3,
    TagMemoryMap = 6,
    TagFramebuffer = 8,
    TagEfi64SystemTable = 12,
    TagAcpiOld = 14,
    TagAcpiNew = 15,
    TagEfiMemoryMap = 17,
};

typedef struct TAG {
    uint32_t Type;
    const uint8_t *Data; /* after type and size */
    uint32_t Size;       /* of Data */
} TAG;

static uint32_t Read32(const uint8_t *At)
{
    return At[0] | (uint32_t)At[1] << 8 | (uint32_t)At[2] << 16 | (uint32_t)At[3] << 24;
}

static uint64_t Read64(const uint8_t *At)
{
    return Read32(At) | (uint64_t)Read32(At + 4) << 32;
}

static const char *ReadCommandLine(const TAG *Tag, OSL_BOOT_INFO *Boot)
{
    for (uint32_t i = 0; i < Tag->Size && i < OSL_COMMAND_LINE_MAX; i++) {
        if (Tag->Data[i] == 0) {
            Boot->CommandLine = (const char *)Tag->Data;
            return 0;
        }
    }
    return "the command line is longer than 4095 characters or not terminated";
}

static const char *ReadModule(const TAG *Tag, OSL_BOOT_INFO *Boot)
{
    if (Tag->Size < 8 || Read32(Tag->Data + 4) < Read32(Tag->Data))
        return "the Multiboot2 module tag is damaged";
    if (Boot->ModuleCount++ == 0) {
        Boot->Module = Read32(Tag->Data);
        Boot->ModuleLength = Read32(Tag->Data + 4) - Boot->Module;
    }
    return 0;
}

static LOADER_MEMORY_TYPE TypeOfEntry(uint32_t Type)
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

static const char *ReadMemoryMap(const TAG *Tag, OSL_BOOT_INFO *Boot)
{
    uint32_t EntrySize = Tag->Size >= 8 ? Read32(Tag->Data) : 0;
    if (EntrySize < 24)
        return "the Multiboot2 memory map is damaged";
    const uint8_t *Entry = Tag->Data + 8;
    for (uint32_t Left = Tag->Size - 8; Left >= EntrySize; Left -= EntrySize, Entry += EntrySize)
        OslMapInsert(Boot->Map, Read64(Entry), Read64(Entry + 8), TypeOfEntry(Read32(Entry + 16)));
    return 0;
}

/* [UEFI 2.10, section 7.2.3, table 7.10] Memory types after ExitBootServices. */
static LOADER_MEMORY_TYPE TypeOfEfiDescriptor(uint32_t Type)
{
    switch (Type) {
    case 1: /* EfiLoaderCode */
    case 2: /* EfiLoaderData */
    case 3: /* EfiBootServicesCode */
    case 4: /* EfiBootServicesData */
    case 7: /* EfiConventionalMemory */
        return LoaderMemoryFree;
    case 8: /* EfiUnusableMemory */
        return LoaderMemoryBad;
    case 9: /* EfiACPIReclaimMemory */
        return LoaderMemoryAcpiReclaim;
    case 10: /* EfiACPIMemoryNVS */
        return LoaderMemoryAcpiNvs;
    default:
        return LoaderMemoryReserved;
    }
}

static const char *ReadEfiMemoryMap(const TAG *Tag, OSL_BOOT_INFO *Boot)
{
    uint32_t EntrySize = Tag->Size >= 8 ? Read32(Tag->Data) : 0;
    if (EntrySize < 40)
        return "the EFI memory map is damaged";
    const uint8_t *Entry = Tag->Data + 8;
    for (uint32_t Left = Tag->Size - 8; Left >= EntrySize; Left -= EntrySize, Entry += EntrySize) {
        uint64_t Pages = Read64(Entry + 24);
        uint64_t Length = Pages > UINT64_MAX / OSL_PAGE_SIZE ? UINT64_MAX : Pages * OSL_PAGE_SIZE;
        OslMapInsert(Boot->Map, Read64(Entry + 8), Length, TypeOfEfiDescriptor(Read32(Entry)));
    }
    return 0;
}

/* Palettes (type 0) are left: the screen library draws direct colour and text only. */
static const char *ReadFramebuffer(const TAG *Tag, OSL_BOOT_INFO *Boot)
{
    if (Tag->Size < 24)
        return "the Multiboot2 framebuffer tag is damaged";
    const uint8_t *Data = Tag->Data;
    LOADER_SCREEN Screen = {.Base = Read64(Data),
                            .Pitch = Read32(Data + 8),
                            .Width = Read32(Data + 12),
                            .Height = Read32(Data + 16),
                            .BitsPerPixel = Data[20]};
    if (Data[21] == 2)
        Screen.Type = LoaderScreenText;
    if (Data[21] == 1 && Tag->Size >= 30) {
        Screen.Type = LoaderScreenRgb;
        Screen.RedPosition = Data[24];
        Screen.RedSize = Data[25];
        Screen.GreenPosition = Data[26];
        Screen.GreenSize = Data[27];
        Screen.BluePosition = Data[28];
        Screen.BlueSize = Data[29];
    }
    if (Screen.Type != LoaderScreenNone)
        Boot->Screen = Screen;
    return 0;
}

static const char *ReadRsdp(const TAG *Tag, OSL_BOOT_INFO *Boot)
{
    if (Tag->Type == TagAcpiOld && Boot->RsdpCopy)
        return 0;
    Boot->RsdpCopy = Tag->Data;
    Boot->RsdpCopyLength = Tag->Size < OSL_RSDP_MAX ? Tag->Size : OSL_RSDP_MAX;
    return 0;
}

static const char *ReadEfiSystemTable(const TAG *Tag, OSL_BOOT_INFO *Boot)
{
    if (Tag->Size < 8)
        return "the Multiboot2 EFI system table tag is damaged";
    Boot->EfiSystemTable = Read64(Tag->Data);
    Boot->Protocol = LoaderBootMultiboot2Uefi;
    return 0;
}

static const char *ReadTag(const TAG *Tag, OSL_BOOT_INFO *Boot)
{
    switch (Tag->Type) {
    case TagCommandLine:
        return ReadCommandLine(Tag, Boot);
    case TagModule:
        return ReadModule(Tag, Boot);
    case TagMemoryMap:
        return ReadMemoryMap(Tag, Boot);
    case TagFramebuffer:
        return ReadFramebuffer(Tag, Boot);
    case TagEfi64SystemTable:
        return ReadEfiSystemTable(Tag, Boot);
    case TagAcpiOld:
    case TagAcpiNew:
        return ReadRsdp(Tag, Boot);
    default:
        return 0;
    }
}

/* Reads the next tag at *At; false at the end tag or at damage, for which *Fault is set. */
static bool NextTag(const uint8_t *Info, uint32_t Total, uint32_t *At, TAG *Tag, const char **Fault)
{
    uint32_t Left = Total - *At;
    uint32_t Size = Left >= 8 ? Read32(Info + *At + 4) : 0;
    if (Size < 8 || Size > Left) {
        *Fault = "the Multiboot2 information ends without an end tag";
        return false;
    }
    Tag->Type = Read32(Info + *At);
    Tag->Data = Info + *At + 8;
    Tag->Size = Size - 8;
    uint32_t Step = (Size + 7) & ~7u;
    *At = Step < Left ? *At + Step : Total;
    return Tag->Type != TagEnd;
}

const char *OslParseMultiboot2(const void *Info, OSL_BOOT_INFO *Boot, uint32_t *Length)
{
    const uint8_t *Bytes = Info;
    const char *Fault = 0;
    TAG Tag, EfiMap = {0};
    uint32_t At = 8;
    Boot->Protocol = LoaderBootMultiboot2Bios;
    Boot->CommandLine = "";
    *Length = Read32(Bytes);
    if (*Length < 16 || *Length > 0x1000000)
        return "the Multiboot2 information has no sensible size";
    while (!Fault && NextTag(Bytes, *Length, &At, &Tag, &Fault)) {
        if (Tag.Type == TagEfiMemoryMap)
            EfiMap = Tag;
        Fault = ReadTag(&Tag, Boot);
    }
    if (!Fault && Boot->Map->Count == 0 && EfiMap.Data)
        Fault = ReadEfiMemoryMap(&EfiMap, Boot);
    return Fault;
}

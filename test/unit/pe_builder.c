/* SPDX-License-Identifier: MIT */
/* The image that pe_builder.h describes. */
#include "pe_builder.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *Name;
    uint32_t Rva, VirtualSize, Offset, Size, Characteristics;
} Sections[B_SECTION_COUNT] = {
    {".text", B_TEXT, 0x100, 0x400, 0x200, 0x68000020},
    {".rdata", B_RDATA, 0x800, 0x600, 0x800, 0x48000040},
    {".data", B_DATA, 0x1800, 0xE00, 0x200, 0xC8000040},
    {"INIT", B_INIT, 0x400, 0x1000, 0x400, 0x62000020},
    {".rsrc", B_RSRC, 0x400, 0x1400, 0x400, 0x42000040},
    {".reloc", B_RELOC, B_RELOC_SIZE, 0x1800, 0x200, 0x42000040},
};

uint32_t BuildOffset(uint32_t Rva)
{
    if (Rva < B_SIZE_OF_HEADERS)
        return Rva;
    for (unsigned Index = 0; Index < B_SECTION_COUNT; Index++) {
        if (Rva >= Sections[Index].Rva && Rva - Sections[Index].Rva < Sections[Index].Size)
            return Rva - Sections[Index].Rva + Sections[Index].Offset;
    }
    assert(!"an RVA with file data");
    return 0;
}

static void Put(PE_BUILD *Build, uint32_t Offset, const void *Value, size_t Size)
{
    assert(Offset + Size <= sizeof Build->Bytes);
    memcpy(Build->Bytes + Offset, Value, Size);
}

void Put16(PE_BUILD *Build, uint32_t Offset, uint16_t Value)
{
    Put(Build, Offset, &Value, sizeof Value);
}

void Put32(PE_BUILD *Build, uint32_t Offset, uint32_t Value)
{
    Put(Build, Offset, &Value, sizeof Value);
}

void Put64(PE_BUILD *Build, uint32_t Offset, uint64_t Value)
{
    Put(Build, Offset, &Value, sizeof Value);
}

uint32_t Get32(const PE_BUILD *Build, uint32_t Offset)
{
    uint32_t Value;
    memcpy(&Value, Build->Bytes + Offset, sizeof Value);
    return Value;
}

void PutRva16(PE_BUILD *Build, uint32_t Rva, uint16_t Value)
{
    Put16(Build, BuildOffset(Rva), Value);
}

void PutRva32(PE_BUILD *Build, uint32_t Rva, uint32_t Value)
{
    Put32(Build, BuildOffset(Rva), Value);
}

void PutRva64(PE_BUILD *Build, uint32_t Rva, uint64_t Value)
{
    Put64(Build, BuildOffset(Rva), Value);
}

void PutString(PE_BUILD *Build, uint32_t Rva, const char *Text)
{
    Put(Build, BuildOffset(Rva), Text, strlen(Text) + 1);
}

void PutDirectory(PE_BUILD *Build, uint32_t Index, uint32_t Rva, uint32_t Size)
{
    Put32(Build, B_DIRECTORIES + Index * 8, Rva);
    Put32(Build, B_DIRECTORIES + Index * 8 + 4, Size);
}

uint32_t SectionField(uint32_t Index, uint32_t Field)
{
    return B_SECTIONS + Index * 40 + Field;
}

static void BuildHeaders(PE_BUILD *Build)
{
    Put16(Build, 0, 0x5A4D);
    Put32(Build, 0x3C, B_HEADER);
    Put32(Build, B_HEADER, 0x00004550);
    Put16(Build, B_COFF, 0x8664);
    Put16(Build, B_COFF + 2, B_SECTION_COUNT);
    Put32(Build, B_COFF + 4, 0x65000000);
    Put16(Build, B_COFF + 16, 240);
    Put16(Build, B_COFF + 18, 0x0022);
    Put16(Build, B_OPTIONAL, 0x20B);
    Put16(Build, B_OPTIONAL + 2, 14);
    Put32(Build, B_OPTIONAL + 16, B_ENTRY);
    Put32(Build, B_OPTIONAL + 20, B_TEXT);
    Put64(Build, B_OPTIONAL + 24, B_IMAGE_BASE);
    Put32(Build, B_OPTIONAL + 32, 0x1000);
    Put32(Build, B_OPTIONAL + 36, 0x200);
    Put16(Build, B_OPTIONAL + 40, 10);
    Put16(Build, B_OPTIONAL + 48, 10);
    Put32(Build, B_OPTIONAL + 56, B_SIZE_OF_IMAGE);
    Put32(Build, B_OPTIONAL + 60, B_SIZE_OF_HEADERS);
    Put16(Build, B_OPTIONAL + 68, 1);
    Put16(Build, B_OPTIONAL + 70, 0x4160);
    Put32(Build, B_OPTIONAL + 108, 16);
    for (unsigned Index = 0; Index < B_SECTION_COUNT; Index++) {
        Put(Build, SectionField(Index, 0), Sections[Index].Name, strlen(Sections[Index].Name));
        Put32(Build, SectionField(Index, 8), Sections[Index].VirtualSize);
        Put32(Build, SectionField(Index, 12), Sections[Index].Rva);
        Put32(Build, SectionField(Index, 16), Sections[Index].Size);
        Put32(Build, SectionField(Index, 20), Sections[Index].Offset);
        Put32(Build, SectionField(Index, 36), Sections[Index].Characteristics);
    }
}

/* Base 10; #10 Alpha, #11 a hole, #12 Beta, #13 without a name, #14 Gamma forwarded to OTHER.Delta, #15
 * Ordinal forwarded to OTHER.#7. */
static void BuildExports(PE_BUILD *Build)
{
    static const uint32_t Functions[] = {B_ENTRY,          0, B_SECOND, B_TEXT + 0x80, B_EXPORTS + 0x150,
                                         B_EXPORTS + 0x160};
    static const char *const Names[] = {"Alpha", "Beta", "Gamma", "Ordinal"};
    static const uint16_t Ordinals[] = {0, 2, 4, 5};
    PutDirectory(Build, 0, B_EXPORTS, 0x200);
    PutRva32(Build, B_EXPORTS + 12, B_EXPORTS + 0x180);
    PutRva32(Build, B_EXPORTS + 16, 10);
    PutRva32(Build, B_EXPORTS + 20, 6);
    PutRva32(Build, B_EXPORTS + 24, 4);
    PutRva32(Build, B_EXPORTS + 28, B_FUNCTIONS);
    PutRva32(Build, B_EXPORTS + 32, B_NAMES);
    PutRva32(Build, B_EXPORTS + 36, B_ORDINALS);
    for (unsigned Index = 0; Index < 6; Index++)
        PutRva32(Build, B_FUNCTIONS + 4 * Index, Functions[Index]);
    for (unsigned Index = 0; Index < 4; Index++) {
        PutRva32(Build, B_NAMES + 4 * Index, B_EXPORTS + 0x100 + 16 * Index);
        PutRva16(Build, B_ORDINALS + 2 * Index, Ordinals[Index]);
        PutString(Build, B_EXPORTS + 0x100 + 16 * Index, Names[Index]);
    }
    PutString(Build, B_EXPORTS + 0x150, "OTHER.Delta");
    PutString(Build, B_EXPORTS + 0x160, "OTHER.#7");
    PutString(Build, B_EXPORTS + 0x180, "test.sys");
}

static void PutHintName(PE_BUILD *Build, uint32_t Rva, uint16_t Hint, const char *Name)
{
    PutRva16(Build, Rva, Hint);
    PutString(Build, Rva + 2, Name);
}

static void BuildImports(PE_BUILD *Build)
{
    PutDirectory(Build, 1, B_IMPORTS, 60);
    PutDirectory(Build, 12, B_IAT, 0x30);
    PutRva32(Build, B_IMPORTS, B_IMPORT_NAMES);
    PutRva32(Build, B_IMPORTS + 12, B_NTOSKRNL);
    PutRva32(Build, B_IMPORTS + 16, B_IAT);
    PutRva32(Build, B_IMPORTS + 20, B_IMPORT_NAMES_HAL);
    PutRva32(Build, B_IMPORTS + 32, B_HAL);
    PutRva32(Build, B_IMPORTS + 36, B_IAT_HAL);
    PutString(Build, B_NTOSKRNL, "ntoskrnl.exe");
    PutString(Build, B_HAL, "HAL.dll");
    PutHintName(Build, B_HINT_NAME, 7, "DbgPrint");
    PutHintName(Build, B_HINT_NAME + 0x20, 9, "IofCompleteRequest");
    PutHintName(Build, B_HINT_NAME + 0x40, 0, "KeStallExecutionProcessor");
    static const uint64_t Thunks[] = {B_HINT_NAME, 0x8000000000000005ull, B_HINT_NAME + 0x20,
                                      0,           B_HINT_NAME + 0x40,    0};
    for (unsigned Index = 0; Index < 6; Index++) {
        PutRva64(Build, B_IMPORT_NAMES + 8 * Index, Thunks[Index]);
        PutRva64(Build, B_IAT + 8 * Index, Thunks[Index]);
    }
}

static void BuildDelayImports(PE_BUILD *Build)
{
    PutDirectory(Build, 13, B_DELAY, 64);
    PutRva32(Build, B_DELAY, 1);
    PutRva32(Build, B_DELAY + 4, B_DELAY_DLL);
    PutRva32(Build, B_DELAY + 12, B_DELAY_IAT);
    PutRva32(Build, B_DELAY + 16, B_DELAY_NAMES);
    PutString(Build, B_DELAY_DLL, "late.sys");
    PutRva64(Build, B_DELAY_NAMES, B_DELAY_DLL + 0x20);
    PutHintName(Build, B_DELAY_DLL + 0x20, 1, "LateCall");
}

static void BuildLoadConfig(PE_BUILD *Build)
{
    PutDirectory(Build, 10, B_LOAD_CONFIG, B_LOAD_CONFIG_SIZE);
    PutRva32(Build, B_LOAD_CONFIG, B_LOAD_CONFIG_SIZE);
    PutRva64(Build, B_LOAD_CONFIG + 0x58, B_IMAGE_BASE + B_COOKIE);
    PutRva64(Build, B_LOAD_CONFIG + 0x70, B_IMAGE_BASE + B_GUARD);
    PutRva64(Build, B_LOAD_CONFIG + 0x78, B_IMAGE_BASE + B_GUARD + 8);
    PutRva64(Build, B_LOAD_CONFIG + 0x80, B_IMAGE_BASE + B_GUARD + 16);
    PutRva64(Build, B_LOAD_CONFIG + 0x88, 2);
    PutRva32(Build, B_LOAD_CONFIG + 0x90, 0x500);
    PutRva64(Build, B_COOKIE, 0x00002B992DDFA232ull);
    PutRva64(Build, B_POINTER, B_IMAGE_BASE + B_ENTRY);
}

static void BuildDebug(PE_BUILD *Build)
{
    PutDirectory(Build, 6, B_DEBUG, 56);
    PutRva32(Build, B_DEBUG + 12, 2);
    PutRva32(Build, B_DEBUG + 16, 24 + 9);
    PutRva32(Build, B_DEBUG + 20, B_RSDS);
    PutRva32(Build, B_DEBUG + 24, BuildOffset(B_RSDS));
    PutRva32(Build, B_DEBUG + 28 + 12, 16);
    PutRva32(Build, B_RSDS, 0x53445352);
    for (unsigned Index = 0; Index < 4; Index++)
        PutRva32(Build, B_RSDS + 4 + 4 * Index, 0x11111111 * (Index + 1));
    PutRva32(Build, B_RSDS + 20, 3);
    PutString(Build, B_RSDS + 24, "test.pdb");
}

static void BuildExceptions(PE_BUILD *Build)
{
    static const uint32_t Entries[] = {B_ENTRY,  B_ENTRY + 0x30,  B_UNWIND,
                                       B_SECOND, B_SECOND + 0x20, B_UNWIND};
    PutDirectory(Build, 3, B_PDATA, sizeof Entries);
    for (unsigned Index = 0; Index < 6; Index++)
        PutRva32(Build, B_PDATA + 4 * Index, Entries[Index]);
    PutRva32(Build, B_UNWIND, 1);
    static const uint8_t Ret[] = {0x31, 0xC0, 0xC3};
    Put(Build, BuildOffset(B_ENTRY), Ret, sizeof Ret);
    Put(Build, BuildOffset(B_SECOND), Ret, sizeof Ret);
}

static void BuildRelocations(PE_BUILD *Build)
{
    static const uint16_t Entries[] = {
        0xA000 | (B_LOAD_CONFIG + 0x58 - B_RDATA), 0xA000 | (B_LOAD_CONFIG + 0x70 - B_RDATA),
        0xA000 | (B_LOAD_CONFIG + 0x78 - B_RDATA), 0xA000 | (B_LOAD_CONFIG + 0x80 - B_RDATA)};
    PutDirectory(Build, 5, B_RELOC, B_RELOC_SIZE);
    PutRva32(Build, B_RELOC, B_RDATA);
    PutRva32(Build, B_RELOC + 4, 16);
    for (unsigned Index = 0; Index < 4; Index++)
        PutRva16(Build, B_RELOC + 8 + 2 * Index, Entries[Index]);
    PutRva32(Build, B_RELOC + 16, B_DATA);
    PutRva32(Build, B_RELOC + 20, 20);
    PutRva16(Build, B_RELOC + 24, 0xA000 | (B_POINTER - B_DATA));
    PutRva16(Build, B_RELOC + 26, 0xA000 | 0x800); /* in the part that the file does not have */
    PutRva32(Build, B_RELOC + 28, 0);              /* padding: type ABSOLUTE */
}

/* Length, value length, type, key; returns the offset of the value. */
static uint32_t PutBlockHeader(PE_BUILD *Build, uint32_t Rva, uint16_t ValueLength, uint16_t Type,
                               const char *Key)
{
    PutRva16(Build, Rva + 2, ValueLength);
    PutRva16(Build, Rva + 4, Type);
    uint32_t Next = Rva + 6;
    for (size_t Index = 0; Index <= strlen(Key); Index++, Next += 2)
        PutRva16(Build, Next, (uint8_t)Key[Index]);
    return (Next + 3) & ~3u;
}

static uint32_t PutStringBlock(PE_BUILD *Build, uint32_t Rva, const char *Key, const char *Value)
{
    uint32_t Next = PutBlockHeader(Build, Rva, (uint16_t)(strlen(Value) + 1), 1, Key);
    for (size_t Index = 0; Index <= strlen(Value); Index++, Next += 2)
        PutRva16(Build, Next, (uint8_t)Value[Index]);
    PutRva16(Build, Rva, (uint16_t)(Next - Rva));
    return (Next + 3) & ~3u;
}

uint32_t PutVersion(PE_BUILD *Build, uint32_t Rva)
{
    static const uint32_t Fixed[13] = {0xFEEF04BD, 0x10000, 0x000A0000, 0x4A610001, 0x000A0001, 0x4A620002};
    uint32_t Value = PutBlockHeader(Build, Rva, sizeof Fixed, 0, "VS_VERSION_INFO");
    Put(Build, BuildOffset(Value), Fixed, sizeof Fixed);
    uint32_t Info = Value + sizeof Fixed;
    uint32_t Table = PutBlockHeader(Build, Info, 0, 1, "StringFileInfo");
    uint32_t Next = PutBlockHeader(Build, Table, 0, 1, "040904b0");
    Next = PutStringBlock(Build, Next, "CompanyName", "ntbox \xE9");
    Next = PutStringBlock(Build, Next, "OriginalFilename", "test.sys");
    PutRva16(Build, Table, (uint16_t)(Next - Table));
    PutRva16(Build, Info, (uint16_t)(Next - Info));
    PutRva16(Build, Rva, (uint16_t)(Next - Rva));
    return Next - Rva;
}

/* Root > 16 > 1 > 0x409 > data entry, 0x18 bytes per level. */
static void BuildResources(PE_BUILD *Build)
{
    static const uint32_t Ids[] = {16, 1, 0x409};
    PutDirectory(Build, 2, B_RSRC, 0x400);
    for (unsigned Level = 0; Level < 3; Level++) {
        PutRva16(Build, B_RSRC + 0x18 * Level + 14, 1);
        PutRva32(Build, B_RSRC + 0x18 * Level + 16, Ids[Level]);
        PutRva32(Build, B_RSRC + 0x18 * Level + 20, 0x18 * (Level + 1) | (Level < 2 ? 0x80000000u : 0));
    }
    PutRva32(Build, B_RSRC + 0x48, B_VERSION);
    PutRva32(Build, B_RSRC + 0x4C, PutVersion(Build, B_VERSION));
}

void BuildImage(PE_BUILD *Build)
{
    memset(Build, 0, sizeof *Build);
    Build->Length = B_FILE_SIZE;
    BuildHeaders(Build);
    BuildExports(Build);
    BuildImports(Build);
    BuildDelayImports(Build);
    BuildLoadConfig(Build);
    BuildDebug(Build);
    BuildExceptions(Build);
    BuildRelocations(Build);
    BuildResources(Build);
}

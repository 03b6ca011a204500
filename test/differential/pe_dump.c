/* SPDX-License-Identifier: MIT */
/* pe_dump FILE...: what ldr/pe reads out of each image, one line of JSON per file, for pe_diff.py. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pe/pe.h"

/* Images hold bytes, not characters: each byte above 0x7E becomes \u00XX (Latin-1). */
static void PrintString(const char *Text)
{
    if (Text == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (; *Text != '\0'; Text++) {
        unsigned char Char = (unsigned char)*Text;
        if (Char < 0x20 || Char > 0x7E || Char == '"' || Char == '\\')
            printf("\\u%04x", Char);
        else
            putchar(Char);
    }
    putchar('"');
}

static void PrintField(const char *Name, const char *Text)
{
    printf(",\"%s\":", Name);
    PrintString(Text);
}

static void PrintNumber(const char *Name, uint64_t Value)
{
    printf(",\"%s\":%llu", Name, (unsigned long long)Value);
}

static void PrintHeaders(const PE_IMAGE *Image)
{
    PrintNumber("base", Image->ImageBase);
    PrintNumber("entry", Image->AddressOfEntryPoint);
    PrintNumber("size", Image->SizeOfImage);
    PrintNumber("headers", Image->SizeOfHeaders);
    PrintNumber("stamp", Image->TimeDateStamp);
    PrintNumber("subsystem", Image->Subsystem);
    PrintNumber("characteristics", Image->Characteristics);
    PrintNumber("dll_characteristics", Image->DllCharacteristics);
    PrintNumber("checksum", Image->CheckSum);
    PrintNumber("section_alignment", Image->SectionAlignment);
    PrintNumber("file_alignment", Image->FileAlignment);
    PrintField("flavour", PeFlavourName(PeGuessFlavour(Image)));
    fputs(",\"directories\":[", stdout);
    for (unsigned Index = 0; Index < Image->DirectoryCount; Index++)
        printf("%s[%u,%u]", Index ? "," : "", Image->Directories[Index].Rva, Image->Directories[Index].Size);
    putchar(']');
}

static PE_STATUS PrintSections(const PE_IMAGE *Image, PE_ERROR *Error)
{
    PE_SECTION Section;
    PE_STATUS Status;
    fputs(",\"sections\":[", stdout);
    for (uint32_t Index = 0; (Status = PeGetSection(Image, Index, &Section, Error)) == PE_OK; Index++) {
        fputs(Index ? ",[" : "[", stdout);
        PrintString(Section.Name);
        printf(",%u,%u,%u,%u,%u]", Section.Rva, Section.VirtualSize, Section.HeaderRawOffset,
               Section.HeaderRawSize, Section.Characteristics);
    }
    putchar(']');
    return Status == PE_END ? PE_OK : Status;
}

typedef PE_STATUS NEXT_DLL(const PE_IMAGE *, PE_IMPORT_DLL *, PE_ERROR *);

static PE_STATUS PrintImports(const PE_IMAGE *Image, const char *Field, NEXT_DLL *Next, PE_ERROR *Error)
{
    PE_IMPORT_DLL Dll = {0};
    PE_STATUS Status;
    printf(",\"%s\":[", Field);
    while ((Status = Next(Image, &Dll, Error)) == PE_OK) {
        PE_IMPORT Import;
        fputs(Dll.Index ? ",[" : "[", stdout);
        PrintString(Dll.Name);
        fputs(",[", stdout);
        while ((Status = PeNextImport(Image, &Dll, &Import, Error)) == PE_OK) {
            fputs(Import.Index ? ",[" : "[", stdout);
            PrintString(Import.Name);
            printf(",%u,%u]", Import.Name ? Import.Hint : Import.Ordinal, Import.IatRva);
        }
        fputs("]]", stdout);
        if (Status != PE_END)
            break;
    }
    putchar(']');
    return Status == PE_END ? PE_OK : Status;
}

/* Each export is also looked up again by its name and its ordinal. */
static bool LooksUp(const PE_EXPORTS *Exports, const PE_EXPORT *Export)
{
    PE_EXPORT Found;
    if (PeFindExportByOrdinal(Exports, Export->Ordinal, &Found, NULL) != PE_OK || Found.Rva != Export->Rva)
        return false;
    return Export->Name == NULL ||
           (PeFindExportByName(Exports, Export->Name, PE_NO_HINT, &Found, NULL) == PE_OK &&
            Found.Rva == Export->Rva);
}

static PE_STATUS PrintExports(const PE_IMAGE *Image, PE_ERROR *Error)
{
    PE_EXPORTS Exports;
    PE_EXPORT Export;
    PE_EXPORT_CURSOR Cursor = {0};
    unsigned Bad = 0, Count = 0;
    PE_STATUS Status = PeOpenExports(Image, &Exports, Error);
    if (Status != PE_OK)
        return Status == PE_NOT_FOUND ? PE_OK : Status;
    PrintField("dll_name", Exports.DllName);
    PrintNumber("sorted", Exports.Sorted);
    fputs(",\"exports\":[", stdout);
    while ((Status = PeNextExport(&Exports, &Cursor, &Export, Error)) == PE_OK) {
        fputs(Count++ ? ",[" : "[", stdout);
        PrintString(Export.Name);
        printf(",%u,%u,", Export.Ordinal, Export.Rva);
        PrintString(Export.Forwarder);
        putchar(']');
        Bad += !LooksUp(&Exports, &Export);
    }
    putchar(']');
    PrintNumber("lookup_faults", Bad);
    return Status == PE_END ? PE_OK : Status;
}

static PE_STATUS PrintVersion(const PE_IMAGE *Image, PE_ERROR *Error)
{
    static const char *const Keys[] = {"CompanyName", "FileDescription", "OriginalFilename", "FileVersion"};
    PE_VERSION Version;
    char Text[512];
    PE_STATUS Status = PeGetVersion(Image, &Version, Error);
    if (Status != PE_OK)
        return Status == PE_NOT_FOUND ? PE_OK : Status;
    const uint16_t *File = Version.FileVersion, *Product = Version.ProductVersion;
    printf(",\"version\":[%u,%u,%u,%u,%u,%u,%u,%u],\"strings\":{\"\":null", File[0], File[1], File[2],
           File[3], Product[0], Product[1], Product[2], Product[3]);
    for (unsigned Index = 0; Index < sizeof Keys / sizeof *Keys && Status == PE_OK; Index++) {
        Status = PeGetVersionString(&Version, Keys[Index], Text, sizeof Text, Error);
        if (Status == PE_OK)
            PrintField(Keys[Index], Text);
        else if (Status == PE_NOT_FOUND)
            Status = PE_OK;
    }
    putchar('}');
    return Status;
}

static PE_STATUS PrintDebug(const PE_IMAGE *Image, PE_ERROR *Error)
{
    PE_DEBUG_INFO Info;
    PE_STATUS Status = PeGetDebugInfo(Image, &Info, Error);
    if (Status != PE_OK)
        return Status == PE_NOT_FOUND ? PE_OK : Status;
    PrintField("pdb", Info.PdbName);
    PrintNumber("reproducible", Info.Reproducible);
    if (Info.PdbName == NULL)
        return PE_OK;
    PrintNumber("age", Info.Age);
    fputs(",\"guid\":\"", stdout);
    for (unsigned Index = 0; Index < sizeof Info.Guid; Index++)
        printf("%02x", Info.Guid[Index]);
    putchar('"');
    return PE_OK;
}

static PE_STATUS PrintCounts(const PE_IMAGE *Image, PE_ERROR *Error)
{
    uint32_t Relocations = 0, Functions = 0, CheckSum = 0;
    PE_CERTIFICATE Certificate;
    PE_STATUS Status = PeCountRelocations(Image, &Relocations, Error);
    if (Status == PE_OK)
        Status = PeCheckExceptions(Image, &Functions, Error);
    if (Status == PE_OK)
        Status = PeComputeCheckSum(Image, &CheckSum, Error);
    PrintNumber("relocations", Relocations);
    PrintNumber("functions", Functions);
    PrintNumber("computed_checksum", CheckSum);
    if (PeGetCertificate(Image, &Certificate, NULL) == PE_OK)
        PrintNumber("certificate", Certificate.Size);
    return Status;
}

static PE_STATUS PrintLoadConfig(const PE_IMAGE *Image, PE_ERROR *Error)
{
    PE_LOAD_CONFIG Config;
    PE_STATUS Status = PeGetLoadConfig(Image, &Config, Error);
    if (Status != PE_OK)
        return Status == PE_NOT_FOUND ? PE_OK : Status;
    PrintNumber("cookie", Config.SecurityCookieRva);
    PrintNumber("guard_check", Config.GuardCheckPointerRva);
    PrintNumber("guard_flags", Config.GuardFlags);
    return PE_OK;
}

/* The usual CRC-32, bit by bit. */
static uint32_t Crc32(const uint8_t *Bytes, uint32_t Size)
{
    uint32_t Crc = 0xFFFFFFFF;
    for (uint32_t Index = 0; Index < Size; Index++) {
        Crc ^= Bytes[Index];
        for (unsigned Bit = 0; Bit < 8; Bit++)
            Crc = (Crc >> 1) ^ (0xEDB88320 & (0u - (Crc & 1)));
    }
    return ~Crc;
}

#define NEW_BASE 0xFFFFF80012340000ull
#define LARGEST_MAPPED 0x40000u

/* What each section holds after mapping and relocation. */
static PE_STATUS PrintMapped(const PE_IMAGE *File, PE_ERROR *Error)
{
    if (File->SizeOfImage > LARGEST_MAPPED || (File->Characteristics & PE_FILE_RELOCS_STRIPPED) != 0)
        return PE_OK;
    static uint8_t Room[LARGEST_MAPPED];
    PE_IMAGE Mapped;
    PE_SECTION Section;
    PE_STATUS Status = PeMapImage(File, Room, sizeof Room, &Mapped, Error);
    if (Status == PE_OK)
        Status = PeRelocateImage(&Mapped, NEW_BASE, Error);
    if (Status != PE_OK)
        return Status;
    fputs(",\"mapped\":[", stdout);
    for (uint32_t Index = 0; PeGetSection(&Mapped, Index, &Section, Error) == PE_OK; Index++)
        printf("%s%u", Index ? "," : "", Crc32(Room + Section.Rva, Section.MappedSize));
    putchar(']');
    return PE_OK;
}

static PE_STATUS PrintImage(const void *Bytes, uint64_t Length, PE_ERROR *Error)
{
    PE_IMAGE Image;
    PE_STATUS Status = PeParseFile(Bytes, Length, 0, &Image, Error);
    if (Status != PE_OK)
        return Status;
    PrintHeaders(&Image);
    Status = PrintSections(&Image, Error);
    if (Status == PE_OK)
        Status = PrintImports(&Image, "imports", PeNextImportDll, Error);
    if (Status == PE_OK)
        Status = PrintImports(&Image, "delay_imports", PeNextDelayDll, Error);
    if (Status == PE_OK)
        Status = PrintExports(&Image, Error);
    if (Status == PE_OK)
        Status = PrintVersion(&Image, Error);
    if (Status == PE_OK)
        Status = PrintDebug(&Image, Error);
    if (Status == PE_OK)
        Status = PrintLoadConfig(&Image, Error);
    if (Status == PE_OK)
        Status = PrintMapped(&Image, Error);
    return Status == PE_OK ? PrintCounts(&Image, Error) : Status;
}

static bool DumpFile(const char *Path)
{
    struct stat Stat;
    int File = open(Path, O_RDONLY);
    if (File < 0 || fstat(File, &Stat) != 0 || Stat.st_size == 0) {
        fprintf(stderr, "pe_dump: cannot read %s\n", Path);
        return false;
    }
    void *Bytes = mmap(NULL, (size_t)Stat.st_size, PROT_READ, MAP_PRIVATE, File, 0);
    close(File);
    if (Bytes == MAP_FAILED) {
        fprintf(stderr, "pe_dump: cannot map %s\n", Path);
        return false;
    }
    PE_ERROR Error = {0};
    fputs("{\"file\":", stdout);
    PrintString(Path);
    PE_STATUS Status = PrintImage(Bytes, (uint64_t)Stat.st_size, &Error);
    PrintField("status", PeStatusName(Status));
    PrintField("error", Status == PE_OK ? NULL : Error.Text);
    puts("}");
    munmap(Bytes, (size_t)Stat.st_size);
    return true;
}

int main(int Count, char **Arguments)
{
    bool Good = true;
    for (int Index = 1; Index < Count; Index++)
        Good = DumpFile(Arguments[Index]) && Good;
    return Good ? 0 : 1;
}

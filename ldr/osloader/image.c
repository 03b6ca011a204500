/* SPDX-License-Identifier: MIT
 * ntoskrnl.exe and hal.dll: out of the archive into memory, bound to each other. The work is ldr/pe's; this
 * file says where the images lie and who finds whom. */
#include "osloader/osl.h"
#include "pe/pe.h"

#define IMAGE_COUNT 2u
#define SYSTEM_FOLDER "Windows/System32/"

typedef struct MODULE {
    const char *FileName;
    const char *BaseName; /* as forwarders name it */
    PE_IMAGE Image;
    PE_EXPORTS Exports;
    bool HasExports;
    uint64_t Physical;
    char MissingImport[96]; /* the first one: "DLL!Name" */
} MODULE;

static MODULE Modules[IMAGE_COUNT] = {
    {.FileName = "ntoskrnl.exe", .BaseName = "ntoskrnl"},
    {.FileName = "hal.dll", .BaseName = "hal"},
};

static void Refuse(const MODULE *Module, const PE_ERROR *Error)
{
    OslFail("boot.cpio: %s%s: %s", SYSTEM_FOLDER, Module->FileName, Error->Text);
}

static char Lower(char Character)
{
    return Character >= 'A' && Character <= 'Z' ? (char)(Character + 32) : Character;
}

/* Name: Length characters, not terminated, ASCII in any case. */
static bool NameEquals(const char *Name, size_t Length, const char *Wanted)
{
    for (size_t i = 0; i < Length; i++) {
        if (Wanted[i] == 0 || Lower(Name[i]) != Wanted[i])
            return false;
    }
    return Wanted[Length] == 0;
}

static size_t TextLength(const char *Text)
{
    size_t Length = 0;
    while (Text[Length])
        Length++;
    return Length;
}

static void CopyName(char *To, size_t Size, const char *From)
{
    size_t At = TextLength(To);
    while (*From && At < Size - 1)
        To[At++] = *From++;
    To[At] = 0;
}

static const PE_EXPORTS *FindModule(void *Context, const char *Name, size_t Length)
{
    (void)Context;
    for (uint32_t i = 0; i < IMAGE_COUNT; i++) {
        if (Modules[i].HasExports && NameEquals(Name, Length, Modules[i].BaseName))
            return &Modules[i].Exports;
    }
    return NULL;
}

/* A PE_RESOLVE_IMPORT; Context is the importing MODULE. */
static bool ResolveImport(void *Context, const PE_IMPORT *Import, uint64_t *Address)
{
    MODULE *Importer = Context;
    const char *Dll = Import->Dll->Name;
    for (uint32_t i = 0; i < IMAGE_COUNT; i++) {
        MODULE *Module = &Modules[i];
        if (!Module->HasExports || !NameEquals(Dll, TextLength(Dll), Module->FileName))
            continue;
        uint32_t HintOrOrdinal = Import->Name ? Import->Hint : Import->Ordinal;
        if (PeResolveExport(&Module->Exports, Import->Name, HintOrOrdinal, FindModule, NULL, Address, NULL,
                            NULL) == PE_OK)
            return true;
    }
    if (Importer->MissingImport[0] == 0) {
        CopyName(Importer->MissingImport, sizeof(Importer->MissingImport), Dll);
        CopyName(Importer->MissingImport, sizeof(Importer->MissingImport), "!");
        CopyName(Importer->MissingImport, sizeof(Importer->MissingImport),
                 Import->Name ? Import->Name : "(ordinal)");
    }
    return false;
}

static void FindFile(const void *Archive, uint64_t ArchiveLength, const char *FileName, CPIO_ENTRY *Entry)
{
    char Path[64] = {0};
    CPIO_ERROR Error;
    CopyName(Path, sizeof(Path), SYSTEM_FOLDER);
    CopyName(Path, sizeof(Path), FileName);
    switch (CpioFind(Archive, ArchiveLength, Path, true, Entry, &Error)) {
    case CpioFound:
        return;
    case CpioEnd:
        OslFail("boot.cpio has no file %s", Path);
    default:
        OslFail("boot.cpio is damaged at offset %u: %s", Error.Offset, Error.Rule);
    }
}

/* Reads one file into memory of its own and relocates it to Base; it may go up to Limit. Returns the first address behind it. */
static uint64_t MapModule(MODULE *Module, const CPIO_ENTRY *File, OSL_MAP *Map, uint64_t Base, uint64_t Limit)
{
    PE_IMAGE Source;
    PE_ERROR Error;
    if (PeParseFile(File->Data, File->Size, PE_PARSE_STRICT_WX, &Source, &Error) != PE_OK)
        Refuse(Module, &Error);
    uint64_t Length = ((uint64_t)Source.SizeOfImage + OSL_PAGE_SIZE - 1) & ~(uint64_t)(OSL_PAGE_SIZE - 1);
    if (Base > Limit || Length > Limit - Base)
        OslFail("boot.cpio: %s%s: the image takes %u KiB, more than all images may", SYSTEM_FOLDER,
                Module->FileName, Length / 1024);
    void *Memory = OslClaim(Map, Length, LoaderMemoryImage, Module->FileName);
    Module->Physical = (uint64_t)(uintptr_t)Memory;
    if (PeMapImage(&Source, Memory, Length, &Module->Image, &Error) != PE_OK ||
        PeRelocateImage(&Module->Image, Base, &Error) != PE_OK)
        Refuse(Module, &Error);

    PE_STATUS Status = PeOpenExports(&Module->Image, &Module->Exports, &Error);
    if (Status != PE_OK && Status != PE_NOT_FOUND)
        Refuse(Module, &Error);
    Module->HasExports = Status == PE_OK;
    return Base + Length;
}

/* Every forwarder must lead somewhere now: a driver that imports it later could only be refused for no fault
 * of its. */
static void CheckForwarders(const MODULE *Module)
{
    PE_EXPORT_CURSOR Cursor = {0};
    PE_EXPORT Export;
    PE_ERROR Error;
    uint64_t Address;
    PE_STATUS Status = PE_END;
    while (Module->HasExports &&
           (Status = PeNextExport(&Module->Exports, &Cursor, &Export, &Error)) == PE_OK) {
        if (Export.Forwarder == NULL)
            continue;
        Status = PeResolveExport(&Module->Exports, Export.Name, Export.Name ? Export.Hint : Export.Ordinal,
                                 FindModule, NULL, &Address, NULL, &Error);
        if (Status != PE_OK)
            break;
    }
    if (Status != PE_END)
        Refuse(Module, &Error);
}

static void BindModule(MODULE *Module, uint64_t Entropy)
{
    PE_ERROR Error;
    uint32_t Missing;
    PE_STATUS Status = PeBindImports(&Module->Image, ResolveImport, Module, &Missing, &Error);
    if (Status == PE_IMPORT_MISSING)
        OslFail("boot.cpio: %s%s: import %s is not exported (%u missing)", SYSTEM_FOLDER, Module->FileName,
                Module->MissingImport, (uint64_t)Missing);
    if (Status != PE_OK)
        Refuse(Module, &Error);
    Status = PeSetSecurityCookie(&Module->Image, Entropy, &Error);
    if (Status != PE_OK)
        Refuse(Module, &Error);
    CheckForwarders(Module);
}

static void Describe(const MODULE *Module, LOADER_IMAGE *Image)
{
    uint32_t Mask = OSL_PAGE_SIZE - 1;
    CopyName(Image->Name, sizeof(Image->Name), Module->FileName);
    Image->Base = Module->Image.LoadBase;
    Image->Physical = Module->Physical;
    Image->Size = (Module->Image.SizeOfImage + Mask) & ~Mask;
    if (Module->Image.AddressOfEntryPoint)
        Image->Entry = Image->Base + Module->Image.AddressOfEntryPoint;
}

void OslLoadImages(const void *Archive, uint64_t ArchiveLength, OSL_MAP *Map, uint64_t *Random,
                   LOADER_BLOCK *Block)
{
    uint64_t Base = LOADER_IMAGE_BASE + LayoutNextRandom(Random) % OSL_IMAGE_SLIDES * OSL_IMAGE_STEP;
    uint64_t Limit = Base + OSL_IMAGE_SPACE;
    for (uint32_t i = 0; i < IMAGE_COUNT; i++) {
        CPIO_ENTRY File;
        FindFile(Archive, ArchiveLength, Modules[i].FileName, &File);
        uint64_t End = MapModule(&Modules[i], &File, Map, Base, Limit);
        Base =
            (End + 2 * OSL_IMAGE_STEP - 1) & ~(OSL_IMAGE_STEP - 1); /* at least one step of nothing between */
    }
    for (uint32_t i = 0; i < IMAGE_COUNT; i++) {
        BindModule(&Modules[i], LayoutNextRandom(Random));
        Describe(&Modules[i], &Block->Images[i]);
    }
    Block->ImageCount = IMAGE_COUNT;
    if (Block->Images[0].Entry == 0)
        OslFail("boot.cpio: %s%s: the image has no entry point", SYSTEM_FOLDER, Modules[0].FileName);
}

static uint64_t FlagsOf(uint32_t Protection)
{
    uint64_t Flags = Protection & PE_PROTECT_EXECUTE ? 0 : OSL_PAGE_NO_EXECUTE;
    return Protection & PE_PROTECT_WRITE ? Flags | OSL_PAGE_WRITE : Flags;
}

void OslMapImages(OSL_PAGE_TABLES *Tables)
{
    for (uint32_t i = 0; i < IMAGE_COUNT; i++) {
        const MODULE *Module = &Modules[i];
        for (uint64_t Rva = 0; Rva < Module->Image.SizeOfImage; Rva += OSL_PAGE_SIZE) {
            uint32_t Protection = PeGetPageProtection(&Module->Image, (uint32_t)Rva);
            if (Protection)
                OslMapPage(Tables, Module->Image.LoadBase + Rva, Module->Physical + Rva, FlagsOf(Protection));
        }
    }
}

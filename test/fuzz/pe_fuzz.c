/* SPDX-License-Identifier: MIT */
/* libFuzzer target for ldr/pe: everything that the library can do with an image, first as a file, then
 * mapped, relocated and bound, then once more as hostile bytes that claim to be mapped. The sanitizers find
 * stray accesses; the asserts here hold what the headers of ldr/pe promise. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "pe/pe.h"

#define LARGEST_IMAGE 0x100000u

static volatile uint64_t Sink; /* keeps reads of what the library hands out */

static void Consume(const char *Text)
{
    while (Text != NULL && *Text != '\0')
        Sink += (unsigned char)*Text++;
}

/* A failure has a sentence. */
static PE_STATUS Check(PE_STATUS Status, PE_ERROR *Error)
{
    if (Status != PE_OK && Status != PE_END && Status != PE_NOT_FOUND) {
        assert(Error->Status == Status);
        assert(Error->Text[0] != '\0' && strlen(Error->Text) < PE_ERROR_TEXT);
    }
    memset(Error, 0, sizeof *Error);
    return Status;
}

static void DriveSections(const PE_IMAGE *Image)
{
    PE_ERROR Error;
    PE_SECTION Section, Found;
    uint64_t End = Image->SizeOfHeaders;
    for (uint32_t Index = 0; Check(PeGetSection(Image, Index, &Section, &Error), &Error) == PE_OK; Index++) {
        assert(Section.Rva >= End);
        assert(strlen(Section.Name) < PE_SECTION_NAME);
        End = (uint64_t)Section.Rva + Section.MappedSize;
        assert(End <= Image->SizeOfImage);
        if (Section.MappedSize != 0)
            assert(PeFindSection(Image, Section.Rva, &Found, NULL) == PE_OK && Found.Rva == Section.Rva);
        if (Image->Writable == NULL)
            assert((uint64_t)Section.RawOffset + Section.RawSize <= Image->Length);
    }
    for (uint32_t Page = 0; Page < Image->SizeOfImage && Page < 0x40000; Page += 0x1000)
        assert(PeGetPageProtection(Image, Page) < 8);
}

typedef PE_STATUS NEXT_DLL(const PE_IMAGE *, PE_IMPORT_DLL *, PE_ERROR *);

static void DriveImports(const PE_IMAGE *Image, NEXT_DLL *Next)
{
    PE_ERROR Error;
    PE_IMPORT_DLL Dll = {0};
    PE_IMPORT Import;
    while (Check(Next(Image, &Dll, &Error), &Error) == PE_OK) {
        Consume(Dll.Name);
        while (Check(PeNextImport(Image, &Dll, &Import, &Error), &Error) == PE_OK) {
            Consume(Import.Name);
            assert((uint64_t)Import.IatRva + 8 <= Image->SizeOfImage);
        }
    }
}

static const PE_EXPORTS *FindModule(void *Context, const char *Name, size_t Length)
{
    Sink += (unsigned char)Name[Length - 1];
    return (unsigned char)Name[0] % 4 != 0 ? Context : NULL;
}

static void DriveExport(const PE_EXPORTS *Exports, const PE_EXPORT *Export)
{
    PE_ERROR Error;
    PE_EXPORT Found;
    uint64_t Address;
    Consume(Export->Name);
    Consume(Export->Forwarder);
    assert(Export->Rva < Exports->Image->SizeOfImage);
    if (Export->Name != NULL) {
        PE_STATUS Status =
            Check(PeFindExportByName(Exports, Export->Name, Export->Ordinal, &Found, &Error), &Error);
        assert(Status != PE_OK || strcmp(Found.Name, Export->Name) == 0);
        if (PeFindExportByName(Exports, Export->Name, Export->Hint, &Found, NULL) == PE_OK)
            assert(Found.Rva == Export->Rva);
    }
    Check(PeFindExportByOrdinal(Exports, Export->Ordinal, &Found, &Error), &Error);
    Check(PeFindNearestExport(Exports, Export->Rva + 1, &Found, &Error), &Error);
    Check(
        PeResolveExport(Exports, NULL, Export->Ordinal, FindModule, (void *)Exports, &Address, NULL, &Error),
        &Error);
}

static void DriveExports(const PE_IMAGE *Image)
{
    PE_ERROR Error;
    PE_EXPORTS Exports;
    PE_EXPORT Export;
    PE_EXPORT_CURSOR Cursor = {0};
    if (Check(PeOpenExports(Image, &Exports, &Error), &Error) != PE_OK)
        return;
    Consume(Exports.DllName);
    for (unsigned Count = 0;
         Count < 64 && Check(PeNextExport(&Exports, &Cursor, &Export, &Error), &Error) == PE_OK; Count++)
        DriveExport(&Exports, &Export);
    Check(PeFindExportByName(&Exports, "DbgPrint", PE_NO_HINT, &Export, &Error), &Error);
}

static void DriveVersion(const PE_IMAGE *Image)
{
    PE_ERROR Error;
    PE_VERSION Version;
    char Text[40];
    if (Check(PeGetVersion(Image, &Version, &Error), &Error) != PE_OK)
        return;
    if (Check(PeGetVersionString(&Version, "CompanyName", Text, sizeof Text, &Error), &Error) == PE_OK)
        assert(strlen(Text) < sizeof Text);
    if (Check(PeGetVersionString(&Version, "OriginalFilename", Text, 3, &Error), &Error) == PE_OK)
        assert(strlen(Text) < 3);
}

static void DriveFunctions(const PE_IMAGE *Image)
{
    PE_ERROR Error;
    PE_RUNTIME_FUNCTION Function;
    Check(PeCheckExceptions(Image, NULL, &Error), &Error);
    for (uint32_t Rva = Image->AddressOfEntryPoint; Rva < Image->AddressOfEntryPoint + 64; Rva += 16) {
        if (Check(PeFindRuntimeFunction(Image, Rva, &Function, &Error), &Error) == PE_OK)
            assert(Function.Begin <= Rva && Rva < Function.End);
    }
}

static void DriveInformation(const PE_IMAGE *Image)
{
    PE_ERROR Error;
    PE_DEBUG_INFO Debug;
    PE_LOAD_CONFIG Config;
    uint32_t Count;
    if (Check(PeGetDebugInfo(Image, &Debug, &Error), &Error) == PE_OK)
        Consume(Debug.PdbName);
    if (Check(PeGetLoadConfig(Image, &Config, &Error), &Error) == PE_OK)
        assert(Config.SecurityCookieRva == 0 || (uint64_t)Config.SecurityCookieRva + 8 <= Image->SizeOfImage);
    Check(PeCountRelocations(Image, &Count, &Error), &Error);
    Consume(PeFlavourName(PeGuessFlavour(Image)));
}

static void DriveReading(const PE_IMAGE *Image)
{
    DriveSections(Image);
    DriveImports(Image, PeNextImportDll);
    DriveImports(Image, PeNextDelayDll);
    DriveExports(Image);
    DriveVersion(Image);
    DriveFunctions(Image);
    DriveInformation(Image);
}

static void DriveFile(const PE_IMAGE *Image)
{
    PE_ERROR Error;
    PE_CERTIFICATE Certificate;
    uint32_t CheckSum;
    DriveReading(Image);
    assert(Check(PeComputeCheckSum(Image, &CheckSum, &Error), &Error) == PE_OK);
    if (Check(PeGetCertificate(Image, &Certificate, &Error), &Error) == PE_OK && Certificate.InFile)
        assert((uint64_t)Certificate.Offset + Certificate.Size <= Image->Length);
}

static bool Resolve(void *Context, const PE_IMPORT *Import, uint64_t *Address)
{
    Consume(Import->Name);
    Consume(Import->Dll->Name);
    *Address = *(uint64_t *)Context += 0x4141414141414141;
    return Import->Index % 5 != 4;
}

/* What a loader does. A refused relocation leaves the image as it was. */
static void DriveMapped(PE_IMAGE *Image, uint64_t Base)
{
    PE_ERROR Error;
    uint64_t Seed = Base;
    uint32_t Missing;
    uint8_t *Before = malloc(Image->SizeOfImage);
    memcpy(Before, Image->Bytes, Image->SizeOfImage);
    if (Check(PeRelocateImage(Image, Base, &Error), &Error) != PE_OK)
        assert(memcmp(Before, Image->Bytes, Image->SizeOfImage) == 0);
    else
        assert(Image->LoadBase == Base);
    free(Before);
    Check(PeBindImports(Image, Resolve, &Seed, &Missing, &Error), &Error);
    Check(PeSetSecurityCookie(Image, Seed, &Error), &Error);
    DriveReading(Image);
}

static uint64_t ChooseBase(const PE_IMAGE *Image)
{
    static const uint64_t Bases[] = {0xFFFFF80000000000, 0x10000, 0x140000000, 0xFFFFFFFFFFFF0000};
    return Bases[Image->TimeDateStamp % 4];
}

static void DriveLoading(const PE_IMAGE *File)
{
    PE_ERROR Error;
    PE_IMAGE Mapped, Again;
    if (File->SizeOfImage > LARGEST_IMAGE)
        return;
    uint8_t *Room = malloc(File->SizeOfImage);
    memset(Room, 0xA5, File->SizeOfImage);
    assert(Check(PeMapImage(File, Room, File->SizeOfImage, &Mapped, &Error), &Error) == PE_OK);
    DriveMapped(&Mapped, ChooseBase(File));
    if (Check(PeParseMapped(Room, File->SizeOfImage, Mapped.LoadBase, &Again, &Error), &Error) == PE_OK)
        DriveReading(&Again);
    free(Room);
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size)
{
    PE_ERROR Error = {0};
    PE_IMAGE Image;
    if (Check(PeParseFile(Data, Size, 0, &Image, &Error), &Error) == PE_OK) {
        DriveFile(&Image);
        DriveLoading(&Image);
    }
    Check(PeParseFile(Data, Size, PE_PARSE_STRICT_WX, &Image, &Error), &Error);

    uint8_t *Copy = malloc(Size + 1);
    memcpy(Copy, Data, Size);
    if (Check(PeParseMapped(Copy, Size, 0xFFFFF80000000000, &Image, &Error), &Error) == PE_OK) {
        DriveReading(&Image);
        DriveMapped(&Image, 0xFFFFF88000000000);
    }
    free(Copy);
    return 0;
}

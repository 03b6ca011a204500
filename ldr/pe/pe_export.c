/* SPDX-License-Identifier: MIT */
/* Export tables. Opening one checks every name and whether they are in order, once; a look-up is then a hint
 * test and a binary search. Windows would find nothing reliably in an unsorted table; here it is searched
 * from its start. */
#include "pe/pei.h"

static bool PeiTakeArray(const PE_IMAGE *Image, uint32_t Rva, uint64_t Size, const uint8_t **Array)
{
    *Array = NULL;
    if (Size == 0)
        return true;
    *Array = PeRvaToPointer(Image, Rva, Size);
    return *Array != NULL;
}

static PE_STATUS PeiTakeTables(const PE_IMAGE *Image, const PEF_EXPORT_DIRECTORY *Directory,
                               PE_EXPORTS *Exports, PE_ERROR *Error)
{
    uint64_t Place = PeiOffset(Image, Image->Directories[PE_DIRECTORY_EXPORT].Rva);
    if (Directory->NumberOfFunctions > 0x10000 || Directory->NumberOfNames > 0x10000)
        return PeiFail(Error, PE_BAD_EXPORT, Place,
                       "the export directory has %u entries and %u names; 65536 are allowed",
                       Directory->NumberOfFunctions, Directory->NumberOfNames);
    if (!PeiTakeArray(Image, Directory->AddressOfFunctions, 4ull * Directory->NumberOfFunctions,
                      &Exports->Functions))
        return PeiFail(Error, PE_BAD_EXPORT, Place,
                       "the export address table at 0x%llx does not lie inside one section",
                       PEI_U(Directory->AddressOfFunctions));
    if (!PeiTakeArray(Image, Directory->AddressOfNames, 4ull * Directory->NumberOfNames, &Exports->Names))
        return PeiFail(Error, PE_BAD_EXPORT, Place,
                       "the export name table at 0x%llx does not lie inside one section",
                       PEI_U(Directory->AddressOfNames));
    if (!PeiTakeArray(Image, Directory->AddressOfNameOrdinals, 2ull * Directory->NumberOfNames,
                      &Exports->Ordinals))
        return PeiFail(Error, PE_BAD_EXPORT, Place,
                       "the export ordinal table at 0x%llx does not lie inside one section",
                       PEI_U(Directory->AddressOfNameOrdinals));
    return PE_OK;
}

/* The name at an index; it was checked when the table was opened. */
static const char *PeiExportName(const PE_EXPORTS *Exports, uint32_t Index)
{
    uint32_t Rva = PeiLoad32(Exports->Names + 4 * (size_t)Index);
    if (Exports->Image->Writable != NULL)
        return (const char *)Exports->Image->Bytes + Rva;
    return PeRvaToPointer(Exports->Image, Rva, 1);
}

static PE_STATUS PeiCheckNames(PE_EXPORTS *Exports, PE_ERROR *Error)
{
    const PE_IMAGE *Image = Exports->Image;
    const char *Previous = "";
    for (uint32_t Index = 0; Index < Exports->NameCount; Index++) {
        uint32_t Rva = PeiLoad32(Exports->Names + 4 * (size_t)Index);
        uint32_t Function = PeiLoad16(Exports->Ordinals + 2 * (size_t)Index);
        const char *Name = PeiString(Image, Rva);
        if (Name == NULL)
            return PeiFail(Error, PE_BAD_EXPORT, PeiOffset(Image, Rva),
                           "export name %u at 0x%llx is not a string in the image", Index, PEI_U(Rva));
        if (Function >= Exports->FunctionCount)
            return PeiFail(Error, PE_BAD_EXPORT, PeiOffset(Image, Rva),
                           "export %s has the index %u; there are only %u entries", Name, Function,
                           Exports->FunctionCount);
        Exports->Sorted = Exports->Sorted && PeiCompare(Previous, Name) <= 0;
        Previous = Name;
    }
    return PE_OK;
}

PE_STATUS PeOpenExports(const PE_IMAGE *Image, PE_EXPORTS *Exports, PE_ERROR *Error)
{
    const PE_DIRECTORY *Entry = &Image->Directories[PE_DIRECTORY_EXPORT];
    PEF_EXPORT_DIRECTORY Directory;
    if (Entry->Rva == 0 || Entry->Size == 0)
        return PE_NOT_FOUND;
    uint64_t Place = PeiOffset(Image, Entry->Rva);
    if (Entry->Size < sizeof Directory || !PeiRead(Image, Entry->Rva, &Directory, sizeof Directory))
        return PeiFail(Error, PE_BAD_EXPORT, Place,
                       "the export directory (0x%llx, 0x%llx bytes) is too short or outside the sections",
                       PEI_U(Entry->Rva), PEI_U(Entry->Size));
    *Exports = (PE_EXPORTS){.Image = Image,
                            .OrdinalBase = Directory.Base,
                            .FunctionCount = Directory.NumberOfFunctions,
                            .NameCount = Directory.NumberOfNames,
                            .TimeDateStamp = Directory.TimeDateStamp,
                            .Sorted = true};
    Exports->DllName = PeiString(Image, Directory.Name);
    if (Exports->DllName == NULL)
        return PeiFail(Error, PE_BAD_EXPORT, Place,
                       "the DLL name of the export directory at 0x%llx is not a string",
                       PEI_U(Directory.Name));
    PE_STATUS Status = PeiTakeTables(Image, &Directory, Exports, Error);
    return Status == PE_OK ? PeiCheckNames(Exports, Error) : Status;
}

/* Rva and Forwarder of the entry; PE_NOT_FOUND if it is a hole in the ordinals. Name and Hint are set. */
PE_STATUS PeiTakeFunction(const PE_EXPORTS *Exports, uint32_t Function, PE_EXPORT *Export, PE_ERROR *Error)
{
    const PE_IMAGE *Image = Exports->Image;
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_EXPORT];
    uint32_t Rva = PeiLoad32(Exports->Functions + 4 * (size_t)Function);
    Export->Rva = Rva;
    Export->Ordinal = Exports->OrdinalBase + Function;
    Export->Forwarder = NULL;
    if (Rva == 0)
        return PE_NOT_FOUND;
    if (Rva >= Image->SizeOfImage)
        return PeiFail(Error, PE_BAD_EXPORT, PeiOffset(Image, Directory->Rva),
                       "export #%u lies at 0x%llx, behind the end of the image (0x%llx)", Export->Ordinal,
                       PEI_U(Rva), PEI_U(Image->SizeOfImage));
    if (Rva - Directory->Rva >= Directory->Size || Rva < Directory->Rva)
        return PE_OK;
    Export->Forwarder = PeiString(Image, Rva);
    if (Export->Forwarder == NULL)
        return PeiFail(Error, PE_BAD_EXPORT, PeiOffset(Image, Rva),
                       "the forwarder of export #%u at 0x%llx is not a string", Export->Ordinal, PEI_U(Rva));
    return PE_OK;
}

PE_STATUS PeiTakeNamed(const PE_EXPORTS *Exports, uint32_t Index, PE_EXPORT *Export, PE_ERROR *Error)
{
    Export->Name = PeiExportName(Exports, Index);
    Export->Hint = Index;
    return PeiTakeFunction(Exports, PeiLoad16(Exports->Ordinals + 2 * (size_t)Index), Export, Error);
}

static PE_STATUS PeiFindUnsorted(const PE_EXPORTS *Exports, const char *Name, PE_EXPORT *Export,
                                 PE_ERROR *Error)
{
    for (uint32_t Index = 0; Index < Exports->NameCount; Index++) {
        if (PeiCompare(Name, PeiExportName(Exports, Index)) == 0)
            return PeiTakeNamed(Exports, Index, Export, Error);
    }
    return PE_NOT_FOUND;
}

PE_STATUS PeFindExportByName(const PE_EXPORTS *Exports, const char *Name, uint32_t Hint, PE_EXPORT *Export,
                             PE_ERROR *Error)
{
    if (Hint < Exports->NameCount) {
        if (PeiCompare(Name, PeiExportName(Exports, Hint)) == 0)
            return PeiTakeNamed(Exports, Hint, Export, Error);
    }
    if (!Exports->Sorted)
        return PeiFindUnsorted(Exports, Name, Export, Error);
    uint32_t Low = 0, High = Exports->NameCount;
    while (Low < High) {
        uint32_t Middle = Low + (High - Low) / 2;
        int Order = PeiCompare(Name, PeiExportName(Exports, Middle));
        if (Order == 0)
            return PeiTakeNamed(Exports, Middle, Export, Error);
        if (Order < 0)
            High = Middle;
        else
            Low = Middle + 1;
    }
    return PE_NOT_FOUND;
}

/* The first name of a function, if it has one. */
static void PeiNameFunction(const PE_EXPORTS *Exports, uint32_t Function, PE_EXPORT *Export)
{
    Export->Name = NULL;
    Export->Hint = PE_NO_HINT;
    for (uint32_t Index = 0; Index < Exports->NameCount; Index++) {
        if (PeiLoad16(Exports->Ordinals + 2 * (size_t)Index) != Function)
            continue;
        Export->Name = PeiExportName(Exports, Index);
        Export->Hint = Index;
        return;
    }
}

PE_STATUS PeFindExportByOrdinal(const PE_EXPORTS *Exports, uint32_t Ordinal, PE_EXPORT *Export,
                                PE_ERROR *Error)
{
    if (Ordinal < Exports->OrdinalBase || Ordinal - Exports->OrdinalBase >= Exports->FunctionCount)
        return PE_NOT_FOUND;
    uint32_t Function = Ordinal - Exports->OrdinalBase;
    PeiNameFunction(Exports, Function, Export);
    return PeiTakeFunction(Exports, Function, Export, Error);
}

PE_STATUS PeFindNearestExport(const PE_EXPORTS *Exports, uint32_t Rva, PE_EXPORT *Export, PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &Exports->Image->Directories[PE_DIRECTORY_EXPORT];
    uint32_t Best = 0, BestRva = 0;
    for (uint32_t Function = 0; Function < Exports->FunctionCount; Function++) {
        uint32_t Here = PeiLoad32(Exports->Functions + 4 * (size_t)Function);
        bool Forwarder = Here >= Directory->Rva && Here - Directory->Rva < Directory->Size;
        if (Here > BestRva && Here <= Rva && !Forwarder) {
            Best = Function;
            BestRva = Here;
        }
    }
    if (BestRva == 0)
        return PE_NOT_FOUND;
    PeiNameFunction(Exports, Best, Export);
    return PeiTakeFunction(Exports, Best, Export, Error);
}

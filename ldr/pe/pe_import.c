/* SPDX-License-Identifier: MIT */
/* Import tables: descriptor by descriptor, entry by entry, for files and mapped images, and the binding of an
 * IAT. Tables end where their zero entry is, as in Windows; the directory's size is not believed. */
#include "pe/pei.h"

/* Far above any real image; keeps a hostile one, whose descriptors all name one long table, from running for
 * minutes. */
#define PEI_MAX_DLLS 1024u
#define PEI_MAX_IMPORTS 65536u

#define PEI_BY_ORDINAL 0x8000000000000000ull

static PE_STATUS PeiTakeDll(const PE_IMAGE *Image, PE_IMPORT_DLL *Dll, uint32_t NameRva, uint64_t Descriptor,
                            PE_ERROR *Error)
{
    uint64_t Place = PeiOffset(Image, Descriptor);
    if (Dll->NextDescriptor >= PEI_MAX_DLLS)
        return PeiFail(Error, PE_BAD_IMPORT, Place, "there are more than %u import descriptors",
                       PEI_MAX_DLLS);
    Dll->Name = PeiString(Image, NameRva);
    if (Dll->Name == NULL || Dll->Name[0] == '\0')
        return PeiFail(Error, PE_BAD_IMPORT, Place,
                       "the DLL name of import descriptor %u at 0x%llx is not a string in the image",
                       Dll->NextDescriptor, PEI_U(NameRva));
    Dll->DescriptorRva = (uint32_t)Descriptor;
    Dll->Index = Dll->NextDescriptor++;
    Dll->NextEntry = 0;
    return PE_OK;
}

PE_STATUS PeNextImportDll(const PE_IMAGE *Image, PE_IMPORT_DLL *Dll, PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_IMPORT];
    PEF_IMPORT_DESCRIPTOR Descriptor;
    if (Directory->Rva == 0)
        return PE_END;
    uint64_t Rva = Directory->Rva + (uint64_t)Dll->NextDescriptor * sizeof Descriptor;
    if (!PeiRead(Image, Rva, &Descriptor, sizeof Descriptor))
        return PeiFail(Error, PE_BAD_IMPORT, PeiOffset(Image, Directory->Rva),
                       "import descriptor %u at 0x%llx lies outside the sections", Dll->NextDescriptor,
                       PEI_U(Rva));
    if (Descriptor.Name == 0 || Descriptor.FirstThunk == 0)
        return PE_END;
    Dll->Delay = false;
    Dll->IatRva = Descriptor.FirstThunk;
    Dll->NameTableRva =
        Descriptor.OriginalFirstThunk != 0 ? Descriptor.OriginalFirstThunk : Descriptor.FirstThunk;
    return PeiTakeDll(Image, Dll, Descriptor.Name, Rva, Error);
}

/* [PE Format] Delay-Load Directory Table. Bit 0 of Attributes: RVAs are used; the older form has 32-bit
 * addresses. */
PE_STATUS PeNextDelayDll(const PE_IMAGE *Image, PE_IMPORT_DLL *Dll, PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_DELAY_IMPORT];
    PEF_DELAY_DESCRIPTOR Descriptor;
    if (Directory->Rva == 0)
        return PE_END;
    uint64_t Rva = Directory->Rva + (uint64_t)Dll->NextDescriptor * sizeof Descriptor;
    if (!PeiRead(Image, Rva, &Descriptor, sizeof Descriptor))
        return PeiFail(Error, PE_BAD_IMPORT, PeiOffset(Image, Directory->Rva),
                       "delay import descriptor %u at 0x%llx lies outside the sections", Dll->NextDescriptor,
                       PEI_U(Rva));
    if (Descriptor.Name == 0)
        return PE_END;
    if ((Descriptor.Attributes & 1) == 0)
        return PeiFail(Error, PE_BAD_IMPORT, PeiOffset(Image, Rva),
                       "delay import descriptor %u holds addresses instead of RVAs", Dll->NextDescriptor);
    Dll->Delay = true;
    Dll->IatRva = Descriptor.ImportAddressTable;
    Dll->NameTableRva = Descriptor.ImportNameTable;
    return PeiTakeDll(Image, Dll, Descriptor.Name, Rva, Error);
}

/* Import's Dll, Index and IatRva are set. */
static PE_STATUS PeiTakeByName(const PE_IMAGE *Image, uint64_t Thunk, PE_IMPORT *Import, PE_ERROR *Error)
{
    const char *Name = Thunk < PEI_MAX_IMAGE_SIZE ? PeiString(Image, Thunk + 2) : NULL;
    if (Name == NULL || Name[0] == '\0' || !PeiRead(Image, Thunk, &Import->Hint, sizeof Import->Hint))
        return PeiFail(Error, PE_BAD_IMPORT, PeiOffset(Image, Import->Dll->NameTableRva),
                       "import %u of %s names 0x%llx, which is not a string in the image", Import->Index,
                       Import->Dll->Name, PEI_U(Thunk));
    Import->Name = Name;
    Import->Ordinal = 0;
    return PE_OK;
}

static PE_STATUS PeiTakeByOrdinal(const PE_IMAGE *Image, uint64_t Thunk, PE_IMPORT *Import, PE_ERROR *Error)
{
    if ((Thunk & ~PEI_BY_ORDINAL) > 0xFFFF)
        return PeiFail(Error, PE_BAD_IMPORT, PeiOffset(Image, Import->Dll->NameTableRva),
                       "import %u of %s has the ordinal 0x%llx, which is more than 16 bits", Import->Index,
                       Import->Dll->Name, PEI_U(Thunk & ~PEI_BY_ORDINAL));
    Import->Name = NULL;
    Import->Hint = 0;
    Import->Ordinal = (uint16_t)Thunk;
    return PE_OK;
}

PE_STATUS PeNextImport(const PE_IMAGE *Image, PE_IMPORT_DLL *Dll, PE_IMPORT *Import, PE_ERROR *Error)
{
    uint64_t Thunk, Offset = (uint64_t)Dll->NextEntry * sizeof Thunk;
    if (!PeiRead(Image, Dll->NameTableRva + Offset, &Thunk, sizeof Thunk))
        return PeiFail(Error, PE_BAD_IMPORT, PeiOffset(Image, Dll->NameTableRva),
                       "the import name table of %s at 0x%llx has no end in its section", Dll->Name,
                       PEI_U(Dll->NameTableRva));
    if (Thunk == 0)
        return PE_END;
    if (Dll->Total >= PEI_MAX_IMPORTS)
        return PeiFail(Error, PE_BAD_IMPORT, PeiOffset(Image, Dll->NameTableRva),
                       "there are more than %u imports", PEI_MAX_IMPORTS);
    if (!PeiFits(Dll->IatRva + Offset, sizeof Thunk, Image->SizeOfImage))
        return PeiFail(Error, PE_BAD_IMPORT, PeiOffset(Image, Dll->DescriptorRva),
                       "the IAT of %s at 0x%llx runs over the end of the image (0x%llx)", Dll->Name,
                       PEI_U(Dll->IatRva), PEI_U(Image->SizeOfImage));
    *Import = (PE_IMPORT){.Dll = Dll, .Index = Dll->NextEntry, .IatRva = (uint32_t)(Dll->IatRva + Offset)};
    Dll->NextEntry++;
    Dll->Total++;
    if ((Thunk & PEI_BY_ORDINAL) != 0)
        return PeiTakeByOrdinal(Image, Thunk, Import, Error);
    return PeiTakeByName(Image, Thunk, Import, Error);
}

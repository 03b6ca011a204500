/* SPDX-License-Identifier: MIT */
/* Parsing: COFF header, optional header and data directories. A PE_IMAGE that comes out of here has a section
 * table that lies inside the headers, sizes below 2 GiB, and directories inside the image. */
#include "pe/pei.h"

/* [PE Format] FileAlignment is a power of two between 512 and 64 K; if SectionAlignment is less than a page,
 * both are equal. Windows takes any multiple of 512, which a power of two is. */
static PE_STATUS PeiCheckAlignments(const PE_IMAGE *Image, PE_ERROR *Error)
{
    uint32_t Section = Image->SectionAlignment, File = Image->FileAlignment;
    uint64_t Place = Image->HeaderOffset + 24 + 32;
    if (!PeiIsPowerOfTwo(Section) || !PeiIsPowerOfTwo(File))
        return PeiFail(Error, PE_BAD_HEADER, Place,
                       "section alignment 0x%llx and file alignment 0x%llx must be powers of two",
                       PEI_U(Section), PEI_U(File));
    if (Section < PEI_PAGE_SIZE && Section != File)
        return PeiFail(Error, PE_BAD_HEADER, Place,
                       "section alignment 0x%llx is below a page and differs from file alignment 0x%llx",
                       PEI_U(Section), PEI_U(File));
    if (Section >= PEI_PAGE_SIZE && (File < 512 || File > Section))
        return PeiFail(Error, PE_BAD_HEADER, Place,
                       "file alignment 0x%llx is not between 512 and section alignment 0x%llx", PEI_U(File),
                       PEI_U(Section));
    if (Section > 0x10000000)
        return PeiFail(Error, PE_BAD_HEADER, Place, "section alignment 0x%llx is above 256 MiB",
                       PEI_U(Section));
    return PE_OK;
}

/* Sets SizeOfImage to the rounded one. Raw is the header's. */
static PE_STATUS PeiCheckSizes(PE_IMAGE *Image, uint32_t RawSize, PE_ERROR *Error)
{
    uint64_t Place = Image->HeaderOffset + 24 + 56;
    uint64_t Rounded = PeiAlignUp(RawSize, Image->SectionAlignment);
    if (RawSize == 0 || Rounded > PEI_MAX_IMAGE_SIZE)
        return PeiFail(Error, PE_BAD_HEADER, Place, "the image size 0x%llx is not between 1 and 0x%llx",
                       PEI_U(RawSize), PEI_U(PEI_MAX_IMAGE_SIZE));
    Image->SizeOfImage = (uint32_t)Rounded;
    if (Image->Writable != NULL && Rounded > Image->Length)
        return PeiFail(Error, PE_TRUNCATED, Place,
                       "the image size 0x%llx is more than the 0x%llx bytes that are mapped", PEI_U(Rounded),
                       PEI_U(Image->Length));
    uint64_t TableEnd =
        Image->SectionTableOffset + (uint64_t)Image->NumberOfSections * sizeof(PEF_SECTION_HEADER);
    if (TableEnd > Image->SizeOfHeaders)
        return PeiFail(Error, PE_BAD_HEADER, Place + 4,
                       "the section table ends at 0x%llx, behind the end of the headers (0x%llx)",
                       PEI_U(TableEnd), PEI_U(Image->SizeOfHeaders));
    if (Image->SizeOfHeaders > Image->SizeOfImage)
        return PeiFail(Error, PE_BAD_HEADER, Place + 4,
                       "the headers end at 0x%llx, behind the end of the image (0x%llx)",
                       PEI_U(Image->SizeOfHeaders), PEI_U(Image->SizeOfImage));
    if (Image->SizeOfHeaders > Image->Length)
        return PeiFail(Error, PE_TRUNCATED, Place + 4,
                       "the headers end at 0x%llx, behind the end of the file (0x%llx)",
                       PEI_U(Image->SizeOfHeaders), PEI_U(Image->Length));
    return PE_OK;
}

/* [PE Format] ImageBase is a multiple of 64 K; a mapped image's header holds where it runs, a page boundary.
 */
static PE_STATUS PeiCheckBase(const PE_IMAGE *Image, PE_ERROR *Error)
{
    uint64_t Place = Image->HeaderOffset + 24 + PEF_IMAGE_BASE_OFFSET;
    uint64_t Granule = Image->Writable != NULL ? PEI_PAGE_SIZE : 0x10000;
    if (Image->ImageBase % Granule != 0)
        return PeiFail(Error, PE_BAD_HEADER, Place, "the image base 0x%llx is not a multiple of 0x%llx",
                       PEI_U(Image->ImageBase), PEI_U(Granule));
    if (Image->ImageBase > UINT64_MAX - Image->SizeOfImage)
        return PeiFail(Error, PE_BAD_HEADER, Place,
                       "the image base 0x%llx plus the image size 0x%llx overflows", PEI_U(Image->ImageBase),
                       PEI_U(Image->SizeOfImage));
    return PE_OK;
}

static PE_STATUS PeiCheckEntryPoint(PE_IMAGE *Image, PE_ERROR *Error)
{
    if (Image->AddressOfEntryPoint == 0)
        return PE_OK;
    if (Image->AddressOfEntryPoint >= Image->SizeOfImage)
        return PeiFail(Error, PE_BAD_HEADER, Image->HeaderOffset + 24 + 16,
                       "the entry point 0x%llx lies behind the end of the image (0x%llx)",
                       PEI_U(Image->AddressOfEntryPoint), PEI_U(Image->SizeOfImage));
    PE_SECTION Section;
    if (PeFindSection(Image, Image->AddressOfEntryPoint, &Section, NULL) != PE_OK ||
        (Section.Protection & PE_PROTECT_EXECUTE) == 0)
        Image->Warnings |= PE_WARN_ENTRY_NOT_EXECUTABLE;
    return PE_OK;
}

static void PeiTakeOptionalHeader(PE_IMAGE *Image, const PEF_OPTIONAL_HEADER *Optional)
{
    Image->ImageBase = Optional->ImageBase;
    Image->LoadBase = Optional->ImageBase;
    Image->AddressOfEntryPoint = Optional->AddressOfEntryPoint;
    Image->SectionAlignment = Optional->SectionAlignment;
    Image->FileAlignment = Optional->FileAlignment;
    Image->SizeOfHeaders = Optional->SizeOfHeaders;
    Image->CheckSum = Optional->CheckSum;
    Image->DllCharacteristics = Optional->DllCharacteristics;
    Image->Subsystem = Optional->Subsystem;
    Image->MajorOperatingSystemVersion = Optional->MajorOperatingSystemVersion;
    Image->MinorOperatingSystemVersion = Optional->MinorOperatingSystemVersion;
    Image->MajorSubsystemVersion = Optional->MajorSubsystemVersion;
    Image->MinorSubsystemVersion = Optional->MinorSubsystemVersion;
    Image->MajorLinkerVersion = Optional->MajorLinkerVersion;
    Image->MinorLinkerVersion = Optional->MinorLinkerVersion;
    if (Image->SectionAlignment < PEI_PAGE_SIZE)
        Image->Warnings |= PE_WARN_LOW_ALIGNMENT;
}

/* [PE Format] NumberOfRvaAndSizes is not fixed; those above 16 mean nothing to anybody and are skipped. */
static PE_STATUS PeiTakeDirectories(PE_IMAGE *Image, uint32_t Count, uint32_t SizeOfOptionalHeader,
                                    PE_ERROR *Error)
{
    if (Count > PE_DIRECTORY_COUNT)
        Count = PE_DIRECTORY_COUNT;
    uint32_t Start = Image->HeaderOffset + 24 + sizeof(PEF_OPTIONAL_HEADER);
    if (sizeof(PEF_OPTIONAL_HEADER) + Count * sizeof(PE_DIRECTORY) > SizeOfOptionalHeader)
        return PeiFail(Error, PE_BAD_HEADER, Start - 4,
                       "%u data directories do not fit into an optional header of 0x%llx bytes", Count,
                       PEI_U(SizeOfOptionalHeader));
    Image->DirectoryCount = Count;
    for (uint32_t Index = 0; Index < Count; Index++) {
        Image->Directories[Index].Rva = PeiLoad32(Image->Bytes + Start + Index * 8);
        Image->Directories[Index].Size = PeiLoad32(Image->Bytes + Start + Index * 8 + 4);
    }
    return PE_OK;
}

static PE_STATUS PeiCheckMagic(uint16_t Magic, uint64_t Offset, PE_ERROR *Error)
{
    switch (Magic) {
    case PEF_MAGIC_PE32_PLUS:
        return PE_OK;
    case PEF_MAGIC_PE32:
        return PeiFail(Error, PE_BAD_HEADER, Offset,
                       "a 32-bit optional header (PE32, magic 0x10b) in an image for x64");
    case PEF_MAGIC_ROM:
        return PeiFail(Error, PE_BAD_HEADER, Offset, "a ROM image (magic 0x107), not PE32+");
    default:
        return PeiFail(Error, PE_BAD_HEADER, Offset,
                       "the optional header has the magic 0x%llx instead of 0x20b", PEI_U(Magic));
    }
}

/* Everything up to the section table. HeaderOffset is set, 24 bytes are there. */
static PE_STATUS PeiParseCoff(PE_IMAGE *Image, PEF_COFF_HEADER *Coff, PE_ERROR *Error)
{
    uint32_t Offset = Image->HeaderOffset;
    __builtin_memcpy(Coff, Image->Bytes + Offset + 4, sizeof *Coff);
    PE_STATUS Status = PeiCheckMachine(Coff->Machine, Offset + 4, Error);
    if (Status != PE_OK)
        return Status;
    uint64_t TableOffset = (uint64_t)Offset + 24 + Coff->SizeOfOptionalHeader;
    uint64_t TableSize = (uint64_t)Coff->NumberOfSections * sizeof(PEF_SECTION_HEADER);
    if (Coff->SizeOfOptionalHeader < sizeof(PEF_OPTIONAL_HEADER))
        return PeiFail(Error, PE_BAD_HEADER, Offset + 20, "the optional header has only 0x%llx bytes",
                       PEI_U(Coff->SizeOfOptionalHeader));
    if (Coff->NumberOfSections == 0 || Coff->NumberOfSections > PEI_MAX_SECTIONS)
        return PeiFail(Error, PE_BAD_HEADER, Offset + 6, "the image has %u sections; 1 to %u are allowed",
                       Coff->NumberOfSections, PEI_MAX_SECTIONS);
    if (!PeiFits(TableOffset, TableSize, Image->Length))
        return PeiFail(Error, PE_TRUNCATED, Offset + 6,
                       "the section table ends at 0x%llx, behind the end of the file (0x%llx)",
                       PEI_U(TableOffset + TableSize), PEI_U(Image->Length));
    if ((Coff->Characteristics & PE_FILE_EXECUTABLE_IMAGE) == 0)
        return PeiFail(Error, PE_BAD_HEADER, Offset + 22,
                       "the image is not marked executable: its linker reported errors");
    Image->SectionTableOffset = (uint32_t)TableOffset;
    Image->NumberOfSections = Coff->NumberOfSections;
    Image->Characteristics = Coff->Characteristics;
    Image->TimeDateStamp = Coff->TimeDateStamp;
    Image->PointerToSymbolTable = Coff->PointerToSymbolTable;
    Image->NumberOfSymbols = Coff->NumberOfSymbols;
    return PE_OK;
}

static PE_STATUS PeiParseOptional(PE_IMAGE *Image, uint32_t SizeOfOptionalHeader, PE_ERROR *Error)
{
    PEF_OPTIONAL_HEADER Optional;
    __builtin_memcpy(&Optional, Image->Bytes + Image->HeaderOffset + 24, sizeof Optional);
    PE_STATUS Status = PeiCheckMagic(Optional.Magic, Image->HeaderOffset + 24, Error);
    if (Status != PE_OK)
        return Status;
    PeiTakeOptionalHeader(Image, &Optional);
    Status = PeiCheckAlignments(Image, Error);
    if (Status == PE_OK)
        Status = PeiCheckSizes(Image, Optional.SizeOfImage, Error);
    if (Status == PE_OK)
        Status = PeiCheckBase(Image, Error);
    if (Status == PE_OK)
        Status = PeiTakeDirectories(Image, Optional.NumberOfRvaAndSizes, SizeOfOptionalHeader, Error);
    return Status;
}

/* Bytes, Writable and Length are set, all else is zero. */
static PE_STATUS PeiParse(PE_IMAGE *Image, uint32_t Flags, PE_ERROR *Error)
{
    PEF_COFF_HEADER Coff;
    PE_STATUS Status = PeiCheckSignature(Image->Bytes, Image->Length, &Image->HeaderOffset, Error);
    if (Status == PE_OK)
        Status = PeiParseCoff(Image, &Coff, Error);
    if (Status == PE_OK)
        Status = PeiParseOptional(Image, Coff.SizeOfOptionalHeader, Error);
    if (Status == PE_OK)
        Status = PeiCheckSections(Image, Flags, Error);
    if (Status == PE_OK)
        Status = PeiCheckDirectories(Image, Error);
    if (Status == PE_OK)
        Status = PeiCheckEntryPoint(Image, Error);
    if (Status == PE_OK)
        Status = PeiCheckNotArm64ec(Image, Error);
    return Status;
}

PE_STATUS PeParseFile(const void *Bytes, uint64_t Length, uint32_t Flags, PE_IMAGE *Image, PE_ERROR *Error)
{
    *Image = (PE_IMAGE){.Bytes = Bytes, .Length = Length};
    return PeiParse(Image, Flags, Error);
}

PE_STATUS PeParseMapped(void *Bytes, uint64_t Length, uint64_t LoadBase, PE_IMAGE *Image, PE_ERROR *Error)
{
    *Image = (PE_IMAGE){.Bytes = Bytes, .Writable = Bytes, .Length = Length};
    PE_STATUS Status = PeiParse(Image, 0, Error);
    Image->Length = Image->SizeOfImage;
    Image->LoadBase = LoadBase;
    return Status;
}

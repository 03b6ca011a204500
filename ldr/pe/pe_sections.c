/* SPDX-License-Identifier: MIT */
/* The section table: checked once when an image is parsed, described on demand. Ascending and not
 * overlapping, as Windows wants it; gaps between sections, which Windows refuses, harm nobody and stay
 * unprotected (not accessible). */
#include "pe/pei.h"

void PeiReadSectionHeader(const PE_IMAGE *Image, uint32_t Index, PEF_SECTION_HEADER *Header)
{
    __builtin_memcpy(Header, Image->Bytes + Image->SectionTableOffset + Index * sizeof *Header,
                     sizeof *Header);
}

static uint64_t PeiRoom(const PE_IMAGE *Image, const PEF_SECTION_HEADER *Header)
{
    uint64_t Size = Header->VirtualSize != 0 ? Header->VirtualSize : Header->SizeOfRawData;
    return PeiAlignUp(Size, Image->SectionAlignment);
}

/* Windows reads sections from a multiple of 512 whatever PointerToRawData says, but for low alignments. */
static uint32_t PeiRawStart(const PE_IMAGE *Image, const PEF_SECTION_HEADER *Header)
{
    if (Image->SectionAlignment < PEI_PAGE_SIZE)
        return Header->PointerToRawData;
    return Header->PointerToRawData & ~511u;
}

static uint32_t PeiSectionProtection(uint32_t Characteristics)
{
    return ((Characteristics & PEF_SCN_READ) ? PE_PROTECT_READ : 0) |
           ((Characteristics & PEF_SCN_WRITE) ? PE_PROTECT_WRITE : 0) |
           ((Characteristics & PEF_SCN_EXECUTE) ? PE_PROTECT_EXECUTE : 0);
}

static void PeiShortName(const PEF_SECTION_HEADER *Header, char *Name)
{
    __builtin_memcpy(Name, Header->Name, sizeof Header->Name);
    Name[sizeof Header->Name] = '\0';
}

/* All but the long name. The header has passed PeiCheckSections. */
void PeiDescribeSection(const PE_IMAGE *Image, const PEF_SECTION_HEADER *Header, PE_SECTION *Section)
{
    bool HasData = Header->PointerToRawData != 0 && Header->SizeOfRawData != 0;
    uint64_t Room = PeiRoom(Image, Header);
    PeiShortName(Header, Section->Name);
    Section->Rva = Header->VirtualAddress;
    Section->VirtualSize = Header->VirtualSize != 0 ? Header->VirtualSize : Header->SizeOfRawData;
    Section->MappedSize = (uint32_t)Room;
    Section->RawOffset = HasData ? PeiRawStart(Image, Header) : 0;
    Section->RawSize = !HasData ? 0 : Header->SizeOfRawData < Room ? Header->SizeOfRawData : (uint32_t)Room;
    Section->HeaderRawOffset = Header->PointerToRawData;
    Section->HeaderRawSize = Header->SizeOfRawData;
    Section->Characteristics = Header->Characteristics;
    Section->Protection = PeiSectionProtection(Header->Characteristics);
    Section->Discardable = (Header->Characteristics & PEF_SCN_DISCARDABLE) != 0;
    Section->NotPaged = (Header->Characteristics & PEF_SCN_NOT_PAGED) != 0;
}

static PE_STATUS PeiCheckSectionRoom(const PE_IMAGE *Image, uint32_t Index, const PEF_SECTION_HEADER *Header,
                                     uint64_t PreviousEnd, PE_ERROR *Error)
{
    char Name[9];
    PeiShortName(Header, Name);
    uint64_t Place = Image->SectionTableOffset + Index * sizeof *Header + 12;
    uint64_t Start = Header->VirtualAddress, Room = PeiRoom(Image, Header);
    if (Start % Image->SectionAlignment != 0)
        return PeiFail(
            Error, PE_BAD_SECTION, Place,
            "section %u (%s) starts at 0x%llx, which is not a multiple of the section alignment 0x%llx",
            Index, Name, PEI_U(Start), PEI_U(Image->SectionAlignment));
    if (Start < PreviousEnd)
        return PeiFail(Error, PE_BAD_SECTION, Place,
                       "section %u (%s) starts at 0x%llx, before the end of what precedes it (0x%llx)", Index,
                       Name, PEI_U(Start), PEI_U(PreviousEnd));
    if (!PeiFits(Start, Room, Image->SizeOfImage))
        return PeiFail(Error, PE_BAD_SECTION, Place,
                       "section %u (%s) ends at 0x%llx, behind the end of the image (0x%llx)", Index, Name,
                       PEI_U(Start + Room), PEI_U(Image->SizeOfImage));
    return PE_OK;
}

static PE_STATUS PeiCheckSectionData(const PE_IMAGE *Image, uint32_t Index, const PEF_SECTION_HEADER *Header,
                                     PE_ERROR *Error)
{
    if (Image->Writable != NULL || Header->PointerToRawData == 0 || Header->SizeOfRawData == 0 ||
        PeiFits(Header->PointerToRawData, Header->SizeOfRawData, Image->Length))
        return PE_OK;
    char Name[9];
    PeiShortName(Header, Name);
    return PeiFail(Error, PE_TRUNCATED, Image->SectionTableOffset + Index * sizeof *Header + 16,
                   "section %u (%s) ends at 0x%llx, behind the end of the file (0x%llx)", Index, Name,
                   PEI_U((uint64_t)Header->PointerToRawData + Header->SizeOfRawData), PEI_U(Image->Length));
}

static PE_STATUS PeiCheckSectionProtection(PE_IMAGE *Image, uint32_t Index, const PEF_SECTION_HEADER *Header,
                                           uint32_t Flags, PE_ERROR *Error)
{
    const uint32_t Both = PEF_SCN_WRITE | PEF_SCN_EXECUTE;
    if ((Header->Characteristics & Both) != Both)
        return PE_OK;
    Image->Warnings |= PE_WARN_WRITABLE_EXECUTABLE;
    if ((Flags & PE_PARSE_STRICT_WX) == 0)
        return PE_OK;
    char Name[9];
    PeiShortName(Header, Name);
    return PeiFail(Error, PE_WRITABLE_EXECUTABLE, Image->SectionTableOffset + Index * sizeof *Header + 36,
                   "section %u (%s) is writable and executable, which strict W^X refuses", Index, Name);
}

PE_STATUS PeiCheckSections(PE_IMAGE *Image, uint32_t Flags, PE_ERROR *Error)
{
    uint64_t PreviousEnd = Image->SizeOfHeaders;
    for (uint32_t Index = 0; Index < Image->NumberOfSections; Index++) {
        PEF_SECTION_HEADER Header;
        PeiReadSectionHeader(Image, Index, &Header);
        PE_STATUS Status = PeiCheckSectionRoom(Image, Index, &Header, PreviousEnd, Error);
        if (Status == PE_OK)
            Status = PeiCheckSectionData(Image, Index, &Header, Error);
        if (Status == PE_OK)
            Status = PeiCheckSectionProtection(Image, Index, &Header, Flags, Error);
        if (Status != PE_OK)
            return Status;
        PreviousEnd = Header.VirtualAddress + PeiRoom(Image, &Header);
    }
    return PE_OK;
}

/* The number behind the slash of "/4", or 0 (where a string table has its own length, never a name). */
static uint32_t PeiLongNameOffset(const char *Name)
{
    uint32_t Offset = 0;
    if (Name[0] != '/' || Name[1] == '\0')
        return 0;
    for (const char *Digit = Name + 1; *Digit != '\0'; Digit++) {
        if (*Digit < '0' || *Digit > '9')
            return 0;
        Offset = Offset * 10 + (uint32_t)(*Digit - '0'); /* at most 7 digits */
    }
    return Offset;
}

/* [PE Format] section names longer than 8 are "/" and a decimal offset into the string table. Images should
 * not have them, but GNU ld writes them for debug sections. What cannot be looked up stays as it is. */
static void PeiLookUpLongName(const PE_IMAGE *Image, PE_SECTION *Section)
{
    uint32_t Offset = PeiLongNameOffset(Section->Name);
    if (Offset == 0 || Image->Writable != NULL || Image->PointerToSymbolTable == 0)
        return;
    uint64_t Start =
        Image->PointerToSymbolTable + (uint64_t)Image->NumberOfSymbols * PEF_SYMBOL_SIZE + Offset;
    char Name[PE_SECTION_NAME];
    for (uint32_t Index = 0; Index < PE_SECTION_NAME - 1 && Start + Index < Image->Length; Index++) {
        Name[Index] = (char)Image->Bytes[Start + Index];
        Name[Index + 1] = '\0';
        if (Name[Index] == '\0' || Index == PE_SECTION_NAME - 2) {
            __builtin_memcpy(Section->Name, Name, Index + 2);
            return;
        }
    }
}

PE_STATUS PeGetSection(const PE_IMAGE *Image, uint32_t Index, PE_SECTION *Section, PE_ERROR *Error)
{
    (void)Error;
    if (Index >= Image->NumberOfSections)
        return PE_END;
    PEF_SECTION_HEADER Header;
    PeiReadSectionHeader(Image, Index, &Header);
    PeiDescribeSection(Image, &Header, Section);
    PeiLookUpLongName(Image, Section);
    return PE_OK;
}

PE_STATUS PeFindSection(const PE_IMAGE *Image, uint32_t Rva, PE_SECTION *Section, uint32_t *Index)
{
    for (uint32_t Next = 0; Next < Image->NumberOfSections; Next++) {
        PEF_SECTION_HEADER Header;
        PeiReadSectionHeader(Image, Next, &Header);
        if (Rva < Header.VirtualAddress || Rva - Header.VirtualAddress >= PeiRoom(Image, &Header))
            continue;
        if (Index != NULL)
            *Index = Next;
        PeiDescribeSection(Image, &Header, Section);
        PeiLookUpLongName(Image, Section);
        return PE_OK;
    }
    return PE_NOT_FOUND;
}

uint32_t PeGetPageProtection(const PE_IMAGE *Image, uint32_t PageRva)
{
    uint32_t Protection = PageRva < Image->SizeOfHeaders ? PE_PROTECT_READ : 0;
    for (uint32_t Index = 0; Index < Image->NumberOfSections; Index++) {
        PEF_SECTION_HEADER Header;
        PeiReadSectionHeader(Image, Index, &Header);
        if (PeiOverlap(PageRva, PEI_PAGE_SIZE, Header.VirtualAddress, PeiRoom(Image, &Header)))
            Protection |= PeiSectionProtection(Header.Characteristics);
    }
    return Protection;
}

/* SPDX-License-Identifier: MIT */
/* From RVAs to bytes, for files (through the section table) and mapped images (directly). */
#include "pe/pei.h"

/* The file's part of the section in which Rva lies: how far into it, and how long data and room are. */
typedef struct _PEI_PLACE {
    uint64_t FileOffset; /* of the section's first byte */
    uint64_t Delta;      /* Rva - start */
    uint64_t DataSize;   /* bytes that are in the file */
    uint64_t RoomSize;   /* bytes once mapped */
} PEI_PLACE;

static bool PeiLocateInFile(const PE_IMAGE *Image, uint64_t Rva, PEI_PLACE *Place)
{
    if (Rva < Image->SizeOfHeaders) {
        *Place = (PEI_PLACE){0, Rva, Image->SizeOfHeaders, Image->SizeOfHeaders};
        return true;
    }
    for (uint32_t Index = 0; Index < Image->NumberOfSections; Index++) {
        PEF_SECTION_HEADER Header;
        PE_SECTION Section;
        PeiReadSectionHeader(Image, Index, &Header);
        PeiDescribeSection(Image, &Header, &Section);
        if (Rva >= Section.Rva && Rva - Section.Rva < Section.MappedSize) {
            *Place = (PEI_PLACE){Section.RawOffset, Rva - Section.Rva, Section.RawSize, Section.MappedSize};
            return true;
        }
    }
    return false;
}

uint64_t PeiAvailable(const PE_IMAGE *Image, uint64_t Rva, const uint8_t **Bytes)
{
    if (Image->Writable != NULL) {
        *Bytes = Image->Bytes + (Rva < Image->SizeOfImage ? Rva : 0);
        return Rva < Image->SizeOfImage ? Image->SizeOfImage - Rva : 0;
    }
    PEI_PLACE Place;
    *Bytes = Image->Bytes;
    if (!PeiLocateInFile(Image, Rva, &Place) || Place.Delta >= Place.DataSize)
        return 0;
    *Bytes = Image->Bytes + Place.FileOffset + Place.Delta;
    return Place.DataSize - Place.Delta;
}

const void *PeRvaToPointer(const PE_IMAGE *Image, uint32_t Rva, uint64_t Size)
{
    const uint8_t *Bytes;
    uint64_t Available = PeiAvailable(Image, Rva, &Bytes);
    return Available != 0 && Size <= Available ? Bytes : NULL;
}

bool PeiRead(const PE_IMAGE *Image, uint64_t Rva, void *Out, uint32_t Size)
{
    if (Image->Writable != NULL) {
        if (!PeiFits(Rva, Size, Image->SizeOfImage))
            return false;
        __builtin_memcpy(Out, Image->Bytes + Rva, Size);
        return true;
    }
    PEI_PLACE Place;
    if (!PeiLocateInFile(Image, Rva, &Place) || Size > Place.RoomSize - Place.Delta)
        return false;
    uint64_t InFile = Place.Delta < Place.DataSize ? Place.DataSize - Place.Delta : 0;
    if (InFile > Size)
        InFile = Size;
    __builtin_memset(Out, 0, Size);
    if (InFile != 0)
        __builtin_memcpy(Out, Image->Bytes + Place.FileOffset + Place.Delta, InFile);
    return true;
}

const char *PeiString(const PE_IMAGE *Image, uint64_t Rva)
{
    const uint8_t *Bytes;
    uint64_t Limit = PeiAvailable(Image, Rva, &Bytes);
    if (Limit > PEI_MAX_STRING)
        Limit = PEI_MAX_STRING;
    for (uint64_t Index = 0; Index < Limit; Index++) {
        if (Bytes[Index] == 0)
            return (const char *)Bytes;
    }
    return NULL;
}

uint64_t PeiOffset(const PE_IMAGE *Image, uint64_t Rva)
{
    const uint8_t *Bytes;
    return PeiAvailable(Image, Rva, &Bytes) != 0 ? (uint64_t)(Bytes - Image->Bytes) : Rva;
}

size_t PeiLength(const char *Text)
{
    const char *End = Text;
    while (*End != '\0')
        End++;
    return (size_t)(End - Text);
}

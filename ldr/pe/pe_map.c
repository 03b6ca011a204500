/* SPDX-License-Identifier: MIT */
/* From a file to an image laid out by RVA. */
#include "pe/pei.h"

PE_STATUS PeMapImage(const PE_IMAGE *File, void *Destination, uint64_t Size, PE_IMAGE *Mapped,
                     PE_ERROR *Error)
{
    if (File->Writable != NULL)
        return PeiFail(Error, PE_WRONG_KIND, 0, "the image is mapped already");
    if (Size < File->SizeOfImage)
        return PeiFail(Error, PE_BUFFER_TOO_SMALL, 0, "the image needs 0x%llx bytes, there are 0x%llx",
                       PEI_U(File->SizeOfImage), PEI_U(Size));

    uint8_t *Bytes = Destination;
    uint64_t Filled = File->SizeOfHeaders;
    __builtin_memcpy(Bytes, File->Bytes, Filled);
    for (uint32_t Index = 0; Index < File->NumberOfSections; Index++) {
        PEF_SECTION_HEADER Header;
        PE_SECTION Section;
        PeiReadSectionHeader(File, Index, &Header);
        PeiDescribeSection(File, &Header, &Section);
        __builtin_memset(Bytes + Filled, 0, Section.Rva - Filled);
        if (Section.RawSize != 0)
            __builtin_memcpy(Bytes + Section.Rva, File->Bytes + Section.RawOffset, Section.RawSize);
        Filled = (uint64_t)Section.Rva + Section.RawSize;
    }
    __builtin_memset(Bytes + Filled, 0, File->SizeOfImage - Filled);

    *Mapped = *File;
    Mapped->Bytes = Bytes;
    Mapped->Writable = Bytes;
    Mapped->Length = File->SizeOfImage;
    Mapped->LoadBase = File->ImageBase;
    return PE_OK;
}

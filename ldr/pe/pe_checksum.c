/* SPDX-License-Identifier: MIT */
/* The checksum and the certificate table: the two things about the whole file. */
#include "pe/pei.h"

/* Sum of the 16-bit words of Bytes with end-around carry; an odd last byte counts as a word. */
static uint32_t PeiSumWords(const uint8_t *Bytes, uint64_t Length, uint32_t Sum)
{
    uint64_t Total = Sum;
    for (; Length >= 2; Bytes += 2, Length -= 2)
        Total += PeiLoad16(Bytes);
    if (Length != 0)
        Total += Bytes[0];
    while (Total > 0xFFFF)
        Total = (Total & 0xFFFF) + (Total >> 16);
    return (uint32_t)Total;
}

/* [CheckSumMappedFile] the folded sum of all words but the checksum itself, plus the file's length. The field
 * lies at a multiple of 4, as the PE header does, so no word straddles it. */
PE_STATUS PeComputeCheckSum(const PE_IMAGE *File, uint32_t *CheckSum, PE_ERROR *Error)
{
    if (File->Writable != NULL)
        return PeiFail(Error, PE_WRONG_KIND, 0, "a checksum is that of a file, not of a mapped image");
    uint64_t Field = File->HeaderOffset + 24 + PEF_CHECKSUM_OFFSET;
    uint32_t Sum = PeiSumWords(File->Bytes, Field, 0);
    Sum = PeiSumWords(File->Bytes + Field + 4, File->Length - Field - 4, Sum);
    *CheckSum = Sum + (uint32_t)File->Length;
    return PE_OK;
}

PE_STATUS PeGetCertificate(const PE_IMAGE *File, PE_CERTIFICATE *Certificate, PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &File->Directories[PE_DIRECTORY_SECURITY];
    if (File->Writable != NULL)
        return PeiFail(Error, PE_WRONG_KIND, 0, "a certificate table is in files, not in mapped images");
    if (Directory->Rva == 0 || Directory->Size == 0)
        return PE_NOT_FOUND;
    *Certificate = (PE_CERTIFICATE){.Offset = Directory->Rva, .Size = Directory->Size};
    PEF_CERTIFICATE Header;
    if (Directory->Size < sizeof Header || !PeiFits(Directory->Rva, Directory->Size, File->Length))
        return PE_OK;
    __builtin_memcpy(&Header, File->Bytes + Directory->Rva, sizeof Header);
    Certificate->InFile = true;
    Certificate->Revision = Header.Revision;
    Certificate->Type = Header.Type;
    return PE_OK;
}

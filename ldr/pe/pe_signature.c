/* SPDX-License-Identifier: MIT */
/* What a file is that is not an AMD64 PE image: one sentence each, so that a person sees at once what was
 * mixed up. */
#include "pe/pei.h"

/* A COFF object starts with its machine. */
static PE_STATUS PeiNotMz(const uint8_t *Bytes, uint64_t Length, PE_ERROR *Error)
{
    if (Length == 0)
        return PeiFail(Error, PE_TRUNCATED, 0, "the file is empty");
    if (Length < 2)
        return PeiFail(Error, PE_TRUNCATED, Length, "the file has only 1 byte");
    uint16_t First = PeiLoad16(Bytes);
    if (Length >= sizeof(PEF_COFF_HEADER) &&
        (First == PEF_MACHINE_AMD64 || First == 0x014C || First == 0xAA64))
        return PeiFail(Error, PE_NOT_WINDOWS_IMAGE, 0,
                       "a COFF object file that was not linked (machine 0x%llx)", PEI_U(First));
    return PeiFail(Error, PE_NOT_PE, 0, "not a Windows image: it starts with 0x%llx instead of \"MZ\"",
                   PEI_U(First));
}

static PE_STATUS PeiOtherSignature(uint32_t Signature, uint32_t Offset, PE_ERROR *Error)
{
    switch (Signature & 0xFFFF) {
    case PEF_NE_MAGIC:
        return PeiFail(Error, PE_NOT_WINDOWS_IMAGE, Offset,
                       "a 16-bit Windows program (NE), not a PE32+ image");
    case PEF_LE_MAGIC:
        return PeiFail(Error, PE_NOT_WINDOWS_IMAGE, Offset,
                       "a linear executable (LE: a VxD of Windows 9x), not a PE32+ image");
    case PEF_LX_MAGIC:
        return PeiFail(Error, PE_NOT_WINDOWS_IMAGE, Offset, "an OS/2 program (LX), not a PE32+ image");
    default:
        return PeiFail(Error, PE_NOT_WINDOWS_IMAGE, Offset,
                       "a DOS program: there is 0x%llx instead of \"PE\" at the offset 0x%llx",
                       PEI_U(Signature), PEI_U(Offset));
    }
}

PE_STATUS PeiCheckSignature(const uint8_t *Bytes, uint64_t Length, uint32_t *HeaderOffset, PE_ERROR *Error)
{
    if (Length < 2 || PeiLoad16(Bytes) != PEF_DOS_MAGIC)
        return PeiNotMz(Bytes, Length, Error);
    if (Length < PEF_DOS_HEADER_SIZE)
        return PeiFail(Error, PE_TRUNCATED, Length,
                       "the file ends at 0x%llx, inside the DOS header (0x40 bytes)", PEI_U(Length));
    uint32_t Offset = PeiLoad32(Bytes + PEF_DOS_NEW_HEADER);
    if (Offset == 0)
        return PeiFail(Error, PE_NOT_WINDOWS_IMAGE, PEF_DOS_NEW_HEADER,
                       "a DOS program without a Windows header");
    if (!PeiFits(Offset, 4 + sizeof(PEF_COFF_HEADER), Length))
        return PeiFail(Error, PE_TRUNCATED, PEF_DOS_NEW_HEADER,
                       "the PE header at 0x%llx ends behind the end of the file (0x%llx)", PEI_U(Offset),
                       PEI_U(Length));
    uint32_t Signature = PeiLoad32(Bytes + Offset);
    if (Signature != PEF_PE_MAGIC)
        return PeiOtherSignature(Signature, Offset, Error);
    if (Offset % 4 != 0)
        return PeiFail(Error, PE_BAD_HEADER, PEF_DOS_NEW_HEADER,
                       "the PE header lies at 0x%llx, which is not a multiple of 4", PEI_U(Offset));
    *HeaderOffset = Offset;
    return PE_OK;
}

static const char *PeiMachineName(uint16_t Machine)
{
    switch (Machine) {
    case 0x014C:
        return "32-bit x86";
    case 0x01C0:
    case 0x01C2:
    case 0x01C4:
        return "32-bit ARM";
    case 0xAA64:
        return "ARM64";
    case 0xA641:
        return "ARM64EC";
    case 0xA64E:
        return "ARM64X";
    case 0x0200:
        return "Itanium";
    case 0x0EBC:
        return "EFI byte code";
    case 0x5032:
    case 0x5064:
        return "RISC-V";
    case 0x6232:
    case 0x6264:
        return "LoongArch";
    default:
        return NULL;
    }
}

PE_STATUS PeiCheckMachine(uint16_t Machine, uint64_t Offset, PE_ERROR *Error)
{
    if (Machine == PEF_MACHINE_AMD64)
        return PE_OK;
    const char *Name = PeiMachineName(Machine);
    if (Name == NULL)
        return PeiFail(Error, PE_WRONG_MACHINE, Offset,
                       "an image for an unknown machine (0x%llx); x64 (AMD64, 0x8664) is needed",
                       PEI_U(Machine));
    return PeiFail(Error, PE_WRONG_MACHINE, Offset,
                   "an image for %s (machine 0x%llx); x64 (AMD64, 0x8664) is needed", Name, PEI_U(Machine));
}

/* [ARM64EC ABI] an ARM64EC image carries the machine AMD64 and is told by CHPE metadata in its load
 * configuration. */
PE_STATUS PeiCheckNotArm64ec(const PE_IMAGE *Image, PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_LOAD_CONFIG];
    uint32_t Size;
    uint64_t Metadata;
    if (Directory->Rva == 0 || Directory->Size == 0 || !PeiRead(Image, Directory->Rva, &Size, sizeof Size) ||
        Size < PEF_LOAD_CONFIG_CHPE + sizeof Metadata ||
        !PeiRead(Image, (uint64_t)Directory->Rva + PEF_LOAD_CONFIG_CHPE, &Metadata, sizeof Metadata) ||
        Metadata == 0)
        return PE_OK;
    return PeiFail(Error, PE_WRONG_MACHINE, PeiOffset(Image, Directory->Rva),
                   "an image for ARM64EC (its load configuration has CHPE metadata); x64 (AMD64) is needed");
}

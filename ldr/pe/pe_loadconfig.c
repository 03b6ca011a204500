/* SPDX-License-Identifier: MIT */
/* The load configuration: where the security cookie and the control flow guard pointers are. The structure
 * has grown with every toolset, so a field counts only if the sizes reach over it. [PE Format] The Load
 * Configuration Structure */
#include "pe/pei.h"

/* [PE Format] the directory's size must be 64 for Windows XP whatever the structure's is; any other size is a
 * limit. */
static uint32_t PeiHonouredSize(uint32_t Stated, uint32_t DirectorySize)
{
    return DirectorySize == 64 || Stated < DirectorySize ? Stated : DirectorySize;
}

static bool PeiReadField(const PE_IMAGE *Image, const PE_LOAD_CONFIG *Config, uint32_t Offset, void *Value,
                         uint32_t Size)
{
    return PeiFits(Offset, Size, Config->Size) && PeiRead(Image, (uint64_t)Config->Rva + Offset, Value, Size);
}

/* A field that holds an address: its RVA, or 0 if there is none. Size bytes must lie there, outside the
 * headers. */
static PE_STATUS PeiReadAddress(const PE_IMAGE *Image, const PE_LOAD_CONFIG *Config, uint32_t Offset,
                                uint32_t Size, uint32_t *Rva, PE_ERROR *Error)
{
    uint64_t Address;
    *Rva = 0;
    if (!PeiReadField(Image, Config, Offset, &Address, sizeof Address) || Address == 0)
        return PE_OK;
    uint64_t Delta = Address - Image->ImageBase;
    if (Address < Image->ImageBase || Delta < Image->SizeOfHeaders ||
        !PeiFits(Delta, Size, Image->SizeOfImage))
        return PeiFail(Error, PE_BAD_LOAD_CONFIG, PeiOffset(Image, (uint64_t)Config->Rva + Offset),
                       "the load configuration's field 0x%llx points to 0x%llx, outside the image's sections",
                       PEI_U(Offset), PEI_U(Address));
    *Rva = (uint32_t)Delta;
    return PE_OK;
}

static PE_STATUS PeiReadGuard(const PE_IMAGE *Image, PE_LOAD_CONFIG *Config, PE_ERROR *Error)
{
    PE_STATUS Status =
        PeiReadAddress(Image, Config, PEF_LOAD_CONFIG_CF_CHECK, 8, &Config->GuardCheckPointerRva, Error);
    if (Status == PE_OK)
        Status = PeiReadAddress(Image, Config, PEF_LOAD_CONFIG_CF_DISPATCH, 8,
                                &Config->GuardDispatchPointerRva, Error);
    if (Status == PE_OK)
        Status =
            PeiReadAddress(Image, Config, PEF_LOAD_CONFIG_CF_TABLE, 0, &Config->GuardFunctionTableRva, Error);
    if (!PeiReadField(Image, Config, PEF_LOAD_CONFIG_CF_COUNT, &Config->GuardFunctionCount, 8))
        Config->GuardFunctionCount = 0;
    if (!PeiReadField(Image, Config, PEF_LOAD_CONFIG_CF_FLAGS, &Config->GuardFlags, 4))
        Config->GuardFlags = 0;
    return Status;
}

PE_STATUS PeGetLoadConfig(const PE_IMAGE *Image, PE_LOAD_CONFIG *Config, PE_ERROR *Error)
{
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_LOAD_CONFIG];
    uint32_t Stated;
    if (Directory->Rva == 0 || Directory->Size == 0)
        return PE_NOT_FOUND;
    if (!PeiRead(Image, Directory->Rva, &Stated, sizeof Stated) || Stated < sizeof Stated)
        return PeiFail(Error, PE_BAD_LOAD_CONFIG, PeiOffset(Image, Directory->Rva),
                       "the load configuration at 0x%llx has no size or lies outside the sections",
                       PEI_U(Directory->Rva));
    *Config = (PE_LOAD_CONFIG){.Rva = Directory->Rva, .Size = PeiHonouredSize(Stated, Directory->Size)};
    PE_STATUS Status =
        PeiReadAddress(Image, Config, PEF_LOAD_CONFIG_COOKIE, 8, &Config->SecurityCookieRva, Error);
    return Status == PE_OK ? PeiReadGuard(Image, Config, Error) : Status;
}

/* 48 bits, as 64-bit Windows has it: never 0 and never the default. */
static uint64_t PeiMakeCookie(uint64_t Entropy)
{
    uint64_t Cookie = (Entropy ^ (Entropy >> 48)) & 0x0000FFFFFFFFFFFFull;
    if (Cookie == 0 || Cookie == PE_DEFAULT_SECURITY_COOKIE)
        Cookie = PE_DEFAULT_SECURITY_COOKIE + 1;
    return Cookie;
}

PE_STATUS PeSetSecurityCookie(PE_IMAGE *Mapped, uint64_t Entropy, PE_ERROR *Error)
{
    PE_LOAD_CONFIG Config;
    if (Mapped->Writable == NULL)
        return PeiFail(Error, PE_WRONG_KIND, 0, "only a mapped image can be given a cookie");
    PE_STATUS Status = PeGetLoadConfig(Mapped, &Config, Error);
    if (Status == PE_NOT_FOUND)
        return PE_OK;
    if (Status != PE_OK)
        return Status;
    uint8_t *Cookie = Mapped->Writable + Config.SecurityCookieRva;
    if (Config.SecurityCookieRva != 0 && PeiLoad64(Cookie) == PE_DEFAULT_SECURITY_COOKIE)
        PeiStore64(Cookie, PeiMakeCookie(Entropy));
    return PE_OK;
}

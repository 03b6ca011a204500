/* SPDX-License-Identifier: MIT */
/* Data directories: each one that this library reads must lie inside the image. */
#include "pe/pei.h"

static const char *PeiDirectoryName(uint32_t Index)
{
    static const char *const Names[PE_DIRECTORY_COUNT] = {
        "export", "import",       "resource",   "exception",    "security",    "relocation",
        "debug",  "architecture", "global",     "thread-local", "load config", "bound import",
        "IAT",    "delay import", "COM header", "reserved"};
    return Names[Index];
}

/* Nobody here reads these, and Windows does not either when it loads a driver. */
static bool PeiIsIgnoredDirectory(uint32_t Index)
{
    return Index == PE_DIRECTORY_ARCHITECTURE || Index == PE_DIRECTORY_GLOBALPTR ||
           Index == PE_DIRECTORY_TLS || Index == PE_DIRECTORY_BOUND_IMPORT || Index == PE_DIRECTORY_IAT ||
           Index == PE_DIRECTORY_COM_DESCRIPTOR || Index == PE_DIRECTORY_COUNT - 1;
}

static void PeiCheckSecurityDirectory(PE_IMAGE *Image)
{
    const PE_DIRECTORY *Directory = &Image->Directories[PE_DIRECTORY_SECURITY];
    if (Image->Writable == NULL && Directory->Rva != 0 && Directory->Size != 0 &&
        !PeiFits(Directory->Rva, Directory->Size, Image->Length))
        Image->Warnings |= PE_WARN_CERTIFICATE;
}

PE_STATUS PeiCheckDirectories(PE_IMAGE *Image, PE_ERROR *Error)
{
    PeiCheckSecurityDirectory(Image);
    for (uint32_t Index = 0; Index < PE_DIRECTORY_COUNT; Index++) {
        const PE_DIRECTORY *Directory = &Image->Directories[Index];
        if (Index == PE_DIRECTORY_SECURITY || Directory->Rva == 0 ||
            PeiFits(Directory->Rva, Directory->Size, Image->SizeOfImage))
            continue;
        if (PeiIsIgnoredDirectory(Index)) {
            Image->Warnings |= PE_WARN_DIRECTORY_IGNORED;
            continue;
        }
        return PeiFail(Error, PE_BAD_DIRECTORY,
                       Image->HeaderOffset + 24 + sizeof(PEF_OPTIONAL_HEADER) + Index * 8,
                       "the %s directory (0x%llx, 0x%llx bytes) ends behind the end of the image (0x%llx)",
                       PeiDirectoryName(Index), PEI_U(Directory->Rva), PEI_U(Directory->Size),
                       PEI_U(Image->SizeOfImage));
    }
    return PE_OK;
}

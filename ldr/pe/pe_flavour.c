/* SPDX-License-Identifier: MIT */
/* A guess at which linker made an image, for reports only. */
#include "pe/pei.h"

/* Microsoft's linker leaves an undocumented record between DOS stub and PE header that ends with "Rich" and a
 * key. */
static bool PeiHasRichHeader(const PE_IMAGE *Image)
{
    for (uint32_t Offset = PEF_DOS_HEADER_SIZE; Offset + 8 <= Image->HeaderOffset; Offset += 4) {
        if (PeiLoad32(Image->Bytes + Offset) == 0x68636952)
            return true;
    }
    return false;
}

PE_FLAVOUR PeGuessFlavour(const PE_IMAGE *Image)
{
    if (PeiHasRichHeader(Image))
        return PE_FLAVOUR_MSVC;
    if (Image->MajorLinkerVersion == 2)
        return PE_FLAVOUR_MINGW; /* GNU ld puts the binutils version here */
    if (Image->MajorLinkerVersion == 14 && Image->MinorLinkerVersion == 0)
        return PE_FLAVOUR_LLD_LINK; /* lld's constant; the real 14.0 always has a Rich header */
    return PE_FLAVOUR_UNKNOWN;
}

const char *PeFlavourName(PE_FLAVOUR Flavour)
{
    switch (Flavour) {
    case PE_FLAVOUR_MSVC:
        return "msvc";
    case PE_FLAVOUR_LLD_LINK:
        return "lld-link";
    case PE_FLAVOUR_MINGW:
        return "mingw";
    case PE_FLAVOUR_UNKNOWN:
        break;
    }
    return "unknown";
}

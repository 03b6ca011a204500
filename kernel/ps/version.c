/* SPDX-License-Identifier: MIT
 * Which Windows this is. [WDK PsGetVersion, NtBuildNumber] */
#include "psp.h"

#define PSP_BUILD 19045

/* 0xF in the uppermost bits: a free build, as Windows 10 is delivered. */
ULONG NtBuildNumber = 0xF0000000u | PSP_BUILD;

/* [WDK PsGetVersion] Windows 10 22H2, free build; no service pack, so an empty string that points nowhere. */
BOOLEAN NTAPI PsGetVersion(PULONG MajorVersion, PULONG MinorVersion, PULONG BuildNumber,
                           PUNICODE_STRING CSDVersion)
{
    if (MajorVersion != NULL)
        *MajorVersion = 10;
    if (MinorVersion != NULL)
        *MinorVersion = 0;
    if (BuildNumber != NULL)
        *BuildNumber = PSP_BUILD;
    if (CSDVersion != NULL)
        *CSDVersion = (UNICODE_STRING){0, 0, NULL};
    return FALSE;
}

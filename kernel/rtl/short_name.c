/* SPDX-License-Identifier: MIT
 * Names of the form 8.3 [WDK RtlIsNameLegalDOS8Dot3]. */
#include "rtlp.h"

/* Legal in a FAT short name: no control character, no wild card, none of the separators. */
static BOOLEAN RtlpIsShortCharacter(UCHAR c)
{
    static const CHAR Bad[] = "\"*+,/:;<=>?[\\]|";

    if (c < 0x20)
        return FALSE;
    for (ULONG i = 0; Bad[i] != 0; i++) {
        if ((UCHAR)Bad[i] == c)
            return FALSE;
    }
    return TRUE;
}

static BOOLEAN RtlpIsShortName(const UCHAR *Name, ULONG Length, BOOLEAN *Spaces)
{
    ULONG Dot = Length;

    for (ULONG i = 0; i < Length; i++) {
        if (Name[i] == '.') {
            if (Dot != Length || i == 0 || i == Length - 1)
                return FALSE;
            Dot = i;
        } else if (!RtlpIsShortCharacter(Name[i])) {
            return FALSE;
        }
        *Spaces = *Spaces || Name[i] == ' ';
    }
    /* The name does not begin with a space [FAT specification, DIR_Name], and no part ends with one. */
    if (Name[0] == ' ' || Name[Length - 1] == ' ' || (Dot != Length && Name[Dot - 1] == ' '))
        return FALSE;
    return Dot <= 8 && (Dot == Length || Length - Dot - 1 <= 3);
}

/* [WDK RtlIsNameLegalDOS8Dot3] "." and ".." are legal too. OemName, if given, gets the name in upper case, *NameContainsSpaces
 * is written for a legal name. */
BOOLEAN NTAPI RtlIsNameLegalDOS8Dot3(PCUNICODE_STRING Name, PSTRING OemName, PBOOLEAN NameContainsSpaces)
{
    UCHAR Oem[12];
    ULONG Length = Name->Length / sizeof(WCHAR);
    BOOLEAN Spaces = FALSE;

    if (Length == 0 || Length > sizeof(Oem))
        return FALSE;
    for (ULONG i = 0; i < Length; i++) {
        if (!RtlpToAnsi(RtlpUpcase(Name->Buffer[i]), &Oem[i]))
            return FALSE;
    }
    BOOLEAN Dots = Oem[0] == '.' && (Length == 1 || (Length == 2 && Oem[1] == '.'));
    if (!Dots && !RtlpIsShortName(Oem, Length, &Spaces))
        return FALSE;
    if (OemName != NULL && OemName->MaximumLength < Length)
        return FALSE;
    if (OemName != NULL) {
        memcpy(OemName->Buffer, Oem, Length);
        OemName->Length = (USHORT)Length;
    }
    if (NameContainsSpaces != NULL)
        *NameContainsSpaces = Spaces;
    return TRUE;
}

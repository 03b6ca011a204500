/* SPDX-License-Identifier: MIT
 * File names for file systems [WDK FsRtlDoesNameContainWildCards, FsRtlAreNamesEqual, FsRtlDissectName, FsRtlLegalAnsiCharacterArray]. */
#include "rtlp.h"

#define FAT 0x01
#define HPFS 0x02
#define NTFS 0x04
#define WILD 0x08
#define OLE 0x10
#define ALL (FAT | HPFS | NTFS | OLE)
#define NOT_FAT (HPFS | NTFS | OLE)

/* ntifs.h: FSRTL_FAT_LEGAL and the rest, for each ASCII character. FAT has no lists and no plus sign; a stream's name may have
 * what a name may not. */
static const UCHAR RtlpLegal[128] = {
    [0x01 ... 0x1F] = OLE, [' '] = ALL,         ['!'] = ALL,     ['"'] = WILD,        ['#'] = ALL,
    ['$'] = ALL,           ['%'] = ALL,         ['&'] = ALL,     ['\''] = ALL,        ['('] = ALL,
    [')'] = ALL,           ['*'] = WILD | OLE,  ['+'] = NOT_FAT, [','] = NOT_FAT,     ['-'] = ALL,
    ['.'] = ALL,           ['0' ... '9'] = ALL, [';'] = NOT_FAT, ['<'] = WILD | OLE,  ['='] = NOT_FAT,
    ['>'] = WILD | OLE,    ['?'] = WILD | OLE,  ['@'] = ALL,     ['A' ... 'Z'] = ALL, ['['] = NOT_FAT,
    [']'] = NOT_FAT,       ['^'] = ALL,         ['_'] = ALL,     ['`'] = ALL,         ['a' ... 'z'] = ALL,
    ['{'] = ALL,           ['|'] = OLE,         ['}'] = ALL,     ['~'] = ALL,         [0x7F] = ALL,
};
const UCHAR *const FsRtlLegalAnsiCharacterArray = RtlpLegal;

BOOLEAN NTAPI FsRtlDoesNameContainWildCards(PUNICODE_STRING Name)
{
    for (ULONG i = 0; i < Name->Length / sizeof(WCHAR); i++) {
        if (Name->Buffer[i] < 128 && (RtlpLegal[Name->Buffer[i]] & WILD))
            return TRUE;
    }
    return FALSE;
}

/* [WDK FsRtlAreNamesEqual] UpcaseTable, of 65536 characters, stands in for the system's. */
BOOLEAN NTAPI FsRtlAreNamesEqual(PCUNICODE_STRING Name1, PCUNICODE_STRING Name2, BOOLEAN IgnoreCase,
                                 PCWCH UpcaseTable)
{
    if (Name1->Length != Name2->Length)
        return FALSE;
    for (ULONG i = 0; i < Name1->Length / sizeof(WCHAR); i++) {
        WCHAR a = Name1->Buffer[i], b = Name2->Buffer[i];
        if (a != b && IgnoreCase && UpcaseTable != NULL) {
            a = UpcaseTable[a];
            b = UpcaseTable[b];
        } else if (a != b && IgnoreCase) {
            a = RtlpUpcase(a);
            b = RtlpUpcase(b);
        }
        if (a != b)
            return FALSE;
    }
    return TRUE;
}

static UNICODE_STRING RtlpSlice(PCUNICODE_STRING Name, ULONG From, ULONG To)
{
    USHORT Length = (USHORT)((To - From) * sizeof(WCHAR));
    return (UNICODE_STRING){Length, Length, Length == 0 ? NULL : Name->Buffer + From};
}

/* [WDK FsRtlDissectName] "\A\B\C" is "A" and "B\C": neither part begins with the backslash. */
VOID NTAPI FsRtlDissectName(UNICODE_STRING Name, PUNICODE_STRING FirstPart, PUNICODE_STRING RemainingPart)
{
    ULONG Length = Name.Length / sizeof(WCHAR), First = Length != 0 && Name.Buffer[0] == '\\', End = First;

    while (End < Length && Name.Buffer[End] != '\\')
        End++;
    *FirstPart = RtlpSlice(&Name, First, End);
    *RemainingPart = End < Length ? RtlpSlice(&Name, End + 1, Length) : (UNICODE_STRING){0, 0, NULL};
}

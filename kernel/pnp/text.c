/* SPDX-License-Identifier: MIT
 * Lists of strings, as REG_MULTI_SZ values and IDs of drivers are: each with its terminator, an empty one at the end. */
#include "pnpp.h"

BOOLEAN PnpNextText(const WCHAR *List, ULONG Length, PULONG At, PUNICODE_STRING Text)
{
    ULONG Count = Length / sizeof(WCHAR), End = *At;
    while (End < Count && List[End] != 0)
        End++;
    if (End == *At)
        return FALSE;
    USHORT Size = (USHORT)(min(End - *At, (ULONG)MAXUSHORT / sizeof(WCHAR) - 1) * sizeof(WCHAR));
    *Text = (UNICODE_STRING){Size, Size, (PWCH)List + *At};
    *At = End + 1;
    return TRUE;
}

ULONG PnpListLength(const WCHAR *List)
{
    ULONG At = 0;
    while (List[At] != 0)
        At += (ULONG)wcslen(List + At) + 1;
    return (At + 1) * (ULONG)sizeof(WCHAR);
}

/* SPDX-License-Identifier: MIT
 * Altitudes of filters: decimal numbers of any length, with a fraction. [WDK Load Order Groups and Altitudes for Minifilter Drivers] */
#include "rtl.h"

/* The digits before the point, without leading zeros. */
static UNICODE_STRING RtlpWholePart(PCUNICODE_STRING Text)
{
    UNICODE_STRING Part = {0, 0, Text->Buffer};
    ULONG Skip = 0, Length = Text->Length / sizeof(WCHAR), End = 0;
    while (Skip < Length && Text->Buffer[Skip] == L'0')
        Skip++;
    for (End = Skip; End < Length && Text->Buffer[End] != L'.';)
        End++;
    Part.Buffer += Skip;
    Part.Length = (USHORT)((End - Skip) * sizeof(WCHAR));
    return Part;
}

/* The digit at Index behind the point, '0' where there is none. */
static WCHAR RtlpFraction(PCUNICODE_STRING Text, const UNICODE_STRING *Whole, ULONG Index)
{
    ULONG At = (ULONG)(Whole->Buffer - Text->Buffer) + Whole->Length / sizeof(WCHAR) + 1 + Index;
    return At < Text->Length / sizeof(WCHAR) ? Text->Buffer[At] : L'0';
}

LONG RtlCompareAltitudes(PCUNICODE_STRING A, PCUNICODE_STRING B)
{
    UNICODE_STRING WholeA = RtlpWholePart(A), WholeB = RtlpWholePart(B);
    if (WholeA.Length != WholeB.Length)
        return (LONG)WholeA.Length - (LONG)WholeB.Length;
    LONG Order = RtlCompareUnicodeString(&WholeA, &WholeB, FALSE);
    for (ULONG i = 0; Order == 0 && i * sizeof(WCHAR) < (ULONG)A->Length + B->Length; i++)
        Order = (LONG)RtlpFraction(A, &WholeA, i) - (LONG)RtlpFraction(B, &WholeB, i);
    return Order;
}

BOOLEAN RtlIsAltitude(PCUNICODE_STRING Text)
{
    ULONG Points = 0;
    for (ULONG i = 0; i < Text->Length / sizeof(WCHAR); i++) {
        Points += Text->Buffer[i] == L'.';
        if (Text->Buffer[i] != L'.' && (Text->Buffer[i] < L'0' || Text->Buffer[i] > L'9'))
            return FALSE;
    }
    return Text->Length / sizeof(WCHAR) > Points && !(Text->Length & 1) && Points <= 1;
}

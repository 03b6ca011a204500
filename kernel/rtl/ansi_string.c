/* SPDX-License-Identifier: MIT
 * STRING and ANSI_STRING: make, copy, append, compare. Upper case is that of the code page. */
#include "rtlp.h"
#include "crt.h"

VOID NTAPI RtlInitString(PSTRING DestinationString, PCSZ SourceString)
{
    SIZE_T Length = 0;

    DestinationString->Length = DestinationString->MaximumLength = 0;
    DestinationString->Buffer = (PCHAR)SourceString;
    if (SourceString == NULL)
        return;
    Length = strlen(SourceString);
    if (Length > RTLP_MAX_ANSI_LENGTH)
        Length = RTLP_MAX_ANSI_LENGTH;
    DestinationString->Length = (USHORT)Length;
    DestinationString->MaximumLength = (USHORT)(Length + 1);
}

VOID NTAPI RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
    RtlInitString(DestinationString, SourceString);
}

NTSTATUS NTAPI RtlInitAnsiStringEx(PANSI_STRING DestinationString, PCSZ SourceString)
{
    if (SourceString != NULL && strlen(SourceString) > RTLP_MAX_ANSI_LENGTH) {
        *DestinationString = (ANSI_STRING){0, 0, NULL};
        return STATUS_NAME_TOO_LONG;
    }
    RtlInitString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

/* [WDK RtlCopyString] Copies at most MaximumLength bytes, adds no terminator; a NULL source empties the
 * destination. */
VOID NTAPI RtlCopyString(PSTRING DestinationString, const PSTRING SourceString)
{
    USHORT Length = SourceString == NULL ? 0 : SourceString->Length;

    if (Length > DestinationString->MaximumLength)
        Length = DestinationString->MaximumLength;
    if (Length != 0)
        memmove(DestinationString->Buffer, SourceString->Buffer, Length);
    DestinationString->Length = Length;
}

NTSTATUS NTAPI RtlAppendStringToString(PSTRING Destination, const STRING *Source)
{
    if ((ULONG)Destination->Length + Source->Length > Destination->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    if (Source->Length != 0)
        memmove(Destination->Buffer + Destination->Length, Source->Buffer, Source->Length);
    Destination->Length = (USHORT)(Destination->Length + Source->Length);
    return STATUS_SUCCESS;
}

LONG NTAPI RtlCompareString(const PSTRING String1, const PSTRING String2, BOOLEAN CaseInSensitive)
{
    ULONG Count = String1->Length < String2->Length ? String1->Length : String2->Length;

    for (ULONG i = 0; i < Count; i++) {
        CHAR x = String1->Buffer[i], y = String2->Buffer[i];
        if (x != y && CaseInSensitive) {
            x = RtlUpperChar(x);
            y = RtlUpperChar(y);
        }
        if (x != y)
            return (LONG)(UCHAR)x - (LONG)(UCHAR)y;
    }
    return (LONG)String1->Length - (LONG)String2->Length;
}

BOOLEAN NTAPI RtlEqualString(const PSTRING String1, const PSTRING String2, BOOLEAN CaseInSensitive)
{
    return String1->Length == String2->Length && RtlCompareString(String1, String2, CaseInSensitive) == 0;
}

/* [WDK RtlUpperString] Copies at most MaximumLength bytes in upper case. */
VOID NTAPI RtlUpperString(PSTRING DestinationString, const PSTRING SourceString)
{
    USHORT Length = SourceString->Length;

    if (Length > DestinationString->MaximumLength)
        Length = DestinationString->MaximumLength;
    for (USHORT i = 0; i < Length; i++)
        DestinationString->Buffer[i] = RtlUpperChar(SourceString->Buffer[i]);
    DestinationString->Length = Length;
}

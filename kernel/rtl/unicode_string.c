/* SPDX-License-Identifier: MIT
 * UNICODE_STRING without allocation: make, copy, append, compare. Lengths are bytes; an odd last byte is
 * never read as part of a character. */
#include "rtlp.h"
#include "crt.h"

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T Length = 0;

    DestinationString->Length = DestinationString->MaximumLength = 0;
    DestinationString->Buffer = (PWSTR)SourceString;
    if (SourceString == NULL)
        return;
    Length = wcslen(SourceString) * sizeof(WCHAR);
    if (Length > RTLP_MAX_UNICODE_LENGTH)
        Length = RTLP_MAX_UNICODE_LENGTH;
    DestinationString->Length = (USHORT)Length;
    DestinationString->MaximumLength = (USHORT)(Length + sizeof(WCHAR));
}

/* [WDK RtlInitUnicodeStringEx] STATUS_NAME_TOO_LONG, and the string is empty, instead of cutting. */
NTSTATUS NTAPI RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    if (SourceString != NULL && wcslen(SourceString) * sizeof(WCHAR) > RTLP_MAX_UNICODE_LENGTH) {
        *DestinationString = (UNICODE_STRING){0, 0, NULL};
        return STATUS_NAME_TOO_LONG;
    }
    RtlInitUnicodeString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

/* A terminator is added when there is room for it; it never counts. */
static VOID RtlpTerminateUnicode(PUNICODE_STRING String)
{
    if ((ULONG)String->Length + sizeof(WCHAR) <= String->MaximumLength)
        String->Buffer[String->Length / sizeof(WCHAR)] = 0;
}

/* [WDK RtlCopyUnicodeString] Copies at most MaximumLength bytes; a NULL source empties the destination. */
VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    if (SourceString == NULL) {
        DestinationString->Length = 0;
        return;
    }
    USHORT Length = SourceString->Length;
    if (Length > DestinationString->MaximumLength)
        Length = DestinationString->MaximumLength;
    memmove(DestinationString->Buffer, SourceString->Buffer, Length);
    DestinationString->Length = Length;
    RtlpTerminateUnicode(DestinationString);
}

static NTSTATUS RtlpAppendUnicode(PUNICODE_STRING Destination, PCWSTR Source, SIZE_T Bytes)
{
    if (Destination->Length + Bytes > Destination->MaximumLength)
        return STATUS_BUFFER_TOO_SMALL;
    memmove((PCHAR)Destination->Buffer + Destination->Length, Source, Bytes);
    Destination->Length = (USHORT)(Destination->Length + Bytes);
    RtlpTerminateUnicode(Destination);
    return STATUS_SUCCESS;
}

/* [WDK RtlAppendUnicodeStringToString] STATUS_BUFFER_TOO_SMALL leaves the destination as it was. */
NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    return Source->Length == 0 ? STATUS_SUCCESS
                               : RtlpAppendUnicode(Destination, Source->Buffer, Source->Length);
}

/* [WDK RtlAppendUnicodeToString] A NULL source appends nothing. */
NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    return Source == NULL ? STATUS_SUCCESS
                          : RtlpAppendUnicode(Destination, Source, wcslen(Source) * sizeof(WCHAR));
}

/* Difference of the first characters that differ within Count characters; 0 if none does. */
static LONG RtlpCompareUnicode(PCWSTR a, PCWSTR b, ULONG Count, BOOLEAN IgnoreCase)
{
    for (ULONG i = 0; i < Count; i++) {
        WCHAR x = a[i], y = b[i];
        if (x == y)
            continue;
        if (IgnoreCase) {
            x = RtlpUpcase(x);
            y = RtlpUpcase(y);
        }
        if (x != y)
            return (LONG)x - (LONG)y;
    }
    return 0;
}

/* [WDK RtlCompareUnicodeString] Upper case decides when case is ignored; a prefix is less than the longer
 * string. */
LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                                   BOOLEAN CaseInSensitive)
{
    ULONG Count = (String1->Length < String2->Length ? String1->Length : String2->Length) / sizeof(WCHAR);
    LONG Difference = RtlpCompareUnicode(String1->Buffer, String2->Buffer, Count, CaseInSensitive);

    return Difference != 0 ? Difference : (LONG)String1->Length - (LONG)String2->Length;
}

BOOLEAN NTAPI RtlEqualUnicodeString(const UNICODE_STRING *String1, const UNICODE_STRING *String2,
                                    BOOLEAN CaseInSensitive)
{
    return String1->Length == String2->Length &&
           RtlpCompareUnicode(String1->Buffer, String2->Buffer, String1->Length / sizeof(WCHAR),
                              CaseInSensitive) == 0;
}

BOOLEAN NTAPI RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                                     BOOLEAN CaseInSensitive)
{
    return String1->Length <= String2->Length &&
           RtlpCompareUnicode(String1->Buffer, String2->Buffer, String1->Length / sizeof(WCHAR),
                              CaseInSensitive) == 0;
}

/* [WDK RtlHashUnicodeString] Algorithm 0 (default) and 1 are x65599 over the characters, upper case if case
 * is ignored. */
NTSTATUS NTAPI RtlHashUnicodeString(const UNICODE_STRING *String, BOOLEAN CaseInSensitive,
                                    ULONG HashAlgorithm, PULONG HashValue)
{
    if (String == NULL || HashValue == NULL || HashAlgorithm > 1)
        return STATUS_INVALID_PARAMETER;
    ULONG Hash = 0;
    for (ULONG i = 0; i < String->Length / sizeof(WCHAR); i++)
        Hash = Hash * 65599 + (CaseInSensitive ? RtlpUpcase(String->Buffer[i]) : String->Buffer[i]);
    *HashValue = Hash;
    return STATUS_SUCCESS;
}

/* [WDK RtlValidateUnicodeString] Even lengths, Length <= MaximumLength, a buffer unless MaximumLength is 0.
 */
NTSTATUS NTAPI RtlValidateUnicodeString(ULONG Flags, PCUNICODE_STRING String)
{
    if (Flags != 0)
        return STATUS_INVALID_PARAMETER;
    if (String == NULL)
        return STATUS_SUCCESS;
    if (String->Length % sizeof(WCHAR) != 0 || String->MaximumLength % sizeof(WCHAR) != 0 ||
        String->Length > String->MaximumLength)
        return STATUS_INVALID_PARAMETER;
    return String->Buffer == NULL && String->MaximumLength != 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

/* [WDK RtlCompareUnicodeStrings] Lengths are in characters. */
LONG NTAPI RtlCompareUnicodeStrings(PCWCH String1, SIZE_T String1Length, PCWCH String2, SIZE_T String2Length,
                                    BOOLEAN CaseInSensitive)
{
    SIZE_T Count = String1Length < String2Length ? String1Length : String2Length;

    for (SIZE_T i = 0; i < Count; i++) {
        WCHAR a = String1[i], b = String2[i];
        if (a != b && CaseInSensitive) {
            a = RtlpUpcase(a);
            b = RtlpUpcase(b);
        }
        if (a != b)
            return (LONG)a - (LONG)b;
    }
    return String1Length == String2Length ? 0 : String1Length < String2Length ? -1 : 1;
}

/* SPDX-License-Identifier: MIT
 * UTF-8 from and to UTF-16 [WDK RtlUTF8ToUnicodeN, RtlUnicodeToUTF8N]. Ill-formed input becomes U+FFFD, one
 * for each maximal part of a sequence [Unicode 3.9], and the call returns STATUS_SOME_NOT_MAPPED. A character
 * is written whole or not at all; what does not fit is STATUS_BUFFER_TOO_SMALL with the count of what was
 * written. */
#include "rtlp.h"

#define REPLACEMENT 0xFFFD
#define ILL_FORMED 0xFFFFFFFF

/* Reads one sequence, at least one byte; advances *Index over what was used. */
static ULONG RtlpDecodeUtf8(PCCH Source, ULONG Count, ULONG *Index)
{
    UCHAR First = (UCHAR)Source[(*Index)++];
    ULONG Length = First >= 0xF0 ? 3 : First >= 0xE0 ? 2 : 1;
    UCHAR Low = First == 0xE0 ? 0xA0 : First == 0xF0 ? 0x90 : 0x80;  /* excludes overlong forms, */
    UCHAR High = First == 0xED ? 0x9F : First == 0xF4 ? 0x8F : 0xBF; /* surrogates, and more than U+10FFFF */

    if (First < 0x80)
        return First;
    if (First < 0xC2 || First > 0xF4)
        return ILL_FORMED;
    ULONG Code = First & (0x3Fu >> Length);
    for (ULONG i = 0; i < Length; i++) {
        if (*Index == Count || (UCHAR)Source[*Index] < Low || (UCHAR)Source[*Index] > High)
            return ILL_FORMED;
        Code = (Code << 6) | ((UCHAR)Source[(*Index)++] & 0x3Fu);
        Low = 0x80;
        High = 0xBF;
    }
    return Code;
}

/* Reads one UTF-16 character, one or two units. */
static ULONG RtlpDecodeUtf16(PCWCH Source, ULONG Count, ULONG *Index)
{
    ULONG Unit = Source[(*Index)++];

    if (Unit < 0xD800 || Unit > 0xDFFF)
        return Unit;
    if (Unit > 0xDBFF || *Index == Count || Source[*Index] < 0xDC00 || Source[*Index] > 0xDFFF)
        return ILL_FORMED;
    return 0x10000 + ((Unit - 0xD800) << 10) + (Source[(*Index)++] - 0xDC00u);
}

static ULONG RtlpEncodeUtf8(ULONG Code, CHAR Bytes[4])
{
    if (Code < 0x80) {
        Bytes[0] = (CHAR)Code;
        return 1;
    }
    ULONG Length = Code < 0x800 ? 2 : Code < 0x10000 ? 3 : 4;
    for (ULONG i = Length - 1; i > 0; i--, Code >>= 6)
        Bytes[i] = (CHAR)(0x80 | (Code & 0x3F));
    Bytes[0] = (CHAR)((0xF00u >> Length) | Code);
    return Length;
}

NTSTATUS NTAPI RtlUTF8ToUnicodeN(PWSTR Destination, ULONG MaxByteCount, PULONG ActualByteCount, PCCH Source,
                                 ULONG SourceByteCount)
{
    ULONG Room = MaxByteCount / sizeof(WCHAR), Used = 0;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Source == NULL)
        return STATUS_INVALID_PARAMETER_4;
    if (Destination == NULL && ActualByteCount == NULL)
        return STATUS_INVALID_PARAMETER;
    for (ULONG Index = 0; Index < SourceByteCount;) {
        ULONG Code = RtlpDecodeUtf8(Source, SourceByteCount, &Index);
        if (Code == ILL_FORMED) {
            Code = REPLACEMENT;
            Status = STATUS_SOME_NOT_MAPPED;
        }
        ULONG Units = Code >= 0x10000 ? 2 : 1;
        if (Destination != NULL) {
            if (Room - Used < Units) {
                Status = STATUS_BUFFER_TOO_SMALL;
                break;
            }
            if (Units == 2) {
                Destination[Used] = (WCHAR)(0xD800 + ((Code - 0x10000) >> 10));
                Destination[Used + 1] = (WCHAR)(0xDC00 + (Code & 0x3FF));
            } else {
                Destination[Used] = (WCHAR)Code;
            }
        }
        Used += Units;
    }
    if (ActualByteCount != NULL)
        *ActualByteCount = Used * sizeof(WCHAR);
    return Status;
}

NTSTATUS NTAPI RtlUnicodeToUTF8N(PCHAR Destination, ULONG MaxByteCount, PULONG ActualByteCount, PCWCH Source,
                                 ULONG SourceByteCount)
{
    ULONG Count = SourceByteCount / sizeof(WCHAR), Used = 0;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Source == NULL)
        return STATUS_INVALID_PARAMETER_4;
    if (SourceByteCount % sizeof(WCHAR) != 0)
        return STATUS_INVALID_PARAMETER_5;
    if (Destination == NULL && ActualByteCount == NULL)
        return STATUS_INVALID_PARAMETER;
    for (ULONG Index = 0; Index < Count;) {
        CHAR Bytes[4];
        ULONG Code = RtlpDecodeUtf16(Source, Count, &Index);
        if (Code == ILL_FORMED) {
            Code = REPLACEMENT;
            Status = STATUS_SOME_NOT_MAPPED;
        }
        ULONG Length = RtlpEncodeUtf8(Code, Bytes);
        if (Destination != NULL) {
            if (MaxByteCount - Used < Length) {
                Status = STATUS_BUFFER_TOO_SMALL;
                break;
            }
            memcpy(Destination + Used, Bytes, Length);
        }
        Used += Length;
    }
    if (ActualByteCount != NULL)
        *ActualByteCount = Used;
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Characters: the ANSI code page, which is Windows-1252 here, a single-byte code page. There is no best-fit mapping: what is not in
 * the code page becomes '?'. */
#include "rtlp.h"

/* [Windows-1252] 0x80-0x9F; the five undefined bytes are the C1 controls of the same value, as Windows maps
 * them. */
static const WCHAR RtlpAnsiHigh[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

WCHAR RtlpFromAnsi(UCHAR Character)
{
    return Character >= 0x80 && Character < 0xA0 ? RtlpAnsiHigh[Character - 0x80] : Character;
}

BOOLEAN RtlpToAnsi(WCHAR Character, PUCHAR Result)
{
    if (Character < 0x80 || (Character >= 0xA0 && Character <= 0xFF)) {
        *Result = (UCHAR)Character;
        return TRUE;
    }
    for (UCHAR i = 0; i < 32; i++) {
        if (RtlpAnsiHigh[i] == Character) {
            *Result = (UCHAR)(0x80 + i);
            return TRUE;
        }
    }
    *Result = '?';
    return FALSE;
}

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
    return RtlpUpcase(SourceCharacter);
}

WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
    return RtlpDowncase(SourceCharacter);
}

/* A character whose upper case is not in the code page stays as it is. */
CHAR NTAPI RtlUpperChar(CHAR Character)
{
    UCHAR Upper;
    return RtlpToAnsi(RtlpUpcase(RtlpFromAnsi((UCHAR)Character)), &Upper) ? (CHAR)Upper : Character;
}

/* Advances the pointer by the bytes of one character: one, as the code page is single-byte. */
WCHAR NTAPI RtlAnsiCharToUnicodeChar(PUCHAR *SourceCharacter)
{
    return RtlpFromAnsi(*(*SourceCharacter)++);
}

/* [WDK RtlMultiByteToUnicodeN] Cuts at the buffer's end without an error. */
NTSTATUS NTAPI RtlMultiByteToUnicodeN(PWCH UnicodeString, ULONG MaxBytesInUnicodeString,
                                      PULONG BytesInUnicodeString, const CHAR *MultiByteString,
                                      ULONG BytesInMultiByteString)
{
    ULONG Count = MaxBytesInUnicodeString / sizeof(WCHAR);

    if (Count > BytesInMultiByteString)
        Count = BytesInMultiByteString;
    for (ULONG i = 0; i < Count; i++)
        UnicodeString[i] = RtlpFromAnsi((UCHAR)MultiByteString[i]);
    if (BytesInUnicodeString != NULL)
        *BytesInUnicodeString = Count * sizeof(WCHAR);
    return STATUS_SUCCESS;
}

/* [WDK RtlUnicodeToMultiByteN] Cuts at the buffer's end without an error. */
NTSTATUS NTAPI RtlUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                      PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                      ULONG BytesInUnicodeString)
{
    ULONG Count = BytesInUnicodeString / sizeof(WCHAR);

    if (Count > MaxBytesInMultiByteString)
        Count = MaxBytesInMultiByteString;
    for (ULONG i = 0; i < Count; i++)
        RtlpToAnsi(UnicodeString[i], (PUCHAR)&MultiByteString[i]);
    if (BytesInMultiByteString != NULL)
        *BytesInMultiByteString = Count;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlMultiByteToUnicodeSize(PULONG BytesInUnicodeString, const CHAR *MultiByteString,
                                         ULONG BytesInMultiByteString)
{
    UNREFERENCED_PARAMETER(MultiByteString);
    *BytesInUnicodeString = BytesInMultiByteString * sizeof(WCHAR);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeToMultiByteSize(PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                         ULONG BytesInUnicodeString)
{
    UNREFERENCED_PARAMETER(UnicodeString);
    *BytesInMultiByteString = BytesInUnicodeString / sizeof(WCHAR);
    return STATUS_SUCCESS;
}

/* ntifs.h: code pages and lead bytes. Both code pages are Windows-1252 (D-056), in which no byte leads another. */
USHORT NlsAnsiCodePage = 1252, NlsOemCodePage = 1252;
BOOLEAN NlsMbCodePageTag = FALSE, NlsMbOemCodePageTag = FALSE;
static USHORT RtlpLeadBytes[256];
PUSHORT NlsLeadByteInfo = RtlpLeadBytes, NlsOemLeadByteInfo = RtlpLeadBytes;

/* SPDX-License-Identifier: MIT
 * Conversions of strings and times. [WDK RtlUnicodeToMultiByteN, RtlMultiByteToUnicodeN, RtlUTF8ToUnicodeN,
 * RtlUnicodeToUTF8N, RtlDowncaseUnicodeString, RtlDuplicateUnicodeString, RtlInitUnicodeStringEx,
 * RtlValidateUnicodeString, RtlTimeToSecondsSince1970] Text is ASCII where the result depends on the code page. */
#include "ct.h"

static WCHAR TooLong[0x8000];

static VOID ConvertCodePage(VOID)
{
    CHAR Narrow[4];
    WCHAR Wide[3];
    ULONG Length = 0;
    UCHAR Text[] = "xy";
    PUCHAR Next = Text;

    CT_SUCCESS(RtlMultiByteToUnicodeN(Wide, 5, &Length, "abc", 3)); /* an odd size holds two characters */
    CT_EQUAL(Length, 4);
    CT_EQUAL(Wide[1], 'b');
    CT_SUCCESS(RtlUnicodeToMultiByteN(Narrow, 2, &Length, L"xyz", 6)); /* cut without an error */
    CT_EQUAL(Length, 2);
    CT_CHECK(Narrow[0] == 'x' && Narrow[1] == 'y');
    CT_SUCCESS(RtlMultiByteToUnicodeSize(&Length, "abc", 3));
    CT_EQUAL(Length, 6);
    CT_SUCCESS(RtlUnicodeToMultiByteSize(&Length, L"abc", 6));
    CT_EQUAL(Length, 3);
    CT_EQUAL(RtlAnsiCharToUnicodeChar(&Next), 'x');
    CT_CHECK(Next == Text + 1);
}

static VOID ConvertUtf8(VOID)
{
    static const CHAR Utf8[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
    static const WCHAR Utf16[] = {'a', 0xE4, 0x20AC, 0xD83D, 0xDE00};
    WCHAR Wide[8];
    CHAR Narrow[16];
    ULONG Length = 0;

    CT_SUCCESS(RtlUTF8ToUnicodeN(Wide, sizeof(Wide), &Length, Utf8, 10));
    CT_EQUAL(Length, 10);
    CT_EQUAL(RtlCompareMemory(Wide, Utf16, 10), 10);
    CT_SUCCESS(RtlUnicodeToUTF8N(Narrow, sizeof(Narrow), &Length, Utf16, 10));
    CT_EQUAL(Length, 10);
    CT_EQUAL(RtlCompareMemory(Narrow, Utf8, 10), 10);
    CT_SUCCESS(RtlUTF8ToUnicodeN(NULL, 0, &Length, Utf8, 10)); /* the size alone */
    CT_EQUAL(Length, 10);
    CT_STATUS(RtlUTF8ToUnicodeN(Wide, sizeof(Wide), &Length, "a\xFF", 2), STATUS_SOME_NOT_MAPPED);
    CT_EQUAL(Wide[1], 0xFFFD);
    CT_STATUS(RtlUnicodeToUTF8N(Narrow, 2, &Length, Utf16, 10), STATUS_BUFFER_TOO_SMALL);
    CT_STATUS(RtlUTF8ToUnicodeN(Wide, sizeof(Wide), &Length, NULL, 1), STATUS_INVALID_PARAMETER_4);
}

static VOID ConvertDowncase(VOID)
{
    WCHAR Buffer[4];
    UNICODE_STRING Source = RTL_CONSTANT_STRING(L"ABcd"), Result = {0, sizeof(Buffer), Buffer},
                   New = {0, 0, NULL};

    CT_SUCCESS(RtlDowncaseUnicodeString(&Result, &Source, FALSE));
    CT_EQUAL(RtlCompareMemory(Buffer, L"abcd", 8), 8);
    Result.MaximumLength = 6;
    CT_STATUS(RtlDowncaseUnicodeString(&Result, &Source, FALSE), STATUS_BUFFER_OVERFLOW);
    CT_SUCCESS(RtlDowncaseUnicodeString(&New, &Source, TRUE));
    CT_EQUAL(New.Length, 8);
    RtlFreeUnicodeString(&New);
}

static VOID ConvertDuplicate(VOID)
{
    UNICODE_STRING Source = RTL_CONSTANT_STRING(L"abc"), Empty = {0, 0, NULL}, Copy;

    CT_SUCCESS(RtlDuplicateUnicodeString(1, &Source, &Copy));
    CT_EQUAL(Copy.Length, 6);
    CT_CHECK(Copy.Buffer != Source.Buffer && Copy.Buffer[3] == 0);
    RtlFreeUnicodeString(&Copy);
    CT_SUCCESS(RtlDuplicateUnicodeString(1, &Empty, &Copy));
    CT_CHECK(Copy.Buffer == NULL);
    CT_STATUS(RtlDuplicateUnicodeString(2, &Source, &Copy), STATUS_INVALID_PARAMETER);
}

static VOID ConvertInitEx(VOID)
{
    UNICODE_STRING Wide;
    ANSI_STRING Narrow;

    CT_SUCCESS(RtlInitUnicodeStringEx(&Wide, L"abc"));
    CT_CHECK(Wide.Length == 6 && Wide.MaximumLength == 8);
    for (ULONG i = 0; i + 1 < RTL_NUMBER_OF(TooLong); i++)
        TooLong[i] = 0x2020; /* as text of bytes: 65,534 blanks */
    CT_STATUS(RtlInitUnicodeStringEx(&Wide, TooLong), STATUS_NAME_TOO_LONG);
    CT_SUCCESS(RtlInitAnsiStringEx(&Narrow, "abc"));
    CT_CHECK(Narrow.Length == 3 && Narrow.MaximumLength == 4);
    CT_SUCCESS(RtlInitAnsiStringEx(&Narrow, NULL));
    CT_CHECK(Narrow.Length == 0 && Narrow.Buffer == NULL);
}

static VOID ConvertAppend(VOID)
{
    CHAR Buffer[6];
    STRING Text = {0, sizeof(Buffer), Buffer}, Part = {4, 4, (PCHAR) "abcd"};

    CT_SUCCESS(RtlAppendStringToString(&Text, &Part));
    CT_EQUAL(Text.Length, 4);
    CT_STATUS(RtlAppendStringToString(&Text, &Part), STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Text.Length, 4);
}

static VOID ConvertValidate(VOID)
{
    WCHAR Buffer[2] = {0};
    UNICODE_STRING Text = {2, 4, Buffer};

    CT_SUCCESS(RtlValidateUnicodeString(0, &Text));
    Text.Length = 3;
    CT_STATUS(RtlValidateUnicodeString(0, &Text), STATUS_INVALID_PARAMETER);
    Text.Length = 6;
    CT_STATUS(RtlValidateUnicodeString(0, &Text), STATUS_INVALID_PARAMETER);
}

static VOID ConvertSeconds(VOID)
{
    LARGE_INTEGER Time;
    ULONG Seconds = 1;

    RtlSecondsSince1970ToTime(0, &Time);
    CT_EQUAL(Time.QuadPart, 116444736000000000ll);
    CT_CHECK(RtlTimeToSecondsSince1970(&Time, &Seconds));
    CT_EQUAL(Seconds, 0);
    Time.QuadPart -= 10000000;
    CT_CHECK(!RtlTimeToSecondsSince1970(&Time, &Seconds));
}

static const CT_CASE Cases[] = {
    {"convert.code_page", ConvertCodePage}, {"convert.utf8", ConvertUtf8},
    {"convert.downcase", ConvertDowncase},  {"convert.duplicate", ConvertDuplicate},
    {"convert.init_ex", ConvertInitEx},     {"convert.append", ConvertAppend},
    {"convert.validate", ConvertValidate},  {"convert.seconds", ConvertSeconds},
};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * Counted strings, versions, bitmaps and time fields. [WDK RtlInitUnicodeString ... RtlUpcaseUnicodeString,
 * RtlGetVersion, RtlVerifyVersionInfo, RtlInitializeBitMap ..., RtlTimeToTimeFields] */
#include "ct.h"

static UNICODE_STRING U(PCWSTR Text)
{
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, Text);
    return String;
}

static BOOLEAN Same(PCUNICODE_STRING Actual, PCWSTR Expected)
{
    UNICODE_STRING Other = U(Expected);
    return RtlEqualUnicodeString(Actual, &Other, FALSE);
}

static VOID StringInit(VOID)
{
    UNICODE_STRING Unicode;
    ANSI_STRING Ansi;
    STRING Plain;
    RtlInitUnicodeString(&Unicode, L"abc");
    CT_CHECK(Unicode.Length == 6 && Unicode.MaximumLength == 8 && Unicode.Buffer[2] == L'c');
    RtlInitUnicodeString(&Unicode, NULL);
    CT_CHECK(Unicode.Length == 0 && Unicode.MaximumLength == 0 && Unicode.Buffer == NULL);
    RtlInitAnsiString(&Ansi, "abcd");
    CT_CHECK(Ansi.Length == 4 && Ansi.MaximumLength == 5);
    RtlInitString(&Plain, "");
    CT_CHECK(Plain.Length == 0 && Plain.MaximumLength == 1);
}

/* Copies what fits, and ends with a zero if there is room for one. */
static VOID StringCopy(VOID)
{
    WCHAR Room[4] = {9, 9, 9, 9};
    UNICODE_STRING To = {0, 6, Room}, From = U(L"abcdef");
    RtlCopyUnicodeString(&To, &From);
    CT_CHECK(To.Length == 6 && Room[2] == L'c' && Room[3] == 9);
    RtlCopyUnicodeString(&To, NULL);
    CT_EQUAL(To.Length, 0);
    char Bytes[8];
    STRING Short = {0, sizeof(Bytes), Bytes}, Text;
    RtlInitString(&Text, "xyz");
    RtlCopyString(&Short, &Text);
    CT_CHECK(Short.Length == 3 && Bytes[0] == 'x' && Bytes[2] == 'z');
}

static VOID StringCompare(VOID)
{
    UNICODE_STRING A = U(L"Alpha"), B = U(L"alpha"), C = U(L"alphabet");
    CT_CHECK(RtlCompareUnicodeString(&A, &B, FALSE) < 0);
    CT_EQUAL(RtlCompareUnicodeString(&A, &B, TRUE), 0);
    CT_CHECK(RtlCompareUnicodeString(&B, &C, TRUE) < 0);
    CT_CHECK(RtlCompareUnicodeString(&C, &B, TRUE) > 0);
    STRING S, T;
    RtlInitString(&S, "one");
    RtlInitString(&T, "ONE");
    CT_CHECK(RtlCompareString(&S, &T, FALSE) > 0);
    CT_EQUAL(RtlCompareString(&S, &T, TRUE), 0);
}

static VOID StringEqual(VOID)
{
    UNICODE_STRING A = U(L"Stra\u00DFe \u00C9"), B = U(L"stra\u00DFe \u00E9"), C = U(L"stra");
    CT_CHECK(!RtlEqualUnicodeString(&A, &B, FALSE));
    CT_CHECK(RtlEqualUnicodeString(&A, &B, TRUE));
    CT_CHECK(!RtlEqualUnicodeString(&A, &C, TRUE));
    STRING S, T;
    RtlInitString(&S, "one");
    RtlInitString(&T, "ONE");
    CT_CHECK(RtlEqualString(&S, &T, TRUE));
    CT_CHECK(!RtlEqualString(&S, &T, FALSE));
}

static VOID StringPrefix(VOID)
{
    UNICODE_STRING A = U(L"\\Device"), B = U(L"\\DEVICE\\Null"), Empty = U(L"");
    CT_CHECK(RtlPrefixUnicodeString(&A, &B, TRUE));
    CT_CHECK(!RtlPrefixUnicodeString(&A, &B, FALSE));
    CT_CHECK(!RtlPrefixUnicodeString(&B, &A, TRUE));
    CT_CHECK(RtlPrefixUnicodeString(&Empty, &A, FALSE));
}

/* All or nothing: too little room leaves the destination as it was. */
static VOID StringAppend(VOID)
{
    WCHAR Room[8];
    UNICODE_STRING To = {0, sizeof(Room), Room}, More = U(L"cd");
    CT_SUCCESS(RtlAppendUnicodeToString(&To, L"ab"));
    CT_SUCCESS(RtlAppendUnicodeStringToString(&To, &More));
    CT_CHECK(Same(&To, L"abcd") && Room[4] == 0);
    CT_STATUS(RtlAppendUnicodeToString(&To, L"efghi"), STATUS_BUFFER_TOO_SMALL);
    CT_STATUS(RtlAppendUnicodeStringToString(&To, &To), STATUS_SUCCESS);
    CT_STATUS(RtlAppendUnicodeStringToString(&To, &More), STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(To.Length, sizeof(Room));
    CT_SUCCESS(RtlAppendUnicodeToString(&To, NULL));
}

static VOID StringToAnsi(VOID)
{
    UNICODE_STRING From = U(L"plain");
    ANSI_STRING To;
    char Room[4];
    CT_REQUIRE(NT_SUCCESS(RtlUnicodeStringToAnsiString(&To, &From, TRUE)));
    CT_CHECK(To.Length == 5 && To.MaximumLength == 6 && To.Buffer[0] == 'p' && To.Buffer[5] == 0);
    RtlFreeAnsiString(&To);
    CT_EQUAL(To.Buffer, 0);
    To = (ANSI_STRING){0, sizeof(Room), Room};
    CT_STATUS(RtlUnicodeStringToAnsiString(&To, &From, FALSE), STATUS_BUFFER_OVERFLOW);
}

static VOID StringToUnicode(VOID)
{
    ANSI_STRING From;
    UNICODE_STRING To;
    WCHAR Room[3];
    RtlInitAnsiString(&From, "plain");
    CT_REQUIRE(NT_SUCCESS(RtlAnsiStringToUnicodeString(&To, &From, TRUE)));
    CT_CHECK(Same(&To, L"plain") && To.Buffer[5] == 0);
    RtlFreeUnicodeString(&To);
    CT_EQUAL(To.Buffer, 0);
    To = (UNICODE_STRING){0, sizeof(Room), Room};
    CT_STATUS(RtlAnsiStringToUnicodeString(&To, &From, FALSE), STATUS_BUFFER_OVERFLOW);
}

/* Base 0 means 10; other bases than 2, 8, 10, 16 are refused. */
static VOID StringInteger(VOID)
{
    WCHAR Room[34];
    UNICODE_STRING To = {0, sizeof(Room), Room};
    CT_SUCCESS(RtlIntegerToUnicodeString(3000000000u, 0, &To));
    CT_CHECK(Same(&To, L"3000000000"));
    CT_SUCCESS(RtlIntegerToUnicodeString(0xBEEF, 16, &To));
    CT_CHECK(Same(&To, L"BEEF"));
    CT_SUCCESS(RtlIntegerToUnicodeString(5, 2, &To));
    CT_CHECK(Same(&To, L"101"));
    CT_STATUS(RtlIntegerToUnicodeString(5, 7, &To), STATUS_INVALID_PARAMETER);
    To.MaximumLength = 4;
    CT_STATUS(RtlIntegerToUnicodeString(12345, 10, &To), STATUS_BUFFER_OVERFLOW);
}

static VOID StringInteger64(VOID)
{
    WCHAR Room[66];
    UNICODE_STRING To = {0, sizeof(Room), Room};
    CT_SUCCESS(RtlInt64ToUnicodeString(0x123456789ABCDEFull, 16, &To));
    CT_CHECK(Same(&To, L"123456789ABCDEF"));
    CT_SUCCESS(RtlInt64ToUnicodeString(18446744073709551615ull, 10, &To));
    CT_CHECK(Same(&To, L"18446744073709551615"));
}

/* Blanks and a sign may stand before; 0x, 0o and 0b choose the base when it is 0; it ends at the first other
 * sign. */
static VOID StringFromInteger(VOID)
{
    static const struct {
        PCWSTR Text;
        ULONG Base, Value;
    } Good[] = {{L"42", 0, 42},   {L"  -7", 0, (ULONG)-7}, {L"0x1F", 0, 31}, {L"0b101", 0, 5},
                {L"0o17", 0, 15}, {L"ff", 16, 255},        {L"12z", 10, 12}, {L"+9", 0, 9}};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Good); i++) {
        UNICODE_STRING Text = U(Good[i].Text);
        ULONG Value = 1;
        CT_SUCCESS(RtlUnicodeStringToInteger(&Text, Good[i].Base, &Value));
        CT_EQUAL(Value, Good[i].Value);
    }
    UNICODE_STRING Text = U(L"1");
    ULONG Value;
    CT_STATUS(RtlUnicodeStringToInteger(&Text, 3, &Value), STATUS_INVALID_PARAMETER);
}

static VOID StringUpcase(VOID)
{
    UNICODE_STRING From = U(L"a\u00E9z1"), To;
    CT_EQUAL(RtlUpcaseUnicodeChar(L'q'), L'Q');
    CT_EQUAL(RtlUpcaseUnicodeChar(0x00E9), 0x00C9);
    CT_EQUAL(RtlUpcaseUnicodeChar(L'5'), L'5');
    CT_REQUIRE(NT_SUCCESS(RtlUpcaseUnicodeString(&To, &From, TRUE)));
    CT_CHECK(Same(&To, L"A\u00C9Z1"));
    RtlFreeUnicodeString(&To);
    char Bytes[8];
    STRING Upper = {0, sizeof(Bytes), Bytes}, Text;
    RtlInitString(&Text, "aBc");
    RtlUpperString(&Upper, &Text);
    CT_CHECK(Upper.Length == 3 && Bytes[0] == 'A' && Bytes[1] == 'B' && Bytes[2] == 'C');
    CT_EQUAL(RtlUpperChar('x'), 'X');
}

static VOID StringDowncase(VOID)
{
    CT_EQUAL(RtlDowncaseUnicodeChar(L'Q'), L'q');
    CT_EQUAL(RtlDowncaseUnicodeChar(0x00C9), 0x00E9);
    CT_EQUAL(RtlDowncaseUnicodeChar(L'-'), L'-');
}

/* The x65599 hash; equal strings have equal hashes. */
static VOID StringHash(VOID)
{
    UNICODE_STRING A = U(L"Name"), B = U(L"nAME");
    ULONG First = 0, Second = 1;
    CT_SUCCESS(RtlHashUnicodeString(&A, TRUE, HASH_STRING_ALGORITHM_DEFAULT, &First));
    CT_SUCCESS(RtlHashUnicodeString(&B, TRUE, HASH_STRING_ALGORITHM_X65599, &Second));
    CT_EQUAL(First, Second);
    CT_SUCCESS(RtlHashUnicodeString(&B, FALSE, HASH_STRING_ALGORITHM_X65599, &Second));
    CT_CHECK(First != Second);
    CT_STATUS(RtlHashUnicodeString(&A, TRUE, 77, &First), STATUS_INVALID_PARAMETER);
}

/* With room for the terminating zero. */
static VOID StringSize(VOID)
{
    UNICODE_STRING Unicode = U(L"four");
    ANSI_STRING Ansi;
    RtlInitAnsiString(&Ansi, "four");
    CT_EQUAL(RtlxUnicodeStringToAnsiSize(&Unicode), 5);
    CT_EQUAL(RtlxAnsiStringToUnicodeSize(&Ansi), 10);
}

static VOID StringGuid(VOID)
{
    static const GUID Guid = {0x12345678, 0x9ABC, 0xDEF0, {1, 2, 3, 4, 5, 6, 7, 8}};
    UNICODE_STRING Text;
    GUID Back;
    CT_REQUIRE(NT_SUCCESS(RtlStringFromGUID(&Guid, &Text)));
    UNICODE_STRING Expected = U(L"{12345678-9abc-def0-0102-030405060708}");
    CT_CHECK(RtlEqualUnicodeString(&Text, &Expected, TRUE));
    CT_SUCCESS(RtlGUIDFromString(&Text, &Back));
    CT_EQUAL(RtlCompareMemory(&Guid, &Back, sizeof(Guid)), sizeof(Guid));
    RtlFreeUnicodeString(&Text);
    UNICODE_STRING Bad = U(L"{12345678-9ABC-DEF0-0102}");
    CT_STATUS(RtlGUIDFromString(&Bad, &Back), STATUS_INVALID_PARAMETER);
}

static VOID MemoryCompare(VOID)
{
    CT_EQUAL(RtlCompareMemory("abcdef", "abcxef", 6), 3);
    CT_EQUAL(RtlCompareMemory("abcdef", "abcdef", 6), 6);
    CT_EQUAL(RtlCompareMemory("a", "b", 1), 0);
    CT_EQUAL(RtlCompareMemory("a", "b", 0), 0);
}

static VOID MemoryRandom(VOID)
{
    ULONG Seed = 1, Different = 0;
    ULONG First = RtlRandomEx(&Seed);
    for (ULONG i = 0; i < 100; i++)
        Different += RtlRandomEx(&Seed) != First;
    CT_CHECK(First < 0x7FFFFFFF);
    CT_CHECK(Different > 90);
}

static VOID VersionGet(VOID)
{
    RTL_OSVERSIONINFOEXW Long = {.dwOSVersionInfoSize = sizeof(Long)};
    RTL_OSVERSIONINFOW Short = {.dwOSVersionInfoSize = sizeof(Short)};
    CT_SUCCESS(RtlGetVersion(&Short));
    CT_EQUAL(Short.dwMajorVersion, 10);
    CT_EQUAL(Short.dwMinorVersion, 0);
    CT_CHECK(Short.dwBuildNumber >= 10240);
    CT_SUCCESS(RtlGetVersion((PRTL_OSVERSIONINFOW)&Long));
    CT_EQUAL(Long.dwBuildNumber, Short.dwBuildNumber);
    CT_CHECK(Long.wProductType >= 1 && Long.wProductType <= 3);
}

static VOID VersionVerify(VOID)
{
    RTL_OSVERSIONINFOEXW Asked = {
        .dwOSVersionInfoSize = sizeof(Asked), .dwMajorVersion = 6, .dwMinorVersion = 1};
    ULONGLONG Mask = VerSetConditionMask(0, VER_MAJORVERSION, VER_GREATER_EQUAL);
    Mask = VerSetConditionMask(Mask, VER_MINORVERSION, VER_GREATER_EQUAL);
    CT_SUCCESS(RtlVerifyVersionInfo(&Asked, VER_MAJORVERSION | VER_MINORVERSION, Mask));
    Asked.dwMajorVersion = 99;
    CT_STATUS(RtlVerifyVersionInfo(&Asked, VER_MAJORVERSION | VER_MINORVERSION, Mask),
              STATUS_REVISION_MISMATCH);
}

static VOID TimeFields(VOID)
{
    LARGE_INTEGER Time = {.QuadPart = 132536736000000000LL}, Back; /* 2020-12-29 00:00:00 UTC, a Tuesday */
    TIME_FIELDS Fields;
    RtlTimeToTimeFields(&Time, &Fields);
    CT_CHECK(Fields.Year == 2020 && Fields.Month == 12 && Fields.Day == 29);
    CT_CHECK(Fields.Hour == 0 && Fields.Minute == 0 && Fields.Second == 0 && Fields.Milliseconds == 0);
    CT_EQUAL(Fields.Weekday, 2);
    CT_CHECK(RtlTimeFieldsToTime(&Fields, &Back));
    CT_EQUAL(Back.QuadPart, Time.QuadPart);
    Fields.Month = 2;
    Fields.Day = 30;
    CT_CHECK(!RtlTimeFieldsToTime(&Fields, &Back));
}

/* --- bitmaps --- */

static ULONG Bits[4];
static RTL_BITMAP Map;

static VOID BitmapBasic(VOID)
{
    RtlInitializeBitMap(&Map, Bits, 100);
    RtlSetAllBits(&Map);
    CT_CHECK(RtlTestBit(&Map, 0) && RtlTestBit(&Map, 99));
    RtlClearAllBits(&Map);
    CT_CHECK(!RtlTestBit(&Map, 0) && !RtlTestBit(&Map, 99));
    RtlSetBits(&Map, 30, 10);
    CT_CHECK(!RtlTestBit(&Map, 29) && RtlTestBit(&Map, 30) && RtlTestBit(&Map, 39) && !RtlTestBit(&Map, 40));
    RtlClearBits(&Map, 32, 2);
    CT_CHECK(RtlTestBit(&Map, 31) && !RtlTestBit(&Map, 32) && !RtlTestBit(&Map, 33) && RtlTestBit(&Map, 34));
    RtlSetBit(&Map, 99);
    CT_CHECK(RtlTestBit(&Map, 99));
    RtlClearBit(&Map, 99);
    CT_CHECK(!RtlTestBit(&Map, 99));
}

static VOID BitmapCount(VOID)
{
    RtlInitializeBitMap(&Map, Bits, 100);
    RtlClearAllBits(&Map);
    RtlSetBits(&Map, 60, 20);
    CT_EQUAL(RtlNumberOfSetBits(&Map), 20);
    CT_EQUAL(RtlNumberOfClearBits(&Map), 80);
    CT_CHECK(RtlAreBitsSet(&Map, 60, 20) && !RtlAreBitsSet(&Map, 60, 21));
    CT_CHECK(RtlAreBitsClear(&Map, 0, 60) && !RtlAreBitsClear(&Map, 0, 61));
}

/* Searches from the hint on, then from the start; 0xFFFFFFFF when there is no such run. */
static VOID BitmapFind(VOID)
{
    RtlInitializeBitMap(&Map, Bits, 100);
    RtlSetAllBits(&Map);
    RtlClearBits(&Map, 10, 5);
    RtlClearBits(&Map, 50, 8);
    CT_EQUAL(RtlFindClearBits(&Map, 5, 0), 10);
    CT_EQUAL(RtlFindClearBits(&Map, 6, 0), 50);
    CT_EQUAL(RtlFindClearBits(&Map, 5, 20), 50);
    CT_EQUAL(RtlFindClearBits(&Map, 5, 60), 10);
    CT_EQUAL(RtlFindClearBits(&Map, 9, 0), 0xFFFFFFFF);
    CT_EQUAL(RtlFindClearBitsAndSet(&Map, 5, 0), 10);
    CT_CHECK(RtlAreBitsSet(&Map, 10, 5));
    CT_EQUAL(RtlFindSetBits(&Map, 50, 0), 0);
}

static const CT_CASE Cases[] = {
    {"string.init", StringInit},
    {"string.copy", StringCopy},
    {"string.compare", StringCompare},
    {"string.equal", StringEqual},
    {"string.prefix", StringPrefix},
    {"string.append", StringAppend},
    {"string.to_ansi", StringToAnsi},
    {"string.to_unicode", StringToUnicode},
    {"string.integer", StringInteger},
    {"string.integer64", StringInteger64},
    {"string.from_integer", StringFromInteger},
    {"string.upcase", StringUpcase},
    {"string.downcase", StringDowncase},
    {"string.hash", StringHash},
    {"string.size", StringSize},
    {"string.guid", StringGuid},
    {"memory.compare", MemoryCompare},
    {"memory.random", MemoryRandom},
    {"version.get", VersionGet},
    {"version.verify", VersionVerify},
    {"time.fields", TimeFields},
    {"bitmap.basic", BitmapBasic},
    {"bitmap.count", BitmapCount},
    {"bitmap.find", BitmapFind},
};
CT_DRIVER(Cases)

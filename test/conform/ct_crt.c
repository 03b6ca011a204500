/* SPDX-License-Identifier: MIT
 * C run-time functions of ntoskrnl.exe. [MS C run-time library reference: memcpy ... towlower; sprintf, _snprintf,
 * strcpy_s and kin], with Microsoft's rules where they differ from ISO C. Built with -fno-builtin: these are calls. */
#include "ct.h"
#include <stdio.h>
#include <stdlib.h>
#include <ctype.h>
#include <stdarg.h>

static VOID CrtMemory(VOID)
{
    char A[16] = "0123456789", B[16];
    CT_EQUAL(memcpy(B, A, 11), B);
    CT_EQUAL(memcmp(A, B, 11), 0);
    CT_EQUAL(memmove(A + 2, A, 8), A + 2);
    CT_EQUAL(memcmp(A, "0101234567", 10), 0);
    CT_EQUAL(memmove(A, A + 2, 8), A);
    CT_EQUAL(memcmp(A, "0123456767", 10), 0);
    CT_CHECK(memcmp("a", "b", 1) < 0 && memcmp("\xFF", "\x01", 1) > 0);
    CT_EQUAL(memset(B, 'x', 3), B);
    CT_EQUAL(memcmp(B, "xxx3", 4), 0);
    CT_EQUAL(memchr("hello", 'l', 5), strchr("hello", 'l'));
    CT_EQUAL(memchr("hello", 'z', 5), 0);
}

static VOID CrtString(VOID)
{
    char Room[32];
    static const char Text[] = "one two one";
    CT_EQUAL(strlen(Text), 11);
    CT_EQUAL(strnlen(Text, 4), 4);
    CT_CHECK(strcmp("abc", "abd") < 0 && strcmp("abc", "ab") > 0 && strcmp("", "") == 0);
    CT_CHECK(strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0);
    CT_CHECK(_stricmp("HeLLo", "hEllO") == 0 && _stricmp("a", "B") < 0);
    CT_CHECK(_strnicmp("HELlo", "helXX", 3) == 0 && _strnicmp("a", "b", 1) < 0);
    CT_EQUAL(strcpy(Room, "abc"), Room);
    CT_EQUAL(strcat(Room, "def"), Room);
    CT_EQUAL(strcmp(Room, "abcdef"), 0);
    CT_EQUAL(strncat(Room, "ghijk", 2), Room);
    CT_EQUAL(strcmp(Room, "abcdefgh"), 0);
    memset(Room, 'x', sizeof(Room));
    strncpy(Room, "ab", 5); /* pads with zeros */
    CT_CHECK(Room[1] == 'b' && Room[2] == 0 && Room[4] == 0 && Room[5] == 'x');
    CT_EQUAL(strchr(Text, 'o'), Text);
    CT_EQUAL(strrchr(Text, 'o'), Text + 8);
    CT_EQUAL(strchr(Text, 0), Text + 11);
    CT_EQUAL(strstr(Text, "two"), Text + 4);
    CT_EQUAL(strstr(Text, "three"), 0);
}

static VOID CrtWide(VOID)
{
    wchar_t Room[32];
    static const wchar_t Text[] = L"one two one";
    CT_EQUAL(wcslen(Text), 11);
    CT_EQUAL(wcsnlen(Text, 4), 4);
    CT_CHECK(wcscmp(L"abc", L"abd") < 0 && wcscmp(L"a\u0100", L"a\u00FF") > 0);
    CT_CHECK(wcsncmp(L"abc", L"abd", 2) == 0 && wcsncmp(L"abc", L"abd", 3) < 0);
    CT_CHECK(_wcsicmp(L"HeLLo", L"hEllO") == 0);
    CT_CHECK(_wcsnicmp(L"HELlo", L"helXX", 3) == 0);
    CT_EQUAL(wcscpy(Room, L"abc"), Room);
    CT_EQUAL(wcscat(Room, L"def"), Room);
    CT_EQUAL(wcscmp(Room, L"abcdef"), 0);
    CT_EQUAL(wcsncat(Room, L"ghijk", 2), Room);
    CT_EQUAL(wcscmp(Room, L"abcdefgh"), 0);
    wcsncpy(Room, L"xy", 4);
    CT_CHECK(Room[1] == L'y' && Room[2] == 0 && Room[3] == 0 && Room[4] == L'e');
    CT_EQUAL(wcschr(Text, L'o'), Text);
    CT_EQUAL(wcsrchr(Text, L'o'), Text + 8);
    CT_EQUAL(wcsstr(Text, L"two"), Text + 4);
    CT_EQUAL(wcsstr(Text, L"three"), 0);
}

static int Vsnprintf(char *Room, size_t Count, const char *Format, ...)
{
    va_list Arguments;
    va_start(Arguments, Format);
    int Length = _vsnprintf(Room, Count, Format, Arguments);
    va_end(Arguments);
    return Length;
}

static int Vsprintf(char *Room, const char *Format, ...)
{
    va_list Arguments;
    va_start(Arguments, Format);
    int Length = vsprintf(Room, Format, Arguments);
    va_end(Arguments);
    return Length;
}

/* [MS _snprintf] negative when it did not fit; no terminator then, nor when it fits exactly. */
static VOID CrtPrintf(VOID)
{
    char Room[64];
    UNICODE_STRING Counted = RTL_CONSTANT_STRING(L"counted");
    CT_EQUAL(sprintf(Room, "%d|%5d|%-5d|%05d|%+d", -1, 42, 42, 42, 42), 24);
    CT_EQUAL(strcmp(Room, "-1|   42|42   |00042|+42"), 0);
    CT_EQUAL(sprintf(Room, "%x %X %#x %o %u", 0xbeef, 0xbeef, 16, 8, 4000000000u), 28);
    CT_EQUAL(strcmp(Room, "beef BEEF 0x10 10 4000000000"), 0);
    sprintf(Room, "%I64x %lld %hd %p", 0x123456789ABCDEFull, -5000000000ll, (short)7, (PVOID)0x1000);
    CT_EQUAL(strcmp(Room, "123456789abcdef -5000000000 7 0000000000001000"), 0);
    sprintf(Room, "%s|%.2s|%5s|%c|%ls|%wZ|%%", "text", "abc", "r", 'c', L"wide", &Counted);
    CT_EQUAL(strcmp(Room, "text|ab|    r|c|wide|counted|%"), 0);
    memset(Room, 'x', sizeof(Room));
    CT_CHECK(_snprintf(Room, 3, "%s", "abcdef") < 0);
    CT_CHECK(Room[2] == 'c' && Room[3] == 'x');
    CT_EQUAL(_snprintf(Room, 3, "%s", "abc"), 3);
    CT_EQUAL(Room[3], 'x');
    CT_EQUAL(Vsnprintf(Room, sizeof(Room), "%d-%s", 5, "v"), 3);
    CT_EQUAL(strcmp(Room, "5-v"), 0);
    CT_EQUAL(Vsprintf(Room, "%04X", 0xAB), 4);
    CT_EQUAL(strcmp(Room, "00AB"), 0);
}

static int Vsnwprintf(wchar_t *Room, size_t Count, const wchar_t *Format, ...)
{
    va_list Arguments;
    va_start(Arguments, Format);
    int Length = _vsnwprintf(Room, Count, Format, Arguments);
    va_end(Arguments);
    return Length;
}

/* In the wide functions %s is a wide string. */
static VOID CrtWprintf(VOID)
{
    wchar_t Room[64];
    CT_EQUAL(swprintf(Room, L"%s %d %hs", L"wide", 7, "narrow"), 13);
    CT_EQUAL(wcscmp(Room, L"wide 7 narrow"), 0);
    CT_EQUAL(_snwprintf(Room, 64, L"%08X", 0xCAFE), 8);
    CT_EQUAL(wcscmp(Room, L"0000CAFE"), 0);
    CT_CHECK(_snwprintf(Room, 4, L"%s", L"abcdef") < 0);
    CT_EQUAL(Vsnwprintf(Room, 64, L"%c%u", L'z', 3u), 2);
    CT_EQUAL(wcscmp(Room, L"z3"), 0);
}

static int VsnprintfS(char *Room, size_t Size, size_t Count, const char *Format, ...)
{
    va_list Arguments;
    va_start(Arguments, Format);
    int Length = _vsnprintf_s(Room, Size, Count, Format, Arguments);
    va_end(Arguments);
    return Length;
}

/* [MS _snprintf_s] with _TRUNCATE (size_t -1) what does not fit is cut, terminated, and -1 returned. */
static VOID CrtSecure(VOID)
{
    char Room[8];
    wchar_t Wide[8];
    CT_EQUAL(sprintf_s(Room, sizeof(Room), "%d", 123), 3);
    CT_EQUAL(_snprintf_s(Room, sizeof(Room), (size_t)-1, "%s", "longer than it"), -1);
    CT_EQUAL(strcmp(Room, "longer "), 0);
    CT_EQUAL(_snprintf_s(Room, sizeof(Room), 3, "%s", "abc"), 3);
    CT_EQUAL(VsnprintfS(Room, sizeof(Room), 4, "%x", 0xAB), 2);
    CT_EQUAL(strcmp(Room, "ab"), 0);
    CT_EQUAL(swprintf_s(Wide, 8, L"%s", L"ok"), 2);
    CT_EQUAL(strcpy_s(Room, sizeof(Room), "abc"), 0);
    CT_EQUAL(strcat_s(Room, sizeof(Room), "def"), 0);
    CT_EQUAL(strcmp(Room, "abcdef"), 0);
    CT_EQUAL(wcscpy_s(Wide, 8, L"abc"), 0);
    CT_EQUAL(wcscat_s(Wide, 8, L"def"), 0);
    CT_EQUAL(wcscmp(Wide, L"abcdef"), 0);
}

static VOID CrtNumber(VOID)
{
    CT_EQUAL(atoi(" -12x"), (ULONG64)-12);
    CT_EQUAL((LONG)atol("77"), 77);
}

static VOID CrtCtype(VOID)
{
    CT_CHECK(isdigit('0') && isdigit('9') && !isdigit('a'));
    CT_CHECK(isspace(' ') && isspace('\t') && !isspace('x'));
    CT_CHECK(isxdigit('f') && isxdigit('F') && isxdigit('0') && !isxdigit('g'));
    CT_CHECK(toupper('a') == 'A' && toupper('Z') == 'Z' && toupper('1') == '1');
    CT_CHECK(tolower('A') == 'a' && tolower('z') == 'z');
    CT_CHECK(towupper(L'a') == L'A' && towlower(L'A') == L'a' && towupper(L'-') == L'-');
}

static const CT_CASE Cases[] = {
    {"crt.memory", CrtMemory}, {"crt.string", CrtString},   {"crt.wide", CrtWide},
    {"crt.printf", CrtPrintf}, {"crt.wprintf", CrtWprintf}, {"crt.secure", CrtSecure},
    {"crt.number", CrtNumber}, {"crt.ctype", CrtCtype},
};
CT_DRIVER(Cases)

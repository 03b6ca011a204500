/* SPDX-License-Identifier: MIT
 * Conversions: code page, UTF-8, integers, GUIDs, time, versions, bitmaps, random numbers. */
#include "rtl_test.h"

static void test_code_page(void **state)
{
    CHAR a[4], one = (CHAR)0x80;
    WCHAR w[3];
    ULONG n;
    PUCHAR p = (PUCHAR)&one;
    (void)state;
    assert_int_equal(RtlMultiByteToUnicodeN(w, 5, &n, "abc", 3),
                     STATUS_SUCCESS); /* odd size: two characters */
    assert_int_equal(n, 4);
    assert_int_equal(RtlUnicodeToMultiByteN(a, 2, &n, L"xyz", 6), STATUS_SUCCESS);
    assert_int_equal(n, 2);
    assert_int_equal(RtlUnicodeToMultiByteN(a, 4, NULL, L"xyz", 5), STATUS_SUCCESS);
    assert_memory_equal(a, "xy", 2);
    assert_int_equal(RtlMultiByteToUnicodeSize(&n, "abc", 3), STATUS_SUCCESS);
    assert_int_equal(n, 6);
    assert_int_equal(RtlUnicodeToMultiByteSize(&n, L"abc", 6), STATUS_SUCCESS);
    assert_int_equal(n, 3);
    assert_int_equal(RtlAnsiCharToUnicodeChar(&p), 0x20AC);
    assert_ptr_equal(p, &one + 1);
    for (int c = 0; c < 256; c++) { /* every byte survives the way there and back */
        CHAR byte = (CHAR)c, back;
        WCHAR wide;
        RtlMultiByteToUnicodeN(&wide, 2, NULL, &byte, 1);
        RtlUnicodeToMultiByteN(&back, 1, NULL, &wide, 2);
        assert_int_equal(byte, back);
    }
}

static void test_utf8(void **state)
{
    static const char text[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
    static const WCHAR wide[] = L"a\x00E4\x20AC\xD83D\xDE00";
    WCHAR w[8];
    char b[16];
    ULONG n;
    (void)state;
    assert_int_equal(RtlUTF8ToUnicodeN(w, sizeof(w), &n, text, 10), STATUS_SUCCESS);
    assert_int_equal(n, 10);
    assert_memory_equal(w, wide, 10);
    assert_int_equal(RtlUnicodeToUTF8N(b, sizeof(b), &n, wide, 10), STATUS_SUCCESS);
    assert_int_equal(n, 10);
    assert_memory_equal(b, text, 10);
    assert_int_equal(RtlUTF8ToUnicodeN(NULL, 0, &n, text, 10), STATUS_SUCCESS);
    assert_int_equal(n, 10);
    assert_int_equal(RtlUTF8ToUnicodeN(w, 9, &n, text, 10),
                     STATUS_BUFFER_TOO_SMALL); /* the pair is not split */
    assert_int_equal(n, 6);
    assert_int_equal(RtlUnicodeToUTF8N(b, 5, &n, wide, 10), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(n, 3);
    assert_int_equal(RtlUTF8ToUnicodeN(w, 4, &n, NULL, 1), STATUS_INVALID_PARAMETER_4);
    assert_int_equal(RtlUTF8ToUnicodeN(NULL, 0, NULL, text, 1), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeToUTF8N(b, 5, &n, wide, 3), STATUS_INVALID_PARAMETER_5);
}

static void test_utf8_ill_formed(void **state)
{
    /* input, expected number of U+FFFD [Unicode 3.9, table 3-8], overlong, surrogate, too large, cut */
    static const struct {
        const char *Text;
        ULONG Replaced;
    } cases[] = {
        {"\x80", 1}, {"\xC0\xAF", 2},     {"\xE0\x80\xAF", 3}, {"\xED\xA0\x80", 3}, {"\xF4\x90\x80\x80", 4},
        {"\xFF", 1}, {"\xE1\x80\xE2", 2}, {"\xF0\x91\x92", 1}, {"\xC3", 1},
    };
    WCHAR w[8];
    char b[8];
    ULONG n;
    (void)state;
    for (unsigned i = 0; i < RTL_NUMBER_OF(cases); i++) {
        assert_int_equal(RtlUTF8ToUnicodeN(w, sizeof(w), &n, cases[i].Text, (ULONG)strlen(cases[i].Text)),
                         STATUS_SOME_NOT_MAPPED);
        assert_int_equal(n, cases[i].Replaced * 2);
        for (ULONG k = 0; k < cases[i].Replaced; k++)
            assert_int_equal(w[k], 0xFFFD);
    }
    assert_int_equal(RtlUnicodeToUTF8N(b, 8, &n, L"\xDC00\x0041", 4), STATUS_SOME_NOT_MAPPED);
    assert_memory_equal(b, "\xEF\xBF\xBD\x41", 4);
    assert_int_equal(RtlUnicodeToUTF8N(b, 8, &n, L"\xD800", 2), STATUS_SOME_NOT_MAPPED);
}

static ULONG parse(const WCHAR *Text, ULONG Base)
{
    UNICODE_STRING u;
    ULONG Value = 0xBAD;
    RtlInitUnicodeString(&u, Text);
    assert_int_equal(RtlUnicodeStringToInteger(&u, Base, &Value), STATUS_SUCCESS);
    return Value;
}

static void test_integers(void **state)
{
    WCHAR w[12];
    UNICODE_STRING u = UBUFFER(w), empty = {0, 0, w}, two = {0, 4, w};
    ULONG Value;
    (void)state;
    assert_int_equal(RtlIntegerToUnicodeString(4294967295u, 10, &u), STATUS_SUCCESS);
    assert_ustr(&u, L"4294967295");
    assert_int_equal(RtlIntegerToUnicodeString(0xBEEF, 16, &u), STATUS_SUCCESS);
    assert_ustr(&u, L"BEEF");
    assert_int_equal(RtlIntegerToUnicodeString(0, 0, &u), STATUS_SUCCESS);
    assert_ustr(&u, L"0");
    assert_int_equal(w[1], 0);
    assert_int_equal(RtlIntegerToUnicodeString(5, 2, &u), STATUS_SUCCESS);
    assert_ustr(&u, L"101");
    assert_int_equal(RtlIntegerToUnicodeString(5, 7, &u), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlIntegerToUnicodeString(100, 10, &two), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlIntegerToUnicodeString(10, 10, &two), STATUS_SUCCESS);
    assert_int_equal(RtlInt64ToUnicodeString(0x123456789AB, 16, &u), STATUS_SUCCESS);
    assert_ustr(&u, L"123456789AB");
    assert_int_equal(parse(L"  42 apples", 0), 42);
    assert_int_equal(parse(L"-1", 10), 0xFFFFFFFF);
    assert_int_equal(parse(L"+0x1F", 0), 0x1F);
    assert_int_equal(parse(L"0o17", 0), 15);
    assert_int_equal(parse(L"0b101", 0), 5);
    assert_int_equal(parse(L"0x", 0), 0);
    assert_int_equal(parse(L"0", 0), 0);
    assert_int_equal(parse(L"ff", 16), 255);
    assert_int_equal(parse(L"0x10", 16), 0);
    assert_int_equal(parse(L"apples", 10), 0);
    assert_int_equal(parse(L"   ", 0), 0);
    assert_int_equal(RtlUnicodeStringToInteger(&empty, 0, &Value), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlUnicodeStringToInteger(&u, 3, &Value), STATUS_INVALID_PARAMETER);
}

static void test_guid(void **state)
{
    const GUID g = {0xA5DCBF10, 0x6530, 0x11D2, {0x90, 0x1F, 0x00, 0xC0, 0x4F, 0xB9, 0x51, 0xED}};
    UNICODE_STRING u, upper = USTR(L"{A5DCBF10-6530-11D2-901F-00C04FB951ED}");
    UNICODE_STRING bad = USTR(L"{A5DCBF10-6530-11D2-901F-00C04FB951EG}");
    GUID out = {0};
    (void)state;
    assert_int_equal(RtlStringFromGUID(&g, &u), STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(&u, &upper, FALSE));
    assert_true(u.MaximumLength == 78 && u.Buffer[38] == 0);
    assert_int_equal(RtlGUIDFromString(&u, &out), STATUS_SUCCESS);
    assert_memory_equal(&out, &g, sizeof(g));
    u.Buffer[9] = 'x';
    assert_int_equal(RtlGUIDFromString(&u, &out), STATUS_INVALID_PARAMETER);
    u.Length -= 2;
    assert_int_equal(RtlGUIDFromString(&u, &out), STATUS_INVALID_PARAMETER);
    RtlFreeUnicodeString(&u);
    assert_int_equal(RtlGUIDFromString(&bad, &out), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlGUIDFromString(&upper, &out), STATUS_SUCCESS);
    TestPool.FailAt = 1;
    assert_int_equal(RtlStringFromGUID(&g, &u), STATUS_NO_MEMORY);
    assert_int_equal(TestPool.Live, 0);
}

static void test_time(void **state)
{
    TIME_FIELDS f = {1601, 1, 1, 0, 0, 0, 0, 0};
    LARGE_INTEGER t;
    ULONG s;
    (void)state;
    assert_true(RtlTimeFieldsToTime(&f, &t));
    assert_int_equal(t.QuadPart, 0);
    t.QuadPart = 132539328000000000ll + 12345678; /* 2021-01-01T00:00:01.2345678, a Friday */
    RtlTimeToTimeFields(&t, &f);
    assert_memory_equal(&f, (&(TIME_FIELDS){2021, 1, 1, 0, 0, 1, 234, 5}), sizeof(f));
    for (t.QuadPart = 86399ll * 10000000; t.QuadPart < 3200000000000000000ll / 2;
         t.QuadPart += 864000000000ll * 13) {
        LARGE_INTEGER back;
        RtlTimeToTimeFields(&t, &f);
        assert_true(RtlTimeFieldsToTime(&f, &back));
        assert_int_equal(back.QuadPart, t.QuadPart);
        assert_int_equal(f.Weekday, (t.QuadPart / 864000000000ll + 1) % 7);
    }
    t.QuadPart = 0x7FFFFFFFFFFFFFFFll;
    RtlTimeToTimeFields(&t, &f);
    assert_int_equal(f.Year, 30828);
    static const TIME_FIELDS bad[] = {
        {1600, 1, 1, 0, 0, 0, 0, 0},  {2001, 2, 29, 0, 0, 0, 0, 0},   {1900, 2, 29, 0, 0, 0, 0, 0},
        {2000, 13, 1, 0, 0, 0, 0, 0}, {2000, 1, 1, 24, 0, 0, 0, 0},   {2000, 1, 1, 0, 60, 0, 0, 0},
        {2000, 1, 1, 0, 0, 60, 0, 0}, {2000, 1, 1, 0, 0, 0, 1000, 0}, {2000, 4, 31, 0, 0, 0, 0, 0},
        {30828, 1, 1, 0, 0, 0, 0, 0}, {2000, 1, 0, 0, 0, 0, 0, 0},
    };
    for (unsigned i = 0; i < RTL_NUMBER_OF(bad); i++) {
        f = bad[i];
        assert_false(RtlTimeFieldsToTime(&f, &t));
    }
    RtlSecondsSince1970ToTime(0, &t);
    assert_int_equal(t.QuadPart, 116444736000000000ll);
    assert_true(RtlTimeToSecondsSince1970(&t, &s) && s == 0);
    t.QuadPart--;
    assert_false(RtlTimeToSecondsSince1970(&t, &s));
    RtlSecondsSince1970ToTime(0xFFFFFFFF, &t);
    assert_true(RtlTimeToSecondsSince1970(&t, &s) && s == 0xFFFFFFFF);
    t.QuadPart += 10000000;
    assert_false(RtlTimeToSecondsSince1970(&t, &s));
}

static NTSTATUS verify(ULONG Major, ULONG Minor, ULONG Build, UCHAR Condition, ULONG Types)
{
    RTL_OSVERSIONINFOEXW v = {.dwMajorVersion = Major, .dwMinorVersion = Minor, .dwBuildNumber = Build};
    return RtlVerifyVersionInfo(&v, Types, VerSetConditionMask(0, Types, Condition));
}

static void test_version(void **state)
{
    RTL_OSVERSIONINFOEXW v = {.dwOSVersionInfoSize = sizeof(RTL_OSVERSIONINFOW), .wProductType = 77};
    (void)state;
    assert_int_equal(RtlGetVersion((PRTL_OSVERSIONINFOW)&v), STATUS_SUCCESS);
    assert_true(v.dwMajorVersion == 10 && v.dwMinorVersion == 0 && v.dwBuildNumber == 19045 &&
                v.dwPlatformId == 2);
    assert_int_equal(v.wProductType, 77);
    v.dwOSVersionInfoSize = sizeof(v);
    assert_int_equal(RtlGetVersion((PRTL_OSVERSIONINFOW)&v), STATUS_SUCCESS);
    assert_int_equal(v.wProductType, VER_NT_WORKSTATION);
    assert_int_equal(verify(6, 1, 0, VER_GREATER_EQUAL, 3), STATUS_SUCCESS);
    assert_int_equal(verify(10, 0, 0, VER_GREATER_EQUAL, 3), STATUS_SUCCESS);
    assert_int_equal(verify(10, 1, 0, VER_GREATER_EQUAL, 3), STATUS_REVISION_MISMATCH);
    assert_int_equal(verify(10, 0, 0, VER_EQUAL, 3), STATUS_SUCCESS);
    assert_int_equal(verify(11, 0, 0, VER_LESS, 3), STATUS_SUCCESS);
    assert_int_equal(verify(10, 0, 19041, VER_GREATER_EQUAL, 7), STATUS_SUCCESS);
    assert_int_equal(verify(10, 0, 22000, VER_GREATER_EQUAL, 7), STATUS_REVISION_MISMATCH);
    assert_int_equal(verify(10, 0, 0, 0, 3), STATUS_INVALID_PARAMETER);
    assert_int_equal(verify(10, 0, 0, VER_EQUAL, 0), STATUS_INVALID_PARAMETER);
    assert_int_equal(verify(10, 0, 0, VER_EQUAL, VER_SUITENAME), STATUS_INVALID_PARAMETER);
    assert_true(RtlIsNtDdiVersionAvailable(0x0A000000) && RtlIsNtDdiVersionAvailable(0x06010000));
    assert_false(RtlIsNtDdiVersionAvailable(0x0A010000) || RtlIsNtDdiVersionAvailable(0x06010100));
}

static void test_random(void **state)
{
    ULONG seed = 1, again = 1, high = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        ULONG r = RtlRandomEx(&seed);
        assert_int_equal(r, RtlRandomEx(&again));
        assert_true(r < 0x7FFFFFFF);
        high += r >= 0x40000000;
    }
    assert_true(high > 400 && high < 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_page),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_ill_formed),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_guid),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * The printf engine against the tables of Microsoft's format specification, and the return and termination
 * rules of each function of the family. */
#include "rtl_test.h"

#define EXPECT(Text, ...)                                                                                    \
    do {                                                                                                     \
        char Buffer[256];                                                                                    \
        assert_int_equal(sprintf(Buffer, __VA_ARGS__), sizeof(Text) - 1);                                    \
        assert_string_equal(Buffer, Text);                                                                   \
    } while (0)

#define EXPECT_WIDE(Text, ...)                                                                               \
    do {                                                                                                     \
        wchar_t Buffer[256];                                                                                 \
        assert_int_equal(swprintf(Buffer, __VA_ARGS__), sizeof(Text) / sizeof(wchar_t) - 1);                 \
        assert_memory_equal(Buffer, Text, sizeof(Text));                                                     \
    } while (0)

static void test_integers(void **state)
{
    (void)state;
    EXPECT("0 -1 4294967295 2147483647", "%d %i %u %ld", 0, -1, -1, 0x7FFFFFFF);
    EXPECT("-2147483648", "%d", (int)0x80000000);
    EXPECT("-9223372036854775808", "%I64d", (LONG64)0x8000000000000000ull);
    EXPECT("18446744073709551615 ffffffffffffffff", "%llu %I64x", ~0ull, ~0ull);
    EXPECT("DEADBEEF deadbeef 17", "%X %lx %o", 0xDEADBEEF, 0xDEADBEEF, 15);
    EXPECT("ffff -1 255 -1", "%hx %hd %hhu %hhd", -1, -1, -1, -1);
    EXPECT("1 1 1 1", "%I32d %Id %zu %td", 1, 1ll, 1ll, 1ll);
    EXPECT("0000000000001234", "%p", (void *)0x1234);
    EXPECT("FFFFF80012345678|  0000000000000000", "%p|%18p", (void *)0xFFFFF80012345678ull, NULL);
}

static void test_flags(void **state)
{
    (void)state;
    EXPECT("   42|42   |00042|+42| 42|-0042", "%5d|%-5d|%05d|%+d|% d|%05d", 42, 42, 42, 42, 42, -42);
    EXPECT("0x2a 0X2A 052 0 0", "%#x %#X %#o %#x %#o", 42, 42, 42, 0, 0);
    EXPECT("00042|  042|042  |-00042", "%.5d|%5.3d|%-5.3d|%.5d", 42, 42, 42, -42);
    EXPECT("|   |0", "%.0d|%3.0d|%d", 0, 0, 0);
    EXPECT("   007", "%06.3d", 7); /* a precision switches the flag 0 off */
    EXPECT("0x0000002a", "%#010x", 42);
    EXPECT("   42|42   |  042", "%*d|%*d|%*.*d", 5, 42, -5, 42, 5, 3, 42);
    EXPECT("42", "%.*d", -3, 42);
    EXPECT("42   ", "%-05d", 42);
}

static void test_strings(void **state)
{
    UNICODE_STRING u = USTR(L"wide");
    STRING a = ASTR("narrow"), none = {0, 0, NULL};
    (void)state;
    EXPECT("abc  abc|abc  |ab", "%s %4s|%-5s|%.2s", "abc", "abc", "abc", "abc");
    EXPECT("wide wide wide narrow", "%S %ws %ls %hs", L"wide", L"wide", L"wide", "narrow");
    EXPECT("wide narrow wi| narrow", "%wZ %Z %.2wZ|%7Z", &u, &a, &u, &a);
    EXPECT("(null) (null) (null) (null)", "%s %S %wZ %Z", NULL, NULL, NULL, &none);
    EXPECT("a b \x80?", "%c %C %C%C", 'a', 'b', 0x20AC, 0x1234);
    EXPECT("x%y", "x%%%y");
    EXPECT("   (nu", "%6.3s", NULL);
    EXPECT("end", "end%");
    char Unterminated[3] = {'a', 'b', 'c'};
    EXPECT("abc", "%.3s", Unterminated);
}

static void test_wide(void **state)
{
    UNICODE_STRING u = USTR(L"wide");
    STRING a = ASTR("nar");
    (void)state;
    EXPECT_WIDE(L"wide nar nar wide", L"%s %S %hs %ws", L"wide", "nar", "nar", L"wide");
    EXPECT_WIDE(L"wide nar", L"%wZ %Z", &u, &a);
    EXPECT_WIDE(L"W n \x20AC", L"%c %C %hc", 'W', 'n', 0x80);
    EXPECT_WIDE(L"-5 ffffffff 0000000000000010", L"%d %x %p", -5, -1, (void *)0x10);
}

/* No floating point and no %n: the letter, and the next argument is still the right one. */
static void test_unsupported(void **state)
{
    int n = 5;
    (void)state;
    EXPECT("n 7", "%n %d", &n, 7);
    assert_int_equal(n, 5);
    EXPECT("f 7", "%f %d", 1ll, 7);
}

static int vsn(char *Buffer, size_t Count, const char *Format, ...)
{
    va_list Args;
    va_start(Args, Format);
    int n = _vsnprintf(Buffer, Count, Format, Args);
    va_end(Args);
    return n;
}

static void test_snprintf(void **state)
{
    char b[8] = "zzzzzzz";
    wchar_t w[4] = {9, 9, 9, 9};
    (void)state;
    assert_int_equal(_snprintf(b, 4, "%s", "abc"), 3);
    assert_memory_equal(b, "abc\0zzz", 8);
    assert_int_equal(vsn(b, 4, "%s", "wxyz"), 4); /* exactly full: no terminator */
    assert_memory_equal(b, "wxyzzzz", 8);
    assert_int_equal(_snprintf(b, 4, "%s", "12345"), -1); /* cut: no terminator */
    assert_memory_equal(b, "1234zzz", 8);
    assert_int_equal(_snprintf(NULL, 0, "%d", 12345), 5);
    assert_int_equal(_snprintf(NULL, 3, "%d", 12345), -1);
    assert_int_equal(_snprintf(b, 0, ""), 0);
    assert_int_equal(_snwprintf(w, 3, L"%s", L"abcd"), -1);
    assert_memory_equal(w, ((wchar_t[]){'a', 'b', 'c', 9}), 8);
    assert_int_equal(_snwprintf(w, 3, L"ab"), 2);
    assert_memory_equal(w, ((wchar_t[]){'a', 'b', 0, 9}), 8);
}

static void test_secure(void **state)
{
    char b[8] = "zzzzzzz";
    wchar_t w[4];
    (void)state;
    assert_int_equal(sprintf_s(b, 4, "%s", "abc"), 3);
    assert_memory_equal(b, "abc\0zzz", 8);
    assert_int_equal(sprintf_s(b, 4, "%s", "abcd"), -1);
    assert_int_equal(b[0], 0);
    assert_int_equal(sprintf_s(b, 0, "a"), -1);
    assert_int_equal(_snprintf_s(b, 4, CRT_TRUNCATE, "%s", "abcd"), -1);
    assert_string_equal(b, "abc");
    assert_int_equal(_snprintf_s(b, 8, 2, "%s", "wxyz"), -1);
    assert_string_equal(b, "wx");
    assert_int_equal(_snprintf_s(b, 8, 2, "%s", "uv"), 2);
    assert_string_equal(b, "uv");
    assert_int_equal(_snprintf_s(b, 4, 6, "%s", "abcd"), -1);
    assert_int_equal(b[0], 0);
    assert_int_equal(swprintf_s(w, 4, L"%d", 123), 3);
    assert_int_equal(swprintf_s(w, 4, L"%d", 1234), -1);
    assert_int_equal(w[0], 0);
    assert_int_equal(_snwprintf_s(w, 4, CRT_TRUNCATE, L"%d", 1234), -1);
    assert_memory_equal(w, L"123", 8);
}

static VOID count_sink(PVOID Context, WCHAR Character)
{
    assert_int_not_equal(Character, 0);
    ++*(int *)Context;
}

static LONG to_sink(PVOID Context, PCSTR Format, ...)
{
    va_list Args;
    va_start(Args, Format);
    LONG n = RtlFormatToSink(count_sink, Context, Format, Args);
    va_end(Args);
    return n;
}

/* A field wider than the engine's limit is cut to it, whatever digits or arguments say. */
static void test_sink(void **state)
{
    int n = 0;
    (void)state;
    assert_int_equal(to_sink(&n, "%d-%s", 10, "abc"), 6);
    assert_int_equal(n, 6);
    assert_int_equal(to_sink(&n, "%99999999999999d%*d", 1, (int)0x80000000, 1), 2 * 0xFFFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),    cmocka_unit_test(test_flags),    cmocka_unit_test(test_strings),
        cmocka_unit_test(test_wide),        cmocka_unit_test(test_snprintf), cmocka_unit_test(test_secure),
        cmocka_unit_test(test_unsupported), cmocka_unit_test(test_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

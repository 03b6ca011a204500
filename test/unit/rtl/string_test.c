/* SPDX-License-Identifier: MIT
 * Counted strings: limits of length, truncation, termination, aliasing, allocation failure. */
#include "rtl_test.h"

static WCHAR Long[40000];
static CHAR LongAnsi[70000];

static void test_init(void **state)
{
    UNICODE_STRING u;
    STRING a;
    (void)state;
    RtlInitUnicodeString(&u, L"abc");
    assert_true(u.Length == 6 && u.MaximumLength == 8);
    RtlInitUnicodeString(&u, NULL);
    assert_true(u.Length == 0 && u.MaximumLength == 0 && u.Buffer == NULL);
    for (unsigned i = 0; i + 1 < 40000; i++)
        Long[i] = 'x';
    memset(LongAnsi, 'x', sizeof(LongAnsi) - 1);
    RtlInitUnicodeString(&u, Long);
    assert_true(u.Length == 0xFFFC && u.MaximumLength == 0xFFFE);
    assert_int_equal(RtlInitUnicodeStringEx(&u, Long), STATUS_NAME_TOO_LONG);
    assert_int_equal(RtlInitUnicodeStringEx(&u, L"ok"), STATUS_SUCCESS);
    RtlInitAnsiString(&a, LongAnsi);
    assert_true(a.Length == 0xFFFE && a.MaximumLength == 0xFFFF);
    assert_int_equal(RtlInitAnsiStringEx(&a, LongAnsi), STATUS_NAME_TOO_LONG);
    RtlInitString(&a, NULL);
    assert_true(a.Length == 0 && a.MaximumLength == 0);
}

static void test_copy(void **state)
{
    WCHAR w[4] = {9, 9, 9, 9};
    char b[4] = "zzz";
    UNICODE_STRING u = UBUFFER(w), abc = USTR(L"abc"), abcde = USTR(L"abcde");
    STRING a = ABUFFER(b), s = ASTR("hello");
    (void)state;
    RtlCopyUnicodeString(&u, &abc);
    assert_ustr(&u, L"abc");
    assert_int_equal(w[3], 0);
    RtlCopyUnicodeString(&u, &abcde); /* cut, no room for a terminator */
    assert_ustr(&u, L"abcd");
    RtlCopyUnicodeString(&u, NULL);
    assert_int_equal(u.Length, 0);
    RtlCopyString(&a, &s);
    assert_astr(&a, "hell");
    RtlCopyString(&a, NULL);
    assert_int_equal(a.Length, 0);
}

static void test_append(void **state)
{
    WCHAR w[6];
    char b[6];
    UNICODE_STRING u = UBUFFER(w), ab = USTR(L"ab"), empty = {0, 0, NULL};
    STRING a = ABUFFER(b), s = ASTR("abcd");
    (void)state;
    assert_int_equal(RtlAppendUnicodeStringToString(&u, &ab), STATUS_SUCCESS);
    assert_int_equal(RtlAppendUnicodeStringToString(&u, &empty), STATUS_SUCCESS);
    assert_int_equal(RtlAppendUnicodeToString(&u, L"cd"), STATUS_SUCCESS);
    assert_int_equal(w[4], 0);
    assert_int_equal(RtlAppendUnicodeToString(&u, L"xyz"), STATUS_BUFFER_TOO_SMALL);
    assert_ustr(&u, L"abcd");
    assert_int_equal(RtlAppendUnicodeStringToString(&u, &u), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlAppendUnicodeStringToString(&u, &ab), STATUS_SUCCESS); /* full, no terminator */
    assert_ustr(&u, L"abcdab");
    assert_int_equal(RtlAppendUnicodeToString(&u, NULL), STATUS_SUCCESS);
    assert_int_equal(RtlAppendUnicodeToString(&u, Long), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlAppendStringToString(&a, &s), STATUS_SUCCESS);
    assert_int_equal(RtlAppendStringToString(&a, &s), STATUS_BUFFER_TOO_SMALL);
    assert_astr(&a, "abcd");
}

static void test_compare(void **state)
{
    UNICODE_STRING a = USTR(L"abc"), b = USTR(L"ABC"), c = USTR(L"abcd"), e = USTR(L"");
    UNICODE_STRING umlaut = USTR(L"\x00E4\x0161\x03C3"), upper = USTR(L"\x00C4\x0160\x03A3");
    STRING na = ASTR("abc"), nb = ASTR("ABC"), nu = ASTR("\xE4"), nU = ASTR("\xC4");
    (void)state;
    assert_true(RtlCompareUnicodeString(&a, &b, FALSE) > 0 && RtlCompareUnicodeString(&a, &b, TRUE) == 0);
    assert_true(RtlCompareUnicodeString(&a, &c, FALSE) < 0 && RtlCompareUnicodeString(&e, &a, TRUE) < 0);
    assert_true(RtlEqualUnicodeString(&a, &b, TRUE) && !RtlEqualUnicodeString(&a, &b, FALSE));
    assert_true(!RtlEqualUnicodeString(&a, &c, TRUE) && RtlEqualUnicodeString(&e, &e, FALSE));
    assert_true(RtlEqualUnicodeString(&umlaut, &upper, TRUE) &&
                !RtlEqualUnicodeString(&umlaut, &upper, FALSE));
    assert_true(RtlPrefixUnicodeString(&b, &c, TRUE) && !RtlPrefixUnicodeString(&b, &c, FALSE));
    assert_true(!RtlPrefixUnicodeString(&c, &a, TRUE) && RtlPrefixUnicodeString(&e, &a, FALSE));
    assert_true(RtlCompareString(&na, &nb, TRUE) == 0 && RtlCompareString(&na, &nb, FALSE) > 0);
    assert_true(RtlEqualString(&nu, &nU, TRUE) && !RtlEqualString(&nu, &nU, FALSE));
}

static void test_hash_and_validate(void **state)
{
    UNICODE_STRING a = USTR(L"ab"), b = USTR(L"AB");
    ULONG x, y;
    (void)state;
    assert_int_equal(RtlHashUnicodeString(&a, FALSE, 1, &x), STATUS_SUCCESS);
    assert_int_equal(x, 'a' * 65599u + 'b');
    assert_int_equal(RtlHashUnicodeString(&a, TRUE, 0, &x), STATUS_SUCCESS);
    assert_int_equal(RtlHashUnicodeString(&b, FALSE, 0, &y), STATUS_SUCCESS);
    assert_int_equal(x, y);
    assert_int_equal(RtlHashUnicodeString(&a, FALSE, 2, &x), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlHashUnicodeString(NULL, FALSE, 0, &x), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlValidateUnicodeString(0, &a), STATUS_SUCCESS);
    assert_int_equal(RtlValidateUnicodeString(0, &(UNICODE_STRING){3, 4, Long}), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlValidateUnicodeString(0, &(UNICODE_STRING){6, 4, Long}), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlValidateUnicodeString(0, &(UNICODE_STRING){0, 4, NULL}), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlValidateUnicodeString(1, &a), STATUS_INVALID_PARAMETER);
}

static void test_to_ansi(void **state)
{
    char b[4] = "zzz";
    UNICODE_STRING u = USTR(L"a\x20AC\x4E2D"), abc = USTR(L"abcdef");
    STRING a = {0};
    (void)state;
    assert_int_equal(RtlUnicodeStringToAnsiString(&a, &u, TRUE), STATUS_SUCCESS);
    assert_astr(&a, "a\x80?");
    assert_true(a.MaximumLength == 4 && a.Buffer[3] == 0);
    RtlFreeAnsiString(&a);
    assert_null(a.Buffer);
    RtlFreeAnsiString(&a);
    TestPool.FailAt = 1;
    assert_int_equal(RtlUnicodeStringToAnsiString(&a, &u, TRUE), STATUS_NO_MEMORY);
    assert_null(a.Buffer);
    a = ABUFFER(b);
    assert_int_equal(RtlUnicodeStringToAnsiString(&a, &abc, FALSE), STATUS_BUFFER_OVERFLOW);
    assert_astr(&a, "abc");
    assert_int_equal(b[3], 0);
    a.MaximumLength = 0;
    b[0] = 'q';
    assert_int_equal(RtlUnicodeStringToAnsiString(&a, &abc, FALSE), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(b[0], 'q');
    assert_int_equal(RtlxUnicodeStringToAnsiSize(&abc), 7);
    assert_int_equal(TestPool.Live, 0);
}

static void test_to_unicode(void **state)
{
    WCHAR w[4];
    UNICODE_STRING u = {0};
    STRING a = ASTR("\x80z"), abcd = ASTR("abcd"), big = {40000, 40000, LongAnsi};
    (void)state;
    assert_int_equal(RtlAnsiStringToUnicodeString(&u, &a, TRUE), STATUS_SUCCESS);
    assert_ustr(&u, L"\x20ACz");
    assert_true(u.MaximumLength == 6 && u.Buffer[2] == 0);
    RtlFreeUnicodeString(&u);
    TestPool.FailAt = 1;
    assert_int_equal(RtlAnsiStringToUnicodeString(&u, &a, TRUE), STATUS_NO_MEMORY);
    assert_int_equal(RtlAnsiStringToUnicodeString(&u, &big, TRUE), STATUS_INVALID_PARAMETER_2);
    u = UBUFFER(w);
    assert_int_equal(RtlAnsiStringToUnicodeString(&u, &abcd, FALSE), STATUS_BUFFER_OVERFLOW);
    assert_int_equal(RtlAnsiStringToUnicodeString(&u, &a, FALSE), STATUS_SUCCESS);
    assert_ustr(&u, L"\x20ACz");
    assert_int_equal(RtlxAnsiStringToUnicodeSize(&abcd), 10);
    assert_int_equal(TestPool.Live, 0);
}

static void test_case(void **state)
{
    WCHAR w[4] = {'a', 'B', 0xE4, 0xB5};
    UNICODE_STRING u = {8, 8, w}, v = {0}, small = {0, 6, w};
    CHAR b[3];
    STRING a = ASTR("a\xFF\xE4"), t = ABUFFER(b);
    (void)state;
    assert_int_equal(RtlUpcaseUnicodeString(&v, &u, TRUE), STATUS_SUCCESS);
    assert_ustr(&v, L"AB\xC4\xB5");
    assert_int_equal(v.MaximumLength, 8);
    RtlFreeUnicodeString(&v);
    assert_int_equal(RtlUpcaseUnicodeString(&u, &u, FALSE), STATUS_SUCCESS); /* in place */
    assert_ustr(&u, L"AB\xC4\xB5");
    assert_int_equal(RtlDowncaseUnicodeString(&u, &u, FALSE), STATUS_SUCCESS);
    assert_ustr(&u, L"ab\xE4\xB5");
    assert_int_equal(RtlUpcaseUnicodeString(&small, &u, FALSE), STATUS_BUFFER_OVERFLOW);
    TestPool.FailAt = 1;
    assert_int_equal(RtlUpcaseUnicodeString(&v, &u, TRUE), STATUS_NO_MEMORY);
    RtlUpperString(&t, &a);
    assert_astr(&t, "A\x9F\xC4");
    assert_int_equal(RtlUpcaseUnicodeChar(0x131), 0x131);
    assert_int_equal(RtlUpcaseUnicodeChar(0x3C2), 0x3A3);
    assert_int_equal(RtlUpcaseUnicodeChar(0x1F80), 0x1F88);
    assert_int_equal(RtlUpcaseUnicodeChar(0x450), 0x400);
    assert_int_equal(RtlDowncaseUnicodeChar(0x410), 0x430);
    for (ULONG c = 0; c < 0x10000; c++) { /* upper case is stable */
        assert_int_equal(RtlUpcaseUnicodeChar(RtlUpcaseUnicodeChar((WCHAR)c)),
                         RtlUpcaseUnicodeChar((WCHAR)c));
        assert_int_equal(RtlUpcaseUnicodeChar(RtlDowncaseUnicodeChar((WCHAR)c)),
                         RtlUpcaseUnicodeChar((WCHAR)c));
    }
    assert_int_equal(TestPool.Live, 0);
}

static void test_duplicate(void **state)
{
    UNICODE_STRING u = USTR(L"abc"), e = {0, 0, NULL}, v;
    (void)state;
    assert_int_equal(RtlDuplicateUnicodeString(1, &u, &v), STATUS_SUCCESS);
    assert_ustr(&v, L"abc");
    assert_true(v.MaximumLength == 8 && v.Buffer[3] == 0);
    RtlFreeUnicodeString(&v);
    assert_int_equal(RtlDuplicateUnicodeString(0, &u, &v), STATUS_SUCCESS);
    assert_int_equal(v.MaximumLength, 6);
    RtlFreeUnicodeString(&v);
    assert_int_equal(RtlDuplicateUnicodeString(1, &e, &v), STATUS_SUCCESS);
    assert_null(v.Buffer);
    assert_int_equal(RtlDuplicateUnicodeString(3, &e, &v), STATUS_SUCCESS);
    assert_non_null(v.Buffer);
    RtlFreeUnicodeString(&v);
    assert_int_equal(RtlDuplicateUnicodeString(2, &u, &v), STATUS_INVALID_PARAMETER);
    TestPool.FailAt = 1;
    assert_int_equal(RtlDuplicateUnicodeString(1, &u, &v), STATUS_NO_MEMORY);
    assert_int_equal(TestPool.Live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),       cmocka_unit_test(test_copy),
        cmocka_unit_test(test_append),     cmocka_unit_test(test_compare),
        cmocka_unit_test(test_to_ansi),    cmocka_unit_test(test_hash_and_validate),
        cmocka_unit_test(test_case),       cmocka_unit_test(test_duplicate),
        cmocka_unit_test(test_to_unicode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

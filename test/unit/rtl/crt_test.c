/* SPDX-License-Identifier: MIT
 * The C string functions, narrow and wide. */
#include "rtl_test.h"

static void test_narrow(void **state)
{
    char b[12];
    (void)state;
    assert_int_equal(strlen(""), 0);
    assert_int_equal(strnlen("abcdef", 3), 3);
    assert_string_equal(strcpy(b, "ab"), "ab");
    assert_string_equal(strcat(b, "cd"), "abcd");
    assert_string_equal(strncat(b, "efgh", 2), "abcdef");
    memset(b, 'x', sizeof(b));
    assert_memory_equal(strncpy(b, "ab", 5), "ab\0\0\0xxxxxxx", 12);
    assert_memory_equal(strncpy(b, "uvwxyz", 3), "uvw\0\0xxxxxxx", 12);
    assert_true(strcmp("a", "b") < 0 && strcmp("\xFF", "a") > 0 && strcmp("ab", "ab") == 0 &&
                strcmp("ab", "a") > 0);
    assert_true(strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0 && strncmp("a", "a", 9) == 0);
    assert_true(_stricmp("DRIVER", "driver") == 0 && _stricmp("a", "_") > 0 &&
                _strnicmp("ABx", "aby", 2) == 0);
    const char *s = "banana";
    assert_ptr_equal(strchr(s, 'n'), s + 2);
    assert_ptr_equal(strrchr(s, 'n'), s + 4);
    assert_ptr_equal(strchr(s, 0), s + 6);
    assert_null(strchr(s, 'x'));
    assert_null(strrchr(s, 'x'));
    assert_ptr_equal(strstr(s, "nan"), s + 2);
    assert_ptr_equal(strstr(s, ""), s);
    assert_null(strstr(s, "nab"));
    strcpy(b, "aZ\xE4");
    assert_string_equal(_strupr(b), "AZ\xE4");
    assert_string_equal(_strlwr(b), "az\xE4");
}

static void test_wide(void **state)
{
    wchar_t b[12];
    (void)state;
    assert_int_equal(wcslen(L"abc"), 3);
    assert_int_equal(wcsnlen(L"abcdef", 3), 3);
    assert_memory_equal(wcscpy(b, L"ab"), L"ab", 6);
    assert_memory_equal(wcscat(b, L"cd"), L"abcd", 10);
    assert_memory_equal(wcsncat(b, L"efgh", 2), L"abcdef", 14);
    assert_memory_equal(wcsncpy(b, L"uv", 3), ((wchar_t[]){'u', 'v', 0, 'd'}), 8);
    assert_true(wcscmp(L"a", L"b") == -1 && wcscmp(L"ab", L"a") == 1 && wcscmp(L"a", L"a") == 0);
    assert_true(wcsncmp(L"abc", L"abd", 2) == 0 && wcsncmp(L"abc", L"abd", 3) < 0);
    assert_true(_wcsicmp(L"DEVICE", L"device") == 0 && _wcsnicmp(L"ABx", L"aby", 2) == 0 &&
                _wcsicmp(L"a", L"b") < 0);
    const wchar_t *s = L"banana";
    assert_ptr_equal(wcschr(s, 'n'), s + 2);
    assert_ptr_equal(wcsrchr(s, 'n'), s + 4);
    assert_null(wcschr(s, 'x'));
    assert_ptr_equal(wcsstr(s, L"nan"), s + 2);
    assert_null(wcsstr(s, L"nab"));
    wcscpy(b, L"aZ");
    assert_memory_equal(_wcsupr(b), L"AZ", 6);
    assert_memory_equal(_wcslwr(b), L"az", 6);
}

static void test_secure(void **state)
{
    char b[4] = "z";
    wchar_t w[4] = L"z";
    (void)state;
    assert_int_equal(strcpy_s(b, 4, "abc"), 0);
    assert_string_equal(b, "abc");
    assert_int_equal(strcpy_s(b, 4, "abcd"), CRT_ERANGE);
    assert_int_equal(b[0], 0);
    assert_int_equal(strcpy_s(b, 4, NULL), CRT_EINVAL);
    assert_int_equal(strcpy_s(NULL, 4, "a"), CRT_EINVAL);
    assert_int_equal(strcpy_s(b, 4, "ab"), 0);
    assert_int_equal(strcat_s(b, 4, "c"), 0);
    assert_string_equal(b, "abc");
    assert_int_equal(strcat_s(b, 4, "d"), CRT_ERANGE);
    assert_int_equal(b[0], 0);
    memset(b, 'x', 4);
    assert_int_equal(strcat_s(b, 4, "d"), CRT_EINVAL);
    assert_int_equal(wcscpy_s(w, 4, L"abc"), 0);
    assert_int_equal(wcscat_s(w, 4, L"d"), CRT_ERANGE);
    assert_int_equal(w[0], 0);
}

static void test_ctype(void **state)
{
    (void)state;
    for (int c = -1; c < 300; c++) {
        assert_int_equal(isdigit(c) != 0, c >= '0' && c <= '9');
        assert_int_equal(isupper(c) != 0, c >= 'A' && c <= 'Z');
        assert_int_equal(islower(c) != 0, c >= 'a' && c <= 'z');
        assert_int_equal(toupper(c), islower(c) ? c - 32 : c);
        assert_int_equal(tolower(c), isupper(c) ? c + 32 : c);
    }
    assert_true(isspace(' ') && isspace('\v') && !isspace(0xA0) && isxdigit('f') && !isxdigit('g'));
    assert_true(isprint('~') && !isprint(127));
    assert_int_equal(atoi("  -42x"), -42);
    assert_int_equal(atoi("+7"), 7);
    assert_int_equal(atoi(""), 0);
    assert_int_equal(atoi("99999999999999999999"), 0x7FFFFFFF);
    assert_int_equal(atol("-99999999999"), (int)0x80000000);
    assert_int_equal(atoi("-2147483648"), (int)0x80000000);
    assert_int_equal(_wtoi(L" 123"), 123);
    assert_int_equal(_wtol(L"-5"), -5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_secure),
        cmocka_unit_test(test_ctype),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * File names: wild cards against a matcher that tries everything, short names, parts, legal characters; statuses and reparse
 * points. */
#include "rtl_test.h"

static jmp_buf Raised;

DECLSPEC_NORETURN VOID RtlRaiseStatus(NTSTATUS Status)
{
    longjmp(Raised, Status == STATUS_NO_MEMORY ? 1 : 2);
}

/* The rules of the documentation, each way tried. LastDot: where the last dot of the whole name is. */
static BOOLEAN matches(const WCHAR *e, const WCHAR *n, const WCHAR *LastDot)
{
    switch (*e) {
    case 0:
        return *n == 0;
    case '*':
        return matches(e + 1, n, LastDot) || (*n != 0 && matches(e, n + 1, LastDot));
    case '<':
        return matches(e + 1, n, LastDot) || (*n != 0 && n != LastDot && matches(e, n + 1, LastDot));
    case '>':
        if (*n == 0 || *n == '.')
            return matches(e + 1, n, LastDot);
        return matches(e + 1, n + 1, LastDot);
    case '"':
        return *n == 0 ? matches(e + 1, n, LastDot) : *n == '.' && matches(e + 1, n + 1, LastDot);
    case '?':
        return *n != 0 && matches(e + 1, n + 1, LastDot);
    default:
        return *e == *n && matches(e + 1, n + 1, LastDot);
    }
}

static uint64_t Seed = 23;

static ULONG random_below(ULONG Limit)
{
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    return (ULONG)(Seed >> 33) % Limit;
}

static void make_text(WCHAR *Text, ULONG Most, const char *Letters)
{
    ULONG Length = random_below(Most + 1);
    for (ULONG i = 0; i < Length; i++)
        Text[i] = (WCHAR)Letters[random_below((ULONG)strlen(Letters))];
    Text[Length] = 0;
}

static void test_random_expressions(void **state)
{
    ULONG Hits = 0;
    (void)state;
    for (int i = 0; i < 60000; i++) {
        WCHAR e[12], n[10];
        UNICODE_STRING Expression, Name;
        make_text(e, 7, "*?<>\".AB");
        make_text(n, 8, "AB..");
        RtlInitUnicodeString(&Expression, e);
        RtlInitUnicodeString(&Name, n);
        BOOLEAN Expected = matches(e, n, wcsrchr(n, '.'));
        assert_int_equal(FsRtlIsNameInExpression(&Expression, &Name, FALSE, NULL), Expected);
        Hits += Expected;
    }
    assert_true(Hits > 2000);
}

static BOOLEAN is_in(const WCHAR *e, const WCHAR *n, BOOLEAN IgnoreCase)
{
    UNICODE_STRING Expression, Name;
    RtlInitUnicodeString(&Expression, e);
    RtlInitUnicodeString(&Name, n);
    return FsRtlIsNameInExpression(&Expression, &Name, IgnoreCase, NULL);
}

static void test_expressions(void **state)
{
    static WCHAR Stars[2001], Upper[65536];
    (void)state;
    assert_true(is_in(L"*.TXT", L"read.me.txt", TRUE) && !is_in(L"*.TXT", L"read.me.txt", FALSE));
    assert_true(is_in(L"<.TXT", L"a.b.TXT", FALSE) && !is_in(L"<B.TXT", L"a.bc.TXT", FALSE));
    assert_true(is_in(L"<\"*", L"name", FALSE) && is_in(L"<\"*", L"name.ext", FALSE)); /* DOS *.* */
    assert_true(is_in(L">>>>>>>>\">>>", L"AB.C", FALSE) && !is_in(L">>\">>>", L"ABC.D", FALSE));
    assert_true(is_in(L"*", L"", FALSE) && !is_in(L"?", L"", FALSE) && is_in(L"\xC4*", L"\xE4nd", TRUE));
    for (ULONG i = 0; i < 2000; i++) /* what makes a backtracking matcher take for ever */
        Stars[i] = i % 2 ? 'A' : '*';
    assert_false(is_in(Stars, L"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", FALSE));
    TestPool.FailAt = 1;
    if (setjmp(Raised) == 0) {
        is_in(Stars, L"A", FALSE);
        fail();
    }
    TestPool.FailAt = 0;
    assert_int_equal(TestPool.Live, 0);
    for (ULONG i = 0; i < 65536; i++)
        Upper[i] = (WCHAR)(i == 'x' ? 'Y' : i);
    UNICODE_STRING Expression = USTR(L"Y*"), Name = USTR(L"xa");
    assert_true(FsRtlIsNameInExpression(&Expression, &Name, TRUE, Upper));
    assert_true(FsRtlAreNamesEqual(&Name, &USTR(L"Ya"), TRUE, Upper) &&
                !FsRtlAreNamesEqual(&Name, &USTR(L"Ya"), TRUE, NULL));
    assert_true(FsRtlAreNamesEqual(&Name, &USTR(L"XA"), TRUE, NULL) &&
                !FsRtlAreNamesEqual(&Name, &USTR(L"XA"), FALSE, NULL));
    assert_false(FsRtlAreNamesEqual(&Name, &USTR(L"X"), TRUE, NULL));
}

static void test_wild(void **state)
{
    (void)state;
    for (const WCHAR *p = L"*?<>\""; *p != 0; p++) {
        WCHAR Text[3] = {'a', *p, 'b'};
        assert_true(FsRtlDoesNameContainWildCards(&(UNICODE_STRING){6, 6, Text}));
    }
    assert_false(FsRtlDoesNameContainWildCards(&USTR(L"a.\x22A'b|\\")));
    assert_int_equal(FsRtlLegalAnsiCharacterArray['*'] & 0x0F, 0x08);
    assert_int_equal(FsRtlLegalAnsiCharacterArray['A'] & 0x0F, 0x07);
    assert_int_equal(FsRtlLegalAnsiCharacterArray['+'] & 0x0F, 0x06);
    assert_int_equal(FsRtlLegalAnsiCharacterArray['\\'], 0);
}

static void check_dissect(const WCHAR *Text, const WCHAR *First, const WCHAR *Rest)
{
    UNICODE_STRING Name, a, b;
    RtlInitUnicodeString(&Name, Text);
    FsRtlDissectName(Name, &a, &b);
    assert_ustr(&a, First);
    assert_ustr(&b, Rest);
}

static void test_dissect(void **state)
{
    (void)state;
    check_dissect(L"\\a\\b\\c", L"a", L"b\\c");
    check_dissect(L"a\\b", L"a", L"b");
    check_dissect(L"\\a", L"a", L"");
    check_dissect(L"\\", L"", L"");
    check_dissect(L"", L"", L"");
    check_dissect(L"a\\", L"a", L"");
}

static BOOLEAN is_short(const WCHAR *Text, const char *Oem, int Spaces)
{
    CHAR Buffer[12];
    STRING Name = ABUFFER(Buffer);
    UNICODE_STRING String;
    BOOLEAN HasSpaces = 2;
    RtlInitUnicodeString(&String, Text);
    if (!RtlIsNameLegalDOS8Dot3(&String, &Name, &HasSpaces))
        return FALSE;
    assert_astr(&Name, Oem);
    assert_int_equal(HasSpaces, Spaces);
    return TRUE;
}

static void test_short_names(void **state)
{
    static const WCHAR *const Bad[] = {L"",    L"123456789", L"a.1234", L".a", L"a.",     L"a..b", L"a.b.c",
                                       L"a+b", L"a ",        L"a .b",   L"a*", L"\x4E2D", L"..."};
    (void)state;
    assert_true(is_short(L"readme.txt", "README.TXT", FALSE) && is_short(L"a b", "A B", TRUE));
    assert_true(is_short(L"12345678.123", "12345678.123", FALSE) && is_short(L"..", "..", FALSE) &&
                is_short(L".", ".", FALSE));
    assert_true(is_short(L"\xE4", "\xC4", FALSE));
    for (ULONG i = 0; i < RTL_NUMBER_OF(Bad); i++)
        assert_false(is_short(Bad[i], "", FALSE));
    assert_true(RtlIsNameLegalDOS8Dot3(&USTR(L"a"), NULL, NULL));
    assert_false(RtlIsNameLegalDOS8Dot3(&USTR(L"ab"), &(STRING){0, 1, (PCHAR) "x"}, NULL));
}

static void test_statuses(void **state)
{
    UCHAR Buffer[64] = {3, 0, 0, 0xA0, 4};
    PREPARSE_DATA_BUFFER Reparse = (PREPARSE_DATA_BUFFER)Buffer;
    (void)state;
    assert_false(FsRtlIsNtstatusExpected(STATUS_ACCESS_VIOLATION));
    assert_true(FsRtlIsNtstatusExpected(STATUS_NO_MEMORY));
    assert_int_equal(FsRtlNormalizeNtstatus(STATUS_DATATYPE_MISALIGNMENT, STATUS_UNSUCCESSFUL),
                     STATUS_UNSUCCESSFUL);
    assert_int_equal(FsRtlNormalizeNtstatus(STATUS_NO_MEMORY, STATUS_UNSUCCESSFUL), STATUS_NO_MEMORY);
    assert_int_equal(FsRtlValidateReparsePointBuffer(12, Reparse), STATUS_SUCCESS);
    assert_int_equal(FsRtlValidateReparsePointBuffer(13, Reparse), STATUS_IO_REPARSE_DATA_INVALID);
    assert_int_equal(FsRtlValidateReparsePointBuffer(7, Reparse), STATUS_IO_REPARSE_DATA_INVALID);
    Buffer[3] = 0;
    assert_int_equal(FsRtlValidateReparsePointBuffer(28, Reparse), STATUS_SUCCESS); /* with a GUID */
    assert_int_equal(FsRtlValidateReparsePointBuffer(12, Reparse), STATUS_IO_REPARSE_DATA_INVALID);
    Buffer[0] = 1;
    assert_int_equal(FsRtlValidateReparsePointBuffer(28, Reparse), STATUS_IO_REPARSE_TAG_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_expressions),
        cmocka_unit_test(test_expressions),
        cmocka_unit_test(test_wild),
        cmocka_unit_test(test_dissect),
        cmocka_unit_test(test_short_names),
        cmocka_unit_test(test_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * Unicode prefix tables: the rules by hand, then random tables against a search through all prefixes. */
#include "rtl_test.h"

#define NAMES 60

static UNICODE_PREFIX_TABLE Table;
static UNICODE_PREFIX_TABLE_ENTRY Entries[NAMES];
static WCHAR Text[NAMES][16];
static UNICODE_STRING Names[NAMES];
static BOOLEAN Present[NAMES];
static uint64_t Seed = 3;

static ULONG random_below(ULONG Limit)
{
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    return (ULONG)(Seed >> 33) % Limit;
}

static PUNICODE_PREFIX_TABLE_ENTRY find(const WCHAR *Name, ULONG Index)
{
    UNICODE_STRING String;
    RtlInitUnicodeString(&String, Name);
    return RtlFindUnicodePrefix(&Table, &String, Index);
}

static BOOLEAN insert(int i, const WCHAR *Name)
{
    RtlInitUnicodeString(&Names[i], Name);
    return RtlInsertUnicodePrefix(&Table, &Names[i], &Entries[i]);
}

static void test_rules(void **state)
{
    (void)state;
    RtlInitializeUnicodePrefix(&Table);
    assert_null(find(L"\\a", 0));
    assert_null(RtlNextUnicodePrefix(&Table, TRUE));
    assert_true(insert(0, L"\\Dos\\Bin") && insert(1, L"\\Dos") && insert(2, L"\\other"));
    assert_false(insert(3, L"\\Dos"));
    assert_true(insert(3, L"\\DOS")); /* the case differs */
    assert_ptr_equal(find(L"\\dos\\bin\\x", 0), &Entries[0]);
    assert_ptr_equal(find(L"\\Dos\\Bin", 8), &Entries[0]);
    assert_ptr_equal(find(L"\\Dos\\Binary", 11), &Entries[1]); /* whole components */
    assert_ptr_equal(find(L"\\DOS\\bin\\x", 4), &Entries[3]);
    assert_ptr_equal(find(L"\\Dos\\bin\\x", 4), &Entries[0]);
    assert_ptr_equal(find(L"\\Dos\\bin\\x", 6), &Entries[1]);
    assert_null(find(L"\\dOS\\bin", 4));
    assert_null(find(L"\\", 0));
    assert_null(find(L"\\dosx", 0));
    assert_true(insert(4, L"\\"));
    assert_ptr_equal(find(L"\\dosx", 0), &Entries[4]);
    assert_ptr_equal(find(L"\\", 1), &Entries[4]);
    RtlRemoveUnicodePrefix(&Table, &Entries[1]);
    assert_ptr_equal(find(L"\\Dos\\x", 1), &Entries[3]);
    assert_ptr_equal(find(L"\\Dos\\x", 5), &Entries[4]);
}

/* Names of up to three components of one letter in either case. */
static void make_names(void)
{
    for (int i = 0; i < NAMES; i++) {
        ULONG Length = 0;
        for (ULONG Parts = 1 + random_below(3); Parts > 0; Parts--) {
            Text[i][Length++] = '\\';
            Text[i][Length++] = (WCHAR)("aAbB"[random_below(4)]);
        }
        Text[i][Length] = 0;
        RtlInitUnicodeString(&Names[i], Text[i]);
    }
}

static BOOLEAN is_match(PCUNICODE_STRING Prefix, PCUNICODE_STRING Name, ULONG Index)
{
    ULONG Length = Prefix->Length / 2;
    if (!RtlPrefixUnicodeString(Prefix, Name, TRUE) ||
        (Name->Length > Prefix->Length && Name->Buffer[Length] != '\\'))
        return FALSE;
    for (ULONG i = 0; i < Length && i < Index; i++) {
        if (Prefix->Buffer[i] != Name->Buffer[i])
            return FALSE;
    }
    return TRUE;
}

static void check_find(PCUNICODE_STRING Name, ULONG Index)
{
    USHORT Longest = 0;
    PUNICODE_PREFIX_TABLE_ENTRY Found = RtlFindUnicodePrefix(&Table, (PUNICODE_STRING)Name, Index);
    for (int i = 0; i < NAMES; i++) {
        if (Present[i] && is_match(&Names[i], Name, Index) && Names[i].Length > Longest)
            Longest = Names[i].Length;
    }
    assert_int_equal(Found == NULL ? 0 : Found->Prefix->Length, Longest);
    assert_true(Found == NULL || is_match(Found->Prefix, Name, Index));
}

static void check_all(void)
{
    ULONG Count = 0, Expected = 0;
    PUNICODE_PREFIX_TABLE_ENTRY Entry = RtlNextUnicodePrefix(&Table, TRUE);
    for (; Entry != NULL; Entry = RtlNextUnicodePrefix(&Table, FALSE)) {
        assert_true(Present[Entry - Entries]);
        Count++;
    }
    for (int i = 0; i < NAMES; i++)
        Expected += Present[i];
    assert_int_equal(Count, Expected);
}

static BOOLEAN is_taken(int Index)
{
    for (int i = 0; i < NAMES; i++) {
        if (Present[i] && RtlEqualUnicodeString(&Names[i], &Names[Index], FALSE))
            return TRUE;
    }
    return FALSE;
}

static void test_random(void **state)
{
    (void)state;
    make_names();
    RtlInitializeUnicodePrefix(&Table);
    for (int Step = 0; Step < 4000; Step++) {
        int i = (int)random_below(NAMES);
        if (Present[i]) {
            RtlRemoveUnicodePrefix(&Table, &Entries[i]);
            memset(&Entries[i], 0xA5, sizeof(Entries[i]));
            Present[i] = FALSE;
        } else {
            BOOLEAN Taken = is_taken(i);
            assert_int_equal(RtlInsertUnicodePrefix(&Table, &Names[i], &Entries[i]), !Taken);
            Present[i] = !Taken;
        }
        check_find(&Names[random_below(NAMES)], random_below(8));
        check_all();
    }
}

/* Removing what was just returned skips nothing. */
static void test_remove_all(void **state)
{
    ULONG Count = 0, Expected = 0;
    (void)state;
    for (int i = 0; i < NAMES; i++)
        Expected += Present[i];
    PUNICODE_PREFIX_TABLE_ENTRY Entry = RtlNextUnicodePrefix(&Table, TRUE);
    for (; Entry != NULL; Entry = RtlNextUnicodePrefix(&Table, FALSE)) {
        RtlRemoveUnicodePrefix(&Table, Entry);
        Count++;
    }
    assert_int_equal(Count, Expected);
    assert_null(RtlNextUnicodePrefix(&Table, TRUE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_remove_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

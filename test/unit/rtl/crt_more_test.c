/* SPDX-License-Identifier: MIT
 * Sorting, bounded copies, spans, tokens and numbers of the C library; bits, runs of bits, numbers and times of the Rtl. */
#include "rtl_test.h"

static uint64_t Seed = 29;

static ULONG random_below(ULONG Limit)
{
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    return (ULONG)(Seed >> 33) % Limit;
}

static int compare_triples(const void *a, const void *b)
{
    return memcmp(a, b, 3);
}

static void test_sort(void **state)
{
    (void)state;
    for (int Round = 0; Round < 300; Round++) {
        UCHAR Data[60][3];
        ULONG Count = random_below(61), Sum = 0, After = 0;
        for (ULONG i = 0; i < 3 * Count; i++)
            Sum += ((UCHAR *)Data)[i] = (UCHAR)random_below(4);
        qsort(Data, Count, 3, compare_triples);
        for (ULONG i = 0; i < 3 * Count; i++)
            After += ((UCHAR *)Data)[i];
        assert_int_equal(Sum, After);
        for (ULONG i = 1; i < Count; i++)
            assert_true(memcmp(Data[i - 1], Data[i], 3) <= 0);
        for (ULONG i = 0; i < Count; i++)
            assert_memory_equal(bsearch(Data[i], Data, Count, 3, compare_triples), Data[i], 3);
        assert_null(bsearch("\x09\x09\x09", Data, Count, 3, compare_triples));
        assert_null(bsearch("", Data, 0, 3, compare_triples));
    }
}

static void test_bounded(void **state)
{
    char b[4];
    wchar_t w[4];
    (void)state;
    assert_int_equal(memcpy_s(b, 4, "abc", 4), 0);
    assert_string_equal(b, "abc");
    assert_int_equal(memcpy_s(b, 4, "abcde", 5), CRT_ERANGE);
    assert_int_equal(b[0], 0);
    assert_int_equal(memcpy_s(b, 4, NULL, 1), CRT_EINVAL);
    assert_int_equal(memcpy_s(NULL, 0, NULL, 0), 0);
    assert_int_equal(memmove_s(b, 4, "abcde", 5), CRT_ERANGE);
    assert_int_equal(memmove_s(b, 4, "xy", 3), 0);
    assert_int_equal(strncpy_s(b, 4, "abcdef", 3), 0);
    assert_string_equal(b, "abc");
    assert_int_equal(strncpy_s(b, 4, "abcdef", 4), CRT_ERANGE);
    assert_string_equal(b, "");
    assert_int_equal(strncpy_s(b, 4, "abcdef", CRT_TRUNCATE), CRT_STRUNCATE);
    assert_string_equal(b, "abc");
    assert_int_equal(strncpy_s(b, 0, "a", 1), CRT_EINVAL);
    assert_int_equal(strncpy_s(b, 4, NULL, 1), CRT_EINVAL);
    assert_int_equal(strncpy_s(b, 4, "a", 9), 0);
    assert_int_equal(strncat_s(b, 4, "bcd", 2), 0);
    assert_string_equal(b, "abc");
    assert_int_equal(strncat_s(b, 4, "d", 1), CRT_ERANGE);
    assert_string_equal(b, "");
    assert_int_equal(wcsncpy_s(w, 4, L"abcdef", CRT_TRUNCATE), CRT_STRUNCATE);
    assert_int_equal(wcsncat_s(w, 4, L"d", CRT_TRUNCATE), CRT_STRUNCATE);
    assert_int_equal(w[2], 'c');
    w[3] = 'x';
    assert_int_equal(wcsncat_s(w, 4, L"d", 1), CRT_EINVAL); /* no terminator */
}

static void test_scan(void **state)
{
    char Text[] = ",a,,bc,", Number[40], *Context = NULL;
    wchar_t Wide[40], *End;
    (void)state;
    assert_string_equal(strtok_s(Text, ",", &Context), "a");
    assert_string_equal(strtok_s(NULL, ",", &Context), "bc");
    assert_null(strtok_s(NULL, ",", &Context));
    assert_null(strtok_s(NULL, ",", &Context));
    assert_true(strspn("aabc", "ab") == 3 && wcsspn(L"xa", L"ab") == 0 && wcscspn(L"xya", L"ab") == 2 &&
                wcscspn(L"xy", L"a") == 2);
    assert_int_equal(wcstoul(L" \t0x1fz", &End, 0), 31);
    assert_int_equal(*End, 'z');
    assert_int_equal(wcstoul(L"017", NULL, 0), 15);
    assert_int_equal(wcstoul(L"0x", &End, 16), 0);
    assert_int_equal(*End, 'x');
    assert_int_equal(wcstoul(L"zz", NULL, 36), 1295);
    assert_int_equal(wcstoul(L"-1", NULL, 10), 0xFFFFFFFF);
    assert_int_equal(wcstoul(L"99999999999", NULL, 10), 0xFFFFFFFF);
    const wchar_t *None = L"x";
    assert_int_equal(wcstoul(None, &End, 10), 0);
    assert_ptr_equal(End, None);
    assert_string_equal(_itoa(-2147483647 - 1, Number, 10), "-2147483648");
    assert_string_equal(_itoa(-1, Number, 2), "11111111111111111111111111111111");
    assert_string_equal(_itoa(35, Number, 36), "z");
    assert_string_equal(_itoa(35, Number, 1), "");
    assert_memory_equal(_itow(-12, Wide, 10), L"-12", 8);
    char Back[] = "abc";
    assert_string_equal(_strrev(Back), "cba");
    assert_string_equal(_strnset(Back, 'x', 2), "xxa");
    assert_string_equal(_strset(Back, 'y'), "yyy");
    wchar_t WideBack[] = L"ab";
    assert_memory_equal(_wcsrev(WideBack), L"ba", 6);
    assert_memory_equal(_wcsnset(WideBack, 'z', 9), L"zz", 6);
}

static void test_bits(void **state)
{
    (void)state;
    assert_true(RtlFindLeastSignificantBit(0) == -1 && RtlFindMostSignificantBit(0) == -1);
    assert_true(RtlFindLeastSignificantBit(0x8000000000000100) == 8 &&
                RtlFindMostSignificantBit(0x8000000000000100) == 63);
    assert_int_equal(RtlNumberOfSetBitsUlongPtr(0xF00000000000000F), 8);
}

/* Against the plain reading of the page: all runs, sorted by length. */
static void check_runs(PRTL_BITMAP Map, ULONG Size)
{
    RTL_BITMAP_RUN All[64], Some[5];
    ULONG Count = 0, Start = 0, Longest = 0;
    for (ULONG i = 0; i < Size; i++) {
        if (RtlTestBit(Map, i))
            continue;
        if (i == 0 || RtlTestBit(Map, i - 1))
            All[Count++] = (RTL_BITMAP_RUN){i, 0};
        All[Count - 1].NumberOfBits++;
    }
    ULONG Got = RtlFindClearRuns(Map, Some, 5, FALSE);
    assert_int_equal(Got, Count < 5 ? Count : 5);
    assert_memory_equal(Some, All, Got * sizeof(Some[0]));
    for (ULONG i = 0; i < Count; i++)
        Longest = All[i].NumberOfBits > Longest ? All[i].NumberOfBits : Longest;
    assert_int_equal(RtlFindLongestRunClear(Map, &Start), Longest);
    assert_true(Count == 0 || RtlAreBitsClear(Map, Start, Longest));
    assert_int_equal(RtlFindClearRuns(Map, Some, 5, TRUE), Got);
    for (ULONG i = 0; i < Got; i++) { /* so many runs are longer, no more */
        ULONG Longer = 0, NotShorter = 0;
        for (ULONG j = 0; j < Count; j++) {
            Longer += All[j].NumberOfBits > Some[i].NumberOfBits;
            NotShorter += All[j].NumberOfBits >= Some[i].NumberOfBits;
        }
        assert_true(Longer <= i && i < NotShorter);
    }
    ULONG From = random_below(Size), Length = RtlFindLastBackwardRunClear(Map, From, &Start);
    for (ULONG i = Count; i-- > 0;) {
        if (All[i].StartingIndex <= From) {
            ULONG End = All[i].StartingIndex + All[i].NumberOfBits - 1;
            assert_true(Start == All[i].StartingIndex && Start + Length - 1 == (End < From ? End : From));
            return;
        }
    }
    assert_int_equal(Length, 0);
}

static void test_runs(void **state)
{
    ULONG Bits[4];
    RTL_BITMAP Map;
    (void)state;
    for (int i = 0; i < 3000; i++) {
        ULONG Size = 1 + random_below(100), Density = 1 + random_below(6);
        RtlInitializeBitMap(&Map, Bits, Size);
        RtlClearAllBits(&Map);
        for (ULONG j = 0; j < Size; j++) {
            if (random_below(Density) == 0)
                RtlSetBit(&Map, j);
        }
        check_runs(&Map, Size);
    }
}

static void test_numbers(void **state)
{
    ULONG Value, Seconds;
    LARGE_INTEGER Time;
    UNICODE_STRING s;
    (void)state;
    assert_int_equal(RtlCharToInteger(" -0x1F!", 0, &Value), STATUS_SUCCESS);
    assert_int_equal(Value, -31u);
    assert_int_equal(RtlCharToInteger("0b101", 0, &Value), STATUS_SUCCESS);
    assert_int_equal(Value, 5);
    assert_int_equal(RtlCharToInteger("777", 8, &Value), STATUS_SUCCESS);
    assert_int_equal(Value, 0777);
    assert_int_equal(RtlCharToInteger("1", 3, &Value), STATUS_INVALID_PARAMETER);
    RtlSecondsSince1980ToTime(5, &Time);
    TIME_FIELDS Fields;
    RtlTimeToTimeFields(&Time, &Fields);
    assert_true(Fields.Year == 1980 && Fields.Month == 1 && Fields.Day == 1 && Fields.Second == 5);
    assert_true(RtlTimeToSecondsSince1980(&Time, &Seconds) && Seconds == 5);
    Time.QuadPart = 0;
    assert_false(RtlTimeToSecondsSince1980(&Time, &Seconds));
    assert_true(RtlCompareUnicodeStrings(L"ab", 2, L"AB", 2, TRUE) == 0 &&
                RtlCompareUnicodeStrings(L"ab", 2, L"AB", 2, FALSE) > 0);
    assert_true(RtlCompareUnicodeStrings(L"ab", 2, L"abc", 3, FALSE) < 0 &&
                RtlCompareUnicodeStrings(L"b", 1, L"ab", 2, FALSE) > 0);
    assert_true(RtlCreateUnicodeString(&s, L"made"));
    assert_ustr(&s, L"made");
    RtlFreeUnicodeString(&s);
    TestPool.FailAt = 1;
    assert_false(RtlCreateUnicodeString(&s, L"made"));
    Value = 1;
    assert_true(RtlRandom(&Value) < 0x7FFFFFFF);
}

/* Each length and alignment; exact heap blocks. */
static void test_nontemporal(void **state)
{
    (void)state;
    for (ULONG Length = 0; Length < 40; Length++) {
        for (ULONG Offset = 0; Offset < 64; Offset++) {
            ULONG To = Offset % 8, From = Offset / 8;
            UCHAR *a = malloc(To + Length + 1), *b = malloc(From + Length + 1);
            for (ULONG i = 0; i <= From + Length; i++)
                b[i] = (UCHAR)random_below(256);
            memset(a, 0xEE, To + Length + 1);
            RtlCopyMemoryNonTemporal(a + To, b + From, Length);
            assert_memory_equal(a + To, b + From, Length);
            assert_true((To == 0 || a[To - 1] == 0xEE) && a[To + Length] == 0xEE);
            free(a);
            free(b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort),        cmocka_unit_test(test_bounded), cmocka_unit_test(test_scan),
        cmocka_unit_test(test_bits),        cmocka_unit_test(test_runs),    cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_nontemporal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

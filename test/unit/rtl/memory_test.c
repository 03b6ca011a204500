/* SPDX-License-Identifier: MIT
 * Copy, fill and compare at every small size and alignment, with guards on both sides. */
#include "rtl_test.h"

#define SPAN 200
#define GUARD 16

static UCHAR From[SPAN + 2 * GUARD], To[SPAN + 2 * GUARD], Expected[SPAN + 2 * GUARD];

static void reset(void)
{
    for (unsigned i = 0; i < sizeof(From); i++) {
        From[i] = (UCHAR)(i * 37 + 11);
        To[i] = Expected[i] = 0xEE;
    }
}

static void test_memcpy(void **state)
{
    (void)state;
    for (unsigned size = 0; size <= 150; size++)
        for (unsigned shift = 0; shift < 9; shift++) {
            reset();
            for (unsigned i = 0; i < size; i++)
                Expected[GUARD + shift + i] = From[GUARD + i];
            assert_ptr_equal(memcpy(To + GUARD + shift, From + GUARD, size), To + GUARD + shift);
            assert_memory_equal(To, Expected, sizeof(To));
        }
}

static void test_memmove_overlap(void **state)
{
    (void)state;
    for (unsigned size = 0; size <= 120; size++)
        for (int shift = -GUARD; shift <= GUARD; shift++) {
            reset();
            for (unsigned i = 0; i < sizeof(From); i++)
                Expected[i] = From[i];
            for (unsigned i = 0; i < size; i++)
                Expected[2 * GUARD + shift + (int)i] = From[2 * GUARD + i];
            memmove(From + 2 * GUARD + shift, From + 2 * GUARD, size);
            assert_memory_equal(From, Expected, sizeof(From));
        }
}

static void test_memset(void **state)
{
    (void)state;
    for (unsigned size = 0; size <= 150; size++)
        for (unsigned shift = 0; shift < 9; shift++) {
            reset();
            for (unsigned i = 0; i < size; i++)
                Expected[GUARD + shift + i] = 0xA5;
            memset(To + GUARD + shift, 0x7A5, size);
            assert_memory_equal(To, Expected, sizeof(To));
        }
}

static void test_compare(void **state)
{
    (void)state;
    for (unsigned size = 1; size <= 70; size++)
        for (unsigned at = 0; at < size; at++) {
            reset();
            memcpy(To, From, SPAN);
            assert_int_equal(memcmp(To, From, size), 0);
            assert_int_equal(RtlCompareMemory(To, From, size), size);
            To[at] ^= 0x80;
            assert_int_equal(RtlCompareMemory(To, From, size), at);
            assert_int_equal(memcmp(To, From, size) < 0, To[at] < From[at]);
            assert_int_not_equal(memcmp(To, From, size), 0);
        }
    assert_int_equal(memcmp("", "x", 0), 0);
}

static void test_compare_ulong(void **state)
{
    ULONG Words[4] = {7, 7, 7, 8};
    (void)state;
    assert_int_equal(RtlCompareMemoryUlong(Words, 16, 7), 12);
    assert_int_equal(RtlCompareMemoryUlong(Words, 12, 7), 12);
    assert_int_equal(RtlCompareMemoryUlong(Words, 10, 7), 0);
    assert_int_equal(RtlCompareMemoryUlong((PCHAR)Words + 1, 8, 7), 0);
}

static void test_memchr(void **state)
{
    (void)state;
    assert_ptr_equal(memchr(From, From[5], 6), From + 5);
    assert_null(memchr("abc", 'd', 3));
    assert_null(memchr("abc", 'c', 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memcpy),  cmocka_unit_test(test_memmove_overlap), cmocka_unit_test(test_memset),
        cmocka_unit_test(test_compare), cmocka_unit_test(test_compare_ulong),   cmocka_unit_test(test_memchr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * Bitmaps: documented cases, then every operation against a plain model over random ranges. */
#include "rtl_test.h"

#define BITS 131

static ULONG Words[8];
static UCHAR Model[BITS];
static RTL_BITMAP Map;

static void reset(void)
{
    memset(Words, 0xCC, sizeof(Words)); /* bits beyond BITS must stay */
    RtlInitializeBitMap(&Map, Words, BITS);
    RtlClearAllBits(&Map);
    memset(Model, 0, sizeof(Model));
}

static ULONG model_find(ULONG Count, ULONG Hint, UCHAR Value)
{
    for (ULONG k = 0; k < BITS; k++) {
        ULONG start = (Hint + k) % BITS, n = 0;
        while (n < Count && start + n < BITS && Model[start + n] == Value)
            n++;
        if (n == Count)
            return start;
    }
    return 0xFFFFFFFF;
}

static void compare(void)
{
    ULONG set = 0;
    for (ULONG i = 0; i < BITS; i++) {
        assert_int_equal(RtlTestBit(&Map, i), Model[i]);
        set += Model[i];
    }
    assert_int_equal(RtlNumberOfSetBits(&Map), set);
    assert_int_equal(RtlNumberOfClearBits(&Map), BITS - set);
    assert_int_equal(Words[4] >> 3, 0xCCCCCCCC >> 3);
    assert_int_equal(Words[5], 0xCCCCCCCC);
}

static void test_random_operations(void **state)
{
    ULONG seed = 7;
    (void)state;
    reset();
    for (int round = 0; round < 4000; round++) {
        ULONG start = RtlRandomEx(&seed) % BITS, count = RtlRandomEx(&seed) % (BITS - start + 1),
              small = 1 + count % 9;
        UCHAR value = RtlRandomEx(&seed) & 1;
        ULONG all = 1;
        for (ULONG i = start; i < start + count; i++)
            all &= Model[i] == value;
        assert_int_equal((value ? RtlAreBitsSet : RtlAreBitsClear)(&Map, start, count), all && count != 0);
        assert_int_equal((value ? RtlFindSetBits : RtlFindClearBits)(&Map, small, start),
                         model_find(small, start, value));
        (value ? RtlSetBits : RtlClearBits)(&Map, start, count % 20);
        for (ULONG i = start; i < start + count % 20; i++)
            Model[i] = value;
        compare();
    }
}

static void test_find_and_change(void **state)
{
    (void)state;
    reset();
    assert_int_equal(RtlFindClearBitsAndSet(&Map, 100, 20), 20);
    assert_int_equal(RtlFindClearBitsAndSet(&Map, 15, 30), 0); /* wraps to the start */
    assert_int_equal(RtlFindClearBitsAndSet(&Map, 15, 30), 0xFFFFFFFF);
    assert_int_equal(RtlFindSetBitsAndClear(&Map, 16, 0), 20);
    assert_int_equal(RtlNumberOfSetBits(&Map), 99);
    assert_int_equal(RtlFindClearBits(&Map, BITS + 1, 0), 0xFFFFFFFF);
    assert_int_equal(RtlFindClearBits(&Map, 0, 21), 16);
    assert_int_equal(RtlFindClearBits(&Map, 1, 5000), 15);
    ULONG start;
    assert_int_equal(RtlFindFirstRunClear(&Map, &start), 21);
    assert_int_equal(start, 15);
    assert_int_equal(RtlFindNextForwardRunClear(&Map, 40, &start), 11);
    assert_int_equal(start, 120);
    assert_int_equal(RtlFindNextForwardRunClear(&Map, BITS, &start), 0);
}

static void test_edges(void **state)
{
    (void)state;
    reset();
    RtlSetBit(&Map, BITS - 1);
    RtlSetBit(&Map, BITS); /* outside: nothing */
    RtlSetBits(&Map, BITS - 2, 0xFFFFFFFF);
    Model[BITS - 1] = Model[BITS - 2] = 1;
    compare();
    assert_false(RtlTestBit(&Map, BITS));
    assert_false(RtlAreBitsSet(&Map, BITS - 1, 2));
    assert_false(RtlAreBitsClear(&Map, 1, 0xFFFFFFFF));
    RtlClearBit(&Map, BITS - 1);
    assert_int_equal(RtlNumberOfSetBits(&Map), 1);
    RtlSetAllBits(&Map);
    memset(Model, 1, sizeof(Model));
    compare();
    assert_int_equal(RtlFindClearBits(&Map, 1, 0), 0xFFFFFFFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations),
        cmocka_unit_test(test_find_and_change),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

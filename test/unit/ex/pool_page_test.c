/* SPDX-License-Identifier: MIT
 * Arithmetic of pool pages: every size has the smallest class that holds it, every offset of a page has the block that a plain division
 * says, and sets of free blocks behave as an array of flags does, over random operations. */
#include "ex/pool_page.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint64_t Random(uint64_t *State)
{
    *State ^= *State << 13;
    *State ^= *State >> 7;
    *State ^= *State << 17;
    return *State;
}

static int SetUp(void **State)
{
    (void)State;
    ExpInitializeClasses();
    return 0;
}

static void classes_are_the_smallest_that_fit(void **State)
{
    (void)State;
    for (uint32_t Bytes = 1; Bytes <= EXP_LARGEST_BLOCK; Bytes++) {
        uint32_t Class = ExpClassOfUnits[(Bytes + 15) / 16];
        assert_true(Class < EXP_CLASSES);
        assert_true(ExpBlockSize[Class] >= Bytes);
        assert_true(Class == 0 || ExpBlockSize[Class - 1] < (Bytes + 15) / 16 * 16);
    }
}

static void sizes_keep_alignment_and_waste_little(void **State)
{
    (void)State;
    for (uint32_t Class = 0; Class < EXP_CLASSES; Class++) {
        assert_int_equal(ExpBlockSize[Class] % 16, 0);
        assert_true(Class == 0 || ExpBlockSize[Class] > ExpBlockSize[Class - 1]);
        assert_true(ExpBlocksPerPage(Class) >= 2 && ExpBlocksPerPage(Class) <= EXP_MOST_BLOCKS);
        assert_true(ExpBlocksPerPage(Class) * ExpBlockSize[Class] <= EXP_PAGE_SIZE);
    }
}

static void offsets_have_the_block_that_division_says(void **State)
{
    (void)State;
    for (uint32_t Class = 0; Class < EXP_CLASSES; Class++)
        for (uint32_t Offset = 0; Offset < EXP_PAGE_SIZE + 64; Offset++) {
            uint32_t Size = ExpBlockSize[Class], Want = 0;
            if (Offset >= EXP_HEADER_SIZE && (Offset - EXP_HEADER_SIZE) % Size == 0 &&
                (Offset - EXP_HEADER_SIZE) / Size < ExpBlocksPerPage(Class))
                Want = (Offset - EXP_HEADER_SIZE) / Size + 1;
            assert_int_equal(ExpBlockNumberAt(Class, Offset), Want);
            if (Want != 0)
                assert_int_equal(ExpBlockOffset(Class, Want - 1), Offset);
        }
}

static void rows_of_a_class_are_equal(void **State)
{
    (void)State;
    for (uint32_t Class = 0; Class < EXP_CLASSES; Class++)
        assert_memory_equal(ExpBlockAt[Class][0], ExpBlockAt[Class][1], EXP_UNITS);
}

/* Takes and gives of random blocks; the model knows which are free. */
static void sets_behave_as_flags_do(void **State)
{
    uint64_t Seed = 4711;
    (void)State;
    for (uint32_t Class = 0; Class < EXP_CLASSES; Class++) {
        EXP_BLOCK_SET Set = ExpFullSet(Class);
        uint8_t Free[EXP_MOST_BLOCKS] = {0};
        uint32_t Blocks = ExpBlocksPerPage(Class), Count = Blocks;
        memset(Free, 1, Blocks);
        for (uint32_t Step = 0; Step < 5000; Step++) {
            uint32_t Number = (uint32_t)(Random(&Seed) % Blocks);
            if (Count != 0 && Random(&Seed) % 2 == 0) {
                uint32_t Taken = ExpTakeFromSet(&Set), Lowest = 0;
                while (!Free[Lowest])
                    Lowest++;
                assert_int_equal(Taken, Lowest);
                Free[Taken] = 0;
                Count--;
            } else if (!Free[Number]) {
                ExpAddToSet(&Set, Number);
                Free[Number] = 1;
                Count++;
            }
            for (uint32_t I = 0; I < EXP_MOST_BLOCKS; I++)
                assert_int_equal(ExpIsInSet(&Set, I), I < Blocks && Free[I]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(classes_are_the_smallest_that_fit),
        cmocka_unit_test(sizes_keep_alignment_and_waste_little),
        cmocka_unit_test(offsets_have_the_block_that_division_says),
        cmocka_unit_test(rows_of_a_class_are_equal),
        cmocka_unit_test(sets_behave_as_flags_do),
    };
    return cmocka_run_group_tests(Tests, SetUp, NULL);
}

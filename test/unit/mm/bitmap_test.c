/* SPDX-License-Identifier: MIT
 * The bit tree of mm against the simplest model, an array of bytes: random operations, every answer compared.
 */
#include "mm/bitmap.h"
#include <setjmp.h>
#include <stdarg.h>
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

typedef struct MODEL {
    MI_BITMAP Bitmap;
    void *Storage;
    uint8_t *Free;
    uint64_t Size;
} MODEL;

static void Make(MODEL *M, uint64_t Size)
{
    M->Size = Size;
    M->Storage = malloc(MiBitmapBytes(Size));
    memset(M->Storage, 0xff, MiBitmapBytes(Size));
    M->Free = calloc(Size, 1);
    MiBitmapInit(&M->Bitmap, Size, M->Storage);
}

static void Drop(MODEL *M)
{
    free(M->Storage);
    free(M->Free);
}

static void Set(MODEL *M, uint64_t First, uint64_t Count, uint8_t Free)
{
    memset(M->Free + First, Free, Count);
    if (Free && !(Count % 2 && MiBitmapFreeShort(&M->Bitmap, First, Count)))
        MiBitmapFree(&M->Bitmap, First, Count);
    if (!Free && !(Count % 2 && MiBitmapTakeShort(&M->Bitmap, First, Count)))
        MiBitmapTake(&M->Bitmap, First, Count);
}

static uint64_t ModelRun(const MODEL *M, uint64_t Count, uint64_t From, uint64_t End, uint64_t Boundary)
{
    if (End > M->Size)
        End = M->Size;
    for (uint64_t Start = From; Count != 0 && Start + Count <= End; Start++) {
        uint64_t Length = 0;
        while (Length < Count && M->Free[Start + Length])
            Length++;
        if (Length == Count && (Boundary == 0 || Start / Boundary == (Start + Count - 1) / Boundary))
            return Start;
    }
    return MI_BITMAP_NONE;
}

static void CheckAnswers(const MODEL *M, uint64_t *Seed)
{
    uint64_t From = Random(Seed) % (M->Size + 2);
    assert_int_equal(MiBitmapFind(&M->Bitmap, From), ModelRun(M, 1, From, M->Size, 0));
    uint64_t Count = Random(Seed) % 70, End = Random(Seed) % (M->Size + 10);
    uint64_t Boundary = Random(Seed) % 3 ? 0 : 1ull << (Random(Seed) % 8);
    assert_int_equal(MiBitmapFindRun(&M->Bitmap, Count, From, End, Boundary),
                     ModelRun(M, Count, From, End, Boundary));
}

/* What is not all free is not taken, and nothing changes. */
static void RefuseShort(MODEL *M, uint64_t *Seed)
{
    uint64_t First = Random(Seed) % (M->Size + 70), Count = Random(Seed) % 66, Free = 0;
    for (uint64_t I = First; I < First + Count && I < M->Size; I++)
        Free += M->Free[I];
    if (Count == 0 || Free != Count)
        assert_false(MiBitmapTakeShort(&M->Bitmap, First, Count));
}

/* Turns a random range that is all free or all taken round. */
static void TurnRange(MODEL *M, uint64_t *Seed)
{
    uint64_t First = Random(Seed) % M->Size;
    uint64_t Longest = Random(Seed) % 8 ? 3 : 300, Count = 1;
    while (Count < Longest && First + Count < M->Size && M->Free[First + Count] == M->Free[First])
        Count++;
    assert_int_equal(MiBitmapIsFree(&M->Bitmap, First, Count), M->Free[First]);
    assert_int_equal(MiBitmapIsTaken(&M->Bitmap, First, Count), !M->Free[First]);
    Set(M, First, Count, !M->Free[First]);
}

static void RandomOperations(uint64_t Size, unsigned Steps, uint64_t Seed)
{
    MODEL M;
    Make(&M, Size);
    for (unsigned Step = 0; Step < Steps; Step++) {
        TurnRange(&M, &Seed);
        CheckAnswers(&M, &Seed);
        RefuseShort(&M, &Seed);
        uint64_t Free = 0;
        for (uint64_t I = 0; I < Size; I++)
            Free += M.Free[I];
        assert_int_equal(M.Bitmap.Free, Free);
    }
    Drop(&M);
}

static uint64_t ModelWithout(const MODEL *M, const MODEL *Less, uint64_t From)
{
    for (uint64_t At = From; At < M->Size; At++)
        if (M->Free[At] && !Less->Free[At])
            return At;
    return MI_BITMAP_NONE;
}

static void a_find_without_a_subset_agrees_with_the_model(void **State)
{
    (void)State;
    uint64_t Seed = 99;
    MODEL M, Less;
    Make(&M, 1000);
    Make(&Less, 1000);
    for (unsigned Step = 0; Step < 3000; Step++) {
        TurnRange(&M, &Seed);
        TurnRange(&Less, &Seed);
        uint64_t From = Random(&Seed) % (M.Size + 2);
        assert_int_equal(MiBitmapFindWithout(&M.Bitmap, &Less.Bitmap, From), ModelWithout(&M, &Less, From));
    }
    Drop(&M);
    Drop(&Less);
}

static void small_and_odd_sizes_agree_with_the_model(void **State)
{
    (void)State;
    for (uint64_t Size = 1; Size < 200; Size += 7)
        RandomOperations(Size, 300, Size * 77 + 1);
}

static void three_levels_agree_with_the_model(void **State)
{
    (void)State;
    RandomOperations(9000, 3000, 12345);
}

static void a_large_map_is_filled_and_emptied(void **State)
{
    (void)State;
    MODEL M;
    Make(&M, 1u << 20);
    Set(&M, 0, M.Size, 1);
    assert_int_equal(MiBitmapFind(&M.Bitmap, 777), 777);
    Set(&M, 0, M.Size - 1, 0);
    assert_int_equal(MiBitmapFind(&M.Bitmap, 0), M.Size - 1);
    Set(&M, M.Size - 1, 1, 0);
    assert_int_equal(MiBitmapFind(&M.Bitmap, 0), MI_BITMAP_NONE);
    assert_int_equal(M.Bitmap.Free, 0);
    Drop(&M);
}

static void a_range_outside_is_neither_free_nor_taken(void **State)
{
    (void)State;
    MODEL M;
    Make(&M, 100);
    assert_false(MiBitmapIsTaken(&M.Bitmap, 90, 11));
    assert_false(MiBitmapIsFree(&M.Bitmap, 100, 1));
    assert_false(MiBitmapIsTaken(&M.Bitmap, 5, UINT64_MAX));
    assert_true(MiBitmapIsTaken(&M.Bitmap, 90, 10));
    Drop(&M);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(small_and_odd_sizes_agree_with_the_model),
        cmocka_unit_test(three_levels_agree_with_the_model),
        cmocka_unit_test(a_find_without_a_subset_agrees_with_the_model),
        cmocka_unit_test(a_large_map_is_filled_and_emptied),
        cmocka_unit_test(a_range_outside_is_neither_free_nor_taken),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}

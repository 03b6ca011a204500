/* SPDX-License-Identifier: MIT
 * Random memory maps, sparse and with holes, against an array that says of each page whether it is RAM. */
#include "mm/memory_map.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PAGES 300u
#define RANGES 24u

typedef struct MODEL {
    LOADER_MEMORY_RANGE *Ranges; /* exactly as large as it must be: the sanitizer sees a look past its end */
    uint32_t Count;
    bool Ram[PAGES];
} MODEL;

static uint64_t Random(uint64_t *State)
{
    *State ^= *State << 13;
    *State ^= *State >> 7;
    *State ^= *State << 17;
    return *State;
}

static bool IsRam(uint32_t Type)
{
    return Type != LoaderMemoryReserved && Type != LoaderMemoryBad && Type != LoaderMemoryAcpiNvs;
}

/* Neighbours that touch, holes, ranges of no bytes. */
static void Build(MODEL *M, uint64_t *Seed)
{
    uint64_t At = Random(Seed) % 8, Most = Random(Seed) % RANGES;
    memset(M, 0, sizeof(*M));
    M->Ranges = malloc(Most * sizeof(*M->Ranges) + 1);
    assert_non_null(M->Ranges);
    while (M->Count < Most) {
        uint64_t Length = Random(Seed) % 20, Type = 1 + Random(Seed) % LoaderMemoryArchive;
        if (At + Length > PAGES - 1)
            break;
        M->Ranges[M->Count++] = (LOADER_MEMORY_RANGE){At << 12, Length << 12, (uint32_t)Type, 0};
        for (uint64_t Page = At; Page < At + Length; Page++)
            M->Ram[Page] = IsRam((uint32_t)Type);
        At += Length + (Random(Seed) % 2 ? Random(Seed) % 12 : 0);
    }
}

static void CheckRun(const MODEL *M, uint64_t First, uint64_t Count)
{
    bool Ram;
    uint64_t Run = MiMapRunOfKind((MI_MEMORY_MAP){M->Ranges, M->Count}, First, Count, &Ram);
    assert_true(Run >= 1 && Run <= Count);
    for (uint64_t Page = First; Page < First + Run && Page < PAGES; Page++)
        assert_int_equal(M->Ram[Page], Ram);
    assert_true(!Ram || First + Run <= PAGES);
}

/* Each run that the model has, whole and in order, up to End; from the middle of one its rest. */
static void CheckRanges(const MODEL *M, uint64_t From, uint64_t End)
{
    uint64_t Frame = From, Count, Next = From;
    while (MiMapNextRam((MI_MEMORY_MAP){M->Ranges, M->Count}, End, &Frame, &Count)) {
        for (; Next < Frame; Next++)
            assert_false(Next < PAGES && M->Ram[Next]);
        for (; Next < Frame + Count; Next++)
            assert_true(Next < PAGES && M->Ram[Next]);
        assert_true(Next == End || Next >= PAGES || !M->Ram[Next]);
        Frame += Count;
    }
    for (; Next < End && Next < PAGES; Next++)
        assert_false(M->Ram[Next]);
}

static void RandomMaps(void **State)
{
    (void)State;
    uint64_t Seed = 0x4e54426f78;
    for (unsigned Round = 0; Round < 400; Round++) {
        MODEL M;
        Build(&M, &Seed);
        for (uint64_t First = 0; First < PAGES + 10; First++)
            CheckRun(&M, First, 1 + Random(&Seed) % 40);
        CheckRun(&M, Random(&Seed) % PAGES, UINT64_MAX / 2);
        CheckRanges(&M, 0, PAGES);
        CheckRanges(&M, 0, 1ull << 34);
        uint64_t From = Random(&Seed) % PAGES;
        CheckRanges(&M, From, From + Random(&Seed) % PAGES);
        free(M.Ranges);
    }
}

static void NoMap(void **State)
{
    (void)State;
    bool Ram = true;
    uint64_t Frame = 5, Count = 9;
    assert_int_equal(MiMapRunOfKind((MI_MEMORY_MAP){NULL, 0}, 3, 77, &Ram), 77);
    assert_false(Ram);
    assert_false(MiMapNextRam((MI_MEMORY_MAP){NULL, 0}, 100, &Frame, &Count));
    assert_int_equal(Count, 0);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {cmocka_unit_test(RandomMaps), cmocka_unit_test(NoMap)};
    return cmocka_run_group_tests(Tests, NULL, NULL);
}

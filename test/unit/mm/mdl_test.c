/* SPDX-License-Identifier: MIT
 * The arithmetic of MDLs against the simplest model, an array that says of each byte of a buffer in which frame it lies: an MDL
 * is built over the buffer, parts are made of it and it moves on at random, and after each step all its bytes are looked up. */
#include "mm_mdl.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PAGE 4096u
#define PAGES 6u

/* An MDL as the kernel has it, and the bytes that it should describe. */
typedef struct MODEL {
    MM_SPAN Span;
    uint64_t Frames[PAGES];
    uint64_t Address;                /* of the first byte */
    uint64_t Physical[PAGES * PAGE]; /* of each byte */
    uint32_t Bytes;
} MODEL;

static uint64_t Random(uint64_t *State)
{
    *State ^= *State << 13;
    *State ^= *State >> 7;
    *State ^= *State << 17;
    return *State;
}

static void Agrees(const MODEL *M)
{
    assert_int_equal(M->Span.Bytes, M->Bytes);
    assert_int_equal(M->Span.Start % PAGE, 0);
    assert_true(M->Span.Offset < PAGE);
    assert_true(M->Span.Start + M->Span.Offset == M->Address);
    uint64_t Pages = MmSpanPages(M->Span.Offset, M->Span.Bytes);
    assert_true(Pages <= PAGES);
    for (uint32_t I = 0; I < M->Bytes; I++) {
        uint64_t Page = (M->Span.Offset + I) / PAGE;
        assert_true(Page < Pages);
        assert_int_equal(M->Frames[Page] * PAGE + (M->Span.Offset + I) % PAGE, M->Physical[I]);
    }
}

static void Build(MODEL *M, uint64_t *Seed)
{
    uint64_t Start = (Random(Seed) >> 13) * PAGE, Offset = Random(Seed) % 2 ? Random(Seed) % PAGE : 0;
    uint32_t Bytes = (uint32_t)(Random(Seed) % (PAGES * PAGE - Offset + 1));
    M->Span = (MM_SPAN){Start, (uint32_t)Offset, Bytes};
    M->Address = Start + Offset;
    M->Bytes = Bytes;
    for (unsigned I = 0; I < PAGES; I++)
        M->Frames[I] = Random(Seed) >> 24;
    for (uint32_t I = 0; I < Bytes; I++)
        M->Physical[I] = M->Frames[(Offset + I) / PAGE] * PAGE + (Offset + I) % PAGE;
}

static void Drop(MODEL *M, uint32_t Bytes)
{
    memmove(M->Physical, M->Physical + Bytes, (M->Bytes - Bytes) * sizeof(M->Physical[0]));
    M->Bytes -= Bytes;
    M->Address += Bytes;
}

/* Up to the end, to a page's end, or anywhere. */
static uint32_t SomeBytes(const MODEL *M, uint64_t *Seed)
{
    uint32_t Rest = PAGE - M->Span.Offset;
    switch (Random(Seed) % 4) {
    case 0:
        return M->Bytes;
    case 1:
        return Rest < M->Bytes ? Rest : M->Bytes;
    default:
        return (uint32_t)(Random(Seed) % (M->Bytes + 1ull));
    }
}

static void Advance(MODEL *M, uint64_t *Seed)
{
    uint32_t Bytes = SomeBytes(M, Seed);
    uint64_t Before = MmSpanPages(M->Span.Offset, M->Span.Bytes), Passed = MmSpanAdvance(&M->Span, Bytes);
    assert_true(Passed <= Before);
    assert_int_equal(MmSpanPages(M->Span.Offset, M->Span.Bytes), Before - Passed);
    memmove(M->Frames, M->Frames + Passed, (PAGES - Passed) * sizeof(M->Frames[0]));
    Drop(M, Bytes);
}

/* The part takes the place of the whole. */
static void TakePart(MODEL *M, uint64_t *Seed)
{
    uint32_t Skip = SomeBytes(M, Seed), Left = M->Bytes - Skip;
    uint32_t Asked = Random(Seed) % 3 ? (uint32_t)(Random(Seed) % (Left + 1ull)) : 0, Bytes = Asked;
    uint64_t Page, Address = M->Address + Skip;
    assert_true(MmSpanPart(&M->Span, Address, &Bytes, &Page));
    assert_int_equal(Bytes, Asked != 0 ? Asked : Left);
    M->Span = (MM_SPAN){Address & ~(uint64_t)(PAGE - 1), (uint32_t)(Address % PAGE), Bytes};
    assert_true(Page + MmSpanPages(Address, Bytes) <= PAGES);
    memmove(M->Frames, M->Frames + Page, (PAGES - Page) * sizeof(M->Frames[0]));
    Drop(M, Skip);
    M->Bytes = Bytes;
}

static void RefuseParts(const MODEL *M, uint64_t *Seed)
{
    uint64_t Page = 77;
    uint32_t All = 0, One = 1, More = M->Bytes + 1, Wrap = UINT32_MAX;
    assert_false(MmSpanPart(&M->Span, M->Address - 1, &All, &Page));
    assert_false(MmSpanPart(&M->Span, M->Address + M->Bytes + 1, &All, &Page));
    assert_false(MmSpanPart(&M->Span, M->Address + M->Bytes, &One, &Page));
    assert_false(MmSpanPart(&M->Span, M->Address, &More, &Page));
    assert_false(MmSpanPart(&M->Span, M->Address + M->Bytes, &Wrap, &Page));
    assert_false(MmSpanPart(&M->Span, M->Address + (1ull << 32) + Random(Seed) % 9, &All, &Page));
    assert_true(Page == 77 && All == 0);
}

static void RandomSteps(void **State)
{
    (void)State;
    static MODEL M;
    uint64_t Seed = 0x4d444c21;
    for (unsigned Round = 0; Round < 500; Round++) {
        Build(&M, &Seed);
        Agrees(&M);
        for (unsigned Step = 0; Step < 8; Step++) {
            RefuseParts(&M, &Seed);
            if (Random(&Seed) % 2)
                Advance(&M, &Seed);
            else
                TakePart(&M, &Seed);
            Agrees(&M);
        }
    }
}

/* Page by page; then where a sum would wrap. */
static void Pages(void **State)
{
    (void)State;
    for (uint32_t Offset = 0; Offset < PAGE; Offset += Offset < 3 || Offset > PAGE - 5 ? 1 : 509)
        for (uint32_t Bytes = 0; Bytes < 3 * PAGE; Bytes++) {
            uint64_t End = Offset + Bytes, Count = End / PAGE + (End % PAGE != 0);
            assert_int_equal(MmSpanPages(0xfffff80000000000u + Offset, Bytes), Count);
            assert_int_equal(MmPagesOfMdl(Offset, Bytes), Count);
        }
    assert_true(MmSpanPages(0, UINT64_MAX) == 1ull << 52);
    assert_true(MmSpanPages(1, UINT64_MAX) == 1ull << 52);
    assert_true(MmSpanPages(2, UINT64_MAX) == (1ull << 52) + 1);
    assert_true(MmSpanPages(PAGE - 1, UINT32_MAX) == (1u << 20) + 1);
    assert_true(MmPagesOfMdl(PAGE - 1, UINT32_MAX) == (1u << 20) + 1);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {cmocka_unit_test(RandomSteps), cmocka_unit_test(Pages)};
    return cmocka_run_group_tests(Tests, NULL, NULL);
}

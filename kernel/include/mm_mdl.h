/* SPDX-License-Identifier: MIT
 * Tier 2, mm, pure: which pages the bytes of an MDL lie in, of a part of it, and of what is left when it moves on. Builds on the host
 * (test/unit/mm/mdl_test.c). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define MM_MDL_PAGE_SHIFT 12
#define MM_MDL_PAGE_MASK 0xfffu

/* Pages that Bytes bytes from an address (or an offset in a page) on touch. No sum wraps, whatever they are. */
static inline uint64_t MmSpanPages(uint64_t Address, uint64_t Bytes)
{
    uint64_t Rest = (Address & MM_MDL_PAGE_MASK) + (Bytes & MM_MDL_PAGE_MASK) + MM_MDL_PAGE_MASK;
    return (Bytes >> MM_MDL_PAGE_SHIFT) + (Rest >> MM_MDL_PAGE_SHIFT);
}

/* The same of an MDL's own fields: 33 bits at most. */
static inline uint64_t MmPagesOfMdl(uint32_t Offset, uint32_t Bytes)
{
    return ((uint64_t)Offset + Bytes + MM_MDL_PAGE_MASK) >> MM_MDL_PAGE_SHIFT;
}

/* The bytes that an MDL describes. */
typedef struct _MM_SPAN {
    uint64_t Start;  /* address of the first page */
    uint32_t Offset; /* of the first byte, below a page */
    uint32_t Bytes;
} MM_SPAN;

/* *Bytes bytes from Address on, 0: all that follow (then set). *Page: which page of Whole they begin in. FALSE: they are no part of Whole. */
static inline bool MmSpanPart(const MM_SPAN *Whole, uint64_t Address, uint32_t *Bytes, uint64_t *Page)
{
    uint64_t Skip = Address - (Whole->Start + Whole->Offset);
    if (Skip > Whole->Bytes || *Bytes > Whole->Bytes - Skip)
        return false;
    if (*Bytes == 0)
        *Bytes = Whole->Bytes - (uint32_t)Skip;
    *Page = (Whole->Offset + Skip) >> MM_MDL_PAGE_SHIFT;
    return true;
}

/* Bytes <= Span->Bytes of them go at the front. Returns how many pages nothing is left of; an offset in a page keeps the page. */
static inline uint64_t MmSpanAdvance(MM_SPAN *Span, uint32_t Bytes)
{
    uint64_t Passed = ((uint64_t)Span->Offset + Bytes) >> MM_MDL_PAGE_SHIFT;
    Span->Start += Passed << MM_MDL_PAGE_SHIFT;
    Span->Offset = (Span->Offset + Bytes) & MM_MDL_PAGE_MASK;
    Span->Bytes -= Bytes;
    return Passed;
}

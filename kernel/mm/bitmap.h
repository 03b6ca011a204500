/* SPDX-License-Identifier: MIT
 * Tier 3 of mm, pure: which items of a range (physical pages, pages of an address region) are free. A 64-ary
 * tree of bits: level 0 has one bit per item, 1 = free; a bit of level n + 1 says that its word of level n
 * has a free bit. Finding the next free item costs a few words whatever the size; 64 GiB of pages are 2 MiB
 * of bits. No locks, no allocation, builds on the host (test/unit/mm/bitmap_test.c). */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define MI_BITMAP_LEVELS 6 /* 64^6 items */
#define MI_BITMAP_NONE UINT64_MAX

typedef struct _MI_BITMAP {
    uint64_t *Level[MI_BITMAP_LEVELS];
    uint32_t Levels;
    uint64_t Size; /* items */
    uint64_t Free; /* items that are free */
} MI_BITMAP;

/* Bytes of storage for Size items; a multiple of 8. */
uint64_t MiBitmapBytes(uint64_t Size);

/* Storage, 8-byte aligned, is zeroed: every item is taken. Size > 0. */
void MiBitmapInit(MI_BITMAP *Bitmap, uint64_t Size, void *Storage);

/* [First, First + Count) lies in the bitmap, Count > 0. The caller knows that all of it is taken (or free):
 * ask first. */
void MiBitmapFree(MI_BITMAP *Bitmap, uint64_t First, uint64_t Count);
void MiBitmapTake(MI_BITMAP *Bitmap, uint64_t First, uint64_t Count);

/* The two for a few items in one word, as most ranges are, when nothing above the word changes. FALSE: nothing was done; the range may be
 * taken (or lie anywhere); for MiBitmapFreeShort it is in the bitmap and taken. */
static inline int MiBitmapTakeShort(MI_BITMAP *Bitmap, uint64_t First, uint64_t Count)
{
    if (Count - 1 >= 63 || First % 64 + Count > 64 || First >= Bitmap->Size)
        return 0;
    uint64_t *Word = &Bitmap->Level[0][First / 64], Bits = ((1ull << Count) - 1) << (First % 64);
    if ((*Word & Bits) != Bits || *Word == Bits)
        return 0;
    *Word -= Bits;
    Bitmap->Free -= Count;
    return 1;
}

static inline int MiBitmapFreeShort(MI_BITMAP *Bitmap, uint64_t First, uint64_t Count)
{
    uint64_t *Word = &Bitmap->Level[0][First / 64];
    if (Count - 1 >= 63 || First % 64 + Count > 64 || *Word == 0)
        return 0;
    *Word |= ((1ull << Count) - 1) << (First % 64);
    Bitmap->Free += Count;
    return 1;
}

/* FALSE also when the range is not inside the bitmap. */
int MiBitmapIsFree(const MI_BITMAP *Bitmap, uint64_t First, uint64_t Count);
int MiBitmapIsTaken(const MI_BITMAP *Bitmap, uint64_t First, uint64_t Count);

/* The first free item at or after From, MI_BITMAP_NONE if there is none. */
uint64_t MiBitmapFind(const MI_BITMAP *Bitmap, uint64_t From);

/* The first item at or after From that is free here and not in Less, which has the same size. Words that are free in both are passed one by one. */
uint64_t MiBitmapFindWithout(const MI_BITMAP *Bitmap, const MI_BITMAP *Less, uint64_t From);

/* The first of Count consecutive free items inside [From, End), which cross no multiple of Boundary (0: may
 * cross). First fit. */
uint64_t MiBitmapFindRun(const MI_BITMAP *Bitmap, uint64_t Count, uint64_t From, uint64_t End,
                         uint64_t Boundary);

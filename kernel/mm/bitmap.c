/* SPDX-License-Identifier: MIT
 * The bit tree of bitmap.h. Runs are searched in level 0, word by word; the upper levels skip what is full.
 */
#include "bitmap.h"

static uint64_t Words(uint64_t Items)
{
    return Items / 64 + (Items % 64 != 0);
}

/* Bits First..Last of one word (0 <= First <= Last <= 63). */
static uint64_t Mask(unsigned First, unsigned Last)
{
    return (~0ull << First) & (~0ull >> (63 - Last));
}

uint64_t MiBitmapBytes(uint64_t Size)
{
    uint64_t Total = 0;
    do {
        Size = Words(Size);
        Total += Size * 8;
    } while (Size > 1);
    return Total;
}

void MiBitmapInit(MI_BITMAP *Bitmap, uint64_t Size, void *Storage)
{
    uint64_t *Next = Storage;
    uint64_t Items = Size;
    Bitmap->Levels = 0;
    Bitmap->Size = Size;
    Bitmap->Free = 0;
    do {
        Items = Words(Items);
        Bitmap->Level[Bitmap->Levels++] = Next;
        for (uint64_t I = 0; I < Items; I++)
            *Next++ = 0;
    } while (Items > 1);
}

/* Sets bits of one level; every touched word now has a free bit, which the level above is told. */
void MiBitmapFree(MI_BITMAP *Bitmap, uint64_t First, uint64_t Count)
{
    uint64_t Last = First + Count - 1, *Word = &Bitmap->Level[0][First / 64];
    Bitmap->Free += Count;
    if (First / 64 == Last / 64 && *Word != 0) {
        *Word |= Mask(First % 64, Last % 64);
        return;
    }
    for (uint32_t L = 0; L < Bitmap->Levels; L++) {
        uint64_t *Level = Bitmap->Level[L];
        uint64_t FirstWord = First / 64, LastWord = Last / 64;
        int Known = FirstWord == LastWord && Level[FirstWord] != 0;
        for (uint64_t W = FirstWord; W <= LastWord; W++)
            Level[W] |= Mask(W == FirstWord ? First % 64 : 0, W == LastWord ? Last % 64 : 63);
        if (Known)
            return;
        First = FirstWord;
        Last = LastWord;
    }
}

/* Clears bits of one level; words that have become empty (all but the outer two surely have) clear their bit
 * above. */
void MiBitmapTake(MI_BITMAP *Bitmap, uint64_t First, uint64_t Count)
{
    uint64_t Last = First + Count - 1, *Word = &Bitmap->Level[0][First / 64];
    Bitmap->Free -= Count;
    if (First / 64 == Last / 64 && (*Word & ~Mask(First % 64, Last % 64)) != 0) {
        *Word &= ~Mask(First % 64, Last % 64);
        return;
    }
    for (uint32_t L = 0; L < Bitmap->Levels; L++) {
        uint64_t *Level = Bitmap->Level[L];
        uint64_t FirstWord = First / 64, LastWord = Last / 64;
        for (uint64_t W = FirstWord; W <= LastWord; W++)
            Level[W] &= ~Mask(W == FirstWord ? First % 64 : 0, W == LastWord ? Last % 64 : 63);
        First = FirstWord + (Level[FirstWord] != 0);
        if (First > LastWord)
            return;
        Last = LastWord;
        if (Level[LastWord] != 0) {
            if (First == LastWord)
                return;
            Last--;
        }
    }
}

static int AllBitsAre(const MI_BITMAP *Bitmap, uint64_t First, uint64_t Count, uint64_t Expected)
{
    if (Count == 0 || First >= Bitmap->Size || Count > Bitmap->Size - First)
        return 0;
    uint64_t Last = First + Count - 1;
    uint64_t FirstWord = First / 64, LastWord = Last / 64;
    for (uint64_t W = FirstWord; W <= LastWord; W++) {
        uint64_t Bits = Mask(W == FirstWord ? First % 64 : 0, W == LastWord ? Last % 64 : 63);
        if ((Bitmap->Level[0][W] & Bits) != (Expected & Bits))
            return 0;
    }
    return 1;
}

int MiBitmapIsFree(const MI_BITMAP *Bitmap, uint64_t First, uint64_t Count)
{
    return AllBitsAre(Bitmap, First, Count, ~0ull);
}

int MiBitmapIsTaken(const MI_BITMAP *Bitmap, uint64_t First, uint64_t Count)
{
    return AllBitsAre(Bitmap, First, Count, 0);
}

/* Up until a word has a bit at or after the position, then down along the lowest bits. */
uint64_t MiBitmapFind(const MI_BITMAP *Bitmap, uint64_t From)
{
    if (From >= Bitmap->Size)
        return MI_BITMAP_NONE;
    uint64_t Position = From;
    for (uint32_t L = 0; L < Bitmap->Levels; L++) {
        uint64_t Word = Position / 64;
        if (Word >= Words(L == 0 ? Bitmap->Size : Bitmap->Level[L] - Bitmap->Level[L - 1]))
            return MI_BITMAP_NONE;
        uint64_t Bits = Bitmap->Level[L][Word] & (~0ull << (Position % 64));
        if (Bits != 0) {
            Position = Word * 64 + (uint64_t)__builtin_ctzll(Bits);
            while (L-- > 0)
                Position = Position * 64 + (uint64_t)__builtin_ctzll(Bitmap->Level[L][Position]);
            return Position;
        }
        Position = Word + 1;
    }
    return MI_BITMAP_NONE;
}

uint64_t MiBitmapFindWithout(const MI_BITMAP *Bitmap, const MI_BITMAP *Less, uint64_t From)
{
    uint64_t At = MiBitmapFind(Bitmap, From);
    while (At != MI_BITMAP_NONE) {
        uint64_t Word = At / 64;
        uint64_t Bits = Bitmap->Level[0][Word] & ~Less->Level[0][Word] & (~0ull << (At % 64));
        if (Bits != 0)
            return Word * 64 + (uint64_t)__builtin_ctzll(Bits);
        At = MiBitmapFind(Bitmap, (Word + 1) * 64);
    }
    return MI_BITMAP_NONE;
}

/* The first taken item in [First, End), or End. */
static uint64_t FindTaken(const MI_BITMAP *Bitmap, uint64_t First, uint64_t End)
{
    for (uint64_t At = First; At < End;) {
        uint64_t Taken = ~Bitmap->Level[0][At / 64] & (~0ull << (At % 64));
        if (Taken != 0) {
            uint64_t Found = At / 64 * 64 + (uint64_t)__builtin_ctzll(Taken);
            return Found < End ? Found : End;
        }
        At = (At / 64 + 1) * 64;
    }
    return End;
}

/* The bits of a word at which Count ones begin; Count <= 64. */
static uint64_t RunsIn(uint64_t Word, uint64_t Count)
{
    for (uint64_t Have = 1; Have < Count && Word != 0;) {
        uint64_t Step = Have < Count - Have ? Have : Count - Have;
        Word &= Word >> Step;
        Have += Step;
    }
    return Word;
}

/* A run that lies in one word, which is where most are. */
static uint64_t FindShortRun(const MI_BITMAP *Bitmap, uint64_t Count, uint64_t Start)
{
    uint64_t Runs = Bitmap->Level[0][Start / 64] & (~0ull << (Start % 64));
    if (Count > 64 || (Runs = RunsIn(Runs, Count)) == 0)
        return MI_BITMAP_NONE;
    return Start / 64 * 64 + (uint64_t)__builtin_ctzll(Runs);
}

uint64_t MiBitmapFindRun(const MI_BITMAP *Bitmap, uint64_t Count, uint64_t From, uint64_t End,
                         uint64_t Boundary)
{
    if (End > Bitmap->Size)
        End = Bitmap->Size;
    if (Count == 0 || (Boundary != 0 && Count > Boundary))
        return MI_BITMAP_NONE;
    for (uint64_t Start = MiBitmapFind(Bitmap, From); Start < End && Count <= End - Start;
         Start = MiBitmapFind(Bitmap, Start)) {
        if (Boundary != 0 && Start / Boundary != (Start + Count - 1) / Boundary) {
            Start = (Start / Boundary + 1) * Boundary;
            continue;
        }
        uint64_t Short = Boundary == 0 ? FindShortRun(Bitmap, Count, Start) : MI_BITMAP_NONE;
        if (Short != MI_BITMAP_NONE)
            return Count <= End - Short && Short < End ? Short : MI_BITMAP_NONE;
        uint64_t Stop = FindTaken(Bitmap, Start, Start + Count);
        if (Stop == Start + Count)
            return Start;
        Start = Stop;
    }
    return MI_BITMAP_NONE;
}

/* SPDX-License-Identifier: MIT
 * Checked kernel: headers of small blocks that somebody wrote to who had no business there. A header is sealed by a number that
 * follows from what it says and from where it lies. A copy of what it says is kept at the other end of the block's room while the
 * block is allocated, so that one still knows whose block it is.
 *
 *   | header | block ............ | guard, up to 16 bytes | ... | copy | header | next block ... */
#include "exp.h"
#include "crt.h"
#include "ke_checks.h"

#if NTBOX_CHECKED

#define EXP_COPY_KEY 0xb5b5b5b5b5b5b5b5ull

static ULONG64 ExpIdentity(const EXP_HEADER *Header)
{
    return Header->Tag | (ULONG64)Header->Size << 32 | (ULONG64)Header->Allocator << 48;
}

ULONG ExpSealOf(const EXP_HEADER *Header, const void *Place)
{
    ULONG64 Mixed = (ExpIdentity(Header) ^ (ULONG64)Place) * 0x9e3779b97f4a7c15ull;

    return (ULONG)(Mixed >> 32) + Header->Freer * 0x85ebca6bu;
}

VOID ExpSealFreed(EXP_HEADER *Header, EXP_OWNER Freer)
{
    Header->Freer = (USHORT)Freer;
    Header->Seal = ExpSealOf(Header, Header);
    __atomic_store_n(&Header->State, ExpBlockFree, __ATOMIC_RELEASE);
}

/* --- is it as it was left? ----------------------------------------------------------------------------------------- */

static BOOLEAN ExpIsSound(const EXP_HEADER *Header, const EXP_HEADER *Place)
{
    BOOLEAN StateIsRight =
        Header->State == ExpBlockFree || (Header->State == ExpBlockAllocated && Header->Freer == 0);

    return StateIsRight && Header->Zero == 0 && Header->Seal == ExpSealOf(Header, Place);
}

/* All 16 bytes as they were at one moment: another processor may be writing them. */
static EXP_HEADER ExpSnapshot(const EXP_HEADER *Place)
{
    union {
        ULONG64 Words[2];
        EXP_HEADER Header;
    } Now = {{0, 0}};

    __asm__ volatile("lock cmpxchg16b %2"
                     : "+a"(Now.Words[0]), "+d"(Now.Words[1]), "+m"(*(EXP_HEADER *)Place)
                     : "b"(0ull), "c"(0ull)
                     : "cc");
    return Now.Header;
}

/* TRUE: sound, or being written just now. */
static BOOLEAN ExpReadHeader(const EXP_HEADER *Place, EXP_HEADER *Header)
{
    *Header = *Place;
    if (ExpIsSound(Header, Place))
        return TRUE;
    *Header = ExpSnapshot(Place);
    return Header->State == ExpBlockChanging || ExpIsSound(Header, Place);
}

VOID ExpCheckHeader(EXP_HEADER *Header, ULONG Class)
{
    EXP_HEADER Now;

    if (!KeChecksOff && !ExpReadHeader(Header, &Now))
        ExpBadHeader(ExpPoolOf(Header), Header);
}

/* --- the copy, and the bytes in front of it --------------------------------------------------------------------------- */

static PULONG64 ExpCopyOf(const EXP_HEADER *Header, ULONG Class)
{
    return (PULONG64)((ULONG_PTR)Header + ExpBlockSize[Class] - sizeof(ULONG64));
}

static SIZE_T ExpRoomOf(ULONG Class)
{
    return ExpBlockSize[Class] - EXP_HEADER_SIZE - sizeof(ULONG64);
}

VOID ExpSetSmallGuard(const EXP_HEADER *Header, ULONG Class)
{
    ExpSetGuard((PVOID)(Header + 1), Header->Size, ExpRoomOf(Class));
    *ExpCopyOf(Header, Class) = ExpIdentity(Header) ^ EXP_COPY_KEY;
}

VOID ExpCheckSmallGuard(const EXP_HEADER *Header, ULONG Class)
{
    const UCHAR *Copy = (const UCHAR *)ExpCopyOf(Header, Class);
    ULONG64 Wanted = ExpIdentity(Header) ^ EXP_COPY_KEY;

    ExpCheckGuard((PVOID)(Header + 1), Header->Size, ExpRoomOf(Class));
    for (ULONG I = 0; I < sizeof(Wanted) && !KeChecksOff; I++)
        if (Copy[I] != ((const UCHAR *)&Wanted)[I])
            ExpOverrun((PVOID)(Header + 1), Header->Size, Copy[I]);
}

BOOLEAN ExpIsOverrun(const EXP_HEADER *Header, ULONG Class)
{
    EXP_HEADER Now;
    ULONG64 Copy = *ExpCopyOf(Header, Class);

    if (KeChecksOff || !ExpReadHeader(Header, &Now))
        return FALSE;
    return Now.State == ExpBlockAllocated ? Copy != (ExpIdentity(&Now) ^ EXP_COPY_KEY)
                                          : Copy != EXP_FREED_WORD;
}

const UCHAR *ExpFindSmallChange(const EXP_HEADER *Header, SIZE_T Size, ULONG Class)
{
    const UCHAR *Changed = ExpFindGuardChange(Header + 1, Size, ExpRoomOf(Class));
    if (Changed == NULL && ExpIsOverrun(Header, Class))
        return (const UCHAR *)ExpCopyOf(Header, Class);
    return Changed;
}

static BOOLEAN ExpIsPossible(const EXP_HEADER *Header, ULONG Class)
{
    return Header->Size <= ExpRoomOf(Class) && ExpOwnerCode(Header->Allocator) != NULL;
}

/* Of a damaged header the copy is believed, if the seal or the rest of the header confirms it, or at least if it can be. With
 * neither nothing is known. */
EXP_HEADER ExpBelieve(const EXP_HEADER *Header, ULONG Class)
{
    EXP_HEADER Now, Once;

    if (ExpReadHeader(Header, &Now))
        return Now;
    ULONG64 Copy = *ExpCopyOf(Header, Class) ^ EXP_COPY_KEY;
    Once = (EXP_HEADER){.Tag = (ULONG)Copy,
                        .Size = (USHORT)(Copy >> 32),
                        .Allocator = (USHORT)(Copy >> 48),
                        .State = ExpBlockAllocated};
    if (Now.Seal == ExpSealOf(&Once, Header) || ExpIdentity(&Now) == Copy || ExpIsPossible(&Once, Class))
        return Once;
    if (ExpIsPossible(&Now, Class))
        return Now;
    return (EXP_HEADER){.Tag = EXP_TAG_DESTROYED, .State = ExpBlockAllocated};
}

#endif

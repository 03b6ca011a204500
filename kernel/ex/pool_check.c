/* SPDX-License-Identifier: MIT
 * Wrong frees, overruns, writes after free: finding them, and the bug checks that say so. The log line before
 * it names the block's tag, size and allocating code. */
#include "exp.h"
#include "crt.h"
#include "ke_bugcheck.h"
#include "kd.h"
#include "ke_checks.h"

static VOID ExpLogBlock(PCSTR What, const void *Address)
{
    EX_POOL_BLOCK Block;
    if (!ExQueryPoolBlock(Address, &Block)) {
        KdLog("pool: %s %p, which lies in no pool block", What, Address);
        return;
    }
    KdLog("pool: %s %p: block %p, %llu bytes, tag '%.4s', %s, allocated by the code at %p", What, Address,
          Block.Base, (ULONG64)Block.Size, (PCSTR)&Block.Tag, Block.Allocated ? "live" : "freed",
          Block.Owner);
}

/* [WDK Bug Check 0xC2] 0x40 a user-mode address, 0x42 never in a pool, 0x41 and 0x50 not allocated nonpaged
 * and paged pool, 7 freed already, 0x99 an invalid address */
VOID ExpBadPointer(EXP_POOL *Pool, PVOID Block)
{
    ULONG_PTR Address = (ULONG_PTR)Block;
    EX_POOL_BLOCK Known;
    if (Address < MM_USER_END)
        KeBugCheckEx(BAD_POOL_CALLER, 0x40, Address, (ULONG_PTR)MmSystemRangeStart, 0);
    if (Pool == NULL)
        KeBugCheckEx(BAD_POOL_CALLER, 0x42, Address, 0, 0);
    ExpLogBlock("bad free of", Block);
    if (ExQueryPoolBlock(Block, &Known)) {
        if (Known.Base == Block && !Known.Allocated)
            KeBugCheckEx(BAD_POOL_CALLER, 7, 0, Known.Tag, Address);
        KeBugCheckEx(BAD_POOL_CALLER, 0x99, Address, 0, 0);
    }
    if (Pool->Type == PagedPool)
        KeBugCheckEx(BAD_POOL_CALLER, 0x50, Address, ExpPageIndex(Pool, Block), Pool->PageCount * PAGE_SIZE);
    KeBugCheckEx(BAD_POOL_CALLER, 0x41, Address, 0, 0);
}

/* [WDK Bug Check 0x19] 0x20: the header is corrupt; most often the block before it was overrun */
VOID ExpBadHeader(EXP_POOL *Pool, EXP_HEADER *Header)
{
    ULONG Size = ExpBlockSize[Pool->Records[ExpPageIndex(Pool, Header)].Class];
    if (((ULONG_PTR)Header & PAGE_MASK) >= Size)
        ExpLogBlock("overwritten header behind", (PUCHAR)(Header + 1) - Size);
    KeBugCheckEx(BAD_POOL_HEADER, 0x20, (ULONG_PTR)Header, (ULONG_PTR)Header + Size, 0);
}

/* [WDK Bug Check 0xC2] 0x0A: freed with a tag that is not the allocation's */
VOID ExpWrongTag(PVOID Block, ULONG Allocated, ULONG Freed)
{
    ExpLogBlock("freed with the wrong tag:", Block);
    KeBugCheckEx(BAD_POOL_CALLER, 0x0a, (ULONG_PTR)Block, Allocated, Freed);
}

#if NTBOX_CHECKED

static SIZE_T ExpGuardLength(SIZE_T Size, SIZE_T Room)
{
    return Room - Size < EXP_GUARD_MAX ? Room - Size : EXP_GUARD_MAX;
}

VOID ExpSetGuard(PVOID Block, SIZE_T Size, SIZE_T Room)
{
    PUCHAR Guard = (PUCHAR)Block + Size;
    if (KeChecksOff)
        return;
    for (SIZE_T I = 0; I < ExpGuardLength(Size, Room); I++)
        Guard[I] = EXP_GUARD_BYTE;
}

/* [WDK Bug Check 0x19] 0x21: the data following the block being freed is corrupt */
VOID ExpCheckGuard(PVOID Block, SIZE_T Size, SIZE_T Room)
{
    PUCHAR Guard = (PUCHAR)Block + Size;
    if (KeChecksOff)
        return;
    for (SIZE_T I = 0; I < ExpGuardLength(Size, Room); I++)
        if (Guard[I] != EXP_GUARD_BYTE) {
            ExpLogBlock("overrun of", Block);
            KeBugCheckEx(BAD_POOL_HEADER, 0x21, (ULONG_PTR)Block, Size, Guard[I]);
        }
}

/* The first 16 bytes of a free block hold the link of its list. */
VOID ExpFillFreed(EXP_HEADER *Header, ULONG Class)
{
    PULONG64 Word = (PULONG64)(Header + 1);
    if (KeChecksOff)
        return;
    for (ULONG I = 2; I < (ExpBlockSize[Class] - EXP_HEADER_SIZE) / 8; I++)
        Word[I] = EXP_FREED_WORD;
}

/* Who had allocated the block is to blame, not who gets it next. An image that is gone has let go of its blocks: then nobody is. */
static DECLSPEC_NORETURN VOID ExpWrittenFreed(const EXP_HEADER *Header, PULONG64 Word)
{
    CHAR Text[160];

    _snprintf(Text, sizeof(Text), "%u bytes of pool, tag '%.4s', were written to after they were freed%s",
              (unsigned)Header->Size, (PCSTR)&Header->Tag,
              Header->Owner != NULL ? "" : "; the driver that had them is unloaded");
    ExpLogBlock("written after it was freed:", Word);
    KeBugCheckBlaming(Header->Owner != NULL ? Header->Owner : (PVOID)ExpWrittenFreed, MEMORY_MANAGEMENT,
                      0x5200, (ULONG_PTR)Word, *Word, EXP_FREED_WORD, Text);
}

/* [WDK Bug Check 0x1A] 0x5200: a free block was written to */
VOID ExpCheckFreed(EXP_HEADER *Header, ULONG Class)
{
    PULONG64 Word = (PULONG64)(Header + 1);
    if (KeChecksOff)
        return;
    for (ULONG I = 2; I < (ExpBlockSize[Class] - EXP_HEADER_SIZE) / 8; I++)
        if (Word[I] != EXP_FREED_WORD)
            ExpWrittenFreed(Header, &Word[I]);
}

#endif

/* SPDX-License-Identifier: MIT
 * Wrong frees, overruns, writes after free: finding them, and the bug checks that say so. The log line before
 * it names the block's tag, size and allocating code. */
#include "exp.h"
#include "crt.h"
#include "ke_bugcheck.h"
#include "kd.h"
#include "ke_checks.h"

/* To the log and the report. */
__attribute__((format(printf, 1, 2))) static VOID ExpSay(PCSTR Format, ...)
{
    CHAR Text[EXP_TRACE_TEXT + 128];
    va_list Arguments;

    va_start(Arguments, Format);
    _vsnprintf(Text, sizeof(Text) - 1, Format, Arguments);
    va_end(Arguments);
    Text[sizeof(Text) - 1] = 0;
    KdLog("pool: %s", Text);
    KdReport(ReportPoolBlock, KD_TEXT(ReportKeyText, Text));
}

#if NTBOX_CHECKED
static VOID ExpLogTrace(PCSTR What, ULONG Number)
{
    CHAR Text[EXP_TRACE_TEXT];

    if (Number == 0)
        return;
    ExpDescribeTrace(Number, Text, sizeof(Text));
    ExpSay("%s by %s", What, Text);
}

VOID ExpLogTraces(const EX_POOL_BLOCK *Block)
{
    ExpLogTrace("allocated", (ULONG)Block->Traces);
    if (!Block->Allocated)
        ExpLogTrace("freed", (ULONG)ExpFreer(Block->Traces));
}
#else
VOID ExpLogTraces(const EX_POOL_BLOCK *Block)
{
    ExpSay("allocated by the code at %p", Block->Owner);
}
#endif

VOID ExpLogBlock(PCSTR What, const void *Address)
{
    EX_POOL_BLOCK Block;
    if (!ExQueryPoolBlock(Address, &Block)) {
        ExpSay("%s %p, which lies in no pool block", What, Address);
        return;
    }
    ExpSay("%s %p: block %p, %llu bytes, tag '%.4s', %s", What, Address, Block.Base, (ULONG64)Block.Size,
           (PCSTR)&Block.Tag, Block.Allocated ? "live" : "freed");
    ExpLogTraces(&Block);
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

static BOOLEAN ExpIsDrivers(PVOID Owner)
{
    return Owner != NULL && !KiUpcalls->IsKernelAddress(Owner);
}

static VOID ExpTellOfBlock(const EX_POOL_BLOCK *Block, PCSTR What, PCHAR Text, SIZE_T Room)
{
    PCSTR Gone = ExpGoneOwner(Block->Traces);

    if (Block->Tag == EXP_TAG_DESTROYED)
        _snprintf(Text, Room, "bytes of a block of pool whose header is destroyed were written to %s", What);
    else
        _snprintf(Text, Room, "%u bytes of pool, tag '%.4s', were written to %s%s%s%s", (unsigned)Block->Size,
                  (PCSTR)&Block->Tag, What, Gone != NULL ? "; the driver that had them, " : "",
                  Gone != NULL ? Gone : "", Gone != NULL ? ", is unloaded" : "");
    Text[Room - 1] = 0;
}

/* Who had allocated the block is to blame, not who has it in hand; when its image is gone there is nobody to blame but by name. Of
 * what the kernel allocated for others the stack says more. */
static DECLSPEC_NORETURN VOID ExpBlameFor(const void *Place, PCSTR What, ULONG Code, const ULONG_PTR P[4])
{
    EX_POOL_BLOCK Block = {0};
    CHAR Text[256];

    ExQueryPoolBlock(Place, &Block);
    PVOID Blamed = ExpIsDrivers(Block.Owner) ? Block.Owner : NULL;
    ExpTellOfBlock(&Block, What, Text, sizeof(Text));
    ExpLogBlock("written to:", Place);
    if (Blamed == NULL && Block.Owner == NULL)
        Blamed = (PVOID)ExpBlameFor;
    KeBugCheckBlaming(Blamed, Code, P[0], P[1], P[2], P[3], Text);
}

/* [WDK Bug Check 0x19] 0x20: a pool block header is corrupt; 2: the block's entry, 3: the next one. The block before it was overrun, or
 * this one was underrun. */
VOID ExpBadHeader(EXP_POOL *Pool, EXP_HEADER *Header)
{
    ULONG Class = Pool->Records[ExpPageIndex(Pool, Header)].Class, Size = ExpBlockSize[Class];
    const EXP_HEADER *Before = (const EXP_HEADER *)((ULONG_PTR)Header - Size);
    const ULONG_PTR P[] = {0x20, (ULONG_PTR)Header, (ULONG_PTR)Header + Size, 0};
    BOOLEAN First = ((ULONG_PTR)Header & PAGE_MASK) < Size;

    if (!First && ExpIsOverrun(Before, Class))
        ExpBlameFor(Before + 1, "beyond their end, over the header of the next block", BAD_POOL_HEADER, P);
    ExpBlameFor(Header + 1, "before their begin", BAD_POOL_HEADER, P);
}

PVOID ExpUseDamaged(EXP_HEADER *Header)
{
    ExpBadHeader(ExpPoolOf(Header), Header);
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
VOID ExpOverrun(PVOID Block, SIZE_T Size, UCHAR Byte)
{
    CHAR Text[96];
    EX_POOL_BLOCK Known = {0};

    if (((ULONG_PTR)Block & PAGE_MASK) != 0) /* small; it is being freed */
        ExpHeaderOf(Block)->State = ExpBlockAllocated;
    ExQueryPoolBlock(Block, &Known);
    _snprintf(Text, sizeof(Text), "%u bytes of pool, tag '%.4s', were written to beyond their end",
              (unsigned)Size, (PCSTR)&Known.Tag);
    ExpLogBlock("overrun of", Block);
    KeBugCheckBlaming(NULL, BAD_POOL_HEADER, 0x21, (ULONG_PTR)Block, Size, Byte, Text);
}

const UCHAR *ExpFindGuardChange(const void *Block, SIZE_T Size, SIZE_T Room)
{
    const UCHAR *Guard = (const UCHAR *)Block + Size;
    if (KeChecksOff)
        return NULL;
    for (SIZE_T I = 0; I < ExpGuardLength(Size, Room); I++)
        if (Guard[I] != EXP_GUARD_BYTE)
            return &Guard[I];
    return NULL;
}

VOID ExpCheckGuard(PVOID Block, SIZE_T Size, SIZE_T Room)
{
    const UCHAR *Changed = ExpFindGuardChange(Block, Size, Room);
    if (Changed != NULL)
        ExpOverrun(Block, Size, *Changed);
}

const UCHAR *ExFindOverrun(const void *Block)
{
    EXP_POOL *Pool = ExpAnyPoolOf(Block);
    EX_POOL_BLOCK Known;
    if (Pool == NULL || !ExQueryPoolBlock(Block, &Known) || !Known.Allocated || Known.Base != Block)
        return NULL;
    const EXP_PAGE *Record = &Pool->Records[ExpPageIndex(Pool, Block)];
    if (Pool == &ExpPools[MmSpecialPoolRegion])
        return ExpFindSpecialChange(Record);
    if (Record->State == ExpPageSmall)
        return ExpFindSmallChange((const EXP_HEADER *)Block - 1, Known.Size, Record->Class);
    return ExpFindGuardChange(Block, Known.Size, Record->PageCount * PAGE_SIZE);
}

/* All of it, from the first byte. */
VOID ExpFillFreed(EXP_HEADER *Header, ULONG Class)
{
    PULONG64 Word = (PULONG64)(Header + 1);
    if (KeChecksOff)
        return;
    for (ULONG I = 0; I < (ExpBlockSize[Class] - EXP_HEADER_SIZE) / 8; I++)
        Word[I] = EXP_FREED_WORD;
}

/* [WDK Bug Check 0xC2] 8: allocating at an IRQL that the pool type does not permit; 9: freeing at one */
VOID ExpCheckIrql(const EXP_POOL *Pool, ULONG Kind, ULONG_PTR SizeOrAddress)
{
    KIRQL Irql = ArchGetIrql();
    if (Irql > (Pool->Type == PagedPool ? APC_LEVEL : DISPATCH_LEVEL))
        KeBugCheckEx(BAD_POOL_CALLER, Kind, Irql, Pool->Type, SizeOrAddress);
}

/* [WDK Bug Check 0x1A] 0x5200: a free block was written to */
VOID ExpCheckFreed(const EXP_HEADER *Header, ULONG Class)
{
    const ULONG64 *Word = (const ULONG64 *)(Header + 1);
    if (KeChecksOff)
        return;
    for (ULONG I = 0; I < (ExpBlockSize[Class] - EXP_HEADER_SIZE) / 8; I++)
        if (Word[I] != EXP_FREED_WORD)
            ExpBlameFor(Header + 1, "after they were freed", MEMORY_MANAGEMENT,
                        (const ULONG_PTR[]){0x5200, (ULONG_PTR)&Word[I], Word[I], EXP_FREED_WORD});
}

#endif

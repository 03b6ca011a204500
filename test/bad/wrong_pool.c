/* SPDX-License-Identifier: MIT
 * Breaks one rule of pool; the I/O control code says which. [WDK Bug Check 0xC2, Bug Check 0x19] */
#define DEVICE_NAME L"\\Device\\NtboxPool"
#include "rules.h"

#define TAG 0x6C6F6F50u /* "Pool" */

/* An address far behind what the pool has handed out. */
static PVOID FarBehind(POOL_TYPE Type)
{
    PUCHAR Block = ExAllocatePoolWithTag(Type, 64, TAG);
    return Block != NULL ? Block + 0x10000000 : NULL;
}

BREAKS FreeUser(VOID)
{
    ExFreePoolWithTag((PVOID)(ULONG_PTR)0x10000, TAG);
}

BREAKS FreeImage(VOID)
{
    static ULONG64 Data[8];
    ExFreePoolWithTag(Data, TAG);
}

BREAKS FreeBehind(VOID)
{
    ExFreePoolWithTag(FarBehind(NonPagedPoolNx), TAG);
}

BREAKS FreeBehindPaged(VOID)
{
    ExFreePoolWithTag(FarBehind(PagedPool), TAG);
}

BREAKS FreeMiddle(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, 64, TAG);
    ExFreePoolWithTag(Block + 16, TAG);
}

BREAKS AllocateRaised(VOID)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    (VOID) ExAllocatePoolWithTag(PagedPool, 100, TAG);
    KeLowerIrql(Old);
}

BREAKS FreeRaised(VOID)
{
    KIRQL Old;
    PVOID Block = ExAllocatePoolWithTag(PagedPool, 100, TAG);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    ExFreePoolWithTag(Block, TAG);
    KeLowerIrql(Old);
}

BREAKS AllocateUntagged(VOID)
{
    (VOID) ExAllocatePoolWithTag(NonPagedPoolNx, 100, 0);
}

BREAKS AllocateForSure(VOID)
{
    (VOID) ExAllocatePoolWithTag(NonPagedPoolMustSucceed, 100, TAG);
}

BREAKS FreeContiguous(VOID)
{
    MmFreeContiguousMemory(ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, TAG));
}

/* Over the end of one block into the header of the next, which is freed. Blocks of 40 bytes lie 64 apart. */
BREAKS OverrunHeader(VOID)
{
    static PUCHAR Blocks[64];
    for (ULONG I = 0; I < RTL_NUMBER_OF(Blocks); I++)
        Blocks[I] = ExAllocatePoolWithTag(NonPagedPoolNx, 40, TAG);
    for (ULONG I = 0; I < RTL_NUMBER_OF(Blocks); I++)
        for (ULONG J = 0; J < RTL_NUMBER_OF(Blocks); J++)
            if (Blocks[I] + 64 == Blocks[J]) {
                RtlFillMemory(Blocks[I], 64, 'x');
                ExFreePoolWithTag(Blocks[J], TAG);
            }
}

static PUCHAR Underrun(ULONG First, ULONG Count)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, 40, TAG);
    for (ULONG I = First; I < First + Count; I++)
        *(volatile UCHAR *)(Block - I) ^= 0x55;
    return Block;
}

BREAKS UnderrunByte(VOID)
{
    ExFreePoolWithTag(Underrun(1, 1), TAG);
}

BREAKS UnderrunSixth(VOID)
{
    ExFreePoolWithTag(Underrun(6, 1), TAG);
}

BREAKS UnderrunNinth(VOID)
{
    ExFreePoolWithTag(Underrun(9, 1), TAG);
}

BREAKS UnderrunTag(VOID)
{
    ExFreePoolWithTag(Underrun(16, 1), TAG);
}

BREAKS UnderrunAll(VOID)
{
    ExFreePool(Underrun(1, 16));
}

BREAKS UnderrunPaged(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(PagedPool, 40, TAG);
    *(volatile UCHAR *)(Block - 1) ^= 0x55;
    ExFreePoolWithTag(Block, TAG);
}

BREAKS UnderrunKept(VOID)
{
    (VOID) Underrun(1, 1);
}

BREAKS UnderrunFreed(VOID)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, 40, TAG);
    ExFreePoolWithTag(Block, TAG);
    *(volatile UCHAR *)(Block - 1) ^= 0x55;
}

static VOID (*const Rules[])(VOID) = {
    FreeUser,       FreeImage,     FreeBehind,       FreeBehindPaged, FreeMiddle,
    AllocateRaised, FreeRaised,    AllocateUntagged, AllocateForSure, FreeContiguous,
    OverrunHeader,  UnderrunByte,  UnderrunSixth,    UnderrunNinth,   UnderrunTag,
    UnderrunAll,    UnderrunPaged, UnderrunKept,     UnderrunFreed,
};

RULES(Rules, (void)0)

/* SPDX-License-Identifier: MIT
 * Touches pool where it must not; the I/O control code says how. The first rules are about paged pool at DISPATCH_LEVEL, the others are for
 * special pool. [WDK bug checks 0x0A, 0xD1, 0xC1, 0xCC, 0xCD, 0xD5, 0xD6] */
#define DEVICE_NAME L"\\Device\\NtboxMisuse"
#include "rules.h"

#define TAG 0x7073694du /* "Misp" */
#define LENGTH 100      /* rounded up to 112 */

static KSPIN_LOCK Lock;
static KDPC Dpc;
static volatile SIZE_T Much = 2 * PAGE_SIZE; /* more than the compiler can write in place */

static PUCHAR Block(POOL_TYPE Type)
{
    PUCHAR New = ExAllocatePoolWithTag(Type, LENGTH, TAG);
    if (New == NULL)
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0);
    return New;
}

BREAKS ReadPagedLocked(VOID)
{
    volatile UCHAR *Paged = Block(PagedPool);
    KIRQL Old;
    KeAcquireSpinLock(&Lock, &Old);
    (VOID) * Paged;
    KeReleaseSpinLock(&Lock, Old);
}

BREAKS FillPagedLocked(VOID)
{
    PUCHAR Paged = ExAllocatePoolWithTag(PagedPool, Much, TAG);
    KIRQL Old;
    KeAcquireSpinLock(&Lock, &Old);
    RtlFillMemory(Paged, Much, 1);
    KeReleaseSpinLock(&Lock, Old);
}

static VOID NTAPI TouchInDpc(PKDPC Self, PVOID Paged, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Self);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    *(volatile UCHAR *)Paged = 1;
}

BREAKS WritePagedInDpc(VOID)
{
    KeInitializeDpc(&Dpc, TouchInDpc, Block(PagedPool));
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

BREAKS WriteBehind(VOID)
{
    *(volatile UCHAR *)(Block(NonPagedPoolNx) + 112) = 1;
}

BREAKS ReadBefore(VOID)
{
    PUCHAR First =
        ExAllocatePoolWithTagPriority(NonPagedPoolNx, LENGTH, TAG, NormalPoolPrioritySpecialPoolUnderrun);
    (VOID) * (volatile UCHAR *)(First - 1);
}

BREAKS FillBehind(VOID)
{
    RtlFillMemory(Block(NonPagedPoolNx), Much / 2, 1);
}

BREAKS WriteFreed(VOID)
{
    PUCHAR Gone = Block(NonPagedPoolNx);
    ExFreePoolWithTag(Gone, TAG);
    *(volatile UCHAR *)Gone = 1;
}

BREAKS FillFreed(VOID)
{
    PUCHAR Gone = ExAllocatePoolWithTag(PagedPool, Much, TAG);
    ExFreePoolWithTag(Gone, TAG);
    RtlFillMemory(Gone, Much, 1);
}

BREAKS FreeTwice(VOID)
{
    PUCHAR Gone = Block(PagedPool);
    ExFreePoolWithTag(Gone, TAG);
    ExFreePoolWithTag(Gone, TAG);
}

BREAKS FreeMiddle(VOID)
{
    ExFreePoolWithTag(Block(NonPagedPoolNx) + 16, TAG);
}

BREAKS OverrunABit(VOID)
{
    PUCHAR Small = Block(NonPagedPoolNx);
    Small[LENGTH] = 1;
    ExFreePoolWithTag(Small, TAG);
}

BREAKS UnderrunABit(VOID)
{
    PUCHAR Small = Block(NonPagedPoolNx);
    Small[-1] = 1;
    ExFreePoolWithTag(Small, TAG);
}

BREAKS FreeRaised(VOID)
{
    KIRQL Old;
    PVOID Paged = Block(PagedPool);
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    ExFreePoolWithTag(Paged, TAG);
    KeLowerIrql(Old);
}

BREAKS AllocateRaised(VOID)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    (VOID) Block(PagedPool);
    KeLowerIrql(Old);
}

BREAKS FlipABit(VOID)
{
    PUCHAR Small = Block(NonPagedPoolNx);
    Small[-1] ^= 4;
    ExFreePoolWithTag(Small, TAG);
}

static VOID (*const Rules[])(VOID) = {
    ReadPagedLocked, FillPagedLocked, WritePagedInDpc, WriteBehind,    ReadBefore,
    FillBehind,      WriteFreed,      FillFreed,       FreeTwice,      FreeMiddle,
    OverrunABit,     UnderrunABit,    FreeRaised,      AllocateRaised, FlipABit,
};

RULES(Rules, KeInitializeSpinLock(&Lock))

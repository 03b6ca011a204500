/* SPDX-License-Identifier: MIT
 * Remove locks: a device is not detached or deleted while somebody works with it. [WDK "Using Remove Locks"]
 *
 * IoCount is 1 and one more for each acquisition. Who removes sets Removed, gives back its own acquisition and the first one,
 * and waits for the count to be zero.
 *
 * The structure is the driver's. A driver that was built with DBG=1 has a debug block behind the common one (RemlockSize tells):
 * there each acquisition is noted with its tag, file and line, and one that does not match is a bug check. */
#include "iop.h"
#include "kd.h"
#include "ke_bugcheck.h"

/* The part that the headers do not lay out. */
struct _IO_REMOVE_LOCK_TRACKING_BLOCK {
    struct _IO_REMOVE_LOCK_TRACKING_BLOCK *Next; /* Dbg.Spin */
    PVOID Tag;
    PCSTR File;
    ULONG Line;
    ULONG64 Acquired; /* interrupt time */
};

typedef struct _IOP_DEBUG_REMOVE_LOCK {
    IO_REMOVE_LOCK_COMMON_BLOCK Common;
    IO_REMOVE_LOCK_DBG_BLOCK Dbg;
} IOP_DEBUG_REMOVE_LOCK;
ASSERT_SIZE(IO_REMOVE_LOCK_COMMON_BLOCK, 0x20);

#define IOP_REMOVE_LOCK_SIGNATURE 'kcoL'
#define IOP_MINUTE 600000000ull /* 100 ns */

static IO_REMOVE_LOCK_DBG_BLOCK *IopDebugBlock(PIO_REMOVE_LOCK Lock, ULONG Size)
{
    return Size >= sizeof(IOP_DEBUG_REMOVE_LOCK) ? &((IOP_DEBUG_REMOVE_LOCK *)Lock)->Dbg : NULL;
}

static DECLSPEC_NORETURN VOID IopRemoveLockMistake(PIO_REMOVE_LOCK Lock, PVOID Tag, PCSTR What)
{
    KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_REMOVE_LOCK, (ULONG_PTR)Lock,
                      (ULONG_PTR)Tag, (ULONG_PTR)Lock->Common.IoCount, What);
}

static VOID IopNoteAcquisition(PIO_REMOVE_LOCK Lock, IO_REMOVE_LOCK_DBG_BLOCK *Dbg, PVOID Tag, PCSTR File,
                               ULONG Line)
{
    PIO_REMOVE_LOCK_TRACKING_BLOCK Block =
        ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Block), (ULONG)Dbg->AllocateTag);
    KIRQL OldIrql;

    if (Dbg->HighWatermark != 0 && Lock->Common.IoCount - 1 > Dbg->HighWatermark)
        IopRemoveLockMistake(Lock, Tag, "a remove lock is acquired more often than its high watermark");
    if (Block == NULL) {
        InterlockedIncrement(&Dbg->LowMemoryCount);
        return;
    }
    *Block = (struct _IO_REMOVE_LOCK_TRACKING_BLOCK){
        .Tag = Tag, .File = File, .Line = Line, .Acquired = KeQueryInterruptTime()};
    KeAcquireSpinLock(&Dbg->Spin, &OldIrql);
    Block->Next = Dbg->Blocks;
    Dbg->Blocks = Block;
    KeReleaseSpinLock(&Dbg->Spin, OldIrql);
}

static PIO_REMOVE_LOCK_TRACKING_BLOCK IopTakeTag(IO_REMOVE_LOCK_DBG_BLOCK *Dbg, PVOID Tag)
{
    PIO_REMOVE_LOCK_TRACKING_BLOCK *Link = &Dbg->Blocks, Block;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Dbg->Spin, &OldIrql);
    while ((Block = *Link) != NULL && Block->Tag != Tag)
        Link = &Block->Next;
    if (Block != NULL)
        *Link = Block->Next;
    KeReleaseSpinLock(&Dbg->Spin, OldIrql);
    return Block;
}

/* An acquisition that was not noted for want of memory may be the one that is released. */
static VOID IopForgetAcquisition(PIO_REMOVE_LOCK Lock, IO_REMOVE_LOCK_DBG_BLOCK *Dbg, PVOID Tag)
{
    PIO_REMOVE_LOCK_TRACKING_BLOCK Block = IopTakeTag(Dbg, Tag);

    if (Block == NULL) {
        if (InterlockedDecrement(&Dbg->LowMemoryCount) < 0)
            IopRemoveLockMistake(Lock, Tag,
                                 "a remove lock is released with a tag that nobody acquired it with");
        return;
    }
    if (Dbg->MaxLockedTicks != 0 && KeQueryInterruptTime() - Block->Acquired > (ULONG64)Dbg->MaxLockedTicks)
        KdLog("remove lock %p: held longer than its limit since %s:%u", Lock, Block->File,
              (unsigned)Block->Line);
    ExFreePoolWithTag(Block, (ULONG)Dbg->AllocateTag);
}

static VOID IopDropCount(PIO_REMOVE_LOCK Lock, PVOID Tag)
{
    LONG Left = InterlockedDecrement(&Lock->Common.IoCount);

    if (Left < 0 || (Left == 0 && !Lock->Common.Removed))
        IopRemoveLockMistake(Lock, Tag, "a remove lock is released more often than acquired");
    if (Left == 0)
        KeSetEvent(&Lock->Common.RemoveEvent, IO_NO_INCREMENT, FALSE);
}

/* [WDK IoInitializeRemoveLock] MaxLockedMinutes and HighWatermark: 0 is no limit; used with the debug block only. */
VOID NTAPI IoInitializeRemoveLockEx(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes,
                                    ULONG HighWatermark, ULONG RemlockSize)
{
    IO_REMOVE_LOCK_DBG_BLOCK *Dbg = IopDebugBlock(Lock, RemlockSize);

    Lock->Common.Removed = FALSE;
    Lock->Common.IoCount = 1;
    KeInitializeEvent(&Lock->Common.RemoveEvent, SynchronizationEvent, FALSE);
    if (Dbg == NULL)
        return;
    *Dbg = (IO_REMOVE_LOCK_DBG_BLOCK){.Signature = IOP_REMOVE_LOCK_SIGNATURE,
                                      .HighWatermark = (LONG)HighWatermark,
                                      .MaxLockedTicks = (LONG64)(MaxLockedMinutes * IOP_MINUTE),
                                      .AllocateTag = (LONG)AllocateTag};
    InitializeListHead(&Dbg->LockList);
    KeInitializeSpinLock(&Dbg->Spin);
}

/* [WDK IoAcquireRemoveLock] IRQL <= DISPATCH_LEVEL. STATUS_DELETE_PENDING once the removal has begun. */
NTSTATUS NTAPI IoAcquireRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, PCSTR File, ULONG Line,
                                     ULONG RemlockSize)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IO_REMOVE_LOCK_DBG_BLOCK *Dbg = IopDebugBlock(RemoveLock, RemlockSize);

    InterlockedIncrement(&RemoveLock->Common.IoCount);
    if (RemoveLock->Common.Removed) {
        IopDropCount(RemoveLock, Tag);
        return STATUS_DELETE_PENDING;
    }
    if (Dbg != NULL)
        IopNoteAcquisition(RemoveLock, Dbg, Tag, File, Line);
    return STATUS_SUCCESS;
}

/* [WDK IoReleaseRemoveLock] IRQL <= DISPATCH_LEVEL. With the tag of the acquisition. */
VOID NTAPI IoReleaseRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    IO_REMOVE_LOCK_DBG_BLOCK *Dbg = IopDebugBlock(RemoveLock, RemlockSize);

    if (Dbg != NULL)
        IopForgetAcquisition(RemoveLock, Dbg, Tag);
    IopDropCount(RemoveLock, Tag);
}

static VOID IopTellRemoveLock(const VOID *Lock, PKTHREAD Waiter, KE_LOCK_STATE *State)
{
    State->Holders = ((const IO_REMOVE_LOCK *)Lock)->Common.IoCount;
}

/* [WDK IoReleaseRemoveLockAndWait] IRQL = PASSIVE_LEVEL. Nobody acquires it any more; returns when all have released it. The
 * caller's own acquisition is given back. */
VOID NTAPI IoReleaseRemoveLockAndWaitEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    static const KE_LOCK_KIND Kind = {"remove lock", sizeof(IO_REMOVE_LOCK_COMMON_BLOCK), IopTellRemoveLock};
    IO_REMOVE_LOCK_DBG_BLOCK *Dbg = IopDebugBlock(RemoveLock, RemlockSize);

    if (Dbg != NULL)
        IopForgetAcquisition(RemoveLock, Dbg, Tag);
    if (RemoveLock->Common.Removed)
        IopRemoveLockMistake(RemoveLock, Tag, "a remove lock is removed twice");
    RemoveLock->Common.Removed = TRUE;
    LONG Left = InterlockedAdd(&RemoveLock->Common.IoCount, -2);
    if (Left < 0)
        IopRemoveLockMistake(RemoveLock, Tag, "a remove lock is removed by one who had not acquired it");
    if (Left > 0)
        KeWaitForLock(&RemoveLock->Common.RemoveEvent, Executive, &Kind, RemoveLock);
}

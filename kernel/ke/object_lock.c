/* SPDX-License-Identifier: MIT
 * The lock of a dispatcher object: one bit of its header, so that it costs no memory and an object needs no set-up of its own. */
#include "ki.h"
#include "arch_lock.h"

static const ARCH_LOCK_CLASS KiObjectLock = {"Object", LockRankKeObject, DISPATCH_LEVEL,
                                             .AddressOrder = TRUE};

static BOOLEAN KiTakeBit(DISPATCHER_HEADER *Header)
{
    return (__atomic_fetch_or(&Header->Lock, KI_OBJECT_LOCK_BIT, __ATOMIC_ACQUIRE) & KI_OBJECT_LOCK_BIT) == 0;
}

VOID KiLockObjectAtDispatch(DISPATCHER_HEADER *Header)
{
    ARCH_SPIN Spin = {.Lock = Header, .Class = &KiObjectLock};

    ArchLockWillAcquire(Header, &KiObjectLock);
    while (!KiTakeBit(Header))
        while (__atomic_load_n(&Header->Lock, __ATOMIC_RELAXED) & KI_OBJECT_LOCK_BIT)
            ArchSpin(&Spin);
    ArchLockAcquired(Header, &KiObjectLock, __builtin_return_address(0));
}

BOOLEAN KiTryLockObjectAtDispatch(DISPATCHER_HEADER *Header)
{
    if (!KiTakeBit(Header))
        return FALSE;
    ArchLockAcquired(Header, &KiObjectLock, __builtin_return_address(0));
    return TRUE;
}

/* A plain store of the byte: nobody else writes it while the bit is set. */
VOID KiUnlockObject(DISPATCHER_HEADER *Header)
{
    ArchLockWillRelease(Header, &KiObjectLock);
    __atomic_store_n(&Header->Type, KiObjectType(Header), __ATOMIC_RELEASE);
}

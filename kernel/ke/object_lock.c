/* SPDX-License-Identifier: MIT
 * The lock of a dispatcher object: one bit of its header, so that it costs no memory and an object needs no set-up of its own. Taking a
 * free one is inline (ki_object.h). */
#include "ki.h"

const ARCH_LOCK_CLASS KiObjectLockClass = {"Object", LockRankKeObject, DISPATCH_LEVEL, .AddressOrder = TRUE};

VOID KiWaitForObjectLock(DISPATCHER_HEADER *Header)
{
    ARCH_SPIN Spin = {.Lock = Header, .Class = &KiObjectLockClass};

    do {
        while (__atomic_load_n(&Header->Lock, __ATOMIC_RELAXED) & KI_OBJECT_LOCK_BIT)
            ArchSpin(&Spin);
    } while (!KiTakeObjectBit(Header));
}

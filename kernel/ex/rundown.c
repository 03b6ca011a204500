/* SPDX-License-Identifier: MIT
 * Rundown protection: references that can be taken until somebody wants the object gone, who then waits for those that are
 * out. [WDK "Run-Down Protection", ExAcquireRundownProtection ...]
 *
 *   Count = 2 * references           while it can be acquired
 *   Count = 1 | address of a waiter  while ExWaitForRundownProtectionRelease waits; references are counted there
 *   Count = 1                        run down
 *
 * The cache-aware kind has one such word for each processor. A reference may be given back on another processor than it was
 * taken on, so single words may be below zero; only their sum means something. */
#include <bugcodes.h>
#include "ex.h"
#include "ke.h"

typedef struct _EXP_RUNDOWN_WAITER {
    volatile LONG64 Count; /* references still out */
    KEVENT Released;
} EXP_RUNDOWN_WAITER;

static inline BOOLEAN ExpExchangeCount(PEX_RUNDOWN_REF RunRef, ULONG64 *Expected, ULONG64 New)
{
    return __atomic_compare_exchange_n((ULONG64 *)&RunRef->Count, Expected, New, FALSE, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

static inline ULONG64 ExpReadCount(PEX_RUNDOWN_REF RunRef)
{
    return __atomic_load_n((ULONG64 *)&RunRef->Count, __ATOMIC_RELAXED);
}

static BOOLEAN ExpAcquireRundown(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG64 Value = ExpReadCount(RunRef);

    do {
        if ((Value & EX_RUNDOWN_ACTIVE) != 0)
            return FALSE;
    } while (!ExpExchangeCount(RunRef, &Value, Value + (ULONG64)Count * EX_RUNDOWN_COUNT_INC));
    return TRUE;
}

/* [WDK Bug Check 0x18] a reference count that cannot be: more was released than acquired. */
static DECLSPEC_NORETURN VOID ExpReleasedTooMuch(PEX_RUNDOWN_REF RunRef, ULONG64 Value)
{
    KeBugCheckEx(REFERENCE_BY_POINTER, 0, (ULONG_PTR)RunRef, 0, Value);
}

/* Returns what the word was. */
static ULONG64 ExpReleaseRundown(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG64 Value = ExpReadCount(RunRef);

    while ((Value & EX_RUNDOWN_ACTIVE) == 0)
        if (ExpExchangeCount(RunRef, &Value, Value - (ULONG64)Count * EX_RUNDOWN_COUNT_INC))
            return Value;
    EXP_RUNDOWN_WAITER *Waiter = (EXP_RUNDOWN_WAITER *)(Value & ~(ULONG64)EX_RUNDOWN_ACTIVE);
    if (Waiter == NULL)
        ExpReleasedTooMuch(RunRef, Value);
    if (__atomic_sub_fetch(&Waiter->Count, Count, __ATOMIC_SEQ_CST) == 0)
        KeSetEvent(&Waiter->Released, IO_NO_INCREMENT, FALSE); /* the waiter's stack is gone now */
    return Value;
}

static VOID ExpInitializeWaiter(EXP_RUNDOWN_WAITER *Waiter)
{
    Waiter->Count = 0;
    KeInitializeEvent(&Waiter->Released, SynchronizationEvent, FALSE);
}

/* Nobody acquires through this word any more; returns the references that it counted. */
static LONG64 ExpCloseRundown(PEX_RUNDOWN_REF RunRef, EXP_RUNDOWN_WAITER *Waiter)
{
    ULONG64 Value = ExpReadCount(RunRef);

    do {
        if ((Value & EX_RUNDOWN_ACTIVE) != 0)
            return 0; /* it was run down already */
    } while (!ExpExchangeCount(RunRef, &Value, (ULONG64)Waiter | EX_RUNDOWN_ACTIVE));
    return (LONG64)Value / EX_RUNDOWN_COUNT_INC;
}

static VOID ExpTellRundown(const VOID *Lock, PKTHREAD Waiter, KE_LOCK_STATE *State)
{
    State->Holders = ((const EXP_RUNDOWN_WAITER *)Lock)->Count;
}

/* Those who released meanwhile have counted below zero, so nobody but the last one now sees zero. */
static VOID ExpWaitForReferences(EXP_RUNDOWN_WAITER *Waiter, LONG64 References)
{
    static const KE_LOCK_KIND Kind = {"a rundown's references", sizeof(EXP_RUNDOWN_WAITER), ExpTellRundown};

    if (__atomic_add_fetch(&Waiter->Count, References, __ATOMIC_SEQ_CST) != 0)
        KeWaitForLock(&Waiter->Released, WrRundown, &Kind, Waiter);
}

static inline VOID ExpSetRundown(PEX_RUNDOWN_REF RunRef, ULONG64 Value)
{
    __atomic_store_n((ULONG64 *)&RunRef->Count, Value, __ATOMIC_SEQ_CST);
}

/* --- one word ---------------------------------------------------------------------------------------------------------- */

VOID FASTCALL ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ExpSetRundown(RunRef, 0);
}

/* [WDK ExReInitializeRundownProtection] After a rundown that is complete: it can be acquired again. */
VOID FASTCALL ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    if (NTBOX_CHECKED && ExpReadCount(RunRef) != EX_RUNDOWN_ACTIVE)
        ExpReleasedTooMuch(RunRef, ExpReadCount(RunRef));
    ExpSetRundown(RunRef, 0);
}

/* [WDK ExAcquireRundownProtection] IRQL <= DISPATCH_LEVEL. FALSE: the rundown has begun. */
BOOLEAN FASTCALL ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return ExpAcquireRundown(RunRef, 1);
}

/* [WDK ExAcquireRundownProtectionEx] Count times at once, or not at all. */
BOOLEAN FASTCALL ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return ExpAcquireRundown(RunRef, Count);
}

VOID FASTCALL ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ULONG64 Was = ExpReleaseRundown(RunRef, Count);
    if ((Was & EX_RUNDOWN_ACTIVE) == 0 && Was < (ULONG64)Count * EX_RUNDOWN_COUNT_INC)
        ExpReleasedTooMuch(RunRef, Was);
}

VOID FASTCALL ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExReleaseRundownProtectionEx(RunRef, 1);
}

/* [WDK ExWaitForRundownProtectionRelease] IRQL <= APC_LEVEL. Acquiring fails from now on; returns when all is released. */
VOID FASTCALL ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    EXP_RUNDOWN_WAITER Waiter;

    ExpInitializeWaiter(&Waiter);
    ExpWaitForReferences(&Waiter, ExpCloseRundown(RunRef, &Waiter));
    ExpSetRundown(RunRef, EX_RUNDOWN_ACTIVE);
}

/* [WDK ExRundownCompleted] Says that the wait is over; acquiring fails, another wait returns at once. */
VOID FASTCALL ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ExpSetRundown(RunRef, EX_RUNDOWN_ACTIVE);
}

/* --- one word for each processor ------------------------------------------------------------------------------------ */

#define EXP_CACHE_LINE 64

typedef struct _EXP_RUNDOWN_SLOT {
    DECLSPEC_ALIGN(EXP_CACHE_LINE) EX_RUNDOWN_REF Ref;
} EXP_RUNDOWN_SLOT;

struct _EX_RUNDOWN_REF_CACHE_AWARE {
    PVOID Room;              /* what to free; the slots in it are aligned */
    EXP_RUNDOWN_SLOT *Slots; /* (c) */
    ULONG Count;             /* (c) one for each processor there can be */
    ULONG Tag;               /* (c) */
};

static PEX_RUNDOWN_REF ExpMySlot(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    return &RunRef->Slots[KeGetCurrentProcessorNumberEx(NULL) % RunRef->Count].Ref;
}

static VOID ExpSetSlots(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, ULONG64 Value)
{
    for (ULONG i = 0; i < RunRef->Count; i++)
        ExpSetRundown(&RunRef->Slots[i].Ref, Value);
}

/* [WDK ExSizeOfRundownProtectionCacheAware] What ExInitializeRundownProtectionCacheAware wants. */
SIZE_T NTAPI ExSizeOfRundownProtectionCacheAware(VOID)
{
    return sizeof(struct _EX_RUNDOWN_REF_CACHE_AWARE) + EXP_CACHE_LINE +
           KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS) * sizeof(EXP_RUNDOWN_SLOT);
}

VOID NTAPI ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, SIZE_T RunRefSize)
{
    ULONG_PTR Slots = ((ULONG_PTR)(RunRef + 1) + EXP_CACHE_LINE - 1) & ~(ULONG_PTR)(EXP_CACHE_LINE - 1);

    RunRef->Room = NULL;
    RunRef->Slots = (EXP_RUNDOWN_SLOT *)Slots;
    RunRef->Count = (ULONG)(((ULONG_PTR)RunRef + RunRefSize - Slots) / sizeof(EXP_RUNDOWN_SLOT));
    ExpSetSlots(RunRef, 0);
}

/* [WDK ExAllocateCacheAwareRundownProtection] NULL: no memory. */
DECLSPEC_NOINLINE PEX_RUNDOWN_REF_CACHE_AWARE NTAPI ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType,
                                                                                          ULONG PoolTag)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    SIZE_T Size = ExSizeOfRundownProtectionCacheAware();
    PEX_RUNDOWN_REF_CACHE_AWARE RunRef =
        ExAllocatePoolForOwner(PoolType, Size, PoolTag, __builtin_return_address(0));

    if (RunRef == NULL)
        return NULL;
    ExInitializeRundownProtectionCacheAware(RunRef, Size);
    RunRef->Room = RunRef;
    RunRef->Tag = PoolTag;
    return RunRef;
}

VOID NTAPI ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExFreePoolWithTag(RunRef->Room, RunRef->Tag);
}

BOOLEAN FASTCALL ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return ExpAcquireRundown(ExpMySlot(RunRef), 1);
}

BOOLEAN FASTCALL ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, ULONG Count)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return ExpAcquireRundown(ExpMySlot(RunRef), Count);
}

VOID FASTCALL ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpReleaseRundown(ExpMySlot(RunRef), 1);
}

VOID FASTCALL ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, ULONG Count)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpReleaseRundown(ExpMySlot(RunRef), Count);
}

VOID FASTCALL ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    EXP_RUNDOWN_WAITER Waiter;
    LONG64 References = 0;

    ExpInitializeWaiter(&Waiter);
    for (ULONG i = 0; i < RunRef->Count; i++)
        References += ExpCloseRundown(&RunRef->Slots[i].Ref, &Waiter);
    ExpWaitForReferences(&Waiter, References);
    ExpSetSlots(RunRef, EX_RUNDOWN_ACTIVE);
}

VOID FASTCALL ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ExpSetSlots(RunRef, EX_RUNDOWN_ACTIVE);
}

VOID FASTCALL ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ExpSetSlots(RunRef, 0);
}

/* SPDX-License-Identifier: MIT
 * Run-down protection and remove locks. [WDK ExAcquireRundownProtection, ExWaitForRundownProtectionRelease,
 * ExRundownCompleted, ExAllocateCacheAwareRundownProtection, IoAcquireRemoveLock, IoReleaseRemoveLockAndWait ...] */
#include "ct_crew.h"

/* --- somebody who waits for the end --- */

typedef struct END {
    VOID (*Wait)(VOID);
    KEVENT Over;
    PKTHREAD Thread;
} END;

static VOID NTAPI WaitForEnd(PVOID Context)
{
    END *End = Context;
    End->Wait();
    KeSetEvent(&End->Over, IO_NO_INCREMENT, FALSE);
}

static VOID BeginEnd(END *End, VOID (*Wait)(VOID))
{
    End->Wait = Wait;
    KeInitializeEvent(&End->Over, NotificationEvent, FALSE);
    End->Thread = CtStart(WaitForEnd, End);
}

static VOID FinishEnd(END *End)
{
    if (End->Thread != NULL)
        CtJoin(End->Thread);
}

static BOOLEAN IsOver(END *End)
{
    return KeReadStateEvent(&End->Over) != 0;
}

/* --- one word --- */

static EX_RUNDOWN_REF Ref;

static VOID WaitRef(VOID)
{
    ExWaitForRundownProtectionRelease(&Ref);
}

static VOID RundownAcquire(VOID)
{
    ExInitializeRundownProtection(&Ref);
    CT_CHECK(ExAcquireRundownProtection(&Ref));
    CT_CHECK(ExAcquireRundownProtection(&Ref));
    ExReleaseRundownProtection(&Ref);
    ExReleaseRundownProtection(&Ref);
    ExWaitForRundownProtectionRelease(&Ref); /* nobody has it: at once */
    CT_CHECK(!ExAcquireRundownProtection(&Ref));
}

static BOOLEAN Refuses(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (!ExAcquireRundownProtection(&Ref))
        return TRUE;
    ExReleaseRundownProtection(&Ref);
    return FALSE;
}

/* Refuses as soon as the wait has begun, lasts until the last reference is back. */
static VOID RundownWait(VOID)
{
    static END End;
    ExInitializeRundownProtection(&Ref);
    CT_CHECK(ExAcquireRundownProtectionEx(&Ref, 3));
    BeginEnd(&End, WaitRef);
    CtObserve(Refuses, NULL);
    CT_CHECK(!ExAcquireRundownProtectionEx(&Ref, 2));
    ExReleaseRundownProtection(&Ref);
    CT_CHECK(!IsOver(&End));
    ExReleaseRundownProtectionEx(&Ref, 2);
    FinishEnd(&End);
    CT_CHECK(IsOver(&End));
}

static VOID RundownCompleted(VOID)
{
    ExInitializeRundownProtection(&Ref);
    ExWaitForRundownProtectionRelease(&Ref);
    ExRundownCompleted(&Ref);
    CT_CHECK(!ExAcquireRundownProtection(&Ref));
    ExWaitForRundownProtectionRelease(&Ref); /* again: at once */
    ExReInitializeRundownProtection(&Ref);
    CT_CHECK(ExAcquireRundownProtection(&Ref));
    ExReleaseRundownProtection(&Ref);
}

/* --- one word for each processor --- */

static PEX_RUNDOWN_REF_CACHE_AWARE Aware;

static VOID WaitAware(VOID)
{
    ExWaitForRundownProtectionReleaseCacheAware(Aware);
}

static BOOLEAN AwareRefuses(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (!ExAcquireRundownProtectionCacheAware(Aware))
        return TRUE;
    ExReleaseRundownProtectionCacheAware(Aware);
    return FALSE;
}

static VOID CheckAware(VOID)
{
    static END End;
    CT_CHECK(ExAcquireRundownProtectionCacheAware(Aware));
    CT_CHECK(ExAcquireRundownProtectionCacheAwareEx(Aware, 2));
    BeginEnd(&End, WaitAware);
    CtObserve(AwareRefuses, NULL);
    CT_CHECK(!IsOver(&End));
    ExReleaseRundownProtectionCacheAware(Aware);
    ExReleaseRundownProtectionCacheAwareEx(Aware, 2);
    FinishEnd(&End);
    CT_CHECK(!ExAcquireRundownProtectionCacheAwareEx(Aware, 2));
    ExRundownCompletedCacheAware(Aware);
    CT_CHECK(!ExAcquireRundownProtectionCacheAware(Aware));
    ExReInitializeRundownProtectionCacheAware(Aware);
    CT_CHECK(ExAcquireRundownProtectionCacheAware(Aware));
    ExReleaseRundownProtectionCacheAware(Aware);
}

static VOID RundownCacheAware(VOID)
{
    Aware = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, 'nRtC');
    CT_REQUIRE(Aware != NULL);
    CheckAware();
    ExFreeCacheAwareRundownProtection(Aware);
}

/* In memory of the driver's own. */
static VOID RundownCacheAwareInPlace(VOID)
{
    SIZE_T Size = ExSizeOfRundownProtectionCacheAware();
    Aware = ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, 'nRtC');
    CT_REQUIRE(Aware != NULL);
    ExInitializeRundownProtectionCacheAware(Aware, Size);
    CheckAware();
    ExFreePoolWithTag(Aware, 'nRtC');
}

/* --- many at once --- */

static CT_CREW Crew;
static volatile LONG Inside, Late;

static VOID UseBoth(ULONG Number)
{
    UNREFERENCED_PARAMETER(Number);
    for (ULONG i = 0; i < 2000; i++) {
        if (Number == 0 && i == 1000) {
            ExWaitForRundownProtectionReleaseCacheAware(Aware);
            ExWaitForRundownProtectionRelease(&Ref);
            if (Inside != 0)
                InterlockedIncrement(&Late);
            return;
        }
        BOOLEAN One = ExAcquireRundownProtection(&Ref);
        BOOLEAN Each = One && ExAcquireRundownProtectionCacheAware(Aware);
        if (Each) {
            InterlockedIncrement(&Inside);
            YieldProcessor();
            InterlockedDecrement(&Inside);
            ExReleaseRundownProtectionCacheAware(Aware);
        }
        if (One)
            ExReleaseRundownProtection(&Ref);
    }
}

/* Nobody is inside once the wait is over, however many came and went. */
static VOID RundownThreads(VOID)
{
    Aware = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, 'nRtC');
    CT_REQUIRE(Aware != NULL);
    ExInitializeRundownProtection(&Ref);
    Inside = Late = 0;
    CtRunCrew(&Crew, UseBoth);
    CT_EQUAL(Late, 0);
    CT_EQUAL(Inside, 0);
    CT_CHECK(!ExAcquireRundownProtection(&Ref));
    ExFreeCacheAwareRundownProtection(Aware);
}

/* --- remove locks: as a driver of a free build has them, and with the debug block --- */

static struct {
    IO_REMOVE_LOCK_COMMON_BLOCK Common;
    IO_REMOVE_LOCK_DBG_BLOCK Dbg;
} Remove;
static ULONG RemoveSize;
#define LOCK ((PIO_REMOVE_LOCK) & Remove)

static VOID WaitRemove(VOID)
{
    IoReleaseRemoveLockAndWaitEx(LOCK, &RemoveSize, RemoveSize);
}

/* Tag: of the acquisition. */
static BOOLEAN DeletePending(PVOID Tag)
{
    NTSTATUS Status = IoAcquireRemoveLockEx(LOCK, Tag, __FILE__, __LINE__, RemoveSize);
    if (NT_SUCCESS(Status))
        IoReleaseRemoveLockEx(LOCK, Tag, RemoveSize);
    return Status == STATUS_DELETE_PENDING;
}

static VOID CheckRemoveLock(VOID)
{
    static END End;
    int First, Second, Third;
    IoInitializeRemoveLockEx(LOCK, 'lRtC', 5, 10, RemoveSize);
    CT_SUCCESS(IoAcquireRemoveLockEx(LOCK, &RemoveSize, __FILE__, __LINE__, RemoveSize)); /* the remover's */
    CT_SUCCESS(IoAcquireRemoveLockEx(LOCK, &First, __FILE__, __LINE__, RemoveSize));
    CT_SUCCESS(IoAcquireRemoveLockEx(LOCK, &Second, __FILE__, __LINE__, RemoveSize));
    BeginEnd(&End, WaitRemove);
    CtObserve(DeletePending, &Third);
    IoReleaseRemoveLockEx(LOCK, &First, RemoveSize);
    CT_CHECK(!IsOver(&End));
    IoReleaseRemoveLockEx(LOCK, &Second, RemoveSize);
    FinishEnd(&End);
    CT_CHECK(DeletePending(&Third));
}

static VOID RemoveLock(VOID)
{
    RemoveSize = sizeof(Remove.Common);
    CheckRemoveLock();
}

static VOID RemoveLockDebug(VOID)
{
    RemoveSize = sizeof(Remove);
    CheckRemoveLock();
}

static const CT_CASE Cases[] = {
    {"rundown.acquire", RundownAcquire},
    {"rundown.wait", RundownWait},
    {"rundown.completed", RundownCompleted},
    {"rundown.cache_aware", RundownCacheAware},
    {"rundown.cache_aware_in_place", RundownCacheAwareInPlace},
    {"rundown.threads", RundownThreads},
    {"removelock.remove", RemoveLock},
    {"removelock.debug", RemoveLockDebug},
};
CT_DRIVER(Cases)

/* SPDX-License-Identifier: MIT
 * ERESOURCE. [WDK ExInitializeResourceLite, ExAcquireResourceExclusiveLite, ExAcquireResourceSharedLite,
 * ExAcquireSharedStarveExclusive, ExAcquireSharedWaitForExclusive, ExConvertExclusiveToSharedLite, ExReleaseResourceLite,
 * ExReleaseResourceForThreadLite, ExSetResourceOwnerPointer, ExIsResourceAcquiredExclusiveLite ...]
 * What another thread sees is asked of a helper thread, one question at a time. */
#include "ct_crew.h"

static ERESOURCE Resource;

typedef BOOLEAN (*ACQUIRE)(PERESOURCE Resource, BOOLEAN Wait);
static BOOLEAN Exclusive(PERESOURCE R, BOOLEAN Wait)
{
    return ExAcquireResourceExclusiveLite(R, Wait);
}
static BOOLEAN Shared(PERESOURCE R, BOOLEAN Wait)
{
    return ExAcquireResourceSharedLite(R, Wait);
}
static BOOLEAN Starve(PERESOURCE R, BOOLEAN Wait)
{
    return ExAcquireSharedStarveExclusive(R, Wait);
}
static BOOLEAN WaitFor(PERESOURCE R, BOOLEAN Wait)
{
    return ExAcquireSharedWaitForExclusive(R, Wait);
}

/* --- a helper that acquires, holds until told, and releases --- */

typedef struct HELPER {
    ACQUIRE Acquire;
    BOOLEAN Wait;
    volatile LONG Result; /* -1 while it has none */
    KEVENT Answered, Release;
    PKTHREAD Thread;
} HELPER;

static VOID NTAPI Help(PVOID Context)
{
    HELPER *Helper = Context;
    KeEnterCriticalRegion();
    BOOLEAN Result = Helper->Acquire(&Resource, Helper->Wait);
    Helper->Result = Result;
    KeSetEvent(&Helper->Answered, IO_NO_INCREMENT, FALSE);
    if (Result) {
        KeWaitForSingleObject(&Helper->Release, Executive, KernelMode, FALSE, NULL);
        ExReleaseResourceLite(&Resource);
    }
    KeLeaveCriticalRegion();
}

static VOID Ask(HELPER *Helper, ACQUIRE Acquire, BOOLEAN Wait)
{
    Helper->Acquire = Acquire;
    Helper->Wait = Wait;
    Helper->Result = -1;
    KeInitializeEvent(&Helper->Answered, NotificationEvent, FALSE);
    KeInitializeEvent(&Helper->Release, NotificationEvent, FALSE);
    Helper->Thread = CtStart(Help, Helper);
}

static LONG Answer(HELPER *Helper)
{
    CtExpect(&Helper->Answered);
    return Helper->Result;
}

static VOID Dismiss(HELPER *Helper)
{
    KeSetEvent(&Helper->Release, IO_NO_INCREMENT, FALSE);
    if (Helper->Thread != NULL)
        CtJoin(Helper->Thread);
}

/* Would another thread get it without waiting? Afterwards it has it no more. */
static BOOLEAN OtherGets(ACQUIRE Acquire)
{
    static HELPER Helper;
    Ask(&Helper, Acquire, FALSE);
    BOOLEAN Got = Answer(&Helper) == TRUE;
    Dismiss(&Helper);
    return Got;
}

static BOOLEAN SoManyWait(PVOID Context)
{
    const ULONG *Waiters = Context;
    return ExGetExclusiveWaiterCount(&Resource) == Waiters[0] &&
           ExGetSharedWaiterCount(&Resource) == Waiters[1];
}

/* Until so many wait: the helper has been asked and goes to sleep by itself. */
static VOID UntilWaiting(ULONG ExclusiveWaiters, ULONG SharedWaiters)
{
    ULONG Waiters[] = {ExclusiveWaiters, SharedWaiters};
    CtObserve(SoManyWait, Waiters);
}

/* --- cases --- */

static VOID ResourceInit(VOID)
{
    CT_SUCCESS(ExInitializeResourceLite(&Resource));
    CT_CHECK(!ExIsResourceAcquiredExclusiveLite(&Resource));
    CT_EQUAL(ExIsResourceAcquiredSharedLite(&Resource), 0);
    CT_EQUAL(ExGetExclusiveWaiterCount(&Resource), 0);
    CT_EQUAL(ExGetSharedWaiterCount(&Resource), 0);
    CT_SUCCESS(ExReinitializeResourceLite(&Resource));
    KeEnterCriticalRegion();
    CT_CHECK(ExAcquireResourceExclusiveLite(&Resource, FALSE));
    ExReleaseResourceLite(&Resource);
    KeLeaveCriticalRegion();
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

/* Alone, again and again, also by asking for less; free after as many releases. */
static VOID ResourceExclusive(VOID)
{
    ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    CT_CHECK(ExAcquireResourceExclusiveLite(&Resource, TRUE));
    CT_CHECK(ExAcquireResourceExclusiveLite(&Resource, FALSE));
    CT_CHECK(ExAcquireResourceSharedLite(&Resource, FALSE));
    CT_CHECK(ExIsResourceAcquiredExclusiveLite(&Resource));
    CT_EQUAL(ExIsResourceAcquiredSharedLite(&Resource), 3);
    for (ULONG i = 0; i < 3; i++) {
        CT_CHECK(!OtherGets(Exclusive));
        CT_CHECK(!OtherGets(Shared));
        CT_CHECK(!OtherGets(Starve));
        ExReleaseResourceLite(&Resource);
    }
    CT_CHECK(!ExIsResourceAcquiredExclusiveLite(&Resource));
    CT_CHECK(OtherGets(Exclusive));
    KeLeaveCriticalRegion();
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

static VOID ResourceShared(VOID)
{
    ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    CT_CHECK(ExAcquireResourceSharedLite(&Resource, TRUE));
    CT_CHECK(ExAcquireResourceSharedLite(&Resource, FALSE));
    CT_EQUAL(ExIsResourceAcquiredSharedLite(&Resource), 2);
    CT_CHECK(!ExIsResourceAcquiredExclusiveLite(&Resource));
    CT_CHECK(!ExAcquireResourceExclusiveLite(&Resource, FALSE)); /* not converted by asking */
    CT_CHECK(!OtherGets(Exclusive));
    CT_CHECK(OtherGets(Shared));
    ExReleaseResourceLite(&Resource);
    CT_CHECK(!OtherGets(Exclusive));
    ExReleaseResourceLite(&Resource);
    CT_CHECK(OtherGets(Exclusive));
    KeLeaveCriticalRegion();
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

/* Shared by us, wanted alone by the writer: who may still share it? */
static VOID ResourceStarve(VOID)
{
    static HELPER Writer;
    ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    CT_CHECK(ExAcquireResourceSharedLite(&Resource, TRUE));
    Ask(&Writer, Exclusive, TRUE);
    UntilWaiting(1, 0);
    CT_CHECK(!OtherGets(Shared));  /* not before the writer ... */
    CT_CHECK(!OtherGets(WaitFor)); /* ... neither */
    CT_CHECK(OtherGets(Starve));
    CT_CHECK(ExAcquireResourceSharedLite(&Resource, FALSE));      /* who has it may have it again ... */
    CT_CHECK(!ExAcquireSharedWaitForExclusive(&Resource, FALSE)); /* ... but not this way */
    ExReleaseResourceLite(&Resource);
    CT_EQUAL(Writer.Result, -1);
    ExReleaseResourceLite(&Resource);
    CT_EQUAL(Answer(&Writer), TRUE);
    CT_CHECK(!ExAcquireSharedStarveExclusive(&Resource, FALSE));
    Dismiss(&Writer);
    KeLeaveCriticalRegion();
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

static VOID ResourceWaitForExclusive(VOID)
{
    static HELPER Writer, Reader;
    ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    CT_CHECK(ExAcquireSharedWaitForExclusive(&Resource, TRUE));
    CT_CHECK(OtherGets(WaitFor)); /* nobody wants it alone: like any who share */
    Ask(&Writer, Exclusive, TRUE);
    UntilWaiting(1, 0);
    Ask(&Reader, WaitFor, TRUE);
    UntilWaiting(1, 1);
    ExReleaseResourceLite(&Resource);
    CT_EQUAL(Answer(&Writer), TRUE);
    CT_EQUAL(Reader.Result, -1); /* waits until the writer has had it */
    Dismiss(&Writer);
    CT_EQUAL(Answer(&Reader), TRUE);
    Dismiss(&Reader);
    KeLeaveCriticalRegion();
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

/* The recursion stays, and those who wait to share come in. */
static VOID ResourceConvert(VOID)
{
    static HELPER Reader;
    ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    CT_CHECK(ExAcquireResourceExclusiveLite(&Resource, TRUE));
    CT_CHECK(ExAcquireResourceExclusiveLite(&Resource, TRUE));
    Ask(&Reader, Shared, TRUE);
    UntilWaiting(0, 1);
    ExConvertExclusiveToSharedLite(&Resource);
    CT_EQUAL(Answer(&Reader), TRUE);
    CT_CHECK(!ExIsResourceAcquiredExclusiveLite(&Resource));
    CT_EQUAL(ExIsResourceAcquiredSharedLite(&Resource), 2);
    CT_CHECK(!OtherGets(Exclusive));
    Dismiss(&Reader);
    ExReleaseResourceLite(&Resource);
    ExReleaseResourceLite(&Resource);
    CT_CHECK(OtherGets(Exclusive));
    KeLeaveCriticalRegion();
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

static VOID NTAPI ReleaseForUs(PVOID Owner)
{
    ExReleaseResourceForThreadLite(&Resource, (ERESOURCE_THREAD)Owner);
}

static VOID InOtherThread(PKSTART_ROUTINE Routine, PVOID Context)
{
    HANDLE Handle;
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_REQUIRE(NT_SUCCESS(
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, Routine, Context)));
    CT_SUCCESS(ZwWaitForSingleObject(Handle, FALSE, &CtPatience));
    ZwClose(Handle);
}

/* Released by a thread that never acquired it; by name of the thread, and of an owner pointer. */
static VOID ResourceForThread(VOID)
{
    ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    CT_CHECK(ExAcquireResourceExclusiveLite(&Resource, TRUE));
    InOtherThread(ReleaseForUs, (PVOID)ExGetCurrentResourceThread());
    CT_CHECK(!ExIsResourceAcquiredExclusiveLite(&Resource));
    CT_CHECK(OtherGets(Exclusive));
    KeLeaveCriticalRegion();
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

static VOID ResourceOwnerPointer(VOID)
{
    static ULONG64 Storage[2];
    PVOID Pointer = (PVOID)((ULONG_PTR)&Storage[0] | 3), Second = (PVOID)((ULONG_PTR)&Storage[1] | 3);
    ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    CT_CHECK(ExAcquireResourceExclusiveLite(&Resource, TRUE));
    ExSetResourceOwnerPointer(&Resource, Pointer);
    CT_CHECK(!ExIsResourceAcquiredExclusiveLite(&Resource)); /* the thread's no more */
    CT_CHECK(!OtherGets(Shared));
    InOtherThread(ReleaseForUs, Pointer);
    CT_CHECK(ExAcquireResourceSharedLite(&Resource, TRUE));
    ExSetResourceOwnerPointerEx(&Resource, Second, 0);
    CT_EQUAL(ExIsResourceAcquiredSharedLite(&Resource), 0);
    CT_CHECK(ExAcquireResourceSharedLite(&Resource, FALSE)); /* the thread can have it beside the pointer */
    ExReleaseResourceLite(&Resource);
    CT_CHECK(!OtherGets(Exclusive));
    ExReleaseResourceForThreadLite(&Resource, (ERESOURCE_THREAD)Second);
    CT_CHECK(OtherGets(Exclusive));
    KeLeaveCriticalRegion();
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

static VOID ResourceWithRegion(VOID)
{
    ExInitializeResourceLite(&Resource);
    ExEnterCriticalRegionAndAcquireResourceExclusive(&Resource);
    CT_CHECK(KeAreApcsDisabled());
    CT_CHECK(ExIsResourceAcquiredExclusiveLite(&Resource));
    ExReleaseResourceAndLeaveCriticalRegion(&Resource);
    CT_CHECK(!KeAreApcsDisabled());
    ExEnterCriticalRegionAndAcquireResourceShared(&Resource);
    ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(&Resource);
    CT_EQUAL(ExIsResourceAcquiredSharedLite(&Resource), 2);
    ExReleaseResourceAndLeaveCriticalRegion(&Resource);
    CT_CHECK(KeAreApcsDisabled());
    ExReleaseResourceAndLeaveCriticalRegion(&Resource);
    CT_CHECK(!KeAreApcsDisabled());
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

/* More who share than any table starts with. */
static VOID ResourceManyOwners(VOID)
{
    static HELPER Helpers[12];
    ExInitializeResourceLite(&Resource);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Helpers); i++) {
        Ask(&Helpers[i], Shared, TRUE);
        CT_EQUAL(Answer(&Helpers[i]), TRUE);
    }
    CT_CHECK(!OtherGets(Exclusive));
    for (ULONG i = 0; i < RTL_NUMBER_OF(Helpers); i++)
        Dismiss(&Helpers[i]);
    CT_CHECK(OtherGets(Exclusive));
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

static CT_CREW Crew;
static volatile ULONG Sum, Mirror;
static volatile LONG Torn;
static LARGE_INTEGER Now; /* zero: yield */

static VOID Mix(ULONG Number)
{
    for (ULONG i = 0; i < 100; i++) {
        ExEnterCriticalRegionAndAcquireResourceShared(&Resource);
        if (Sum != Mirror)
            InterlockedIncrement(&Torn);
        ExReleaseResourceAndLeaveCriticalRegion(&Resource);
        ExEnterCriticalRegionAndAcquireResourceExclusive(&Resource);
        ULONG Value = Sum;
        Sum = Value + 1;
        if ((i + Number) % 16 == 0)
            KeDelayExecutionThread(KernelMode, FALSE, &Now);
        Mirror = Value + 1;
        if (i % 4 == 0)
            ExConvertExclusiveToSharedLite(&Resource);
        ExReleaseResourceAndLeaveCriticalRegion(&Resource);
    }
}

static VOID ResourceThreads(VOID)
{
    ExInitializeResourceLite(&Resource);
    Sum = Mirror = 0;
    Torn = 0;
    CtRunCrew(&Crew, Mix);
    CT_EQUAL(Torn, 0);
    CT_EQUAL(Sum, CT_THREADS * 100);
    CT_EQUAL(ExGetExclusiveWaiterCount(&Resource), 0);
    CT_EQUAL(ExGetSharedWaiterCount(&Resource), 0);
    CT_SUCCESS(ExDeleteResourceLite(&Resource));
}

static const CT_CASE Cases[] = {
    {"resource.init", ResourceInit},
    {"resource.exclusive", ResourceExclusive},
    {"resource.shared", ResourceShared},
    {"resource.starve", ResourceStarve},
    {"resource.wait_for_exclusive", ResourceWaitForExclusive},
    {"resource.convert", ResourceConvert},
    {"resource.for_thread", ResourceForThread},
    {"resource.owner_pointer", ResourceOwnerPointer},
    {"resource.with_region", ResourceWithRegion},
    {"resource.many_owners", ResourceManyOwners},
    {"resource.threads", ResourceThreads},
};
CT_DRIVER(Cases)

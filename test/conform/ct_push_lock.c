/* SPDX-License-Identifier: MIT
 * Push locks. [WDK ExInitializePushLock, ExAcquirePushLockExclusive, ExAcquirePushLockShared, ExTryAcquirePushLockExclusive,
 * ExReleasePushLockExclusive ...] What another thread would get is asked of one. */
#include "ct_crew.h"

#define ROUNDS 2000

static EX_PUSH_LOCK Lock;

/* --- another thread --- */

typedef struct OTHER {
    BOOLEAN Exclusive;
    volatile BOOLEAN Has;
    KEVENT Asks, Got, Release;
} OTHER;

static VOID NTAPI Acquire(PVOID Context)
{
    OTHER *Other = Context;
    KeEnterCriticalRegion();
    KeSetEvent(&Other->Asks, IO_NO_INCREMENT, FALSE);
    if (Other->Exclusive)
        ExAcquirePushLockExclusive(&Lock);
    else
        ExAcquirePushLockShared(&Lock);
    Other->Has = TRUE;
    KeSetEvent(&Other->Got, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Other->Release, Executive, KernelMode, FALSE, NULL);
    if (Other->Exclusive)
        ExReleasePushLockExclusive(&Lock);
    else
        ExReleasePushLockShared(&Lock);
    KeLeaveCriticalRegion();
}

static PKTHREAD StartOther(OTHER *Other, BOOLEAN Exclusive)
{
    Other->Exclusive = Exclusive;
    Other->Has = FALSE;
    KeInitializeEvent(&Other->Asks, NotificationEvent, FALSE);
    KeInitializeEvent(&Other->Got, NotificationEvent, FALSE);
    KeInitializeEvent(&Other->Release, NotificationEvent, FALSE);
    PKTHREAD Thread = CtStart(Acquire, Other);
    if (Thread != NULL)
        CtExpect(&Other->Asks);
    return Thread;
}

static VOID EndOther(OTHER *Other, PKTHREAD Thread)
{
    CtExpect(&Other->Got);
    KeSetEvent(&Other->Release, IO_NO_INCREMENT, FALSE);
    CtJoin(Thread);
}

static VOID NTAPI Try(PVOID Context)
{
    ULONG *Answer = Context;
    KeEnterCriticalRegion();
    if (ExTryAcquirePushLockExclusive(&Lock)) {
        *Answer |= 2;
        ExReleasePushLockExclusive(&Lock);
    }
    if (ExTryAcquirePushLockShared(&Lock)) {
        *Answer |= 1;
        ExReleasePushLockShared(&Lock);
    }
    KeLeaveCriticalRegion();
}

/* What another thread gets without waiting: 1 shared, 2 exclusive. */
static ULONG OtherGets(VOID)
{
    ULONG Answer = 0;
    PKTHREAD Thread = CtStart(Try, &Answer);
    if (Thread != NULL)
        CtJoin(Thread);
    return Answer;
}

/* --- cases --- */

static volatile LONG Inside, Sharing, MostSharing, Broken;
static ULONG64 Plain[4]; /* under the lock: all the same */

static VOID Change(VOID)
{
    if (InterlockedIncrement(&Inside) != 1 || Sharing != 0)
        Broken++;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Plain); i++)
        Plain[i]++;
    InterlockedDecrement(&Inside);
}

static VOID WorkExclusive(ULONG Number)
{
    UNREFERENCED_PARAMETER(Number);
    for (ULONG i = 0; i < ROUNDS; i++) {
        KeEnterCriticalRegion();
        ExAcquirePushLockExclusive(&Lock);
        Change();
        ExReleasePushLockExclusive(&Lock);
        KeLeaveCriticalRegion();
    }
}

static VOID PushLockExclusive(VOID)
{
    static CT_CREW Crew;
    ExInitializePushLock(&Lock);
    CT_EQUAL(OtherGets(), 3);
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&Lock);
    CT_EQUAL(OtherGets(), 0);
    ExReleasePushLockExclusive(&Lock);
    KeLeaveCriticalRegion();
    CT_EQUAL(OtherGets(), 3);

    Plain[0] = Plain[1] = Plain[2] = Plain[3] = Broken = 0;
    CtRunCrew(&Crew, WorkExclusive);
    CT_EQUAL(Broken, 0);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Plain); i++)
        CT_EQUAL(Plain[i], CT_THREADS * ROUNDS);
    CT_EQUAL(OtherGets(), 3);
}

static VOID Look(VOID)
{
    LONG Now = InterlockedIncrement(&Sharing);
    if (Now > MostSharing)
        MostSharing = Now;
    if (Inside != 0 || Plain[0] != Plain[3])
        Broken++;
    InterlockedDecrement(&Sharing);
}

/* One in four changes, the others look; some only try. */
static VOID WorkMixed(ULONG Number)
{
    for (ULONG i = 0; i < ROUNDS; i++) {
        BOOLEAN Exclusive = (i + Number) % 4 == 0, Got = TRUE;
        KeEnterCriticalRegion();
        if (i % 8 == 5)
            Got = Exclusive ? ExTryAcquirePushLockExclusive(&Lock) : ExTryAcquirePushLockShared(&Lock);
        else if (Exclusive)
            ExAcquirePushLockExclusive(&Lock);
        else
            ExAcquirePushLockShared(&Lock);
        if (Got && Exclusive) {
            Change();
            ExReleasePushLockExclusive(&Lock);
        } else if (Got) {
            Look();
            ExReleasePushLockShared(&Lock);
        }
        KeLeaveCriticalRegion();
    }
}

static VOID PushLockShared(VOID)
{
    static CT_CREW Crew;
    static OTHER First, Second, Alone;

    ExInitializePushLock(&Lock);
    PKTHREAD FirstThread = StartOther(&First, FALSE);
    CtExpect(&First.Got);
    CT_EQUAL(OtherGets(), 1);
    PKTHREAD SecondThread = StartOther(&Second, FALSE);
    CtExpect(&Second.Got); /* two at once */
    PKTHREAD AloneThread = StartOther(&Alone, TRUE);
    EndOther(&First, FirstThread);
    CT_CHECK(!Alone.Has); /* the second still shares it */
    EndOther(&Second, SecondThread);
    CtExpect(&Alone.Got);
    CT_EQUAL(OtherGets(), 0);
    EndOther(&Alone, AloneThread);

    /* All who wait to share get it when who has it alone lets go. */
    AloneThread = StartOther(&Alone, TRUE);
    CtExpect(&Alone.Got);
    FirstThread = StartOther(&First, FALSE);
    SecondThread = StartOther(&Second, FALSE);
    CT_CHECK(!First.Has && !Second.Has);
    EndOther(&Alone, AloneThread);
    CtExpect(&First.Got);
    CtExpect(&Second.Got);
    EndOther(&First, FirstThread);
    EndOther(&Second, SecondThread);

    Plain[0] = Plain[1] = Plain[2] = Plain[3] = Broken = 0;
    CtRunCrew(&Crew, WorkMixed);
    CT_EQUAL(Broken, 0);
    CT_CHECK(MostSharing >= 1 && Plain[0] != 0 && Plain[0] == Plain[3]);
    CT_EQUAL(OtherGets(), 3);
}

static VOID PushLockTry(VOID)
{
    ExInitializePushLock(&Lock);
    KeEnterCriticalRegion();
    CT_REQUIRE(ExTryAcquirePushLockExclusive(&Lock));
    CT_EQUAL(OtherGets(), 0);
    CT_CHECK(!ExTryAcquirePushLockShared(&Lock));
    CT_CHECK(!ExTryAcquirePushLockExclusive(&Lock));
    ExReleasePushLockExclusive(&Lock);
    CT_REQUIRE(ExTryAcquirePushLockShared(&Lock));
    CT_EQUAL(OtherGets(), 1);
    ExReleasePushLockShared(&Lock);
    CT_EQUAL(OtherGets(), 3);
    KeLeaveCriticalRegion();
}

static const CT_CASE Cases[] = {
    {"pushlock.exclusive", PushLockExclusive},
    {"pushlock.shared", PushLockShared},
    {"pushlock.try", PushLockTry},
};
CT_DRIVER(Cases)

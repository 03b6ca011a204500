/* SPDX-License-Identifier: MIT
 * Mutants by handle as threads own, abandon and lose them. */
#include "ki.h"
#include "kt.h"

#define MUTANT_COUNT 32
#define MUTANT_ROUNDS 100

typedef struct _MUTANT_STAGE {
    KMUTANT Mutant[MUTANT_COUNT];
    ULONG Count;     /* how many the other thread takes */
    BOOLEAN Waited;  /* it ends when somebody waits for the first */
    KEVENT Taken;    /* it has taken them */
    KEVENT MayEnd;   /* it ends */
    NTSTATUS Second; /* what it got for taking the first again */
} MUTANT_STAGE;

static NTSTATUS MutantTake(PKMUTANT Mutant)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    __try {
        return KeWaitForSingleObject(Mutant, Executive, KernelMode, FALSE, &Now);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

static NTSTATUS MutantTakeSeveral(ULONG Count, PVOID *Objects, WAIT_TYPE Type)
{
    LARGE_INTEGER Long = {.QuadPart = -50000000}; /* 5 s */
    __try {
        return KeWaitForMultipleObjects(Count, Objects, Type, Executive, KernelMode, FALSE, &Long, NULL);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

static NTSTATUS MutantRelease(PKMUTANT Mutant, PLONG Previous)
{
    __try {
        *Previous = KeReleaseMutex(Mutant, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static BOOLEAN MutantIs(PKMUTANT Mutant, LONG Count, BOOLEAN Owned, BOOLEAN Abandoned)
{
    KE_MUTANT_STATE State;
    KeQueryMutant(Mutant, &State);
    return State.CurrentCount == Count && State.OwnedByCaller == Owned && State.AbandonedState == Abandoned;
}

static VOID NTAPI MutantOwner(PVOID Context)
{
    MUTANT_STAGE *Stage = Context;
    LARGE_INTEGER Short = {.QuadPart = -10000};

    for (ULONG i = 0; i < Stage->Count; i++)
        (void)MutantTake(&Stage->Mutant[i]);
    Stage->Second = MutantTake(&Stage->Mutant[0]);
    KeSetEvent(&Stage->Taken, 0, FALSE);
    KeWaitForSingleObject(&Stage->MayEnd, Executive, KernelMode, FALSE, NULL);
    while (Stage->Waited && IsListEmpty(&Stage->Mutant[0].Header.WaitListHead))
        KeDelayExecutionThread(KernelMode, FALSE, &Short);
}

/* The other thread, which has taken so many mutants and the first twice. */
static PVOID MutantStart(MUTANT_STAGE *Stage, ULONG Count, BOOLEAN Waited)
{
    Stage->Count = Count;
    Stage->Waited = Waited;
    KeInitializeEvent(&Stage->Taken, NotificationEvent, FALSE);
    KeInitializeEvent(&Stage->MayEnd, NotificationEvent, FALSE);
    for (ULONG i = 0; i < Count; i++)
        KeInitializeMutant(&Stage->Mutant[i], FALSE);
    PVOID Thread = KtStartThread(MutantOwner, Stage);
    if (Thread != NULL)
        KeWaitForSingleObject(&Stage->Taken, Executive, KernelMode, FALSE, NULL);
    return Thread;
}

KT_TEST(mutant_counts_what_its_owner_takes)
{
    KMUTANT Mutant;
    LONG Previous = 7;
    SHORT ApcDisable = KiCurrentThread()->KernelApcDisable;

    KeInitializeMutant(&Mutant, TRUE);
    KT_EXPECT(MutantIs(&Mutant, 0, TRUE, FALSE));
    KT_EXPECT(MutantTake(&Mutant) == STATUS_SUCCESS && MutantTake(&Mutant) == STATUS_SUCCESS);
    KT_EXPECT(MutantIs(&Mutant, -2, TRUE, FALSE));
    KT_EXPECT(KiCurrentThread()->KernelApcDisable == ApcDisable);
    for (LONG Expected = -2; Expected <= 0; Expected++)
        KT_EXPECT(MutantRelease(&Mutant, &Previous) == STATUS_SUCCESS && Previous == Expected);
    KT_EXPECT(MutantIs(&Mutant, 1, FALSE, FALSE));
    KT_EXPECT(MutantRelease(&Mutant, &Previous) == STATUS_MUTANT_NOT_OWNED);
    KT_EXPECT(IsListEmpty(&KiCurrentThread()->HandleMutants));
}

KT_TEST(mutant_limit_is_raised_by_every_wait)
{
    KMUTANT Mutant;
    KEVENT Event;
    PVOID Objects[] = {&Event, &Mutant, &Mutant};
    LONG Previous;

    KeInitializeEvent(&Event, NotificationEvent, TRUE);
    KeInitializeMutant(&Mutant, TRUE);
    Mutant.Header.SignalState = MINLONG;
    KT_EXPECT(MutantTake(&Mutant) == STATUS_MUTANT_LIMIT_EXCEEDED && ArchGetIrql() == PASSIVE_LEVEL);
    KT_EXPECT(MutantTakeSeveral(2, Objects + 1, WaitAny) == STATUS_MUTANT_LIMIT_EXCEEDED);
    KT_EXPECT(MutantTakeSeveral(2, Objects, WaitAll) == STATUS_MUTANT_LIMIT_EXCEEDED);
    Mutant.Header.SignalState = MINLONG + 1;
    KT_EXPECT(MutantTakeSeveral(3, Objects, WaitAll) == STATUS_MUTANT_LIMIT_EXCEEDED);
    KT_EXPECT(MutantTakeSeveral(2, Objects, WaitAll) == STATUS_SUCCESS);
    KT_EXPECT(Mutant.Header.SignalState == (LONG)MINLONG);
    Mutant.Header.SignalState = 0;
    KT_EXPECT(MutantRelease(&Mutant, &Previous) == STATUS_SUCCESS);
}

KT_TEST(mutant_of_an_ended_thread_is_abandoned)
{
    MUTANT_STAGE Stage;
    LONG Previous;
    PVOID Thread = MutantStart(&Stage, 2, FALSE);

    KT_EXPECT(Thread != NULL && Stage.Second == STATUS_SUCCESS);
    KT_EXPECT(MutantTake(&Stage.Mutant[0]) == STATUS_TIMEOUT);
    KT_EXPECT(MutantRelease(&Stage.Mutant[0], &Previous) == STATUS_MUTANT_NOT_OWNED);
    KT_EXPECT(MutantIs(&Stage.Mutant[0], -1, FALSE, FALSE) && MutantIs(&Stage.Mutant[1], 0, FALSE, FALSE));
    KeSetEvent(&Stage.MayEnd, 0, FALSE);
    KtJoinThread(Thread);
    for (ULONG i = 0; i < 2; i++) {
        KT_EXPECT(MutantIs(&Stage.Mutant[i], 1, FALSE, TRUE));
        KT_EXPECT(MutantTake(&Stage.Mutant[i]) == STATUS_ABANDONED);
        KT_EXPECT(MutantIs(&Stage.Mutant[i], 0, TRUE, FALSE));
        KT_EXPECT(MutantTake(&Stage.Mutant[i]) == STATUS_SUCCESS);
        KT_EXPECT(MutantRelease(&Stage.Mutant[i], &Previous) == STATUS_SUCCESS && Previous == -1);
        KT_EXPECT(MutantRelease(&Stage.Mutant[i], &Previous) == STATUS_SUCCESS && Previous == 0);
    }
}

/* The end of the other thread ends a wait of this one. */
static VOID MutantAwaitEnd(KT_CONTEXT *Kt, KEVENT *Event, WAIT_TYPE Type, NTSTATUS Wanted)
{
    MUTANT_STAGE Stage;
    PVOID Objects[] = {Event, &Stage.Mutant[0]};
    LONG Previous;
    PVOID Thread = MutantStart(&Stage, 1, TRUE);

    KT_EXPECT(Thread != NULL);
    KeSetEvent(&Stage.MayEnd, 0, FALSE);
    NTSTATUS Status =
        Event != NULL ? MutantTakeSeveral(2, Objects, Type) : MutantTakeSeveral(1, Objects + 1, Type);
    KtJoinThread(Thread);
    KT_EXPECT(Status == Wanted);
    KT_EXPECT(MutantIs(&Stage.Mutant[0], 0, TRUE, FALSE));
    KT_EXPECT(MutantRelease(&Stage.Mutant[0], &Previous) == STATUS_SUCCESS && Previous == 0);
}

KT_TEST(mutant_that_is_abandoned_goes_to_who_waits)
{
    KEVENT Event;

    MutantAwaitEnd(Kt, NULL, WaitAny, STATUS_ABANDONED);
    KT_EXPECT(Kt->Expression == NULL);
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    MutantAwaitEnd(Kt, &Event, WaitAny, STATUS_ABANDONED_WAIT_0 + 1);
    KT_EXPECT(Kt->Expression == NULL);
    KeSetEvent(&Event, 0, FALSE);
    MutantAwaitEnd(Kt, &Event, WaitAll, STATUS_ABANDONED_WAIT_0);
    KT_EXPECT(Kt->Expression == NULL && KeReadStateEvent(&Event) == 0);
}

static VOID MutantDeleteAll(MUTANT_STAGE *Stage)
{
    for (ULONG i = Stage->Count; i-- != 0;) {
        KeDeleteMutant(&Stage->Mutant[i]);
        RtlFillMemory(&Stage->Mutant[i], sizeof(KMUTANT), 0x4c); /* free for all, and no list entry */
    }
}

KT_TEST(mutant_that_goes_leaves_its_owner)
{
    MUTANT_STAGE Stage;
    PVOID Thread = MutantStart(&Stage, MUTANT_COUNT, FALSE);

    KT_EXPECT(Thread != NULL);
    MutantDeleteAll(&Stage);
    BOOLEAN Empty = IsListEmpty(&((PKTHREAD)Thread)->HandleMutants);
    KeSetEvent(&Stage.MayEnd, 0, FALSE);
    KtJoinThread(Thread);
    KT_EXPECT(Empty);
}

/* One thread abandons them from the first on while another deletes them from the last on. */
KT_TEST(mutant_goes_while_its_owner_ends)
{
    MUTANT_STAGE Stage;

    for (ULONG Round = 0; Round < MUTANT_ROUNDS; Round++) {
        PVOID Thread = MutantStart(&Stage, MUTANT_COUNT, FALSE);
        KT_EXPECT(Thread != NULL);
        KeSetEvent(&Stage.MayEnd, 0, FALSE);
        while (!__atomic_load_n(&Stage.Mutant[0].Abandoned, __ATOMIC_ACQUIRE))
            KeYieldThread();
        MutantDeleteAll(&Stage);
        KtJoinThread(Thread);
    }
}

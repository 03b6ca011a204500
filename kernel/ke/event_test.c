/* SPDX-License-Identifier: MIT
 * Waits between threads: hand-over of a synchronization event, WaitAll, time-outs. */
#include "ki.h"
#include "kt.h"

typedef struct _EVENT_PAIR {
    KEVENT Ping, Pong;
    ULONG Rounds;
} EVENT_PAIR;

static VOID NTAPI EventPartner(PVOID Context)
{
    EVENT_PAIR *Pair = Context;

    for (ULONG i = 0; i < Pair->Rounds; i++) {
        KeWaitForSingleObject(&Pair->Ping, Executive, KernelMode, FALSE, NULL);
        KeSetEvent(&Pair->Pong, 0, FALSE);
    }
}

static BOOLEAN EventStartPartner(EVENT_PAIR *Pair, PVOID *Thread)
{
    KeInitializeEvent(&Pair->Ping, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Pair->Pong, SynchronizationEvent, FALSE);
    *Thread = KtStartThread(EventPartner, Pair);
    return *Thread != NULL;
}

KT_TEST(event_ping_pong_and_thread_end)
{
    EVENT_PAIR Pair = {.Rounds = 100};
    PVOID Thread;

    KT_EXPECT(EventStartPartner(&Pair, &Thread));
    for (ULONG i = 0; i < Pair.Rounds; i++) {
        KeSetEvent(&Pair.Ping, 0, FALSE);
        KT_EXPECT(KeWaitForSingleObject(&Pair.Pong, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    }
    KT_EXPECT(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    KT_EXPECT(KeReadStateEvent(&Pair.Pong) == 0);
    ObDereferenceObject(Thread);
}

KT_TEST(event_wait_with_hand_over)
{
    EVENT_PAIR Pair = {.Rounds = 3};
    PVOID Thread;

    KT_EXPECT(EventStartPartner(&Pair, &Thread));
    for (ULONG i = 0; i < Pair.Rounds; i++) {
        KeSetEvent(&Pair.Ping, 0, TRUE);
        KT_EXPECT(ArchGetIrql() == DISPATCH_LEVEL); /* the dispatcher lock is kept for the wait */
        KT_EXPECT(KeWaitForSingleObject(&Pair.Pong, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
        KT_EXPECT(ArchGetIrql() == PASSIVE_LEVEL);
    }
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}

KT_TEST(event_wait_all_takes_nothing_until_all_are_there)
{
    KEVENT First, Second;
    PVOID Objects[] = {&First, &Second};
    LARGE_INTEGER Zero = {.QuadPart = 0};

    KeInitializeEvent(&First, SynchronizationEvent, TRUE);
    KeInitializeEvent(&Second, SynchronizationEvent, FALSE);
    KT_EXPECT(KeWaitForMultipleObjects(2, Objects, WaitAll, Executive, KernelMode, FALSE, &Zero, NULL) ==
              STATUS_TIMEOUT);
    KT_EXPECT(KeReadStateEvent(&First) == 1);
    KeSetEvent(&Second, 0, FALSE);
    KT_EXPECT(KeWaitForMultipleObjects(2, Objects, WaitAll, Executive, KernelMode, FALSE, &Zero, NULL) ==
              STATUS_SUCCESS);
    KT_EXPECT(KeReadStateEvent(&First) == 0 && KeReadStateEvent(&Second) == 0);
}

KT_TEST(event_wait_times_out)
{
    KEVENT Event;
    LARGE_INTEGER Timeout = {.QuadPart = -50000}; /* 5 ms */
    ULONG64 Before = HalQueryInterruptTime();

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KT_EXPECT(KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, &Timeout) == STATUS_TIMEOUT);
    KT_EXPECT(HalQueryInterruptTime() - Before >= 50000);
    KT_EXPECT(IsListEmpty(&Event.Header.WaitListHead));
}

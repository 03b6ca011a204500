/* SPDX-License-Identifier: MIT
 * Lists that several threads change at once: each entry is on one list or in one hand, whatever the order. The SList case
 * gives an entry back right after it was taken, so that a list head comes back with the same first entry and another second one
 * (the ABA problem). [WDK InterlockedPushEntrySList, ExInterlockedInsertTailList, "Singly and Doubly Linked Lists"] */
#include "ct_crew.h"

#define ENTRIES 8
#define ROUNDS 1000

static CT_CREW Crew;

typedef struct DECLSPEC_ALIGN(16) ITEM {
    SLIST_ENTRY Link;
    LIST_ENTRY Entry;
    SINGLE_LIST_ENTRY Single;
    volatile LONG Holders; /* threads that have it in hand */
} ITEM;

static DECLSPEC_ALIGN(16) SLIST_HEADER Stack;
static ITEM Items[ENTRIES];
static volatile LONG Shared; /* how often two had one */
static LIST_ENTRY List;
static SINGLE_LIST_ENTRY Singles;
static KSPIN_LOCK Lock;

static VOID Hold(ITEM *Item)
{
    if (InterlockedIncrement(&Item->Holders) != 1)
        InterlockedIncrement(&Shared);
    YieldProcessor();
    InterlockedDecrement(&Item->Holders);
}

static VOID UseStack(ULONG Number)
{
    for (ULONG i = 0; i < ROUNDS; i++) {
        PSLIST_ENTRY Link[2] = {InterlockedPopEntrySList(&Stack), NULL};
        if (Number % 2 == 0)
            Link[1] = InterlockedPopEntrySList(&Stack);
        for (ULONG j = 0; j < 2; j++)
            if (Link[j] != NULL) {
                Hold(CONTAINING_RECORD(Link[j], ITEM, Link));
                InterlockedPushEntrySList(&Stack, Link[j]);
            }
    }
}

static VOID SListThreads(VOID)
{
    ULONG Count = 0;
    InitializeSListHead(&Stack);
    RtlZeroMemory(Items, sizeof(Items));
    Shared = 0;
    for (ULONG i = 0; i < ENTRIES; i++)
        InterlockedPushEntrySList(&Stack, &Items[i].Link);
    CtRunCrew(&Crew, UseStack);
    CT_EQUAL(Shared, 0);
    CT_EQUAL(ExQueryDepthSList(&Stack), ENTRIES);
    for (PSLIST_ENTRY Link; (Link = InterlockedPopEntrySList(&Stack)) != NULL; Count++)
        CT_EQUAL(InterlockedIncrement(&CONTAINING_RECORD(Link, ITEM, Link)->Holders), 1); /* each once */
    CT_EQUAL(Count, ENTRIES);
}

static VOID UseLists(ULONG Number)
{
    for (ULONG i = 0; i < ROUNDS; i++) {
        if (Number % 2 == 0) {
            PLIST_ENTRY Entry = ExInterlockedRemoveHeadList(&List, &Lock);
            if (Entry != NULL) {
                Hold(CONTAINING_RECORD(Entry, ITEM, Entry));
                if (i % 2 == 0)
                    ExInterlockedInsertHeadList(&List, Entry, &Lock);
                else
                    ExInterlockedInsertTailList(&List, Entry, &Lock);
            }
        } else {
            PSINGLE_LIST_ENTRY Entry = ExInterlockedPopEntryList(&Singles, &Lock);
            if (Entry != NULL) {
                Hold(CONTAINING_RECORD(Entry, ITEM, Single));
                ExInterlockedPushEntryList(&Singles, Entry, &Lock);
            }
        }
    }
}

/* Half of the entries on a doubly, half on a singly linked list, both under one lock. */
static VOID ListThreads(VOID)
{
    ULONG Doubly = 0, Singly = 0;
    InitializeListHead(&List);
    Singles.Next = NULL;
    KeInitializeSpinLock(&Lock);
    RtlZeroMemory(Items, sizeof(Items));
    Shared = 0;
    for (ULONG i = 0; i < ENTRIES; i++) {
        if (i % 2 == 0)
            ExInterlockedInsertTailList(&List, &Items[i].Entry, &Lock);
        else
            ExInterlockedPushEntryList(&Singles, &Items[i].Single, &Lock);
    }
    CtRunCrew(&Crew, UseLists);
    CT_EQUAL(Shared, 0);
    CT_EQUAL(Lock, 0);
    while (ExInterlockedRemoveHeadList(&List, &Lock) != NULL)
        Doubly++;
    while (ExInterlockedPopEntryList(&Singles, &Lock) != NULL)
        Singly++;
    CT_EQUAL(Doubly, ENTRIES / 2);
    CT_EQUAL(Singly, ENTRIES / 2);
}

static const CT_CASE Cases[] = {
    {"slist.threads", SListThreads},
    {"list.threads", ListThreads},
};
CT_DRIVER(Cases)

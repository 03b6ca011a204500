/* SPDX-License-Identifier: MIT
 * Lists and numbers under a caller's spin lock, at any IRQL: interrupts stay off while the lock is held.
 * [WDK ExInterlockedInsertHeadList ...] The lock must not be used in any other way. */
#include "ex.h"
#include "ke.h"

/* With interrupts off nothing can come between at any level. */
static BOOLEAN ExpLock(PKSPIN_LOCK Lock)
{
    BOOLEAN Enabled = ArchDisableInterrupts();
    KeAcquireSpinLockAnyIrql(Lock);
    return Enabled;
}

static VOID ExpUnlock(PKSPIN_LOCK Lock, BOOLEAN Enabled)
{
    KeReleaseSpinLockAnyIrql(Lock);
    ArchRestoreInterrupts(Enabled);
}

/* Returns the entry that was first, NULL if the list was empty. */
PLIST_ENTRY FASTCALL ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
                                                 PKSPIN_LOCK Lock)
{
    BOOLEAN Enabled = ExpLock(Lock);
    PLIST_ENTRY First = IsListEmpty(ListHead) ? NULL : ListHead->Flink;
    InsertHeadList(ListHead, ListEntry);
    ExpUnlock(Lock, Enabled);
    return First;
}

/* Returns the entry that was last, NULL if the list was empty. */
PLIST_ENTRY FASTCALL ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
                                                 PKSPIN_LOCK Lock)
{
    BOOLEAN Enabled = ExpLock(Lock);
    PLIST_ENTRY Last = IsListEmpty(ListHead) ? NULL : ListHead->Blink;
    InsertTailList(ListHead, ListEntry);
    ExpUnlock(Lock, Enabled);
    return Last;
}

PLIST_ENTRY FASTCALL ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    BOOLEAN Enabled = ExpLock(Lock);
    PLIST_ENTRY First = IsListEmpty(ListHead) ? NULL : RemoveHeadList(ListHead);
    ExpUnlock(Lock, Enabled);
    return First;
}

/* Returns the entry that was first. */
PSINGLE_LIST_ENTRY FASTCALL ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead,
                                                       PSINGLE_LIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    BOOLEAN Enabled = ExpLock(Lock);
    PSINGLE_LIST_ENTRY First = ListHead->Next;
    ListEntry->Next = First;
    ListHead->Next = ListEntry;
    ExpUnlock(Lock, Enabled);
    return First;
}

PSINGLE_LIST_ENTRY FASTCALL ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    BOOLEAN Enabled = ExpLock(Lock);
    PSINGLE_LIST_ENTRY First = ListHead->Next;
    if (First != NULL)
        ListHead->Next = First->Next;
    ExpUnlock(Lock, Enabled);
    return First;
}

/* Returns what the number was before. */
LARGE_INTEGER NTAPI ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment,
                                                 PKSPIN_LOCK Lock)
{
    BOOLEAN Enabled = ExpLock(Lock);
    LARGE_INTEGER Before = *Addend;
    Addend->QuadPart = (LONG64)((ULONG64)Before.QuadPart + (ULONG64)Increment.QuadPart);
    ExpUnlock(Lock, Enabled);
    return Before;
}

ULONG FASTCALL ExInterlockedAddUlong(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
    BOOLEAN Enabled = ExpLock(Lock);
    ULONG Before = *Addend;
    *Addend = Before + Increment;
    ExpUnlock(Lock, Enabled);
    return Before;
}

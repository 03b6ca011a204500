/* SPDX-License-Identifier: MIT
 * Device queues: requests of a device that works on one at a time. The queue is busy from the first insertion, which is not queued,
 * until a removal finds it empty. */
#include "ki.h"

/* [WDK KeInitializeDeviceQueue] */
VOID NTAPI KeInitializeDeviceQueue(PKDEVICE_QUEUE Queue)
{
    Queue->Type = KI_DEVICE_QUEUE_OBJECT;
    Queue->Size = sizeof(*Queue);
    InitializeListHead(&Queue->DeviceListHead);
    KeInitializeSpinLock(&Queue->Lock);
    Queue->Busy = FALSE;
}

/* Before the first entry whose key is greater, so that equal keys keep their order. */
static VOID KiInsertByKeyLocked(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry)
{
    LIST_ENTRY *Next = Queue->DeviceListHead.Flink;
    while (Next != &Queue->DeviceListHead &&
           CONTAINING_RECORD(Next, KDEVICE_QUEUE_ENTRY, DeviceListEntry)->SortKey <= Entry->SortKey)
        Next = Next->Flink;
    InsertTailList(Next, &Entry->DeviceListEntry);
}

static BOOLEAN KiInsertDeviceQueue(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry, BOOLEAN ByKey)
{
    KeAcquireSpinLockAtDpcLevel(&Queue->Lock);
    BOOLEAN Busy = Queue->Busy;
    Queue->Busy = TRUE;
    Entry->Inserted = Busy;
    if (Busy && ByKey)
        KiInsertByKeyLocked(Queue, Entry);
    else if (Busy)
        InsertTailList(&Queue->DeviceListHead, &Entry->DeviceListEntry);
    KeReleaseSpinLockFromDpcLevel(&Queue->Lock);
    return Busy;
}

/* [WDK KeInsertDeviceQueue] IRQL DISPATCH_LEVEL. FALSE: the device was idle, the caller starts the entry at once. */
BOOLEAN NTAPI KeInsertDeviceQueue(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KI_REQUIRE_TYPE(Queue, KI_DEVICE_QUEUE_OBJECT);
    return KiInsertDeviceQueue(Queue, Entry, FALSE);
}

/* [WDK KeInsertByKeyDeviceQueue] */
BOOLEAN NTAPI KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry, ULONG SortKey)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KI_REQUIRE_TYPE(Queue, KI_DEVICE_QUEUE_OBJECT);
    Entry->SortKey = SortKey;
    return KiInsertDeviceQueue(Queue, Entry, TRUE);
}

static LIST_ENTRY *KiFirstFromKey(PKDEVICE_QUEUE Queue, ULONG SortKey)
{
    LIST_ENTRY *Entry = Queue->DeviceListHead.Flink;
    while (Entry != &Queue->DeviceListHead &&
           CONTAINING_RECORD(Entry, KDEVICE_QUEUE_ENTRY, DeviceListEntry)->SortKey < SortKey)
        Entry = Entry->Flink;
    return Entry != &Queue->DeviceListHead ? Entry : Queue->DeviceListHead.Flink;
}

static PKDEVICE_QUEUE_ENTRY KiRemoveDeviceQueue(PKDEVICE_QUEUE Queue, ULONG SortKey, BOOLEAN ByKey)
{
    PKDEVICE_QUEUE_ENTRY Found = NULL;
    KeAcquireSpinLockAtDpcLevel(&Queue->Lock);
    if (IsListEmpty(&Queue->DeviceListHead)) {
        Queue->Busy = FALSE;
    } else {
        LIST_ENTRY *Entry = ByKey ? KiFirstFromKey(Queue, SortKey) : Queue->DeviceListHead.Flink;
        RemoveEntryList(Entry);
        Found = CONTAINING_RECORD(Entry, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
        Found->Inserted = FALSE;
    }
    KeReleaseSpinLockFromDpcLevel(&Queue->Lock);
    return Found;
}

/* [WDK KeRemoveDeviceQueue] IRQL DISPATCH_LEVEL. NULL: the queue is empty and idle now. */
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(PKDEVICE_QUEUE Queue)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KI_REQUIRE_TYPE(Queue, KI_DEVICE_QUEUE_OBJECT);
    return KiRemoveDeviceQueue(Queue, 0, FALSE);
}

/* [WDK KeRemoveByKeyDeviceQueue] the first entry whose key is not less, else the first. */
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE Queue, ULONG SortKey)
{
    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    KI_REQUIRE_TYPE(Queue, KI_DEVICE_QUEUE_OBJECT);
    return KiRemoveDeviceQueue(Queue, SortKey, TRUE);
}

/* [WDK KeRemoveByKeyDeviceQueueIfBusy] IRQL DISPATCH_LEVEL. The queue may be idle already: NULL, as for one without entries. */
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE Queue, ULONG SortKey)
{
    return KiRemoveDeviceQueue(Queue, SortKey, TRUE);
}

/* [WDK KeRemoveEntryDeviceQueue] IRQL <= DISPATCH_LEVEL. FALSE: the entry was not queued. */
BOOLEAN NTAPI KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE Queue, PKDEVICE_QUEUE_ENTRY Entry)
{
    KIRQL OldIrql;
    KI_REQUIRE_TYPE(Queue, KI_DEVICE_QUEUE_OBJECT);
    KeAcquireSpinLock(&Queue->Lock, &OldIrql);
    BOOLEAN Inserted = Entry->Inserted;
    if (Inserted)
        RemoveEntryList(&Entry->DeviceListEntry);
    Entry->Inserted = FALSE;
    KeReleaseSpinLock(&Queue->Lock, OldIrql);
    return Inserted;
}

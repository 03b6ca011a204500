/* SPDX-License-Identifier: MIT
 * Checked kernel: what is queued in a timer wheel or a DPC queue, and by whom, noted outside of the objects. They are a driver's memory: it may
 * free it, overwrite it or initialise it again while the queue still leads there. With the notes that is found before the queue
 * is followed, and the code that queued the object is named.
 * [WDK Bug Check 0xC7] 0 a timer, 1 a DPC in memory where it is not permitted; start and end of that memory. */
#include "ki.h"
#include "ke_bugcheck.h"
#include "ke_checks.h"

#if NTBOX_CHECKED

static KI_NOTE **KiBucketFor(KI_NOTES *Notes, const void *Object)
{
    return &Notes->Buckets[((ULONG_PTR)Object >> PAGE_SHIFT) % KI_NOTE_BUCKETS];
}

static KI_NOTE *KiTakeRoom(KI_NOTES *Notes)
{
    KI_NOTE *Note = Notes->Free;

    if (Note != NULL)
        Notes->Free = Note->Next;
    else if (Notes->Used < KI_NOTE_ROOM)
        Note = &Notes->Room[Notes->Used++];
    return Note;
}

VOID KiNote(KI_NOTES *Notes, KI_NOTE_KIND Kind, const void *Object, const void *Other, const void *Caller)
{
    KI_NOTE *Note = KeChecksOff ? NULL : KiTakeRoom(Notes);

    if (Note == NULL) {
        Notes->Missing++;
        return;
    }
    KI_NOTE **Bucket = KiBucketFor(Notes, Object);
    *Note = (KI_NOTE){*Bucket, Kind, Object, Other, Caller};
    *Bucket = Note;
    Notes->Count++;
}

static KI_NOTE **KiLinkTo(KI_NOTES *Notes, KI_NOTE_KIND Kind, const void *Object)
{
    KI_NOTE **Link = KiBucketFor(Notes, Object);

    while (*Link != NULL && ((*Link)->Object != Object || (*Link)->Kind != Kind))
        Link = &(*Link)->Next;
    return Link;
}

const KI_NOTE *KiFindNote(KI_NOTES *Notes, KI_NOTE_KIND Kind, const void *Object)
{
    return *KiLinkTo(Notes, Kind, Object);
}

VOID KiForget(KI_NOTES *Notes, KI_NOTE_KIND Kind, const void *Object)
{
    KI_NOTE **Link = KiLinkTo(Notes, Kind, Object), *Note = *Link;

    if (Note == NULL) {
        Notes->Missing--;
        return;
    }
    *Link = Note->Next;
    Note->Next = Notes->Free;
    Notes->Free = Note;
    Notes->Count--;
}

/* --- bug checks --- */

typedef struct _KI_RANGE {
    ULONG_PTR Base, End;
} KI_RANGE;

/* A return address names the line behind the call. */
static const void *KiCallBefore(const void *Caller)
{
    return Caller != NULL ? (const UCHAR *)Caller - 1 : NULL;
}

static DECLSPEC_NORETURN VOID KiBadPlace(const KI_NOTE *Note, const KI_RANGE *Range, const void *Blamed,
                                         PCSTR Text)
{
    KeBugCheckBlaming(KiCallBefore(Blamed), TIMER_OR_DPC_INVALID, Note->Kind != KiNotedTimer,
                      (ULONG_PTR)Note->Object, Range->Base, Range->End, Text);
}

VOID KiDamagedObject(const KI_NOTE *Note)
{
    ULONG_PTR Base = (ULONG_PTR)Note->Object;
    SIZE_T Size = Note->Kind == KiNotedTimer ? sizeof(KTIMER) : sizeof(KDPC);

    KiBadPlace(Note, &(KI_RANGE){Base, Base + Size}, Note->Caller,
               Note->Kind == KiNotedTimer ? "a timer was overwritten while it was set"
                                          : "a DPC was overwritten while it was queued");
}

VOID KiRequireTimer(const KTIMER *Timer, const void *Caller)
{
    UCHAR Type = KiObjectType(&Timer->Header);

    if (KeChecksOff)
        return;
    if ((Type == TimerNotificationObject || Type == TimerSynchronizationObject) &&
        (!Timer->Header.Inserted || Timer->Processor < KeActiveProcessorCount))
        return;
    KeBugCheckBlaming(KiCallBefore(Caller), DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_NO_TIMER,
                      (ULONG_PTR)Timer, Timer->Header.Type, 0, "a timer was used that is not initialized");
}

VOID KiRequireDpc(const KDPC *Dpc, const void *Caller)
{
    if (KeChecksOff)
        return;
    if ((Dpc->Type == DpcObject || Dpc->Type == ThreadedDpcObject) && Dpc->DeferredRoutine != NULL)
        return;
    KeBugCheckBlaming(KiCallBefore(Caller), DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_NO_DPC,
                      (ULONG_PTR)Dpc, Dpc->Type, (ULONG_PTR)Dpc->DeferredRoutine,
                      "a DPC was used that is not initialized or has no routine");
}

/* --- memory that goes away --- */

/* Lock of the queue held. In the buckets of the range, or in all when it has more pages than there are buckets. */
static const KI_NOTE *KiFindInRange(KI_NOTES *Notes, const KI_RANGE *Range)
{
    ULONG_PTR First = Range->Base >> PAGE_SHIFT, Count = ((Range->End - 1) >> PAGE_SHIFT) - First + 1;

    for (ULONG_PTR i = 0; i < Count && i < KI_NOTE_BUCKETS; i++)
        for (const KI_NOTE *Note = Notes->Buckets[(First + i) % KI_NOTE_BUCKETS]; Note != NULL;
             Note = Note->Next)
            if ((ULONG_PTR)Note->Object - Range->Base < Range->End - Range->Base)
                return Note;
    return NULL;
}

/* Freer: who frees it, when a driver does; else who queued the object is to blame. */
static VOID KiCheckRange(KI_NOTES *Notes, ARCH_LOCK *Lock, const KI_RANGE *Range, const void *Freer)
{
    if (Notes->Count == 0)
        return;
    KIRQL OldIrql = ArchAcquireLock(Lock);
    const KI_NOTE *Note = KiFindInRange(Notes, Range);
    if (Note != NULL)
        KiBadPlace(Note, Range, Freer != NULL && !KiUpcalls->IsKernelAddress(Freer) ? Freer : Note->Caller,
                   Note->Kind == KiNotedDpc ? "memory is freed in which there is a queued DPC"
                   : Note->Kind == KiNotedTimer
                       ? "memory is freed in which there is a timer that is set"
                       : "memory is freed in which there is the DPC of a timer that is set");
    ArchReleaseLock(Lock, OldIrql);
}

/* Without the locks: what this thread has queued it sees; another thread's race with the free is the driver's own. */
static BOOLEAN KiIsAnythingNoted(const KI_DEFERRED *Deferred)
{
    return (Deferred->Wheel.Notes.Count | Deferred->Dpcs.Notes.Count | Deferred->ThreadedDpcs.Notes.Count) !=
           0;
}

VOID KeCheckFreedMemory(const void *Base, SIZE_T Size, const void *Freer)
{
    const KI_RANGE Range = {(ULONG_PTR)Base, (ULONG_PTR)Base + Size};

    for (ULONG i = 0; Size != 0 && i < KeActiveProcessorCount; i++) {
        KI_DEFERRED *Deferred = &KiProcessorOf(KiProcessorBlock[i])->Deferred;
        if (!KiIsAnythingNoted(Deferred))
            continue;
        KiCheckRange(&Deferred->Wheel.Notes, &Deferred->Wheel.Lock, &Range, Freer);
        KiCheckRange(&Deferred->Dpcs.Notes, &Deferred->Dpcs.Lock, &Range, Freer);
        KiCheckRange(&Deferred->ThreadedDpcs.Notes, &Deferred->ThreadedDpcs.Lock, &Range, Freer);
    }
}

/* --- memory that is initialised again --- */

static VOID KiCheckUnnoted(KI_NOTES *Notes, ARCH_LOCK *Lock, KI_NOTE_KIND Kind, const void *Object,
                           SIZE_T Size)
{
    const KI_RANGE Range = {(ULONG_PTR)Object, (ULONG_PTR)Object + Size};

    if (Notes->Count == 0)
        return;
    KIRQL OldIrql = ArchAcquireLock(Lock);
    const KI_NOTE *Note = KiFindNote(Notes, Kind, Object);
    if (Note != NULL)
        KiBadPlace(Note, &Range, Note->Caller,
                   Kind == KiNotedTimer ? "a timer was initialized again while it was set"
                                        : "a DPC was initialized again while it was queued");
    ArchReleaseLock(Lock, OldIrql);
}

VOID KiCheckNewTimer(const KTIMER *Timer)
{
    if (ArchGetIrql() > DISPATCH_LEVEL)
        return; /* [WDK KeInitializeTimer] any IRQL; the wheels' locks are for DISPATCH_LEVEL */
    for (ULONG i = 0; i < KeActiveProcessorCount; i++) {
        KI_TIMER_WHEEL *Wheel = &KiProcessorOf(KiProcessorBlock[i])->Deferred.Wheel;
        KiCheckUnnoted(&Wheel->Notes, &Wheel->Lock, KiNotedTimer, Timer, sizeof(*Timer));
    }
}

VOID KiCheckNewDpc(const KDPC *Dpc)
{
    for (ULONG i = 0; i < KeActiveProcessorCount; i++) {
        KI_DEFERRED *Deferred = &KiProcessorOf(KiProcessorBlock[i])->Deferred;
        KiCheckUnnoted(&Deferred->Dpcs.Notes, &Deferred->Dpcs.Lock, KiNotedDpc, Dpc, sizeof(*Dpc));
        KiCheckUnnoted(&Deferred->ThreadedDpcs.Notes, &Deferred->ThreadedDpcs.Lock, KiNotedDpc, Dpc,
                       sizeof(*Dpc));
    }
}

/* --- lists --- */

/* Both neighbours can be read and lead back. One that does not is the damaged one, if it is noted too. */
BOOLEAN KiIsLinked(const LIST_ENTRY *Entry, const LIST_ENTRY **Neighbour)
{
    const LIST_ENTRY *Next = Entry->Flink, *Last = Entry->Blink;

    *Neighbour = NULL;
    if (!MmIsAddressValid((PVOID)Next) || !MmIsAddressValid((PVOID)Last))
        return FALSE;
    if (Next->Blink == Entry && Last->Flink == Entry)
        return TRUE;
    *Neighbour = Next->Blink != Entry ? Next : Last;
    return FALSE;
}

#endif

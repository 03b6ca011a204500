/* SPDX-License-Identifier: MIT
 * ERESOURCE: any number share it, or one thread has it alone, each as often as it likes. [WDK ExInitializeResourceLite and
 * its neighbours]
 *
 *   OwnerEntry            the exclusive owner, or one of those who share
 *   OwnerTable[1..]       the others; OwnerTable[0].TableSize is its length. NULL while one owner has been enough.
 *   ActiveEntries         entries in use; 0: nobody has it
 *   Shared/ExclusiveWaiters  the last of a ring of waiters, each on the stack of its thread; NULL: nobody waits
 *
 * All of it under Resource->SpinLock. Who releases gives the resource to those who wait before it lets go of the lock, so a
 * waiter that wakes has it. After an exclusive owner all who wait to share come first, after the last who shares the first
 * who wants it alone: neither kind can starve the other. [WDK ExAcquireSharedWaitForExclusive]
 *
 * There is room in the table for everybody who shares or waits to, so that giving cannot fail. */
#include <bugcodes.h>
#include "exp.h"
#include "kd.h"
#include "ke_bugcheck.h"

#define EXP_RESOURCE_TAG 'reSE'
#define EXP_TABLE_STEP 8
#define EXP_RESOURCE_SEARCH (2 * PAGE_SIZE)

typedef enum _EXP_ACCESS { ExpExclusive, ExpShared, ExpStarveExclusive, ExpWaitForExclusive } EXP_ACCESS;

typedef struct _EXP_RESOURCE_WAITER {
    struct _EXP_RESOURCE_WAITER *Next; /* SpinLock, then who has taken it out of the ring */
    ERESOURCE_THREAD Thread;
    KEVENT Granted;
} EXP_RESOURCE_WAITER;

/* --- rings of waiters: SpinLock held ------------------------------------------------------------------------- */

/* The fields' types in the header are those of another implementation; nobody but us follows them. */
static EXP_RESOURCE_WAITER **ExpRing(PERESOURCE Resource, BOOLEAN Exclusive)
{
    return Exclusive ? (EXP_RESOURCE_WAITER **)&Resource->ExclusiveWaiters
                     : (EXP_RESOURCE_WAITER **)&Resource->SharedWaiters;
}

static VOID ExpEnqueueWaiter(EXP_RESOURCE_WAITER **Ring, EXP_RESOURCE_WAITER *Waiter)
{
    EXP_RESOURCE_WAITER *Last = *Ring;

    Waiter->Next = Last != NULL ? Last->Next : Waiter;
    if (Last != NULL)
        Last->Next = Waiter;
    *Ring = Waiter;
}

static EXP_RESOURCE_WAITER *ExpDequeueWaiter(EXP_RESOURCE_WAITER **Ring)
{
    EXP_RESOURCE_WAITER *Last = *Ring, *First = Last->Next;

    if (First == Last)
        *Ring = NULL;
    else
        Last->Next = First->Next;
    return First;
}

/* --- owners: SpinLock held ------------------------------------------------------------------------------------- */

static ULONG ExpTableSize(PERESOURCE Resource)
{
    return Resource->OwnerTable != NULL ? Resource->OwnerTable[0].TableSize : 1;
}

/* The entry of a thread; with Thread = 0 a free one. NULL: none. */
static POWNER_ENTRY ExpFindOwner(PERESOURCE Resource, ERESOURCE_THREAD Thread)
{
    if (Resource->OwnerEntry.OwnerThread == Thread)
        return &Resource->OwnerEntry;
    for (ULONG i = 1; i < ExpTableSize(Resource); i++)
        if (Resource->OwnerTable[i].OwnerThread == Thread)
            return &Resource->OwnerTable[i];
    return NULL;
}

static BOOLEAN ExpIsExclusive(PERESOURCE Resource)
{
    return (Resource->Flag & ResourceOwnedExclusive) != 0;
}

static VOID ExpGrant(PERESOURCE Resource, ERESOURCE_THREAD Thread, BOOLEAN Exclusive)
{
    POWNER_ENTRY Entry = ExpFindOwner(Resource, Thread);

    if (Entry == NULL) {
        Entry = ExpFindOwner(Resource, 0);
        NT_CHECK(Entry != NULL);
        Entry->OwnerThread = Thread;
        Entry->OwnerCount = 0;
        Resource->ActiveEntries++;
        Resource->ActiveCount++;
    }
    Entry->OwnerCount++;
    if (Exclusive)
        Resource->Flag |= ResourceOwnedExclusive;
}

static VOID ExpDropEntry(PERESOURCE Resource, POWNER_ENTRY Entry)
{
    Entry->OwnerThread = 0;
    Entry->OwnerCount = 0;
    Resource->ActiveEntries--;
    Resource->ActiveCount--;
}

static BOOLEAN ExpMayHave(PERESOURCE Resource, ERESOURCE_THREAD Thread, EXP_ACCESS Access)
{
    if (Resource->ActiveEntries == 0)
        return TRUE;
    if (ExpIsExclusive(Resource))
        return Resource->OwnerEntry.OwnerThread == Thread;
    if (Access == ExpExclusive)
        return FALSE;
    if (Access == ExpStarveExclusive || Resource->ExclusiveWaiters == NULL)
        return TRUE;
    return Access == ExpShared && ExpFindOwner(Resource, Thread) != NULL;
}

/* One who shares now (Free), or waits to, will find an entry. */
static BOOLEAN ExpHasRoom(PERESOURCE Resource, ERESOURCE_THREAD Thread, BOOLEAN Free)
{
    return (Free && ExpFindOwner(Resource, Thread) != NULL) ||
           Resource->ActiveEntries + Resource->NumberOfSharedWaiters < ExpTableSize(Resource);
}

/* --- is it one: checked kernel ------------------------------------------------------------------------------------ */

/* A field that nobody else uses tells where an initialized resource lies, so that a copy of one, or what was one, is none. */
static PVOID ExpResourceMark(const ERESOURCE *Resource)
{
    return (PVOID)((ULONG_PTR)Resource ^ 0x6372756f73655245u);
}

static VOID ExpMarkResource(PERESOURCE Resource, BOOLEAN Initialized)
{
    if (NTBOX_CHECKED)
        Resource->Reserved2 = Initialized ? ExpResourceMark(Resource) : NULL;
}

static BOOLEAN ExpIsResource(const ERESOURCE *Resource)
{
    return Resource->Reserved2 == ExpResourceMark(Resource);
}

/* [WDK Bug Check 0xC4] 0x3D: it is not aligned. */
static VOID ExpRequireResource(const ERESOURCE *Resource)
{
    if (!NTBOX_CHECKED || KeChecksOff)
        return;
    if (((ULONG_PTR)Resource & (sizeof(PVOID) - 1)) != 0)
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3d, 0, 0, (ULONG_PTR)Resource);
    if (!ExpIsResource(Resource))
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_RESOURCE, (ULONG_PTR)Resource, 0,
                          0, "an ERESOURCE is used that is not initialized, or not any more");
}

#if NTBOX_CHECKED
/* [WDK Bug Check 0xC4] 0xD2: the resource, the block, its size. Structures have resources in them, buffers have not: a large block is
 * looked through at its beginning only. */
VOID ExpCheckNoResource(PVOID Block, SIZE_T Size)
{
    ULONG_PTR End = (ULONG_PTR)Block + min(Size, EXP_RESOURCE_SEARCH);

    for (ULONG_PTR At = (ULONG_PTR)Block; !KeChecksOff && At + sizeof(ERESOURCE) <= End; At += 8)
        if (ExpIsResource((const ERESOURCE *)At))
            KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xd2, At, (ULONG_PTR)Block, Size,
                              "pool is freed with an ERESOURCE in it that was not deleted");
}

/* The resource whose mark lies at Mark; NULL: none. Its beginning is in the image too. */
static PERESOURCE ExpResourceOfMark(const PVOID *Mark, ULONG_PTR Base)
{
    PERESOURCE Resource = CONTAINING_RECORD((PVOID)Mark, ERESOURCE, Reserved2);

    return (ULONG_PTR)Resource >= Base && *Mark == ExpResourceMark(Resource) ? Resource : NULL;
}

/* What is discarded of the image is not mapped. */
ULONG ExReportDriverResources(PCSTR Driver, const void *Base, SIZE_T Size)
{
    ULONG_PTR End = (ULONG_PTR)Base + Size;
    ULONG Count = 0;

    for (ULONG_PTR At = (ULONG_PTR)Base; At < End; At += sizeof(PVOID)) {
        if ((At & PAGE_MASK) == 0 && !MmIsAddressValid((PVOID)At)) {
            At += PAGE_SIZE - sizeof(PVOID);
            continue;
        }
        PERESOURCE Resource = ExpResourceOfMark((const PVOID *)At, (ULONG_PTR)Base);
        if (Resource == NULL)
            continue;
        ExpMarkResource(Resource, FALSE);
        if (Resource->OwnerTable != NULL)
            ExFreePoolWithTag(Resource->OwnerTable, EXP_RESOURCE_TAG);
        KdLog("%s: an ERESOURCE at %s+0x%llx was not deleted", Driver, Driver,
              (ULONG64)((ULONG_PTR)Resource - (ULONG_PTR)Base));
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "resource"),
                 KD_NUMBER(ReportKeyCount, 1), KD_NUMBER(ReportKeyAddress, (ULONG_PTR)Resource));
        Count++;
    }
    return Count;
}
#endif

/* --- growing the table: SpinLock not held --------------------------------------------------------------------- */

/* FALSE: there is no memory. */
static BOOLEAN ExpGrowTable(PERESOURCE Resource, ULONG OldSize)
{
    KLOCK_QUEUE_HANDLE Handle;
    ULONG Size = OldSize + EXP_TABLE_STEP;
    POWNER_ENTRY Table = ExAllocatePoolWithTag(NonPagedPoolNx, Size * sizeof(*Table), EXP_RESOURCE_TAG);

    if (Table == NULL)
        return FALSE;
    RtlZeroMemory(Table, Size * sizeof(*Table));
    KeAcquireInStackQueuedSpinLock(&Resource->SpinLock, &Handle);
    POWNER_ENTRY Unused = Table;
    if (ExpTableSize(Resource) == OldSize) {
        Unused = Resource->OwnerTable;
        if (Unused != NULL)
            RtlCopyMemory(Table, Unused, OldSize * sizeof(*Table));
        Table[0].TableSize = Size;
        Resource->OwnerTable = Table;
    }
    KeReleaseInStackQueuedSpinLock(&Handle);
    if (Unused != NULL)
        ExFreePoolWithTag(Unused, EXP_RESOURCE_TAG);
    return TRUE;
}

/* --- acquiring --------------------------------------------------------------------------------------------------- */

/* [WDK Bug Check 0xC4] 0x37 and 0x38. [WDK ExAcquireResourceExclusiveLite] Normal kernel APCs must be disabled. */
static VOID ExpCheckResource(PERESOURCE Resource, ULONG Violation)
{
    ExpRequireResource(Resource);
    if (NTBOX_CHECKED && !KeAreApcsDisabled())
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, Violation, KeGetCurrentIrql(), 0,
                     (ULONG_PTR)Resource);
}

/* The exclusive owner; of those who share it the waiter itself, or else how many. An owner pointer that is no thread has its lowest bits
 * set. */
static VOID ExpTellResource(const VOID *Lock, PKTHREAD Waiter, KE_LOCK_STATE *State)
{
    PERESOURCE Resource = (PERESOURCE)Lock;
    BOOLEAN Table = Resource->OwnerTable == NULL || MmIsAddressValid(Resource->OwnerTable);

    if (ExpIsExclusive(Resource) && (Resource->OwnerEntry.OwnerThread & 3) == 0)
        State->Owner = (PKTHREAD)Resource->OwnerEntry.OwnerThread;
    else if (Table && ExpFindOwner(Resource, (ERESOURCE_THREAD)Waiter) != NULL)
        State->Owner = Waiter;
    State->Holders = Resource->ActiveEntries;
}

static VOID ExpWaitForGrant(PERESOURCE Resource, EXP_RESOURCE_WAITER *Waiter, BOOLEAN Exclusive,
                            PKLOCK_QUEUE_HANDLE Handle)
{
    KeInitializeEvent(&Waiter->Granted, SynchronizationEvent, FALSE);
    ExpEnqueueWaiter(ExpRing(Resource, Exclusive), Waiter);
    if (Exclusive)
        Resource->NumberOfExclusiveWaiters++;
    else
        Resource->NumberOfSharedWaiters++;
    Resource->ContentionCount++;
    KeReleaseInStackQueuedSpinLock(Handle);
    static const KE_LOCK_KIND Kind = {"resource", sizeof(ERESOURCE), ExpTellResource};
    KeWaitForLock(&Waiter->Granted, WrResource, &Kind, Resource);
}

/* No memory for one more owner: others may free some. */
static VOID ExpPauseForMemory(VOID)
{
    LARGE_INTEGER Interval = {.QuadPart = -10 * 10000}; /* 10 ms */

    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

static BOOLEAN ExpAcquireResource(PERESOURCE Resource, EXP_ACCESS Access, BOOLEAN Wait)
{
    EXP_RESOURCE_WAITER Waiter = {.Thread = ExGetCurrentResourceThread()};
    BOOLEAN Exclusive = Access == ExpExclusive;
    KLOCK_QUEUE_HANDLE Handle;

    ExpCheckResource(Resource, 0x37);
    for (;;) {
        KeAcquireInStackQueuedSpinLock(&Resource->SpinLock, &Handle);
        BOOLEAN Free = ExpMayHave(Resource, Waiter.Thread, Access);
        if (Exclusive || ExpHasRoom(Resource, Waiter.Thread, Free)) {
            if (!Free && Wait) {
                ExpWaitForGrant(Resource, &Waiter, Exclusive, &Handle);
                return TRUE;
            }
            if (Free)
                ExpGrant(Resource, Waiter.Thread, Exclusive);
            KeReleaseInStackQueuedSpinLock(&Handle);
            return Free;
        }
        ULONG Size = ExpTableSize(Resource);
        KeReleaseInStackQueuedSpinLock(&Handle);
        if (!Free && !Wait)
            return FALSE;
        if (!ExpGrowTable(Resource, Size)) {
            if (!Wait)
                return FALSE;
            ExpPauseForMemory();
        }
    }
}

/* [WDK ExAcquireResourceExclusiveLite] IRQL <= APC_LEVEL, as all that acquire. FALSE: not without waiting. */
BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return ExpAcquireResource(Resource, ExpExclusive, Wait);
}

/* [WDK ExAcquireResourceSharedLite] Not before those who wait for exclusive access, unless the thread has it already. */
BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return ExpAcquireResource(Resource, ExpShared, Wait);
}

/* [WDK ExAcquireSharedStarveExclusive] Before those who wait for exclusive access. */
BOOLEAN NTAPI ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return ExpAcquireResource(Resource, ExpStarveExclusive, Wait);
}

/* [WDK ExAcquireSharedWaitForExclusive] Never before those who wait for exclusive access. */
BOOLEAN NTAPI ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return ExpAcquireResource(Resource, ExpWaitForExclusive, Wait);
}

/* --- releasing --------------------------------------------------------------------------------------------------- */

/* Everybody who waits to share has it: they are moved to *Woken. */
static VOID ExpGrantShared(PERESOURCE Resource, EXP_RESOURCE_WAITER **Woken)
{
    EXP_RESOURCE_WAITER **Ring = ExpRing(Resource, FALSE);

    while (*Ring != NULL) {
        EXP_RESOURCE_WAITER *Waiter = ExpDequeueWaiter(Ring);
        ExpGrant(Resource, Waiter->Thread, FALSE);
        Waiter->Next = *Woken;
        *Woken = Waiter;
    }
    Resource->NumberOfSharedWaiters = 0;
}

/* Nobody has it any more. */
static VOID ExpPassOn(PERESOURCE Resource, BOOLEAN WasExclusive, EXP_RESOURCE_WAITER **Woken)
{
    if (Resource->ExclusiveWaiters == NULL || (WasExclusive && Resource->SharedWaiters != NULL)) {
        ExpGrantShared(Resource, Woken);
        return;
    }
    EXP_RESOURCE_WAITER *Waiter = ExpDequeueWaiter(ExpRing(Resource, TRUE));
    Resource->NumberOfExclusiveWaiters--;
    ExpGrant(Resource, Waiter->Thread, TRUE);
    Waiter->Next = NULL;
    *Woken = Waiter;
}

/* SpinLock not held. A waiter's stack is its own again as soon as its event is set. */
static VOID ExpWake(EXP_RESOURCE_WAITER *Woken)
{
    while (Woken != NULL) {
        EXP_RESOURCE_WAITER *Next = Woken->Next;
        KeSetEvent(&Woken->Granted, EVENT_INCREMENT, FALSE);
        Woken = Next;
    }
}

/* [WDK Bug Check 0xE3] the resource, the thread, the owner table */
static DECLSPEC_NORETURN VOID ExpNotOwner(PERESOURCE Resource, ERESOURCE_THREAD Thread)
{
    KeBugCheckEx(RESOURCE_NOT_OWNED, (ULONG_PTR)Resource, Thread, (ULONG_PTR)Resource->OwnerTable, 3);
}

static VOID ExpReleaseResource(PERESOURCE Resource, ERESOURCE_THREAD Thread)
{
    EXP_RESOURCE_WAITER *Woken = NULL;
    KLOCK_QUEUE_HANDLE Handle;

    KeAcquireInStackQueuedSpinLock(&Resource->SpinLock, &Handle);
    POWNER_ENTRY Entry = Thread != 0 ? ExpFindOwner(Resource, Thread) : NULL;
    if (Entry == NULL)
        ExpNotOwner(Resource, Thread);
    if (--Entry->OwnerCount == 0) {
        BOOLEAN WasExclusive = ExpIsExclusive(Resource);
        ExpDropEntry(Resource, Entry);
        Resource->Flag &= (USHORT)~ResourceOwnedExclusive;
        if (Resource->ActiveEntries == 0)
            ExpPassOn(Resource, WasExclusive, &Woken);
    }
    KeReleaseInStackQueuedSpinLock(&Handle);
    ExpWake(Woken);
}

/* [WDK ExReleaseResourceLite] IRQL <= DISPATCH_LEVEL; by the thread that acquired it. */
VOID FASTCALL ExReleaseResourceLite(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpCheckResource(Resource, 0x38);
    ExpReleaseResource(Resource, ExGetCurrentResourceThread());
}

/* [WDK ExReleaseResourceForThreadLite] By anybody; the thread that acquired it, or its owner pointer, is named. */
VOID NTAPI ExReleaseResourceForThreadLite(PERESOURCE Resource, ERESOURCE_THREAD ResourceThreadId)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireResource(Resource);
    ExpReleaseResource(Resource, ResourceThreadId);
}

/* [WDK ExConvertExclusiveToSharedLite] The caller has it alone; it and all who wait to share it do so afterwards. */
VOID NTAPI ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
    EXP_RESOURCE_WAITER *Woken = NULL;
    KLOCK_QUEUE_HANDLE Handle;

    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireResource(Resource);
    KeAcquireInStackQueuedSpinLock(&Resource->SpinLock, &Handle);
    if (!ExpIsExclusive(Resource))
        ExpNotOwner(Resource, ExGetCurrentResourceThread());
    Resource->Flag &= (USHORT)~ResourceOwnedExclusive;
    ExpGrantShared(Resource, &Woken);
    KeReleaseInStackQueuedSpinLock(&Handle);
    ExpWake(Woken);
}

/* [WDK ExSetResourceOwnerPointer] What the caller's thread has belongs to OwnerPointer from now on, which has its two lowest
 * bits set; whoever names it may release. What the pointer had before is added. */
static VOID ExpGiveToPointer(PERESOURCE Resource, ERESOURCE_THREAD Pointer)
{
    ERESOURCE_THREAD Thread = ExGetCurrentResourceThread();
    KLOCK_QUEUE_HANDLE Handle;

    KeAcquireInStackQueuedSpinLock(&Resource->SpinLock, &Handle);
    POWNER_ENTRY Mine = ExpFindOwner(Resource, Thread), Other = ExpFindOwner(Resource, Pointer);
    if (Mine == NULL)
        ExpNotOwner(Resource, Thread);
    if (Other != NULL) {
        Other->OwnerCount += Mine->OwnerCount;
        ExpDropEntry(Resource, Mine);
    } else {
        Mine->OwnerThread = Pointer;
    }
    KeReleaseInStackQueuedSpinLock(&Handle);
}

VOID NTAPI ExSetResourceOwnerPointer(PERESOURCE Resource, PVOID OwnerPointer)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireResource(Resource);
    ExpGiveToPointer(Resource, (ERESOURCE_THREAD)OwnerPointer);
}

/* [WDK ExSetResourceOwnerPointerEx] With FLAG_OWNER_POINTER_IS_THREAD the pointer, without its two lowest bits, is a thread.
 * Both kinds of owner are only compared here. */
VOID NTAPI ExSetResourceOwnerPointerEx(PERESOURCE Resource, PVOID OwnerPointer, ULONG Flags)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireResource(Resource);
    ExpGiveToPointer(Resource, (ERESOURCE_THREAD)OwnerPointer);
}

/* --- with a critical region ---------------------------------------------------------------------------------------- */

/* [WDK ExEnterCriticalRegionAndAcquireResourceExclusive] returns the thread's Win32 thread, which a system thread has not. */
PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KeEnterCriticalRegion();
    ExpAcquireResource(Resource, ExpExclusive, TRUE);
    return NULL;
}

PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KeEnterCriticalRegion();
    ExpAcquireResource(Resource, ExpShared, TRUE);
    return NULL;
}

PVOID NTAPI ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KeEnterCriticalRegion();
    ExpAcquireResource(Resource, ExpWaitForExclusive, TRUE);
    return NULL;
}

VOID FASTCALL ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    ExpRequireResource(Resource);
    ExpReleaseResource(Resource, ExGetCurrentResourceThread());
    KeLeaveCriticalRegion();
}

/* --- life and looks --------------------------------------------------------------------------------------------------- */

static VOID ExpInitializeResource(PERESOURCE Resource)
{
    RtlZeroMemory(Resource, sizeof(*Resource));
    InitializeListHead(&Resource->SystemResourcesList);
    KeInitializeSpinLock(&Resource->SpinLock);
    ExpMarkResource(Resource, TRUE);
}

/* [WDK ExInitializeResourceLite] Storage is the caller's, nonpaged and 8-byte aligned. [WDK Bug Check 0xC4] 0xD0: once. */
NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (NTBOX_CHECKED && !KeChecksOff && ExpIsResource(Resource))
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xd0, (ULONG_PTR)Resource, 0, 0,
                          "an ERESOURCE is initialized again without having been deleted");
    ExpInitializeResource(Resource);
    return STATUS_SUCCESS;
}

/* [WDK ExReinitializeResourceLite] As if deleted and initialized, without giving memory back. */
NTSTATUS NTAPI ExReinitializeResourceLite(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireResource(Resource);
    POWNER_ENTRY Table = Resource->OwnerTable;
    ULONG Size = ExpTableSize(Resource);

    ExpInitializeResource(Resource);
    if (Table != NULL) {
        RtlZeroMemory(Table, Size * sizeof(*Table));
        Table[0].TableSize = Size;
        Resource->OwnerTable = Table;
    }
    return STATUS_SUCCESS;
}

static VOID ExpCheckDelete(const ERESOURCE *Resource)
{
    if (!NTBOX_CHECKED || KeChecksOff)
        return;
    if (!ExpIsResource(Resource))
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xd1, (ULONG_PTR)Resource, 0, 0,
                          "an ERESOURCE is deleted that is not initialized, or deleted already");
    if (Resource->ActiveEntries != 0 || Resource->SharedWaiters != NULL || Resource->ExclusiveWaiters != NULL)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_RESOURCE, (ULONG_PTR)Resource, 0,
                          0, "an ERESOURCE is deleted that a thread has or waits for");
}

/* [WDK ExDeleteResourceLite] Before its memory is freed. [WDK Bug Check 0xC4] 0xD1: it is none. */
NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpCheckDelete(Resource);
    ExpMarkResource(Resource, FALSE);
    if (Resource->OwnerTable != NULL)
        ExFreePoolWithTag(Resource->OwnerTable, EXP_RESOURCE_TAG);
    Resource->OwnerTable = NULL;
    return STATUS_SUCCESS;
}

/* [WDK ExIsResourceAcquiredExclusiveLite] by the calling thread. */
BOOLEAN NTAPI ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireResource(Resource);
    KLOCK_QUEUE_HANDLE Handle;

    KeAcquireInStackQueuedSpinLock(&Resource->SpinLock, &Handle);
    BOOLEAN Mine =
        ExpIsExclusive(Resource) && Resource->OwnerEntry.OwnerThread == ExGetCurrentResourceThread();
    KeReleaseInStackQueuedSpinLock(&Handle);
    return Mine;
}

/* [WDK ExIsResourceAcquiredSharedLite] How often the calling thread has it, in either way. */
ULONG NTAPI ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireResource(Resource);
    KLOCK_QUEUE_HANDLE Handle;

    KeAcquireInStackQueuedSpinLock(&Resource->SpinLock, &Handle);
    POWNER_ENTRY Entry = ExpFindOwner(Resource, ExGetCurrentResourceThread());
    ULONG Count = Entry != NULL ? Entry->OwnerCount : 0;
    KeReleaseInStackQueuedSpinLock(&Handle);
    return Count;
}

ULONG NTAPI ExGetExclusiveWaiterCount(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireResource(Resource);
    return __atomic_load_n(&Resource->NumberOfExclusiveWaiters, __ATOMIC_RELAXED);
}

ULONG NTAPI ExGetSharedWaiterCount(PERESOURCE Resource)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    ExpRequireResource(Resource);
    return __atomic_load_n(&Resource->NumberOfSharedWaiters, __ATOMIC_RELAXED);
}

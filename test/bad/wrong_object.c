/* SPDX-License-Identifier: MIT
 * Gives the kernel core the wrong object, argument or lock, or breaks a rule that nothing would show for a while; the I/O control code
 * says which. [WDK Bug Check 0xC4], [WDK KeWaitForMultipleObjects], [WDK Bug Check 0x96], [WDK Introduction to ERESOURCE routines] */
#define DEVICE_NAME L"\\Device\\NtboxObject"
#include "rules.h"

#define TAG 0x6F6E7257u /* "Wrno" */

static KEVENT Event, Never, Zeroed;
static KSEMAPHORE Semaphore;
static KQUEUE Queue;
static LIST_ENTRY Entry;
static KSPIN_LOCK Lock;
static EX_SPIN_LOCK SharedLock;
static ERESOURCE Resource;
static KAPC Apc;
static KDPC Dpc;
static KDEVICE_QUEUE DeviceQueue;

static VOID WaitForVerdict(VOID)
{
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

/* --- objects of the wrong kind */

BREAKS SetThread(VOID)
{
    KeSetEvent((PKEVENT)KeGetCurrentThread(), IO_NO_INCREMENT, FALSE);
}

BREAKS SetZeroed(VOID)
{
    KeSetEvent(&Zeroed, IO_NO_INCREMENT, FALSE);
}

BREAKS SetFreed(VOID)
{
    PKEVENT Freed = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Freed), TAG);
    if (Freed == NULL)
        return;
    KeInitializeEvent(Freed, NotificationEvent, FALSE);
    ExFreePoolWithTag(Freed, TAG);
    KeSetEvent(Freed, IO_NO_INCREMENT, FALSE);
}

BREAKS ResetSemaphore(VOID)
{
    KeResetEvent((PKEVENT)&Semaphore);
}

BREAKS ReleaseEvent(VOID)
{
    KeReleaseSemaphore((PKSEMAPHORE)&Event, IO_NO_INCREMENT, 1, FALSE);
}

BREAKS ReleaseEventAsMutex(VOID)
{
    KeReleaseMutex((PKMUTEX)&Event, FALSE);
}

BREAKS WaitForQueue(VOID)
{
    KeWaitForSingleObject(&Queue, Executive, KernelMode, FALSE, NULL);
}

BREAKS WaitForZeroed(VOID)
{
    PVOID Objects[] = {&Event, &Zeroed};
    KeWaitForMultipleObjects(2, Objects, WaitAll, Executive, KernelMode, FALSE, NULL, NULL);
}

BREAKS InsertIntoEvent(VOID)
{
    KeInsertQueue((PKQUEUE)&Event, &Entry);
}

BREAKS InsertTwice(VOID)
{
    KeInsertQueue(&Queue, &Entry);
    KeInsertQueue(&Queue, &Entry);
}

BREAKS InsertZeroedApc(VOID)
{
    KeInsertQueueApc(&Apc, NULL, NULL, 0);
}

BREAKS RaiseEvent(VOID)
{
    KeSetPriorityThread((PKTHREAD)&Event, 10);
}

BREAKS InsertIntoZeroed(VOID)
{
    static KDEVICE_QUEUE_ENTRY Packet;
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    KeInsertDeviceQueue(&DeviceQueue, &Packet);
    KeLowerIrql(Old);
}

BREAKS DisconnectEvent(VOID)
{
    IoDisconnectInterrupt((PKINTERRUPT)&Event);
}

/* --- arguments that the documentation does not have */

BREAKS WaitType(VOID)
{
    PVOID Objects[] = {&Event, &Never};
    KeWaitForMultipleObjects(2, Objects, (WAIT_TYPE)7, Executive, KernelMode, FALSE, NULL, NULL);
}

BREAKS WaitForNothing(VOID)
{
    PVOID Objects[] = {&Event};
    KeWaitForMultipleObjects(0, Objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
}

BREAKS WaitForFour(VOID)
{
    PVOID Objects[] = {&Never, &Never, &Never, &Never};
    KeWaitForMultipleObjects(4, Objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
}

BREAKS WaitMode(VOID)
{
    KeWaitForSingleObject(&Never, Executive, 5, TRUE, NULL);
}

BREAKS AlertMode(VOID)
{
    KeAlertThread(KeGetCurrentThread(), 100);
}

static VOID NTAPI KernelRoutine(PKAPC One, PKNORMAL_ROUTINE *Routine, PVOID *Context, PVOID *Two,
                                PVOID *Three)
{
    UNREFERENCED_PARAMETER(One);
    UNREFERENCED_PARAMETER(Routine);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Two);
    UNREFERENCED_PARAMETER(Three);
}

static VOID NTAPI EndInApc(PVOID Context, PVOID One, PVOID Two)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(One);
    UNREFERENCED_PARAMETER(Two);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

BREAKS ApcEnvironment(VOID)
{
    KeInitializeApc(&Apc, KeGetCurrentThread(), (KAPC_ENVIRONMENT)9, KernelRoutine, NULL, EndInApc,
                    KernelMode, NULL);
}

BREAKS ApcMode(VOID)
{
    KeInitializeApc(&Apc, KeGetCurrentThread(), OriginalApcEnvironment, KernelRoutine, NULL, EndInApc, 77,
                    NULL);
}

BREAKS SemaphoreLimit(VOID)
{
    KeInitializeSemaphore(&Semaphore, 0, 0);
}

BREAKS EventType(VOID)
{
    KeInitializeEvent(&Event, (EVENT_TYPE)9, FALSE);
}

BREAKS Priority(VOID)
{
    KeSetPriorityThread(KeGetCurrentThread(), 32);
}

/* --- locks that are released as what they are not */

BREAKS QueuedAsOrdinary(VOID)
{
    KLOCK_QUEUE_HANDLE Handle;
    KeAcquireInStackQueuedSpinLock(&Lock, &Handle);
    KeReleaseSpinLock(&Lock, Handle.OldIrql);
}

BREAKS SharedAsExclusive(VOID)
{
    KIRQL Old = ExAcquireSpinLockShared(&SharedLock);
    ExReleaseSpinLockExclusive(&SharedLock, Old);
}

BREAKS ExclusiveAsShared(VOID)
{
    KIRQL Old = ExAcquireSpinLockExclusive(&SharedLock);
    ExReleaseSpinLockShared(&SharedLock, Old);
}

/* --- resources */

BREAKS ResourceTwice(VOID)
{
    ExInitializeResourceLite(&Resource);
    ExInitializeResourceLite(&Resource);
}

BREAKS ResourceDeletedTwice(VOID)
{
    ExInitializeResourceLite(&Resource);
    ExDeleteResourceLite(&Resource);
    ExDeleteResourceLite(&Resource);
}

BREAKS ResourceFreed(VOID)
{
    PERESOURCE Freed = ExAllocatePoolWithTag(NonPagedPoolNx, 3 * sizeof(*Freed), TAG);
    if (Freed == NULL)
        return;
    ExInitializeResourceLite(Freed + 1);
    ExFreePoolWithTag(Freed, TAG);
}

BREAKS ResourceDeletedOwned(VOID)
{
    ExInitializeResourceLite(&Resource);
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Resource, TRUE);
    ExDeleteResourceLite(&Resource);
}

BREAKS ResourceUninitialized(VOID)
{
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&Resource, TRUE);
}

/* --- threads of somebody else */

BREAKS AffinityLeft(VOID)
{
    KeSetSystemAffinityThread(1);
}

BREAKS EndInDispatch(VOID)
{
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI EndInWorkItem(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

BREAKS EndWorker(VOID)
{
    static WORK_QUEUE_ITEM Item;
    ExInitializeWorkItem(&Item, EndInWorkItem, NULL);
    ExQueueWorkItem(&Item, DelayedWorkQueue);
    WaitForVerdict();
}

BREAKS EndApc(VOID)
{
    KeInitializeApc(&Apc, KeGetCurrentThread(), OriginalApcEnvironment, KernelRoutine, NULL, EndInApc,
                    KernelMode, NULL);
    KeInsertQueueApc(&Apc, NULL, NULL, 0);
    WaitForVerdict();
}

static VOID NTAPI WaitInDpc(PKDPC One, PVOID Context, PVOID Two, PVOID Three)
{
    UNREFERENCED_PARAMETER(One);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Two);
    UNREFERENCED_PARAMETER(Three);
    KeLowerIrql(PASSIVE_LEVEL);
    WaitForVerdict();
}

BREAKS WaitInDpcRoutine(VOID)
{
    KeInitializeDpc(&Dpc, WaitInDpc, NULL);
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    WaitForVerdict();
}

static VOID NTAPI EndWithMutex(PVOID Context)
{
    static KMUTEX Mutex;
    UNREFERENCED_PARAMETER(Context);
    KeInitializeMutex(&Mutex, 0);
    KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

BREAKS MutexLeft(VOID)
{
    HANDLE Thread;
    if (NT_SUCCESS(PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, EndWithMutex, NULL)))
        WaitForVerdict();
}

static VOID (*const Rules[])(VOID) = {
    SetThread,
    SetZeroed,
    SetFreed,
    ResetSemaphore,
    ReleaseEvent,
    ReleaseEventAsMutex,
    WaitForQueue,
    WaitForZeroed,
    InsertIntoEvent,
    InsertTwice,
    InsertZeroedApc,
    RaiseEvent,
    InsertIntoZeroed,
    DisconnectEvent,
    WaitType,
    WaitForNothing,
    WaitForFour,
    WaitMode,
    AlertMode,
    ApcEnvironment,
    ApcMode,
    SemaphoreLimit,
    EventType,
    Priority,
    QueuedAsOrdinary,
    SharedAsExclusive,
    ExclusiveAsShared,
    ResourceTwice,
    ResourceDeletedTwice,
    ResourceFreed,
    ResourceDeletedOwned,
    ResourceUninitialized,
    AffinityLeft,
    EndInDispatch,
    EndWorker,
    EndApc,
    WaitInDpcRoutine,
    MutexLeft,
};

static VOID Prepare(VOID)
{
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    KeInitializeSemaphore(&Semaphore, 0, 1);
    KeInitializeQueue(&Queue, 1);
    KeInitializeSpinLock(&Lock);
}

RULES(Rules, Prepare())

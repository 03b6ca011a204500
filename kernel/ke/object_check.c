/* SPDX-License-Identifier: MIT
 * Checked kernel: what a driver passes as a dispatcher object, an APC or a device queue is one. Type and size never change while an
 * object lives, and its list links are always kernel addresses: all of it is read without the object's lock. */
#include "ki.h"
#include "ke_bugcheck.h"
#include "ke_checks.h"
#include "crt.h"

#if NTBOX_CHECKED

/* What stands in Header.Size, in units of 4 bytes; 0: not looked at. */
static const struct {
    PCSTR Name;
    UCHAR Size;
} KiKinds[KI_KINDS] = {
    [EventNotificationObject] = {"a notification event", sizeof(KEVENT) / 4},
    [EventSynchronizationObject] = {"a synchronization event", sizeof(KEVENT) / 4},
    [MutantObject] = {"a mutex", sizeof(KMUTANT) / 4},
    [ProcessObject] = {"a process", 0},
    [QueueObject] = {"a queue", sizeof(KQUEUE) / 4},
    [SemaphoreObject] = {"a semaphore", sizeof(KSEMAPHORE) / 4},
    [ThreadObject] = {"a thread", 0},
    [TimerNotificationObject] = {"a notification timer", 0},
    [TimerSynchronizationObject] = {"a synchronization timer", 0},
    [ApcObject] = {"an APC", 0},
    [DpcObject] = {"a DPC", 0},
    [KI_DEVICE_QUEUE_OBJECT] = {"a device queue", 0},
    [InterruptObject] = {"an interrupt object", 0},
    [ThreadedDpcObject] = {"a threaded DPC", 0},
};

static BOOLEAN KiIsLink(const LIST_ENTRY *Link)
{
    return (ULONG64)Link >= (ULONG64)MmSystemRangeStart && ((ULONG64)Link & 7) == 0;
}

static BOOLEAN KiIsDispatcherObject(const DISPATCHER_HEADER *Header)
{
    UCHAR Type = KiObjectType(Header);

    return Type < KI_KINDS && KiKinds[Type].Name != NULL &&
           (KiKinds[Type].Size == 0 || KiKinds[Type].Size == Header->Size) &&
           KiIsLink(Header->WaitListHead.Flink) && KiIsLink(Header->WaitListHead.Blink);
}

/* In words, for memory that is no object of the kind that is needed. */
static PCSTR KiDescribe(const VOID *Object, BOOLEAN Dispatcher)
{
    const ULONG64 *Words = Object;
    UCHAR Type = *(const UCHAR *)Object;

    if (Words[0] == 0 && Words[1] == 0)
        return "zeroed memory: it was not initialized";
    if (Words[1] == KE_FREED_POOL_WORD || Words[2] == KE_FREED_POOL_WORD)
        return "memory that was freed";
    if (Dispatcher && KiIsDispatcherObject(Object))
        return KiKinds[KiObjectType(Object)].Name;
    if (!Dispatcher && Type < KI_KINDS && KiKinds[Type].Name != NULL)
        return KiKinds[Type].Name;
    return "no object: it was not initialized, or overwritten";
}

static DECLSPEC_NORETURN VOID KiObjectViolation(const VOID *Object, BOOLEAN Dispatcher, PCSTR Wanted,
                                                PCSTR Function)
{
    CHAR Text[192];

    _snprintf(Text, sizeof(Text), "%s needs %s; %p is %s", Function, Wanted, Object,
              KiDescribe(Object, Dispatcher));
    KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_OBJECT, (ULONG_PTR)Object,
                      (ULONG_PTR) * (const ULONG64 *)Object, 0, Text);
}

/* The IRQL is that of the operation, so that memory that is not there is the same fault in both kernels. */
VOID KiCheckObject(const VOID *Object, ULONG Kinds, PCSTR Wanted, PCSTR Function)
{
    const DISPATCHER_HEADER *Header = Object;
    KIRQL OldIrql = ArchGetIrql();

    if (KeChecksOff)
        return;
    if (OldIrql < DISPATCH_LEVEL)
        ArchSetIrql(DISPATCH_LEVEL);
    if (!KiIsDispatcherObject(Header) || (Kinds & (1u << KiObjectType(Header))) == 0)
        KiObjectViolation(Object, TRUE, Wanted, Function);
    if (OldIrql < DISPATCH_LEVEL)
        ArchSetIrql(OldIrql);
}

VOID KiCheckTyped(const VOID *Object, UCHAR Type, PCSTR Function)
{
    if (!KeChecksOff && *(const UCHAR *)Object != Type)
        KiObjectViolation(Object, FALSE, KiKinds[Type].Name, Function);
}

#endif

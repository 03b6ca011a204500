/* SPDX-License-Identifier: MIT
 * Non-maskable interrupts: the freeze of a bug check, or something from outside that drivers may have asked to be told of. The list is
 * read by an NMI at any moment, also in the middle of a change of it: it changes by one store.
 * [WDK KeRegisterNmiCallback] */
#include "ki.h"

#define KI_NMI_CALLBACKS 32

typedef struct _KI_NMI_CALLBACK {
    struct _KI_NMI_CALLBACK *Next; /* the one registered before */
    PNMI_CALLBACK Routine;         /* NULL: the slot is free */
    PVOID Context;
} KI_NMI_CALLBACK;

static ARCH_LOCK KiNmiLock = ARCH_LOCK_INIT("NMI callbacks", LockRankKeInterrupt, DISPATCH_LEVEL);
static KI_NMI_CALLBACK KiNmiCallbacks[KI_NMI_CALLBACKS]; /* KiNmiLock */
static KI_NMI_CALLBACK *KiNmiFirst;                      /* written under KiNmiLock, read by NMIs */
static volatile LONG KiNmiReaders;                       /* processors that walk the list now */

static BOOLEAN KiCallNmiCallback(const KI_NMI_CALLBACK *Callback, BOOLEAN Handled)
{
    KE_GATE Gate;

    KeEnterGate(&Gate, GateNmi, (PVOID)Callback->Routine);
    BOOLEAN Mine = Callback->Routine(Callback->Context, Handled);
    KeLeaveGate(&Gate);
    return Mine;
}

/* The latest first; each is told whether one before it returned TRUE. The gates of the thread lie on another stack than ours, so that their
 * order cannot be told by addresses: its own are put back. */
static BOOLEAN KiOfferNmi(VOID)
{
    PKTHREAD Thread = KiCurrentThread();
    KE_GATE *Gate = Thread->Gate;
    PVOID GateRoutine = Thread->GateRoutine;
    BOOLEAN Handled = FALSE;

    Thread->Gate = NULL;
    InterlockedIncrement(&KiNmiReaders);
    for (KI_NMI_CALLBACK *At = __atomic_load_n(&KiNmiFirst, __ATOMIC_ACQUIRE); At != NULL;
         At = __atomic_load_n(&At->Next, __ATOMIC_ACQUIRE))
        Handled |= KiCallNmiCallback(At, Handled);
    InterlockedDecrement(&KiNmiReaders);
    Thread->Gate = Gate;
    Thread->GateRoutine = GateRoutine;
    return Handled;
}

/* [WDK bug check 0x80] An NMI that is no freeze and that no driver handled came from outside. */
VOID KiNmi(ARCH_TRAP_FRAME *Frame)
{
    CONTEXT Context;

    if (!KiIsFreezeActive()) {
        ArchSetIrql(HIGH_LEVEL);
        BOOLEAN Handled = KiOfferNmi();
        ArchSetIrql((KIRQL)Frame->Irql);
        if (Handled)
            return;
    }
    ArchContextFromTrapFrame(Frame, &Context);
    if (KiIsFreezeActive())
        KiStayFrozen(&Context, (KIRQL)Frame->Irql);
    KiBugCheck(NMI_HARDWARE_FAILURE, 0, 0, 0, 0, &Context, "a non-maskable interrupt was injected");
}

/* IRQL <= APC_LEVEL. NULL: there are 32 already. The routine runs at HIGH_LEVEL on the processor that took the NMI. [WDK
 * KeRegisterNmiCallback] */
PVOID NTAPI KeRegisterNmiCallback(PNMI_CALLBACK CallbackRoutine, PVOID Context)
{
    KI_NMI_CALLBACK *Free = NULL;

    KI_REQUIRE_IRQL(APC_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&KiNmiLock);
    for (ULONG i = 0; i < KI_NMI_CALLBACKS && Free == NULL; i++)
        if (KiNmiCallbacks[i].Routine == NULL)
            Free = &KiNmiCallbacks[i];
    if (Free != NULL) {
        *Free = (KI_NMI_CALLBACK){.Next = KiNmiFirst, .Routine = CallbackRoutine, .Context = Context};
        __atomic_store_n(&KiNmiFirst, Free, __ATOMIC_RELEASE);
    }
    ArchReleaseLock(&KiNmiLock, OldIrql);
    return Free;
}

/* Takes the callback out of the list; FALSE: it is not in it. */
static BOOLEAN KiUnlinkNmiCallback(KI_NMI_CALLBACK *Callback)
{
    for (KI_NMI_CALLBACK **Link = &KiNmiFirst; *Link != NULL; Link = &(*Link)->Next)
        if (*Link == Callback) {
            __atomic_store_n(Link, Callback->Next, __ATOMIC_SEQ_CST);
            return TRUE;
        }
    return FALSE;
}

/* KiNmiLock held. When it returns no processor runs the routine any more: an NMI takes microseconds, and none can be waited for. */
static BOOLEAN KiTakeNmiCallback(KI_NMI_CALLBACK *Callback)
{
    BOOLEAN Found = KiUnlinkNmiCallback(Callback);
    while (Found && __atomic_load_n(&KiNmiReaders, __ATOMIC_SEQ_CST) != 0)
        __builtin_ia32_pause();
    if (Found)
        Callback->Routine = NULL;
    return Found;
}

ULONG KiTakeNmiCallbacks(const void *Base, SIZE_T Size)
{
    KIRQL OldIrql = ArchAcquireLock(&KiNmiLock);
    ULONG Count = 0;
    for (ULONG i = 0; i < KI_NMI_CALLBACKS; i++)
        if (KiNmiCallbacks[i].Routine != NULL &&
            (ULONG_PTR)KiNmiCallbacks[i].Routine - (ULONG_PTR)Base < Size)
            Count += KiTakeNmiCallback(&KiNmiCallbacks[i]);
    ArchReleaseLock(&KiNmiLock, OldIrql);
    return Count;
}

/* IRQL <= APC_LEVEL. When it returns no processor runs the routine any more. [WDK KeDeregisterNmiCallback] */
NTSTATUS NTAPI KeDeregisterNmiCallback(PVOID Handle)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KIRQL OldIrql = ArchAcquireLock(&KiNmiLock);
    BOOLEAN Found = KiTakeNmiCallback(Handle);
    ArchReleaseLock(&KiNmiLock, OldIrql);
    return Found ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

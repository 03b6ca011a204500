/* SPDX-License-Identifier: MIT
 * A DPC on every processor at once: KeGenericCallDpc. No kit documents it; what it does is what drivers that call it rely on: the routine runs
 * at DISPATCH_LEVEL on each processor, says by its first system argument that it is done and can meet the others at a barrier by the second.
 * The caller waits until all are done. One call at a time: two of them would each keep some processors from the other's barrier. */
#include "ki.h"
#include "ke_bugcheck.h"

#define KI_BARRIER_SENSE 0x80000000u

/* What the system arguments point to, as drivers know it. */
typedef struct _KI_REVERSE_BARRIER {
    volatile ULONG Barrier; /* (a) processors that have not come; the uppermost bit changes when all have */
    ULONG TotalProcessors;  /* (c) */
} KI_REVERSE_BARRIER;
ASSERT_SIZE(KI_REVERSE_BARRIER, 8);

/* (c) the caller, before any routine runs; (a) atomic */
typedef struct _KI_CALL_DPC {
    volatile LONG Missing;        /* (a) processors that have not said that they are done: SystemArgument1 */
    KI_REVERSE_BARRIER Barrier;   /* SystemArgument2 */
    KEVENT Done;                  /* notification: Missing became 0 */
    KDPC Dpcs[KI_MAX_PROCESSORS]; /* in no queue between two calls */
} KI_CALL_DPC;

static KI_CALL_DPC KiCallDpcState;
static KEVENT KiCallDpcFree; /* synchronization: no call is going on */

VOID KiInitializeCallDpc(VOID)
{
    KeInitializeEvent(&KiCallDpcFree, SynchronizationEvent, TRUE);
}

static VOID KiQueueCallDpcs(KI_CALL_DPC *Call, PKDEFERRED_ROUTINE Routine, PVOID Context, const void *Caller)
{
    KIRQL OldIrql = ArchRaiseIrql(DISPATCH_LEVEL); /* nobody else's thread runs here before all are asked */

    for (ULONG i = 0; i < Call->Barrier.TotalProcessors; i++) {
        KeInitializeDpc(&Call->Dpcs[i], Routine, Context);
        KeSetTargetProcessorDpc(&Call->Dpcs[i], (CCHAR)i);
        KeSetImportanceDpc(&Call->Dpcs[i], HighImportance);
        (void)KiInsertDpc(&Call->Dpcs[i], (PVOID)&Call->Missing, &Call->Barrier, Caller);
    }
    ArchSetIrql(OldIrql);
}

/* IRQL <= APC_LEVEL */
DECLSPEC_NOINLINE VOID NTAPI KeGenericCallDpc(PKDEFERRED_ROUTINE Routine, PVOID Context)
{
    KI_CALL_DPC *Call = &KiCallDpcState;

    KI_REQUIRE_IRQL(APC_LEVEL);
    KeEnterGuardedRegion(); /* an APC that calls this too would wait for this very thread */
    KeWaitForSingleObject(&KiCallDpcFree, Executive, KernelMode, FALSE, NULL);
    Call->Barrier.TotalProcessors = KeActiveProcessorCount;
    Call->Barrier.Barrier = KeActiveProcessorCount;
    Call->Missing = (LONG)KeActiveProcessorCount;
    KeInitializeEvent(&Call->Done, NotificationEvent, FALSE);
    KiQueueCallDpcs(Call, Routine, Context, KI_CALLER());
    KeWaitForSingleObject(&Call->Done, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&KiCallDpcFree, IO_NO_INCREMENT, FALSE);
    KeLeaveGuardedRegion();
}

static DECLSPEC_NORETURN VOID KiCallDpcViolation(PVOID Argument, LONG Missing, PCSTR Text)
{
    KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_CALL_DPC, (ULONG_PTR)Argument,
                      (ULONG_PTR)(LONG_PTR)Missing, 0, Text);
}

/* DISPATCH_LEVEL, in the DPC routine. */
VOID NTAPI KeSignalCallDpcDone(PVOID SystemArgument1)
{
    KI_CALL_DPC *Call = &KiCallDpcState;

    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    if (SystemArgument1 != (PVOID)&Call->Missing)
        KiCallDpcViolation(SystemArgument1, 0, "not the first argument of a DPC of KeGenericCallDpc");
    LONG Missing = __atomic_sub_fetch(&Call->Missing, 1, __ATOMIC_ACQ_REL);
    if (Missing < 0)
        KiCallDpcViolation(SystemArgument1, Missing,
                           "a DPC of KeGenericCallDpc was done more often than it ran");
    if (Missing == 0)
        KeSetEvent(&Call->Done, IO_NO_INCREMENT, FALSE);
}

#define KI_BARRIER_SPINS 1000

static BOOLEAN KiIsClosed(const KI_REVERSE_BARRIER *Barrier, ULONG Sense)
{
    return (__atomic_load_n(&Barrier->Barrier, __ATOMIC_ACQUIRE) & KI_BARRIER_SENSE) == Sense;
}

/* A host that has fewer processors than the machine runs the missing one only when this one rests: until the next interrupt, which is a
 * clock's at the latest. CR8 lets that in, and nobody's thread. */
static VOID KiRestAtBarrier(const KI_REVERSE_BARRIER *Barrier, ULONG Sense)
{
    __asm__ volatile("cli" : : : "memory");
    if (KiIsClosed(Barrier, Sense))
        __asm__ volatile("sti; hlt" : : : "memory");
    else
        __asm__ volatile("sti" : : : "memory");
}

/* DISPATCH_LEVEL, in the DPC routine. Returns when all processors are here, to the last one that came TRUE. */
LOGICAL NTAPI KeSignalCallDpcSynchronize(PVOID SystemArgument2)
{
    KI_REVERSE_BARRIER *Barrier = &KiCallDpcState.Barrier;

    KI_REQUIRE_IRQL_IS(DISPATCH_LEVEL);
    if (SystemArgument2 != Barrier)
        KiCallDpcViolation(SystemArgument2, 0, "not the second argument of a DPC of KeGenericCallDpc");
    ULONG Sense = __atomic_load_n(&Barrier->Barrier, __ATOMIC_ACQUIRE) & KI_BARRIER_SENSE;
    if (__atomic_sub_fetch(&Barrier->Barrier, 1, __ATOMIC_ACQ_REL) == Sense) {
        __atomic_store_n(&Barrier->Barrier, Barrier->TotalProcessors | (Sense ^ KI_BARRIER_SENSE),
                         __ATOMIC_RELEASE);
        return TRUE;
    }
    for (ULONG Spins = 0; KiIsClosed(Barrier, Sense); Spins++) {
        if (Spins < KI_BARRIER_SPINS || !ArchInterruptsEnabled())
            __builtin_ia32_pause();
        else
            KiRestAtBarrier(Barrier, Sense);
    }
    return FALSE;
}

/* SPDX-License-Identifier: MIT
 * Interrupt objects: the chain of service routines of each vector. A vector is delivered to one processor, so its chain is
 * walked by one processor at a time, without a lock; who changes the chain waits until a walk that may still see the old one is
 * over. */
#include "ki.h"
#include "ke_bugcheck.h"
#include "rtl.h"

typedef struct _KI_VECTOR {
    PKINTERRUPT First;       /* changed under KiInterruptLock, read by the dispatcher */
    volatile ULONG Sequence; /* odd while the chain is walked; written by the vector's processor only */
    ULONG Unclaimed;         /* interrupts that no routine said were its device's; vector's processor only */
    HAL_LINE Line;           /* KiInterruptLock, while First is not NULL; of a message there is none */
    BOOLEAN Message;         /* the same */
} KI_VECTOR;

static KI_VECTOR KiVectors[KI_DEVICE_VECTOR_END];
static ARCH_LOCK KiInterruptLock = ARCH_LOCK_INIT("Interrupt", LockRankKeInterrupt, DISPATCH_LEVEL);

static BOOLEAN KiCallRoutine(PKINTERRUPT Interrupt)
{
    KE_GATE Gate;

    ArchSetIrql(Interrupt->SynchronizeIrql);
    KeAcquireSpinLockAtDpcLevel(Interrupt->ActualLock);
    KeEnterGate(&Gate, GateIsr, (PVOID)Interrupt->ServiceRoutine);
    BOOLEAN Mine = Interrupt->IsMessage ? ((PKMESSAGE_SERVICE_ROUTINE)(PVOID)Interrupt->ServiceRoutine)(
                                              Interrupt, Interrupt->ServiceContext, Interrupt->MessageId)
                                        : Interrupt->ServiceRoutine(Interrupt, Interrupt->ServiceContext);
    KeLeaveGate(&Gate);
    KeReleaseSpinLockFromDpcLevel(Interrupt->ActualLock);
    ArchSetIrql(Interrupt->Irql);
    return Mine;
}

/* A level stays until its device is served, so the first that claims it is enough: another one interrupts again. An edge that came
 * while the line was up is lost: all are asked, until none has anything. [WDK "Writing an InterruptService routine"] */
static BOOLEAN KiWalkChain(KI_VECTOR *Vector)
{
    BOOLEAN Claimed = FALSE, Again;

    do {
        Again = FALSE;
        for (PKINTERRUPT At = __atomic_load_n(&Vector->First, __ATOMIC_ACQUIRE); At != NULL;
             At = __atomic_load_n(&At->Next, __ATOMIC_ACQUIRE)) {
            if (!KiCallRoutine(At))
                continue;
            if (At->Mode == LevelSensitive)
                return TRUE;
            Claimed = TRUE;
            Again = Vector->First != NULL && Vector->First->Next != NULL; /* alone: one call per edge */
        }
    } while (Again);
    return Claimed;
}

VOID KiDeviceInterrupt(ARCH_TRAP_FRAME *Frame)
{
    KI_VECTOR *Vector = &KiVectors[Frame->Vector];
    BOOLEAN First = Frame->Irql < DISPATCH_LEVEL;

    ArchSetIrql((KIRQL)(Frame->Vector >> 4));
    if (First)
        KiBeginService();
    __asm__ volatile("sti" : : : "memory");
    __atomic_add_fetch(&Vector->Sequence, 1, __ATOMIC_SEQ_CST);
    if (!KiWalkChain(Vector))
        Vector->Unclaimed++;
    __atomic_add_fetch(&Vector->Sequence, 1, __ATOMIC_SEQ_CST);
    __asm__ volatile("cli" : : : "memory");
    HalEndOfInterrupt();
    if (First)
        KiEndService();
    ArchSetIrql((KIRQL)Frame->Irql);
}

VOID KeInitializeInterrupt(PKINTERRUPT Interrupt, const KE_INTERRUPT_PARAMETERS *Parameters)
{
    memset(Interrupt, 0, sizeof(*Interrupt));
    Interrupt->Type = InterruptObject;
    Interrupt->Size = sizeof(*Interrupt);
    Interrupt->ServiceRoutine = Parameters->ServiceRoutine;
    Interrupt->ServiceContext = Parameters->ServiceContext;
    Interrupt->ActualLock = Parameters->SpinLock != NULL ? Parameters->SpinLock : &Interrupt->SpinLock;
    Interrupt->Vector = (UCHAR)Parameters->Vector;
    Interrupt->Irql = Parameters->Irql;
    Interrupt->SynchronizeIrql = Parameters->SynchronizeIrql;
    Interrupt->Mode = Parameters->Mode;
    Interrupt->IsMessage = Parameters->IsMessage;
    Interrupt->MessageId = Parameters->MessageId;
    Interrupt->ShareVector = Parameters->ShareVector;
    Interrupt->PassiveLock = Parameters->PassiveLock;
    Interrupt->PassiveRoutine = Parameters->PassiveRoutine;
    Interrupt->Processor = (ULONG)__builtin_ctzll(Parameters->Processors);
}

static BOOLEAN KiMayShare(const KINTERRUPT *First, const KINTERRUPT *New)
{
    return First->ShareVector && New->ShareVector && First->Mode == New->Mode;
}

/* KiInterruptLock held. The line is opened by the first one, for its processor. */
static BOOLEAN KiConnectLocked(KI_VECTOR *Vector, PKINTERRUPT Interrupt)
{
    PKINTERRUPT *Last = &Vector->First;

    if (Vector->First != NULL && !KiMayShare(Vector->First, Interrupt))
        return FALSE;
    while (*Last != NULL)
        Last = &(*Last)->Next;
    BOOLEAN Alone = Vector->First == NULL;
    __atomic_store_n(Last, Interrupt, __ATOMIC_RELEASE);
    if (Alone && !Vector->Message) {
        Vector->Line.Level = Interrupt->Mode == LevelSensitive;
        HalEnableLine(&Vector->Line, Interrupt->Vector, Interrupt->Processor);
    }
    return TRUE;
}

BOOLEAN KeConnectInterrupt(PKINTERRUPT Interrupt)
{
    KI_VECTOR *Vector = &KiVectors[Interrupt->Vector];
    HAL_LINE Line = {0};
    BOOLEAN Message = HalIsMessage(Interrupt->Vector);

    if (!Message && !HalLineOfVector(Interrupt->Vector, &Line))
        return FALSE;
    KIRQL OldIrql = ArchAcquireLock(&KiInterruptLock);
    if (Vector->First == NULL) {
        Vector->Line = Line;
        Vector->Message = Message;
    }
    BOOLEAN Connected = KiConnectLocked(Vector, Interrupt);
    ArchReleaseLock(&KiInterruptLock, OldIrql);
    return Connected;
}

static DECLSPEC_NORETURN VOID KiNotConnected(PKINTERRUPT Interrupt)
{
    KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_OBJECT, (ULONG_PTR)Interrupt,
                      *(const ULONG_PTR *)Interrupt, 0,
                      "what is disconnected is no connected interrupt object");
}

/* The removed one keeps its Next: a walk that stands on it goes on from there. */
static VOID KiDisconnectLocked(KI_VECTOR *Vector, PKINTERRUPT Interrupt)
{
    PKINTERRUPT *At = &Vector->First;

    while (*At != NULL && *At != Interrupt)
        At = &(*At)->Next;
    if (*At == NULL)
        KiNotConnected(Interrupt);
    if (At == &Vector->First && Interrupt->Next == NULL && !Vector->Message)
        HalDisableLine(&Vector->Line);
    __atomic_store_n(At, Interrupt->Next, __ATOMIC_SEQ_CST);
}

VOID KeDisconnectInterrupt(PKINTERRUPT Interrupt)
{
    KI_VECTOR *Vector = &KiVectors[Interrupt->Vector];

    KI_REQUIRE_IRQL_IS(PASSIVE_LEVEL); /* so that no walk is interrupted by us */
    if (Interrupt->Type != InterruptObject || Interrupt->Vector >= KI_DEVICE_VECTOR_END)
        KiNotConnected(Interrupt);
    KIRQL OldIrql = ArchAcquireLock(&KiInterruptLock);
    KiDisconnectLocked(Vector, Interrupt);
    ArchReleaseLock(&KiInterruptLock, OldIrql);
    ULONG Sequence = __atomic_load_n(&Vector->Sequence, __ATOMIC_SEQ_CST);
    while ((Sequence & 1) != 0 && __atomic_load_n(&Vector->Sequence, __ATOMIC_SEQ_CST) == Sequence)
        __builtin_ia32_pause();
}

/* Who disconnects the last one masks the line too; a walk that is late masks it for whoever comes next, until its own unmasking. */
VOID KeMaskInterrupt(const KINTERRUPT *Interrupt)
{
    if (Interrupt->Mode == LevelSensitive && !Interrupt->IsMessage)
        HalDisableLine(&KiVectors[Interrupt->Vector].Line);
}

VOID KeUnmaskInterrupt(const KINTERRUPT *Interrupt)
{
    KI_VECTOR *Vector = &KiVectors[Interrupt->Vector];

    KIRQL OldIrql = ArchAcquireLock(&KiInterruptLock);
    if (Interrupt->Mode == LevelSensitive && Vector->First != NULL && !Vector->Message)
        HalEnableLine(&Vector->Line, Interrupt->Vector, Vector->First->Processor);
    ArchReleaseLock(&KiInterruptLock, OldIrql);
}

/* [WDK "Using Passive-Level Interrupt Service Routines"] an event instead of the spin lock. PASSIVE_LEVEL. */
static BOOLEAN KiSynchronizePassive(PKINTERRUPT Interrupt, PKSYNCHRONIZE_ROUTINE SynchronizeRoutine,
                                    PVOID SynchronizeContext)
{
    KE_GATE Gate;

    KI_REQUIRE_IRQL_OF("KeSynchronizeExecution", PASSIVE_LEVEL);
    KeEnterCriticalRegion();
    KeWaitForSingleObject(Interrupt->PassiveLock, Executive, KernelMode, FALSE, NULL);
    KeEnterGate(&Gate, GateSynchronize, (PVOID)SynchronizeRoutine);
    BOOLEAN Result = SynchronizeRoutine(SynchronizeContext);
    KeLeaveGate(&Gate);
    KeSetEvent(Interrupt->PassiveLock, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
    return Result;
}

/* [WDK "Using Passive-Level Interrupt Service Routines"] such an interrupt has no spin lock: a bug check. */
static VOID KiRequireSpinLock(PKINTERRUPT Interrupt)
{
    if (Interrupt->PassiveLock != NULL)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_OBJECT, (ULONG_PTR)Interrupt,
                          *(const ULONG_PTR *)Interrupt, 0,
                          "an interrupt whose routine runs at PASSIVE_LEVEL has no spin lock");
}

/* [WDK KeSynchronizeExecution] IRQL <= DIRQL. The routine runs at SynchronizeIrql with the interrupt spin lock held; its result. */
BOOLEAN NTAPI KeSynchronizeExecution(PKINTERRUPT Interrupt, PKSYNCHRONIZE_ROUTINE SynchronizeRoutine,
                                     PVOID SynchronizeContext)
{
    KE_GATE Gate;

    KI_REQUIRE_TYPE(Interrupt, InterruptObject);
    if (Interrupt->PassiveLock != NULL)
        return KiSynchronizePassive(Interrupt, SynchronizeRoutine, SynchronizeContext);
    KIRQL OldIrql = KeAcquireInterruptSpinLock(Interrupt);
    KeEnterGate(&Gate, GateSynchronize, (PVOID)SynchronizeRoutine);
    BOOLEAN Result = SynchronizeRoutine(SynchronizeContext);
    KeLeaveGate(&Gate);
    KeReleaseInterruptSpinLock(Interrupt, OldIrql);
    return Result;
}

/* [WDK KeAcquireInterruptSpinLock] IRQL <= DIRQL; raises to SynchronizeIrql and returns the old IRQL. */
KIRQL NTAPI KeAcquireInterruptSpinLock(PKINTERRUPT Interrupt)
{
    KI_REQUIRE_IRQL(Interrupt->SynchronizeIrql);
    KI_REQUIRE_TYPE(Interrupt, InterruptObject);
    KiRequireSpinLock(Interrupt);
    KIRQL OldIrql = ArchRaiseIrql(Interrupt->SynchronizeIrql);
    KeAcquireSpinLockAtDpcLevel(Interrupt->ActualLock);
    return OldIrql;
}

/* [WDK KeReleaseInterruptSpinLock] at SynchronizeIrql. */
VOID NTAPI KeReleaseInterruptSpinLock(PKINTERRUPT Interrupt, KIRQL OldIrql)
{
    KI_REQUIRE_IRQL_IS(Interrupt->SynchronizeIrql);
    KeReleaseSpinLockFromDpcLevel(Interrupt->ActualLock);
    ArchSetIrql(OldIrql);
}

/* Of the driver. */
static PKSERVICE_ROUTINE KiRoutineOf(const KINTERRUPT *Interrupt)
{
    return Interrupt->PassiveRoutine != NULL ? Interrupt->PassiveRoutine : Interrupt->ServiceRoutine;
}

static PKINTERRUPT KiFindInterruptOf(const void *Base, SIZE_T Size)
{
    for (ULONG i = KI_FIRST_DEVICE_VECTOR; i < KI_DEVICE_VECTOR_END; i++)
        for (PKINTERRUPT At = KiVectors[i].First; At != NULL; At = At->Next)
            if ((ULONG_PTR)KiRoutineOf(At) - (ULONG_PTR)Base < Size)
                return At;
    return NULL;
}

ULONG KeReportDriverInterrupts(PCSTR Driver, const void *Base, SIZE_T Size)
{
    ULONG Count = 0;
    PKINTERRUPT Interrupt;

    while ((Interrupt = KiFindInterruptOf(Base, Size)) != NULL) {
        KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "interrupt"),
                 KD_NUMBER(ReportKeyCount, 1), KD_TEXT(ReportKeyModule, Driver),
                 KD_NUMBER(ReportKeyOffset, (ULONG_PTR)KiRoutineOf(Interrupt) - (ULONG_PTR)Base));
        KeDisconnectInterrupt(Interrupt);
        Count++;
    }
    return Count;
}

/* SPDX-License-Identifier: MIT
 * Calls to other processors, by vector 0xE1 at IPI_LEVEL. Each processor has one call of its own that it asks others to make, and
 * each has a set of those who ask it: calls of several processors do not wait for each other, and whoever asks a processor that has
 * been asked already needs no interrupt. Who waits for an answer is at CLOCK_LEVEL with interrupts on, holds no lock of an
 * IRQL above that, and so answers the calls of others meanwhile. test/model/ipi.pml proves it. */
#include "ki.h"

#define KI_IPI_WAIT_LEVEL (IPI_LEVEL - 1)

/* KeIpiGenericCall has all processors at its barrier at once: two of them would each keep some from the other. */
static ARCH_LOCK KiIpiLock = ARCH_LOCK_INIT("Ipi", LockRankKeIpi, KI_IPI_WAIT_LEVEL);

VOID KiRequestDispatchInterrupt(ULONG Processor)
{
    if (Processor == KeGetPrcb()->Number)
        HalRequestSoftwareInterrupt(HAL_VECTOR_DPC);
    else
        HalSendInterrupt(Processor, HAL_VECTOR_DPC);
}

VOID KiRequestApcInterrupt(ULONG Processor)
{
    if (Processor == KeGetPrcb()->Number)
        HalRequestSoftwareInterrupt(HAL_VECTOR_APC);
    else
        HalSendInterrupt(Processor, HAL_VECTOR_APC);
}

static KAFFINITY KiHere(VOID)
{
    return (KAFFINITY)1 << KeGetPrcb()->Number;
}

static KI_CALL *KiCallOf(ULONG Processor)
{
    return &KiProcessorOf(KiProcessorBlock[Processor])->Call;
}

/* Who asks after the exchange finds nobody before it and sends an interrupt of its own. */
VOID KiIpiInterrupt(ARCH_TRAP_FRAME *Frame)
{
    ULONG Here = KeGetPrcb()->Number;

    ArchSetIrql(IPI_LEVEL);
    for (KAFFINITY Asking = __atomic_exchange_n(&KiCallOf(Here)->Asking, 0, __ATOMIC_ACQ_REL); Asking != 0;
         Asking &= Asking - 1) {
        KI_CALL *Call = KiCallOf((ULONG)__builtin_ctzll(Asking));
        Call->Routine(Call->Context);
        __atomic_and_fetch(&Call->Waiting, ~KiHere(), __ATOMIC_RELEASE);
    }
    HalEndOfInterrupt();
    ArchSetIrql((KIRQL)Frame->Irql);
}

/* With interrupts off two callers would wait for each other for ever: found the first time, not the first time it bites. */
static VOID KiCheckCaller(const VOID *Caller)
{
    CONTEXT Context;

    if (ArchInterruptsEnabled() && ArchGetIrql() < IPI_LEVEL)
        return;
    RtlCaptureContext(&Context);
    KiBugCheck(IRQL_NOT_LESS_OR_EQUAL, 0, ArchGetIrql(), 0, (ULONG64)Caller, &Context,
               "a call to all processors was made with interrupts off or at IPI_LEVEL or above");
}

/* Nothing comes between the two steps: who asks next relies on our interrupt, and we could stand at its barrier first. */
static VOID KiAsk(ULONG Target, KAFFINITY Here)
{
    BOOLEAN Enabled = ArchDisableInterrupts();

    if (__atomic_fetch_or(&KiCallOf(Target)->Asking, Here, __ATOMIC_SEQ_CST) == 0)
        HalSendInterrupt(Target, HAL_VECTOR_IPI);
    ArchRestoreInterrupts(Enabled);
}

/* At KI_IPI_WAIT_LEVEL, which keeps this processor's call to the caller. */
static KI_CALL *KiAskOthers(KE_PROCESSOR_CALL *Routine, PVOID Context)
{
    KAFFINITY Here = KiHere(), Others = KeQueryActiveProcessors() & ~Here;
    KI_CALL *Call = KiCallOf(KeGetPrcb()->Number);

    Call->Routine = Routine;
    Call->Context = Context;
    __atomic_store_n(&Call->Waiting, Others, __ATOMIC_RELAXED); /* what follows is a barrier */
    for (; Others != 0; Others &= Others - 1)
        KiAsk((ULONG)__builtin_ctzll(Others), Here);
    return Call;
}

static VOID KiAwaitOthers(const KI_CALL *Call)
{
    while (__atomic_load_n(&Call->Waiting, __ATOMIC_ACQUIRE) != 0)
        __builtin_ia32_pause();
}

/* In a bug check nobody else runs. */
static BOOLEAN KiIsAlone(VOID)
{
    return KeActiveProcessorCount == 1 || KeGetPrcb()->BugCheckActive;
}

/* Apart, so that one processor alone needs no stack for it. */
static DECLSPEC_NOINLINE VOID KiCallAll(KE_PROCESSOR_CALL *Call, PVOID Context)
{
    KiCheckCaller(__builtin_return_address(0));
    KIRQL OldIrql = ArchRaiseIrql(KI_IPI_WAIT_LEVEL);
    const KI_CALL *Asked = KiAskOthers(Call, Context);
    Call(Context);
    KiAwaitOthers(Asked);
    ArchSetIrql(OldIrql);
}

VOID KeCallAllProcessors(KE_PROCESSOR_CALL *Call, PVOID Context)
{
    if (KiIsAlone())
        Call(Context);
    else
        KiCallAll(Call, Context);
}

typedef struct _KI_GENERIC_CALL {
    PKIPI_BROADCAST_WORKER Function;
    ULONG_PTR Argument;
    const void *Caller;
    volatile LONG Missing; /* processors that have not reached the barrier */
} KI_GENERIC_CALL;

/* [WDK Bug Check 0x1E] Whoever raises it is in no thread's code: the other processors wait, and no handler further out could end that. */
static LONG KiGenericCallFilter(PEXCEPTION_POINTERS Pointers)
{
    KeBugCheckFromException(KMODE_EXCEPTION_NOT_HANDLED, Pointers);
    return EXCEPTION_EXECUTE_HANDLER;
}

static ULONG_PTR KiCallFunction(const KI_GENERIC_CALL *Generic)
{
    __try {
        return Generic->Function(Generic->Argument);
    } __except (KiGenericCallFilter(GetExceptionInformation())) {
    }
    return 0;
}

static ULONG_PTR KiEnterGenericCall(KI_GENERIC_CALL *Generic)
{
    KE_GATE Gate;

    __atomic_sub_fetch(&Generic->Missing, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&Generic->Missing, __ATOMIC_ACQUIRE) != 0)
        __builtin_ia32_pause();
    KeEnterGate(&Gate, GateIpi, (PVOID)Generic->Function);
    Gate.Caller = Generic->Caller;
    ULONG_PTR Result = KiCallFunction(Generic);
    KeLeaveGate(&Gate);
    return Result;
}

static VOID KiGenericCallTarget(PVOID Context)
{
    (void)KiEnterGenericCall(Context);
}

/* [WDK KeIpiGenericCall] IRQL < IPI_LEVEL. Each processor waits at a barrier until all have come, then all call the function
 * at IPI_LEVEL; returns when all have, with the result of the calling processor. */
DECLSPEC_NOINLINE ULONG_PTR NTAPI KeIpiGenericCall(PKIPI_BROADCAST_WORKER BroadcastFunction,
                                                   ULONG_PTR Context)
{
    KI_GENERIC_CALL Generic = {BroadcastFunction, Context, __builtin_return_address(0), 0};

    KI_REQUIRE_IRQL(IPI_LEVEL - 1);
    KiCheckCaller(__builtin_return_address(0));
    KIRQL OldIrql = ArchAcquireLock(&KiIpiLock);
    Generic.Missing = (LONG)KeActiveProcessorCount;
    const KI_CALL *Asked = KiAskOthers(KiGenericCallTarget, &Generic);
    ArchSetIrql(IPI_LEVEL);
    ULONG_PTR Result = KiEnterGenericCall(&Generic);
    ArchSetIrql(KI_IPI_WAIT_LEVEL);
    KiAwaitOthers(Asked);
    ArchReleaseLock(&KiIpiLock, OldIrql);
    return Result;
}

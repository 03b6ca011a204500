/* SPDX-License-Identifier: MIT
 * Calls to other processors, by vector 0xE1 at IPI_LEVEL. One call at a time: KiIpiLock, waited for at CLOCK_LEVEL with
 * interrupts on, so that who waits still answers the call of who has it. Who waits for an answer holds no lock of an IRQL
 * above CLOCK_LEVEL: nobody can be kept from answering by it. */
#include "ki.h"

#define KI_IPI_WAIT_LEVEL (IPI_LEVEL - 1)

static struct {
    KE_PROCESSOR_CALL *Call;    /* KiIpiLock */
    PVOID Context;              /* KiIpiLock */
    volatile KAFFINITY Waiting; /* interlocked: processors that have not finished the call */
} KiIpi;
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

VOID KiIpiInterrupt(ARCH_TRAP_FRAME *Frame)
{
    KAFFINITY Mine = (KAFFINITY)1 << KeGetPrcb()->Number;

    ArchSetIrql(IPI_LEVEL);
    if (__atomic_load_n(&KiIpi.Waiting, __ATOMIC_ACQUIRE) & Mine) {
        KiIpi.Call(KiIpi.Context);
        __atomic_and_fetch(&KiIpi.Waiting, ~Mine, __ATOMIC_RELEASE);
    }
    HalEndOfInterrupt();
    ArchSetIrql((KIRQL)Frame->Irql);
}

/* With interrupts off two callers would wait for each other for ever: found the first time, not the first time it bites. */
static VOID KiCheckCaller(VOID)
{
    CONTEXT Context;

    if (ArchInterruptsEnabled() && ArchGetIrql() < IPI_LEVEL)
        return;
    RtlCaptureContext(&Context);
    KiBugCheck(IRQL_NOT_LESS_OR_EQUAL, 0, ArchGetIrql(), 0, (ULONG64)__builtin_return_address(0), &Context,
               "a call to all processors was made with interrupts off or at IPI_LEVEL or above");
}

/* KiIpiLock held. */
static VOID KiSendCall(KAFFINITY Targets, KE_PROCESSOR_CALL *Call, PVOID Context)
{
    KiIpi.Call = Call;
    KiIpi.Context = Context;
    __atomic_store_n(&KiIpi.Waiting, Targets, __ATOMIC_SEQ_CST);
    for (ULONG Number = 0; Number < KeActiveProcessorCount; Number++)
        if (Targets & ((KAFFINITY)1 << Number))
            HalSendInterrupt(Number, HAL_VECTOR_IPI);
}

static VOID KiAwaitCall(VOID)
{
    while (__atomic_load_n(&KiIpi.Waiting, __ATOMIC_ACQUIRE) != 0)
        __builtin_ia32_pause();
}

/* In a bug check nobody else runs. */
static BOOLEAN KiIsAlone(VOID)
{
    return KeActiveProcessorCount == 1 || KeGetPrcb()->BugCheckActive;
}

VOID KeCallAllProcessors(KE_PROCESSOR_CALL *Call, PVOID Context)
{
    if (KiIsAlone()) {
        Call(Context);
        return;
    }
    KiCheckCaller();
    KIRQL OldIrql = ArchAcquireLock(&KiIpiLock);
    KiSendCall(KeQueryActiveProcessors() & ~((KAFFINITY)1 << KeGetPrcb()->Number), Call, Context);
    Call(Context);
    KiAwaitCall();
    ArchReleaseLock(&KiIpiLock, OldIrql);
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
ULONG_PTR NTAPI KeIpiGenericCall(PKIPI_BROADCAST_WORKER BroadcastFunction, ULONG_PTR Context)
{
    KI_GENERIC_CALL Generic = {BroadcastFunction, Context, __builtin_return_address(0), 0};

    KI_REQUIRE_IRQL(IPI_LEVEL - 1);
    KiCheckCaller();
    KIRQL OldIrql = ArchAcquireLock(&KiIpiLock);
    Generic.Missing = (LONG)KeActiveProcessorCount;
    KiSendCall(KeQueryActiveProcessors() & ~((KAFFINITY)1 << KeGetPrcb()->Number), KiGenericCallTarget,
               &Generic);
    ArchSetIrql(IPI_LEVEL);
    ULONG_PTR Result = KiEnterGenericCall(&Generic);
    ArchSetIrql(KI_IPI_WAIT_LEVEL);
    KiAwaitCall();
    ArchReleaseLock(&KiIpiLock, OldIrql);
    return Result;
}

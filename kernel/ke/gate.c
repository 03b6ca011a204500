/* SPDX-License-Identifier: MIT
 * The gate: what must be the same before and after a call into a driver. */
#include "ki.h"
#include "ke_bugcheck.h"
#include "ke_paged.h"
#include "crt.h"
#include "rtl.h"

#define RFLAGS_IF 0x200u
#define RFLAGS_DF 0x400u
#define CR0_WP 0x10000u

VOID KeEnterGate(KE_GATE *Gate, KE_GATE_KIND Kind, PVOID Routine)
{
    PKTHREAD Thread = KiCurrentThread();

    Gate->Kind = Kind;
    Gate->Routine = Routine;
    Gate->Irql = ArchGetIrql();
    Gate->KernelApcDisable = Thread->KernelApcDisable;
    Gate->SpecialApcDisable = Thread->SpecialApcDisable;
    Gate->HeldLockCount = KeHeldLockCount();
    Gate->Interrupts = ArchInterruptsEnabled();
    Gate->Caller = NULL;
    if (NTBOX_CHECKED)
        Gate->SystemAffinity = Thread->SystemAffinityActive;
    Gate->Outer = Thread->Gate;
    while (Gate->Outer != NULL && Gate->Outer < Gate)
        Gate->Outer = Gate->Outer->Outer; /* an exception was handled further out: that call is over */
    Thread->Gate = Gate;
    Thread->GateRoutine = Routine;
    if (NTBOX_CHECKED && Gate->Irql >= DISPATCH_LEVEL)
        KeDenyPagedPool();
}

static PCSTR KiGateName(KE_GATE_KIND Kind)
{
    static const PCSTR Names[] = {"a DriverEntry",
                                  "an unload routine",
                                  "a dispatch routine",
                                  "a completion routine",
                                  "a cancel routine",
                                  "a DPC routine",
                                  "a timer routine",
                                  "a work item",
                                  "a thread routine",
                                  "an APC routine",
                                  "an interrupt service routine",
                                  "a synchronize routine",
                                  "a broadcast function",
                                  "an NMI callback",
                                  "a processor change callback",
                                  "DllInitialize",
                                  "DllUnload",
                                  "a load-image notify routine",
                                  "a registry callback",
                                  "a registry query routine",
                                  "a fast I/O routine",
                                  "a reinitialize routine",
                                  "a controller routine",
                                  "a notification routine",
                                  "a process notify routine",
                                  "a thread notify routine",
                                  "an object callback"};
    _Static_assert(RTL_NUMBER_OF(Names) == GateKinds, "each kind of gate has a name");
    return Names[Kind];
}

/* The driver's routine is not on the stack any more: it is blamed by name. */
static DECLSPEC_NORETURN VOID KiGateViolation(const KE_GATE *Gate, ULONG Code, const ULONG64 P[4], PCSTR Rule,
                                              LONG Is, LONG Was)
{
    CHAR Text[192];
    CONTEXT Context;

    _snprintf(Text, sizeof(Text), "%s returned with %s %d; it was called with %d", KiGateName(Gate->Kind),
              Rule, (int)Is, (int)Was);
    RtlCaptureContext(&Context);
    KiBugCheckBlaming(Gate->Routine, Code, P, &Context, Text);
}

/* [WDK PsTerminateSystemThread] is called by a thread that PsCreateSystemThread made. A worker thread, one that loads drivers or
 * sends requests is somebody else's, who would wait for it for ever. */
VOID KeCheckThreadOwner(VOID)
{
    const KE_GATE *Gate = KiCurrentThread()->Gate;
    CHAR Text[128];

    while (Gate != NULL && (const VOID *)Gate < (const VOID *)Text)
        Gate = Gate->Outer; /* as in KeEnterGate */
    if (Gate == NULL || Gate->Kind == GateThread)
        return;
    _snprintf(Text, sizeof(Text), "%s ended the thread that called it", KiGateName(Gate->Kind));
    KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_THREAD_END, (ULONG_PTR)Gate->Routine,
                      0, 0, Text);
}

/* [WDK KeRevertToUserAffinityThread] A thread's own routine ends with the thread; any other borrows the thread of somebody else. */
static VOID KiCheckAffinity(const KE_GATE *Gate, PKTHREAD Thread)
{
    if (NTBOX_CHECKED && Thread->SystemAffinityActive && !Gate->SystemAffinity && Gate->Kind != GateThread)
        KiGateViolation(Gate, DRIVER_VERIFIER_DETECTED_VIOLATION,
                        (const ULONG64[]){KE_RULE_AFFINITY, (ULONG64)Gate->Routine, Thread->Affinity, 0},
                        "a system affinity of", (LONG)Thread->Affinity, 0);
}

/* CR0.WP guards the kernel's and all drivers' code; who switches it off to write there has to switch it on again. */
static VOID KiCheckWriteProtection(const KE_GATE *Gate)
{
    ULONG64 Cr0 = ArchReadCr0();

    if ((Cr0 & CR0_WP) == 0)
        KiGateViolation(Gate, DRIVER_VERIFIER_DETECTED_VIOLATION,
                        (const ULONG64[]){Cr0, 0, (ULONG64)Gate->Routine, ArchGetIrql()},
                        "a write protection (CR0.WP) of", 0, 1);
}

/* A driver returned with another IRQL (IRQL_UNEXPECTED_VALUE), inside a critical region that it had not left
 * (APC_INDEX_MISMATCH), or (DRIVER_VERIFIER_DETECTED_VIOLATION) with the direction flag set, another interrupt flag or, in
 * the checked kernel, a spin lock held or the thread's affinity changed. */
VOID KeLeaveGate(KE_GATE *Gate)
{
    if (NTBOX_CHECKED)
        KiCheckWriteProtection(Gate);
    ULONG64 Flags = ArchReadFlags();
    __asm__ volatile("cld" : : : "memory"); /* nothing of ours works with DF set */
    PKTHREAD Thread = KiCurrentThread();
    KIRQL Irql = ArchGetIrql();
    ULONG Locks = KeHeldLockCount();
    ULONG64 Routine = (ULONG64)Gate->Routine;

    if ((Flags & RFLAGS_DF) != 0)
        KiGateViolation(Gate, DRIVER_VERIFIER_DETECTED_VIOLATION, (const ULONG64[]){Flags, 0, Routine, Irql},
                        "a direction flag of", 1, 0);
    if (((Flags & RFLAGS_IF) != 0) != Gate->Interrupts)
        KiGateViolation(Gate, DRIVER_VERIFIER_DETECTED_VIOLATION,
                        (const ULONG64[]){Flags, Gate->Interrupts, Routine, Irql}, "an interrupt flag of",
                        !Gate->Interrupts, Gate->Interrupts);
    Thread->Gate = Gate->Outer;
    Thread->GateRoutine = Gate->Outer != NULL ? Gate->Outer->Routine : NULL;
    if (Locks != Gate->HeldLockCount)
        KiGateViolation(Gate, DRIVER_VERIFIER_DETECTED_VIOLATION,
                        (const ULONG64[]){Locks, Gate->HeldLockCount, Routine, Irql},
                        "a count of held spin locks of", (LONG)Locks, (LONG)Gate->HeldLockCount);
    if (Irql != Gate->Irql)
        KiGateViolation(Gate, IRQL_UNEXPECTED_VALUE,
                        (const ULONG64[]){((ULONG64)Irql << 16) | ((ULONG64)Gate->Irql << 8), Routine, 0, 0},
                        "IRQL", Irql, Gate->Irql);
    if (Thread->KernelApcDisable != Gate->KernelApcDisable &&
        Gate->Kind == GateDpc) /* [WDK Bug Check 0xC7] 4 */
        KiGateViolation(Gate, TIMER_OR_DPC_INVALID,
                        (const ULONG64[]){4, Routine, (ULONG64)(LONG64)Gate->KernelApcDisable,
                                          (ULONG64)(LONG64)Thread->KernelApcDisable},
                        "a critical-region count of", -Thread->KernelApcDisable, -Gate->KernelApcDisable);
    if (Thread->KernelApcDisable != Gate->KernelApcDisable)
        KiGateViolation(Gate, APC_INDEX_MISMATCH,
                        (const ULONG64[]){Routine, 0, (ULONG64)(LONG64)Thread->KernelApcDisable, 0},
                        "a critical-region count of", -Thread->KernelApcDisable, -Gate->KernelApcDisable);
    if (Thread->SpecialApcDisable != Gate->SpecialApcDisable)
        KiGateViolation(Gate, APC_INDEX_MISMATCH,
                        (const ULONG64[]){Routine, 0, (ULONG64)(LONG64)Thread->SpecialApcDisable << 16, 0},
                        "a guarded-region count of", -Thread->SpecialApcDisable, -Gate->SpecialApcDisable);
    KiCheckAffinity(Gate, Thread);
}

/* SPDX-License-Identifier: MIT
 * The gate: what must be the same before and after a call into a driver. */
#include "ki.h"
#include "ke_bugcheck.h"
#include "ke_paged.h"
#include "crt.h"
#include "rtl.h"

#define CR0_WP 0x10000u

VOID KeNoteGate(KE_GATE *Gate)
{
    Gate->HeldLockCount = KeHeldLockCount();
    Gate->SystemAffinity = KiCurrentThread()->SystemAffinityActive;
    if (Gate->Irql >= DISPATCH_LEVEL)
        KeDenyPagedPool();
}

static VOID KiLeaveTo(PKTHREAD Thread, KE_GATE *Outer)
{
    Thread->Gate = Outer;
    Thread->GateRoutine = Outer != NULL ? Outer->Routine : NULL;
}

/* A thread's gates may lie on several stacks (a DPC's, an interrupt's): those of the others stay. */
VOID KeForgetGates(ULONG64 StackPointer)
{
    PKTHREAD Thread = KiCurrentThread();
    KE_GATE *Gate = Thread->Gate;
    ULONG64 Low, High;

    if (!KeFindStack(StackPointer, &Low, &High))
        return;
    while ((ULONG64)Gate >= Low && (ULONG64)Gate < StackPointer)
        Gate = Gate->Outer;
    if (Gate != Thread->Gate)
        KiLeaveTo(Thread, Gate);
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
                                  "an object callback",
                                  "a file system's callback",
                                  "an expanded-stack routine",
                                  "an AddDevice routine",
                                  "an adapter control routine",
                                  "a scatter/gather list routine"};
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

/* [WDK Bug Check 0xC7] 4 is for DPCs and timers. */
static VOID KiCheckRegions(const KE_GATE *Gate, KE_APC_DISABLE Is)
{
    KE_APC_DISABLE Was = Gate->ApcDisable;
    ULONG64 Routine = (ULONG64)Gate->Routine;

    if (Is.Kernel != Was.Kernel && Gate->Kind == GateDpc)
        KiGateViolation(
            Gate, TIMER_OR_DPC_INVALID,
            (const ULONG64[]){4, Routine, (ULONG64)(LONG64)Was.Kernel, (ULONG64)(LONG64)Is.Kernel},
            "a critical-region count of", -Is.Kernel, -Was.Kernel);
    if (Is.Kernel != Was.Kernel)
        KiGateViolation(Gate, APC_INDEX_MISMATCH,
                        (const ULONG64[]){Routine, 0, (ULONG64)(LONG64)Is.Kernel, 0},
                        "a critical-region count of", -Is.Kernel, -Was.Kernel);
    if (Is.Special != Was.Special)
        KiGateViolation(Gate, APC_INDEX_MISMATCH,
                        (const ULONG64[]){Routine, 0, (ULONG64)(LONG64)Is.Special << 16, 0},
                        "a guarded-region count of", -Is.Special, -Was.Special);
}

/* A driver returned with another IRQL (IRQL_UNEXPECTED_VALUE), inside a critical region that it had not left
 * (APC_INDEX_MISMATCH), or (DRIVER_VERIFIER_DETECTED_VIOLATION) with the direction flag set, another interrupt flag or, in
 * the checked kernel, a spin lock held or the thread's affinity changed. */
VOID KeCheckGate(KE_GATE *Gate, ULONG Flags)
{
    PKTHREAD Thread = KiCurrentThread();
    KIRQL Irql = ArchGetIrql();
    BOOLEAN Interrupts = (Gate->Flags & KE_FLAG_INTERRUPTS) != 0;
    ULONG Locks = KeHeldLockCount();
    ULONG64 Routine = (ULONG64)Gate->Routine;

    if (NTBOX_CHECKED)
        KiCheckWriteProtection(Gate);
    if ((Flags & KE_FLAG_DIRECTION) != 0)
        KiGateViolation(Gate, DRIVER_VERIFIER_DETECTED_VIOLATION, (const ULONG64[]){Flags, 0, Routine, Irql},
                        "a direction flag of", 1, 0);
    if (((Flags & KE_FLAG_INTERRUPTS) != 0) != Interrupts)
        KiGateViolation(Gate, DRIVER_VERIFIER_DETECTED_VIOLATION,
                        (const ULONG64[]){Flags, Interrupts, Routine, Irql}, "an interrupt flag of",
                        !Interrupts, Interrupts);
    KiLeaveTo(Thread, Gate->Outer);
    if (NTBOX_CHECKED && Locks != Gate->HeldLockCount)
        KiGateViolation(Gate, DRIVER_VERIFIER_DETECTED_VIOLATION,
                        (const ULONG64[]){Locks, Gate->HeldLockCount, Routine, Irql},
                        "a count of held spin locks of", (LONG)Locks, (LONG)Gate->HeldLockCount);
    if (Irql != Gate->Irql)
        KiGateViolation(Gate, IRQL_UNEXPECTED_VALUE,
                        (const ULONG64[]){((ULONG64)Irql << 16) | ((ULONG64)Gate->Irql << 8), Routine, 0, 0},
                        "IRQL", Irql, Gate->Irql);
    KiCheckRegions(Gate, Thread->ApcDisable);
    KiCheckAffinity(Gate, Thread);
}

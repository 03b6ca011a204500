/* SPDX-License-Identifier: MIT
 * The gate: what must be the same before and after a call into a driver. */
#include "ki.h"

VOID KeEnterGate(KE_GATE *Gate, KE_GATE_KIND Kind, PVOID Routine)
{
    Gate->Kind = Kind;
    Gate->Routine = Routine;
    Gate->Irql = ArchGetIrql();
    Gate->KernelApcDisable = KiCurrentThread()->KernelApcDisable;
    Gate->HeldLockCount = KeGetPrcb()->HeldLockCount;
}

static PCSTR KiGateName(KE_GATE_KIND Kind)
{
    static const PCSTR Names[] = {"DriverEntry",        "unload routine", "dispatch routine",
                                  "completion routine", "cancel routine", "DPC routine",
                                  "timer routine",      "work item",      "thread routine"};
    return Names[Kind];
}

/* A driver returned with another IRQL (IRQL_UNEXPECTED_VALUE) or inside a critical region that it had not left
 * (APC_INDEX_MISMATCH). The routine is the culprit. */
VOID KeLeaveGate(KE_GATE *Gate)
{
    KIRQL Irql = ArchGetIrql();
    SHORT ApcDisable = KiCurrentThread()->KernelApcDisable;

    if (Irql != Gate->Irql) {
        KdLog("a %s returned at IRQL %u; it was called at %u", KiGateName(Gate->Kind), (unsigned)Irql,
              (unsigned)Gate->Irql);
        KeBugCheckEx(IRQL_UNEXPECTED_VALUE, ((ULONG_PTR)Irql << 16) | ((ULONG_PTR)Gate->Irql << 8),
                     (ULONG_PTR)Gate->Routine, 0, 0);
    }
    if (ApcDisable != Gate->KernelApcDisable) {
        KdLog("a %s returned with %d critical regions entered and not left", KiGateName(Gate->Kind),
              Gate->KernelApcDisable - ApcDisable);
        KeBugCheckEx(APC_INDEX_MISMATCH, (ULONG_PTR)Gate->Routine, 0, (ULONG_PTR)(LONG_PTR)ApcDisable, 0);
    }
}

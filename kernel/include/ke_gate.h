/* SPDX-License-Identifier: MIT
 * Tier 2, ke: the gate, which every call into a driver passes. Part of ke.h. */
#pragma once

typedef enum _KE_GATE_KIND {
    GateDriverEntry,
    GateUnload,
    GateDispatch,
    GateCompletion,
    GateCancel,
    GateDpc,
    GateTimer,
    GateWorkItem,
    GateThread,
    GateApc,
    GateIsr,
    GateSynchronize,
    GateIpi,
    GateNmi,
    GateProcessorChange,
    GateDllInitialize,
    GateDllUnload,
    GateImageNotify,
    GateRegistryCallback,
    GateRegistryQuery,
    GateFastIo,
    GateReinitialize,
    GateController,
    GateNotification,
    GateProcessNotify,
    GateThreadNotify,
    GateObjectCallback,
    GateFileSystem,
    GateExpandedStack,
    GateAddDevice,
    GateAdapter,
    GateScatterGather,
    GateKinds /* how many */
} KE_GATE_KIND;

/* What must be the same before and after the call. */
typedef struct _KE_GATE {
    KE_GATE_KIND Kind;
    ULONG Flags;   /* RFLAGS, of which KE_GATE_FLAGS count */
    PVOID Routine; /* the driver's function */
    KE_APC_DISABLE ApcDisable;
    KIRQL Irql;
    BOOLEAN SystemAffinity; /* checked kernel: the thread's affinity was a system affinity */
    ULONG HeldLockCount;    /* checked kernel: of this processor, the kernel's and the drivers' */
    struct _KE_GATE *Outer; /* the gate around this one on the same thread; NULL: none */
    const void
        *Caller; /* return address in who gave us Routine, to blame when that is no code; NULL: unknown */
} KE_GATE;

#define KE_FLAG_INTERRUPTS 0x200u
#define KE_FLAG_DIRECTION 0x400u /* nothing of ours works with it set */
#define KE_GATE_FLAGS (KE_FLAG_INTERRUPTS | KE_FLAG_DIRECTION)

/* Any IRQL. Checked kernel: notes what only that compares. */
VOID KeNoteGate(KE_GATE *Gate);
/* Any IRQL. An exception was handled further out on the running stack: the calls whose gates lie below StackPointer are over. */
VOID KeForgetGates(ULONG64 StackPointer);
/* Any IRQL. Flags: RFLAGS after the call. Ends in a bug check that names the routine if one of the things is not as it was. */
VOID KeCheckGate(KE_GATE *Gate, ULONG Flags);

/* Around each call into a driver: Enter notes IRQL, held locks and APC state, Leave compares. A driver that returns with another IRQL or
 * keeps a lock is a bug check that names the routine. Inline, because it is the price of every call in both kernels. Any IRQL. */
static inline VOID KeEnterGate(KE_GATE *Gate, KE_GATE_KIND Kind, PVOID Routine)
{
    PKTHREAD Thread = KiCurrentThread();

    Gate->Kind = Kind;
    Gate->Flags = (ULONG)ArchReadFlags();
    Gate->Routine = Routine;
    Gate->ApcDisable = Thread->ApcDisable;
    Gate->Irql = ArchGetIrql();
    Gate->Caller = NULL;
    Gate->Outer = Thread->Gate;
    Thread->Gate = Gate;
    Thread->GateRoutine = Routine;
    if (NTBOX_CHECKED)
        KeNoteGate(Gate);
}

static inline VOID KeLeaveGate(KE_GATE *Gate)
{
    ULONG Flags = (ULONG)ArchReadFlags();
    __asm__ volatile("cld" : : : "memory");
    PKTHREAD Thread = KiCurrentThread();
    KE_GATE *Outer = Gate->Outer;

    if (NTBOX_CHECKED || ((Flags ^ Gate->Flags) & KE_GATE_FLAGS) != 0 || ArchGetIrql() != Gate->Irql ||
        Thread->ApcDisable.Both != Gate->ApcDisable.Both)
        KeCheckGate(Gate, Flags);
    Thread->Gate = Outer;
    Thread->GateRoutine = Outer != NULL ? Outer->Routine : NULL;
}

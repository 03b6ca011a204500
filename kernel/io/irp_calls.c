/* SPDX-License-Identifier: MIT
 * What a dispatch routine returns must agree with what became of the IRP. Each call of a dispatch routine has a record on the stack of
 * IofCallDriver, entered in the IRP's state at the stack location that the routine was given. Whoever completes that location tells the
 * record; when the routine returns first, the location remembers that it returned STATUS_PENDING.
 *
 * Windows' Driver Verifier knows these rules; the checked kernel always does (D-006). */
#include "iop.h"
#include "crt.h"

#if NTBOX_CHECKED

#define IOP_CALL_LOCKS 16u

static ARCH_LOCK IopCallLocks[IOP_CALL_LOCKS] = {
    [0 ... IOP_CALL_LOCKS - 1] = ARCH_LOCK_INIT("IopCallLocks", LockRankIoCalls, DISPATCH_LEVEL)};

/* The IRP may be gone while a record of it is looked at, so the lock is not in it. */
static ARCH_LOCK *IopCallLockOf(PIRP Irp)
{
    return &IopCallLocks[((ULONG_PTR)Irp >> 4) % IOP_CALL_LOCKS];
}

/* NULL: the location is none of an IRP that IoAllocateIrp made. */
static IOP_IRP_LOCATION *IopLocationState(PIRP Irp, LONG Location)
{
    IOP_IRP_LOCATION *Locations = (IOP_IRP_LOCATION *)((PUCHAR)Irp + IoSizeOfIrp(Irp->StackCount));
    if (IopIrpState(Irp) == NULL || Location < 1 || Location > Irp->StackCount)
        return NULL;
    return &Locations[Location - 1];
}

/* [WDK Bug Check 0xC9] I/O error codes: p2 the driver's code, p3 the IRP, p4 the device. */
static DECLSPEC_NORETURN VOID IopBreach(ULONG Rule, PVOID Routine, PIRP Irp, PDEVICE_OBJECT Device,
                                        PCSTR Text)
{
    KeBugCheckBlaming(IopIsRoutine(Routine) ? Routine : NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, Rule,
                      (ULONG_PTR)Routine, (ULONG_PTR)Irp, (ULONG_PTR)Device, Text);
}

VOID IopBeginCall(IOP_CALL *Call, PDEVICE_OBJECT Device, PIRP Irp, PDRIVER_DISPATCH Routine)
{
    *Call = (IOP_CALL){.Irp = Irp, .Device = Device, .Routine = Routine, .Location = Irp->CurrentLocation};
    IOP_IRP_LOCATION *Location = IopLocationState(Irp, Call->Location);
    if (Location == NULL) {
        Call->Irp = NULL;
        return;
    }
    Call->MarkedBefore = (IoGetCurrentIrpStackLocation(Irp)->Control & SL_PENDING_RETURNED) != 0;
    KIRQL OldIrql = ArchAcquireLock(IopCallLockOf(Irp));
    Call->Outer = Location->Running;
    Location->Running = Call;
    ArchReleaseLock(IopCallLockOf(Irp), OldIrql);
}

/* The record leaves the location, if that is not completed yet. */
static VOID IopLeaveLocked(IOP_CALL *Call, NTSTATUS Status)
{
    if (Call->Completed)
        return;
    IOP_IRP_LOCATION *Location = IopLocationState(Call->Irp, Call->Location);
    PIO_STACK_LOCATION Stack = (PIO_STACK_LOCATION)(Call->Irp + 1) + Call->Location - 1;
    Call->Marked = (Stack->Control & SL_PENDING_RETURNED) != 0;
    Location->Running = Call->Outer;
    if (Status == STATUS_PENDING && Call->Outer == NULL) {
        Location->Pending = Call->Routine;
        Location->Device = Call->Device;
    }
}

static VOID IopCheckReturned(const IOP_CALL *Call, NTSTATUS Status)
{
    if (Status == STATUS_PENDING) {
        if (Call->Completed && !Call->Marked)
            IopBreach(0x23D, Call->Routine, Call->Irp, Call->Device,
                      "a dispatch routine returned STATUS_PENDING, but the IRP was not marked pending");
        return;
    }
    if (Call->Marked && !Call->MarkedBefore)
        IopBreach(0x23E, Call->Routine, Call->Irp, Call->Device,
                  "the IRP was marked pending, but the dispatch routine did not return STATUS_PENDING");
    if (!Call->Completed)
        IopBreach(0x226, Call->Routine, Call->Irp, Call->Device,
                  "a dispatch routine returned a final status for an IRP that nobody has completed");
    if (Call->FinalStatus != Status)
        IopBreach(0x224, Call->Routine, Call->Irp, Call->Device,
                  "a dispatch routine returned another status than the IRP was completed with");
}

VOID IopEndCall(IOP_CALL *Call, NTSTATUS Status)
{
    if (Call->Irp == NULL)
        return;
    KIRQL OldIrql = ArchAcquireLock(IopCallLockOf(Call->Irp));
    IopLeaveLocked(Call, Status);
    ArchReleaseLock(IopCallLockOf(Call->Irp), OldIrql);
    IopCheckReturned(Call, Status);
}

VOID IopAbandonCall(IOP_CALL *Call)
{
    if (Call->Irp == NULL)
        return;
    KIRQL OldIrql = ArchAcquireLock(IopCallLockOf(Call->Irp));
    IopLeaveLocked(Call, STATUS_UNSUCCESSFUL);
    ArchReleaseLock(IopCallLockOf(Call->Irp), OldIrql);
}

/* A routine that passed its own location on (IoSkipCurrentIrpStackLocation) shares it with the one below. */
VOID IopEndLocation(PIRP Irp)
{
    IOP_IRP_LOCATION *Location = IopLocationState(Irp, Irp->CurrentLocation);
    if (Location == NULL)
        return;
    BOOLEAN Marked = (IoGetCurrentIrpStackLocation(Irp)->Control & SL_PENDING_RETURNED) != 0;
    KIRQL OldIrql = ArchAcquireLock(IopCallLockOf(Irp));
    for (IOP_CALL *Call = Location->Running; Call != NULL; Call = Call->Outer) {
        Call->Completed = TRUE;
        Call->Marked = Marked;
        Call->FinalStatus = Irp->IoStatus.Status;
    }
    IOP_IRP_LOCATION Ended = *Location;
    *Location = (IOP_IRP_LOCATION){};
    ArchReleaseLock(IopCallLockOf(Irp), OldIrql);
    if (Ended.Pending != NULL && !Marked)
        IopBreach(0x23D, Ended.Pending, Irp, Ended.Device,
                  "a dispatch routine returned STATUS_PENDING, but the IRP was not marked pending");
}

PVOID IopLocationHolder(PIRP Irp)
{
    const IOP_IRP_LOCATION *Location = IopLocationState(Irp, Irp->CurrentLocation);
    if (Location == NULL)
        return NULL;
    KIRQL OldIrql = ArchAcquireLock(IopCallLockOf(Irp));
    PVOID Routine = Location->Running != NULL ? (PVOID)Location->Running->Routine : (PVOID)Location->Pending;
    ArchReleaseLock(IopCallLockOf(Irp), OldIrql);
    return Routine;
}

/* An IRP that is completed twice is gone by then, so this is kept apart from it; another IRP may have taken its place meanwhile. */
#define IOP_COMPLETED 256u
static struct {
    PIRP Irp;     /* relaxed */
    PVOID Caller; /* relaxed */
} IopCompleted[IOP_COMPLETED];

static ULONG IopCompletedIndex(PIRP Irp)
{
    return (ULONG)(((ULONG_PTR)Irp >> 4) % IOP_COMPLETED);
}

VOID IopNoteCompleted(PIRP Irp, PVOID Caller)
{
    ULONG Index = IopCompletedIndex(Irp);
    __atomic_store_n(&IopCompleted[Index].Caller, Caller, __ATOMIC_RELAXED);
    __atomic_store_n(&IopCompleted[Index].Irp, Irp, __ATOMIC_RELAXED);
}

PVOID IopWhoCompleted(PIRP Irp)
{
    ULONG Index = IopCompletedIndex(Irp);
    if (__atomic_load_n(&IopCompleted[Index].Irp, __ATOMIC_RELAXED) != Irp)
        return NULL;
    return __atomic_load_n(&IopCompleted[Index].Caller, __ATOMIC_RELAXED);
}

/* Caller is a return address: the call lies before it. */
VOID IopCheckNotInUse(PIRP Irp, PVOID Caller)
{
    for (LONG I = 1; I <= Irp->StackCount; I++) {
        IOP_IRP_LOCATION *Location = IopLocationState(Irp, I);
        if (Location != NULL && (Location->Running != NULL || Location->Pending != NULL))
            IopBreach(0x20B, (PUCHAR)Caller - 1, Irp,
                      Location->Running != NULL ? Location->Running->Device : Location->Device,
                      "an IRP ends, is freed or reused that a driver still has: it is not completed there");
    }
}

#endif

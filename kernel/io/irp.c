/* SPDX-License-Identifier: MIT
 * IRPs: made, initialised, reused, freed. An IRP is the fixed part and its stack locations behind it; the location of the lowest
 * driver comes first. */
#include "iop.h"
#include "ex.h"
#include "kd.h"

/* [WDK IoInitializeIrp] for memory that the driver allocated. IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    RtlZeroMemory(Irp, PacketSize);
    IopFillIrp(Irp, PacketSize, StackSize);
}

/* [WDK IoAllocateIrp] NULL when memory is short. There are no quotas. IRQL <= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE PIRP NTAPI IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    return IopAllocateIrp(StackSize, __builtin_return_address(0));
}

/* [WDK IoFreeIrp] [WDK Bug Check 0xC9] 1: what is freed is no IRP (freed twice, most often), 2: it belongs to a thread still.
 * IRQL <= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE VOID NTAPI IoFreeIrp(PIRP Irp)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (Irp->Type != IO_TYPE_IRP)
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 1, (ULONG_PTR)Irp, 0, 0);
    if (!IsListEmpty(&Irp->ThreadListEntry))
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 2, (ULONG_PTR)Irp, 0, 0);
    IopCheckNotInUse(Irp, __builtin_return_address(0));
    Irp->Type = 0; /* so that a later completion is found */
    IopReleaseIrp(Irp);
}

/* [WDK IoReuseIrp] only for IRPs of IoAllocateIrp; keeps the memory and how it was allocated. IRQL <= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE VOID NTAPI IoReuseIrp(PIRP Irp, NTSTATUS Status)
{
    UCHAR AllocationFlags = Irp->AllocationFlags;
    IOP_IRP_STATE *State = IopIrpState(Irp);
    IopCheckNotInUse(Irp, __builtin_return_address(0));
    if (State != NULL) {
        State->Wait = IopWaitNone;
        State->CountsBytes = FALSE;
    }
    IoInitializeIrp(Irp, Irp->Size, Irp->StackCount);
    Irp->AllocationFlags = AllocationFlags;
    Irp->IoStatus.Status = Status;
}

/* [WDK IoMakeAssociatedIrp] the caller has set Master->AssociatedIrp.IrpCount; the master is completed when that many associated IRPs
 * are. IRQL <= DISPATCH_LEVEL. */
DECLSPEC_NOINLINE PIRP NTAPI IoMakeAssociatedIrp(PIRP Master, CCHAR StackSize)
{
    PIRP Irp = IopAllocateIrp(StackSize, __builtin_return_address(0));
    if (Irp == NULL)
        return NULL;
    Irp->Flags |= IRP_ASSOCIATED_IRP;
    Irp->Tail.Overlay.Thread = Master->Tail.Overlay.Thread;
    Irp->AssociatedIrp.MasterIrp = Master;
    return Irp;
}

/* [WDK IoGetRequestorProcess] NULL when no thread is known. Of a thread that is attached it is the process it sends the request in. */
PEPROCESS NTAPI IoGetRequestorProcess(PIRP Irp)
{
    PETHREAD Thread = Irp->Tail.Overlay.Thread;
    if (Thread == NULL)
        return NULL;
    PKPROCESS Process =
        Irp->ApcEnvironment == OriginalApcEnvironment ? Thread->Tcb.Process : Thread->Tcb.ApcState.Process;
    return CONTAINING_RECORD(Process, EPROCESS, Pcb);
}

PEPROCESS NTAPI IoGetCurrentProcess(VOID)
{
    return CONTAINING_RECORD(KiCurrentThread()->ApcState.Process, EPROCESS, Pcb);
}

static PETHREAD IopCurrentThread(VOID)
{
    return CONTAINING_RECORD(KiCurrentThread(), ETHREAD, Tcb);
}

PIRP NTAPI IoGetTopLevelIrp(VOID)
{
    return IopCurrentThread()->TopLevelIrp;
}

VOID NTAPI IoSetTopLevelIrp(PIRP Irp)
{
    IopCurrentThread()->TopLevelIrp = Irp;
}

/* [WDK IoIsOperationSynchronous] opens, closes, I/O on files opened for synchronous I/O, and calls that are always synchronous;
 * paging I/O that is not synchronous is none. */
BOOLEAN NTAPI IoIsOperationSynchronous(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN Synchronous = (Irp->Flags & (IRP_SYNCHRONOUS_API | IRP_SYNCHRONOUS_PAGING_IO)) != 0 ||
                          (Stack->FileObject != NULL && (Stack->FileObject->Flags & FO_SYNCHRONOUS_IO));
    BOOLEAN AsynchronousPaging = (Irp->Flags & IRP_PAGING_IO) && !(Irp->Flags & IRP_SYNCHRONOUS_PAGING_IO);
    return Synchronous && !AsynchronousPaging;
}

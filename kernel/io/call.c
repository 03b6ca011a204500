/* SPDX-License-Identifier: MIT
 * IofCallDriver: an IRP goes down to the next driver; completion routines of callers that cannot use the inline function. */
#include "iop.h"

static DECLSPEC_NORETURN VOID IopBadCall(ULONG_PTR Rule, PVOID What)
{
    KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, Rule, (ULONG_PTR)What, 0, 0);
}

#if NTBOX_CHECKED
static NTSTATUS IopDispatch(PDEVICE_OBJECT Device, PIRP Irp, PDRIVER_DISPATCH Routine, const void *Caller)
{
    IOP_CALL Call;
    NTSTATUS Status;
    IopBeginCall(&Call, Device, Irp, Routine);
    __try {
        Status = IopCallDispatch(Routine, Device, Irp, Caller);
    } __finally {
        if (AbnormalTermination())
            IopAbandonCall(&Call);
    }
    IopEndCall(&Call, Status);
    return Status;
}
#else
#define IopDispatch(Device, Irp, Routine, Caller) IopCallDispatch((Routine), (Device), (Irp), (Caller))
#endif

/* [WDK IoCallDriver] IRQL <= DISPATCH_LEVEL. [WDK Bug Check 0x35] no location is left for the next driver. [WDK Bug Check 0xC9] 3: not an
 * IRP, 4: not a device. */
DECLSPEC_NOINLINE NTSTATUS FASTCALL IofCallDriver(PDEVICE_OBJECT Device, PIRP Irp)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);
    if (Irp->Type != IO_TYPE_IRP)
        IopBadCall(3, Irp);
    if (Device == NULL || Device->Type != IO_TYPE_DEVICE)
        IopBadCall(4, Device);
    if (Irp->CancelRoutine != NULL) /* 0x203: the cancel routine of the caller is still set */
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x203, (ULONG_PTR)__builtin_return_address(0),
                     (ULONG_PTR)Irp, (ULONG_PTR)Device);
    if (!ImIsKernelAddress(__builtin_return_address(0)))
        IopCheckBuffers(Irp, IoGetNextIrpStackLocation(Irp)->MajorFunction, NULL);
    Irp->CurrentLocation--;
    if (Irp->CurrentLocation <= 0)
        KeBugCheckEx(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)Irp, 0, 0, 0);
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Irp->Tail.Overlay.CurrentStackLocation = Stack;
    Stack->DeviceObject = Device;
    if (Stack->MajorFunction > IRP_MJ_MAXIMUM_FUNCTION)
        IopBadCall(4, Device);
    return IopDispatch(Device, Irp, Device->DriverObject->MajorFunction[Stack->MajorFunction],
                       __builtin_return_address(0));
}

typedef struct _IOP_COMPLETION {
    PDEVICE_OBJECT Device;
    PIO_COMPLETION_ROUTINE Routine;
    PVOID Context;
} IOP_COMPLETION;

/* The device that set the routine keeps its driver in memory until the routine has returned. */
static NTSTATUS NTAPI IopCompleteWithReference(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    IOP_COMPLETION Completion = *(IOP_COMPLETION *)Context;
    ExFreePoolWithTag(Context, IOP_TAG_BUFFER);
    NTSTATUS Status = IopCallCompletion(Completion.Routine, Device, Irp, Completion.Context);
    ObfDereferenceObject(Completion.Device);
    return Status;
}

/* [WDK IoSetCompletionRoutineEx] the driver cannot be unloaded before its routine has run. IRQL <= DISPATCH_LEVEL. */
NTSTATUS NTAPI IoSetCompletionRoutineEx(PDEVICE_OBJECT Device, PIRP Irp, PIO_COMPLETION_ROUTINE Routine,
                                        PVOID Context, BOOLEAN OnSuccess, BOOLEAN OnError, BOOLEAN OnCancel)
{
    IOP_COMPLETION *Completion = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Completion), IOP_TAG_BUFFER);
    if (Completion == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    *Completion = (IOP_COMPLETION){Device, Routine, Context};
    ObfReferenceObject(Device);
    IoSetCompletionRoutine(Irp, IopCompleteWithReference, Completion, OnSuccess, OnError, OnCancel);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI IopForwardCompleted(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    if (Irp->PendingReturned)
        KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* [WDK IoForwardIrpSynchronously] FALSE when there is no location for the driver below; else the IRP is back with its status in
 * IoStatus, and the caller completes it. PASSIVE_LEVEL. */
BOOLEAN NTAPI IoForwardIrpSynchronously(PDEVICE_OBJECT Device, PIRP Irp)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    KEVENT Event;
    if (Irp->CurrentLocation <= 1)
        return FALSE;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, IopForwardCompleted, &Event, TRUE, TRUE, TRUE);
    NTSTATUS Status = IofCallDriver(Device, Irp);
    if (Status == STATUS_PENDING)
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    return TRUE;
}

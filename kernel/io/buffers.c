/* SPDX-License-Identifier: MIT
 * The buffers of a request, by the device's flags (DO_BUFFERED_IO, DO_DIRECT_IO) or by the control code's method. */
#include "iop.h"
#include "ex.h"
#include "mm_caller.h"

/* The system buffer is copied back to UserBuffer at the end. */
VOID IopReturnBuffer(PIRP Irp, PVOID UserBuffer, ULONG Length)
{
    Irp->UserBuffer = UserBuffer;
    Irp->Flags |= IRP_INPUT_OPERATION;
    IopIrpState(Irp)->OutputLength = Length;
}

/* A system buffer of Room bytes with the first Length of Source in it. */
static DECLSPEC_NOINLINE NTSTATUS IopAddSystemBuffer(PIRP Irp, const void *Source, ULONG Length, ULONG Room,
                                                     KPROCESSOR_MODE Mode, PVOID Owner)
{
    PVOID Buffer = ExAllocatePoolForOwner(NonPagedPoolNx, Room, IOP_TAG_BUFFER,
                                          Owner != NULL ? Owner : __builtin_return_address(0));
    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = STATUS_SUCCESS;
    if (Mode == KernelMode && IopIsSystemAddress(Source))
        RtlCopyMemory(Buffer, Source, Length);
    else
        Status = IopReadRequestor(Buffer, Source, Length, Mode);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Buffer, IOP_TAG_BUFFER);
        return Status;
    }
    Irp->AssociatedIrp.SystemBuffer = Buffer;
    Irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    return STATUS_SUCCESS;
}

NTSTATUS IopUseSystemBuffer(IOP_REQUEST *Request, PVOID Buffer, ULONG Length, BOOLEAN Set)
{
    NTSTATUS Status = IopAddSystemBuffer(Request->Irp, Buffer, Set ? Length : 0, Length, Request->Mode, NULL);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(Request);
        return Status;
    }
    if (!Set) {
        RtlZeroMemory(Request->Irp->AssociatedIrp.SystemBuffer, Length);
        IopReturnBuffer(Request->Irp, Buffer, Length);
    }
    return STATUS_SUCCESS;
}

/* As IoAllocateMdl, for a driver that has the request built. */
static PMDL IopAllocateMdlFor(PVOID Buffer, ULONG Length, PVOID Owner)
{
    if (Owner == NULL)
        return IoAllocateMdl(Buffer, Length, FALSE, FALSE, NULL);
    PMDL Mdl = ExAllocatePoolForOwner(NonPagedPoolNx, MmSizeOfMdl(Buffer, Length), EX_MDL_TAG, Owner);
    if (Mdl != NULL)
        MmInitializeMdl(Mdl, Buffer, Length);
    return Mdl;
}

static DECLSPEC_NOINLINE NTSTATUS IopAddLockedMdl(PIRP Irp, PVOID Buffer, ULONG Length,
                                                  LOCK_OPERATION Operation, KPROCESSOR_MODE Mode, PVOID Owner)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PMDL Mdl = IopAllocateMdlFor(Buffer, Length, Owner);
    if (Mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        MmProbeAndLockPages(Mdl, Mode, Operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (!NT_SUCCESS(Status)) {
        IoFreeMdl(Mdl);
        return Status;
    }
    Irp->MdlAddress = Mdl;
    return STATUS_SUCCESS;
}

static NTSTATUS IopSetUpBuffered(PIRP Irp, BOOLEAN Read, PVOID Buffer, ULONG Length, KPROCESSOR_MODE Mode,
                                 PVOID Owner)
{
    NTSTATUS Status = IopAddSystemBuffer(Irp, Buffer, Read ? 0 : Length, Length, Mode, Owner);
    if (NT_SUCCESS(Status) && Read)
        IopReturnBuffer(Irp, Buffer, Length);
    return Status;
}

/* [WDK Methods for Accessing Data Buffers] a transfer of no bytes has no buffer. */
NTSTATUS IopSetUpTransfer(PIRP Irp, PDEVICE_OBJECT Device, UCHAR Major, PVOID Buffer, ULONG Length,
                          KPROCESSOR_MODE Mode, PVOID Owner)
{
    BOOLEAN Read = Major != IRP_MJ_WRITE;
    IopCountBytes(Irp, Length);
    if (!(Device->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO))) {
        Irp->UserBuffer = Buffer;
        return STATUS_SUCCESS;
    }
    if (Length == 0)
        return STATUS_SUCCESS;
    if (Device->Flags & DO_BUFFERED_IO)
        return IopSetUpBuffered(Irp, Read, Buffer, Length, Mode, Owner);
    return IopAddLockedMdl(Irp, Buffer, Length, Read ? IoWriteAccess : IoReadAccess, Mode, Owner);
}

static NTSTATUS IopSetUpBufferedControl(PIRP Irp, const IOP_CONTROL *Control, KPROCESSOR_MODE Mode)
{
    ULONG Room = max(Control->InputLength, Control->OutputLength);
    Irp->UserBuffer = Control->Output;
    if (Room == 0)
        return STATUS_SUCCESS;
    if (Control->OutputLength != 0)
        IopReturnBuffer(Irp, Control->Output, Control->OutputLength);
    return IopAddSystemBuffer(Irp, Control->Input, Control->InputLength, Room, Mode, Control->Owner);
}

/* [WDK Buffer Descriptions for I/O Control Codes] the input is buffered, the output buffer is locked: for reading with
 * METHOD_IN_DIRECT, for writing with METHOD_OUT_DIRECT. */
static NTSTATUS IopSetUpDirectControl(PIRP Irp, const IOP_CONTROL *Control, LOCK_OPERATION Operation,
                                      KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = STATUS_SUCCESS;
    if (Control->InputLength != 0)
        Status = IopAddSystemBuffer(Irp, Control->Input, Control->InputLength, Control->InputLength, Mode,
                                    Control->Owner);
    if (NT_SUCCESS(Status) && Control->OutputLength != 0)
        Status =
            IopAddLockedMdl(Irp, Control->Output, Control->OutputLength, Operation, Mode, Control->Owner);
    return Status;
}

static NTSTATUS IopSetUpMethod(PIRP Irp, const IOP_CONTROL *Control, KPROCESSOR_MODE Mode)
{
    switch (METHOD_FROM_CTL_CODE(Control->Code)) {
    case METHOD_BUFFERED:
        return IopSetUpBufferedControl(Irp, Control, Mode);
    case METHOD_IN_DIRECT:
        return IopSetUpDirectControl(Irp, Control, IoReadAccess, Mode);
    case METHOD_OUT_DIRECT:
        return IopSetUpDirectControl(Irp, Control, IoWriteAccess, Mode);
    default: /* METHOD_NEITHER */
        Irp->UserBuffer = Control->Output;
        IoGetNextIrpStackLocation(Irp)->Parameters.DeviceIoControl.Type3InputBuffer = Control->Input;
        return STATUS_SUCCESS;
    }
}

NTSTATUS IopSetUpControl(PIRP Irp, const IOP_CONTROL *Control, KPROCESSOR_MODE Mode)
{
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Stack->Parameters.DeviceIoControl.OutputBufferLength = Control->OutputLength;
    Stack->Parameters.DeviceIoControl.InputBufferLength = Control->InputLength;
    Stack->Parameters.DeviceIoControl.IoControlCode = Control->Code;
    NTSTATUS Status = IopSetUpMethod(Irp, Control, Mode);
    if (!NT_SUCCESS(Status))
        IopFreeBuffers(Irp);
    return Status;
}

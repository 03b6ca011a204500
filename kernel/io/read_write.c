/* SPDX-License-Identifier: MIT
 * ZwReadFile and ZwWriteFile. */
#include "iop.h"

static BOOLEAN IopMeansFilePointer(PLARGE_INTEGER Offset)
{
    return Offset == NULL || (Offset->LowPart == FILE_USE_FILE_POINTER_POSITION && Offset->HighPart == -1);
}

static BOOLEAN IopMeansEndOfFile(LARGE_INTEGER Offset)
{
    return Offset.LowPart == FILE_WRITE_TO_END_OF_FILE && Offset.HighPart == -1;
}

/* [WDK ZwReadFile] [WDK ZwWriteFile] a synchronous file has a position, an asynchronous one (but a pipe or mailslot) needs an offset. */
static NTSTATUS IopChooseOffset(PFILE_OBJECT File, PLARGE_INTEGER Given, BOOLEAN Write, PLARGE_INTEGER Offset)
{
    Offset->QuadPart = 0;
    if (IopMeansFilePointer(Given)) {
        if (File->Flags & FO_SYNCHRONOUS_IO)
            *Offset = File->CurrentByteOffset;
        else if (!(File->Flags & (FO_NAMED_PIPE | FO_MAILSLOT)))
            return STATUS_INVALID_PARAMETER;
        return STATUS_SUCCESS;
    }
    if (Given->QuadPart < 0 && !(Write && IopMeansEndOfFile(*Given)))
        return STATUS_INVALID_PARAMETER;
    *Offset = *Given;
    return STATUS_SUCCESS;
}

/* Read and Write have the same layout in the stack location. */
static VOID IopFillTransfer(IOP_REQUEST *Request, BOOLEAN Write, ULONG Length, LARGE_INTEGER Offset,
                            PULONG Key)
{
    Request->Irp->Flags |= Write ? IRP_WRITE_OPERATION : IRP_READ_OPERATION;
    Request->Stack->Parameters.Read.Length = Length;
    Request->Stack->Parameters.Read.ByteOffset = Offset;
    if (Key != NULL) {
        Request->Stack->Parameters.Read.Key = *Key;
        Request->Stack->Flags |= SL_KEY_SPECIFIED;
    }
    if (Write && (Request->File->Flags & FO_WRITE_THROUGH))
        Request->Stack->Flags |= SL_WRITE_THROUGH;
}

static NTSTATUS IopTransfer(IOP_REQUEST *Request, UCHAR Major, PVOID Buffer, ULONG Length,
                            PLARGE_INTEGER Given, PULONG Key)
{
    LARGE_INTEGER Offset;
    BOOLEAN Write = Major == IRP_MJ_WRITE;
    NTSTATUS Status = IopChooseOffset(Request->File, Given, Write, &Offset);
    if (NT_SUCCESS(Status))
        Status = IopSetUpTransfer(Request->Irp, Request->Device, Major, Buffer, Length, KernelMode);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(Request);
        return Status;
    }
    Request->Offset = Offset;
    Request->Moves =
        !IopMeansEndOfFile(Offset); /* where the end is the file system knows, which sets the position */
    IopFillTransfer(Request, Write, Length, Offset, Key);
    return IopSendRequest(Request, FALSE);
}

NTSTATUS NTAPI ZwReadFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length, PLARGE_INTEGER Offset,
                          PULONG Key)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    NTSTATUS Status =
        IopBeginRequest(&Request, File, FILE_READ_DATA, Event, IRP_MJ_READ, Iosb, ApcRoutine, ApcContext);
    return NT_SUCCESS(Status) ? IopTransfer(&Request, IRP_MJ_READ, Buffer, Length, Offset, Key) : Status;
}

NTSTATUS NTAPI ZwWriteFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                           PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length, PLARGE_INTEGER Offset,
                           PULONG Key)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    NTSTATUS Status =
        IopBeginRequest(&Request, File, FILE_WRITE_DATA, Event, IRP_MJ_WRITE, Iosb, ApcRoutine, ApcContext);
    return NT_SUCCESS(Status) ? IopTransfer(&Request, IRP_MJ_WRITE, Buffer, Length, Offset, Key) : Status;
}

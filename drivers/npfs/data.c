/* SPDX-License-Identifier: MIT
 * Reading and writing. Data lies in the reader's queue up to the quota; what does not fit waits in the IRPs of its writers, behind it. */
#include "npfs.h"

/* What a read has: the system buffer, or that of a transceive. */
typedef struct BUFFER {
    UCHAR *Bytes;
    ULONG Length;
} BUFFER;

/* A transceive's buffer is told by the IRP. */
VOID NpSetReadBuffer(PIRP Irp, UCHAR *Buffer, ULONG Length)
{
    Irp->Tail.Overlay.DriverContext[2] = Buffer;
    Irp->Tail.Overlay.DriverContext[1] = (PVOID)(ULONG_PTR)Length;
}

static BUFFER ReadBuffer(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    if (Stack->MajorFunction == IRP_MJ_READ)
        return (BUFFER){Irp->AssociatedIrp.SystemBuffer, Stack->Parameters.Read.Length};
    return (BUFFER){Irp->Tail.Overlay.DriverContext[2], (ULONG)(ULONG_PTR)Irp->Tail.Overlay.DriverContext[1]};
}

static BOOLEAN IsMessagePipe(const NP_END *End)
{
    return (End->Instance->Pipe != NULL ? End->Instance->Pipe->Type : End->ReadMode) ==
           FILE_PIPE_MESSAGE_TYPE;
}

static NTSTATUS AddPiece(NP_DATA *Data, const UCHAR *Bytes, ULONG Length)
{
    NP_PIECE *Piece = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Piece) + (SIZE_T)Length, NP_TAG);
    if (Piece == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Piece->Length = Length;
    RtlCopyMemory(Piece->Data, Bytes, Length);
    InsertTailList(&Data->Pieces, &Piece->Entry);
    Data->Bytes += Length;
    Data->Empty += Length == 0;
    return STATUS_SUCCESS;
}

static BOOLEAN Fits(const NP_DATA *Data, ULONG Length)
{
    return (ULONG64)Data->Bytes + Data->Empty + max(Length, 1) <= Data->Quota;
}

/* --- reading --- */

/* Room that became free is for the writes that wait, in their order. */
static VOID AdmitWrites(NP_END *Writer, NP_DATA *Data)
{
    PIRP Irp;
    while ((Irp = NpTake(Writer, NpWaitWrite)) != NULL) {
        ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length;
        ULONG Read = (ULONG)(ULONG_PTR)Irp->Tail.Overlay.DriverContext[1];
        if (!Fits(Data, Length - Read) ||
            !NT_SUCCESS(AddPiece(Data, (UCHAR *)Irp->AssociatedIrp.SystemBuffer + Read, Length - Read))) {
            NpWait(Writer, NpWaitWrite, Irp, TRUE);
            return;
        }
        NpFinishLater(Irp, STATUS_SUCCESS, Length);
    }
}

static VOID NoteDrained(NP_END *Writer, NP_DATA *Data)
{
    if (Writer == NULL)
        return;
    AdmitWrites(Writer, Data);
    if (IsListEmpty(&Data->Pieces) && IsListEmpty(&Writer->Waiting[NpWaitWrite]))
        NpFinishAll(Writer, NpWaitFlush, STATUS_SUCCESS);
}

/* From the first piece; TRUE: it is used up and gone. */
static BOOLEAN TakeFromPiece(NP_DATA *Data, BUFFER *To, ULONG *Copied)
{
    NP_PIECE *Piece = CONTAINING_RECORD(Data->Pieces.Flink, NP_PIECE, Entry);
    ULONG Part = min(To->Length - *Copied, Piece->Length - Piece->Offset);
    RtlCopyMemory(To->Bytes + *Copied, Piece->Data + Piece->Offset, Part);
    *Copied += Part;
    Piece->Offset += Part;
    Data->Bytes -= Part;
    if (Piece->Offset < Piece->Length)
        return FALSE;
    Data->Empty -= Piece->Length == 0;
    RemoveEntryList(&Piece->Entry);
    ExFreePoolWithTag(Piece, NP_TAG);
    return TRUE;
}

/* From the oldest write that waits; FALSE: there is none, or it is not used up and waits on. *Any: there was one. */
static BOOLEAN TakeFromWrite(NP_END *Writer, BUFFER *To, ULONG *Copied, BOOLEAN *Any)
{
    PIRP Irp = Writer != NULL ? NpTake(Writer, NpWaitWrite) : NULL;
    *Any = Irp != NULL;
    if (Irp == NULL)
        return FALSE;
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length;
    ULONG Read = (ULONG)(ULONG_PTR)Irp->Tail.Overlay.DriverContext[1],
          Part = min(To->Length - *Copied, Length - Read);
    RtlCopyMemory(To->Bytes + *Copied, (UCHAR *)Irp->AssociatedIrp.SystemBuffer + Read, Part);
    *Copied += Part;
    Irp->Tail.Overlay.DriverContext[1] = (PVOID)(ULONG_PTR)(Read + Part);
    if (Read + Part < Length) {
        NpWait(Writer, NpWaitWrite, Irp, TRUE);
        return FALSE;
    }
    NpFinishLater(Irp, STATUS_SUCCESS, Length);
    return TRUE;
}

/* One step; *Any: there was data. TRUE: what it came from is used up. */
static BOOLEAN TakeData(NP_END *End, BUFFER *To, ULONG *Copied, BOOLEAN *Any)
{
    *Any = !IsListEmpty(&NpInput(End)->Pieces);
    return *Any ? TakeFromPiece(NpInput(End), To, Copied) : TakeFromWrite(NpOther(End), To, Copied, Any);
}

/* [Win32 "Named Pipe Type, Read, and Wait Modes"] in message mode one message, STATUS_BUFFER_OVERFLOW when there is more of it; else what
 * there is. STATUS_PENDING: nothing is. */
static NTSTATUS TakeRead(NP_END *End, BUFFER To, ULONG *Copied)
{
    BOOLEAN Any, Found = FALSE, UsedUp;
    *Copied = 0;
    do {
        UsedUp = TakeData(End, &To, Copied, &Any);
        Found = Found || Any;
    } while (UsedUp && End->ReadMode == FILE_PIPE_BYTE_STREAM_MODE && *Copied < To.Length);
    if (!Found)
        return STATUS_PENDING;
    NoteDrained(NpOther(End), NpInput(End));
    return End->ReadMode == FILE_PIPE_MESSAGE_MODE && !UsedUp ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

BOOLEAN NpHasData(const NP_END *End)
{
    return !End->Closed && !End->Disconnected;
}

/* [WDK IRP_MJ_CLEANUP] requests of other threads may still come in. */
NTSTATUS NpReadState(NP_END *End)
{
    if (End->Closed)
        return STATUS_FILE_CLOSED;
    if (End->Disconnected || End->Instance->State == FILE_PIPE_DISCONNECTED_STATE)
        return STATUS_PIPE_DISCONNECTED;
    if (End->Instance->State == FILE_PIPE_LISTENING_STATE)
        return STATUS_PIPE_LISTENING;
    return STATUS_SUCCESS;
}

NTSTATUS NpRead(NP_END *End, PIRP Irp)
{
    ULONG Copied = 0;
    NTSTATUS Status = NpReadState(End);
    if (NT_SUCCESS(Status))
        Status = TakeRead(End, ReadBuffer(Irp), &Copied);
    Irp->IoStatus.Information = Copied;
    if (Status != STATUS_PENDING)
        return Status;
    if (End->Instance->State == FILE_PIPE_CLOSING_STATE)
        return STATUS_PIPE_BROKEN;
    if (End->CompletionMode == FILE_PIPE_COMPLETE_OPERATION &&
        IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_READ)
        return STATUS_PIPE_EMPTY;
    NpWait(End, NpWaitRead, Irp, FALSE);
    return STATUS_PENDING;
}

/* --- writing --- */

/* To the reads that wait: there is no data before this then. The bytes that are left over; *Given: somebody got some of it. */
static ULONG GiveToReaders(NP_END *Reader, const UCHAR *Bytes, ULONG Length, BOOLEAN *Given)
{
    ULONG Left = Length;
    PIRP Irp;
    *Given = FALSE;
    while ((Left != 0 || !*Given) && (Irp = NpTake(Reader, NpWaitRead)) != NULL) {
        BUFFER To = ReadBuffer(Irp);
        ULONG Part = min(To.Length, Left);
        RtlCopyMemory(To.Bytes, Bytes + (Length - Left), Part);
        Left -= Part;
        *Given = TRUE;
        NpFinishLater(Irp,
                      Reader->ReadMode == FILE_PIPE_MESSAGE_MODE && Left != 0 ? STATUS_BUFFER_OVERFLOW
                                                                              : STATUS_SUCCESS,
                      Part);
    }
    return Left;
}

static NTSTATUS WriteState(NP_END *End)
{
    NTSTATUS Status = NpReadState(End);
    if (NT_SUCCESS(Status) && End->Instance->State == FILE_PIPE_CLOSING_STATE)
        return STATUS_PIPE_CLOSING;
    return Status;
}

NTSTATUS NpWriteBytes(NP_END *End, const UCHAR *Bytes, ULONG Length)
{
    BOOLEAN Given;
    NTSTATUS Status = WriteState(End);
    if (!NT_SUCCESS(Status))
        return Status;
    if (NpOutput(End)->Bytes + NpOutput(End)->Empty >
        NpOutput(End)->Quota) /* one message goes beyond it, not one of each request */
        return STATUS_PIPE_BUSY;
    ULONG Left = GiveToReaders(NpOther(End), Bytes, Length, &Given);
    return Left != 0 || !Given ? AddPiece(NpOutput(End), Bytes + (Length - Left), Left) : STATUS_SUCCESS;
}

/* [Win32 "Named Pipe Type, Read, and Wait Modes"] nobody waits: a message goes whole or not at all, of a stream what there is room for. */
static NTSTATUS WriteAtOnce(NP_END *End, const UCHAR *Bytes, ULONG Left, ULONG_PTR *Information)
{
    NP_DATA *Data = NpOutput(End);
    ULONG Room = Data->Quota > Data->Bytes ? Data->Quota - Data->Bytes : 0;
    ULONG Part = Left <= Room ? Left : IsMessagePipe(End) ? 0 : Room;
    if (Left == 0) /* that nothing was written would not tell that a message without bytes is lost */
        return Data->Empty <= Data->Quota ? AddPiece(Data, Bytes, 0) : STATUS_INSUFFICIENT_RESOURCES;
    *Information += Part;
    return Part != 0 ? AddPiece(Data, Bytes, Part) : STATUS_SUCCESS;
}

NTSTATUS NpWrite(NP_END *End, PIRP Irp)
{
    const UCHAR *Bytes = Irp->AssociatedIrp.SystemBuffer;
    ULONG Length = IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length, Left;
    BOOLEAN Given;
    NTSTATUS Status = WriteState(End);
    Irp->IoStatus.Information = 0;
    if (!NT_SUCCESS(Status) || (Length == 0 && !IsMessagePipe(End)))
        return Status;
    Left = GiveToReaders(NpOther(End), Bytes, Length, &Given);
    Irp->IoStatus.Information = Length - Left;
    if (Left == 0 && Given)
        return STATUS_SUCCESS;
    if (Fits(NpOutput(End), Left) && IsListEmpty(&End->Waiting[NpWaitWrite])) {
        Status = AddPiece(NpOutput(End), Bytes + (Length - Left), Left);
        Irp->IoStatus.Information = NT_SUCCESS(Status) ? Length : 0;
        return Status;
    }
    if (End->CompletionMode == FILE_PIPE_COMPLETE_OPERATION)
        return WriteAtOnce(End, Bytes + (Length - Left), Left, &Irp->IoStatus.Information);
    Irp->Tail.Overlay.DriverContext[1] = (PVOID)(ULONG_PTR)(Length - Left);
    NpWait(End, NpWaitWrite, Irp, FALSE);
    return STATUS_PENDING;
}

/* --- the requests --- */

static BOOLEAN MayTransfer(NP_END *End, BOOLEAN Write)
{
    NP_PIPE *Pipe = End->Instance->Pipe;
    if (Pipe == NULL || Pipe->Configuration == FILE_PIPE_FULL_DUPLEX)
        return TRUE;
    BOOLEAN FromServer = Pipe->Configuration == FILE_PIPE_OUTBOUND;
    return Write == (FromServer == End->Server);
}

static NTSTATUS Transfer(PIRP Irp, BOOLEAN Write)
{
    NP_END *End = NpEnd(IoGetCurrentIrpStackLocation(Irp)->FileObject);
    if (End == NULL)
        return NpComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    NpAcquire();
    NTSTATUS Status = !MayTransfer(End, Write) ? STATUS_INVALID_PARAMETER
                      : Write                  ? NpWrite(End, Irp)
                                               : NpRead(End, Irp);
    ULONG_PTR Information = Status != STATUS_PENDING && !NT_ERROR(Status) ? Irp->IoStatus.Information : 0;
    NpRelease();
    return Status == STATUS_PENDING ? Status : NpComplete(Irp, Status, Information);
}

NTSTATUS NTAPI NpReadRequest(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Transfer(Irp, FALSE);
}

NTSTATUS NTAPI NpWriteRequest(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return Transfer(Irp, TRUE);
}

/* [Win32 FlushFileBuffers] until the other end has read all. */
NTSTATUS NTAPI NpFlush(PDEVICE_OBJECT Device, PIRP Irp)
{
    NP_END *End = NpEnd(IoGetCurrentIrpStackLocation(Irp)->FileObject);
    UNREFERENCED_PARAMETER(Device);
    if (End == NULL)
        return NpComplete(Irp, STATUS_SUCCESS, 0);
    NpAcquire();
    NTSTATUS Status = WriteState(End);
    if (NT_SUCCESS(Status) &&
        (!IsListEmpty(&NpOutput(End)->Pieces) || !IsListEmpty(&End->Waiting[NpWaitWrite]))) {
        NpWait(End, NpWaitFlush, Irp, FALSE);
        Status = STATUS_PENDING;
    }
    NpRelease();
    return Status == STATUS_PENDING ? Status : NpComplete(Irp, Status, 0);
}

/* SPDX-License-Identifier: MIT
 * FSCTL_PIPE_...: listen, disconnect, peek, transceive, impersonate. [Win32 ConnectNamedPipe, DisconnectNamedPipe, PeekNamedPipe,
 * TransactNamedPipe, ImpersonateNamedPipeClient] */
#include "npfs.h"

static NTSTATUS Listen(NP_END *End, PIRP Irp)
{
    NP_INSTANCE *Instance = End->Instance;
    if (!End->Server)
        return STATUS_ILLEGAL_FUNCTION;
    if (Instance->State == FILE_PIPE_CONNECTED_STATE)
        return STATUS_PIPE_CONNECTED;
    if (Instance->State == FILE_PIPE_CLOSING_STATE)
        return STATUS_PIPE_CLOSING;
    if (Instance->State == FILE_PIPE_DISCONNECTED_STATE) {
        Instance->State = FILE_PIPE_LISTENING_STATE;
        NpInstanceIsFree(&Instance->Pipe->Name);
    }
    if (End->CompletionMode == FILE_PIPE_COMPLETE_OPERATION)
        return STATUS_PIPE_LISTENING;
    NpWait(End, NpWaitListen, Irp, FALSE);
    return STATUS_PENDING;
}

static VOID DropClient(NP_INSTANCE *Instance)
{
    NP_END *Client = Instance->Ends[FALSE];
    if (Client == NULL)
        return;
    for (ULONG Kind = 0; Kind < NpWaitKinds; Kind++)
        NpFinishAll(Client, Kind, STATUS_PIPE_DISCONNECTED);
    Client->Disconnected = TRUE;
    Instance->Ends[FALSE] = NULL;
}

/* What was not read is lost. */
static NTSTATUS Disconnect(NP_END *End)
{
    NP_INSTANCE *Instance = End->Instance;
    if (!End->Server)
        return STATUS_ILLEGAL_FUNCTION;
    if (Instance->State == FILE_PIPE_DISCONNECTED_STATE)
        return STATUS_PIPE_DISCONNECTED;
    Instance->State = FILE_PIPE_DISCONNECTED_STATE;
    for (ULONG Kind = 0; Kind < NpWaitKinds; Kind++)
        NpFinishAll(End, Kind, STATUS_PIPE_DISCONNECTED);
    DropClient(Instance);
    NpDiscard(&Instance->Data[0]);
    NpDiscard(&Instance->Data[1]);
    return STATUS_SUCCESS;
}

/* --- peek --- */

/* Looks at all that could be read, in its order. */
static VOID PeekData(NP_END *End, FILE_PIPE_PEEK_BUFFER *Peek, UCHAR *To, ULONG Room)
{
    PLIST_ENTRY Pieces = &NpInput(End)->Pieces;
    ULONG At = 0, Waiting = 0, First = 0, Messages = 0;
    for (PLIST_ENTRY E = Pieces->Flink; E != Pieces; E = E->Flink) {
        NP_PIECE *Piece = CONTAINING_RECORD(E, NP_PIECE, Entry);
        ULONG Left = Piece->Length - Piece->Offset;
        if (At < Room)
            RtlCopyMemory(To + At, Piece->Data + Piece->Offset, min(Left, Room - At));
        if (Messages++ == 0)
            First = Left;
        At += Left;
    }
    if (NpOther(End) != NULL)
        Waiting = NpPeekWaiting(NpOther(End), To + min(At, Room), Room - min(At, Room), &Messages, &First);
    Peek->ReadDataAvailable = At + Waiting;
    Peek->NumberOfMessages = End->ReadMode == FILE_PIPE_MESSAGE_MODE ? Messages : 0;
    Peek->MessageLength = End->ReadMode == FILE_PIPE_MESSAGE_MODE ? First : 0;
}

static NTSTATUS Peek(NP_END *End, PIRP Irp, ULONG Length)
{
    FILE_PIPE_PEEK_BUFFER *Peek = Irp->AssociatedIrp.SystemBuffer;
    ULONG Header = FIELD_OFFSET(FILE_PIPE_PEEK_BUFFER, Data);
    NTSTATUS Status = NpReadState(End);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Length < Header)
        return STATUS_INVALID_PARAMETER;
    PeekData(End, Peek, (UCHAR *)Peek->Data, Length - Header);
    Peek->NamedPipeState = End->Instance->State;
    if (Peek->ReadDataAvailable == 0 && End->Instance->State == FILE_PIPE_CLOSING_STATE)
        return STATUS_PIPE_BROKEN;
    ULONG Shown = min(Length - Header, End->ReadMode == FILE_PIPE_MESSAGE_MODE ? Peek->MessageLength
                                                                               : Peek->ReadDataAvailable);
    Irp->IoStatus.Information = Header + Shown;
    return End->ReadMode == FILE_PIPE_MESSAGE_MODE && Shown < Peek->MessageLength ? STATUS_BUFFER_OVERFLOW
                                                                                  : STATUS_SUCCESS;
}

/* --- transceive --- */

/* [Win32 TransactNamedPipe] a pipe that is read in messages, in both directions, with nothing unread. */
static NTSTATUS CheckTransceive(NP_END *End)
{
    NTSTATUS Status = NpReadState(End);
    if (!NT_SUCCESS(Status))
        return Status;
    if (End->Instance->Pipe == NULL)
        return STATUS_PIPE_BROKEN;
    if (End->ReadMode != FILE_PIPE_MESSAGE_MODE ||
        End->Instance->Pipe->Configuration != FILE_PIPE_FULL_DUPLEX)
        return STATUS_INVALID_PIPE_STATE;
    if (!IsListEmpty(&NpInput(End)->Pieces) ||
        (NpOther(End) != NULL && !IsListEmpty(&NpOther(End)->Waiting[NpWaitWrite])))
        return STATUS_PIPE_BUSY;
    return STATUS_SUCCESS;
}

/* METHOD_NEITHER: both buffers are the caller's own. The answer's is locked, for it may come in another process; the I/O manager lets it
 * go with the IRP. */
static NTSTATUS LockAnswer(PIRP Irp, ULONG Length)
{
    NTSTATUS Status = STATUS_SUCCESS;
    if (Length == 0)
        return STATUS_SUCCESS;
    PMDL Mdl = IoAllocateMdl(Irp->UserBuffer, Length, FALSE, FALSE, NULL);
    if (Mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        MmProbeAndLockPages(Mdl, Irp->RequestorMode, IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (!NT_SUCCESS(Status)) {
        IoFreeMdl(Mdl);
        return Status;
    }
    Irp->MdlAddress = Mdl;
    UCHAR *Address = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority | MdlMappingNoExecute);
    NpSetReadBuffer(Irp, Address, Length);
    return Address != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS CaptureRequest(PIRP Irp, PVOID From, ULONG Length, UCHAR **Copy)
{
    NTSTATUS Status = STATUS_SUCCESS;
    *Copy = ExAllocatePool2(POOL_FLAG_PAGED, max(Length, 1), NP_TAG);
    if (*Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    __try {
        if (Irp->RequestorMode != KernelMode)
            ProbeForRead(From, Length, 1);
        RtlCopyMemory(*Copy, From, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(*Copy, NP_TAG);
    return Status;
}

static NTSTATUS Transceive(NP_END *End, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    UCHAR *Request;
    ULONG Length = Stack->Parameters.FileSystemControl.InputBufferLength;
    NpSetReadBuffer(Irp, NULL, 0);
    NTSTATUS Status =
        CaptureRequest(Irp, Stack->Parameters.FileSystemControl.Type3InputBuffer, Length, &Request);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = LockAnswer(Irp, Stack->Parameters.FileSystemControl.OutputBufferLength);
    if (NT_SUCCESS(Status)) {
        NpAcquire();
        Status = CheckTransceive(End);
        if (NT_SUCCESS(Status))
            Status = NpWriteBytes(End, Request, Length);
        if (NT_SUCCESS(Status))
            Status = NpRead(End, Irp);
        NpRelease();
    }
    ExFreePoolWithTag(Request, NP_TAG);
    return Status;
}

/* [Win32 ImpersonateNamedPipeClient] the thread of the server that asks. */
static NTSTATUS Impersonate(NP_END *End)
{
    if (!End->Server)
        return STATUS_ILLEGAL_FUNCTION;
    NP_END *Client = NpOther(End);
    return Client != NULL && Client->HasSecurity
               ? SeImpersonateClientEx(&Client->Security, PsGetCurrentThread())
               : STATUS_CANNOT_IMPERSONATE;
}

static NTSTATUS ControlLocked(NP_END *End, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    if (End->Closed)
        return STATUS_FILE_CLOSED;
    switch (Stack->Parameters.FileSystemControl.FsControlCode) {
    case FSCTL_PIPE_LISTEN:
        return Listen(End, Irp);
    case FSCTL_PIPE_DISCONNECT:
        return Disconnect(End);
    case FSCTL_PIPE_PEEK:
        return Peek(End, Irp, Stack->Parameters.FileSystemControl.OutputBufferLength);
    case FSCTL_PIPE_IMPERSONATE:
        return Impersonate(End);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static NTSTATUS Control(PIRP Irp, PIO_STACK_LOCATION Stack, ULONG_PTR *Information)
{
    NP_END *End = NpEnd(Stack->FileObject);
    NTSTATUS Status;
    Irp->IoStatus.Information = 0;
    if (Stack->MinorFunction != IRP_MN_USER_FS_REQUEST && Stack->MinorFunction != IRP_MN_KERNEL_CALL)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Stack->Parameters.FileSystemControl.FsControlCode == FSCTL_PIPE_WAIT) {
        NpAcquire();
        Status = NpWaitForPipe(Irp, Stack);
        NpRelease();
        return Status;
    }
    if (End == NULL)
        return STATUS_INVALID_PARAMETER;
    if (Stack->Parameters.FileSystemControl.FsControlCode == FSCTL_PIPE_TRANSCEIVE) {
        Status = Transceive(End, Irp, Stack);
    } else {
        NpAcquire();
        Status = ControlLocked(End, Irp, Stack);
        NpRelease();
    }
    if (Status != STATUS_PENDING && !NT_ERROR(Status)) /* a pending IRP is not ours any more */
        *Information = Irp->IoStatus.Information;
    return Status;
}

NTSTATUS NTAPI NpFsControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    ULONG_PTR Information = 0;
    UNREFERENCED_PARAMETER(Device);
    NTSTATUS Status = Control(Irp, IoGetCurrentIrpStackLocation(Irp), &Information);
    return Status == STATUS_PENDING ? Status : NpComplete(Irp, Status, Information);
}

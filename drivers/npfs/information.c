/* SPDX-License-Identifier: MIT
 * What an end tells, and the modes that can be set. The I/O manager has checked the least lengths. [WDK FILE_PIPE_INFORMATION,
 * FILE_PIPE_LOCAL_INFORMATION] */
#include "npfs.h"

static ULONG FillPipe(NP_END *End, PVOID Buffer)
{
    FILE_PIPE_INFORMATION *Pipe = Buffer;
    Pipe->ReadMode = End->ReadMode;
    Pipe->CompletionMode = End->CompletionMode;
    return sizeof(*Pipe);
}

static ULONG FillLocal(NP_END *End, PVOID Buffer)
{
    FILE_PIPE_LOCAL_INFORMATION *Local = Buffer;
    const NP_DATA None = {.Bytes = 0}, *In = NpHasData(End) ? NpInput(End) : &None,
                  *Out = NpHasData(End) ? NpOutput(End) : &None;
    *Local = (FILE_PIPE_LOCAL_INFORMATION){
        .InboundQuota = End->Instance->Data[TRUE].Quota,
        .OutboundQuota = End->Instance->Data[FALSE].Quota,
        .ReadDataAvailable = In->Bytes,
        .WriteQuotaAvailable = Out->Quota > Out->Bytes ? Out->Quota - Out->Bytes : 0,
        .NamedPipeState = End->Disconnected ? FILE_PIPE_DISCONNECTED_STATE : End->Instance->State,
        .NamedPipeEnd = End->Server ? FILE_PIPE_SERVER_END : FILE_PIPE_CLIENT_END};
    if (End->Instance->Pipe != NULL) { /* gone with its server */
        Local->NamedPipeType = End->Instance->Pipe->Type;
        Local->NamedPipeConfiguration = End->Instance->Pipe->Configuration;
        Local->MaximumInstances = End->Instance->Pipe->MaximumInstances;
        Local->CurrentInstances = End->Instance->Pipe->CurrentInstances;
    }
    return sizeof(*Local);
}

static ULONG FillStandard(NP_END *End, PVOID Buffer)
{
    FILE_STANDARD_INFORMATION *Standard = Buffer;
    *Standard = (FILE_STANDARD_INFORMATION){.EndOfFile.QuadPart = NpHasData(End) ? NpInput(End)->Bytes : 0,
                                            .AllocationSize.QuadPart = NpInput(End)->Quota,
                                            .NumberOfLinks = 1,
                                            .DeletePending = TRUE};
    return sizeof(*Standard);
}

NTSTATUS NTAPI NpQuery(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NP_END *End = NpEnd(Stack->FileObject);
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG Length = 0;
    UNREFERENCED_PARAMETER(Device);
    if (End == NULL)
        return NpComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    NpAcquire();
    switch (Stack->Parameters.QueryFile.FileInformationClass) {
    case FilePipeInformation:
        Length = FillPipe(End, Buffer);
        break;
    case FilePipeLocalInformation:
        Length = FillLocal(End, Buffer);
        break;
    case FileStandardInformation:
        Length = FillStandard(End, Buffer);
        break;
    default:
        break;
    }
    NpRelease();
    return NpComplete(Irp, Length != 0 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER, Length);
}

/* [WDK FILE_PIPE_INFORMATION] a stream has no messages to be read. */
static NTSTATUS SetModes(NP_END *End, const FILE_PIPE_INFORMATION *Given)
{
    if (Given->ReadMode > FILE_PIPE_MESSAGE_MODE || Given->CompletionMode > FILE_PIPE_COMPLETE_OPERATION)
        return STATUS_INVALID_PARAMETER;
    if (!NpHasData(End) || End->Instance->Pipe == NULL)
        return STATUS_PIPE_DISCONNECTED;
    if (Given->ReadMode == FILE_PIPE_MESSAGE_MODE && End->Instance->Pipe->Type != FILE_PIPE_MESSAGE_TYPE)
        return STATUS_INVALID_PARAMETER;
    if (Given->CompletionMode == FILE_PIPE_COMPLETE_OPERATION &&
        End->CompletionMode != Given->CompletionMode &&
        (!IsListEmpty(&End->Waiting[NpWaitRead]) || !IsListEmpty(&End->Waiting[NpWaitWrite])))
        return STATUS_PIPE_BUSY;
    End->ReadMode = Given->ReadMode;
    End->CompletionMode = Given->CompletionMode;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI NpSet(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(Device);
    if (NpEnd(Stack->FileObject) == NULL ||
        Stack->Parameters.SetFile.FileInformationClass != FilePipeInformation)
        return NpComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    NpAcquire();
    NTSTATUS Status = SetModes(NpEnd(Stack->FileObject), Irp->AssociatedIrp.SystemBuffer);
    NpRelease();
    return NpComplete(Irp, Status, 0);
}

/* SPDX-License-Identifier: MIT
 * What may be asked of the file systems of pipes and mailslots when one is made. */
#include "iop.h"

/* [WDK NtCreateNamedPipeFile] a message-type pipe can be read as a stream, not the other way round; the time-out is relative. */
static BOOLEAN IopPipeIsValid(const NAMED_PIPE_CREATE_PARAMETERS *Pipe, const IOP_OPEN *Open)
{
    ULONG Type = Pipe->NamedPipeType & FILE_PIPE_MESSAGE_TYPE;
    if ((Pipe->NamedPipeType & ~(ULONG)FILE_PIPE_TYPE_VALID_MASK) != 0 ||
        Pipe->ReadMode > FILE_PIPE_MESSAGE_MODE || Pipe->CompletionMode > FILE_PIPE_COMPLETE_OPERATION)
        return FALSE;
    if (Pipe->ReadMode == FILE_PIPE_MESSAGE_MODE && Type != FILE_PIPE_MESSAGE_TYPE)
        return FALSE;
    if (Pipe->TimeoutSpecified && Pipe->DefaultTimeout.QuadPart >= 0)
        return FALSE;
    return Pipe->MaximumInstances != 0 && (Open->CreateOptions & ~(ULONG)FILE_VALID_PIPE_OPTION_FLAGS) == 0 &&
           (Open->ShareAccess & ~(FILE_SHARE_READ | FILE_SHARE_WRITE)) == 0 && Open->ShareAccess != 0 &&
           Open->Disposition >= FILE_OPEN && Open->Disposition <= FILE_OPEN_IF;
}

static BOOLEAN IopMailslotIsValid(const MAILSLOT_CREATE_PARAMETERS *Mailslot, const IOP_OPEN *Open)
{
    return (!Mailslot->TimeoutSpecified || Mailslot->ReadTimeout.QuadPart <= 0 ||
            Mailslot->ReadTimeout.QuadPart == -1) &&
           (Open->CreateOptions & ~(ULONG)FILE_VALID_MAILSLOT_OPTION_FLAGS) == 0 &&
           Open->Disposition == FILE_CREATE;
}

BOOLEAN IopTypeIsValid(const IOP_OPEN *Open)
{
    if (Open->Type == CreateFileTypeNone)
        return TRUE;
    if (Open->TypeParameters == NULL)
        return FALSE;
    if (Open->Type == CreateFileTypeNamedPipe)
        return IopPipeIsValid(Open->TypeParameters, Open);
    return Open->Type == CreateFileTypeMailslot && IopMailslotIsValid(Open->TypeParameters, Open);
}

/* SPDX-License-Identifier: MIT
 * The end of an end. [Win32 DisconnectNamedPipe, CloseHandle] The other one reads what is left, then hears that the pipe is broken. */
#include "npfs.h"

static VOID EndOwnRequests(NP_END *End)
{
    for (ULONG Kind = 0; Kind < NpWaitKinds; Kind++)
        NpFinishAll(End, Kind, STATUS_PIPE_BROKEN);
}

/* It waits for nothing that will not come. */
static VOID TellOther(NP_END *Other)
{
    NpFinishAll(Other, NpWaitRead, STATUS_PIPE_BROKEN);
    NpFinishAll(Other, NpWaitWrite, STATUS_PIPE_BROKEN);
    NpFinishAll(Other, NpWaitFlush, STATUS_PIPE_BROKEN);
}

/* Once: a driver may open the file object again by its pointer, and close that. */
static VOID LeaveInstance(NP_END *End)
{
    NP_INSTANCE *Instance = End->Instance;
    if (End->Closed)
        return;
    End->Closed = TRUE;
    EndOwnRequests(End);
    if (!End->Disconnected) {
        Instance->Ends[End->Server] = NULL;
        if (Instance->State == FILE_PIPE_CONNECTED_STATE)
            Instance->State = FILE_PIPE_CLOSING_STATE;
        if (NpOther(End) != NULL)
            TellOther(NpOther(End));
        NpDiscard(NpInput(End)); /* nobody reads that any more */
    }
    if (End->Server)
        NpRemoveInstance(Instance);
}

NTSTATUS NTAPI NpCleanup(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    UNREFERENCED_PARAMETER(Device);
    if (NpEnd(File) != NULL) {
        NpAcquire();
        LeaveInstance(NpEnd(File));
        NpRelease();
    }
    return NpComplete(Irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI NpClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    NP_END *End = NpEnd(File);
    UNREFERENCED_PARAMETER(Device);
    if (End != NULL) {
        NpAcquire();
        NpDereferenceInstance(End->Instance);
        NpRelease();
        if (End->HasSecurity)
            SeDeleteClientSecurity(&End->Security);
        ExFreePoolWithTag(End, NP_TAG);
        File->FsContext = NULL;
    } else if (File->FsContext2 != NULL) {
        FsEndScan(File->FsContext2);
        ExFreePoolWithTag(File->FsContext2, NP_TAG);
        File->FsContext2 = NULL;
    }
    return NpComplete(Irp, STATUS_SUCCESS, 0);
}

/* SPDX-License-Identifier: MIT
 * The directory of pipes: the file system opened as "\Device\NamedPipe\". [Win32 "Pipe Names", ZwQueryDirectoryFile] Of a pipe EndOfFile is the
 * number of its instances, AllocationSize how many there may be. */
#include "npfs.h"

/* Context: not used; the place is the pipe's Order. */
static BOOLEAN NextEntry(PVOID Context, ULONG64 *Place, FS_ENTRY *Entry)
{
    NP_PIPE *Pipe = NpPipeFrom(*Place);
    UNREFERENCED_PARAMETER(Context);
    if (Pipe == NULL)
        return FALSE;
    *Entry = (FS_ENTRY){.EndOfFile.QuadPart = Pipe->CurrentInstances,
                        .AllocationSize.QuadPart = Pipe->MaximumInstances,
                        .FileId.QuadPart = (LONGLONG)Pipe->Order,
                        .Attributes = FILE_ATTRIBUTE_NORMAL,
                        .Name = Pipe->Name.Buffer,
                        .NameLength = Pipe->Name.Length};
    *Place = Pipe->Order + 1;
    return TRUE;
}

NTSTATUS NTAPI NpDirectoryControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    FS_ENTRY_LIST List;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(Device);
    FS_SCAN *Scan = NpEnd(Stack->FileObject) == NULL ? Stack->FileObject->FsContext2 : NULL;
    if (Scan == NULL) /* a pipe, or the device */
        return NpComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Stack->MinorFunction != IRP_MN_QUERY_DIRECTORY)
        return NpComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    NTSTATUS Status = FsPrepareList(Irp, &List);
    if (!NT_SUCCESS(Status))
        return NpComplete(Irp, Status, 0);
    NpAcquire();
    Status = FsScan(Scan, Stack, &List, NextEntry, NULL);
    NpRelease();
    return NpComplete(Irp, Status, NT_ERROR(Status) ? 0 : List.End);
}

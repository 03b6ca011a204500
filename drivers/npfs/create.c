/* SPDX-License-Identifier: MIT
 * Making an instance (the server) and opening one (the client). [WDK NtCreateNamedPipeFile, IRP_MJ_CREATE_NAMED_PIPE] */
#include "npfs.h"

/* Is it a name of a pipe? "\name" without more separators; *Name is what follows the first. */
static NTSTATUS PipeName(PFILE_OBJECT File, PUNICODE_STRING Name)
{
    *Name = File->FileName;
    if (Name->Length % sizeof(WCHAR) != 0)
        return STATUS_OBJECT_NAME_INVALID;
    if (Name->Length != 0 && Name->Buffer[0] == L'\\') {
        if (File->RelatedFileObject != NULL)
            return STATUS_OBJECT_NAME_INVALID;
        Name->Buffer++;
        Name->Length -= sizeof(WCHAR);
    } else if (Name->Length != 0 &&
               (File->RelatedFileObject == NULL || NpEnd(File->RelatedFileObject) != NULL)) {
        return STATUS_OBJECT_NAME_INVALID; /* relative, and not to the file system */
    }
    return STATUS_SUCCESS;
}

static NP_END *MakeEnd(BOOLEAN Server)
{
    NP_END *End = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*End), NP_TAG);
    if (End == NULL)
        return NULL;
    End->Server = Server;
    for (ULONG i = 0; i < NpWaitKinds; i++)
        InitializeListHead(&End->Waiting[i]);
    return End;
}

/* --- the server --- */

/* [WDK NtCreateNamedPipeFile] what clients may share is what the pipe is good for: FILE_SHARE_READ: the server writes. */
static ULONG Configuration(ULONG Share)
{
    if (Share == FILE_SHARE_READ)
        return FILE_PIPE_OUTBOUND;
    return Share == FILE_SHARE_WRITE ? FILE_PIPE_INBOUND : FILE_PIPE_FULL_DUPLEX;
}

static NTSTATUS FindOrMakePipe(PIO_STACK_LOCATION Stack, PCUNICODE_STRING Name, NP_PIPE **Pipe,
                               ULONG_PTR *Information)
{
    const NAMED_PIPE_CREATE_PARAMETERS *Parameters = Stack->Parameters.CreatePipe.Parameters;
    ULONG Disposition = Stack->Parameters.CreatePipe.Options >> 24;
    ULONG Wanted = Configuration(Stack->Parameters.CreatePipe.ShareAccess);
    *Pipe = NpFindPipe(Name);
    *Information = *Pipe != NULL ? FILE_OPENED : FILE_CREATED;
    if (*Pipe == NULL && Disposition == FILE_OPEN)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (*Pipe == NULL)
        return NpMakePipe(Name, Parameters, Wanted, Pipe);
    if (Disposition == FILE_CREATE || (*Pipe)->Configuration != Wanted ||
        (*Pipe)->Type != (Parameters->NamedPipeType & FILE_PIPE_MESSAGE_TYPE))
        return STATUS_ACCESS_DENIED;
    return (*Pipe)->CurrentInstances < (*Pipe)->MaximumInstances ? STATUS_SUCCESS
                                                                 : STATUS_INSTANCE_NOT_AVAILABLE;
}

static NTSTATUS MakeServer(PIO_STACK_LOCATION Stack, PCUNICODE_STRING Name, NP_END *End,
                           ULONG_PTR *Information)
{
    NP_PIPE *Pipe;
    NpAcquire();
    NTSTATUS Status = FindOrMakePipe(Stack, Name, &Pipe, Information);
    if (NT_SUCCESS(Status)) {
        Status = NpMakeInstance(Pipe, Stack->Parameters.CreatePipe.Parameters, End);
        if (!NT_SUCCESS(Status) && *Information == FILE_CREATED) {
            RemoveEntryList(&Pipe->Entry);
            ExFreePoolWithTag(Pipe, NP_TAG);
        }
    }
    if (NT_SUCCESS(Status))
        NpInstanceIsFree(&Pipe->Name);
    NpRelease();
    return Status;
}

NTSTATUS NTAPI NpCreatePipe(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNICODE_STRING Name;
    ULONG_PTR Information = 0;
    UNREFERENCED_PARAMETER(Device);
    NTSTATUS Status = PipeName(Stack->FileObject, &Name);
    if (NT_SUCCESS(Status) && Name.Length == 0)
        Status = STATUS_OBJECT_NAME_INVALID;
    if (!NT_SUCCESS(Status))
        return NpComplete(Irp, Status, 0);
    NP_END *End = MakeEnd(TRUE);
    if (End == NULL)
        return NpComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    End->ReadMode = Stack->Parameters.CreatePipe.Parameters->ReadMode;
    End->CompletionMode = Stack->Parameters.CreatePipe.Parameters->CompletionMode;
    Status = MakeServer(Stack, &Name, End, &Information);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(End, NP_TAG);
        return NpComplete(Irp, Status, 0);
    }
    Stack->FileObject->FsContext = End;
    return NpComplete(Irp, STATUS_SUCCESS, Information);
}

/* --- the client --- */

static BOOLEAN MayOpen(const NP_PIPE *Pipe, ACCESS_MASK Access)
{
    if (Pipe->Configuration == FILE_PIPE_INBOUND)
        return !(Access & FILE_READ_DATA);
    return Pipe->Configuration != FILE_PIPE_OUTBOUND || !(Access & (FILE_WRITE_DATA));
}

/* Who waits for a client has one. */
static NTSTATUS ConnectLocked(PCUNICODE_STRING Name, ACCESS_MASK Access, NP_END *End)
{
    NP_PIPE *Pipe = NpFindPipe(Name);
    if (Pipe == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (!MayOpen(Pipe, Access))
        return STATUS_ACCESS_DENIED;
    NP_INSTANCE *Instance = NpListeningInstance(Pipe);
    if (Instance == NULL)
        return STATUS_PIPE_NOT_AVAILABLE;
    End->Instance = Instance;
    Instance->References++;
    Instance->Ends[FALSE] = End;
    Instance->State = FILE_PIPE_CONNECTED_STATE;
    NpFinishAll(Instance->Ends[TRUE], NpWaitListen, STATUS_SUCCESS);
    return STATUS_SUCCESS;
}

/* [WDK SECURITY_QUALITY_OF_SERVICE] whom the server may impersonate, and how far. */
static NTSTATUS CaptureClient(PIO_STACK_LOCATION Stack, NP_END *End)
{
    SECURITY_QUALITY_OF_SERVICE Default = {sizeof(Default), SecurityImpersonation, SECURITY_STATIC_TRACKING,
                                           FALSE};
    PSECURITY_QUALITY_OF_SERVICE Given = Stack->Parameters.Create.SecurityContext->SecurityQos;
    NTSTATUS Status =
        SeCreateClientSecurity(PsGetCurrentThread(), Given != NULL ? Given : &Default, FALSE, &End->Security);
    End->HasSecurity = NT_SUCCESS(Status);
    return Status;
}

static NTSTATUS Connect(PIO_STACK_LOCATION Stack, PCUNICODE_STRING Name)
{
    NP_END *End = MakeEnd(FALSE);
    if (End == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = CaptureClient(Stack, End);
    if (NT_SUCCESS(Status)) {
        NpAcquire();
        Status = ConnectLocked(Name, Stack->Parameters.Create.SecurityContext->DesiredAccess, End);
        if (NT_SUCCESS(Status))
            Stack->FileObject->FsContext = End;
        NpRelease();
    }
    if (NT_SUCCESS(Status))
        return Status;
    if (End->HasSecurity)
        SeDeleteClientSecurity(&End->Security);
    ExFreePoolWithTag(End, NP_TAG);
    return Status;
}

/* Without a name: the file system itself, for FSCTL_PIPE_WAIT; with a backslash its directory. */
static NTSTATUS OpenFileSystem(PIO_STACK_LOCATION Stack)
{
    PFILE_OBJECT File = Stack->FileObject;
    if (File->FileName.Length == 0)
        return Stack->Parameters.Create.Options & FILE_DIRECTORY_FILE ? STATUS_NOT_A_DIRECTORY
                                                                      : STATUS_SUCCESS;
    if (Stack->Parameters.Create.Options & FILE_NON_DIRECTORY_FILE)
        return STATUS_FILE_IS_A_DIRECTORY;
    File->FsContext2 = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(FS_SCAN), NP_TAG);
    return File->FsContext2 != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI NpCreate(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Disposition = Stack->Parameters.Create.Options >> 24;
    UNICODE_STRING Name;
    UNREFERENCED_PARAMETER(Device);
    NTSTATUS Status = PipeName(Stack->FileObject, &Name);
    if (NT_SUCCESS(Status) && Disposition != FILE_OPEN && Disposition != FILE_OPEN_IF && Name.Length != 0)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Status = Name.Length != 0 ? Connect(Stack, &Name) : OpenFileSystem(Stack);
    return NpComplete(Irp, Status, NT_SUCCESS(Status) ? FILE_OPENED : 0);
}

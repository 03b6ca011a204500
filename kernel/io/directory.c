/* SPDX-License-Identifier: MIT
 * NtQueryDirectoryFile and NtNotifyChangeDirectoryFile. The file system gets the caller's buffer as its device says, and a copy of the
 * pattern that goes with the IRP. */
#include "iop.h"
#include "mm_caller.h"

static const struct {
    FILE_INFORMATION_CLASS Class;
    ULONG Least;
} IopDirectoryClasses[] = {
    {FileDirectoryInformation, FIELD_OFFSET(FILE_DIRECTORY_INFORMATION, FileName)},
    {FileFullDirectoryInformation, FIELD_OFFSET(FILE_FULL_DIR_INFORMATION, FileName)},
    {FileBothDirectoryInformation, FIELD_OFFSET(FILE_BOTH_DIR_INFORMATION, FileName)},
    {FileNamesInformation, FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName)},
    {FileIdBothDirectoryInformation, FIELD_OFFSET(FILE_ID_BOTH_DIR_INFORMATION, FileName)},
    {FileIdFullDirectoryInformation, FIELD_OFFSET(FILE_ID_FULL_DIR_INFORMATION, FileName)},
};

/* [WDK ZwQueryDirectoryFile] STATUS_INFO_LENGTH_MISMATCH: not even an entry without a name fits. */
static NTSTATUS IopCheckDirectoryClass(FILE_INFORMATION_CLASS Class, ULONG Length)
{
    for (ULONG I = 0; I < RTL_NUMBER_OF(IopDirectoryClasses); I++) {
        if (IopDirectoryClasses[I].Class == Class)
            return Length >= IopDirectoryClasses[I].Least + sizeof(WCHAR) ? STATUS_SUCCESS
                                                                          : STATUS_INFO_LENGTH_MISMATCH;
    }
    return STATUS_INVALID_INFO_CLASS;
}

/* String and characters in one block, the IRP's. An empty pattern is none. */
static NTSTATUS IopCapturePattern(PIRP Irp, PUNICODE_STRING Given, KPROCESSOR_MODE Mode)
{
    UNICODE_STRING Name;
    if (Given == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = IopReadRequestor(&Name, Given, sizeof(Name), Mode);
    if (!NT_SUCCESS(Status) || Name.Length == 0)
        return Status;
    if (Name.Length % sizeof(WCHAR) != 0)
        return STATUS_INVALID_PARAMETER;
    PUNICODE_STRING Copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Copy) + Name.Length, IOP_TAG_BUFFER);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Irp->Tail.Overlay.AuxiliaryBuffer = (PCHAR)Copy;
    *Copy = (UNICODE_STRING){Name.Length, Name.Length, (PWCHAR)(Copy + 1)};
    return IopReadRequestor(Copy->Buffer, Name.Buffer, Name.Length, Mode);
}

static NTSTATUS IopProbeOutput(PVOID Buffer, ULONG Length, KPROCESSOR_MODE Mode)
{
    return Length != 0 ? MmProbeCallerOutput(Buffer, Length, Mode) : STATUS_SUCCESS;
}

/* The stack location is filled in. */
static NTSTATUS IopSendDirectory(IOP_REQUEST *Request, PVOID Buffer, ULONG Length)
{
    NTSTATUS Status = IopSetUpTransfer(Request->Irp, Request->Device, IRP_MJ_DIRECTORY_CONTROL, Buffer,
                                       Length, Request->Mode, NULL);
    if (NT_SUCCESS(Status))
        return IopSendRequest(Request, FALSE);
    IopAbandonRequest(Request);
    return Status;
}

typedef struct _IOP_DIRECTORY_QUERY {
    PVOID Buffer;
    ULONG Length;
    FILE_INFORMATION_CLASS Class;
    PUNICODE_STRING Pattern;
    UCHAR Flags;
} IOP_DIRECTORY_QUERY;

static NTSTATUS IopQueryDirectory(const IOP_CALLER *Caller, const IOP_DIRECTORY_QUERY *Query)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    NTSTATUS Status = IopCheckDirectoryClass(Query->Class, Query->Length);
    if (NT_SUCCESS(Status))
        Status = IopProbeOutput(Query->Buffer, Query->Length, Caller->Mode);
    if (NT_SUCCESS(Status))
        Status = IopBeginRequest(&Request, Caller, IRP_MJ_DIRECTORY_CONTROL);
    if (Status != STATUS_SUCCESS)
        return Status;
    Status = IopCapturePattern(Request.Irp, Query->Pattern, Caller->Mode);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Request);
        return Status;
    }
    Request.Stack->MinorFunction = IRP_MN_QUERY_DIRECTORY;
    Request.Stack->Flags = Query->Flags;
    Request.Stack->Parameters.QueryDirectory.Length = Query->Length;
    Request.Stack->Parameters.QueryDirectory.FileName =
        (PUNICODE_STRING)Request.Irp->Tail.Overlay.AuxiliaryBuffer;
    Request.Stack->Parameters.QueryDirectory.FileInformationClass = Query->Class;
    return IopSendDirectory(&Request, Query->Buffer, Query->Length);
}

static UCHAR IopQueryFlags(BOOLEAN Single, BOOLEAN Restart)
{
    return (UCHAR)((Single ? SL_RETURN_SINGLE_ENTRY : 0) | (Restart ? SL_RESTART_SCAN : 0));
}

/* [WDK ZwQueryDirectoryFile] */
NTSTATUS NTAPI ZwQueryDirectoryFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                    PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                    FILE_INFORMATION_CLASS Class, BOOLEAN ReturnSingleEntry,
                                    PUNICODE_STRING FileName, BOOLEAN RestartScan)
{
    const IOP_CALLER Caller = {File,       FILE_LIST_DIRECTORY, FALSE, Event,
                               ApcRoutine, ApcContext,          Iosb,  KernelMode};
    const IOP_DIRECTORY_QUERY Query = {Buffer, Length, Class, FileName,
                                       IopQueryFlags(ReturnSingleEntry, RestartScan)};
    return IopQueryDirectory(&Caller, &Query);
}

NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                    PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                    FILE_INFORMATION_CLASS Class, BOOLEAN ReturnSingleEntry,
                                    PUNICODE_STRING FileName, BOOLEAN RestartScan)
{
    const IOP_CALLER Caller = {File,       FILE_LIST_DIRECTORY, FALSE, Event,
                               ApcRoutine, ApcContext,          Iosb,  ExGetPreviousMode()};
    const IOP_DIRECTORY_QUERY Query = {Buffer, Length, Class, FileName,
                                       IopQueryFlags(ReturnSingleEntry, RestartScan)};
    return IopQueryDirectory(&Caller, &Query);
}

/* [WDK IRP_MJ_DIRECTORY_CONTROL, FltNotify] The request is pending until something changes that the filter lets through. */
NTSTATUS NTAPI NtNotifyChangeDirectoryFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                                           PVOID ApcContext, PIO_STATUS_BLOCK Iosb, PVOID Buffer,
                                           ULONG Length, ULONG CompletionFilter, BOOLEAN WatchTree)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    const IOP_CALLER Caller = {File,       FILE_LIST_DIRECTORY, FALSE, Event,
                               ApcRoutine, ApcContext,          Iosb,  ExGetPreviousMode()};
    if (CompletionFilter == 0 || (CompletionFilter & ~(ULONG)FILE_NOTIFY_VALID_MASK) != 0)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = IopProbeOutput(Buffer, Length, Caller.Mode);
    if (NT_SUCCESS(Status))
        Status = IopBeginRequest(&Request, &Caller, IRP_MJ_DIRECTORY_CONTROL);
    if (Status != STATUS_SUCCESS)
        return Status;
    Request.Stack->MinorFunction = IRP_MN_NOTIFY_CHANGE_DIRECTORY;
    Request.Stack->Flags = WatchTree ? SL_WATCH_TREE : 0;
    Request.Stack->Parameters.NotifyDirectory.Length = Length;
    Request.Stack->Parameters.NotifyDirectory.CompletionFilter = CompletionFilter;
    return IopSendDirectory(&Request, Buffer, Length);
}

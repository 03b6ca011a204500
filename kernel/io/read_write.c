/* SPDX-License-Identifier: MIT
 * ZwReadFile and ZwWriteFile, and what user mode calls. */
#include "fast_io.h"
#include "mm_caller.h"
#include "mm_section.h"

/* What the caller gave, read once. */
typedef struct _IOP_TRANSFER {
    PVOID Buffer;
    ULONG Length;
    LARGE_INTEGER Offset;
    ULONG Key;
    BOOLEAN HasOffset, HasKey;
} IOP_TRANSFER;

static BOOLEAN IopMeansFilePointer(const IOP_TRANSFER *Given)
{
    return !Given->HasOffset ||
           (Given->Offset.LowPart == FILE_USE_FILE_POINTER_POSITION && Given->Offset.HighPart == -1);
}

static BOOLEAN IopMeansEndOfFile(LARGE_INTEGER Offset)
{
    return Offset.LowPart == FILE_WRITE_TO_END_OF_FILE && Offset.HighPart == -1;
}

/* [WDK ZwReadFile] [WDK ZwWriteFile] a synchronous file has a position, an asynchronous one (but a pipe or mailslot) needs an offset. */
static NTSTATUS IopChooseOffset(PFILE_OBJECT File, const IOP_TRANSFER *Given, BOOLEAN Write,
                                PLARGE_INTEGER Offset)
{
    Offset->QuadPart = 0;
    if (IopMeansFilePointer(Given)) {
        if (File->Flags & FO_SYNCHRONOUS_IO)
            *Offset = File->CurrentByteOffset;
        else if (!(File->Flags & (FO_NAMED_PIPE | FO_MAILSLOT)))
            return STATUS_INVALID_PARAMETER;
        return STATUS_SUCCESS;
    }
    if (Given->Offset.QuadPart < 0 && !(Write && IopMeansEndOfFile(Given->Offset)))
        return STATUS_INVALID_PARAMETER;
    *Offset = Given->Offset;
    return STATUS_SUCCESS;
}

/* Read and Write have the same layout in the stack location. */
static VOID IopFillTransfer(IOP_REQUEST *Request, BOOLEAN Write, const IOP_TRANSFER *Given,
                            LARGE_INTEGER Offset)
{
    Request->Irp->Flags |= Write ? IRP_WRITE_OPERATION : IRP_READ_OPERATION;
    Request->Stack->Parameters.Read.Length = Given->Length;
    Request->Stack->Parameters.Read.ByteOffset = Offset;
    if (Given->HasKey) {
        Request->Stack->Parameters.Read.Key = Given->Key;
        Request->Stack->Flags |= SL_KEY_SPECIFIED;
    }
    if (Write && (Request->File->Flags & FO_WRITE_THROUGH))
        Request->Stack->Flags |= SL_WRITE_THROUGH;
}

/* --- files that are mapped --- */

/* The file's data segment; NULL: it has none. */
static PMM_SEGMENT IopMappedSegment(PFILE_OBJECT File)
{
    PSECTION_OBJECT_POINTERS Pointers = File->SectionObjectPointer;
    return Pointers != NULL && Pointers->DataSectionObject != NULL ? MmFindFileSegment(File) : NULL;
}

/* [WDK ZwReadFile, ZwMapViewOfSection] what views have written is read, what is written shows in views (D-230). A read waits for requests that
 * write to its pages, but not for ever: a filter's thread may be reading so that another one's write can go on. */
#define IOP_WRITE_PATIENCE (-10000000ll)

static NTSTATUS IopReadMapped(IOP_REQUEST *Request, PMM_SEGMENT Segment)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Timeout = {.QuadPart = IOP_WRITE_PATIENCE};
    NTSTATUS Status = MmFlushSegment(Segment, (ULONG64)Request->Offset.QuadPart,
                                     Request->Stack->Parameters.Read.Length, &Timeout, &Iosb);
    if (NT_SUCCESS(Status))
        return IopSendRequest(Request, FALSE);
    IopAbandonRequest(Request);
    return Status;
}

static NTSTATUS IopWriteMapped(IOP_REQUEST *Request, PMM_SEGMENT Segment)
{
    MM_REQUEST_WRITE Write;
    ULONG Length = Request->Stack->Parameters.Write.Length;

    if (Length == 0 || IopMeansEndOfFile(Request->Offset)) /* behind the end there is no view */
        return IopSendRequest(Request, FALSE);
    MmBeginRequestWrite(Segment, (ULONG64)Request->Offset.QuadPart, Length, &Write);
    NTSTATUS Status = IopSendRequest(Request, FALSE);
    MmEndRequestWrite(Segment, &Write, Status != STATUS_PENDING);
    return Status;
}

static NTSTATUS IopSendMapped(IOP_REQUEST *Request, PMM_SEGMENT Segment, BOOLEAN Write)
{
    NTSTATUS Status = Write ? IopWriteMapped(Request, Segment) : IopReadMapped(Request, Segment);
    MmReleaseSegment(Segment);
    return Status;
}

static NTSTATUS IopTransfer(IOP_REQUEST *Request, UCHAR Major, const IOP_TRANSFER *Given)
{
    LARGE_INTEGER Offset;
    BOOLEAN Write = Major == IRP_MJ_WRITE;
    NTSTATUS Status = IopChooseOffset(Request->File, Given, Write, &Offset);
    if (Write && Request->AppendOnly) /* [WDK ZwWriteFile] ByteOffset is ignored */
        Offset = (LARGE_INTEGER){.LowPart = FILE_WRITE_TO_END_OF_FILE, .HighPart = -1};
    IO_STATUS_BLOCK Iosb = {0};
    if (NT_SUCCESS(Status) &&
        IopFastTransfer(Request, Write, Offset, Given->Key, Given->Buffer, Given->Length, &Iosb))
        return IopEndFastRequest(Request, &Iosb);
    if (NT_SUCCESS(Status))
        Status = IopSetUpTransfer(Request->Irp, Request->Device, Major, Given->Buffer, Given->Length,
                                  Request->Mode, NULL);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(Request);
        return Status;
    }
    Request->Offset = Offset;
    Request->Moves =
        !IopMeansEndOfFile(Offset); /* where the end is the file system knows, which sets the position */
    IopFillTransfer(Request, Write, Given, Offset);
    PMM_SEGMENT Segment = IopMappedSegment(Request->File);
    return Segment != NULL ? IopSendMapped(Request, Segment, Write) : IopSendRequest(Request, FALSE);
}

/* A user-mode caller's buffer is probed here for drivers that get its address (neither buffered nor direct I/O). */
static NTSTATUS IopCaptureTransfer(IOP_TRANSFER *Transfer, BOOLEAN Write, PVOID Buffer, ULONG Length,
                                   PLARGE_INTEGER Offset, PULONG Key, KPROCESSOR_MODE Mode)
{
    *Transfer = (IOP_TRANSFER){
        .Buffer = Buffer, .Length = Length, .HasOffset = Offset != NULL, .HasKey = Key != NULL};
    NTSTATUS Status = STATUS_SUCCESS;
    if (Length != 0)
        Status = Write ? MmProbeCallerInput(Buffer, Length, Mode) : MmProbeCallerOutput(Buffer, Length, Mode);
    if (NT_SUCCESS(Status) && Offset != NULL)
        Status = MmReadCaller(&Transfer->Offset, Offset, sizeof(*Offset), Mode);
    if (NT_SUCCESS(Status) && Key != NULL)
        Status = MmReadCaller(&Transfer->Key, Key, sizeof(*Key), Mode);
    return Status;
}

static NTSTATUS IopTransferFile(const IOP_CALLER *Caller, UCHAR Major, PVOID Buffer, ULONG Length,
                                PLARGE_INTEGER Offset, PULONG Key)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    IOP_TRANSFER Transfer;
    NTSTATUS Status =
        IopCaptureTransfer(&Transfer, Major == IRP_MJ_WRITE, Buffer, Length, Offset, Key, Caller->Mode);
    if (NT_SUCCESS(Status))
        Status = IopBeginRequest(&Request, Caller, Major);
    return Status == STATUS_SUCCESS ? IopTransfer(&Request, Major, &Transfer) : Status;
}

NTSTATUS NTAPI ZwReadFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length, PLARGE_INTEGER Offset,
                          PULONG Key)
{
    const IOP_CALLER Caller = {File, FILE_READ_DATA, FALSE, Event, ApcRoutine, ApcContext, Iosb, KernelMode};
    return IopTransferFile(&Caller, IRP_MJ_READ, Buffer, Length, Offset, Key);
}

NTSTATUS NTAPI NtReadFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length, PLARGE_INTEGER Offset,
                          PULONG Key)
{
    const IOP_CALLER Caller = {File,       FILE_READ_DATA, FALSE, Event,
                               ApcRoutine, ApcContext,     Iosb,  ExGetPreviousMode()};
    return IopTransferFile(&Caller, IRP_MJ_READ, Buffer, Length, Offset, Key);
}

NTSTATUS NTAPI ZwWriteFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                           PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length, PLARGE_INTEGER Offset,
                           PULONG Key)
{
    const IOP_CALLER Caller = {File, FILE_WRITE_DATA, FALSE, Event, ApcRoutine, ApcContext, Iosb, KernelMode};
    return IopTransferFile(&Caller, IRP_MJ_WRITE, Buffer, Length, Offset, Key);
}

/* [WDK ZwWriteFile] a handle that may only append may write too. */
NTSTATUS NTAPI NtWriteFile(HANDLE File, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                           PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length, PLARGE_INTEGER Offset,
                           PULONG Key)
{
    const IOP_CALLER Caller = {File,       FILE_WRITE_DATA | FILE_APPEND_DATA,
                               TRUE,       Event,
                               ApcRoutine, ApcContext,
                               Iosb,       ExGetPreviousMode()};
    return IopTransferFile(&Caller, IRP_MJ_WRITE, Buffer, Length, Offset, Key);
}

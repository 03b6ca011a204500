/* SPDX-License-Identifier: MIT
 * ZwQueryInformationFile and ZwSetInformationFile. Position, mode, access and alignment are the I/O manager's own knowledge; the rest is
 * asked of the driver by a buffered IRP. */
#include "completion.h"
#include "fast_io.h"
#include "mm_caller.h"

typedef struct _IOP_CLASS {
    FILE_INFORMATION_CLASS Class;
    ULONG Query; /* least length, 0 = cannot be queried */
    ULONG Set;   /* least length, 0 = cannot be set */
    ACCESS_MASK QueryAccess, SetAccess;
} IOP_CLASS;

typedef union _IOP_ANSWER {
    FILE_POSITION_INFORMATION Position;
    FILE_MODE_INFORMATION Mode;
    FILE_ALIGNMENT_INFORMATION Alignment;
    FILE_ACCESS_INFORMATION Access;
    FILE_BASIC_INFORMATION Basic;
    FILE_STANDARD_INFORMATION Standard;
    FILE_NETWORK_OPEN_INFORMATION NetworkOpen;
} IOP_ANSWER;

/* [WDK ZwQueryInformationFile] [WDK ZwSetInformationFile] lengths, and the access that a user-mode caller's handle must have. */
static const IOP_CLASS IopClasses[] = {
    {FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), sizeof(FILE_BASIC_INFORMATION),
     FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES},
    {FileStandardInformation, sizeof(FILE_STANDARD_INFORMATION), 0, 0, 0},
    {FileInternalInformation, sizeof(FILE_INTERNAL_INFORMATION), 0, 0, 0},
    {FileEaInformation, sizeof(FILE_EA_INFORMATION), 0, 0, 0},
    {FileNameInformation, sizeof(FILE_NAME_INFORMATION), 0, 0, 0},
    {FileAllInformation, sizeof(FILE_ALL_INFORMATION), 0, FILE_READ_ATTRIBUTES, 0},
    {FilePositionInformation, sizeof(FILE_POSITION_INFORMATION), sizeof(FILE_POSITION_INFORMATION),
     FILE_READ_DATA | FILE_WRITE_DATA, FILE_READ_DATA | FILE_WRITE_DATA},
    {FileModeInformation, sizeof(FILE_MODE_INFORMATION), 0, 0, 0},
    {FileAlignmentInformation, sizeof(FILE_ALIGNMENT_INFORMATION), 0, 0, 0},
    {FileNetworkOpenInformation, sizeof(FILE_NETWORK_OPEN_INFORMATION), 0, FILE_READ_ATTRIBUTES, 0},
    {FileAttributeTagInformation, sizeof(FILE_ATTRIBUTE_TAG_INFORMATION), 0, FILE_READ_ATTRIBUTES, 0},
    {FileDispositionInformation, 0, sizeof(FILE_DISPOSITION_INFORMATION), 0, DELETE},
    {FileEndOfFileInformation, 0, sizeof(FILE_END_OF_FILE_INFORMATION), 0, FILE_WRITE_DATA},
    {FileAllocationInformation, 0, sizeof(FILE_ALLOCATION_INFORMATION), 0, FILE_WRITE_DATA},
    {FileAccessInformation, sizeof(FILE_ACCESS_INFORMATION), 0, 0, 0},
    {FileRenameInformation, 0, sizeof(FILE_RENAME_INFORMATION), 0, DELETE},
    {FileLinkInformation, 0, sizeof(FILE_LINK_INFORMATION), 0, 0},
    {FilePipeInformation, sizeof(FILE_PIPE_INFORMATION), sizeof(FILE_PIPE_INFORMATION), FILE_READ_ATTRIBUTES,
     FILE_WRITE_ATTRIBUTES},
    {FilePipeLocalInformation, sizeof(FILE_PIPE_LOCAL_INFORMATION), 0, FILE_READ_ATTRIBUTES, 0},
    {FileCompletionInformation, 0, sizeof(FILE_COMPLETION_INFORMATION), 0, 0},
    {FileIoCompletionNotificationInformation, 0, sizeof(FILE_IO_COMPLETION_NOTIFICATION_INFORMATION), 0, 0},
};

static NTSTATUS IopCheckClass(FILE_INFORMATION_CLASS Class, BOOLEAN Set, ULONG Length,
                              const IOP_CLASS **Known)
{
    for (ULONG I = 0; I < RTL_NUMBER_OF(IopClasses); I++) {
        ULONG Least = Set ? IopClasses[I].Set : IopClasses[I].Query;
        *Known = &IopClasses[I];
        if (IopClasses[I].Class == Class && Least != 0)
            return Length >= Least ? STATUS_SUCCESS : STATUS_INFO_LENGTH_MISMATCH;
    }
    return STATUS_INVALID_INFO_CLASS;
}

/* [WDK IoCheckQuerySetFileInformation] for a file system: is there such a class, and is the length enough? */
NTSTATUS NTAPI IoCheckQuerySetFileInformation(FILE_INFORMATION_CLASS FileInformationClass, ULONG Length,
                                              BOOLEAN SetOperation)
{
    const IOP_CLASS *Known;
    return IopCheckClass(FileInformationClass, SetOperation, Length, &Known);
}

ACCESS_MASK IopAccessOfClass(FILE_INFORMATION_CLASS Class, BOOLEAN Set)
{
    const IOP_CLASS *Known;
    if (!NT_SUCCESS(IopCheckClass(Class, Set, MAXULONG, &Known)))
        return IOP_NO_SUCH_CLASS;
    return Set ? Known->SetAccess : Known->QueryAccess;
}

/* [WDK FILE_MODE_INFORMATION] the create options that the file has kept. */
static ULONG IopModeOfFile(PFILE_OBJECT File)
{
    ULONG Mode = 0;
    if (File->Flags & FO_WRITE_THROUGH)
        Mode |= FILE_WRITE_THROUGH;
    if (File->Flags & FO_SEQUENTIAL_ONLY)
        Mode |= FILE_SEQUENTIAL_ONLY;
    if (File->Flags & FO_NO_INTERMEDIATE_BUFFERING)
        Mode |= FILE_NO_INTERMEDIATE_BUFFERING;
    if (File->Flags & FO_SYNCHRONOUS_IO)
        Mode |= File->Flags & FO_ALERTABLE_IO ? FILE_SYNCHRONOUS_IO_ALERT : FILE_SYNCHRONOUS_IO_NONALERT;
    if (File->Flags & FO_DELETE_ON_CLOSE)
        Mode |= FILE_DELETE_ON_CLOSE;
    return Mode;
}

/* What needs no driver: bytes of the answer, 0 when the driver must be asked. */
static ULONG IopAnswerQuery(const IOP_REQUEST *Request, FILE_INFORMATION_CLASS Class, IOP_ANSWER *Answer)
{
    PFILE_OBJECT File = Request->File;
    switch (Class) {
    case FilePositionInformation:
        if (!(File->Flags & FO_SYNCHRONOUS_IO))
            return 0;
        Answer->Position.CurrentByteOffset = File->CurrentByteOffset;
        return sizeof(Answer->Position);
    case FileModeInformation:
        Answer->Mode.Mode = IopModeOfFile(File);
        return sizeof(Answer->Mode);
    case FileAlignmentInformation:
        Answer->Alignment.AlignmentRequirement = File->DeviceObject->AlignmentRequirement;
        return sizeof(Answer->Alignment);
    case FileAccessInformation:
        Answer->Access.AccessFlags = Request->GrantedAccess;
        return sizeof(Answer->Access);
    default:
        return 0;
    }
}

/* [WDK FILE_ALL_INFORMATION] three parts are the I/O manager's, written before the file system fills in the others. */
static VOID IopFillOwnParts(const IOP_REQUEST *Request, FILE_ALL_INFORMATION *All)
{
    All->AccessInformation.AccessFlags = Request->GrantedAccess;
    All->ModeInformation.Mode = IopModeOfFile(Request->File);
    All->AlignmentInformation.AlignmentRequirement = Request->File->DeviceObject->AlignmentRequirement;
}

static BOOLEAN IopNamesTarget(FILE_INFORMATION_CLASS Class)
{
    return Class == FileRenameInformation || Class == FileLinkInformation;
}

/* The buffer is captured. */
static NTSTATUS IopSendSet(IOP_REQUEST *Request)
{
    HANDLE Target = NULL;
    NTSTATUS Status = STATUS_SUCCESS;
    if (IopNamesTarget(Request->Stack->Parameters.SetFile.FileInformationClass))
        Status = IopOpenRenameTarget(Request, &Target);
    if (NT_SUCCESS(Status))
        Status = IopSendRequest(Request, TRUE);
    else
        IopAbandonRequest(Request);
    if (Target != NULL)
        ObCloseHandle(Target, KernelMode);
    return Status;
}

static NTSTATUS IopAskDriver(IOP_REQUEST *Request, PVOID Buffer, ULONG Length, BOOLEAN Set)
{
    NTSTATUS Status = IopUseSystemBuffer(Request, Buffer, Length, Set);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Set)
        return IopSendSet(Request);
    if (Request->Stack->Parameters.QueryFile.FileInformationClass == FileAllInformation)
        IopFillOwnParts(Request, Request->Irp->AssociatedIrp.SystemBuffer);
    return IopSendRequest(Request, TRUE);
}

/* The driver has answered without an IRP, into memory of the kernel. */
static NTSTATUS IopEndFastQuery(IOP_REQUEST *Request, PVOID Buffer, ULONG Length, const IOP_ANSWER *Answer,
                                PIO_STATUS_BLOCK Iosb)
{
    SIZE_T Size = min(min(Iosb->Information, Length), sizeof(*Answer));
    if (!NT_ERROR(Iosb->Status)) {
        NTSTATUS Written = IopWriteRequestor(Buffer, Answer, Size, Request->Mode);
        Iosb->Status = NT_SUCCESS(Written) ? Iosb->Status : Written;
    }
    return IopEndFastRequest(Request, Iosb);
}

static NTSTATUS IopQuery(IOP_REQUEST *Request, PVOID Buffer, ULONG Length, FILE_INFORMATION_CLASS Class)
{
    IOP_ANSWER Answer = {};
    ULONG Answered = IopAnswerQuery(Request, Class, &Answer);
    if (Answered != 0)
        return IopAnswerRequest(Request, IopWriteRequestor(Buffer, &Answer, Answered, Request->Mode),
                                Answered);
    IO_STATUS_BLOCK Iosb = {0};
    if (IopFastQuery(Request, Class, &Answer, &Iosb))
        return IopEndFastQuery(Request, Buffer, Length, &Answer, &Iosb);
    Request->Stack->Parameters.QueryFile.Length = Length;
    Request->Stack->Parameters.QueryFile.FileInformationClass = Class;
    return IopAskDriver(Request, Buffer, Length, FALSE);
}

static NTSTATUS IopQueryInformation(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                    FILE_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    const IOP_CLASS *Known;
    NTSTATUS Status = IopCheckClass(Class, FALSE, Length, &Known);
    if (NT_SUCCESS(Status))
        Status = MmProbeCallerOutput(Buffer, Length, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    const IOP_CALLER Caller = {.File = File,
                               .Access = Known->QueryAccess,
                               .AnyAccess = Class == FilePositionInformation,
                               .Iosb = Iosb,
                               .Mode = Mode};
    Status = IopBeginRequest(&Request, &Caller, IRP_MJ_QUERY_INFORMATION);
    return Status == STATUS_SUCCESS ? IopQuery(&Request, Buffer, Length, Class) : Status;
}

/* [WDK ZwQueryInformationFile] */
NTSTATUS NTAPI ZwQueryInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                      FILE_INFORMATION_CLASS Class)
{
    return IopQueryInformation(File, Iosb, Buffer, Length, Class, KernelMode);
}

NTSTATUS NTAPI NtQueryInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                      FILE_INFORMATION_CLASS Class)
{
    return IopQueryInformation(File, Iosb, Buffer, Length, Class, ExGetPreviousMode());
}

static NTSTATUS IopSetPosition(IOP_REQUEST *Request, PVOID Buffer)
{
    FILE_POSITION_INFORMATION Position;
    NTSTATUS Status = IopReadRequestor(&Position, Buffer, sizeof(Position), Request->Mode);
    if (NT_SUCCESS(Status) && Position.CurrentByteOffset.QuadPart < 0)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Request->File->CurrentByteOffset = Position.CurrentByteOffset;
    return IopAnswerRequest(Request, Status, 0);
}

static NTSTATUS IopSetPort(IOP_REQUEST *Request, PVOID Buffer)
{
    FILE_COMPLETION_INFORMATION Port;
    NTSTATUS Status = IopReadRequestor(&Port, Buffer, sizeof(Port), Request->Mode);
    if (NT_SUCCESS(Status))
        Status = IopAssociatePort(Request->File, &Port, Request->Mode);
    return IopAnswerRequest(Request, Status, 0);
}

static NTSTATUS IopSetModes(IOP_REQUEST *Request, PVOID Buffer)
{
    FILE_IO_COMPLETION_NOTIFICATION_INFORMATION Modes;
    NTSTATUS Status = IopReadRequestor(&Modes, Buffer, sizeof(Modes), Request->Mode);
    if (NT_SUCCESS(Status))
        Status = IopSetNotificationModes(Request->File, Modes.Flags);
    return IopAnswerRequest(Request, Status, 0);
}

/* What needs no driver is done here. */
static NTSTATUS IopSet(IOP_REQUEST *Request, PVOID Buffer, ULONG Length, FILE_INFORMATION_CLASS Class)
{
    if (Class == FilePositionInformation && Request->Locked)
        return IopSetPosition(Request, Buffer);
    if (Class == FileCompletionInformation)
        return IopSetPort(Request, Buffer);
    if (Class == FileIoCompletionNotificationInformation)
        return IopSetModes(Request, Buffer);
    Request->Stack->Parameters.SetFile.Length = Length;
    Request->Stack->Parameters.SetFile.FileInformationClass = Class;
    return IopAskDriver(Request, Buffer, Length, TRUE);
}

static NTSTATUS IopSetInformation(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                  FILE_INFORMATION_CLASS Class, KPROCESSOR_MODE Mode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    const IOP_CLASS *Known;
    NTSTATUS Status = IopCheckClass(Class, TRUE, Length, &Known);
    if (!NT_SUCCESS(Status))
        return Status;
    const IOP_CALLER Caller = {.File = File,
                               .Access = Known->SetAccess,
                               .AnyAccess = Class == FilePositionInformation,
                               .Iosb = Iosb,
                               .Mode = Mode};
    Status = IopBeginRequest(&Request, &Caller, IRP_MJ_SET_INFORMATION);
    return Status == STATUS_SUCCESS ? IopSet(&Request, Buffer, Length, Class) : Status;
}

/* [WDK ZwSetInformationFile] */
NTSTATUS NTAPI ZwSetInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                    FILE_INFORMATION_CLASS Class)
{
    return IopSetInformation(File, Iosb, Buffer, Length, Class, KernelMode);
}

NTSTATUS NTAPI NtSetInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                    FILE_INFORMATION_CLASS Class)
{
    return IopSetInformation(File, Iosb, Buffer, Length, Class, ExGetPreviousMode());
}

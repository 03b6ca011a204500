/* SPDX-License-Identifier: MIT
 * ZwQueryInformationFile and ZwSetInformationFile. Position, mode, access and alignment are the I/O manager's own knowledge; the rest is
 * asked of the driver by a buffered IRP. */
#include "iop.h"

typedef struct _IOP_CLASS {
    FILE_INFORMATION_CLASS Class;
    ULONG Query; /* least length, 0 = cannot be queried */
    ULONG Set;   /* least length, 0 = cannot be set */
} IOP_CLASS;

/* [WDK ZwQueryInformationFile] [WDK ZwSetInformationFile] */
static const IOP_CLASS IopClasses[] = {
    {FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), sizeof(FILE_BASIC_INFORMATION)},
    {FileStandardInformation, sizeof(FILE_STANDARD_INFORMATION), 0},
    {FileInternalInformation, sizeof(FILE_INTERNAL_INFORMATION), 0},
    {FileEaInformation, sizeof(FILE_EA_INFORMATION), 0},
    {FileNameInformation, sizeof(FILE_NAME_INFORMATION), 0},
    {FileAllInformation, sizeof(FILE_ALL_INFORMATION), 0},
    {FilePositionInformation, sizeof(FILE_POSITION_INFORMATION), sizeof(FILE_POSITION_INFORMATION)},
    {FileModeInformation, sizeof(FILE_MODE_INFORMATION), 0},
    {FileAlignmentInformation, sizeof(FILE_ALIGNMENT_INFORMATION), 0},
    {FileNetworkOpenInformation, sizeof(FILE_NETWORK_OPEN_INFORMATION), 0},
    {FileAttributeTagInformation, sizeof(FILE_ATTRIBUTE_TAG_INFORMATION), 0},
    {FileDispositionInformation, 0, sizeof(FILE_DISPOSITION_INFORMATION)},
    {FileEndOfFileInformation, 0, sizeof(FILE_END_OF_FILE_INFORMATION)},
    {FileAllocationInformation, 0, sizeof(FILE_ALLOCATION_INFORMATION)},
};

static NTSTATUS IopCheckClass(FILE_INFORMATION_CLASS Class, BOOLEAN Set, ULONG Length)
{
    for (ULONG I = 0; I < RTL_NUMBER_OF(IopClasses); I++) {
        ULONG Least = Set ? IopClasses[I].Set : IopClasses[I].Query;
        if (IopClasses[I].Class == Class && Least != 0)
            return Length >= Least ? STATUS_SUCCESS : STATUS_INFO_LENGTH_MISMATCH;
    }
    return STATUS_INVALID_INFO_CLASS;
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

/* What needs no driver: bytes written to Buffer, 0 when the driver must be asked. */
static ULONG IopAnswerQuery(PFILE_OBJECT File, FILE_INFORMATION_CLASS Class, PVOID Buffer)
{
    switch (Class) {
    case FilePositionInformation:
        if (!(File->Flags & FO_SYNCHRONOUS_IO))
            return 0;
        ((PFILE_POSITION_INFORMATION)Buffer)->CurrentByteOffset = File->CurrentByteOffset;
        return sizeof(FILE_POSITION_INFORMATION);
    case FileModeInformation:
        ((PFILE_MODE_INFORMATION)Buffer)->Mode = IopModeOfFile(File);
        return sizeof(FILE_MODE_INFORMATION);
    case FileAlignmentInformation:
        ((PFILE_ALIGNMENT_INFORMATION)Buffer)->AlignmentRequirement =
            File->DeviceObject->AlignmentRequirement;
        return sizeof(FILE_ALIGNMENT_INFORMATION);
    default:
        return 0;
    }
}

static NTSTATUS IopFinishWithoutDriver(IOP_REQUEST *Request, PIO_STATUS_BLOCK Iosb, NTSTATUS Status,
                                       ULONG Information)
{
    IopAbandonRequest(Request);
    Iosb->Status = Status;
    Iosb->Information = Information;
    return Status;
}

static NTSTATUS IopAskDriver(IOP_REQUEST *Request, PVOID Buffer, ULONG Length, BOOLEAN Set)
{
    PVOID System = ExAllocatePool2(POOL_FLAG_NON_PAGED, Length, IOP_TAG_BUFFER);
    if (System == NULL) {
        IopAbandonRequest(Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Request->Irp->AssociatedIrp.SystemBuffer = System;
    Request->Irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    if (Set)
        RtlCopyMemory(System, Buffer, Length);
    else
        IopReturnBuffer(Request->Irp, Buffer, Length);
    return IopSendRequest(Request, TRUE);
}

/* [WDK ZwQueryInformationFile] */
NTSTATUS NTAPI ZwQueryInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                      FILE_INFORMATION_CLASS Class)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    NTSTATUS Status = IopCheckClass(Class, FALSE, Length);
    if (NT_SUCCESS(Status))
        Status = IopBeginRequest(&Request, File, 0, NULL, IRP_MJ_QUERY_INFORMATION, Iosb, NULL, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    ULONG Answered = IopAnswerQuery(Request.File, Class, Buffer);
    if (Answered != 0)
        return IopFinishWithoutDriver(&Request, Iosb, STATUS_SUCCESS, Answered);
    Request.Stack->Parameters.QueryFile.Length = Length;
    Request.Stack->Parameters.QueryFile.FileInformationClass = Class;
    return IopAskDriver(&Request, Buffer, Length, FALSE);
}

static NTSTATUS IopSetPosition(IOP_REQUEST *Request, PIO_STATUS_BLOCK Iosb,
                               const FILE_POSITION_INFORMATION *Position)
{
    NTSTATUS Status = STATUS_SUCCESS;
    if (Position->CurrentByteOffset.QuadPart < 0)
        Status = STATUS_INVALID_PARAMETER;
    else
        Request->File->CurrentByteOffset = Position->CurrentByteOffset;
    return IopFinishWithoutDriver(Request, Iosb, Status, 0);
}

/* [WDK ZwSetInformationFile] */
NTSTATUS NTAPI ZwSetInformationFile(HANDLE File, PIO_STATUS_BLOCK Iosb, PVOID Buffer, ULONG Length,
                                    FILE_INFORMATION_CLASS Class)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IOP_REQUEST Request;
    NTSTATUS Status = IopCheckClass(Class, TRUE, Length);
    if (NT_SUCCESS(Status))
        Status = IopBeginRequest(&Request, File, 0, NULL, IRP_MJ_SET_INFORMATION, Iosb, NULL, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Class == FilePositionInformation && Request.Locked)
        return IopSetPosition(&Request, Iosb, Buffer);
    Request.Stack->Parameters.SetFile.Length = Length;
    Request.Stack->Parameters.SetFile.FileInformationClass = Class;
    return IopAskDriver(&Request, Buffer, Length, TRUE);
}

/* SPDX-License-Identifier: MIT
 * What a file is called: the device's name, then what its driver says to IRP_MJ_QUERY_INFORMATION with FileNameInformation.
 * [WDK ObQueryNameString, FILE_NAME_INFORMATION] */
#include "iop.h"

#define IOP_NAME_ROOM 512u /* tried first */
#define IOP_NAME_FIXED ((ULONG)FIELD_OFFSET(FILE_NAME_INFORMATION, FileName))

/* A name that Buffer holds, in pool. */
typedef struct _IOP_NAME {
    PVOID Buffer; /* to be freed, or NULL */
    PWCHAR Text;
    ULONG Length; /* bytes; more than a string can have is an error of who asked */
} IOP_NAME;

/* Without the file's lock: who asks may be its driver, in the middle of a request of the file. */
static NTSTATUS IopSendNameQuery(PFILE_OBJECT File, FILE_NAME_INFORMATION *Answer, ULONG Room)
{
    PDEVICE_OBJECT Top = IoGetRelatedDeviceObject(File);
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK Iosb;
    PIRP Irp = IopMakeFileIrp(File, Top, IRP_MJ_QUERY_INFORMATION, &Stack);
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Irp->AssociatedIrp.SystemBuffer = Answer;
    IopCountBytes(Irp, Room);
    Stack->Parameters.QueryFile.Length = Room;
    Stack->Parameters.QueryFile.FileInformationClass = FileNameInformation;
    return IopSendAndWait(Top, Irp, &Iosb);
}

/* What the driver says of lengths is not believed. */
static NTSTATUS IopAskWithRoom(PFILE_OBJECT File, ULONG Room, IOP_NAME *Name)
{
    FILE_NAME_INFORMATION *Answer = ExAllocatePool2(POOL_FLAG_NON_PAGED, Room, IOP_TAG_NAME);
    *Name = (IOP_NAME){.Buffer = Answer};
    if (Answer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = IopSendNameQuery(File, Answer, Room);
    Name->Text = Answer->FileName;
    Name->Length = Answer->FileNameLength & ~1u;
    if (NT_SUCCESS(Status))
        Name->Length = min(Name->Length, Room - IOP_NAME_FIXED);
    return Status;
}

static NTSTATUS IopAskForName(PFILE_OBJECT File, IOP_NAME *Name)
{
    NTSTATUS Status = IopAskWithRoom(File, IOP_NAME_ROOM, Name);
    ULONG Length = Name->Length;
    if (Status != STATUS_BUFFER_OVERFLOW)
        return Status;
    if (Length > MAXUSHORT)
        return STATUS_NAME_TOO_LONG;
    ExFreePoolWithTag(Name->Buffer, IOP_TAG_NAME);
    Status = IopAskWithRoom(File, IOP_NAME_FIXED + Length, Name);
    return Status == STATUS_BUFFER_OVERFLOW ? STATUS_NAME_TOO_LONG : Status; /* longer each time */
}

/* [Wine's test_object_info, kept true on Windows] a driver that does not know the question has files without names. */
static BOOLEAN IopKnowsNoNames(NTSTATUS Status)
{
    return Status == STATUS_INVALID_DEVICE_REQUEST || Status == STATUS_NOT_IMPLEMENTED ||
           Status == STATUS_INVALID_PARAMETER || Status == STATUS_INVALID_INFO_CLASS ||
           Status == STATUS_NOT_SUPPORTED;
}

/* A driver is asked for files that it has opened and not yet cleaned up; of others there is the name that they were opened by. */
static NTSTATUS IopNameBehindDevice(PFILE_OBJECT File, IOP_NAME *Name)
{
    *Name = (IOP_NAME){.Text = File->FileName.Buffer, .Length = File->FileName.Length};
    if (!IopFile(File)->Opened || (File->Flags & FO_CLEANUP_COMPLETE))
        return STATUS_SUCCESS;
    NTSTATUS Status = IopAskForName(File, Name);
    if (!IopKnowsNoNames(Status))
        return Status;
    Name->Length = 0;
    return STATUS_SUCCESS;
}

/* Appends what fits. */
static VOID IopAppendName(PUNICODE_STRING Name, const VOID *Text, ULONG Length)
{
    ULONG Copied = min(Length, (ULONG)Name->MaximumLength - Name->Length);
    RtlCopyMemory((PUCHAR)Name->Buffer + Name->Length, Text, Copied);
    Name->Length = (USHORT)(Name->Length + Copied);
}

static NTSTATUS IopJoinNames(PFILE_OBJECT File, const UNICODE_STRING *Device, PUNICODE_STRING Name,
                             PULONG Needed)
{
    IOP_NAME Behind;
    NTSTATUS Status = IopNameBehindDevice(File, &Behind);
    if (NT_SUCCESS(Status)) {
        *Needed = (ULONG)Device->Length + Behind.Length;
        Name->Length = 0;
        IopAppendName(Name, Device->Buffer, Device->Length);
        IopAppendName(Name, Behind.Text, Behind.Length);
        Status = *Needed <= Name->MaximumLength ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
    }
    if (Behind.Buffer != NULL)
        ExFreePoolWithTag(Behind.Buffer, IOP_TAG_NAME);
    return Status;
}

NTSTATUS IopQueryFileName(PVOID Object, PUNICODE_STRING Name, PULONG Needed)
{
    PFILE_OBJECT File = Object;
    ULONG Length;
    if (File->DeviceObject == NULL) /* its open failed */
        return STATUS_OBJECT_PATH_INVALID;
    POBJECT_NAME_INFORMATION Device = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, IOP_TAG_NAME);
    if (Device == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = ObQueryNameString(File->DeviceObject, Device, PAGE_SIZE, &Length);
    if (NT_SUCCESS(Status))
        Status = IopJoinNames(File, &Device->Name, Name, Needed);
    ExFreePoolWithTag(Device, IOP_TAG_NAME);
    return Status;
}

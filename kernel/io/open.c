/* SPDX-License-Identifier: MIT
 * Opening a file on a device: the file object is made, IRP_MJ_CREATE goes to the top of the device's stack. */
#include "iop.h"

typedef struct _IOP_FLAG_PAIR {
    ULONG CreateOption, FileFlag;
} IOP_FLAG_PAIR;

static const IOP_FLAG_PAIR IopFileFlags[] = {
    {FILE_SYNCHRONOUS_IO_ALERT, FO_SYNCHRONOUS_IO | FO_ALERTABLE_IO},
    {FILE_SYNCHRONOUS_IO_NONALERT, FO_SYNCHRONOUS_IO},
    {FILE_NO_INTERMEDIATE_BUFFERING, FO_NO_INTERMEDIATE_BUFFERING},
    {FILE_WRITE_THROUGH, FO_WRITE_THROUGH},
    {FILE_SEQUENTIAL_ONLY, FO_SEQUENTIAL_ONLY},
    {FILE_RANDOM_ACCESS, FO_RANDOM_ACCESS},
};

static ULONG IopFlagsOfOptions(ULONG CreateOptions, ULONG Attributes)
{
    ULONG Flags = Attributes & OBJ_CASE_INSENSITIVE ? 0 : FO_OPENED_CASE_SENSITIVE;
    for (ULONG I = 0; I < RTL_NUMBER_OF(IopFileFlags); I++) {
        if (CreateOptions & IopFileFlags[I].CreateOption)
            Flags |= IopFileFlags[I].FileFlag;
    }
    return Flags;
}

/* The name is the file's own copy: file systems change it. */
static NTSTATUS IopMakeFile(PDEVICE_OBJECT Device, PFILE_OBJECT Related, const OB_PARSE *Parse,
                            PFILE_OBJECT *NewFile)
{
    const IOP_OPEN *Open = Parse->Context;
    PFILE_OBJECT File;
    NTSTATUS Status = ObCreateObject(KernelMode, IoFileObjectType, NULL, KernelMode, NULL, sizeof(IOP_FILE),
                                     0, 0, (PVOID *)&File);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Parse->RemainingName.Length != 0)
        Status = IopMakePath(&File->FileName, L"", &Parse->RemainingName, L"");
    if (!NT_SUCCESS(Status)) {
        ObfDereferenceObject(File);
        return Status;
    }
    File->Type = IO_TYPE_FILE;
    File->Size = sizeof(*File);
    File->DeviceObject = Device;
    File->Flags = IopFlagsOfOptions(Open->CreateOptions, Parse->Attributes);
    if (IopOpensDevice(Related, Parse))
        File->Flags |= FO_VOLUME_OPEN;
    if (Related != NULL)
        ObfReferenceObject(Related);
    File->RelatedFileObject = Related;
    if (Device->DeviceType == FILE_DEVICE_NAMED_PIPE)
        File->Flags |= FO_NAMED_PIPE;
    KeInitializeEvent(&File->Lock, SynchronizationEvent, FALSE);
    KeInitializeEvent(&File->Event, NotificationEvent, TRUE); /* nothing is under way */
    KeInitializeSpinLock(&File->IrpListLock);
    InitializeListHead(&File->IrpList);
    *NewFile = File;
    return STATUS_SUCCESS;
}

static VOID IopFillCreate(PIRP Irp, PFILE_OBJECT File, const OB_PARSE *Parse, PIO_SECURITY_CONTEXT Security)
{
    const IOP_OPEN *Open = Parse->Context;
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Irp->Flags = IRP_CREATE_OPERATION | IRP_SYNCHRONOUS_API;
    Irp->RequestorMode = Parse->AccessMode;
    Irp->Overlay.AllocationSize = Open->AllocationSize;
    Irp->AssociatedIrp.SystemBuffer = Open->EaBuffer;
    Irp->Tail.Overlay.OriginalFileObject = File;
    Stack->MajorFunction = Open->Type == CreateFileTypeNamedPipe  ? IRP_MJ_CREATE_NAMED_PIPE
                           : Open->Type == CreateFileTypeMailslot ? IRP_MJ_CREATE_MAILSLOT
                                                                  : IRP_MJ_CREATE;
    Stack->Flags = (UCHAR)(Open->Options & (SL_OPEN_PAGING_FILE | SL_OPEN_TARGET_DIRECTORY));
    if (IopForcesCheck(Parse))
        Stack->Flags |= SL_FORCE_ACCESS_CHECK;
    if (!(Parse->Attributes & OBJ_CASE_INSENSITIVE))
        Stack->Flags |= SL_CASE_SENSITIVE;
    Stack->FileObject = File;
    Security->SecurityQos = Parse->SecurityQos;
    Stack->Parameters.Create.SecurityContext = Security;
    Stack->Parameters.Create.Options =
        (Open->Disposition << 24) | (Open->CreateOptions & FILE_VALID_OPTION_FLAGS);
    Stack->Parameters.Create.FileAttributes = Open->FileAttributes;
    Stack->Parameters.Create.ShareAccess = Open->ShareAccess;
    if (Open->Type == CreateFileTypeNone)
        Stack->Parameters.Create.EaLength = Open->EaLength;
    else /* of a mailslot at the same place */
        Stack->Parameters.CreatePipe.Parameters = Open->TypeParameters;
}

/* [WDK IO_SECURITY_CONTEXT, ACCESS_STATE] who asks, and what is still to be granted: on a volume everything, by the file system. */
static VOID IopFillAccess(ACCESS_STATE *Access, const FILE_OBJECT *File, ACCESS_MASK Desired)
{
    const ACCESS_MASK Most = Desired & MAXIMUM_ALLOWED;
    RtlZeroMemory(Access, sizeof(*Access));
    Access->OriginalDesiredAccess = Desired;
    if (File->Vpb != NULL)
        Access->RemainingDesiredAccess = ObMapAccess(IoFileObjectType, Desired & ~Most) | Most;
    else
        Access->PreviouslyGrantedAccess = ObMapAccess(IoFileObjectType, Desired);
    SeCaptureSubjectContext(&Access->SubjectSecurityContext);
}

/* A list of parameters that a driver of the stack has attached goes with the request. */
static VOID IopFreeCreate(PIRP Irp, const IOP_OPEN *Open)
{
    PECP_LIST Attached = *IopEcpListOf(Irp);
    if (Attached != NULL && Attached != Open->Ecps)
        FsRtlFreeExtraCreateParameterList(Attached);
    IopFreeBuffers(Irp);
    IoFreeIrp(Irp);
}

/* [WDK ACCESS_STATE] what MAXIMUM_ALLOWED is on a volume the file system has found out, or everything: it did not look at the rights. */
static VOID IopTakeGranted(OB_PARSE *Parse, const FILE_OBJECT *File, const ACCESS_STATE *Access)
{
    if (File->Vpb != NULL && (Parse->DesiredAccess & MAXIMUM_ALLOWED) && Access->RemainingDesiredAccess == 0)
        Parse->DesiredAccess = Access->PreviouslyGrantedAccess;
}

static NTSTATUS IopSendCreate(PFILE_OBJECT File, OB_PARSE *Parse, PIO_STATUS_BLOCK Iosb)
{
    const IOP_OPEN *Open = Parse->Context;
    PDEVICE_OBJECT Top = IoGetRelatedDeviceObject(File);
    ACCESS_STATE Access;
    PIRP Irp = IoAllocateIrp(Top->StackSize, FALSE);
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    IopFillAccess(&Access, File, Parse->DesiredAccess);
    IO_SECURITY_CONTEXT Security = {
        NULL, &Access, Access.RemainingDesiredAccess | Access.PreviouslyGrantedAccess, Open->CreateOptions};
    IopFillCreate(Irp, File, Parse, &Security);
    Irp->UserIosb = Iosb;
    *IopEcpListOf(Irp) = Open->Ecps;
    NTSTATUS Status = IopCallAndWait(Top, Irp, NULL);
    *Iosb = Irp->IoStatus;
    SeReleaseSubjectContext(&Access.SubjectSecurityContext);
    IopFreeCreate(Irp, Open);
    if (NT_SUCCESS(Status) && Status != STATUS_REPARSE)
        IopTakeGranted(Parse, File, &Access);
    return Status;
}

/* [WDK IoCreateFileSpecifyDeviceObjectHint] the device must be in the stack of the file's volume. */
static NTSTATUS IopUseHint(PFILE_OBJECT File, PDEVICE_OBJECT Hint)
{
    if (Hint == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = IopReferenceInStack(IopBaseDevice(File), Hint);
    if (!NT_SUCCESS(Status))
        return Status;
    IopFile(File)->Hint = Hint;
    File->Flags |= IOP_FO_HAS_HINT;
    return STATUS_SUCCESS;
}

/* [WDK IRP_MJ_CREATE] a driver that completes with STATUS_REPARSE and IO_REPARSE has put another absolute name into the file. */
static NTSTATUS IopReparse(PFILE_OBJECT File, const IO_STATUS_BLOCK *Iosb, OB_PARSE *Parse)
{
    if (Iosb->Information != IO_REPARSE)
        return STATUS_IO_REPARSE_TAG_NOT_HANDLED;
    NTSTATUS Status = ObAllocateName(&Parse->NewName, File->FileName.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyMemory(Parse->NewName.Buffer, File->FileName.Buffer, File->FileName.Length);
    Parse->NewName.Length = File->FileName.Length;
    return STATUS_REPARSE;
}

static NTSTATUS IopOpenOnReferencedDevice(PDEVICE_OBJECT Device, PFILE_OBJECT Related, OB_PARSE *Parse,
                                          PVOID *Found)
{
    IOP_OPEN *Open = Parse->Context;
    IO_STATUS_BLOCK Iosb;
    PFILE_OBJECT File;
    NTSTATUS Status = IopMakeFile(Device, Related, Parse, &File);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopReferenceVolume(File, ObMapAccess(IoFileObjectType, Parse->DesiredAccess));
    if (NT_SUCCESS(Status))
        Status = IopUseHint(File, Open->Hint);
    if (NT_SUCCESS(Status))
        Status = IopSendCreate(File, Parse, &Iosb);
    if (Status == STATUS_REPARSE)
        Status = IopReparse(File, &Iosb, Parse);
    if (Related !=
        NULL) /* [WDK FILE_OBJECT] RelatedFileObject is there for IRP_MJ_CREATE only; a chain of them would not end */
        ObfDereferenceObject(Related);
    File->RelatedFileObject = NULL;
    if (NT_SUCCESS(Status) && Status != STATUS_REPARSE) {
        IopFile(File)->Opened = TRUE;
        Open->FinalStatus = Status;
        Open->Information = Iosb.Information;
        *Found = File;
        return Status;
    }
    if (IopFile(File)->Vpb != NULL)
        IopDereferenceVolume(File);
    File->Vpb = NULL;
    File->DeviceObject = NULL; /* no cleanup and close for what was not opened */
    ObfDereferenceObject(File);
    return Status;
}

NTSTATUS IopOpenFile(PDEVICE_OBJECT Device, PFILE_OBJECT Related, OB_PARSE *Parse, PVOID *Found)
{
    NTSTATUS Status = IopCheckDeviceAccess(Device, Related, Parse);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IopReferenceDeviceForOpen(Device, Related != NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    ObfReferenceObject(Device);
    Status = IopOpenOnReferencedDevice(Device, Related, Parse, Found);
    if (NT_SUCCESS(Status) && Status != STATUS_REPARSE)
        return Status;
    IopDereferenceDevice(Device);
    ObfDereferenceObject(Device);
    return Status;
}

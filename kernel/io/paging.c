/* SPDX-License-Identifier: MIT
 * What sections ask of files: whole pages without a cache, the file's size. No handle, no lock of the file: a page fault may come
 * while a request on it is at work. [WDK IRP_MJ_READ, IRP_PAGING_IO] */
#include "iop.h"

/* The file is referenced by the request, as by any other. */
static PIRP IopMakePagingIrp(PFILE_OBJECT File, PDEVICE_OBJECT Device, UCHAR Major, PIO_STACK_LOCATION *Stack)
{
    PIRP Irp = IoAllocateIrp(Device->StackSize, FALSE);

    if (Irp == NULL)
        return NULL;
    ObfReferenceObject(File);
    Irp->RequestorMode = KernelMode;
    Irp->Tail.Overlay.OriginalFileObject = File;
    *Stack = IoGetNextIrpStackLocation(Irp);
    (*Stack)->MajorFunction = Major;
    (*Stack)->FileObject = File;
    return Irp;
}

static NTSTATUS IopTransfer(PFILE_OBJECT File, ULONG64 Offset, PMDL Mdl, ULONG Length, BOOLEAN Write,
                            PULONG_PTR Done)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(File);
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK Iosb;
    PIRP Irp = IopMakePagingIrp(File, Device, Write ? IRP_MJ_WRITE : IRP_MJ_READ, &Stack);

    if (Irp == NULL) {
        IoFreeMdl(Mdl);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Irp->MdlAddress = Mdl;
    Irp->UserBuffer = MmGetMdlVirtualAddress(Mdl);
    Irp->Flags = IRP_PAGING_IO | IRP_NOCACHE | IRP_SYNCHRONOUS_PAGING_IO;
    Stack->Parameters.Read.Length = Length; /* of a write too */
    Stack->Parameters.Read.ByteOffset.QuadPart = (LONGLONG)Offset;
    NTSTATUS Status = IopSendAndWait(Device, Irp, &Iosb);
    *Done = NT_SUCCESS(Status) && Iosb.Information < Length ? Iosb.Information
            : NT_SUCCESS(Status)                            ? Length
                                                            : 0;
    return Status;
}

/* The MDL goes with the IRP. */
NTSTATUS IoTransferPages(PVOID File, ULONG64 Offset, PVOID Buffer, ULONG Length, BOOLEAN Write,
                         PULONG_PTR Done)
{
    PMDL Mdl = IoAllocateMdl(Buffer, Length, FALSE, FALSE, NULL);

    if (Mdl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    MmBuildMdlForNonPagedPool(Mdl);
    return IopTransfer(File, Offset, Mdl, Length, Write, Done);
}

NTSTATUS IoQueryFileSize(PFILE_OBJECT File, PULONG64 Size)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(File);
    FILE_STANDARD_INFORMATION Standard = {.EndOfFile.QuadPart = 0};
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK Iosb;
    PIRP Irp = IopMakePagingIrp(File, Device, IRP_MJ_QUERY_INFORMATION, &Stack);

    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Irp->AssociatedIrp.SystemBuffer = &Standard;
    Stack->Parameters.QueryFile.Length = sizeof(Standard);
    Stack->Parameters.QueryFile.FileInformationClass = FileStandardInformation;
    NTSTATUS Status = IopSendAndWait(Device, Irp, &Iosb);
    *Size = (ULONG64)Standard.EndOfFile.QuadPart;
    return NT_SUCCESS(Status) && Standard.EndOfFile.QuadPart < 0 ? STATUS_FILE_INVALID : Status;
}

NTSTATUS IoSetFileSize(PFILE_OBJECT File, ULONG64 Size)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(File);
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = (LONGLONG)Size};
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK Iosb;
    PIRP Irp = IopMakePagingIrp(File, Device, IRP_MJ_SET_INFORMATION, &Stack);

    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Irp->AssociatedIrp.SystemBuffer = &End;
    Stack->Parameters.SetFile.Length = sizeof(End);
    Stack->Parameters.SetFile.FileInformationClass = FileEndOfFileInformation;
    return IopSendAndWait(Device, Irp, &Iosb);
}

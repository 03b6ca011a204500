/* SPDX-License-Identifier: MIT
 * What sections ask of files: whole pages without a cache, the file's size. No handle, no lock of the file: a page fault may come
 * while a request on it is at work. The segment that asks has the file referenced until it has its answer. [WDK IRP_MJ_READ, IRP_PAGING_IO] */
#include "iop.h"

static NTSTATUS IopTransfer(PFILE_OBJECT File, ULONG64 Offset, PMDL Mdl, ULONG Length, BOOLEAN Write,
                            PULONG_PTR Done)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(File);
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK Iosb;
    PIRP Irp = IopMakeFileIrp(File, Device, Write ? IRP_MJ_WRITE : IRP_MJ_READ, &Stack);

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

/* One class of information, read or written. The parameters of both requests begin alike. */
static NTSTATUS IopAskFile(PFILE_OBJECT File, UCHAR Major, FILE_INFORMATION_CLASS Class, PVOID Information,
                           ULONG Length)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(File);
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK Iosb;
    PIRP Irp = IopMakeFileIrp(File, Device, Major, &Stack);

    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Irp->AssociatedIrp.SystemBuffer = Information;
    Stack->Parameters.QueryFile.Length = Length;
    Stack->Parameters.QueryFile.FileInformationClass = Class;
    return IopSendAndWait(Device, Irp, &Iosb);
}
_Static_assert(FIELD_OFFSET(IO_STACK_LOCATION, Parameters.QueryFile.FileInformationClass) ==
                   FIELD_OFFSET(IO_STACK_LOCATION, Parameters.SetFile.FileInformationClass),
               "IopAskFile");

NTSTATUS IoQueryFileSize(PFILE_OBJECT File, PULONG64 Size)
{
    FILE_STANDARD_INFORMATION Standard = {.EndOfFile.QuadPart = 0};
    NTSTATUS Status =
        IopAskFile(File, IRP_MJ_QUERY_INFORMATION, FileStandardInformation, &Standard, sizeof(Standard));

    *Size = (ULONG64)Standard.EndOfFile.QuadPart;
    return NT_SUCCESS(Status) && Standard.EndOfFile.QuadPart < 0 ? STATUS_FILE_INVALID : Status;
}

NTSTATUS IoSetFileSize(PFILE_OBJECT File, ULONG64 Size)
{
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = (LONGLONG)Size};

    return IopAskFile(File, IRP_MJ_SET_INFORMATION, FileEndOfFileInformation, &End, sizeof(End));
}

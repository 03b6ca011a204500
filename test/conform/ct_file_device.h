/* SPDX-License-Identifier: MIT
 * A device of the driver as a file system of one file, whose contents lie in memory. */
#pragma once
#include "ct_irp.h"

typedef struct CT_FILE {
    PCWSTR Name; /* L"\\Device\\..." */
    PUCHAR Bytes;
    ULONG Size;
    SECTION_OBJECT_POINTERS Pointers;
    volatile LONG Reads, Writes;
    volatile LONG Wrong;  /* transfers that are not of whole pages, or not paging I/O */
    volatile LONG Behind; /* writes of more than the file has */
} CT_FILE;

static CT_FILE *CtFile; /* one in each driver */

static inline NTSTATUS NTAPI CtFileOpen(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    IoGetCurrentIrpStackLocation(Irp)->FileObject->SectionObjectPointer = &CtFile->Pointers;
    return CtComplete(Irp, STATUS_SUCCESS, 0);
}

static inline NTSTATUS NTAPI CtFileClose(PDEVICE_OBJECT Device, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Device);
    return CtComplete(Irp, STATUS_SUCCESS, 0);
}

/* Paging reads and writes only: whole pages in an MDL, but for the last one of a write. */
static inline NTSTATUS NTAPI CtFileTransfer(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN Writes = Stack->MajorFunction == IRP_MJ_WRITE;
    ULONG Length = Stack->Parameters.Read.Length;
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart;
    UNREFERENCED_PARAMETER(Device);
    if (!(Irp->Flags & IRP_PAGING_IO) || !(Irp->Flags & IRP_NOCACHE) || Irp->MdlAddress == NULL ||
        Offset % PAGE_SIZE != 0)
        InterlockedIncrement(&CtFile->Wrong);
    if (Offset >= CtFile->Size || Irp->MdlAddress == NULL)
        return CtComplete(Irp, STATUS_END_OF_FILE, 0);
    if (Writes && Length > CtFile->Size - Offset)
        InterlockedIncrement(&CtFile->Behind);
    if (Length > CtFile->Size - Offset)
        Length = (ULONG)(CtFile->Size - Offset);
    PUCHAR Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    InterlockedIncrement(Writes ? &CtFile->Writes : &CtFile->Reads);
    if (Writes)
        RtlCopyMemory(CtFile->Bytes + Offset, Buffer, Length);
    else
        RtlCopyMemory(Buffer, CtFile->Bytes + Offset, Length);
    return CtComplete(Irp, STATUS_SUCCESS, Length);
}

static inline NTSTATUS NTAPI CtFileQuery(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFILE_STANDARD_INFORMATION Standard = Irp->AssociatedIrp.SystemBuffer;
    UNREFERENCED_PARAMETER(Device);
    if (Stack->Parameters.QueryFile.FileInformationClass != FileStandardInformation)
        return CtComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    RtlZeroMemory(Standard, sizeof(*Standard));
    Standard->EndOfFile.QuadPart = CtFile->Size;
    return CtComplete(Irp, STATUS_SUCCESS, sizeof(*Standard));
}

/* NULL: there is no device. It is the caller's to delete. */
static inline PDEVICE_OBJECT CtMakeFileDevice(CT_FILE *File)
{
    UNICODE_STRING Name;
    PDEVICE_OBJECT Device = NULL;
    CtFile = File;
    CtDriverObject->MajorFunction[IRP_MJ_CREATE] = CtFileOpen;
    CtDriverObject->MajorFunction[IRP_MJ_CLEANUP] = CtFileClose;
    CtDriverObject->MajorFunction[IRP_MJ_CLOSE] = CtFileClose;
    CtDriverObject->MajorFunction[IRP_MJ_READ] = CtFileTransfer;
    CtDriverObject->MajorFunction[IRP_MJ_WRITE] = CtFileTransfer;
    CtDriverObject->MajorFunction[IRP_MJ_QUERY_INFORMATION] = CtFileQuery;
    RtlInitUnicodeString(&Name, File->Name);
    if (NT_SUCCESS(IoCreateDevice(CtDriverObject, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device)))
        Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return Device;
}

static inline NTSTATUS CtOpenFile(PHANDLE Handle, ACCESS_MASK Access)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    RtlInitUnicodeString(&Name, CtFile->Name);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwCreateFile(Handle, Access | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, FILE_SHARE_READ, FILE_OPEN,
                        FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

/* SPDX-License-Identifier: MIT
 * What a file tells about itself. The I/O manager has checked the least lengths. [WDK ZwQueryInformationFile] */
#include "ramfs.h"

static VOID FillSizes(const RAMFS_NODE *Node, PLARGE_INTEGER End, PLARGE_INTEGER Allocation)
{
    KeAcquireGuardedMutex(&RamfsData);
    *End = Node->Header.FileSize;
    *Allocation = Node->Header.AllocationSize;
    KeReleaseGuardedMutex(&RamfsData);
}

static ULONG FillBasic(PFILE_OBJECT File, PVOID Buffer)
{
    const RAMFS_NODE *Node = RamfsNode(File);
    FILE_BASIC_INFORMATION *Basic = Buffer;
    RamfsLock();
    Basic->CreationTime = Node->CreationTime;
    Basic->LastAccessTime = Node->LastAccessTime;
    Basic->LastWriteTime = Node->LastWriteTime;
    Basic->ChangeTime = Node->ChangeTime;
    Basic->FileAttributes = RamfsAttributes(Node);
    RamfsUnlock();
    return sizeof(*Basic);
}

/* The memory manager asks for it too: no more than RamfsData is locked. */
static ULONG FillStandard(PFILE_OBJECT File, PVOID Buffer)
{
    const RAMFS_NODE *Node = RamfsNode(File);
    FILE_STANDARD_INFORMATION *Standard = Buffer;
    FillSizes(Node, &Standard->EndOfFile, &Standard->AllocationSize);
    Standard->DeletePending = Node->DeletePending;
    Standard->NumberOfLinks = Node->DeletePending ? 0 : 1;
    Standard->Directory = Node->Folder;
    return sizeof(*Standard);
}

static ULONG FillInternal(PFILE_OBJECT File, PVOID Buffer)
{
    ((FILE_INTERNAL_INFORMATION *)Buffer)->IndexNumber.QuadPart = (LONGLONG)RamfsNode(File)->Id;
    return sizeof(FILE_INTERNAL_INFORMATION);
}

static ULONG FillEa(PFILE_OBJECT File, PVOID Buffer)
{
    UNREFERENCED_PARAMETER(File);
    ((FILE_EA_INFORMATION *)Buffer)->EaSize = 0;
    return sizeof(FILE_EA_INFORMATION);
}

static ULONG FillPosition(PFILE_OBJECT File, PVOID Buffer)
{
    ((FILE_POSITION_INFORMATION *)Buffer)->CurrentByteOffset = File->CurrentByteOffset;
    return sizeof(FILE_POSITION_INFORMATION);
}

static ULONG FillNetworkOpen(PFILE_OBJECT File, PVOID Buffer)
{
    FILE_BASIC_INFORMATION Basic;
    FILE_NETWORK_OPEN_INFORMATION *Open = Buffer;
    FillBasic(File, &Basic);
    Open->CreationTime = Basic.CreationTime;
    Open->LastAccessTime = Basic.LastAccessTime;
    Open->LastWriteTime = Basic.LastWriteTime;
    Open->ChangeTime = Basic.ChangeTime;
    Open->FileAttributes = Basic.FileAttributes;
    FillSizes(RamfsNode(File), &Open->EndOfFile, &Open->AllocationSize);
    return sizeof(*Open);
}

static ULONG FillAttributeTag(PFILE_OBJECT File, PVOID Buffer)
{
    FILE_ATTRIBUTE_TAG_INFORMATION *Tag = Buffer;
    Tag->FileAttributes = RamfsAttributes(RamfsNode(File));
    Tag->ReparseTag = 0;
    return sizeof(*Tag);
}

/* [WDK FILE_NAME_INFORMATION] FileNameLength is that of the whole name; STATUS_BUFFER_OVERFLOW when only a part fits. */
static NTSTATUS FillName(PFILE_OBJECT File, PVOID Buffer, ULONG Length, ULONG_PTR *Information)
{
    FILE_NAME_INFORMATION *Name = Buffer;
    ULONG Header = FIELD_OFFSET(FILE_NAME_INFORMATION, FileName), Room = (Length - Header) & ~1u;
    RamfsLock();
    Name->FileNameLength = RamfsPath(RamfsNode(File), Name->FileName, Room);
    RamfsUnlock();
    *Information = Header + min(Room, Name->FileNameLength);
    return Room < Name->FileNameLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* [WDK FILE_ALL_INFORMATION] access, mode and alignment are the I/O manager's. */
static NTSTATUS FillAll(PFILE_OBJECT File, PVOID Buffer, ULONG Length, ULONG_PTR *Information)
{
    FILE_ALL_INFORMATION *All = Buffer;
    ULONG Before = FIELD_OFFSET(FILE_ALL_INFORMATION, NameInformation);
    FillBasic(File, &All->BasicInformation);
    FillStandard(File, &All->StandardInformation);
    FillInternal(File, &All->InternalInformation);
    FillEa(File, &All->EaInformation);
    FillPosition(File, &All->PositionInformation);
    NTSTATUS Status = FillName(File, &All->NameInformation, Length - Before, Information);
    *Information += Before;
    return Status;
}

static const struct {
    FILE_INFORMATION_CLASS Class;
    ULONG (*Fill)(PFILE_OBJECT File, PVOID Buffer);
} Fixed[] = {
    {FileBasicInformation, FillBasic},
    {FileStandardInformation, FillStandard},
    {FileInternalInformation, FillInternal},
    {FileEaInformation, FillEa},
    {FilePositionInformation, FillPosition},
    {FileNetworkOpenInformation, FillNetworkOpen},
    {FileAttributeTagInformation, FillAttributeTag},
};

NTSTATUS NTAPI RamfsQueryInformation(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFILE_OBJECT File = Stack->FileObject;
    FILE_INFORMATION_CLASS Class = Stack->Parameters.QueryFile.FileInformationClass;
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG_PTR Information = 0;
    UNREFERENCED_PARAMETER(Device);
    if (RamfsNode(File) == NULL)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Class == FileNameInformation || Class == FileAllInformation) {
        NTSTATUS Status = Class == FileNameInformation
                              ? FillName(File, Buffer, Stack->Parameters.QueryFile.Length, &Information)
                              : FillAll(File, Buffer, Stack->Parameters.QueryFile.Length, &Information);
        return RamfsComplete(Irp, Status, Information);
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(Fixed); i++) {
        if (Fixed[i].Class == Class)
            return RamfsComplete(Irp, STATUS_SUCCESS, Fixed[i].Fill(File, Buffer));
    }
    return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
}

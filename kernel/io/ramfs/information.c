/* SPDX-License-Identifier: MIT
 * What a file of boot.cpio tells about itself: the FileXxxInformation classes, and the one that can be set,
 * its position. */
#include "io/ramfs/ramfs.h"

#define SECONDS_1601_TO_1970 11644473600ll
#define UNITS_PER_SECOND 10000000ll /* 100 ns */

static LARGE_INTEGER NodeTime(const RAMFS_NODE *Node)
{
    return (LARGE_INTEGER){.QuadPart = (Node->Time + SECONDS_1601_TO_1970) * UNITS_PER_SECOND};
}

static ULONG NodeAttributes(const RAMFS_NODE *Node)
{
    return FILE_ATTRIBUTE_READONLY | (Node->Folder ? FILE_ATTRIBUTE_DIRECTORY : 0);
}

static LONGLONG AllocatedSize(const RAMFS_NODE *Node)
{
    return ((LONGLONG)Node->Size + RAMFS_SECTOR - 1) & ~(LONGLONG)(RAMFS_SECTOR - 1);
}

static ULONG FillBasic(PFILE_OBJECT File, PVOID Buffer)
{
    const RAMFS_NODE *Node = RamfsNode(File);
    FILE_BASIC_INFORMATION *Basic = Buffer;
    Basic->CreationTime = NodeTime(Node);
    Basic->LastAccessTime = NodeTime(Node);
    Basic->LastWriteTime = NodeTime(Node);
    Basic->ChangeTime = NodeTime(Node);
    Basic->FileAttributes = NodeAttributes(Node);
    return sizeof(*Basic);
}

static ULONG FillStandard(PFILE_OBJECT File, PVOID Buffer)
{
    const RAMFS_NODE *Node = RamfsNode(File);
    FILE_STANDARD_INFORMATION *Standard = Buffer;
    Standard->AllocationSize.QuadPart = AllocatedSize(Node);
    Standard->EndOfFile.QuadPart = Node->Size;
    Standard->NumberOfLinks = 1;
    Standard->DeletePending = FALSE;
    Standard->Directory = Node->Folder;
    return sizeof(*Standard);
}

static ULONG FillInternal(PFILE_OBJECT File, PVOID Buffer)
{
    ((FILE_INTERNAL_INFORMATION *)Buffer)->IndexNumber.QuadPart = RamfsNumber(RamfsNode(File));
    return sizeof(FILE_INTERNAL_INFORMATION);
}

static ULONG FillPosition(PFILE_OBJECT File, PVOID Buffer)
{
    ((FILE_POSITION_INFORMATION *)Buffer)->CurrentByteOffset = File->CurrentByteOffset;
    return sizeof(FILE_POSITION_INFORMATION);
}

static ULONG FillNetworkOpen(PFILE_OBJECT File, PVOID Buffer)
{
    const RAMFS_NODE *Node = RamfsNode(File);
    FILE_NETWORK_OPEN_INFORMATION *Open = Buffer;
    Open->CreationTime = NodeTime(Node);
    Open->LastAccessTime = NodeTime(Node);
    Open->LastWriteTime = NodeTime(Node);
    Open->ChangeTime = NodeTime(Node);
    Open->AllocationSize.QuadPart = AllocatedSize(Node);
    Open->EndOfFile.QuadPart = Node->Size;
    Open->FileAttributes = NodeAttributes(Node);
    return sizeof(*Open);
}

static const struct {
    FILE_INFORMATION_CLASS Class;
    ULONG Size;
    ULONG (*Fill)(PFILE_OBJECT File, PVOID Buffer);
} Fixed[] = {
    {FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), FillBasic},
    {FileStandardInformation, sizeof(FILE_STANDARD_INFORMATION), FillStandard},
    {FileInternalInformation, sizeof(FILE_INTERNAL_INFORMATION), FillInternal},
    {FilePositionInformation, sizeof(FILE_POSITION_INFORMATION), FillPosition},
    {FileNetworkOpenInformation, sizeof(FILE_NETWORK_OPEN_INFORMATION), FillNetworkOpen},
};

/* Bytes of the node's path, "\Windows\System32"; the root is "\". */
static ULONG PathLength(const RAMFS_NODE *Node)
{
    ULONG Length = 0;
    if (Node->Parent == RAMFS_NONE)
        return sizeof(WCHAR);
    for (; Node->Parent != RAMFS_NONE; Node = &RamfsIndex.Nodes[Node->Parent])
        Length += (1u + Node->NameLength) * sizeof(WCHAR);
    return Length;
}

/* Character At of the path, counted from its end: the path is stored from leaf to root. */
static VOID CopyPath(const RAMFS_NODE *Node, PWCHAR Path, ULONG Whole, ULONG Room)
{
    ULONG End = Whole;
    if (Node->Parent == RAMFS_NONE && Room)
        Path[0] = L'\\';
    for (; Node->Parent != RAMFS_NONE; Node = &RamfsIndex.Nodes[Node->Parent]) {
        ULONG Begin = End - Node->NameLength - 1;
        for (ULONG i = Begin; i < End && i < Room; i++)
            Path[i] = i == Begin ? L'\\' : RamfsIndex.Names[Node->Name + i - Begin - 1];
        End = Begin;
    }
}

/* [WDK FILE_NAME_INFORMATION] FileNameLength is that of the whole name; STATUS_BUFFER_OVERFLOW when only a
 * part fits. */
static NTSTATUS FillName(PFILE_OBJECT File, PVOID Buffer, ULONG Length, ULONG_PTR *Information)
{
    FILE_NAME_INFORMATION *Name = Buffer;
    ULONG Header = FIELD_OFFSET(FILE_NAME_INFORMATION, FileName);
    if (Length < Header)
        return STATUS_INFO_LENGTH_MISMATCH;
    ULONG Whole = PathLength(RamfsNode(File));
    ULONG Room = (Length - Header) & ~1u;
    Name->FileNameLength = Whole;
    CopyPath(RamfsNode(File), Name->FileName, Whole / sizeof(WCHAR), Room / sizeof(WCHAR));
    *Information = Header + (Room < Whole ? Room : Whole);
    return Room < Whole ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

NTSTATUS NTAPI RamfsQueryInformation(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    FILE_INFORMATION_CLASS Class = Stack->Parameters.QueryFile.FileInformationClass;
    ULONG Length = Stack->Parameters.QueryFile.Length;
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG_PTR Information = 0;

    if (Class == FileNameInformation) {
        NTSTATUS Status = FillName(Stack->FileObject, Buffer, Length, &Information);
        return RamfsComplete(Irp, Status, Information);
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(Fixed); i++) {
        if (Fixed[i].Class != Class)
            continue;
        if (Length < Fixed[i].Size)
            return RamfsComplete(Irp, STATUS_INFO_LENGTH_MISMATCH, 0);
        return RamfsComplete(Irp, STATUS_SUCCESS, Fixed[i].Fill(Stack->FileObject, Buffer));
    }
    return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
}

/* [WDK ZwSetInformationFile] FilePositionInformation moves the file pointer of a synchronous file. */
NTSTATUS NTAPI RamfsSetInformation(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    const FILE_POSITION_INFORMATION *Position = Irp->AssociatedIrp.SystemBuffer;
    if (Stack->Parameters.SetFile.FileInformationClass != FilePositionInformation)
        return RamfsComplete(Irp, STATUS_MEDIA_WRITE_PROTECTED, 0);
    if (Stack->Parameters.SetFile.Length < sizeof(*Position))
        return RamfsComplete(Irp, STATUS_INFO_LENGTH_MISMATCH, 0);
    if (Position->CurrentByteOffset.QuadPart < 0)
        return RamfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    Stack->FileObject->CurrentByteOffset = Position->CurrentByteOffset;
    return RamfsComplete(Irp, STATUS_SUCCESS, 0);
}

/* SPDX-License-Identifier: MIT
 * What a file of boot.cpio tells about itself: the FileXxxInformation classes, and the one that can be set,
 * its position. */
#include "io/bootfs/bootfs.h"

static ULONG FillBasic(PFILE_OBJECT File, PVOID Buffer)
{
    const BOOTFS_NODE *Node = BootfsNode(File);
    FILE_BASIC_INFORMATION *Basic = Buffer;
    Basic->CreationTime = BootfsTime(Node);
    Basic->LastAccessTime = BootfsTime(Node);
    Basic->LastWriteTime = BootfsTime(Node);
    Basic->ChangeTime = BootfsTime(Node);
    Basic->FileAttributes = BootfsAttributes(Node);
    return sizeof(*Basic);
}

static ULONG FillStandard(PFILE_OBJECT File, PVOID Buffer)
{
    const BOOTFS_NODE *Node = BootfsNode(File);
    FILE_STANDARD_INFORMATION *Standard = Buffer;
    Standard->AllocationSize.QuadPart = BootfsAllocatedSize(Node);
    Standard->EndOfFile.QuadPart = Node->Size;
    Standard->NumberOfLinks = 1;
    Standard->DeletePending = FALSE;
    Standard->Directory = Node->Folder;
    return sizeof(*Standard);
}

static ULONG FillInternal(PFILE_OBJECT File, PVOID Buffer)
{
    ((FILE_INTERNAL_INFORMATION *)Buffer)->IndexNumber.QuadPart = BootfsNumber(BootfsNode(File));
    return sizeof(FILE_INTERNAL_INFORMATION);
}

static ULONG FillPosition(PFILE_OBJECT File, PVOID Buffer)
{
    ((FILE_POSITION_INFORMATION *)Buffer)->CurrentByteOffset = File->CurrentByteOffset;
    return sizeof(FILE_POSITION_INFORMATION);
}

static ULONG FillNetworkOpen(PFILE_OBJECT File, PVOID Buffer)
{
    const BOOTFS_NODE *Node = BootfsNode(File);
    FILE_NETWORK_OPEN_INFORMATION *Open = Buffer;
    Open->CreationTime = BootfsTime(Node);
    Open->LastAccessTime = BootfsTime(Node);
    Open->LastWriteTime = BootfsTime(Node);
    Open->ChangeTime = BootfsTime(Node);
    Open->AllocationSize.QuadPart = BootfsAllocatedSize(Node);
    Open->EndOfFile.QuadPart = Node->Size;
    Open->FileAttributes = BootfsAttributes(Node);
    return sizeof(*Open);
}

static ULONG FillEa(PFILE_OBJECT File, PVOID Buffer)
{
    ((FILE_EA_INFORMATION *)Buffer)->EaSize = 0;
    return sizeof(FILE_EA_INFORMATION);
}

static ULONG FillAttributeTag(PFILE_OBJECT File, PVOID Buffer)
{
    FILE_ATTRIBUTE_TAG_INFORMATION *Tag = Buffer;
    Tag->FileAttributes = BootfsAttributes(BootfsNode(File));
    Tag->ReparseTag = Tag->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT ? IO_REPARSE_TAG_MOUNT_POINT : 0;
    return sizeof(*Tag);
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
    {FileEaInformation, sizeof(FILE_EA_INFORMATION), FillEa},
    {FileAttributeTagInformation, sizeof(FILE_ATTRIBUTE_TAG_INFORMATION), FillAttributeTag},
};

/* Bytes of the node's path, "\Windows\System32"; the root is "\". */
static ULONG PathLength(const BOOTFS_NODE *Node)
{
    ULONG Length = 0;
    if (Node->Parent == BOOTFS_NONE)
        return sizeof(WCHAR);
    for (; Node->Parent != BOOTFS_NONE; Node = &BootfsIndex.Nodes[Node->Parent])
        Length += (1u + Node->NameLength) * sizeof(WCHAR);
    return Length;
}

/* Character At of the path, counted from its end: the path is stored from leaf to root. */
static VOID CopyPath(const BOOTFS_NODE *Node, PWCHAR Path, ULONG Whole, ULONG Room)
{
    ULONG End = Whole;
    if (Node->Parent == BOOTFS_NONE && Room)
        Path[0] = L'\\';
    for (; Node->Parent != BOOTFS_NONE; Node = &BootfsIndex.Nodes[Node->Parent]) {
        ULONG Begin = End - Node->NameLength - 1;
        for (ULONG i = Begin; i < End && i < Room; i++)
            Path[i] = i == Begin ? L'\\' : BootfsIndex.Names[Node->Name + i - Begin - 1];
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
    ULONG Whole = PathLength(BootfsNode(File));
    ULONG Room = (Length - Header) & ~1u;
    Name->FileNameLength = Whole;
    CopyPath(BootfsNode(File), Name->FileName, Whole / sizeof(WCHAR), Room / sizeof(WCHAR));
    *Information = Header + (Room < Whole ? Room : Whole);
    return Room < Whole ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* [WDK FILE_ALL_INFORMATION] the I/O manager has filled in access, mode and alignment. */
static NTSTATUS FillAll(PFILE_OBJECT File, PVOID Buffer, ULONG Length, ULONG_PTR *Information)
{
    FILE_ALL_INFORMATION *All = Buffer;
    ULONG_PTR Name = 0, Before = FIELD_OFFSET(FILE_ALL_INFORMATION, NameInformation);
    if (Length < sizeof(*All))
        return STATUS_INFO_LENGTH_MISMATCH;
    FillBasic(File, &All->BasicInformation);
    FillStandard(File, &All->StandardInformation);
    FillInternal(File, &All->InternalInformation);
    FillEa(File, &All->EaInformation);
    FillPosition(File, &All->PositionInformation);
    NTSTATUS Status = FillName(File, &All->NameInformation, Length - (ULONG)Before, &Name);
    *Information = Before + Name;
    return Status;
}

NTSTATUS NTAPI BootfsQueryInformation(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    FILE_INFORMATION_CLASS Class = Stack->Parameters.QueryFile.FileInformationClass;
    ULONG Length = Stack->Parameters.QueryFile.Length;
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG_PTR Information = 0;

    if (BootfsNode(Stack->FileObject) == NULL) /* the volume is no file */
        return BootfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    if (Class == FileNameInformation || Class == FileAllInformation) {
        NTSTATUS Status = Class == FileNameInformation
                              ? FillName(Stack->FileObject, Buffer, Length, &Information)
                              : FillAll(Stack->FileObject, Buffer, Length, &Information);
        return BootfsComplete(Irp, Status, Information);
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(Fixed); i++) {
        if (Fixed[i].Class != Class)
            continue;
        if (Length < Fixed[i].Size)
            return BootfsComplete(Irp, STATUS_INFO_LENGTH_MISMATCH, 0);
        return BootfsComplete(Irp, STATUS_SUCCESS, Fixed[i].Fill(Stack->FileObject, Buffer));
    }
    return BootfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
}

/* [WDK ZwSetInformationFile] FilePositionInformation moves the file pointer of a synchronous file. */
NTSTATUS NTAPI BootfsSetInformation(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    const FILE_POSITION_INFORMATION *Position = Irp->AssociatedIrp.SystemBuffer;
    if (Stack->Parameters.SetFile.FileInformationClass != FilePositionInformation)
        return BootfsComplete(Irp, STATUS_MEDIA_WRITE_PROTECTED, 0);
    if (Stack->Parameters.SetFile.Length < sizeof(*Position))
        return BootfsComplete(Irp, STATUS_INFO_LENGTH_MISMATCH, 0);
    if (Position->CurrentByteOffset.QuadPart < 0)
        return BootfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    Stack->FileObject->CurrentByteOffset = Position->CurrentByteOffset;
    return BootfsComplete(Irp, STATUS_SUCCESS, 0);
}

/* SPDX-License-Identifier: MIT
 * Opening and making files and folders. [WDK ZwCreateFile, IRP_MJ_CREATE] */
#include "ramfs.h"
#include "fslib/access.h"

typedef struct CREATE {
    PFILE_OBJECT File;
    PIO_SECURITY_CONTEXT Security;
    ACCESS_MASK Access; /* granted; of what exists with what the disposition needs */
    ULONG Options, Disposition, Share, Attributes, EaLength;
    LONGLONG AllocationSize;
    BOOLEAN TargetDirectory;
    BOOLEAN TrailingSlash;
    RAMFS_NODE *Parent; /* folder of the last component; NULL: the name leads to the start itself */
    UNICODE_STRING Last;
    RAMFS_NODE *Node; /* NULL: there is none of that name */
    ULONG_PTR Information;
} CREATE;

/* [WDK ZwCreateFile] what a disposition needs in any case. */
static ACCESS_MASK ImpliedAccess(ULONG Disposition)
{
    if (Disposition == FILE_SUPERSEDE)
        return DELETE;
    if (Disposition == FILE_OVERWRITE || Disposition == FILE_OVERWRITE_IF)
        return FILE_WRITE_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES;
    return 0;
}

static VOID Decode(PIRP Irp, PIO_STACK_LOCATION Stack, CREATE *Create)
{
    RtlZeroMemory(Create, sizeof(*Create));
    Create->File = Stack->FileObject;
    Create->Security = Stack->Parameters.Create.SecurityContext;
    Create->Options = Stack->Parameters.Create.Options & 0xFFFFFF;
    Create->Disposition = Stack->Parameters.Create.Options >> 24;
    Create->Share = Stack->Parameters.Create.ShareAccess;
    Create->Attributes =
        Stack->Parameters.Create.FileAttributes &
        (FILE_ATTRIBUTE_READONLY | FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM | FILE_ATTRIBUTE_ARCHIVE |
         FILE_ATTRIBUTE_TEMPORARY | FILE_ATTRIBUTE_NOT_CONTENT_INDEXED);
    Create->EaLength = Stack->Parameters.Create.EaLength;
    Create->AllocationSize = Irp->Overlay.AllocationSize.QuadPart;
    Create->TargetDirectory = (Stack->Flags & SL_OPEN_TARGET_DIRECTORY) != 0;
}

/* --- the name --- */

static NTSTATUS FindStart(CREATE *Create, RAMFS_NODE **Start, PUNICODE_STRING Rest)
{
    PFILE_OBJECT Related = Create->File->RelatedFileObject;
    *Rest = Create->File->FileName;
    *Start = RamfsRoot;
    if (Rest->Length % sizeof(WCHAR) != 0)
        return STATUS_OBJECT_NAME_INVALID;
    if (Related == NULL) {
        if (Rest->Buffer[0] != L'\\')
            return STATUS_OBJECT_NAME_INVALID;
    } else {
        if (RamfsNode(Related) == NULL) /* names relative to the volume */
            return STATUS_INVALID_PARAMETER;
        *Start = RamfsNode(Related);
        if (Rest->Length != 0 && Rest->Buffer[0] == L'\\')
            return STATUS_OBJECT_NAME_INVALID;
    }
    if (Rest->Length != 0 && Rest->Buffer[0] == L'\\') {
        Rest->Buffer++;
        Rest->Length -= sizeof(WCHAR);
    }
    if (Rest->Length != 0 && Rest->Buffer[Rest->Length / sizeof(WCHAR) - 1] == L'\\') {
        Create->TrailingSlash = TRUE;
        Rest->Length -= sizeof(WCHAR);
    }
    return STATUS_SUCCESS;
}

static UNICODE_STRING TakeComponent(PUNICODE_STRING Rest)
{
    UNICODE_STRING Name = {0, 0, Rest->Buffer};
    while (Name.Length < Rest->Length && Rest->Buffer[Name.Length / sizeof(WCHAR)] != L'\\')
        Name.Length += sizeof(WCHAR);
    Name.MaximumLength = Name.Length;
    return Name;
}

/* Sets Parent, Last and Node. All components are looked at before anything is said to be missing: a bad name is a bad name. */
static NTSTATUS FindName(CREATE *Create)
{
    UNICODE_STRING Rest, Name;
    RAMFS_NODE *Node;
    BOOLEAN Missing = FALSE;
    NTSTATUS Status = FindStart(Create, &Node, &Rest);
    while (NT_SUCCESS(Status) && Rest.Length != 0) {
        Name = TakeComponent(&Rest);
        if (!RamfsNameIsValid(&Name))
            return STATUS_OBJECT_NAME_INVALID;
        Missing = Missing || Node == NULL || !Node->Folder;
        Create->Parent = Node;
        Create->Last = Name;
        Node = Missing ? NULL : RamfsFindChild(Node, &Name);
        Rest.Buffer += Name.Length / sizeof(WCHAR);
        Rest.Length -= Name.Length;
        if (Rest.Length !=
            0) { /* the separator; a name ends behind it only by the slash that was taken off */
            Rest.Buffer++;
            Rest.Length -= sizeof(WCHAR);
            if (Rest.Length == 0)
                return STATUS_OBJECT_NAME_INVALID;
        }
    }
    Create->Node = Node;
    return Missing ? STATUS_OBJECT_PATH_NOT_FOUND : Status;
}

/* --- what is there --- */

static NTSTATUS CheckKind(const CREATE *Create)
{
    const RAMFS_NODE *Node = Create->Node;
    if (Create->Disposition == FILE_CREATE)
        return STATUS_OBJECT_NAME_COLLISION;
    if ((Create->Options & FILE_DIRECTORY_FILE) && !Node->Folder)
        return STATUS_NOT_A_DIRECTORY;
    if ((Create->Options & FILE_NON_DIRECTORY_FILE) && Node->Folder)
        return STATUS_FILE_IS_A_DIRECTORY;
    if (Create->TrailingSlash && !Node->Folder)
        return STATUS_OBJECT_NAME_INVALID;
    if (Node->Folder && ImpliedAccess(Create->Disposition) != 0)
        return STATUS_OBJECT_NAME_COLLISION;
    return STATUS_SUCCESS;
}

/* [MS-FSA 2.1.5.1.2] what a read-only file is not opened for, and a hidden or system file not overwritten by accident. */
static NTSTATUS CheckAttributes(const CREATE *Create)
{
    const RAMFS_NODE *Node = Create->Node;
    if ((Node->Attributes & FILE_ATTRIBUTE_READONLY) && !Node->Folder) {
        if (Create->Options & FILE_DELETE_ON_CLOSE)
            return STATUS_CANNOT_DELETE;
        if ((Create->Access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) ||
            ImpliedAccess(Create->Disposition) != 0)
            return STATUS_ACCESS_DENIED;
    }
    if (Node == RamfsRoot && (Create->Options & FILE_DELETE_ON_CLOSE))
        return STATUS_CANNOT_DELETE;
    if (ImpliedAccess(Create->Disposition) != 0 &&
        (Node->Attributes & ~Create->Attributes & (FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM)))
        return STATUS_ACCESS_DENIED;
    return STATUS_SUCCESS;
}

/* [WDK MmFlushImageSection, MmCanFileBeTruncated] an image that runs is not written, a mapped file not cut. */
static NTSTATUS CheckSections(const CREATE *Create)
{
    RAMFS_NODE *Node = Create->Node;
    LARGE_INTEGER Zero = {.QuadPart = 0};
    if (Node->Folder)
        return STATUS_SUCCESS;
    if ((Create->Access & FILE_WRITE_DATA) && !MmFlushImageSection(&Node->Sections, MmFlushForWrite))
        return STATUS_SHARING_VIOLATION;
    if ((Create->Options & FILE_DELETE_ON_CLOSE) && !MmFlushImageSection(&Node->Sections, MmFlushForDelete))
        return STATUS_CANNOT_DELETE;
    if (ImpliedAccess(Create->Disposition) != 0 && !MmCanFileBeTruncated(&Node->Sections, &Zero))
        return STATUS_USER_MAPPED_FILE;
    return STATUS_SUCCESS;
}

static VOID Overwrite(CREATE *Create)
{
    RAMFS_NODE *Node = Create->Node;
    KeAcquireGuardedMutex(&RamfsData);
    RamfsSetSize(Node, 0);
    RamfsTrim(Node, 0);
    KeReleaseGuardedMutex(&RamfsData);
    Node->Attributes = Create->Attributes | FILE_ATTRIBUTE_ARCHIVE;
    RamfsTouch(Node, TRUE);
    RamfsNotify(Node, FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE | FILE_NOTIFY_CHANGE_ATTRIBUTES,
                FILE_ACTION_MODIFIED);
}

static NTSTATUS OpenExisting(CREATE *Create)
{
    RAMFS_NODE *Node = Create->Node;
    if (Node->DeletePending)
        return STATUS_DELETE_PENDING;
    BOOLEAN ReadOnly = (Node->Attributes & FILE_ATTRIBUTE_READONLY) && !Node->Folder;
    Create->Access = FsGrantAccess(Create->Security, ReadOnly ? FILE_WRITE_DATA | FILE_APPEND_DATA : 0) |
                     ImpliedAccess(Create->Disposition);
    NTSTATUS Status = CheckKind(Create);
    if (NT_SUCCESS(Status))
        Status = CheckAttributes(Create);
    if (NT_SUCCESS(Status))
        Status = IoCheckShareAccess(Create->Access, Create->Share, Create->File, &Node->Share, FALSE);
    if (NT_SUCCESS(Status))
        Status = CheckSections(Create);
    if (!NT_SUCCESS(Status))
        return Status;
    IoUpdateShareAccess(Create->File, &Node->Share);
    Create->Information = FILE_OPENED;
    if (ImpliedAccess(Create->Disposition) != 0) {
        Overwrite(Create);
        Create->Information = Create->Disposition == FILE_SUPERSEDE ? FILE_SUPERSEDED : FILE_OVERWRITTEN;
    }
    return STATUS_SUCCESS;
}

/* --- what is not --- */

static NTSTATUS CheckNew(const CREATE *Create)
{
    if (Create->Disposition == FILE_OPEN || Create->Disposition == FILE_OVERWRITE)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (Create->EaLength != 0)
        return STATUS_EAS_NOT_SUPPORTED;
    if (Create->TrailingSlash && !(Create->Options & FILE_DIRECTORY_FILE))
        return STATUS_OBJECT_NAME_INVALID;
    if (Create->Parent->DeletePending || (Create->Parent != RamfsRoot && Create->Parent->Parent == NULL))
        return STATUS_DELETE_PENDING;
    if ((Create->Options & FILE_DELETE_ON_CLOSE) && (Create->Attributes & FILE_ATTRIBUTE_READONLY))
        return STATUS_CANNOT_DELETE;
    return STATUS_SUCCESS;
}

static NTSTATUS MakeNew(CREATE *Create)
{
    RAMFS_NODE *Node;
    BOOLEAN Folder = (Create->Options & FILE_DIRECTORY_FILE) != 0;
    NTSTATUS Status = CheckNew(Create);
    if (NT_SUCCESS(Status))
        Status = RamfsMakeNode(&Create->Last, Folder,
                               Create->Attributes | (Folder ? 0 : FILE_ATTRIBUTE_ARCHIVE), &Node);
    if (!NT_SUCCESS(Status))
        return Status;
    if (!Folder && Create->AllocationSize != 0) {
        KeAcquireGuardedMutex(&RamfsData);
        Status = RamfsReserve(Node, Create->AllocationSize);
        KeReleaseGuardedMutex(&RamfsData);
    }
    if (!NT_SUCCESS(Status)) {
        RamfsDereference(Node);
        return Status;
    }
    RamfsLink(Create->Parent, Node);
    Create->Access = FsGrantAccess(Create->Security, 0);
    IoSetShareAccess(Create->Access, Create->Share, Create->File, &Node->Share);
    Create->Node = Node;
    Create->Information = FILE_CREATED;
    RamfsNotify(Node, RamfsNameFilter(Node), FILE_ACTION_ADDED);
    return STATUS_SUCCESS;
}

/* [WDK IRP_MJ_CREATE, SL_OPEN_TARGET_DIRECTORY] the folder of the name is opened, and said whether the name is there. */
static NTSTATUS TurnToTarget(CREATE *Create)
{
    if (Create->Parent == NULL || !Create->Parent->Folder)
        return STATUS_INVALID_PARAMETER; /* the root has no folder */
    ULONG_PTR Information = Create->Node != NULL ? FILE_EXISTS : FILE_DOES_NOT_EXIST;
    Create->Node = Create->Parent;
    Create->Disposition = FILE_OPEN;
    Create->TrailingSlash = FALSE;
    Create->Options &= ~(ULONG)(FILE_NON_DIRECTORY_FILE | FILE_DELETE_ON_CLOSE);
    Create->Information = Information;
    return STATUS_SUCCESS;
}

static NTSTATUS CreateLocked(CREATE *Create)
{
    NTSTATUS Status = FindName(Create);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Create->TargetDirectory) {
        Status = TurnToTarget(Create);
        ULONG_PTR Information = Create->Information;
        if (NT_SUCCESS(Status))
            Status = OpenExisting(Create);
        Create->Information = Information;
        return Status;
    }
    return Create->Node != NULL ? OpenExisting(Create) : MakeNew(Create);
}

static NTSTATUS CreateFile(CREATE *Create)
{
    NTSTATUS Status;
    RAMFS_OPEN *Open = RamfsAllocate(POOL_FLAG_NON_PAGED, sizeof(*Open), &Status);
    if (Open == NULL)
        return Status;
    RamfsLock();
    Status = CreateLocked(Create);
    if (NT_SUCCESS(Status)) {
        Create->Node->References++;
        Create->Node->Handles++;
        Open->File = Create->File;
        Open->DeleteOnClose = (Create->Options & FILE_DELETE_ON_CLOSE) != 0;
        Create->File->FsContext = Create->Node;
        Create->File->FsContext2 = Open;
        if (!Create->Node->Folder)
            Create->File->SectionObjectPointer = &Create->Node->Sections;
    }
    RamfsUnlock();
    if (!NT_SUCCESS(Status))
        RamfsFree(Open, sizeof(*Open));
    return Status;
}

/* An empty name that is relative to nothing, or to the volume, means the volume. */
static BOOLEAN OpensVolume(PFILE_OBJECT File)
{
    return File->FileName.Length == 0 &&
           (File->RelatedFileObject == NULL || RamfsNode(File->RelatedFileObject) == NULL);
}

static NTSTATUS OpenVolume(const CREATE *Create)
{
    if (Create->Options & FILE_DIRECTORY_FILE)
        return STATUS_NOT_A_DIRECTORY;
    if (Create->Disposition != FILE_OPEN && Create->Disposition != FILE_OPEN_IF)
        return STATUS_ACCESS_DENIED;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RamfsCreate(PDEVICE_OBJECT Device, PIRP Irp)
{
    CREATE Create;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(Device);
    Decode(Irp, Stack, &Create);
    if (OpensVolume(Create.File))
        return RamfsComplete(Irp, OpenVolume(&Create), FILE_OPENED);
    if (Create.Options & FILE_OPEN_BY_FILE_ID)
        return RamfsComplete(Irp, STATUS_NOT_IMPLEMENTED, 0);
    NTSTATUS Status = CreateFile(&Create);
    return RamfsComplete(Irp, Status, NT_SUCCESS(Status) ? Create.Information : 0);
}

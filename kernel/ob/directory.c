/* SPDX-License-Identifier: MIT
 * Directories of the name space: hash tables of names. The hash is that of the upper-case name, so both kinds of look-up
 * (OBJ_CASE_INSENSITIVE or not) use it. An entry holds a reference on its object and on its directory. */
#include "obp.h"
#include "ke.h"

ARCH_LOCK ObpNameLock = ARCH_LOCK_INIT("ObpNameLock", LockRankObject, DISPATCH_LEVEL);
POBJECT_TYPE ObDirectoryObjectType;
OBP_DIRECTORY *ObpRootDirectory;

static const OB_TYPE_INFO ObpDirectoryTypeInfo = {
    .Name = L"Directory",
    .PoolTag = 'iDbO',
    .Mapping = {STANDARD_RIGHTS_READ | DIRECTORY_QUERY | DIRECTORY_TRAVERSE,
                STANDARD_RIGHTS_WRITE | DIRECTORY_CREATE_OBJECT | DIRECTORY_CREATE_SUBDIRECTORY,
                STANDARD_RIGHTS_EXECUTE | DIRECTORY_QUERY | DIRECTORY_TRAVERSE, DIRECTORY_ALL_ACCESS},
    .ValidAccess = DIRECTORY_ALL_ACCESS,
    .WaitOffset = OB_NOT_WAITABLE,
    .IgnoreCase = TRUE,
};

static VOID ObpInitDirectory(OBP_DIRECTORY *Directory)
{
    for (ULONG I = 0; I < OBP_BUCKETS; I++)
        InitializeListHead(&Directory->Bucket[I]);
}

static NTSTATUS ObpAllocateDirectory(POBJECT_ATTRIBUTES Attributes, OBP_DIRECTORY **Directory)
{
    NTSTATUS Status = ObCreateObject(KernelMode, ObDirectoryObjectType, Attributes, KernelMode, NULL,
                                     sizeof(OBP_DIRECTORY), 0, 0, (PVOID *)Directory);
    if (NT_SUCCESS(Status))
        ObpInitDirectory(*Directory);
    return Status;
}

VOID ObpInitDirectoryType(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&ObpDirectoryTypeInfo, &ObDirectoryObjectType);
    if (NT_SUCCESS(Status))
        Status = ObpAllocateDirectory(NULL, &ObpRootDirectory);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)Status, 2, 0, 0);
}

static ULONG ObpHashName(PCUNICODE_STRING Name)
{
    const WCHAR *At = Name->Buffer, *End = At + Name->Length / sizeof(WCHAR);
    ULONG Hash = 0;
    while (At < End)
        Hash = ObpHashStep(Hash, *At++);
    return Hash;
}

NTSTATUS ObpMakeName(OBP_HEADER *Header, OBP_DIRECTORY *Directory, PCUNICODE_STRING Name, OBP_NAME **NewName)
{
    OBP_NAME *Node = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Node) + Name->Length, OBP_TAG_NAME);
    if (Node == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Node->Header = Header;
    Node->Directory = Directory;
    Node->Hash = ObpHashName(Name);
    Node->Name.Buffer = (PWCH)(Node + 1);
    Node->Name.Length = Node->Name.MaximumLength = Name->Length;
    RtlCopyMemory(Node->Name.Buffer, Name->Buffer, Name->Length);
    ObfReferenceObject(Directory);
    *NewName = Node;
    return STATUS_SUCCESS;
}

VOID ObpFreeNameNode(OBP_NAME *Name)
{
    ObfDereferenceObject(Name->Directory);
    ExFreePoolWithTag(Name, OBP_TAG_NAME);
}

/* Mostly a name is written as it was when the object was made. Four characters at a time. */
static BOOLEAN ObpIsSpelledSo(PCUNICODE_STRING Name, PCUNICODE_STRING Other)
{
    const WCHAR *A = Name->Buffer, *B = Other->Buffer;
    ULONG Left = Name->Length;
    if (Name->Length != Other->Length)
        return FALSE;
    for (; Left >= sizeof(ULONG64); Left -= (ULONG)sizeof(ULONG64), A += 4, B += 4)
        if (*(const UNALIGNED ULONG64 *)A != *(const UNALIGNED ULONG64 *)B)
            return FALSE;
    for (; Left != 0; Left -= (ULONG)sizeof(WCHAR), A++, B++)
        if (*A != *B)
            return FALSE;
    return TRUE;
}

static OBP_NAME *ObpFindLocked(OBP_DIRECTORY *Directory, PCUNICODE_STRING Name, ULONG Hash,
                               BOOLEAN IgnoreCase)
{
    LIST_ENTRY *Bucket = &Directory->Bucket[Hash % OBP_BUCKETS];
    for (LIST_ENTRY *Entry = Bucket->Flink; Entry != Bucket; Entry = Entry->Flink) {
        OBP_NAME *Node = CONTAINING_RECORD(Entry, OBP_NAME, Bucket);
        if (Node->Hash != Hash)
            continue;
        if (ObpIsSpelledSo(&Node->Name, Name) ||
            (IgnoreCase && RtlEqualUnicodeString(&Node->Name, Name, TRUE)))
            return Node;
    }
    return NULL;
}

/* Splits "a\b\c" into "a" and "\b\c". */
static UNICODE_STRING ObpTakeComponent(PUNICODE_STRING Rest, PULONG Hash)
{
    const WCHAR *At = Rest->Buffer, *End = At + Rest->Length / sizeof(WCHAR);
    ULONG Sum = 0;
    for (; At < End && *At != OBJ_NAME_PATH_SEPARATOR; At++)
        Sum = ObpHashStep(Sum, *At);
    USHORT Length = (USHORT)((PUCHAR)At - (PUCHAR)Rest->Buffer);
    UNICODE_STRING Component = {Length, Length, Rest->Buffer};
    ObpSkip(Rest, Length);
    *Hash = Sum;
    return Component;
}

PVOID ObpDescend(OBP_PLACE *Place)
{
    PVOID Found = NULL;
    OBP_DIRECTORY *First = Place->Directory;
    KIRQL OldIrql = ArchAcquireLock(&ObpNameLock);
    for (;;) {
        Place->Component = ObpTakeComponent(&Place->Rest, &Place->Hash);
        OBP_NAME *Node = ObpFindLocked(Place->Directory, &Place->Component, Place->Hash, Place->IgnoreCase);
        Found = Node != NULL ? ObpBody(Node->Header) : NULL;
        if (Found == NULL || Node->Header->Type != ObDirectoryObjectType ||
            Place->Rest.Length <= sizeof(WCHAR))
            break;
        ObpSkip(&Place->Rest, sizeof(WCHAR));
        Place->Directory = Found; /* the lock keeps its name, which has a reference */
    }
    if (Found != NULL)
        ObfReferenceObject(Found);
    else if (Place->Directory != First)
        ObfReferenceObject(Place->Directory);
    ArchReleaseLock(&ObpNameLock, OldIrql);
    if (Found != NULL || Place->Directory != First)
        ObfDereferenceObject(First);
    return Found;
}

PVOID ObpFindOrInsert(OBP_DIRECTORY *Directory, PCUNICODE_STRING Name, ULONG Hash, BOOLEAN IgnoreCase,
                      OBP_NAME *NewName)
{
    PVOID Found = NULL;
    KIRQL OldIrql = ArchAcquireLock(&ObpNameLock);
    OBP_NAME *Node = ObpFindLocked(Directory, Name, Hash, IgnoreCase);
    if (Node != NULL) {
        Found = ObpBody(Node->Header);
        ObfReferenceObject(Found);
    } else if (NewName != NULL) {
        InsertTailList(&Directory->Bucket[Hash % OBP_BUCKETS], &NewName->Bucket);
        NewName->Header->Name = NewName;
        ObfReferenceObject(ObpBody(NewName->Header));
    }
    ArchReleaseLock(&ObpNameLock, OldIrql);
    return Found;
}

VOID ObpRemoveName(OBP_HEADER *Header)
{
    KIRQL OldIrql = ArchAcquireLock(&ObpNameLock);
    OBP_NAME *Node = Header->Name;
    if (Node != NULL)
        RemoveEntryList(&Node->Bucket);
    Header->Name = NULL;
    ArchReleaseLock(&ObpNameLock, OldIrql);
    if (Node == NULL)
        return;
    ObpFreeNameNode(Node);
    ObfDereferenceObject(ObpBody(Header));
}

/* [WDK ObMakeTemporaryObject] the name goes now when no handle is open, else with the last handle. */
VOID NTAPI ObMakeTemporaryObject(PVOID Object)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    OBP_HEADER *Header = ObpCheckedHeader(Object);
    InterlockedAnd(&Header->Flags, ~(LONG)OBP_FLAG_PERMANENT);
    if (Header->HandleCount == 0)
        ObpRemoveName(Header);
}

static NTSTATUS ObpCreateDirectoryHandle(PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes)
{
    OBP_DIRECTORY *Directory;
    NTSTATUS Status = ObpAllocateDirectory(Attributes, &Directory);
    if (!NT_SUCCESS(Status))
        return Status;
    return ObInsertObject(Directory, NULL, Access, 0, NULL, Handle);
}

NTSTATUS ObCreateKernelDirectory(PCWSTR Path)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Handle;
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_PERMANENT | OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
                               NULL, NULL);
    NTSTATUS Status = ObpCreateDirectoryHandle(&Handle, DIRECTORY_ALL_ACCESS, &Attributes);
    return NT_SUCCESS(Status) ? ObCloseHandle(Handle, KernelMode) : Status;
}

/* [WDK ZwCreateDirectoryObject] */
NTSTATUS NTAPI ZwCreateDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess,
                                       POBJECT_ATTRIBUTES Attributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpCreateDirectoryHandle(Handle, DesiredAccess, Attributes);
}

/* [WDK ZwOpenDirectoryObject] */
NTSTATUS NTAPI ZwOpenDirectoryObject(PHANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObOpenObjectByName(Attributes, ObDirectoryObjectType, KernelMode, DesiredAccess, NULL, Handle);
}

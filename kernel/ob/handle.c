/* SPDX-License-Identifier: MIT
 * The handle table: blocks of entries that never move, so an index is found without a search; free entries form a list.
 * A handle is the index times four; as a kernel handle with the bits that no user handle has. Index 0 is not used. */
#include "obp_handle.h"
#include "kd.h"
#include "ke.h"

#define OBP_ENTRIES_PER_BLOCK 256u
#define OBP_MAX_BLOCKS 4096u /* a million handles */
#define OBP_KERNEL_HANDLE_BITS ((ULONG_PTR)(LONG_PTR)(LONG)0x80000000)

typedef struct _OBP_HANDLE_TABLE {
    OBP_ENTRY *Block[OBP_MAX_BLOCKS]; /* (h) */
    ULONG BlockCount;                 /* (h) */
    ULONG FirstFree;                  /* (h) */
} OBP_HANDLE_TABLE;

static OBP_HANDLE_TABLE ObpSystemTable;
ARCH_LOCK ObpHandleLock = ARCH_LOCK_INIT("ObpHandleLock", LockRankObject, DISPATCH_LEVEL);

PVOID ObSystemHandleTable(VOID)
{
    return &ObpSystemTable;
}

BOOLEAN NTAPI ObIsKernelHandle(HANDLE Handle)
{
    /* [WDK ObIsKernelHandle] the pseudo handles -1 and -2 are none. */
    return (LONG_PTR)Handle < -2 && ((ULONG_PTR)Handle & OBP_KERNEL_HANDLE_BITS) == OBP_KERNEL_HANDLE_BITS;
}

OBP_ENTRY *ObpEntryLocked(HANDLE Handle)
{
    ULONG_PTR Value = (ULONG_PTR)Handle;
    if (ObIsKernelHandle(Handle))
        Value &= ~OBP_KERNEL_HANDLE_BITS;
    ULONG_PTR Index = Value / 4; /* the two lowest bits are the application's */
    if (Index == 0 || Index / OBP_ENTRIES_PER_BLOCK >= ObpSystemTable.BlockCount)
        return NULL;
    OBP_ENTRY *Entry = &ObpSystemTable.Block[Index / OBP_ENTRIES_PER_BLOCK][Index % OBP_ENTRIES_PER_BLOCK];
    return Entry->Object != NULL ? Entry : NULL;
}

static VOID ObpAddBlockLocked(OBP_ENTRY *Block)
{
    ULONG First = ObpSystemTable.BlockCount * OBP_ENTRIES_PER_BLOCK;
    for (ULONG I = OBP_ENTRIES_PER_BLOCK; I-- > (First == 0 ? 1u : 0u);) {
        Block[I].Value = ObpSystemTable.FirstFree;
        ObpSystemTable.FirstFree = First + I;
    }
    ObpSystemTable.Block[ObpSystemTable.BlockCount++] = Block;
}

static NTSTATUS ObpGrowTable(VOID)
{
    OBP_ENTRY *Block =
        ExAllocatePool2(POOL_FLAG_NON_PAGED, OBP_ENTRIES_PER_BLOCK * sizeof(OBP_ENTRY), OBP_TAG_HANDLES);
    if (Block == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KIRQL OldIrql = ArchAcquireLock(&ObpHandleLock);
    BOOLEAN Room = ObpSystemTable.BlockCount < OBP_MAX_BLOCKS;
    if (Room)
        ObpAddBlockLocked(Block);
    ArchReleaseLock(&ObpHandleLock, OldIrql);
    if (Room)
        return STATUS_SUCCESS;
    ExFreePoolWithTag(Block, OBP_TAG_HANDLES);
    return STATUS_INSUFFICIENT_RESOURCES;
}

VOID ObpInitHandles(VOID)
{
    NTSTATUS Status = ObpGrowTable();
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)Status, 4, 0, 0);
}

/* The index, 0 when the table is full. */
static ULONG ObpTakeEntry(PVOID Object, ACCESS_MASK Access, ULONG Attributes)
{
    KIRQL OldIrql = ArchAcquireLock(&ObpHandleLock);
    ULONG Index = ObpSystemTable.FirstFree;
    if (Index != 0) {
        OBP_ENTRY *Entry =
            &ObpSystemTable.Block[Index / OBP_ENTRIES_PER_BLOCK][Index % OBP_ENTRIES_PER_BLOCK];
        ObpSystemTable.FirstFree = Entry->Value;
        Entry->Object = Object;
        Entry->Access = Access;
        Entry->Value = Attributes;
        Entry->Owner = KiCurrentThread()->GateRoutine;
    }
    ArchReleaseLock(&ObpHandleLock, OldIrql);
    return Index;
}

/* [WDK ACCESS_MASK] generic rights become the type's specific ones; kernel mode is granted what it asks. */
ACCESS_MASK ObMapAccess(POBJECT_TYPE Type, ACCESS_MASK Desired)
{
    const GENERIC_MAPPING *Mapping = &Type->Info.Mapping;
    ACCESS_MASK Granted = Desired & Type->Info.ValidAccess;
    if (Desired & GENERIC_READ)
        Granted |= Mapping->GenericRead;
    if (Desired & GENERIC_WRITE)
        Granted |= Mapping->GenericWrite;
    if (Desired & GENERIC_EXECUTE)
        Granted |= Mapping->GenericExecute;
    if (Desired & (GENERIC_ALL | MAXIMUM_ALLOWED))
        Granted |= Mapping->GenericAll;
    return Granted;
}

NTSTATUS ObpCreateHandle(PVOID Object, KPROCESSOR_MODE Mode, ACCESS_MASK DesiredAccess, ULONG Attributes,
                         PHANDLE Handle)
{
    OBP_HEADER *Header = ObpHeader(Object);
    if (Header->Type->Info.Methods.Open != NULL) {
        NTSTATUS Status = Header->Type->Info.Methods.Open(Object, Mode);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    ObfReferenceObject(Object);
    InterlockedIncrement64(&Header->HandleCount);
    InterlockedIncrement64(&Header->Type->HandleCount);
    ULONG Index;
    do {
        Index =
            ObpTakeEntry(Object, ObMapAccess(Header->Type, DesiredAccess), Attributes & OBJ_VALID_ATTRIBUTES);
    } while (Index == 0 && NT_SUCCESS(ObpGrowTable()));
    if (Index == 0) {
        InterlockedDecrement64(&Header->Type->HandleCount);
        InterlockedDecrement64(&Header->HandleCount);
        ObfDereferenceObject(Object);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ULONG_PTR Value = (ULONG_PTR)Index * 4;
    *Handle = (HANDLE)(Attributes & OBJ_KERNEL_HANDLE ? Value | OBP_KERNEL_HANDLE_BITS : Value);
    return STATUS_SUCCESS;
}

/* Empties the entry; its object, with the handle's reference, or NULL. */
static PVOID ObpReleaseEntry(HANDLE Handle)
{
    PVOID Object = NULL;
    KIRQL OldIrql = ArchAcquireLock(&ObpHandleLock);
    OBP_ENTRY *Entry = ObpEntryLocked(Handle);
    if (Entry != NULL) {
        ULONG_PTR Value =
            (ULONG_PTR)Handle & (ObIsKernelHandle(Handle) ? ~OBP_KERNEL_HANDLE_BITS : ~(ULONG_PTR)0);
        Object = Entry->Object;
        Entry->Object = NULL;
        Entry->Value = ObpSystemTable.FirstFree;
        ObpSystemTable.FirstFree = (ULONG)(Value / 4);
    }
    ArchReleaseLock(&ObpHandleLock, OldIrql);
    return Object;
}

static VOID ObpHandleIsGone(PVOID Object)
{
    OBP_HEADER *Header = ObpHeader(Object);
    LONG64 Left = InterlockedDecrement64(&Header->HandleCount);
    InterlockedDecrement64(&Header->Type->HandleCount);
    if (Header->Type->Info.Methods.Close != NULL)
        Header->Type->Info.Methods.Close(Object, Left);
    if (Left == 0 && !(Header->Flags & OBP_FLAG_PERMANENT))
        ObpRemoveName(Header);
    ObfDereferenceObject(Object);
}

static NTSTATUS ObpCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
    if (PreviousMode != KernelMode && ObIsKernelHandle(Handle))
        return STATUS_INVALID_HANDLE;
    PVOID Object = ObpReleaseEntry(Handle);
    if (Object == NULL)
        return STATUS_INVALID_HANDLE;
    ObpHandleIsGone(Object);
    return STATUS_SUCCESS;
}

/* [WDK ObCloseHandle] */
NTSTATUS ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpCloseHandle(Handle, PreviousMode);
}

/* [WDK ZwClose] */
NTSTATUS NTAPI ZwClose(HANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpCloseHandle(Handle, KernelMode);
}

/* --- what an unloaded driver left --- */

static VOID ObpReportHandle(PCSTR Driver, ULONG Index, POBJECT_TYPE Type)
{
    UNICODE_STRING Name;
    CHAR Text[64];
    RtlInitUnicodeString(&Name, Type->Info.Name);
    KdLog("%s: handle 0x%x to an object of type %wZ was not closed", Driver, (unsigned)(Index * 4), &Name);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "handle"),
             KD_NUMBER(ReportKeyCount, 1), KdUnicodeField(ReportKeyName, &Name, Text, sizeof(Text)));
}

/* The next handle of that owner, which is forgotten: the next image at that address is not to blame. *Type: of its object. */
static BOOLEAN ObpDisownHandle(PULONG Index, const void *Base, SIZE_T Size, POBJECT_TYPE *Type)
{
    BOOLEAN Found = FALSE;
    KIRQL OldIrql = ArchAcquireLock(&ObpHandleLock);
    for (; !Found && *Index / OBP_ENTRIES_PER_BLOCK < ObpSystemTable.BlockCount; ++*Index) {
        OBP_ENTRY *Entry =
            &ObpSystemTable.Block[*Index / OBP_ENTRIES_PER_BLOCK][*Index % OBP_ENTRIES_PER_BLOCK];
        Found = Entry->Object != NULL && (ULONG_PTR)Entry->Owner - (ULONG_PTR)Base < Size;
        if (Found) {
            *Type = ObpHeader(Entry->Object)->Type; /* types live for ever */
            Entry->Owner = NULL;
        }
    }
    ArchReleaseLock(&ObpHandleLock, OldIrql);
    return Found;
}

ULONG ObReportDriverHandles(PCSTR Driver, const void *Base, SIZE_T Size)
{
    ULONG Count = 0, Index = 0;
    POBJECT_TYPE Type;
    for (; ObpDisownHandle(&Index, Base, Size, &Type); Count++)
        ObpReportHandle(Driver, Index - 1, Type);
    return Count;
}

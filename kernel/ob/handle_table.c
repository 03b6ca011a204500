/* SPDX-License-Identifier: MIT
 * Handle tables: one for each process; that of the System process has the kernel handles. A handle is the index of its entry times
 * four; as a kernel handle with the bits that no user handle has. */
#include "obp_handle.h"
#include "ke.h"

#define OBP_TABLE_LOCK ARCH_LOCK_INIT("handle table", LockRankObject, DISPATCH_LEVEL)

OB_HANDLE_TABLE ObpSystemTable = {.Lock = OBP_TABLE_LOCK, .Directory = ObpSystemTable.FirstBlocks};
static LIST_ENTRY ObpTables = {&ObpTables, &ObpTables}; /* (l) */
static FAST_MUTEX ObpTablesLock;

POB_HANDLE_TABLE ObSystemHandleTable(VOID)
{
    return &ObpSystemTable;
}

BOOLEAN NTAPI ObIsKernelHandle(HANDLE Handle)
{
    /* [WDK ObIsKernelHandle] the pseudo handles -1 and -2 are none. */
    return (LONG_PTR)Handle < -2 && ((ULONG_PTR)Handle & OBP_KERNEL_HANDLE_BITS) == OBP_KERNEL_HANDLE_BITS;
}

OB_HANDLE_TABLE *ObpTableOf(HANDLE Handle)
{
    return ObIsKernelHandle(Handle) ? &ObpSystemTable : KiCurrentThread()->ApcState.Process->HandleTable;
}

/* The two lowest bits are the application's. */
static ULONG_PTR ObpIndexOf(HANDLE Handle)
{
    ULONG_PTR Bits = ObIsKernelHandle(Handle) ? OBP_KERNEL_HANDLE_BITS : 0;

    return ((ULONG_PTR)Handle & ~Bits) / 4;
}

static OBP_ENTRY *ObpEntryOfIndex(OB_HANDLE_TABLE *Table, ULONG_PTR Index)
{
    return &Table->Directory[Index / OBP_ENTRIES_PER_BLOCK][Index % OBP_ENTRIES_PER_BLOCK];
}

OBP_ENTRY *ObpEntryLocked(OB_HANDLE_TABLE *Table, HANDLE Handle)
{
    ULONG_PTR Index = ObpIndexOf(Handle);

    if (ObIsKernelHandle(Handle) && Table != &ObpSystemTable)
        return NULL;
    if (Index == 0 || Index / OBP_ENTRIES_PER_BLOCK >= Table->BlockCount)
        return NULL;
    OBP_ENTRY *Entry = ObpEntryOfIndex(Table, Index);
    return Entry->Object != NULL ? Entry : NULL;
}

/* --- growing --- */

VOID ObpAddBlockLocked(OB_HANDLE_TABLE *Table, OBP_ENTRY *Block)
{
    ULONG First = Table->BlockCount * OBP_ENTRIES_PER_BLOCK;

    for (ULONG I = OBP_ENTRIES_PER_BLOCK; I-- > (First == 0 ? 1u : 0u);) {
        if (Block[I].Object != NULL) {
            Table->HandleCount++;
            continue;
        }
        Block[I].Value = Table->FirstFree;
        Table->FirstFree = First + I;
    }
    Table->Directory[Table->BlockCount++] = Block;
}

/* Uses Block and Directory, or leaves them where they are when the table has been grown meanwhile or is full. FALSE: full. */
static BOOLEAN ObpGrowLocked(OB_HANDLE_TABLE *Table, OBP_ENTRY **Block, OBP_ENTRY ***Directory)
{
    if (Table->FirstFree != 0)
        return TRUE;
    if (Table->BlockCount == OBP_MAX_BLOCKS)
        return FALSE;
    if (*Directory != NULL && Table->Directory == Table->FirstBlocks) {
        RtlCopyMemory(*Directory, Table->FirstBlocks, sizeof(Table->FirstBlocks));
        Table->Directory = *Directory;
        *Directory = NULL;
    }
    if (Table->BlockCount == OBP_FIRST_BLOCKS && Table->Directory == Table->FirstBlocks)
        return TRUE; /* it was not known that a directory is needed: the caller comes again */
    ObpAddBlockLocked(Table, *Block);
    *Block = NULL;
    return TRUE;
}

PVOID ObpAllocateForTable(SIZE_T Size)
{
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, OBP_TAG_HANDLES);
}

static VOID ObpFreeUnused(PVOID Memory)
{
    if (Memory != NULL)
        ExFreePoolWithTag(Memory, OBP_TAG_HANDLES);
}

static NTSTATUS ObpGrowTable(OB_HANDLE_TABLE *Table)
{
    BOOLEAN Large = Table->BlockCount >= OBP_FIRST_BLOCKS && Table->Directory == Table->FirstBlocks;
    OBP_ENTRY **Directory = Large ? ObpAllocateForTable(OBP_MAX_BLOCKS * sizeof(*Directory)) : NULL;
    OBP_ENTRY *Block = ObpAllocateForTable(OBP_ENTRIES_PER_BLOCK * sizeof(*Block));
    BOOLEAN Grown = FALSE;

    if (Block != NULL && (Directory != NULL || !Large)) {
        KIRQL OldIrql = ArchAcquireLock(&Table->Lock);
        Grown = ObpGrowLocked(Table, &Block, &Directory);
        ArchReleaseLock(&Table->Lock, OldIrql);
    }
    ObpFreeUnused(Block);
    ObpFreeUnused(Directory);
    return Grown ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* --- entries --- */

/* *Index 0: the table must grow. */
static NTSTATUS ObpTryTakeEntry(OB_HANDLE_TABLE *Table, PVOID Object, ACCESS_MASK Access, ULONG Attributes,
                                PULONG Taken)
{
    KIRQL OldIrql = ArchAcquireLock(&Table->Lock);
    ULONG Index = Table->Closed ? 0 : Table->FirstFree;
    NTSTATUS Status = Table->Closed ? STATUS_PROCESS_IS_TERMINATING : STATUS_SUCCESS;

    if (Index != 0) {
        OBP_ENTRY *Entry = ObpEntryOfIndex(Table, Index);
        Table->FirstFree = Entry->Value;
        Table->HandleCount++;
        *Entry = (OBP_ENTRY){Object, Access, Attributes, KiCurrentThread()->GateRoutine};
    }
    ArchReleaseLock(&Table->Lock, OldIrql);
    *Taken = Index;
    return Status;
}

NTSTATUS ObpTakeEntry(OB_HANDLE_TABLE *Table, PVOID Object, ACCESS_MASK Access, ULONG Attributes,
                      PULONG Index)
{
    NTSTATUS Status = ObpTryTakeEntry(Table, Object, Access, Attributes, Index);

    while (NT_SUCCESS(Status) && *Index == 0) {
        Status = ObpGrowTable(Table);
        if (NT_SUCCESS(Status))
            Status = ObpTryTakeEntry(Table, Object, Access, Attributes, Index);
    }
    return Status;
}

static VOID ObpEmptyEntryLocked(OB_HANDLE_TABLE *Table, OBP_ENTRY *Entry, ULONG Index)
{
    *Entry = (OBP_ENTRY){.Value = Table->FirstFree};
    Table->FirstFree = Index;
    Table->HandleCount--;
}

NTSTATUS ObpReleaseEntry(OB_HANDLE_TABLE *Table, HANDLE Handle, ULONG Kept, PVOID *Object)
{
    NTSTATUS Status = STATUS_INVALID_HANDLE;
    KIRQL OldIrql = ArchAcquireLock(&Table->Lock);
    OBP_ENTRY *Entry = ObpEntryLocked(Table, Handle);

    if (Entry != NULL && (Entry->Value & Kept)) {
        Status = STATUS_HANDLE_NOT_CLOSABLE;
    } else if (Entry != NULL) {
        Status = STATUS_SUCCESS;
        *Object = Entry->Object;
        ObpEmptyEntryLocked(Table, Entry, (ULONG)ObpIndexOf(Handle));
    }
    ArchReleaseLock(&Table->Lock, OldIrql);
    return Status;
}

/* --- tables --- */

static VOID ObpEnterTable(OB_HANDLE_TABLE *Table)
{
    ExAcquireFastMutex(&ObpTablesLock);
    InsertTailList(&ObpTables, &Table->ListEntry);
    ExReleaseFastMutex(&ObpTablesLock);
}

VOID ObpForEachTable(VOID (*Routine)(OB_HANDLE_TABLE *Table, PVOID Context), PVOID Context)
{
    ExAcquireFastMutex(&ObpTablesLock);
    for (PLIST_ENTRY Entry = ObpTables.Flink; Entry != &ObpTables; Entry = Entry->Flink)
        Routine(CONTAINING_RECORD(Entry, OB_HANDLE_TABLE, ListEntry), Context);
    ExReleaseFastMutex(&ObpTablesLock);
}

NTSTATUS ObCreateHandleTable(PKPROCESS Process, POB_HANDLE_TABLE *Created)
{
    OB_HANDLE_TABLE *Table = ObpAllocateForTable(sizeof(*Table));

    if (Table == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Table->Lock = (ARCH_LOCK)OBP_TABLE_LOCK;
    Table->Process = Process;
    Table->Directory = Table->FirstBlocks;
    ObpEnterTable(Table);
    *Created = Table;
    return STATUS_SUCCESS;
}

/* The object of the first entry from *Index on in its block, which is emptied. NULL: none there, *Index is that of the next block. The lock is
 * held for a block at most. */
static PVOID ObpSweepBlock(OB_HANDLE_TABLE *Table, PULONG Index)
{
    PVOID Object = NULL;
    ULONG Block = *Index / OBP_ENTRIES_PER_BLOCK;
    KIRQL OldIrql = ArchAcquireLock(&Table->Lock);

    for (; Object == NULL && *Index / OBP_ENTRIES_PER_BLOCK == Block; ++*Index) {
        OBP_ENTRY *Entry = ObpEntryOfIndex(Table, *Index);
        Object = Entry->Object;
        if (Object != NULL)
            ObpEmptyEntryLocked(Table, Entry, *Index);
    }
    ArchReleaseLock(&Table->Lock, OldIrql);
    return Object;
}

static VOID ObpEnumerateBlockLocked(OB_HANDLE_TABLE *Table, ULONG Block,
                                    VOID (*Routine)(const OB_HANDLE_ENTRY *Entry, PVOID Context),
                                    PVOID Context)
{
    ULONG_PTR Bits = Table == &ObpSystemTable ? OBP_KERNEL_HANDLE_BITS : 0;
    ULONG First = Block * OBP_ENTRIES_PER_BLOCK;

    for (ULONG Index = First; Index < First + OBP_ENTRIES_PER_BLOCK; Index++) {
        const OBP_ENTRY *From = ObpEntryOfIndex(Table, Index);
        OB_HANDLE_ENTRY Entry = {(HANDLE)((ULONG_PTR)Index * 4 | Bits), From->Object, From->Access,
                                 From->Value};
        if (From->Object != NULL)
            Routine(&Entry, Context);
    }
}

VOID ObEnumerateHandles(POB_HANDLE_TABLE Table, VOID (*Routine)(const OB_HANDLE_ENTRY *Entry, PVOID Context),
                        PVOID Context)
{
    for (ULONG Block = 0; Block < Table->BlockCount; Block++) {
        KIRQL OldIrql = ArchAcquireLock(&Table->Lock);
        ObpEnumerateBlockLocked(Table, Block, Routine, Context);
        ArchReleaseLock(&Table->Lock, OldIrql);
    }
}

static VOID ObpCloseTable(OB_HANDLE_TABLE *Table)
{
    KIRQL OldIrql = ArchAcquireLock(&Table->Lock);

    Table->Closed = TRUE;
    ArchReleaseLock(&Table->Lock, OldIrql);
}

VOID ObCloseAllHandles(POB_HANDLE_TABLE Table)
{
    ObpCloseTable(Table);
    for (ULONG Index = 1; Index / OBP_ENTRIES_PER_BLOCK < Table->BlockCount;) {
        PVOID Object = ObpSweepBlock(Table, &Index);
        if (Object != NULL)
            ObpHandleIsGone(Table, Object);
    }
}

VOID ObDeleteHandleTable(POB_HANDLE_TABLE Table)
{
    ObCloseAllHandles(Table);
    ExAcquireFastMutex(&ObpTablesLock);
    RemoveEntryList(&Table->ListEntry);
    ExReleaseFastMutex(&ObpTablesLock);
    for (ULONG I = 0; I < Table->BlockCount; I++)
        ExFreePoolWithTag(Table->Directory[I], OBP_TAG_HANDLES);
    if (Table->Directory != Table->FirstBlocks)
        ExFreePoolWithTag(Table->Directory, OBP_TAG_HANDLES);
    ExFreePoolWithTag(Table, OBP_TAG_HANDLES);
}

PKPROCESS ObProcessOfTable(POB_HANDLE_TABLE Table)
{
    return Table->Process;
}

ULONG ObHandleCount(POB_HANDLE_TABLE Table)
{
    return Table->HandleCount;
}

VOID ObpInitHandles(VOID)
{
    ExInitializeFastMutex(&ObpTablesLock);
    ObpEnterTable(&ObpSystemTable);
    NTSTATUS Status = ObpGrowTable(&ObpSystemTable);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)Status, 4, 0, 0);
}

/* SPDX-License-Identifier: MIT
 * What the handle table of a new process has from its parent's. [Win32 Handle Inheritance] The inheritable handles, with the same values,
 * access and attributes. [WDK ObRegisterCallbacks, OB_OPERATION_REGISTRATION] callbacks are for handles that are created or duplicated: they
 * are not asked for inherited ones. */
#include "obp_handle.h"

static BOOLEAN ObpIsInheritable(const OBP_ENTRY *Entry)
{
    return Entry->Object != NULL && (Entry->Value & OBJ_INHERIT);
}

/* Whether the block has an inheritable handle at this moment. */
static BOOLEAN ObpHasInheritable(OB_HANDLE_TABLE *Parent, ULONG Block)
{
    BOOLEAN Found = FALSE;
    KIRQL OldIrql = ArchAcquireLock(&Parent->Lock);

    for (ULONG I = 0; I < OBP_ENTRIES_PER_BLOCK && !Found; I++)
        Found = ObpIsInheritable(&Parent->Directory[Block][I]);
    ArchReleaseLock(&Parent->Lock, OldIrql);
    return Found;
}

/* Behind those the child needs none. */
static ULONG ObpInheritedBlocks(OB_HANDLE_TABLE *Parent)
{
    ULONG Count = Parent->BlockCount;

    while (Count != 0 && !ObpHasInheritable(Parent, Count - 1))
        Count--;
    return Count;
}

/* To is zeroed and nobody else's yet. While the lock is held the parent's handle holds the object and its name: the count of handles does not
 * come back from 0. No driver is blamed for what the child leaves open. */
static VOID ObpCopyBlock(OB_HANDLE_TABLE *Parent, ULONG Block, OBP_ENTRY *To)
{
    KIRQL OldIrql = ArchAcquireLock(&Parent->Lock);

    for (ULONG I = 0; I < OBP_ENTRIES_PER_BLOCK; I++) {
        const OBP_ENTRY *From = &Parent->Directory[Block][I];
        if (!ObpIsInheritable(From))
            continue;
        ObpCountHandle(From->Object);
        To[I] = (OBP_ENTRY){.Object = From->Object, .Access = From->Access, .Value = From->Value};
    }
    ArchReleaseLock(&Parent->Lock, OldIrql);
}

static NTSTATUS ObpInheritBlock(OB_HANDLE_TABLE *Child, OB_HANDLE_TABLE *Parent, ULONG Block)
{
    OBP_ENTRY *Entries = ObpAllocateForTable(OBP_ENTRIES_PER_BLOCK * sizeof(*Entries));

    if (Entries == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ObpCopyBlock(Parent, Block, Entries);
    KIRQL OldIrql = ArchAcquireLock(&Child->Lock);
    ObpAddBlockLocked(Child, Entries);
    ArchReleaseLock(&Child->Lock, OldIrql);
    return STATUS_SUCCESS;
}

static NTSTATUS ObpWidenTable(OB_HANDLE_TABLE *Child)
{
    OBP_ENTRY **Directory = ObpAllocateForTable(OBP_MAX_BLOCKS * sizeof(*Directory));

    if (Directory == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KIRQL OldIrql = ArchAcquireLock(&Child->Lock);
    Child->Directory = Directory;
    ArchReleaseLock(&Child->Lock, OldIrql);
    return STATUS_SUCCESS;
}

NTSTATUS ObInheritHandles(POB_HANDLE_TABLE Child, POB_HANDLE_TABLE Parent)
{
    NTSTATUS Status = STATUS_SUCCESS;

    NT_CHECK(Child->BlockCount == 0 && Child->Directory == Child->FirstBlocks);
    if (Parent == &ObpSystemTable)
        return STATUS_SUCCESS;
    ULONG Blocks = ObpInheritedBlocks(Parent);
    if (Blocks > OBP_FIRST_BLOCKS)
        Status = ObpWidenTable(Child);
    for (ULONG Block = 0; NT_SUCCESS(Status) && Block < Blocks; Block++)
        Status = ObpInheritBlock(Child, Parent, Block);
    return Status;
}

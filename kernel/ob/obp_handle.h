/* SPDX-License-Identifier: MIT
 * Tier 3, ob: handle tables and their entries. */
#pragma once
#include "obp.h"

#define OBP_ENTRIES_PER_BLOCK 256u
#define OBP_FIRST_BLOCKS 16u /* with a directory inside the table */
#define OBP_MAX_BLOCKS 4096u /* a million handles */
#define OBP_KERNEL_HANDLE_BITS ((ULONG_PTR)(LONG_PTR)(LONG)0x80000000)

typedef struct _OBP_ENTRY {
    PVOID Object; /* (h) NULL = free */
    ULONG Access; /* (h) granted */
    ULONG Value;  /* (h) OBJ_ attributes; of a free entry: index of the next free one, 0 = none */
    PVOID
    Owner; /* (h) routine of the driver that was running when it was made; NULL: the kernel, or a driver that is gone */
} OBP_ENTRY;

/* Blocks of entries never move, so an index is found without a search. Entry 0 is not used. (l) ObpTablesLock */
typedef struct _OB_HANDLE_TABLE {
    PKPROCESS Process;                        /* constant; NULL: System */
    ARCH_LOCK Lock;                           /* (h) */
    OBP_ENTRY **Directory;                    /* (h) FirstBlocks, or OBP_MAX_BLOCKS pointers in pool */
    OBP_ENTRY *FirstBlocks[OBP_FIRST_BLOCKS]; /* (h) */
    ULONG BlockCount;                         /* (h) */
    ULONG FirstFree;                          /* (h) index, 0 = none */
    ULONG HandleCount;                        /* (h) */
    BOOLEAN Closed;                           /* (h) its process ends: no new handles */
    LIST_ENTRY ListEntry;                     /* (l) of all tables */
} OB_HANDLE_TABLE;

extern OB_HANDLE_TABLE ObpSystemTable;

/* handle_table.c */

/* That which the handle means to the current thread: the System process's, or that of the process it is attached to. */
OB_HANDLE_TABLE *ObpTableOf(HANDLE Handle);

/* Table->Lock held. NULL when the handle is not open in that table. */
OBP_ENTRY *ObpEntryLocked(OB_HANDLE_TABLE *Table, HANDLE Handle);

/* Zeroed; freed with the table. */
PVOID ObpAllocateForTable(SIZE_T Size);
/* Table->Lock held, the directory has room. The next block: its entries are open handles, counted (ObpCountHandle), or free. */
VOID ObpAddBlockLocked(OB_HANDLE_TABLE *Table, OBP_ENTRY *Block);

/* Object, which is referenced, gets an entry: *Index. STATUS_INSUFFICIENT_RESOURCES, STATUS_PROCESS_IS_TERMINATING. */
NTSTATUS ObpTakeEntry(OB_HANDLE_TABLE *Table, PVOID Object, ACCESS_MASK Access, ULONG Attributes,
                      PULONG Index);
/* Empties the entry, unless it has one of the attributes Kept (OBJ_PROTECT_CLOSE, or 0 to undo a handle that nobody has seen). Success: *Object with the handle's reference. STATUS_INVALID_HANDLE, STATUS_HANDLE_NOT_CLOSABLE. */
NTSTATUS ObpReleaseEntry(OB_HANDLE_TABLE *Table, HANDLE Handle, ULONG Kept, PVOID *Object);

/* Calls Routine for each table while none comes or goes. PASSIVE_LEVEL. */
VOID ObpForEachTable(VOID (*Routine)(OB_HANDLE_TABLE *Table, PVOID Context), PVOID Context);

/* handle.c: a handle to an object in Table. The object's reference stays the caller's. */
NTSTATUS ObpCreateHandleIn(OB_HANDLE_TABLE *Table, PVOID Object, KPROCESSOR_MODE Mode, ACCESS_MASK Access,
                           ULONG Attributes, PHANDLE Handle);
/* One handle and one reference more. The caller holds the object. IRQL <= DISPATCH_LEVEL. */
VOID ObpCountHandle(PVOID Object);
VOID ObpHandleIsGone(OB_HANDLE_TABLE *Table, PVOID Object); /* takes over the reference */

/* handle_reference.c: NULL when it is not open there. */
PVOID ObpReferenceEntry(OB_HANDLE_TABLE *Table, HANDLE Handle, OBJECT_HANDLE_INFORMATION *Information);
/* The object of the source handle, referenced. */
NTSTATUS ObpReferenceDuplicated(const OB_DUPLICATE *Duplicate, KPROCESSOR_MODE Mode, PVOID *Object,
                                OBJECT_HANDLE_INFORMATION *Information);

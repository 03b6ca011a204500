/* SPDX-License-Identifier: MIT
 * Memory descriptor lists: describing and locking buffers. IoAllocateMdl and what else needs pool is in
 * ex/mdl.c. A locked page has a lock in the page frame database: whoever frees the memory before it is unlocked is stopped, and a page of
 * a process stays until then. Device memory has no locks. */
#include "mm/pfn.h"
#include "mm/user_space.h"
#include "mm_mdl.h"
#include "ke.h"
#include "ke_bugcheck.h"

/* [WDK MDL] a driver may look at the flags only; these say that the page array is filled and must not be
 * filled again. */
#define MI_MDL_DESCRIBED (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL | MDL_IO_SPACE)

static SIZE_T MiMdlPages(const MDL *Mdl)
{
    return MmPagesOfMdl(Mdl->ByteOffset, Mdl->ByteCount);
}

/* Any IRQL. [WDK MmSizeOfMdl] bytes of an MDL for the pages that the buffer touches */
SIZE_T NTAPI MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    return sizeof(MDL) + sizeof(PFN_NUMBER) * MmSpanPages((ULONG_PTR)Base, Length);
}

/* May the page be read, and written if Write, by the kernel? */
static BOOLEAN MiDescribePage(ULONG_PTR Address, BOOLEAN Write, PFN_NUMBER *Frame)
{
    ULONG Shift;
    MI_PTE Absent;
    if (Address < MM_KERNEL_HALF && Address >= MM_USER_END)
        return FALSE;
    MI_PTE Entry = MiLookUp(Address, &Shift, &Absent);
    if (Entry == 0 || (Write && !(Entry & MI_PTE_WRITE)))
        return FALSE;
    ULONG64 Offset = (1ull << Shift) - 1;
    *Frame = ((Entry & MI_PTE_FRAME & ~Offset) | (Address & Offset)) >> PAGE_SHIFT;
    return TRUE;
}

/* Checked kernel; the buffer may be of the paged pool by chance resident on Windows, and here always is. */
static VOID MiRequireNonPaged(ULONG_PTR Base)
{
    if (NTBOX_CHECKED && Base - MM_PAGED_POOL_BASE < MM_REGION_SIZE)
        KeBugCheckBlaming(NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, KE_RULE_ARGUMENT, Base, 0, 0,
                          "MmBuildMdlForNonPagedPool was given an MDL of paged pool");
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmBuildMdlForNonPagedPool] the buffer must be nonpaged and mapped; a buffer
 * that is not is what touching it would be. */
DECLSPEC_NOINLINE VOID NTAPI MmBuildMdlForNonPagedPool(PMDLX MemoryDescriptorList)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    PMDL Mdl = MemoryDescriptorList;
    PPFN_NUMBER Frames = MmGetMdlPfnArray(Mdl);
    ULONG_PTR Base = (ULONG_PTR)Mdl->StartVa;
    MiRequireNonPaged(Base);
    SIZE_T Count = MiMdlPages(Mdl);
    for (SIZE_T I = 0; I < Count; I++)
        if (!MiDescribePage(Base + I * PAGE_SIZE, FALSE, &Frames[I]))
            KeBugCheckEx(PAGE_FAULT_IN_NONPAGED_AREA, Base + I * PAGE_SIZE, 0,
                         (ULONG_PTR)__builtin_return_address(0), 0);
    Mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    Mdl->MappedSystemVa = MmGetMdlVirtualAddress(Mdl);
    Mdl->Process = NULL;
}

/* A user-mode caller may name the lower half only, and no buffer may wrap around. */
static BOOLEAN MiRangeIsAllowed(const MDL *Mdl, KPROCESSOR_MODE AccessMode)
{
    ULONG_PTR First = (ULONG_PTR)Mdl->StartVa + Mdl->ByteOffset, End = First + Mdl->ByteCount;
    if (End < First)
        return FALSE;
    return AccessMode == KernelMode || End <= MmUserProbeAddress;
}

/* More locks than the count can hold. */
static NTSTATUS MiLockManaged(PFN_NUMBER Frame)
{
    return !MiIsManaged(Frame) || MiLockFrame(Frame) ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS MiLockPage(ULONG_PTR Address, BOOLEAN Write, PFN_NUMBER *Frame)
{
    if (Address < MmUserProbeAddress)
        return MiLockUserPages(Address, 1, Write, Frame);
    return MiDescribePage(Address, Write, Frame) ? MiLockManaged(*Frame) : STATUS_ACCESS_VIOLATION;
}

/* [WDK Bug Check 0x1A] 0x61946: the MDL is flawed, here: it describes pages already */
static VOID MiRequireFresh(const MDL *Mdl)
{
    if (Mdl->MdlFlags & MI_MDL_DESCRIBED)
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x61946, (ULONG_PTR)Mdl, (USHORT)Mdl->MdlFlags, 0);
}

static PMM_ADDRESS_SPACE MiSpaceOfMdl(const MDL *Mdl)
{
    return ((PKPROCESS)Mdl->Process)->AddressSpace;
}

/* Segments: the address of each page; NULL: they follow each other from StartVa. *Done: pages that are locked then. *User: some are a
 * process's. */
static NTSTATUS MiLockPagesOf(PMDL Mdl, const FILE_SEGMENT_ELEMENT *Segments, BOOLEAN Write, SIZE_T *Done,
                              BOOLEAN *User)
{
    PPFN_NUMBER Frames = MmGetMdlPfnArray(Mdl);
    *User = FALSE;
    for (*Done = 0; *Done < MiMdlPages(Mdl); ++*Done) {
        ULONG_PTR Address = Segments != NULL ? (ULONG_PTR)Segments[*Done].Buffer
                                             : (ULONG_PTR)Mdl->StartVa + *Done * PAGE_SIZE;
        NTSTATUS Status = MiLockPage(Address, Write, &Frames[*Done]);
        if (!NT_SUCCESS(Status))
            return Status;
        *User |= Address < MmUserProbeAddress;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS MiLockMdl(PMDL Mdl, const FILE_SEGMENT_ELEMENT *Segments, LOCK_OPERATION Operation,
                          const VOID *Owner)
{
    SIZE_T Done;
    BOOLEAN Write = Operation != IoReadAccess, User;
    PKPROCESS Process = KeGetCurrentThread()->ApcState.Process;
    NTSTATUS Status = MiLockPagesOf(Mdl, Segments, Write, &Done, &User);
    if (NT_SUCCESS(Status) && User)
        Status = MiEnterLockedMdl(Process->AddressSpace, Mdl, Done, Owner);
    if (!NT_SUCCESS(Status)) {
        MiUnlockFrames(MmGetMdlPfnArray(Mdl), Done);
        return Status;
    }
    Mdl->MdlFlags |= MDL_PAGES_LOCKED | (Write ? MDL_WRITE_OPERATION : 0);
    Mdl->Process = User ? (PEPROCESS)Process : NULL;
    return STATUS_SUCCESS;
}

static NTSTATUS MiProbeAndLock(PMDL Mdl, KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation,
                               const VOID *Owner)
{
    MiRequireFresh(Mdl);
    return MiRangeIsAllowed(Mdl, AccessMode) ? MiLockMdl(Mdl, NULL, Operation, Owner)
                                             : STATUS_ACCESS_VIOLATION;
}

/* IRQL <= DISPATCH_LEVEL for nonpaged memory, else <= APC_LEVEL. [WDK MmProbeAndLockPages] raises
 * STATUS_ACCESS_VIOLATION, or why the page could not be had, when the memory does not permit the operation; the MDL is then as
 * before. Each locked MDL is unlocked once. */
DECLSPEC_NOINLINE VOID NTAPI MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                                                 LOCK_OPERATION Operation)
{
    KI_REQUIRE_IRQL((ULONG_PTR)MemoryDescriptorList->StartVa < MM_USER_END ? APC_LEVEL : DISPATCH_LEVEL);
    KI_REQUIRE_ARGUMENT(AccessMode == KernelMode || AccessMode == UserMode, AccessMode);
    KI_REQUIRE_ARGUMENT((ULONG)Operation <= IoModifyAccess, Operation);

    NTSTATUS Status =
        MiProbeAndLock(MemoryDescriptorList, AccessMode, Operation, __builtin_return_address(0));
    if (!NT_SUCCESS(Status))
        ExRaiseStatus(Status);
}

/* IRQL <= APC_LEVEL. [WDK MmProbeAndLockProcessPages] as MmProbeAndLockPages, in the address space of that process. */
DECLSPEC_NOINLINE VOID NTAPI MmProbeAndLockProcessPages(PMDL MemoryDescriptorList, PEPROCESS Process,
                                                        KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    KAPC_STATE State;
    KeStackAttachProcess((PKPROCESS)Process, &State);
    NTSTATUS Status =
        MiProbeAndLock(MemoryDescriptorList, AccessMode, Operation, __builtin_return_address(0));
    KeUnstackDetachProcess(&State);
    if (!NT_SUCCESS(Status))
        ExRaiseStatus(Status);
}

static BOOLEAN MiSegmentsAreAllowed(const FILE_SEGMENT_ELEMENT *Segments, SIZE_T Count,
                                    KPROCESSOR_MODE AccessMode)
{
    for (SIZE_T I = 0; I < Count && AccessMode != KernelMode; I++)
        if ((ULONG_PTR)Segments[I].Buffer >= MmUserProbeAddress)
            return FALSE;
    return TRUE;
}

/* IRQL <= APC_LEVEL. [WDK MmProbeAndLockSelectedPages] the pages of the MDL are those that the array names, one element each; the MDL has no
 * byte offset. Raises as MmProbeAndLockPages. */
DECLSPEC_NOINLINE VOID NTAPI MmProbeAndLockSelectedPages(PMDL MemoryDescriptorList,
                                                         PFILE_SEGMENT_ELEMENT SegmentArray,
                                                         KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    PMDL Mdl = MemoryDescriptorList;
    MiRequireFresh(Mdl);
    NTSTATUS Status = MiSegmentsAreAllowed(SegmentArray, MiMdlPages(Mdl), AccessMode)
                          ? MiLockMdl(Mdl, SegmentArray, Operation, __builtin_return_address(0))
                          : STATUS_ACCESS_VIOLATION;
    if (!NT_SUCCESS(Status))
        ExRaiseStatus(Status);
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmUnlockPages] a system mapping of the MDL goes too. */
VOID NTAPI MmUnlockPages(PMDL MemoryDescriptorList)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    PMDL Mdl = MemoryDescriptorList;
    if (!(Mdl->MdlFlags & MDL_PAGES_LOCKED)) /* [WDK Bug Check 0x4E] 7: unlocked more often than locked */
        KeBugCheckEx(PFN_LIST_CORRUPT, 7, MmGetMdlPfnArray(Mdl)[0], 0, 0);
    if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    if (Mdl->Process != NULL)
        MiForgetLockedMdl(MiSpaceOfMdl(Mdl), Mdl);
    MiUnlockFrames(MmGetMdlPfnArray(Mdl), MiMdlPages(Mdl));
    Mdl->Process = NULL;
    Mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmAdvanceMdl] pages that are passed are unlocked, and taken out of the MDL's own system mapping; addresses move on.
 * STATUS_INVALID_PARAMETER_2: past the end. */
NTSTATUS NTAPI MmAdvanceMdl(PMDL Mdl, ULONG NumberOfBytes)
{
    KI_REQUIRE_IRQL(DISPATCH_LEVEL);

    if (NumberOfBytes > Mdl->ByteCount)
        return STATUS_INVALID_PARAMETER_2;
    PPFN_NUMBER Frames = MmGetMdlPfnArray(Mdl);
    MM_SPAN Span = {(ULONG_PTR)Mdl->StartVa, Mdl->ByteOffset, Mdl->ByteCount};
    SIZE_T Count = MiMdlPages(Mdl), Passed = MmSpanAdvance(&Span, NumberOfBytes);
    MiShrinkMdlMapping(Mdl, Passed, NumberOfBytes);
    if (Mdl->MdlFlags & MDL_PAGES_LOCKED)
        MiUnlockFrames(Frames, Passed);
    if ((Mdl->MdlFlags & MDL_PAGES_LOCKED) && Mdl->Process != NULL)
        MiShrinkLockedMdl(MiSpaceOfMdl(Mdl), Mdl, Passed);
    for (SIZE_T I = Passed; I < Count; I++)
        Frames[I - Passed] = Frames[I];
    Mdl->StartVa = (PVOID)Span.Start;
    Mdl->ByteOffset = Span.Offset;
    Mdl->ByteCount = Span.Bytes;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Memory descriptor lists: describing and locking buffers. IoAllocateMdl and what else needs pool is in
 * ex/mdl.c. No page of the kernel half is ever paged out, so locking a kernel buffer is checking it; pages of the user half are
 * counted (user_lock.c), and MDL.Process says so. */
#include "ke.h"
#include "mm/user_space.h"

/* [WDK MDL] a driver may look at the flags only; these say that the page array is filled and must not be
 * filled again. */
#define MI_MDL_DESCRIBED (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL | MDL_IO_SPACE)

static SIZE_T MiMdlPages(const MDL *Mdl)
{
    return BYTES_TO_PAGES((SIZE_T)Mdl->ByteOffset + Mdl->ByteCount);
}

/* Any IRQL. [WDK MmSizeOfMdl] bytes of an MDL for the pages that the buffer touches */
SIZE_T NTAPI MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    return sizeof(MDL) + sizeof(PFN_NUMBER) * BYTES_TO_PAGES(BYTE_OFFSET(Base) + Length);
}

/* May the page be read, and written if Write, by the kernel? */
static BOOLEAN MiDescribePage(ULONG_PTR Address, BOOLEAN Write, PFN_NUMBER *Frame)
{
    ULONG Shift;
    MI_PTE Absent;
    ULONG64 Physical;
    if (!MmTranslate((PVOID)Address, &Physical))
        return FALSE;
    if (Write && !(MiLookUp(Address, &Shift, &Absent) & MI_PTE_WRITE))
        return FALSE;
    *Frame = Physical >> PAGE_SHIFT;
    return TRUE;
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmBuildMdlForNonPagedPool] the buffer must be nonpaged and mapped; a buffer
 * that is not is what touching it would be. */
VOID NTAPI MmBuildMdlForNonPagedPool(PMDLX MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    PPFN_NUMBER Frames = MmGetMdlPfnArray(Mdl);
    ULONG_PTR Base = (ULONG_PTR)Mdl->StartVa;
    for (SIZE_T I = 0; I < MiMdlPages(Mdl); I++)
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

static VOID MiDescribeKernelPages(PMDL Mdl, BOOLEAN Write)
{
    PPFN_NUMBER Frames = MmGetMdlPfnArray(Mdl);
    for (SIZE_T I = 0; I < MiMdlPages(Mdl); I++)
        if (!MiDescribePage((ULONG_PTR)Mdl->StartVa + I * PAGE_SIZE, Write, &Frames[I]))
            ExRaiseStatus(STATUS_ACCESS_VIOLATION);
}

/* IRQL <= DISPATCH_LEVEL for nonpaged memory, else <= APC_LEVEL. [WDK MmProbeAndLockPages] raises
 * STATUS_ACCESS_VIOLATION when the memory does not permit the operation, and the MDL is as before. Each
 * locked MDL is unlocked once. */
VOID NTAPI MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                               LOCK_OPERATION Operation)
{
    PMDL Mdl = MemoryDescriptorList;
    PPFN_NUMBER Frames = MmGetMdlPfnArray(Mdl);
    BOOLEAN Write = Operation != IoReadAccess;
    if (Mdl->MdlFlags & MI_MDL_DESCRIBED) /* [WDK Bug Check 0x1A] 0x61946: the MDL is flawed */
        KeBugCheckEx(MEMORY_MANAGEMENT, 0x61946, (ULONG_PTR)Mdl, (USHORT)Mdl->MdlFlags, 0);
    if (!MiRangeIsAllowed(Mdl, AccessMode))
        ExRaiseStatus(STATUS_ACCESS_VIOLATION);
    if ((ULONG_PTR)Mdl->StartVa < MM_USER_END) {
        NTSTATUS Status = MiLockUserPages((ULONG_PTR)Mdl->StartVa, MiMdlPages(Mdl), Write, Frames);
        if (!NT_SUCCESS(Status))
            ExRaiseStatus(Status);
        Mdl->Process = (PEPROCESS)KiCurrentThread()->ApcState.Process;
    } else {
        MiDescribeKernelPages(Mdl, Write);
        Mdl->Process = NULL;
    }
    Mdl->MdlFlags |= MDL_PAGES_LOCKED | (Write ? MDL_WRITE_OPERATION : 0);
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmUnlockPages] a system mapping of the MDL goes too. */
VOID NTAPI MmUnlockPages(PMDL MemoryDescriptorList)
{
    PMDL Mdl = MemoryDescriptorList;
    if (!(Mdl->MdlFlags & MDL_PAGES_LOCKED)) /* [WDK Bug Check 0x4E] 7: unlocked more often than locked */
        KeBugCheckEx(PFN_LIST_CORRUPT, 7, MmGetMdlPfnArray(Mdl)[0], 0, 0);
    if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    if (Mdl->Process != NULL)
        MiUnlockUserPages(MmGetMdlPfnArray(Mdl), MiMdlPages(Mdl));
    Mdl->Process = NULL;
    Mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
}

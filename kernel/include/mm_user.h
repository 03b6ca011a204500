/* SPDX-License-Identifier: MIT
 * Tier 2, mm: the user half. Address spaces of processes, what page faults do in them, memory that is reserved and committed there,
 * segments (what sections are made of) and their views. Handles, objects and the NtXxx names are vm's.
 *
 * Unless said otherwise: IRQL <= APC_LEVEL, and the caller holds no address space's lock (which is private to mm). An address space
 * is worked on from anywhere; the caller need not be attached to it, but keeps it from being deleted. */
#pragma once
#include "mm.h"

typedef struct _MM_ADDRESS_SPACE MM_ADDRESS_SPACE, *PMM_ADDRESS_SPACE;
typedef struct _MM_SEGMENT MM_SEGMENT, *PMM_SEGMENT;

#define MM_USER_LOWEST 0x10000ull         /* [WDK MmHighestUserAddress] the first 64 KiB stay free */
#define MM_USER_SHARED_DATA 0x7ffe0000ull /* KUSER_SHARED_DATA, read-only, in every address space */
#define MM_GRANULARITY 0x10000ull         /* reserved ranges begin at multiples of it */

/* --- address spaces: address_space.c ------------------------------------------------------------------------------- */

/* An empty one: the kernel half, and KUSER_SHARED_DATA. *Root is for CR3. */
NTSTATUS MmCreateAddressSpace(PMM_ADDRESS_SPACE *Space, PULONG64 Root);

/* All views, pages and tables go. No processor uses it any more, and nobody will. PASSIVE_LEVEL. */
VOID MmDeleteAddressSpace(PMM_ADDRESS_SPACE Space);

/* The process is about to be deleted. [WDK Bug Check 0x76] 0: an MDL has pages of it locked. */
VOID MmRequireUnlocked(PMM_ADDRESS_SPACE Space, const VOID *Process);

/* That of the System process: the tables that the kernel booted with. Usable after MmReleaseLoaderMemory. */
PMM_ADDRESS_SPACE MmSystemAddressSpace(VOID);

typedef struct _MM_SPACE_COUNTERS {
    SIZE_T VirtualPages, PeakVirtualPages; /* reserved, committed or mapped */
    SIZE_T CommitPages, PeakCommitPages;   /* that only this address space can need */
    SIZE_T WorkingSet, PeakWorkingSet;     /* pages that its tables show */
    SIZE_T LockedPages;                    /* by NtLockVirtualMemory */
    SIZE_T MdlPages;                       /* by MDLs; one that two MDLs lock counts twice */
    SIZE_T TablePages;                     /* below the root */
    SIZE_T MinimumWorkingSet, MaximumWorkingSet;
    ULONG64 PageFaults;
} MM_SPACE_COUNTERS;
VOID MmQueryAddressSpace(PMM_ADDRESS_SPACE Space, MM_SPACE_COUNTERS *Counters);

/* Pages of memory that may be committed, and that are, in all address spaces and segments. */
typedef struct _MM_COMMITMENT {
    SIZE_T Limit, Committed, PeakCommitted;
} MM_COMMITMENT;
VOID MmQueryCommitment(MM_COMMITMENT *Commitment);

/* --- page faults: user_fault.c ------------------------------------------------------------------------------------- */

/* A fault at a user address in the address space of the process that the current thread is attached to. STATUS_SUCCESS: the access
 * is possible now. STATUS_ACCESS_VIOLATION, STATUS_GUARD_PAGE_VIOLATION, STATUS_STACK_OVERFLOW, others: the page could not be got
 * (STATUS_IN_PAGE_ERROR's third parameter). STATUS_POSSIBLE_DEADLOCK: the thread has an address space or a segment locked, and would
 * wait for itself. Interrupts on. */
NTSTATUS MmAccessFault(ULONG64 Address, ULONG64 ErrorCode);

/* [WDK Buffer Handling] For the kernel's own look at memory that a caller named: from or to user memory of the current process.
 * STATUS_ACCESS_VIOLATION, STATUS_DATATYPE_MISALIGNMENT or what else the access raises. */
NTSTATUS MmCopyFromUser(PVOID To, const VOID *From, SIZE_T Length);
NTSTATUS MmCopyToUser(PVOID To, const VOID *From, SIZE_T Length);

/* --- virtual memory: virtual_*.c. Parameters, rounding and statuses as [WDK ZwAllocateVirtualMemory] and its kin say. Base and Size
 * are kernel variables. --- */

NTSTATUS MmAllocateVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, ULONG_PTR ZeroBits, PSIZE_T Size, ULONG Type,
                           ULONG Protect);
NTSTATUS MmFreeVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, PSIZE_T Size, ULONG Type);
NTSTATUS MmProtectVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, PSIZE_T Size, ULONG Protect,
                          PULONG OldProtect);
NTSTATUS MmLockVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, PSIZE_T Size);
NTSTATUS MmUnlockVirtual(PMM_ADDRESS_SPACE Space, PVOID *Base, PSIZE_T Size);

/* [WDK ZwQueryVirtualMemory] */
NTSTATUS MmQueryBasic(PMM_ADDRESS_SPACE Space, ULONG_PTR Address, MEMORY_BASIC_INFORMATION *Information);
NTSTATUS MmQueryRegion(PMM_ADDRESS_SPACE Space, ULONG_PTR Address, MEMORY_REGION_INFORMATION *Information);

/* [PSAPI_WORKING_SET_EX_BLOCK] of the pages of these addresses, under one lock: bit 0 valid, 1-3 share count, 4-14 protection, 15 shared,
 * 22 locked. The memory of Pages is not paged. */
VOID MmQueryPages(PMM_ADDRESS_SPACE Space, MEMORY_WORKING_SET_EX_INFORMATION *Pages, ULONG Count);

/* After a driver's unload routine: what it has allocated or mapped in the System process and not given back: written to log and report,
 * counted. It stays. PASSIVE_LEVEL. */
ULONG MmReportDriverMemory(PCSTR Driver, const VOID *Base, SIZE_T Size);

/* [WDK MmSecureVirtualMemory] for the current process; Mode is PAGE_READONLY or PAGE_READWRITE. NULL: it is not so. */
HANDLE MmSecureVirtual(PMM_ADDRESS_SPACE Space, ULONG_PTR Address, SIZE_T Size, ULONG Mode);
VOID MmUnsecureVirtual(PMM_ADDRESS_SPACE Space, HANDLE Handle);

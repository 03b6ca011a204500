/* SPDX-License-Identifier: MIT
 * What the tests of Wine expect from Wine's headers, over the project's DDK headers. */
#pragma once
#include <ntifs.h>
#include <ntstatus.h>

typedef int BOOL;
typedef ULONG DWORD;
typedef UCHAR BYTE;
#define MAX_PATH 260
#define ARRAY_SIZE(Array) (sizeof(Array) / sizeof((Array)[0]))
#define WINAPIV
#define WAIT_TIMEOUT 258
#define POOL_NX_ALLOCATION 512
#define lstrlenW wcslen
#define vsnprintf _vsnprintf /* what ntoskrnl exports */

/* [WDK] none: the routines KeGenericCallDpc and its kin are named by no header. */
typedef struct {
    ULONG Barrier;
    ULONG TotalProcessors;
} DEFERRED_REVERSE_BARRIER;

/* Exported, but in no published header. */
NTKERNELAPI PVOID NTAPI PsGetProcessSectionBaseAddress(PEPROCESS Process);
NTKERNELAPI HANDLE NTAPI PsGetProcessInheritedFromUniqueProcessId(PEPROCESS Process);

/* Leaves test_executable_pool out: pool is never executable here (D-030), so the machine would stop there. */
#undef __x86_64__

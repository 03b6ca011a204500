/* SPDX-License-Identifier: MIT
 * Tier 2, vm: virtual memory and sections as objects, handles and services: the ZwXxxVirtualMemory and ZwXxxSection names and
 * those MmXxx names that take a section object or a process. */
#pragma once
#include "nt.h"

/* PASSIVE_LEVEL, once, after ObInitSystem and PsInitSystem: the type Section, \Device\PhysicalMemory. */
VOID VmInitSystem(VOID);

/* How vm looks at files, set once by init. PASSIVE_LEVEL. */
typedef struct _VM_UPCALLS {
    NTSTATUS (*FileSize)(PFILE_OBJECT File, PULONG64 Size);
    NTSTATUS (*SetFileSize)(PFILE_OBJECT File, ULONG64 Size);
} VM_UPCALLS;
extern const VM_UPCALLS *VmUpcalls;

/* SPDX-License-Identifier: MIT
 * Tier 2, ob: services for a caller of either mode that ntoskrnl exports for the kernel only. PASSIVE_LEVEL. What user mode passes is captured
 * once. */
#pragma once
#include "nt.h"

/* [WDK ZwQueryDirectoryObject] Entries from *Context on (with RestartScan from the first), which becomes the number of the next one.
 * STATUS_MORE_ENTRIES: not all fit. STATUS_BUFFER_TOO_SMALL: not one does. STATUS_NO_MORE_ENTRIES. */
NTSTATUS ObQueryDirectoryObject(HANDLE DirectoryHandle, PVOID Buffer, ULONG Length, BOOLEAN ReturnSingleEntry,
                                BOOLEAN RestartScan, PULONG Context, PULONG ReturnLength,
                                KPROCESSOR_MODE Mode);

/* The flags of a handle (ObjectHandleFlagInformation); STATUS_INVALID_INFO_CLASS for others. */
NTSTATUS ObSetInformationObject(HANDLE Handle, OBJECT_INFORMATION_CLASS Class, PVOID Information,
                                ULONG Length, KPROCESSOR_MODE Mode);

/* SPDX-License-Identifier: MIT
 * Handles: what the mingw-w64 headers lack, read after ntifs.h. */
#pragma once

NTSYSAPI NTSTATUS NTAPI ZwSetInformationObject(HANDLE Handle, OBJECT_INFORMATION_CLASS ObjectInformationClass,
                                               PVOID ObjectInformation, ULONG ObjectInformationLength);

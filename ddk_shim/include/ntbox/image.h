/* SPDX-License-Identifier: MIT
 * Load notification that the mingw-w64 headers lack, read after ntddk.h. [WDK PsSetLoadImageNotifyRoutineEx] */
#pragma once

#define PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE 0x1

NTKERNELAPI NTSTATUS NTAPI PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine,
                                                         ULONG_PTR Flags);

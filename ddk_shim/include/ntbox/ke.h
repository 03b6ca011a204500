/* SPDX-License-Identifier: MIT
 * Kernel-core calls that came after the mingw-w64 headers (Windows 8). */
#pragma once

NTKERNELAPI VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);
NTKERNELAPI ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp);

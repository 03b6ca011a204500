/* SPDX-License-Identifier: MIT
 * Tier 2, mm: what the caller of a service points to. Each is read once and copied: a user-mode caller's other threads may change it
 * while it is looked at. A kernel caller's pointers are his word: an invalid one is his exception, so nothing that must be let go of (a lock,
 * a reference, an IRP) may be held. IRQL <= APC_LEVEL. */
#pragma once
#include "nt.h"

/* Mode: the caller's. User mode: STATUS_ACCESS_VIOLATION, or what else the access raises. */
NTSTATUS MmReadCaller(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode);
NTSTATUS MmWriteCaller(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode);

/* For who holds a reference or memory: a kernel-mode caller gets a status too. */
NTSTATUS MmTryReadCaller(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode);
NTSTATUS MmTryWriteCaller(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode);

/* Before anything is done: can a user-mode caller get the answer there? Success for NULL, the caller wants none. */
NTSTATUS MmProbeCaller(PVOID To, SIZE_T Length, KPROCESSOR_MODE Mode);
/* A buffer that the caller cannot leave out. */
NTSTATUS MmProbeCallerOutput(PVOID To, SIZE_T Length, KPROCESSOR_MODE Mode);
/* Could the caller have read it? The range is looked at, not the memory. */
NTSTATUS MmProbeCallerInput(const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode);

/* A variable that is read now and gets an answer later: probed for both. */
NTSTATUS MmReadCallerVariable(PVOID To, PVOID From, SIZE_T Length, KPROCESSOR_MODE Mode);

/* SPDX-License-Identifier: MIT
 * Tier 3, image only. */
#pragma once
#include "image.h"
#include "kd.h"
#include "rtl.h"
#include "crt.h"

extern IM_OPTIONS ImpOptions;

/* module.c: the list. Readers need no lock: entries are published whole, and a module goes only when its code is gone. */
PIM_MODULE ImpAllocateModule(VOID);
VOID ImpInsertModule(PIM_MODULE Module);
VOID ImpRemoveModule(PIM_MODULE Module);
PIM_MODULE ImpFindModuleByName(PCSTR Name, SIZE_T Length); /* with or without extension, any case */
VOID ImpSetName(PIM_MODULE Module, PCUNICODE_STRING FullName);
NTSTATUS ImpCompleteModule(PIM_MODULE Module,
                           PE_ERROR *Error); /* exports and exception table of a mapped image */

/* load.c: one ReportImage; Text may be NULL. */
VOID ImpReportImage(PIM_MODULE Module, NTSTATUS Status, PCSTR Text);

/* bind.c */
NTSTATUS ImpBindModule(PIM_MODULE Module, PE_ERROR *Error);
PVOID ImpFindRoutine(PCSTR Name); /* in ntoskrnl.exe, then hal.dll; a stub where calls are counted */

/* protect.c */
VOID ImpProtectModule(PIM_MODULE Module);

/* thunk.c: stubs of 32 bytes, code and counters in one allocation of image space. */
IM_THUNKS *ImpCreateThunks(ULONG Capacity); /* NULL: no memory */
VOID ImpDeleteThunks(IM_THUNKS *Thunks);
PVOID ImpAddCountingThunk(IM_THUNKS *Thunks, PCSTR Name, PVOID Target); /* NULL when full */
PVOID ImpAddMissingThunk(IM_THUNKS *Thunks, PCSTR Name, PCSTR Dll);
VOID ImpSealThunks(IM_THUNKS *Thunks); /* code becomes executable and read-only */
VOID ImpForEachThunk(IM_THUNKS *Thunks, VOID (*Action)(PCSTR Name, volatile ULONG64 *Count));
extern IM_THUNKS *ImpRoutineThunks; /* of MmGetSystemRoutineAddress */
VOID ImpForEachModule(VOID (*Action)(PIM_MODULE Module));

/* SPDX-License-Identifier: MIT
 * Tier 3, image only. */
#pragma once
#include "image.h"
#include "kd.h"
#include "rtl.h"
#include "crt.h"

extern IM_OPTIONS ImpOptions;

/* module.c: the list. Readers need no lock: entries are published whole, a module goes only when its code is gone, and its
 * structure is never unmapped. */
PIM_MODULE ImpAllocateModule(VOID);
VOID ImpReleaseModule(PIM_MODULE Module); /* not in the list; what it points to is freed already */
VOID ImpInsertModule(PIM_MODULE Module);
VOID ImpRemoveModule(PIM_MODULE Module);
PIM_MODULE ImpFindModuleByName(PCSTR Name, SIZE_T Length); /* with or without extension, any case */
ULONG ImpBaseNameOf(PCUNICODE_STRING FullName, CHAR *Name, ULONG Room);
NTSTATUS ImpSetName(PIM_MODULE Module, PCUNICODE_STRING FullName); /* FullName is copied */
BOOLEAN ImpNameMatches(PIM_MODULE Module, PCSTR Name, SIZE_T Length);
VOID ImpInitResource(VOID);
NTSTATUS ImpCompleteModule(PIM_MODULE Module,
                           PE_ERROR *Error); /* exports and exception table of a mapped image */

/* One image being loaded. They form a chain: the innermost first, each was begun while the one behind it was being loaded. All of
 * the load lock. */
typedef struct _IMP_LOAD {
    struct _IMP_LOAD *Outer;
    PIM_MODULE Module;
    BOOLEAN IsDll; /* another image imports from it; otherwise a service asks for it */
    HANDLE File;   /* NULL before it is open */
    PVOID FileObject;
    PE_IMAGE Parsed;
    PE_ERROR Error; /* why it failed */
    CHAR Name[64];  /* base name; of a DLL as its importer writes it */
} IMP_LOAD;

/* load.c */
VOID ImpReportImage(PIM_MODULE Module, NTSTATUS Status, PCSTR Text); /* one ReportImage; Text may be NULL */
VOID ImpDestroyModule(PIM_MODULE Module); /* out of the list, all its memory freed; load lock held */

/* The file is loaded, entered into the list, told of. Load lock held. On failure nothing is left, and Load->Error has the
 * sentence. */
NTSTATUS ImpLoadNamed(IMP_LOAD *Load, PUNICODE_STRING FullName);

/* dependency.c. Load lock held, but for the first two. */
VOID ImpAcquireLoadLock(VOID);
VOID ImpReleaseLoadLock(VOID);
extern IMP_LOAD *ImpChain;             /* innermost image that is being loaded */
IMP_LOAD *ImpBeginLoad(BOOLEAN IsDll); /* NULL: no memory */
VOID ImpEndLoad(IMP_LOAD *Load);
__attribute__((format(printf, 3, 4))) NTSTATUS ImpFail(IMP_LOAD *Load, NTSTATUS Status, PCSTR Format, ...);
NTSTATUS ImpCheckChain(IMP_LOAD *Load, PCSTR Name, SIZE_T Length); /* fails when that image is being loaded */
NTSTATUS
ImpLoadDependencies(IMP_LOAD *Load); /* of the mapped image; those that have no file are left to binding */
/* Finds or loads what Load's image imports from, and notes it. *Provider is NULL when there is no such file: then who imports from it
 * is told name by name. */
NTSTATUS ImpNeedModule(IMP_LOAD *Load, PCSTR Name, SIZE_T Length, PIM_MODULE *Provider);
VOID ImpReleaseUses(PIM_MODULE Module);
VOID ImpDereferenceModule(PIM_MODULE Module); /* the last one unloads it */

VOID ImpInitNotifies(VOID); /* notify.c */

/* section.c */
NTSTATUS ImpMakeSections(PIM_MODULE Module);
VOID ImpFreeSections(PIM_MODULE Module);

/* read.c */
NTSTATUS ImpOpenFile(PCUNICODE_STRING FullName, PHANDLE File);

/* bind.c */
NTSTATUS ImpBindModule(IMP_LOAD *Load);
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

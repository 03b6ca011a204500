/* SPDX-License-Identifier: MIT
 * Tier 2, image: the list of loaded modules and the bridge to ldr/pe. Loading, binding, protection, unloading of
 * kernel images; which module an address belongs to, and its name in words. */
#pragma once
#include "ke.h"
#include "osloader/loader_block.h"
#include "pe/pe.h"

typedef struct _IM_THUNKS IM_THUNKS;

/* (c) constant while it is in the list */
typedef struct _IM_MODULE {
    LIST_ENTRY Entry;          /* module list; image list lock */
    PUCHAR Base;               /* (c) */
    ULONG Size;                /* (c) bytes, whole pages */
    PVOID EntryPoint;          /* (c) */
    UNICODE_STRING FullName;   /* (c) "\SystemRoot\System32\drivers\foo.sys" */
    CHAR Name[64];             /* (c) base name in lower case as ASCII, "foo.sys" */
    const void *FunctionTable; /* (c) RUNTIME_FUNCTION[FunctionCount], checked: sorted and inside the image */
    ULONG FunctionCount;       /* (c) */
    PVOID DriverObject;        /* io sets it while the driver lives */
    IM_THUNKS *Thunks;         /* stubs between this driver and what it imports; NULL when bound directly */
    BOOLEAN HasExports;        /* (c) */
    PE_IMAGE Image;            /* (c) */
    PE_EXPORTS Exports;        /* (c) if HasExports */
} IM_MODULE, *PIM_MODULE;

typedef struct _IM_OPTIONS {
    BOOLEAN StrictWx;     /* refuse an image with a writable and executable section */
    BOOLEAN AllowMissing; /* bind missing imports to a trap instead of refusing */
    BOOLEAN CountCalls;   /* bind through counting stubs (`bind=count`) */
    BOOLEAN MeasureLoads; /* `bench`: log how many TSC ticks ldr/pe took for each image */
    ULONG64 Seed;         /* for security cookies */
} IM_OPTIONS;

/* Phase 0: enters ntoskrnl.exe and hal.dll. Block is copied from, not kept. */
VOID ImInitSystem(const LOADER_BLOCK *Block, const IM_OPTIONS *Options);

/* The kernel's symbols (ntoskrnl.sym of boot.cpio); must stay where they are. Without them the nearest export is named. */
VOID ImSetKernelSymbols(const void *File, ULONG64 Length);

/* IRQL PASSIVE_LEVEL. Reads the file through io (ZwCreateFile, ZwReadFile), checks, maps, relocates, binds and protects it. On
 * failure nothing is left, the reason is one sentence in the log and a ReportImage record (and one ReportMissing for
 * each missing import); returns STATUS_INVALID_IMAGE_FORMAT, STATUS_DRIVER_ENTRYPOINT_NOT_FOUND, STATUS_DLL_NOT_FOUND,
 * STATUS_IMAGE_ALREADY_LOADED, what the file gave ... */
NTSTATUS ImLoadImage(PCUNICODE_STRING FullName, PIM_MODULE *Module);

/* IRQL PASSIVE_LEVEL. A whole file in paged pool with that tag; the caller frees it. STATUS_END_OF_FILE when it is empty,
 * STATUS_FILE_TOO_LARGE above 256 MiB. */
NTSTATUS ImReadFile(PCUNICODE_STRING FullName, ULONG Tag, PVOID *Bytes, SIZE_T *Length);

/* IRQL PASSIVE_LEVEL. The image's code must not run any more. */
VOID ImUnloadImage(PIM_MODULE Module);

/* IRQL PASSIVE_LEVEL. The discardable sections (INIT) go after DriverEntry has succeeded. */
VOID ImDiscardInit(PIM_MODULE Module);

/* Any IRQL, bug check included. NULL when the address is in no image. The module stays while its code runs. */
PIM_MODULE ImFindModule(const void *Address);
PCSTR ImModuleNameOf(const void *Address); /* NULL when in none */
BOOLEAN ImIsKernelAddress(const void *Address);
VOID ImSymbolize(const void *Address, KI_SYMBOL *Symbol);

/* With CountCalls: what crosses the bindings between ImBeginCase and ImEndCase is reported as ReportCall records of that
 * case; a bug check in between reports them too. Otherwise nothing happens. IRQL <= DISPATCH_LEVEL, one case at a time. */
VOID ImBeginCase(PCSTR Case, ULONG Length);
VOID ImEndCase(VOID);

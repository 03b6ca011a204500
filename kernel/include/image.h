/* SPDX-License-Identifier: MIT
 * Tier 2, image: the list of loaded modules and the bridge to ldr/pe. Loading, binding, protection, unloading
 * of kernel images; which module an address belongs to. */
#pragma once
#include "nt.h"

typedef struct _IM_MODULE {
    LIST_ENTRY Entry;          /* module list; image list lock */
    PUCHAR Base;               /* (c) */
    ULONG Size;                /* (c) bytes, whole pages */
    PVOID EntryPoint;          /* (c) */
    UNICODE_STRING FullName;   /* (c) "\SystemRoot\System32\drivers\foo.sys" */
    CHAR Name[64];             /* (c) base name in lower case as ASCII, "foo.sys" */
    const void *FunctionTable; /* (c) RUNTIME_FUNCTION[FunctionCount] */
    ULONG FunctionCount;       /* (c) */
    ULONG LoadCount;
    PVOID DriverObject;         /* io sets it while the driver lives */
    PVOID Thunks;               /* counting thunks of this driver's imports, if `bind=count` */
    BOOLEAN WritableCodeClosed; /* has a section that was writable and executable */
} IM_MODULE, *PIM_MODULE;

/* IRQL PASSIVE_LEVEL. Reads the file through io (ZwCreateFile, ZwReadFile), checks, maps, relocates, binds
 * and protects it. On failure nothing is left, the reason is one sentence in the log and a ReportImage record
 * (and one ReportMissing for each missing import); returns STATUS_INVALID_IMAGE_FORMAT,
 * STATUS_PROCEDURE_NOT_FOUND, STATUS_IMAGE_ALREADY_LOADED ... */
NTSTATUS ImLoadImage(PCUNICODE_STRING FullName, PIM_MODULE *Module);

/* IRQL PASSIVE_LEVEL. The image's code must not run any more. */
VOID ImUnloadImage(PIM_MODULE Module);

/* The discardable sections (INIT) go after DriverEntry has succeeded. */
VOID ImDiscardInit(PIM_MODULE Module);

/* Any IRQL, bug check included. NULL when the address is in no image. */
PIM_MODULE ImFindModule(const void *Address);
PVOID ImFindExport(PIM_MODULE Module, PCSTR Name);

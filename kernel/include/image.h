/* SPDX-License-Identifier: MIT
 * Tier 2, image: the list of loaded modules and the bridge to ldr/pe. Loading, binding, protection, unloading of
 * kernel images; which module an address belongs to, and its name in words. */
#pragma once
#include "ke.h"
#include "mm_section.h"
#include "osloader/loader_block.h"
#include "pe/pe.h"

typedef struct _IM_THUNKS IM_THUNKS;

/* What a module imports from: one for each module, released when the importing one goes. */
typedef struct _IM_USE {
    struct _IM_USE *Next;
    struct _IM_MODULE *Provider;
} IM_USE;

/* A module, loaded or being loaded. It begins as KLDR_DATA_TABLE_ENTRY does (ntbox/loaded_module.h), because drivers find it through
 * DriverObject->DriverSection and PsLoadedModuleList. The structure stays readable for ever: its memory is only used again for
 * another module, so that the list can be read without a lock.
 * (c) constant while it is in the list  (l) list lock and PsLoadedModuleResource  (d) load lock */
typedef struct _IM_MODULE {
    LIST_ENTRY Entry;          /* (l) InLoadOrderLinks */
    const void *FunctionTable; /* (c) RUNTIME_FUNCTION[FunctionCount], checked: sorted and inside the image */
    ULONG FunctionTableSize;   /* (c) bytes */
    PVOID GpValue;             /* as the next, 0 on x64 */
    PVOID NonPagedDebugInfo;
    PUCHAR Base;             /* (c) */
    PVOID EntryPoint;        /* (c) */
    ULONG Size;              /* (c) bytes, whole pages */
    UNICODE_STRING FullName; /* (c) "\SystemRoot\System32\drivers\foo.sys" */
    UNICODE_STRING BaseName; /* (c) the end of FullName: "foo.sys" */
    ULONG Flags;             /* 0: no value is documented */
    USHORT LoadCount;        /* (d) modules that import from it, and 1 for its service */
    USHORT SignatureLevel;   /* 0: nothing is verified */
    PVOID SectionPointer;    /* 0: made without a section object */
    ULONG CheckSum;          /* (c) of the header */
    ULONG CoverageSectionSize;
    PVOID CoverageSection;
    IM_USE *LoadedImports; /* (d) private to Windows too */
    PVOID NtDataTableEntry;
    ULONG SizeNotRounded; /* (c) SizeOfImage of the header */
    ULONG TimeDateStamp;  /* (c) */

    CHAR Name[64];       /* (c) base name as UTF-8, ASCII in lower case, "foo.sys" */
    ULONG FunctionCount; /* (c) */
    PVOID DriverObject;  /* io sets it while the driver lives */
    IM_THUNKS *Thunks;   /* stubs between this driver and what it imports; NULL when bound directly */
    BOOLEAN HasExports;  /* (c) */
    BOOLEAN IsBoot;      /* (c) osloader loaded it, it stays for ever */
    BOOLEAN IsDll;       /* (d) came because another imports from it: DllInitialize, DllUnload */
    BOOLEAN
    Failed; /* (d) DllInitialize has: it stays for those who are bound to it, and serves nobody else */
    BOOLEAN IsService;  /* (d) a service has it, which is one of LoadCount */
    BOOLEAN InitIsGone; /* (d) its discardable sections were freed: DriverEntry cannot be called any more */
    PE_IMAGE Image;     /* (c) */
    PE_EXPORTS Exports; /* (c) if HasExports */
    struct _IM_SECTION *Sections; /* (c) how often each section is locked: section.c */
    struct _IM_MODULE *NextFree;  /* (l) when it is none */
} IM_MODULE, *PIM_MODULE;
ASSERT_OFFSET(IM_MODULE, FunctionTable, 0x10);
ASSERT_OFFSET(IM_MODULE, Base, 0x30);
ASSERT_OFFSET(IM_MODULE, FullName, 0x48);
ASSERT_OFFSET(IM_MODULE, BaseName, 0x58);
ASSERT_OFFSET(IM_MODULE, LoadCount, 0x6c);
ASSERT_OFFSET(IM_MODULE, LoadedImports, 0x88);
ASSERT_OFFSET(IM_MODULE, TimeDateStamp, 0x9c);

/* What image asks of the layers above; set in init/phase.c. */
typedef struct _IM_UPCALLS {
    /* After DllUnload: what the module has left behind, one ReportLeak each. TRUE: something points into it, it must stay.
     * PASSIVE_LEVEL. */
    BOOLEAN (*ReportLeaks)(PIM_MODULE Module);
} IM_UPCALLS;
extern const IM_UPCALLS *ImUpcalls;

extern LIST_ENTRY PsLoadedModuleList; /* of IM_MODULE */
extern ERESOURCE
    PsLoadedModuleResource; /* held exclusive by writers; drivers that walk the list hold it shared */

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

/* IRQL PASSIVE_LEVEL. The image of a service. Reads the file through io (ZwCreateFile, ZwReadFile), checks, maps, relocates, loads
 * what it imports from (and calls DllInitialize there), binds and protects it. An image that is here because others import from it is
 * taken as it is. On failure nothing is left, the reason is one sentence in the log and a ReportImage record (and one ReportMissing
 * for each missing import); returns STATUS_INVALID_IMAGE_FORMAT, STATUS_DRIVER_ENTRYPOINT_NOT_FOUND, STATUS_DLL_NOT_FOUND,
 * STATUS_IMAGE_ALREADY_LOADED, what the file or a DllInitialize gave ... */
NTSTATUS ImLoadImage(PUNICODE_STRING FullName, PIM_MODULE *Module);

/* IRQL PASSIVE_LEVEL. A whole file, open for synchronous reading, in paged pool with that tag; the caller frees it. STATUS_END_OF_FILE when
 * it is empty, STATUS_FILE_TOO_LARGE above 256 MiB. */
NTSTATUS ImReadOpenFile(HANDLE File, ULONG Tag, PVOID *Bytes, SIZE_T *Length);

/* --- images of programs: user_image.c. IRQL PASSIVE_LEVEL ---- */

typedef struct _IM_USER_IMAGE {
    PUCHAR Pages;            /* Size bytes, laid out by RVA for Base */
    MM_IMAGE_PAGE *PageInfo; /* of each page */
    ULONG64 Size, Base, EntryPoint, StackReserve, StackCommit;
    ULONG SubSystem, CheckSum;
    USHORT SubSystemMajor, SubSystemMinor, Characteristics, DllCharacteristics, Machine;
    BOOLEAN ContainsCode, Relocatable;
} IM_USER_IMAGE;

/* From a whole file. STATUS_INVALID_IMAGE_xxx; on success ImFreeUserImage with the same tag. */
NTSTATUS ImLayOutUserImage(const VOID *Bytes, ULONG64 Length, ULONG Tag, IM_USER_IMAGE *Image);
VOID ImFreeUserImage(IM_USER_IMAGE *Image, ULONG Tag);

/* An image that is laid out for OldBase becomes one for NewBase; its header too. */
NTSTATUS ImRelocateUserImage(PVOID Pages, ULONG64 Size, ULONG64 OldBase, ULONG64 NewBase);

/* IRQL PASSIVE_LEVEL. The service does not need its image any more. It goes when no other module imports from it; then what it
 * imports from itself may go too. The image's code must not run any more, but by those importers. */
VOID ImUnloadImage(PIM_MODULE Module);

/* IRQL PASSIVE_LEVEL, once in phase 1: threads exist, and from here on more images come. */
VOID ImInitPhase1(VOID);

/* IRQL PASSIVE_LEVEL. Tells the routines of PsSetLoadImageNotifyRoutine of an image that was mapped and whose code has not run yet.
 * ProcessId is NULL for a driver; File is its file object, referenced by the caller. */
VOID ImNotifyLoad(PUNICODE_STRING FullName, HANDLE ProcessId, PVOID Base, SIZE_T Size, PVOID File);

/* Any IRQL. Address lies in an image that is linked with /INTEGRITYCHECK (IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY), or in the kernel: what
 * the registration of some callbacks asks for. */
BOOLEAN ImForcesIntegrity(const void *Address);

/* After a driver's unload routine, PASSIVE_LEVEL: its load-image notify routines are taken out, its locked sections are let go; both are
 * reported and counted. */
ULONG ImReportDriverNotifies(PIM_MODULE Module);
ULONG ImReportLockedSections(PIM_MODULE Module);

/* IRQL PASSIVE_LEVEL. The discardable sections (INIT) go after DriverEntry has succeeded. */
VOID ImDiscardInit(PIM_MODULE Module);

/* Any IRQL, bug check included. NULL when the address is in no image. The module stays while its code runs. */
PIM_MODULE ImFindModule(const void *Address);
/* Tells that the module's routine returned STATUS_PENDING, which is a broken rule. */
VOID ImReportPending(PIM_MODULE Module, PCSTR Routine);
PCSTR ImModuleNameOf(const void *Address); /* NULL when in none */
BOOLEAN ImIsKernelAddress(const void *Address);
/* Any IRQL, no lock. In a driver that is a part of ntbox, which its section .ntboxlb says: what goes wrong in it is its callers' fault, if drivers
 * have called it. */
BOOLEAN ImIsLibraryAddress(const void *Address);
VOID ImSymbolize(const void *Address, KI_SYMBOL *Symbol);

/* With CountCalls: what crosses the bindings between ImBeginCase and ImEndCase is reported as ReportCall records of that
 * case; a bug check in between reports them too. Otherwise nothing happens. IRQL <= DISPATCH_LEVEL, one case at a time. */
VOID ImBeginCase(PCSTR Case, ULONG Length);
VOID ImEndCase(VOID);

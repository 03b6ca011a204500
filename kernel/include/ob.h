/* SPDX-License-Identifier: MIT
 * Tier 2, ob: objects, their types, the name space and handles, for the other subsystems. What drivers may
 * call is declared by the DDK headers (ObReferenceObjectByHandle ...); ObCreateObject, ObInsertObject and
 * ObReferenceObjectByName, which ntifs.h declares too, have their contracts here. */
#pragma once
#include "nt.h"

/* --- types
 * ------------------------------------------------------------------------------------------------------ */

/* What a name look-up hands to a parse procedure. */
typedef struct _OB_PARSE {
    POBJECT_TYPE ObjectType; /* the caller wants an object of this type; NULL = any */
    KPROCESSOR_MODE AccessMode;
    ULONG Attributes;          /* OBJ_CASE_INSENSITIVE ... */
    ACCESS_MASK DesiredAccess; /* as asked, generic bits included */
    PVOID Context;             /* ParseContext of ObOpenObjectByName, else NULL */
    /* Captured, with ObOpenObjectByName; NULL: the caller gave none. */
    PSECURITY_QUALITY_OF_SERVICE SecurityQos;
    UNICODE_STRING
    RemainingName; /* what follows the object's own name: "", "\a\b"; relative to a root handle: "a\b" */
    UNICODE_STRING NewName; /* out, for STATUS_REPARSE: absolute, from ObAllocateName; the look-up frees it */
} OB_PARSE;

/* Reading or changing an object's descriptor; kernel memory. */
typedef struct _OB_SECURITY_CALL {
    BOOLEAN Set;
    KPROCESSOR_MODE Mode;             /* who asks: kernel mode may give any owner and SACL */
    SECURITY_INFORMATION Information; /* which parts */
    PSECURITY_DESCRIPTOR Descriptor;  /* Set: valid, self-relative. Else where to write one */
    ULONG Length;                     /* reading: the room; afterwards what is needed */
} OB_SECURITY_CALL;

typedef struct _OB_HANDLE_TABLE *POB_HANDLE_TABLE;

typedef struct _OB_TYPE_METHODS {
    /* May a caller of this mode have a handle? Else the status that he gets. Not asked for inherited handles: the parent had one. PASSIVE_LEVEL,
     * no lock. Optional. */
    NTSTATUS (*Open)(PVOID Object, KPROCESSOR_MODE Mode);
    /* A handle of Table went away; HandlesLeft over all tables. PASSIVE_LEVEL, no lock. Optional. */
    VOID (*Close)(PVOID Object, POB_HANDLE_TABLE Table, LONG64 HandlesLeft);
    /* The last reference went away; the memory is freed after it. PASSIVE_LEVEL, no lock. Optional. */
    VOID (*Delete)(PVOID Object);
    /* The name goes on behind this object, or another type than its own is wanted. PASSIVE_LEVEL, no lock.
     * Success: *Found is referenced, the look-up owns that reference. STATUS_REPARSE: starts again with
     * Parse->NewName. Optional. */
    NTSTATUS (*Parse)(PVOID Object, OB_PARSE *Parse, PVOID *Found);
    /* The object's name where it is not the name-space path ("\Device\Disk\file", a key's path). Appends to
     * Name, whose MaximumLength is the room; sets *Needed to the bytes of the whole name;
     * STATUS_BUFFER_OVERFLOW when it does not fit. Optional. */
    NTSTATUS (*QueryName)(PVOID Object, PUNICODE_STRING Name, PULONG Needed);
    /* The object's descriptor is not in its header. STATUS_BUFFER_TOO_SMALL with Length. PASSIVE_LEVEL, no lock. Optional. */
    NTSTATUS (*Security)(PVOID Object, OB_SECURITY_CALL *Call);
} OB_TYPE_METHODS;

#define OB_NOT_WAITABLE (-1)

typedef struct _OB_TYPE_INFO {
    PCWSTR Name; /* L"Event"; constant */
    PCWSTR Sddl; /* of objects that nobody gave a descriptor; NULL: user mode gets all of those */
    ULONG PoolTag;
    GENERIC_MAPPING Mapping;
    ACCESS_MASK ValidAccess;
    LONG WaitOffset;       /* of the DISPATCHER_HEADER in the body, or OB_NOT_WAITABLE */
    BOOLEAN AlwaysParse;   /* Parse is called even when the name ends here and this very type is wanted */
    BOOLEAN IgnoreCase;    /* look-ups that want this type ignore case, whatever OBJ_CASE_INSENSITIVE says */
    ACCESS_MASK Removable; /* rights that callbacks of handles may take away; 0: there are no callbacks */
    OB_TYPE_METHODS Methods;
} OB_TYPE_INFO;

/* PASSIVE_LEVEL, at start-up. Makes the type and its entry in \ObjectTypes. Types live for ever. */
NTSTATUS ObCreateObjectType(const OB_TYPE_INFO *Info, POBJECT_TYPE *Type);

/* Any IRQL. The type of an object; bug check when Object is none (its header's check value is wrong). */
POBJECT_TYPE ObTypeOf(const void *Object);
PCUNICODE_STRING ObTypeName(POBJECT_TYPE Type);
/* The number of an object's type, from 2 on in the order in which types were made. */
ULONG ObTypeIndex(const void *Object);

/* Objects of the type that there are. Any IRQL. */
LONG64 ObCountObjects(POBJECT_TYPE Type);

/* Generic rights become the type's own. */
ACCESS_MASK ObMapAccess(POBJECT_TYPE Type, ACCESS_MASK Desired);

/* IRQL <= DISPATCH_LEVEL. For who found the object under a lock that its deletion takes too. FALSE: its last reference has gone. */
BOOLEAN ObReferenceObjectSafe(PVOID Object);

/* --- making objects
 * ----------------------------------------------------------------------------------------------
 * ObCreateObject (ntifs.h), IRQL <= APC_LEVEL: body of ObjectSize bytes, zeroed, non-paged, 16-byte aligned, one
 * reference. The name and root of ObjectAttributes are captured, as memory of ProbeMode; AccessMode is whose
 * rights, root handle and privileges count. Charges and ParseContext are not used.
 *
 * ObInsertObject (ntifs.h), PASSIVE_LEVEL: gives the object its name and, when Handle is not NULL, a handle.
 *   Success with Handle: the creation reference is consumed; ObjectPointerBias references more are the
 * caller's. Success without Handle: the creation reference stays the caller's (a named object must then be
 * OBJ_PERMANENT). OBJ_OPENIF and the name exists with the same type: STATUS_OBJECT_NAME_EXISTS, *NewObject
 * and *Handle are of that one. Failure: the creation reference is consumed, so the object is gone.
 *
 * A name in a directory holds one reference. It is removed when the last handle of an object that is not
 * permanent is closed, or by ObMakeTemporaryObject without handles.
 *
 * ObReferenceObjectByName (ntifs.h), PASSIVE_LEVEL. PassedAccessState is not used yet. */

/* PASSIVE_LEVEL. Looks up (or lets the parse procedure create) the object and makes a handle. */
NTSTATUS ObOpenObjectByName(POBJECT_ATTRIBUTES ObjectAttributes, POBJECT_TYPE ObjectType,
                            KPROCESSOR_MODE AccessMode, ACCESS_MASK DesiredAccess, PVOID ParseContext,
                            PHANDLE Handle);

/* PASSIVE_LEVEL. For parse procedures: room for a name of Length bytes, Length 0. Nothing when memory is
 * short. */
NTSTATUS ObAllocateName(PUNICODE_STRING Name, ULONG Length);
VOID ObFreeName(PUNICODE_STRING Name);

/* PASSIVE_LEVEL. Directory or symbolic link of the kernel's own, permanent. */
NTSTATUS ObCreateKernelDirectory(PCWSTR Path);
NTSTATUS ObCreateKernelLink(PCWSTR Path, PCWSTR Target);

/* --- descriptors, PASSIVE_LEVEL --- */

/* [WDK ObOpenObjectByPointer] OBJ_FORCE_ACCESS_CHECK: kernel mode too gets only what the descriptor grants. What memory and which handles
 * the caller may name stays his mode's business. */
static inline KPROCESSOR_MODE ObCheckMode(ULONG Attributes, KPROCESSOR_MODE Mode)
{
    return (KPROCESSOR_MODE)(Attributes & OBJ_FORCE_ACCESS_CHECK ? UserMode : Mode);
}

/* The object's descriptor in its header: what objects of types without a Security method have. */
NTSTATUS ObDefaultSecurity(PVOID Object, OB_SECURITY_CALL *Call);
/* Whether its header has one, at this moment; nobody takes it away again. Any IRQL. */
BOOLEAN ObHasDescriptor(PVOID Object);
/* A copy of a self-relative descriptor without gaps, as RtlWriteRelativeSecurity makes it, becomes the object's; without Replace only if it has none. */
NTSTATUS ObSetDescriptor(PVOID Object, PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Replace);

/* --- handles
 * --------------------------------------------------------------------------------------------------------
 * A table for each process. A handle without the uppermost bits is of the process that the thread is attached to; a kernel handle
 * (OBJ_KERNEL_HANDLE) has the bits 0xFFFFFFFF80000000 and is of the System process's table in every context. */

POB_HANDLE_TABLE ObSystemHandleTable(VOID);
/* Empty. Process outlives it. PASSIVE_LEVEL */
NTSTATUS ObCreateHandleTable(struct _KPROCESS *Process, POB_HANDLE_TABLE *Table);
/* Whose handles they are; NULL: the System process's. Any IRQL. */
struct _KPROCESS *ObProcessOfTable(POB_HANDLE_TABLE Table);
/* PASSIVE_LEVEL. The handles of Parent with OBJ_INHERIT become handles of Child, which is empty and used by nobody yet; kernel handles do not.
 * Those that are made or closed meanwhile may be there or not. STATUS_INSUFFICIENT_RESOURCES: Child has some of them, and can only be
 * deleted. */
NTSTATUS ObInheritHandles(POB_HANDLE_TABLE Child, POB_HANDLE_TABLE Parent);
/* When its process ends, in the context of the process: from now on it takes no handle. PASSIVE_LEVEL. */
VOID ObCloseAllHandles(POB_HANDLE_TABLE Table);
/* Nobody uses it any more; what is open is closed. PASSIVE_LEVEL. */
VOID ObDeleteHandleTable(POB_HANDLE_TABLE Table);
ULONG ObHandleCount(POB_HANDLE_TABLE Table); /* of the moment. Any IRQL */

/* IRQL < DISPATCH_LEVEL. Each open handle: Routine runs at DISPATCH_LEVEL under the table's lock, which is let go after each 256 entries; a
 * handle that stays open is met once. */
typedef struct _OB_HANDLE_ENTRY {
    HANDLE Handle;
    PVOID Object;
    ACCESS_MASK Access;
    ULONG Attributes;
} OB_HANDLE_ENTRY;
VOID ObEnumerateHandles(POB_HANDLE_TABLE Table, VOID (*Routine)(const OB_HANDLE_ENTRY *Entry, PVOID Context),
                        PVOID Context);

/* OBJ_ attributes that belong to a handle. */
#define OBJ_PROTECT_CLOSE 0x00000001L /* [WDK OBJECT_HANDLE_FLAG_INFORMATION] ProtectFromClose */
#define OBJ_HANDLE_ATTRIBUTES (OBJ_INHERIT | OBJ_PROTECT_CLOSE)

/* A handle made of another one. [WDK ZwDuplicateObject] */
typedef struct _OB_DUPLICATE {
    PVOID SourceProcess;     /* what ZwCurrentProcess() as the handle means */
    POB_HANDLE_TABLE Source; /* of a handle that is no kernel handle */
    HANDLE Handle;
    PVOID TargetProcess; /* that of Target */
    POB_HANDLE_TABLE Target;
    ACCESS_MASK Access;
    ULONG Attributes; /* OBJ_INHERIT, OBJ_PROTECT_CLOSE, OBJ_KERNEL_HANDLE */
    ULONG Options;    /* DUPLICATE_SAME_ACCESS, DUPLICATE_SAME_ATTRIBUTES */
} OB_DUPLICATE;

/* PASSIVE_LEVEL. The source stays open. User mode: STATUS_ACCESS_DENIED when more is asked than the source and the
 * object's descriptor grant. */
NTSTATUS ObDuplicateHandle(const OB_DUPLICATE *Duplicate, KPROCESSOR_MODE Mode, PHANDLE Handle);
/* PASSIVE_LEVEL. Closes a handle of any table, unless it has one of the attributes Kept: OBJ_PROTECT_CLOSE, or 0 to undo a handle that nobody
 * was told of. */
NTSTATUS ObCloseHandleOf(POB_HANDLE_TABLE Table, HANDLE Handle, ULONG Kept);

/* [WDK ObCloseHandle] PASSIVE_LEVEL. */
NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode);

/* What a caller of that mode says of an object, copied. STATUS_INVALID_PARAMETER: nothing, or a wrong Length. OBJ_KERNEL_HANDLE is the
 * kernel's only. PASSIVE_LEVEL. */
NTSTATUS ObCaptureAttributes(OBJECT_ATTRIBUTES *Copy, const OBJECT_ATTRIBUTES *From, KPROCESSOR_MODE Mode);

/* PASSIVE_LEVEL. The answer of a service that makes a handle, for a caller of that mode. It is closed when it cannot be written. */
NTSTATUS ObGiveHandle(PHANDLE To, HANDLE Handle, KPROCESSOR_MODE Mode);

/* --- start-up
 * ---------------------------------------------------------------------------------------------------------
 * After pools; before everything that names objects. Makes the types Type, Directory, SymbolicLink and Event
 * and the directories \, \Device, \Driver, \FileSystem, \GLOBAL?? (\?? and \DosDevices are links to it),
 * \ObjectTypes, \KernelObjects,
 * \Callback, \BaseNamedObjects. */
VOID ObInitSystem(VOID);

extern POBJECT_TYPE ObDirectoryObjectType, ObSymbolicLinkObjectType, ObMutantType;

/* After a driver's unload routine: handles that were made while one of its routines was the innermost and that are still open: written to log and
 * report, counted. They stay open. PASSIVE_LEVEL. */
ULONG ObReportDriverHandles(PCSTR Driver, const void *Base, SIZE_T Size);
/* The same for its callbacks of handles, which are taken out. */
ULONG ObReportDriverCallbacks(PCSTR Driver, const void *Base, SIZE_T Size);

/* What ob asks of the layers above; set in init/phase.c. */
typedef struct _OB_UPCALLS {
    BOOLEAN (*ForcesIntegrity)(const void *Address); /* of the image that it lies in */
} OB_UPCALLS;
extern const OB_UPCALLS *ObUpcalls;

/* In phase 1: the events of \KernelObjects that tell how much memory is left. PASSIVE_LEVEL. */
VOID ObWatchMemory(VOID);

/* Checked kernel, before ObInitSystem: references are counted by object and tag from now on (`trace-references`). After a driver's unload
 * routine: those that it holds under tags of its own, written to log and report, counted. */
#if NTBOX_CHECKED
VOID ObTraceReferences(VOID);
ULONG ObReportDriverReferences(PCSTR Driver, const void *Base, SIZE_T Size);
#else
#define ObTraceReferences() ((void)0)
#define ObReportDriverReferences(Driver, Base, Size) ((void)0)
#endif

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
    UNICODE_STRING
    RemainingName; /* what follows the object's own name: "", "\a\b"; relative to a root handle: "a\b" */
    UNICODE_STRING NewName; /* out, for STATUS_REPARSE: absolute, from ObAllocateName; the look-up frees it */
} OB_PARSE;

typedef struct _OB_TYPE_METHODS {
    /* May a caller of this mode have a handle? Else the status that he gets. PASSIVE_LEVEL, no lock. Optional. */
    NTSTATUS (*Open)(PVOID Object, KPROCESSOR_MODE Mode);
    /* A handle went away; HandlesLeft over all tables. PASSIVE_LEVEL, no lock. Optional. */
    VOID (*Close)(PVOID Object, LONG64 HandlesLeft);
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
} OB_TYPE_METHODS;

#define OB_NOT_WAITABLE (-1)

typedef struct _OB_TYPE_INFO {
    PCWSTR Name; /* L"Event"; constant */
    ULONG PoolTag;
    GENERIC_MAPPING Mapping;
    ACCESS_MASK ValidAccess;
    LONG WaitOffset;     /* of the DISPATCHER_HEADER in the body, or OB_NOT_WAITABLE */
    BOOLEAN AlwaysParse; /* Parse is called even when the name ends here and this very type is wanted */
    BOOLEAN IgnoreCase;  /* look-ups that want this type ignore case, whatever OBJ_CASE_INSENSITIVE says */
    OB_TYPE_METHODS Methods;
} OB_TYPE_INFO;

/* PASSIVE_LEVEL, at start-up. Makes the type and its entry in \ObjectTypes. Types live for ever. */
NTSTATUS ObCreateObjectType(const OB_TYPE_INFO *Info, POBJECT_TYPE *Type);

/* Any IRQL. The type of an object; bug check when Object is none (its header's check value is wrong). */
POBJECT_TYPE ObTypeOf(const void *Object);
PCUNICODE_STRING ObTypeName(POBJECT_TYPE Type);

/* Generic rights become the type's own. */
ACCESS_MASK ObMapAccess(POBJECT_TYPE Type, ACCESS_MASK Desired);

/* --- making objects
 * ----------------------------------------------------------------------------------------------
 * ObCreateObject (ntifs.h), IRQL <= APC_LEVEL: body of ObjectSize bytes, zeroed, non-paged, 16-byte aligned, one
 * reference. The name and root of ObjectAttributes are captured, as memory of ProbeMode; AccessMode, charges and
 * ParseContext are not used yet.
 *
 * ObInsertObject (ntifs.h), IRQL <= APC_LEVEL: gives the object its name and, when Handle is not NULL, a handle.
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

/* --- handles
 * --------------------------------------------------------------------------------------------------------
 * One table: that of the System process. A kernel handle (OBJ_KERNEL_HANDLE) has the bits 0xFFFFFFFF80000000.
 */

/* [WDK ObCloseHandle] PASSIVE_LEVEL. */
NTSTATUS ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode);
PVOID ObSystemHandleTable(VOID); /* for EPROCESS.ObjectTable */

/* --- start-up
 * ---------------------------------------------------------------------------------------------------------
 * After pools; before everything that names objects. Makes the types Type, Directory, SymbolicLink and Event
 * and the directories \, \Device, \Driver, \FileSystem, \GLOBAL?? (\?? and \DosDevices are links to it),
 * \ObjectTypes, \KernelObjects,
 * \Callback, \BaseNamedObjects. */
VOID ObInitSystem(VOID);

extern POBJECT_TYPE ObDirectoryObjectType, ObSymbolicLinkObjectType;

/* After a driver's unload routine: handles that were made while one of its routines was the innermost and that are still open: written to log and
 * report, counted. They stay open. PASSIVE_LEVEL. */
ULONG ObReportDriverHandles(PCSTR Driver, const void *Base, SIZE_T Size);

/* SPDX-License-Identifier: MIT
 * From a handle to its object. */
#include "obp_handle.h"
#include "ke_checks.h"
#include "obp_trace.h"
#include "ke.h"

static PVOID ObpPseudoObject(HANDLE Handle)
{
    if (Handle == ZwCurrentThread())
        return KiCurrentThread();
    if (Handle == ZwCurrentProcess())
        return KiCurrentThread()->ApcState.Process; /* that the thread is attached to */
    return NULL;
}

PVOID ObpReferenceEntry(OB_HANDLE_TABLE *Table, HANDLE Handle, OBJECT_HANDLE_INFORMATION *Information)
{
    PVOID Object = NULL;
    KIRQL OldIrql = ArchAcquireLock(&Table->Lock);
    OBP_ENTRY *Entry = ObpEntryLocked(Table, Handle);
    if (Entry != NULL) {
        Object = Entry->Object;
        *Information = (OBJECT_HANDLE_INFORMATION){Entry->Value, Entry->Access};
        ObfReferenceObject(Object);
    }
    ArchReleaseLock(&Table->Lock, OldIrql);
    return Object;
}

/* The object of a handle, referenced, and what the handle grants. NULL: it is none. */
static PVOID ObpReferenceHandle(HANDLE Handle, OBJECT_HANDLE_INFORMATION *Information)
{
    PVOID Object = ObpPseudoObject(Handle);
    if (Object == NULL)
        return ObpReferenceEntry(ObpTableOf(Handle), Handle, Information);
    *Information = (OBJECT_HANDLE_INFORMATION){0, ObTypeOf(Object)->Info.ValidAccess};
    ObfReferenceObject(Object);
    return Object;
}

/* The pseudo handle of the process means the source process; that of the thread the current one. */
NTSTATUS ObpReferenceDuplicated(const OB_DUPLICATE *Duplicate, KPROCESSOR_MODE Mode, PVOID *Object,
                                OBJECT_HANDLE_INFORMATION *Information)
{
    HANDLE Handle = Duplicate->Handle;
    BOOLEAN Kernel = ObIsKernelHandle(Handle);
    if (Kernel && Mode != KernelMode)
        return STATUS_INVALID_HANDLE;
    *Object = Handle == ZwCurrentProcess() ? Duplicate->SourceProcess : ObpPseudoObject(Handle);
    if (*Object != NULL) {
        *Information = (OBJECT_HANDLE_INFORMATION){0, ObTypeOf(*Object)->Info.ValidAccess};
        ObfReferenceObject(*Object);
        return STATUS_SUCCESS;
    }
    *Object = ObpReferenceEntry(Kernel ? &ObpSystemTable : Duplicate->Source, Handle, Information);
    return *Object != NULL ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

/* [WDK ObReferenceObjectByHandle] access is checked for user mode only. STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_ACCESS_DENIED. */
NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                         KPROCESSOR_MODE AccessMode, PVOID *Object,
                                         POBJECT_HANDLE_INFORMATION HandleInformation)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    *Object = NULL;
    if (AccessMode != KernelMode && ObIsKernelHandle(Handle))
        return STATUS_INVALID_HANDLE;
    OBJECT_HANDLE_INFORMATION Information;
    PVOID Found = ObpReferenceHandle(Handle, &Information);
    if (Found == NULL)
        return STATUS_INVALID_HANDLE;
    NTSTATUS Status = STATUS_SUCCESS;
    if (ObjectType != NULL && ObTypeOf(Found) != ObjectType)
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    else if (AccessMode != KernelMode && (DesiredAccess & ~Information.GrantedAccess) != 0)
        Status = STATUS_ACCESS_DENIED;
    if (!NT_SUCCESS(Status)) {
        ObfDereferenceObject(Found);
        return Status;
    }
    if (HandleInformation != NULL)
        *HandleInformation = Information;
    *Object = Found;
    return STATUS_SUCCESS;
}

DECLSPEC_NOINLINE_CHECKED NTSTATUS NTAPI ObReferenceObjectByHandleWithTag(
    HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode, ULONG Tag,
    PVOID *Object, POBJECT_HANDLE_INFORMATION HandleInformation)
{
    NTSTATUS Status =
        ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object, HandleInformation);
    if (NT_SUCCESS(Status)) {
        ObpTraceReference(*Object, OBP_DEFAULT_TAG, -1, NULL);
        ObpTraceReference(*Object, Tag, 1, __builtin_return_address(0));
    }
    return Status;
}

/* [WDK ObOpenObjectByPointer] a handle without a name. */
NTSTATUS NTAPI ObOpenObjectByPointer(PVOID Object, ULONG HandleAttributes, PACCESS_STATE AccessState,
                                     ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                     KPROCESSOR_MODE AccessMode, PHANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    *Handle = NULL;
    NTSTATUS Status = ObReferenceObjectByPointer(Object, DesiredAccess, ObjectType, AccessMode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpOpenHandle(Object, AccessMode, DesiredAccess, HandleAttributes, Handle);
    ObfDereferenceObject(Object);
    return Status;
}

/* [WDK ObOpenObjectByPointerWithTag] The reference is the handle's and goes with it: no tag of the caller's is left to be counted. */
NTSTATUS NTAPI ObOpenObjectByPointerWithTag(PVOID Object, ULONG HandleAttributes, PACCESS_STATE AccessState,
                                            ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                            KPROCESSOR_MODE AccessMode, ULONG Tag, PHANDLE Handle)
{
    return ObOpenObjectByPointer(Object, HandleAttributes, AccessState, DesiredAccess, ObjectType, AccessMode,
                                 Handle);
}

/* [WDK ZwMakeTemporaryObject] */
NTSTATUS NTAPI ZwMakeTemporaryObject(HANDLE Handle)
{
    PVOID Object;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, DELETE, NULL, KernelMode, &Object, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    ObMakeTemporaryObject(Object);
    ObfDereferenceObject(Object);
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * A handle of one table becomes one of another. [WDK ZwDuplicateObject] */
#include "obp_callback.h"

/* What the new handle grants. [Win32 DuplicateHandle] more than the source has only where the object's own descriptor grants it, which a
 * file's does not. */
static NTSTATUS ObpChooseAccess(OBP_HEADER *Header, const OB_DUPLICATE *Duplicate, ACCESS_MASK Source,
                                KPROCESSOR_MODE Mode, PACCESS_MASK Access)
{
    POBJECT_TYPE Type = Header->Type;
    *Access = Source;
    if (Duplicate->Options & DUPLICATE_SAME_ACCESS)
        return STATUS_SUCCESS;
    *Access = Duplicate->Access == MAXIMUM_ALLOWED && Mode != KernelMode
                  ? Source
                  : ObMapAccess(Type, Duplicate->Access);
    if (Mode == KernelMode || (*Access & ~Source) == 0)
        return STATUS_SUCCESS;
    if (Type->Info.Methods.Security != NULL || Header->Security == NULL)
        return STATUS_ACCESS_DENIED;
    return ObpCheckAccess(Header, Mode, Duplicate->Access, Access);
}

/* OBJ_PROTECT_CLOSE comes with DUPLICATE_SAME_ATTRIBUTES only. */
static ULONG ObpChooseAttributes(const OB_DUPLICATE *Duplicate, ULONG Source)
{
    ULONG Attributes = Duplicate->Options & DUPLICATE_SAME_ATTRIBUTES ? Source : Duplicate->Attributes;

    return (Attributes & OBJ_HANDLE_ATTRIBUTES) | (Duplicate->Attributes & OBJ_KERNEL_HANDLE);
}

static NTSTATUS ObpDuplicateTold(const OB_DUPLICATE *Duplicate, OB_HANDLE_TABLE *Table, PVOID Object,
                                 KPROCESSOR_MODE Mode, ACCESS_MASK Access, ULONG Attributes, PHANDLE Handle)
{
    OBP_HANDLE_EVENT Event = {.Operation = OB_OPERATION_HANDLE_DUPLICATE,
                              .Object = Object,
                              .KernelHandle = (Attributes & OBJ_KERNEL_HANDLE) != 0,
                              .Original = Access,
                              .Access = Access,
                              .SourceProcess = Duplicate->SourceProcess,
                              .TargetProcess = Duplicate->TargetProcess};

    return ObpCreateHandleTold(&Event, Table, Mode, Attributes, Handle);
}

NTSTATUS ObDuplicateHandle(const OB_DUPLICATE *Duplicate, KPROCESSOR_MODE Mode, PHANDLE Handle)
{
    OBJECT_HANDLE_INFORMATION Source;
    ACCESS_MASK Access;
    PVOID Object;
    NTSTATUS Status = ObpReferenceDuplicated(Duplicate, Mode, &Object, &Source);

    if (!NT_SUCCESS(Status))
        return Status;
    ULONG Attributes = ObpChooseAttributes(Duplicate, Source.HandleAttributes);
    POB_HANDLE_TABLE Table = Attributes & OBJ_KERNEL_HANDLE ? ObSystemHandleTable() : Duplicate->Target;
    Status = ObpChooseAccess(ObpHeader(Object), Duplicate, Source.GrantedAccess, Mode, &Access);
    if (NT_SUCCESS(Status) && ObpHasCallbacks(Object))
        Status = ObpDuplicateTold(Duplicate, Table, Object, Mode, Access, Attributes, Handle);
    else if (NT_SUCCESS(Status))
        Status = ObpCreateHandleIn(Table, Object, Mode, Access, Attributes, Handle);
    ObfDereferenceObject(Object);
    return Status;
}

NTSTATUS ObCloseHandleOf(POB_HANDLE_TABLE Table, HANDLE Handle, ULONG Kept)
{
    PVOID Object;
    NTSTATUS Status = ObpReleaseEntry(Table, Handle, Kept, &Object);

    if (NT_SUCCESS(Status))
        ObpHandleIsGone(Table, Object);
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Handles: made and closed. */
#include "obp_handle.h"
#include "obp_callback.h"

/* [WDK ACCESS_MASK] generic rights become the type's specific ones; kernel mode is granted what it asks. */
ACCESS_MASK ObMapAccess(POBJECT_TYPE Type, ACCESS_MASK Desired)
{
    const GENERIC_MAPPING *Mapping = &Type->Info.Mapping;
    ACCESS_MASK Granted = Desired & (Type->Info.ValidAccess | ACCESS_SYSTEM_SECURITY);
    if (Desired & GENERIC_READ)
        Granted |= Mapping->GenericRead;
    if (Desired & GENERIC_WRITE)
        Granted |= Mapping->GenericWrite;
    if (Desired & GENERIC_EXECUTE)
        Granted |= Mapping->GenericExecute;
    if (Desired & (GENERIC_ALL | MAXIMUM_ALLOWED))
        Granted |= Mapping->GenericAll;
    return Granted;
}

VOID ObpCountHandle(PVOID Object)
{
    OBP_HEADER *Header = ObpHeader(Object);
    ObfReferenceObject(Object);
    InterlockedIncrement64(&Header->HandleCount);
    InterlockedIncrement64(&Header->Type->HandleCount);
}

NTSTATUS ObpCreateHandleIn(OB_HANDLE_TABLE *Table, PVOID Object, KPROCESSOR_MODE Mode, ACCESS_MASK Access,
                           ULONG Attributes, PHANDLE Handle)
{
    OBP_HEADER *Header = ObpHeader(Object);
    if (Header->Type->Info.Methods.Open != NULL) {
        NTSTATUS Allowed = Header->Type->Info.Methods.Open(Object, Mode);
        if (!NT_SUCCESS(Allowed))
            return Allowed;
    }
    ObpCountHandle(Object);
    ULONG Index;
    NTSTATUS Status = ObpTakeEntry(Table, Object, Access, Attributes & OBJ_HANDLE_ATTRIBUTES, &Index);
    if (!NT_SUCCESS(Status)) {
        InterlockedDecrement64(&Header->Type->HandleCount);
        ObpDropHandleCount(Header);
        ObfDereferenceObject(Object);
        return Status;
    }
    ULONG_PTR Value = (ULONG_PTR)Index * 4;
    *Handle = (HANDLE)(Attributes & OBJ_KERNEL_HANDLE ? Value | OBP_KERNEL_HANDLE_BITS : Value);
    return STATUS_SUCCESS;
}

NTSTATUS ObpCreateHandleTold(OBP_HANDLE_EVENT *Event, OB_HANDLE_TABLE *Table, KPROCESSOR_MODE Mode,
                             ULONG Attributes, PHANDLE Handle)
{
    ObpBeforeHandle(Event);
    NTSTATUS Status = ObpCreateHandleIn(Table, Event->Object, Mode, Event->Access, Attributes, Handle);
    ObpAfterHandle(Event, Status);
    return Status;
}

/* [WDK OBJECT_ATTRIBUTES] OBJ_KERNEL_HANDLE: it can be used in the context of every process. */
NTSTATUS ObpCreateHandle(PVOID Object, KPROCESSOR_MODE Mode, ACCESS_MASK DesiredAccess, ULONG Attributes,
                         PHANDLE Handle)
{
    OB_HANDLE_TABLE *Table =
        Attributes & OBJ_KERNEL_HANDLE ? &ObpSystemTable : KiCurrentThread()->ApcState.Process->HandleTable;
    ACCESS_MASK Access = ObMapAccess(ObTypeOf(Object), DesiredAccess);
    if (!ObpHasCallbacks(Object))
        return ObpCreateHandleIn(Table, Object, Mode, Access, Attributes, Handle);
    OBP_HANDLE_EVENT Event = {.Operation = OB_OPERATION_HANDLE_CREATE,
                              .Object = Object,
                              .KernelHandle = (Attributes & OBJ_KERNEL_HANDLE) != 0,
                              .Original = Access,
                              .Access = Access};
    return ObpCreateHandleTold(&Event, Table, Mode, Attributes, Handle);
}

/* Whoever takes the count to nothing takes the name away. */
VOID ObpDropHandleCount(OBP_HEADER *Header)
{
    if (InterlockedDecrement64(&Header->HandleCount) == 0 && !(Header->Flags & OBP_FLAG_PERMANENT))
        ObpRemoveName(Header);
}

VOID ObpHandleIsGone(OB_HANDLE_TABLE *Table, PVOID Object)
{
    OBP_HEADER *Header = ObpHeader(Object);
    LONG64 Left = InterlockedDecrement64(&Header->HandleCount);
    InterlockedDecrement64(&Header->Type->HandleCount);
    if (Header->Type->Info.Methods.Close != NULL)
        Header->Type->Info.Methods.Close(Object, Table, Left);
    if (Left == 0 && !(Header->Flags & OBP_FLAG_PERMANENT))
        ObpRemoveName(Header);
    ObfDereferenceObject(Object);
}

static NTSTATUS ObpCloseHandle(HANDLE Handle, KPROCESSOR_MODE Mode)
{
    PVOID Object;
    if (Mode != KernelMode && ObIsKernelHandle(Handle))
        return STATUS_INVALID_HANDLE;
    OB_HANDLE_TABLE *Table = ObpTableOf(Handle);
    NTSTATUS Status = ObpReleaseEntry(Table, Handle, OBJ_PROTECT_CLOSE, &Object);
    if (NT_SUCCESS(Status))
        ObpHandleIsGone(Table, Object);
    return Status;
}

/* [WDK ObCloseHandle] */
NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpCloseHandle(Handle, PreviousMode);
}

/* [WDK ZwClose] */
NTSTATUS NTAPI ZwClose(HANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpCloseHandle(Handle, KernelMode);
}

NTSTATUS NTAPI NtClose(HANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObpCloseHandle(Handle, ExGetPreviousMode());
}

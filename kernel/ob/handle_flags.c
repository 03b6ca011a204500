/* SPDX-License-Identifier: MIT
 * The flags of an open handle: inherited by children, protected from closing. */
#include "ob_service.h"
#include "obp_handle.h"
#include "ke.h"
#include "mm_caller.h"

static ULONG ObpAttributesOfFlags(const OBJECT_HANDLE_FLAG_INFORMATION *Flags)
{
    return (Flags->Inherit ? OBJ_INHERIT : 0) | (Flags->ProtectFromClose ? OBJ_PROTECT_CLOSE : 0);
}

/* [published by Windows' exports] PASSIVE_LEVEL. */
NTSTATUS NTAPI ObSetHandleAttributes(HANDLE Handle, POBJECT_HANDLE_FLAG_INFORMATION Flags,
                                     KPROCESSOR_MODE PreviousMode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (PreviousMode != KernelMode && ObIsKernelHandle(Handle))
        return STATUS_INVALID_HANDLE;
    OB_HANDLE_TABLE *Table = ObpTableOf(Handle);
    KIRQL OldIrql = ArchAcquireLock(&Table->Lock);
    OBP_ENTRY *Entry = ObpEntryLocked(Table, Handle);
    if (Entry != NULL)
        Entry->Value = (Entry->Value & ~(ULONG)OBJ_HANDLE_ATTRIBUTES) | ObpAttributesOfFlags(Flags);
    ArchReleaseLock(&Table->Lock, OldIrql);
    return Entry != NULL ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

/* [WDK OBJECT_HANDLE_FLAG_INFORMATION] the one class that can be set of a handle. */
NTSTATUS ObSetInformationObject(HANDLE Handle, OBJECT_INFORMATION_CLASS Class, PVOID Information,
                                ULONG Length, KPROCESSOR_MODE Mode)
{
    OBJECT_HANDLE_FLAG_INFORMATION Flags;
    if (Class != ObjectHandleFlagInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (Length != sizeof(Flags))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmReadCaller(&Flags, Information, sizeof(Flags), Mode);
    return NT_SUCCESS(Status) ? ObSetHandleAttributes(Handle, &Flags, Mode) : Status;
}

NTSTATUS NTAPI ZwSetInformationObject(HANDLE Handle, OBJECT_INFORMATION_CLASS ObjectInformationClass,
                                      PVOID ObjectInformation, ULONG ObjectInformationLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return ObSetInformationObject(Handle, ObjectInformationClass, ObjectInformation, ObjectInformationLength,
                                  KernelMode);
}

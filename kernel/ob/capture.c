/* SPDX-License-Identifier: MIT
 * What a caller says of an object, copied once: a user-mode caller's other threads may change it while it is looked at. */
#include "obp_handle.h"
#include "mm_caller.h"

/* [WDK OBJECT_ATTRIBUTES] OBJ_KERNEL_HANDLE is the kernel's: a user-mode caller could not use such a handle. */
NTSTATUS ObCaptureAttributes(OBJECT_ATTRIBUTES *Copy, const OBJECT_ATTRIBUTES *From, KPROCESSOR_MODE Mode)
{
    if (From == NULL)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = MmReadCaller(Copy, From, sizeof(*Copy), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Mode != KernelMode)
        Copy->Attributes &= ~(ULONG)OBJ_KERNEL_HANDLE;
    return Copy->Length == sizeof(*Copy) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* [WDK SECURITY_QUALITY_OF_SERVICE] */
NTSTATUS ObpCaptureQuality(SECURITY_QUALITY_OF_SERVICE *Copy, const OBJECT_ATTRIBUTES *Captured,
                           KPROCESSOR_MODE Mode, PSECURITY_QUALITY_OF_SERVICE *Quality)
{
    *Quality = NULL;
    if (Captured->SecurityQualityOfService == NULL)
        return STATUS_SUCCESS;
    NTSTATUS Status = MmReadCaller(Copy, Captured->SecurityQualityOfService, sizeof(*Copy), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Copy->Length != sizeof(*Copy))
        return STATUS_INVALID_PARAMETER;
    if ((ULONG)Copy->ImpersonationLevel > SECURITY_MAX_IMPERSONATION_LEVEL)
        return STATUS_BAD_IMPERSONATION_LEVEL;
    *Quality = Copy;
    return STATUS_SUCCESS;
}

NTSTATUS ObpCaptureName(PUNICODE_STRING Copy, const UNICODE_STRING *From, KPROCESSOR_MODE Mode)
{
    UNICODE_STRING Name;
    NTSTATUS Status = MmReadCaller(&Name, From, sizeof(Name), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if ((Name.Length & 1) || (Name.Length != 0 && Name.Buffer == NULL))
        return STATUS_OBJECT_NAME_INVALID;
    Status = ObAllocateName(Copy, Name.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = MmReadCaller(Copy->Buffer, Name.Buffer, Name.Length, Mode);
    if (NT_SUCCESS(Status))
        Copy->Length = Name.Length;
    else
        ObFreeName(Copy);
    return Status;
}

NTSTATUS ObGiveHandle(PHANDLE To, HANDLE Handle, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = MmWriteCaller(To, &Handle, sizeof(Handle), Mode);
    if (!NT_SUCCESS(Status))
        (void)ObCloseHandleOf(ObpTableOf(Handle), Handle, 0);
    return Status;
}

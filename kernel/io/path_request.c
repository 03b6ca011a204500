/* SPDX-License-Identifier: MIT
 * Services that take a name: the file is opened, asked or marked, and closed. */
#include "iop.h"
#include "mm_caller.h"

/* The handle is in the kernel's table, where no thread of the current process can close it: for a kernel-mode caller, who need not have asked
 * for it. A user-mode one's is his own. */
static NTSTATUS IopOpenPath(PHANDLE File, const OBJECT_ATTRIBUTES *Given, IOP_OPEN *Open,
                            KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return IopCreateForCaller(File, (POBJECT_ATTRIBUTES)Given, Open, Mode);
    if (Given == NULL)
        return STATUS_INVALID_PARAMETER;
    OBJECT_ATTRIBUTES Attributes = *Given;
    Attributes.Attributes |= OBJ_KERNEL_HANDLE;
    return IopCreateForCaller(File, &Attributes, Open, KernelMode);
}

/* [WDK ZwDeleteFile] of a reparse point itself; in use for the kernel only here. */
static NTSTATUS IopDelete(POBJECT_ATTRIBUTES Attributes, KPROCESSOR_MODE Mode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    HANDLE File;
    IOP_OPEN Open = {.DesiredAccess = DELETE,
                     .CreateOptions = FILE_DELETE_ON_CLOSE | FILE_OPEN_REPARSE_POINT,
                     .ShareAccess = FILE_SHARE_VALID_FLAGS,
                     .Disposition = FILE_OPEN};
    NTSTATUS Status = IopOpenPath(&File, Attributes, &Open, Mode);
    if (NT_SUCCESS(Status))
        ObCloseHandle(File, Mode);
    return Status;
}

NTSTATUS NTAPI ZwDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes)
{
    return IopDelete(ObjectAttributes, KernelMode);
}

NTSTATUS NTAPI NtDeleteFile(POBJECT_ATTRIBUTES ObjectAttributes)
{
    return IopDelete(ObjectAttributes, ExGetPreviousMode());
}

/* [WDK ZwQueryFullAttributesFile] */
NTSTATUS NTAPI ZwQueryFullAttributesFile(POBJECT_ATTRIBUTES ObjectAttributes,
                                         PFILE_NETWORK_OPEN_INFORMATION FileInformation)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    HANDLE File;
    IO_STATUS_BLOCK Iosb;
    IOP_OPEN Open = {.DesiredAccess = FILE_READ_ATTRIBUTES,
                     .CreateOptions = FILE_OPEN_REPARSE_POINT,
                     .ShareAccess = FILE_SHARE_VALID_FLAGS,
                     .Disposition = FILE_OPEN};
    NTSTATUS Status = IopOpenPath(&File, ObjectAttributes, &Open, KernelMode);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwQueryInformationFile(File, &Iosb, FileInformation, sizeof(*FileInformation),
                                    FileNetworkOpenInformation);
    ObCloseHandle(File, KernelMode);
    return Status;
}

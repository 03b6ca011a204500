/* SPDX-License-Identifier: MIT
 * From a caller's handles and pointers to objects and variables. */
#include "vmp.h"

NTSTATUS VmpReferenceProcess(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, PEPROCESS *Process)
{
    return ObReferenceObjectByHandle(Handle, Access, PsProcessType, Mode, (PVOID *)Process, NULL);
}

/* A kernel caller's pointers are his word: an invalid one is his exception. */
NTSTATUS VmpRead(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return MmCopyFromUser(To, From, Length);
    RtlCopyMemory(To, From, Length);
    return STATUS_SUCCESS;
}

NTSTATUS VmpWrite(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return MmCopyToUser(To, From, Length);
    RtlCopyMemory(To, From, Length);
    return STATUS_SUCCESS;
}

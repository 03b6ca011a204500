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

static NTSTATUS VmpProbeGuarded(PVOID To, SIZE_T Length)
{
    __try {
        ProbeForWrite(To, Length, 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

NTSTATUS VmpProbe(PVOID To, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    return Mode != KernelMode && To != NULL ? VmpProbeGuarded(To, Length) : STATUS_SUCCESS;
}

NTSTATUS VmpReadVariable(PVOID To, PVOID From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = VmpProbe(From, Length, Mode);
    return NT_SUCCESS(Status) ? VmpRead(To, From, Length, Mode) : Status;
}

NTSTATUS VmpGiveHandle(PHANDLE To, HANDLE Handle, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = VmpWrite(To, &Handle, sizeof(Handle), Mode);
    if (!NT_SUCCESS(Status))
        (void)ObCloseHandle(Handle, Mode);
    return Status;
}

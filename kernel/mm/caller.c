/* SPDX-License-Identifier: MIT
 * What the caller of a service points to. [WDK Buffer Handling] */
#include "mm_caller.h"
#include "mm_user.h"

NTSTATUS MmReadCaller(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return MmCopyFromUser(To, From, Length);
    RtlCopyMemory(To, From, Length);
    return STATUS_SUCCESS;
}

NTSTATUS MmWriteCaller(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode)
        return MmCopyToUser(To, From, Length);
    RtlCopyMemory(To, From, Length);
    return STATUS_SUCCESS;
}

NTSTATUS MmTryReadCaller(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    __try {
        return MmReadCaller(To, From, Length, Mode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

NTSTATUS MmTryWriteCaller(PVOID To, const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    __try {
        return MmWriteCaller(To, From, Length, Mode);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

static NTSTATUS MiProbeGuarded(PVOID Address, SIZE_T Length, BOOLEAN Write)
{
    __try {
        if (Write)
            ProbeForWrite(Address, Length, 1);
        else
            ProbeForRead(Address, Length, 1);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

NTSTATUS MmProbeCaller(PVOID To, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    return Mode != KernelMode && To != NULL ? MiProbeGuarded(To, Length, TRUE) : STATUS_SUCCESS;
}

NTSTATUS MmProbeCallerOutput(PVOID To, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    return Mode != KernelMode ? MiProbeGuarded(To, Length, TRUE) : STATUS_SUCCESS;
}

NTSTATUS MmProbeCallerInput(const VOID *From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    return Mode != KernelMode ? MiProbeGuarded((PVOID)From, Length, FALSE) : STATUS_SUCCESS;
}

NTSTATUS MmReadCallerVariable(PVOID To, PVOID From, SIZE_T Length, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = MmProbeCaller(From, Length, Mode);
    return NT_SUCCESS(Status) ? MmReadCaller(To, From, Length, Mode) : Status;
}

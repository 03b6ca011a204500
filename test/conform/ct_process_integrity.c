/* SPDX-License-Identifier: MIT
 * What only an image that is linked with /INTEGRITYCHECK may register. [WDK PsSetCreateProcessNotifyRoutineEx,
 * PsSetCreateProcessNotifyRoutineEx2] */
#include "ct.h"

static VOID NTAPI OnProcess(PEPROCESS Process, HANDLE ProcessId, PPS_CREATE_NOTIFY_INFO CreateInfo)
{
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(ProcessId);
    UNREFERENCED_PARAMETER(CreateInfo);
}

static VOID NotifyEx(VOID)
{
    CT_SUCCESS(PsSetCreateProcessNotifyRoutineEx(OnProcess, FALSE));
    CT_STATUS(PsSetCreateProcessNotifyRoutineEx(OnProcess, FALSE), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems, (PVOID)OnProcess, FALSE));
    CT_SUCCESS(PsSetCreateProcessNotifyRoutineEx2(PsCreateProcessNotifySubsystems, (PVOID)OnProcess, TRUE));
    CT_SUCCESS(PsSetCreateProcessNotifyRoutineEx(OnProcess, TRUE));
    CT_STATUS(PsSetCreateProcessNotifyRoutineEx(OnProcess, TRUE), STATUS_PROCEDURE_NOT_FOUND);
    CT_STATUS(PsSetCreateProcessNotifyRoutineEx2((PSCREATEPROCESSNOTIFYTYPE)7, (PVOID)OnProcess, FALSE),
              STATUS_INVALID_PARAMETER);
}

static const CT_CASE Cases[] = {
    {"process_integrity.notify_ex", NotifyEx},
};
CT_DRIVER(Cases)

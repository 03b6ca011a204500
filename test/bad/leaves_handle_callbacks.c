/* SPDX-License-Identifier: MIT
 * Unloads with callbacks for handles to processes that are still registered; linked with /INTEGRITYCHECK. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static OB_PREOP_CALLBACK_STATUS NTAPI Before(PVOID Context, POB_PRE_OPERATION_INFORMATION Information)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Information);
    return OB_PREOP_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    OB_OPERATION_REGISTRATION Operation = {PsProcessType, OB_OPERATION_HANDLE_CREATE, Before, NULL};
    OB_CALLBACK_REGISTRATION Registration = {OB_FLT_REGISTRATION_VERSION, 1, RTL_CONSTANT_STRING(L"320999"),
                                             NULL, &Operation};
    PVOID Handle;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    return ObRegisterCallbacks(&Registration, &Handle);
}

/* SPDX-License-Identifier: MIT
 * Unloads while its registry callback is registered: the next registry operation would execute code that is gone. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD CallbackLeftUnload;
static EX_CALLBACK_FUNCTION CallbackLeftRoutine;
static LARGE_INTEGER Cookie;

static NTSTATUS NTAPI CallbackLeftRoutine(PVOID Context, PVOID Class, PVOID Information)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Class);
    UNREFERENCED_PARAMETER(Information);
    return STATUS_SUCCESS;
}

static VOID NTAPI CallbackLeftUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Altitude = RTL_CONSTANT_STRING(L"320000");
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = CallbackLeftUnload;
    return CmRegisterCallbackEx(CallbackLeftRoutine, &Altitude, DriverObject, NULL, &Cookie, NULL);
}

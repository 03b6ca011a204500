/* SPDX-License-Identifier: MIT
 * Its registry callback unregisters itself, which waits until the callback has returned. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static EX_CALLBACK_FUNCTION OnRegistry;
static LARGE_INTEGER Cookie;

static NTSTATUS NTAPI OnRegistry(PVOID Context, PVOID Class, PVOID Information)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Class);
    UNREFERENCED_PARAMETER(Information);
    return CmUnRegisterCallback(Cookie);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Altitude = RTL_CONSTANT_STRING(L"320000");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    NTSTATUS Status = CmRegisterCallbackEx(OnRegistry, &Altitude, DriverObject, NULL, &Cookie, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    return ZwOpenKey(&Key, KEY_READ, &Attributes);
}

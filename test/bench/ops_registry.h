/* SPDX-License-Identifier: MIT
 * Operations of the registry, on a key with four values of which the last is asked for. */
#pragma once
#include <ntddk.h>

static HANDLE RegistryKey;
static UNICODE_STRING RegistryPath = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\Software\\NtboxBench");

static BOOLEAN RegistryPrepare(PDRIVER_OBJECT DriverObject)
{
    static const WCHAR Names[][8] = {L"Type", L"Start", L"Path", L"Number"};
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    ULONG Value = 5;
    UNREFERENCED_PARAMETER(DriverObject);
    InitializeObjectAttributes(&Attributes, &RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    if (!NT_SUCCESS(
            ZwCreateKey(&RegistryKey, KEY_ALL_ACCESS, &Attributes, 0, NULL, REG_OPTION_VOLATILE, NULL)))
        return FALSE;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++) {
        RtlInitUnicodeString(&Name, Names[i]);
        ZwSetValueKey(RegistryKey, &Name, 0, REG_DWORD, &Value, sizeof(Value));
    }
    return TRUE;
}

static VOID RegistryRelease(VOID)
{
    ZwDeleteKey(RegistryKey);
    ZwClose(RegistryKey);
}

static VOID RegistryQuery(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Number");
    struct {
        KEY_VALUE_PARTIAL_INFORMATION Information;
        ULONG Room;
    } Value;
    ULONG Length;
    ZwQueryValueKey(RegistryKey, &Name, KeyValuePartialInformation, &Value, sizeof(Value), &Length);
}

static VOID RegistrySet(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Number");
    ULONG Value = 6;
    ZwSetValueKey(RegistryKey, &Name, 0, REG_DWORD, &Value, sizeof(Value));
}

static VOID RegistryOpenClose(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    InitializeObjectAttributes(&Attributes, &RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    if (NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        ZwClose(Key);
}

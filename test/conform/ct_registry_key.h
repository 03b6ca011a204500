/* SPDX-License-Identifier: MIT
 * Keys for the registry cases: a key of the test's own below HKLM\Software. */
#pragma once
#include "ct.h"

#define CT_SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services"
#define CT_ROOT L"\\Registry\\Machine\\Software\\NtboxTest"

static UNICODE_STRING CtName(PCWSTR Text)
{
    UNICODE_STRING Name;
    RtlInitUnicodeString(&Name, Text);
    return Name;
}

static NTSTATUS CtOpenKey(PHANDLE Key, HANDLE Root, PCWSTR Path, ULONG Attributes)
{
    UNICODE_STRING Name = CtName(Path);
    OBJECT_ATTRIBUTES Object;
    InitializeObjectAttributes(&Object, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE | Attributes, Root,
                               NULL);
    return ZwOpenKey(Key, KEY_ALL_ACCESS, &Object);
}

static inline NTSTATUS CtCreateKey(PHANDLE Key, HANDLE Root, PCWSTR Path, ULONG Options, PULONG Disposition)
{
    UNICODE_STRING Name = CtName(Path);
    OBJECT_ATTRIBUTES Object;
    InitializeObjectAttributes(&Object, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Root, NULL);
    return ZwCreateKey(Key, KEY_ALL_ACCESS, &Object, 0, NULL, Options, Disposition);
}

static inline NTSTATUS CtSetNumber(HANDLE Key, PCWSTR Text, ULONG Value)
{
    UNICODE_STRING Name = CtName(Text);
    return ZwSetValueKey(Key, &Name, 0, REG_DWORD, &Value, sizeof(Value));
}

static inline NTSTATUS CtSetText(HANDLE Key, PCWSTR Text, ULONG Type, PCWSTR Value, ULONG Bytes)
{
    UNICODE_STRING Name = CtName(Text);
    return ZwSetValueKey(Key, &Name, 0, Type, (PVOID)Value, Bytes);
}

static inline NTSTATUS CtGetNumber(HANDLE Key, PCWSTR Text, PULONG Value)
{
    UNICODE_STRING Name = CtName(Text);
    struct {
        KEY_VALUE_PARTIAL_INFORMATION Partial;
        ULONG Room;
    } Result = {0};
    ULONG Length;
    NTSTATUS Status =
        ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, &Result, sizeof(Result), &Length);
    RtlCopyMemory(Value, Result.Partial.Data, sizeof(*Value));
    return Status;
}

static inline NTSTATUS CtDeleteValue(HANDLE Key, PCWSTR Text)
{
    UNICODE_STRING Name = CtName(Text);
    return ZwDeleteValueKey(Key, &Name);
}

/* Deletes the key Path and closes it; its subkeys are gone. */
static inline VOID CtDeleteKey(HANDLE Root, PCWSTR Path)
{
    HANDLE Key;
    if (CT_SUCCESS(CtOpenKey(&Key, Root, Path, OBJ_OPENLINK))) {
        CT_SUCCESS(ZwDeleteKey(Key));
        CT_SUCCESS(ZwClose(Key));
    }
}

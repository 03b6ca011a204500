/* SPDX-License-Identifier: MIT
 * An export driver that is told a number: the value "Answer" below the Parameters key of its service, which DllInitialize reads. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);
NTSTATUS NTAPI DllUnload(VOID);
LONG NTAPI AnswerOfTold(VOID);

static ULONG Answer;

LONG NTAPI AnswerOfTold(VOID)
{
    return (LONG)Answer;
}

static NTSTATUS ReadAnswer(HANDLE Service)
{
    UNICODE_STRING Parameters = RTL_CONSTANT_STRING(L"Parameters"), Value = RTL_CONSTANT_STRING(L"Answer");
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    ULONG Length;
    struct {
        KEY_VALUE_PARTIAL_INFORMATION Partial;
        UCHAR More[sizeof(ULONG)];
    } Room;
    InitializeObjectAttributes(&Attributes, &Parameters, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Service,
                               NULL);
    NTSTATUS Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwQueryValueKey(Key, &Value, KeyValuePartialInformation, &Room, sizeof(Room), &Length);
    if (NT_SUCCESS(Status) && Room.Partial.Type == REG_DWORD)
        RtlCopyMemory(&Answer, Room.Partial.Data, sizeof(Answer));
    ZwClose(Key);
    return Status;
}

/* PASSIVE_LEVEL. Without the value the answer is 0. */
NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Service;
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL,
                               NULL);
    NTSTATUS Status = ZwOpenKey(&Service, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ReadAnswer(Service);
    ZwClose(Service);
    return Status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : Status;
}

NTSTATUS NTAPI DllUnload(VOID)
{
    return STATUS_SUCCESS;
}

/* Never called: linkers want an entry point. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    return STATUS_NOT_SUPPORTED;
}

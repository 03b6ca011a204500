/* SPDX-License-Identifier: MIT
 * Reading a whole file. */
#include "agent.h"

static NTSTATUS FileSize(HANDLE File, PULONG Length)
{
    FILE_STANDARD_INFORMATION Standard;
    IO_STATUS_BLOCK Iosb;
    NTSTATUS Status =
        ZwQueryInformationFile(File, &Iosb, &Standard, sizeof(Standard), FileStandardInformation);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Standard.EndOfFile.QuadPart > SCENARIO_MAX_LENGTH)
        return STATUS_FILE_TOO_LARGE;
    *Length = Standard.EndOfFile.LowPart;
    return STATUS_SUCCESS;
}

static NTSTATUS ReadAll(HANDLE File, PVOID *Bytes, PULONG Length)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Start = {.QuadPart = 0};
    NTSTATUS Status = FileSize(File, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    *Bytes = ExAllocatePool2(POOL_FLAG_PAGED, *Length + 1, AGENT_TAG);
    if (*Bytes == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (*Length == 0)
        return STATUS_SUCCESS;
    Status = ZwReadFile(File, NULL, NULL, NULL, &Iosb, *Bytes, *Length, &Start, NULL);
    if (NT_SUCCESS(Status) && Iosb.Information != *Length)
        Status = STATUS_END_OF_FILE;
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(*Bytes, AGENT_TAG);
    return Status;
}

NTSTATUS AgentReadFile(PCUNICODE_STRING Name, PVOID *Bytes, PULONG Length)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    InitializeObjectAttributes(&Attributes, (PUNICODE_STRING)Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               NULL, NULL);
    NTSTATUS Status =
        ZwCreateFile(&File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, FILE_SHARE_READ,
                     FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE, NULL, 0);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ReadAll(File, Bytes, Length);
    ZwClose(File);
    return Status;
}

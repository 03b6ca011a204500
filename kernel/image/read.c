/* SPDX-License-Identifier: MIT
 * A whole file as bytes in pool, by ordinary file I/O. */
#include "imp.h"

#define IMP_MAX_FILE (256u << 20)

static NTSTATUS ImpFileLength(HANDLE File, SIZE_T *Length)
{
    FILE_STANDARD_INFORMATION Standard;
    IO_STATUS_BLOCK Iosb;
    NTSTATUS Status =
        ZwQueryInformationFile(File, &Iosb, &Standard, sizeof(Standard), FileStandardInformation);

    if (!NT_SUCCESS(Status))
        return Status;
    if (Standard.EndOfFile.QuadPart <= 0)
        return STATUS_END_OF_FILE;
    if (Standard.EndOfFile.QuadPart > IMP_MAX_FILE)
        return STATUS_FILE_TOO_LARGE;
    *Length = (SIZE_T)Standard.EndOfFile.QuadPart;
    return STATUS_SUCCESS;
}

NTSTATUS ImReadOpenFile(HANDLE File, ULONG Tag, PVOID *Bytes, SIZE_T *Length)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    NTSTATUS Status = ImpFileLength(File, Length);

    if (!NT_SUCCESS(Status))
        return Status;
    *Bytes = ExAllocatePoolWithTag(PagedPool, *Length, Tag);
    if (*Bytes == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwReadFile(File, NULL, NULL, NULL, &Iosb, *Bytes, (ULONG)*Length, &Offset, NULL);
    if (NT_SUCCESS(Status) && Iosb.Information != *Length)
        Status = STATUS_END_OF_FILE;
    if (!NT_SUCCESS(Status))
        ExFreePoolWithTag(*Bytes, Tag);
    return Status;
}

NTSTATUS ImpOpenFile(PCUNICODE_STRING FullName, PHANDLE File)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;

    InitializeObjectAttributes(&Attributes, (PUNICODE_STRING)FullName,
                               OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, FILE_ATTRIBUTE_NORMAL,
                        FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE,
                        NULL, 0);
}

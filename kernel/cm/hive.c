/* SPDX-License-Identifier: MIT
 * Hives of the running system: made in memory with the builder, or read from a file. Either way all of a hive is checked
 * before its first key is used. */
#include "cm/cmp.h"
#include "kd.h"

#define CMP_MAX_HIVE_FILE 0x10000000u /* 256 MiB */

static void *CmpAllocate(void *Context, size_t Size)
{
    return ExAllocatePool2(POOL_FLAG_PAGED, Size, CMP_TAG_HIVE);
}

static void CmpFree(void *Context, void *Block)
{
    ExFreePoolWithTag(Block, CMP_TAG_HIVE);
}

HIVE_BUILDER *CmpCreateBuilder(VOID)
{
    static const HIVE_MEMORY Memory = {CmpAllocate, CmpFree, NULL};
    return HiveBuilderCreate(&Memory);
}

NTSTATUS CmpFinishBuilder(HIVE_BUILDER *Builder, HIVE *Hive)
{
    LARGE_INTEGER Now;
    uint8_t *Bytes = NULL;
    uint32_t Length;
    KeQuerySystemTime(&Now);
    HIVE_STATUS Status = HiveBuilderFinish(Builder, (uint64_t)Now.QuadPart, &Bytes, &Length);
    HiveBuilderDestroy(Builder);
    if (Status == HiveOk)
        Status = HiveOpen(Hive, Bytes, Length);
    return CmpStatus(Status);
}

static NTSTATUS CmpFileSize(HANDLE File, PULONG Length)
{
    FILE_STANDARD_INFORMATION Standard;
    IO_STATUS_BLOCK Iosb;
    NTSTATUS Status =
        ZwQueryInformationFile(File, &Iosb, &Standard, sizeof(Standard), FileStandardInformation);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Standard.EndOfFile.QuadPart <= 0 || Standard.EndOfFile.QuadPart > CMP_MAX_HIVE_FILE)
        return STATUS_REGISTRY_CORRUPT;
    *Length = Standard.EndOfFile.LowPart;
    return STATUS_SUCCESS;
}

static NTSTATUS CmpReadAll(HANDLE File, PVOID *Bytes, PULONG Length)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Start = {.QuadPart = 0};
    NTSTATUS Status = CmpFileSize(File, Length);
    if (!NT_SUCCESS(Status))
        return Status;
    *Bytes = CmpAllocate(NULL, *Length);
    if (*Bytes == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwReadFile(File, NULL, NULL, NULL, &Iosb, *Bytes, *Length, &Start, NULL);
    if (NT_SUCCESS(Status) && Iosb.Information != *Length)
        Status = STATUS_REGISTRY_IO_FAILED;
    if (!NT_SUCCESS(Status))
        CmpFree(NULL, *Bytes);
    return Status;
}

static NTSTATUS CmpReadFile(PCWSTR Path, PVOID *Bytes, PULONG Length)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status =
        ZwCreateFile(&File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0, FILE_SHARE_READ,
                     FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE, NULL, 0);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpReadAll(File, Bytes, Length);
    ZwClose(File);
    return Status;
}

NTSTATUS CmpReadHiveFile(PCWSTR Path, HIVE *Hive)
{
    PVOID Bytes;
    ULONG Length;
    NTSTATUS Status = CmpReadFile(Path, &Bytes, &Length);
    if (!NT_SUCCESS(Status)) {
        KdLog("%ls cannot be read: status 0x%08X", Path, (unsigned)Status);
        return Status;
    }
    HIVE_STATUS Checked = HiveOpen(Hive, Bytes, Length);
    if (Checked == HiveOk)
        Checked = HiveCheck(Hive);
    if (Checked == HiveOk)
        return STATUS_SUCCESS;
    KdLog("%ls: offset 0x%x: %s", Path, Hive->Error.Offset, Hive->Error.Rule);
    CmpFree(NULL, Bytes);
    return CmpStatus(Checked);
}

/* SPDX-License-Identifier: MIT
 * Hives of the running system: made in memory with the builder, or read from a file. Either way all of a hive is checked
 * before its first key is used. */
#include "cm/cmp.h"
#include "image.h"
#include "kd.h"

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

NTSTATUS CmpReadHiveFile(PCWSTR Path, HIVE *Hive)
{
    UNICODE_STRING Name;
    PVOID Bytes;
    SIZE_T Length;
    RtlInitUnicodeString(&Name, Path);
    NTSTATUS Status = ImReadFile(&Name, CMP_TAG_HIVE, &Bytes, &Length);
    if (!NT_SUCCESS(Status)) {
        KdLog("%ls cannot be read: status 0x%08X", Path, (unsigned)Status);
        return Status;
    }
    HIVE_STATUS Checked = HiveOpen(Hive, Bytes, (ULONG)Length);
    if (Checked == HiveOk)
        Checked = HiveCheck(Hive);
    if (Checked == HiveOk)
        return STATUS_SUCCESS;
    KdLog("%ls: offset 0x%x: %s", Path, Hive->Error.Offset, Hive->Error.Rule);
    CmpFree(NULL, Bytes);
    return CmpStatus(Checked);
}

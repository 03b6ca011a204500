/* SPDX-License-Identifier: MIT
 * Hives of the running system: made in memory, or read from a file, all of which is checked before its first key is used. */
#include "cm/cmp.h"
#include "image.h"
#include "kd.h"

static LIST_ENTRY CmpHives = {&CmpHives, &CmpHives}; /* (r) of CMP_HIVE */

static void *CmpAllocate(void *Context, size_t Size)
{
    return ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, Size, CMP_TAG_HIVE);
}

static void CmpFree(void *Context, void *Block)
{
    ExFreePoolWithTag(Block, CMP_TAG_HIVE);
}

const HIVE_MEMORY CmpPagedMemory = {CmpAllocate, CmpFree, NULL};

ULONG64 CmpNow(VOID)
{
    LARGE_INTEGER Now;
    KeQuerySystemTime(&Now);
    return (ULONG64)Now.QuadPart;
}

static NTSTATUS CmpReadHive(HANDLE File, PCUNICODE_STRING Path, HIVE *Hive)
{
    PVOID Bytes;
    SIZE_T Length;
    NTSTATUS Status = ImReadOpenFile(File, CMP_TAG_HIVE, &Bytes, &Length);
    if (!NT_SUCCESS(Status)) {
        KdLog("%wZ cannot be read: status 0x%08X", Path, (unsigned)Status);
        return Status;
    }
    HIVE_STATUS Loaded = HiveLoad(Hive, &CmpPagedMemory, Bytes, Length);
    CmpFree(NULL, Bytes);
    if (Loaded == HiveDamaged)
        KdLog("%wZ: offset 0x%x: %s", Path, Hive->Error.Offset, Hive->Error.Rule);
    return CmpStatus(Loaded);
}

NTSTATUS CmpReadHiveFile(PCUNICODE_STRING Path, PHANDLE File, HIVE *Hive)
{
    NTSTATUS Status = CmpHoldFile(Path, File);
    if (!NT_SUCCESS(Status)) {
        KdLog("%wZ cannot be opened: status 0x%08X", Path, (unsigned)Status);
        return Status;
    }
    Status = CmpReadHive(*File, Path, Hive);
    if (!NT_SUCCESS(Status))
        CmpReleaseFile(File);
    return Status;
}

VOID CmpAddHive(CMP_HIVE *Hive)
{
    InsertTailList(&CmpHives, &Hive->Entry);
}

NTSTATUS CmpMountHive(CMP_HIVE *Hive, CMP_HIVE *MountHive, ULONG Parent, PCUNICODE_STRING Name)
{
    HIVE_NEW_KEY New = {.Flags = HIVE_KEY_EXIT, .Time = CmpNow()};
    uint32_t Cell;
    HIVE_STATUS Status = HiveAddKey(&MountHive->Hive, Parent, (const uint16_t *)Name->Buffer,
                                    Name->Length / sizeof(WCHAR), &New, &Cell);
    if (Status != HiveOk)
        return CmpStatus(Status);
    Hive->MountHive = MountHive;
    Hive->MountCell = Cell;
    CmpAddHive(Hive);
    return STATUS_SUCCESS;
}

CMP_HIVE *CmpNextHive(const CMP_HIVE *Last)
{
    CmpLockShared();
    LIST_ENTRY *At = Last != NULL ? Last->Entry.Flink : CmpHives.Flink;
    CmpUnlockShared();
    return At != &CmpHives ? CONTAINING_RECORD(At, CMP_HIVE, Entry) : NULL;
}

CMP_HIVE *CmpMountedAt(const CMP_HIVE *MountHive, ULONG Cell)
{
    for (LIST_ENTRY *At = CmpHives.Flink; At != &CmpHives; At = At->Flink) {
        CMP_HIVE *Hive = CONTAINING_RECORD(At, CMP_HIVE, Entry);
        if (Hive->MountHive == MountHive && Hive->MountCell == Cell)
            return Hive;
    }
    return NULL;
}

/* SPDX-License-Identifier: MIT
 * Keys to hive files: ZwSaveKey. [RegSaveKeyEx] */
#include "cm/cmp.h"
#include "cm_service.h"
#include "ke.h"
#include "se.h"

/* [RegSaveKeyEx] */
#define CMP_NO_COMPRESSION 4u

/* The key and what is below it, without volatile keys, as a hive of its own. */
static NTSTATUS CmpCopyKey(const CMP_KCB *Kcb, HIVE *Copy)
{
    if (Kcb->Hive == &CmpMasterHive)
        return STATUS_ACCESS_DENIED; /* D-254 */
    NTSTATUS Status = CmpStatus(HiveCreate(Copy, &CmpPagedMemory, CmpNow()));
    if (!NT_SUCCESS(Status))
        return Status;
    CmpLockShared();
    Status = Kcb->Deleted ? STATUS_KEY_DELETED
                          : CmpStatus(HiveCopyTree(&Kcb->Hive->Hive, Kcb->Cell, Copy, Copy->Root));
    CmpUnlockShared();
    if (!NT_SUCCESS(Status))
        HiveDestroy(Copy);
    return Status;
}

static NTSTATUS CmpSaveKey(const CMP_KEY *Key, HANDLE File)
{
    HIVE Copy;
    const uint8_t *Bytes;
    uint32_t Length;
    NTSTATUS Status = CmpCopyKey(Key->Kcb, &Copy);
    if (!NT_SUCCESS(Status))
        return Status;
    HiveSeal(&Copy, CmpNow(), &Bytes, &Length);
    Status = CmpWriteFile(File, Bytes, Length);
    HiveDestroy(&Copy);
    return Status;
}

/* A user-mode caller's handle must be one that may be written by; *Own, a handle of the kernel's, is to be closed. */
static NTSTATUS CmpOwnFile(HANDLE FileHandle, KPROCESSOR_MODE Mode, PHANDLE Own)
{
    PVOID File;
    *Own = FileHandle;
    if (Mode == KernelMode)
        return STATUS_SUCCESS;
    NTSTATUS Status =
        ObReferenceObjectByHandle(FileHandle, FILE_WRITE_DATA, IoFileObjectType, Mode, &File, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObOpenObjectByPointer(File, OBJ_KERNEL_HANDLE, NULL, FILE_WRITE_DATA | SYNCHRONIZE,
                                   IoFileObjectType, KernelMode, Own);
    ObfDereferenceObject(File);
    return Status;
}

static NTSTATUS CmpSaveAndTell(CMP_KEY *Key, HANDLE File, ULONG Format)
{
    NTSTATUS Status;
    REG_SAVE_KEY_INFORMATION Information = {.Object = Key, .FileHandle = File, .Format = Format};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreSaveKey, RegNtPostSaveKey, Key, Information);
    if (!CmpBeginCall(&Call, &Status))
        return Status;
    return CmpEndCall(&Call, Key, CmpSaveKey(Key, File));
}

/* [RegSaveKeyEx] SeBackupPrivilege. Format: REG_STANDARD_FORMAT, REG_LATEST_FORMAT, REG_NO_COMPRESSION; all are REGF 1.5 here, written anew. */
NTSTATUS CmSaveKey(HANDLE KeyHandle, HANDLE FileHandle, ULONG Format, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Key;
    HANDLE File;
    if (Format != REG_STANDARD_FORMAT && Format != REG_LATEST_FORMAT && Format != CMP_NO_COMPRESSION)
        return STATUS_INVALID_PARAMETER;
    if (!SeSinglePrivilegeCheck((LUID){SE_BACKUP_PRIVILEGE, 0}, Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    NTSTATUS Status = CmpReferenceKey(KeyHandle, 0, Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpOwnFile(FileHandle, Mode, &File);
    if (NT_SUCCESS(Status)) {
        Status = CmpSaveAndTell(Key, File, Format);
        if (Mode != KernelMode)
            ZwClose(File);
    }
    ObfDereferenceObject(Key);
    return Status;
}

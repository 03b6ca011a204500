/* SPDX-License-Identifier: MIT
 * Keys to hive files and hive files to keys: ZwSaveKey, ZwLoadKey, ZwUnloadKey. [RegSaveKeyEx, RegLoadKey, RegUnLoadKey] */
#include "cm/cmp.h"
#include "cm_service.h"
#include "ke.h"
#include "se.h"

/* [RegSaveKeyEx] */
#define CMP_NO_COMPRESSION 4u

/* --- saving ------------------------------------------------------------------------------------------------------------ */

/* The key and what is below it, without volatile keys, as a hive of its own. */
static NTSTATUS CmpCopyKey(const CMP_KCB *Kcb, HIVE *Copy)
{
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

/* --- loading ------------------------------------------------------------------------------------------------------------ */

/* Splits "\Registry\Machine\Name" into the key above and the name. */
static NTSTATUS CmpSplitPath(PCUNICODE_STRING Path, PUNICODE_STRING Parent, PUNICODE_STRING Name)
{
    ULONG Length = Path->Length / sizeof(WCHAR), Last = Length;
    while (Last != 0 && Path->Buffer[Last - 1] != OBJ_NAME_PATH_SEPARATOR)
        Last--;
    if (Last <= 1 || Last == Length || (Path->Length & 1))
        return STATUS_OBJECT_NAME_INVALID;
    *Parent = (UNICODE_STRING){(USHORT)((Last - 1) * sizeof(WCHAR)), 0, Path->Buffer};
    *Name = (UNICODE_STRING){(USHORT)((Length - Last) * sizeof(WCHAR)), 0, Path->Buffer + Last};
    return STATUS_SUCCESS;
}

/* (r) alone. [RegLoadKey] a hive is hung below \Registry\Machine or \Registry\User only. */
static NTSTATUS CmpHang(CMP_HIVE *Hive, CMP_KCB *Parent, PCUNICODE_STRING Name)
{
    CMP_NODE Node, Other;
    NTSTATUS Status = CmpReadNode(Parent, &Node);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Parent->Hive != &CmpMasterHive || Parent->Parent == NULL)
        return STATUS_INVALID_PARAMETER;
    Status = CmpFindSubKey(&Node, Name, &Other);
    if (Status != STATUS_OBJECT_NAME_NOT_FOUND)
        return NT_SUCCESS(Status) ? STATUS_OBJECT_NAME_COLLISION : Status;
    Status = CmpMountHive(Hive, &CmpMasterHive, Parent->Cell, Name);
    if (NT_SUCCESS(Status))
        CmpReportChange(Parent, REG_NOTIFY_CHANGE_NAME);
    return Status;
}

/* The name of one key. */
static BOOLEAN CmpIsComponent(PCUNICODE_STRING Name)
{
    for (ULONG i = 0; i < Name->Length / sizeof(WCHAR); i++) {
        if (Name->Buffer[i] == OBJ_NAME_PATH_SEPARATOR)
            return FALSE;
    }
    return Name->Length != 0 && !(Name->Length & 1) && Name->Length <= CMP_MAX_NAME_BYTES;
}

static NTSTATUS CmpOpenParent(POBJECT_ATTRIBUTES Attributes, PUNICODE_STRING Name, CMP_KEY **Key)
{
    UNICODE_STRING Path;
    PVOID Object;
    if (Attributes->RootDirectory != NULL) {
        *Name = *Attributes->ObjectName;
        return CmpIsComponent(Name) ? CmpReferenceKey(Attributes->RootDirectory, 0, KernelMode, Key)
                                    : STATUS_OBJECT_NAME_INVALID;
    }
    NTSTATUS Status = CmpSplitPath(Attributes->ObjectName, &Path, Name);
    if (NT_SUCCESS(Status) && !CmpIsComponent(Name))
        Status = STATUS_OBJECT_NAME_INVALID;
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByName(&Path, OBJ_CASE_INSENSITIVE, NULL, KEY_READ, CmKeyObjectType,
                                         KernelMode, NULL, &Object);
    if (NT_SUCCESS(Status))
        *Key = Object;
    return Status;
}

/* It is none of the tree's. */
static VOID CmpFreeHive(CMP_HIVE *Hive)
{
    HiveDestroy(&Hive->Hive);
    if (Hive->File.Buffer != NULL)
        ObFreeName(&Hive->File);
    ExFreePoolWithTag(Hive, CMP_TAG_HIVE);
}

static NTSTATUS CmpLoad(CMP_KEY *Parent, PUNICODE_STRING Name, PUNICODE_STRING File)
{
    CMP_HIVE *Hive = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Hive), CMP_TAG_HIVE);
    if (Hive == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Hive->Loaded = TRUE;
    NTSTATUS Status = ObAllocateName(&Hive->File, File->Length);
    if (NT_SUCCESS(Status)) {
        RtlCopyUnicodeString(&Hive->File, File);
        Status = CmpReadHiveFile(File, &Hive->Hive);
    }
    if (NT_SUCCESS(Status)) {
        CmpLockExclusive();
        Status = CmpHang(Hive, Parent->Kcb, Name);
        CmpUnlockExclusive();
    }
    if (!NT_SUCCESS(Status))
        CmpFreeHive(Hive);
    return Status;
}

/* [RegLoadKey] PASSIVE_LEVEL. The file is read now, and replaced when the hive is flushed. STATUS_REGISTRY_CORRUPT: it is no hive. The file is
 * named from the root of the name space only. */
NTSTATUS NTAPI ZwLoadKey(POBJECT_ATTRIBUTES KeyObjectAttributes, POBJECT_ATTRIBUTES FileObjectAttributes)
{
    CMP_KEY *Parent;
    UNICODE_STRING Name;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (FileObjectAttributes->RootDirectory != NULL)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = CmpOpenParent(KeyObjectAttributes, &Name, &Parent);
    if (!NT_SUCCESS(Status))
        return Status;
    PUNICODE_STRING File = FileObjectAttributes->ObjectName;
    REG_LOAD_KEY_INFORMATION Information = {.Object = Parent, .KeyName = &Name, .SourceFile = File};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreLoadKey, RegNtPostLoadKey, Parent, Information);
    if (CmpBeginCall(&Call, &Status))
        Status = CmpEndCall(&Call, Parent, CmpLoad(Parent, &Name, File));
    ObfDereferenceObject(Parent);
    return Status;
}

/* (f), (r) alone. [RegUnLoadKey] STATUS_CANNOT_DELETE: a key of it is open, it is none that was loaded, or the file system that it is written to
 * wants it away. STATUS_RETRY: with Flush, it must be flushed before. */
static NTSTATUS CmpUnhang(CMP_KCB *Parent, PCUNICODE_STRING Name, BOOLEAN Flush, CMP_HIVE **Hive)
{
    CMP_NODE Node, Root;
    NTSTATUS Status = CmpReadNode(Parent, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpFindSubKey(&Node, Name, &Root);
    if (!NT_SUCCESS(Status))
        return Status;
    *Hive = Root.Hive;
    if (!Root.Hive->Loaded || Root.Key.Cell != Root.Hive->Hive.Root || Root.Hive->Writing ||
        CmpIsHiveInUse(Root.Hive))
        return STATUS_CANNOT_DELETE;
    if (Flush && Root.Hive->Hive.Dirty)
        return STATUS_RETRY;
    Status = CmpStatus(HiveDeleteKey(&CmpMasterHive.Hive, Root.Hive->MountCell, CmpNow()));
    if (!NT_SUCCESS(Status))
        return Status;
    RemoveEntryList(&Root.Hive->Entry);
    CmpReportChange(Parent, REG_NOTIFY_CHANGE_NAME);
    return STATUS_SUCCESS;
}

/* What cannot be written is lost, which the log says: the caller wants the hive away. */
static NTSTATUS CmpUnload(CMP_KEY *Parent, PCUNICODE_STRING Name)
{
    CMP_HIVE *Hive;
    NTSTATUS Status, Flushed = STATUS_SUCCESS;
    CmpLockFlush();
    do {
        CmpLockExclusive();
        Status = CmpUnhang(Parent->Kcb, Name, NT_SUCCESS(Flushed), &Hive);
        CmpUnlockExclusive();
        if (Status == STATUS_RETRY)
            Flushed = CmpFlushHive(Hive);
    } while (Status == STATUS_RETRY);
    CmpUnlockFlush();
    if (NT_SUCCESS(Status))
        CmpFreeHive(Hive);
    return Status;
}

/* [RegUnLoadKey] PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwUnloadKey(POBJECT_ATTRIBUTES KeyObjectAttributes)
{
    CMP_KEY *Parent;
    UNICODE_STRING Name;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    NTSTATUS Status = CmpOpenParent(KeyObjectAttributes, &Name, &Parent);
    if (!NT_SUCCESS(Status))
        return Status;
    REG_UNLOAD_KEY_INFORMATION Information = {.Object = Parent};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreUnLoadKey, RegNtPostUnLoadKey, Parent, Information);
    if (CmpBeginCall(&Call, &Status))
        Status = CmpEndCall(&Call, Parent, CmpUnload(Parent, &Name));
    ObfDereferenceObject(Parent);
    return Status;
}

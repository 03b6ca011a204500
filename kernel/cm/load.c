/* SPDX-License-Identifier: MIT
 * Hive files to keys and away again: ZwLoadKey, ZwUnloadKey. [RegLoadKey, RegUnLoadKey] */
#include "cm/cmp.h"
#include "cm/caller.h"
#include "cm_service.h"
#include "mm_caller.h"
#include "kd.h"
#include "ke.h"
#include "se.h"

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

/* What the attributes of a caller name, in the kernel's memory. CmpReleaseText in any case. */
static NTSTATUS CmpCaptureName(POBJECT_ATTRIBUTES From, KPROCESSOR_MODE Mode, PHANDLE Root, CMP_TEXT *Name)
{
    OBJECT_ATTRIBUTES Attributes;
    *Name = (CMP_TEXT){0};
    NTSTATUS Status = MmReadCaller(&Attributes, From, sizeof(Attributes), Mode);
    if (NT_SUCCESS(Status))
        Status = CmpCaptureText(Attributes.ObjectName, MAXUSHORT, Mode, Name);
    if (!NT_SUCCESS(Status))
        return Status;
    *Root = Attributes.RootDirectory;
    return Name->Text != NULL ? STATUS_SUCCESS : STATUS_OBJECT_NAME_INVALID;
}

/* The key above, and the name of the one below it. Path: relative to Root, then one component, or absolute. */
static NTSTATUS CmpOpenParent(HANDLE Root, PCUNICODE_STRING Path, KPROCESSOR_MODE Mode, PUNICODE_STRING Name,
                              CMP_KEY **Key)
{
    UNICODE_STRING Above;
    PVOID Object;
    if (Root != NULL) {
        *Name = *Path;
        return CmpIsComponent(Name) ? CmpReferenceKey(Root, 0, Mode, Key) : STATUS_OBJECT_NAME_INVALID;
    }
    NTSTATUS Status = CmpSplitPath(Path, &Above, Name);
    if (NT_SUCCESS(Status) && !CmpIsComponent(Name))
        Status = STATUS_OBJECT_NAME_INVALID;
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByName(&Above, OBJ_CASE_INSENSITIVE, NULL, KEY_READ, CmKeyObjectType,
                                         KernelMode, NULL, &Object);
    if (NT_SUCCESS(Status))
        *Key = Object;
    return Status;
}

/* It is none of the tree's. */
static VOID CmpFreeHive(CMP_HIVE *Hive)
{
    HiveDestroy(&Hive->Hive);
    CmpReleaseFile(&Hive->Held);
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
    Hive->Owner = KiCurrentThread()->GateRoutine;
    NTSTATUS Status = ObAllocateName(&Hive->File, File->Length);
    if (NT_SUCCESS(Status)) {
        RtlCopyUnicodeString(&Hive->File, File);
        Status = CmpReadHiveFile(File, &Hive->Held, &Hive->Hive);
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

static NTSTATUS CmpLoadAndTell(HANDLE Root, PCUNICODE_STRING Path, PUNICODE_STRING File, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Parent;
    UNICODE_STRING Name;
    NTSTATUS Status = CmpOpenParent(Root, Path, Mode, &Name, &Parent);
    if (!NT_SUCCESS(Status))
        return Status;
    REG_LOAD_KEY_INFORMATION Information = {.Object = Parent, .KeyName = &Name, .SourceFile = File};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreLoadKey, RegNtPostLoadKey, Parent, Information);
    if (CmpBeginCall(&Call, &Status))
        Status = CmpEndCall(&Call, Parent, CmpLoad(Parent, &Name, File));
    ObfDereferenceObject(Parent);
    return Status;
}

/* [RegLoadKey] SeRestorePrivilege. The file is read now, replaced when the hive is flushed, and open for the kernel alone until the hive is
 * unloaded. STATUS_REGISTRY_CORRUPT: it is no hive. It is named from the root of the name space only. */
NTSTATUS CmLoadKey(POBJECT_ATTRIBUTES KeyObjectAttributes, POBJECT_ATTRIBUTES FileObjectAttributes,
                   KPROCESSOR_MODE Mode)
{
    CMP_TEXT Path, File = {0};
    HANDLE Root, FileRoot = NULL;
    if (!SeSinglePrivilegeCheck((LUID){SE_RESTORE_PRIVILEGE, 0}, Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    NTSTATUS Status = CmpCaptureName(KeyObjectAttributes, Mode, &Root, &Path);
    if (NT_SUCCESS(Status))
        Status = CmpCaptureName(FileObjectAttributes, Mode, &FileRoot, &File);
    if (NT_SUCCESS(Status) && FileRoot != NULL)
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Status = CmpLoadAndTell(Root, Path.Text, File.Text, Mode);
    CmpReleaseText(&File);
    CmpReleaseText(&Path);
    return Status;
}

/* (f), (r) alone. Kcb: of the hive's root, which the caller alone has open. [RegUnLoadKey] STATUS_CANNOT_DELETE: a key of it is open, it is none
 * that was loaded, or the file system that it is written to wants it away. STATUS_RETRY: with Flush, it must be flushed before. */
static NTSTATUS CmpUnhang(CMP_KCB *Kcb, BOOLEAN Flush, CMP_HIVE **Hive)
{
    CMP_NODE Root;
    NTSTATUS Status = CmpReadNode(Kcb, &Root);
    if (!NT_SUCCESS(Status))
        return Status;
    *Hive = Root.Hive;
    if (!Root.Hive->Loaded || Root.Key.Cell != Root.Hive->Hive.Root || Root.Hive->Writing ||
        CmpIsHiveInUse(Root.Hive, Kcb))
        return STATUS_CANNOT_DELETE;
    if (Flush && Root.Hive->Hive.Dirty)
        return STATUS_RETRY;
    Status = CmpStatus(HiveDeleteKey(&CmpMasterHive.Hive, Root.Hive->MountCell, CmpNow()));
    if (!NT_SUCCESS(Status))
        return Status;
    CmpForgetKcb(Kcb);
    RemoveEntryList(&Root.Hive->Entry);
    CmpReportChange(Kcb->Parent, REG_NOTIFY_CHANGE_NAME);
    return STATUS_SUCCESS;
}

/* What cannot be written is lost, which the log says: the caller wants the hive away. */
static NTSTATUS CmpUnload(CMP_KCB *Kcb)
{
    CMP_HIVE *Hive;
    NTSTATUS Status, Flushed = STATUS_SUCCESS;
    CmpLockFlush();
    do {
        CmpLockExclusive();
        Status = CmpUnhang(Kcb, NT_SUCCESS(Flushed), &Hive);
        CmpUnlockExclusive();
        if (Status == STATUS_RETRY)
            Flushed = CmpFlushHive(Hive);
    } while (Status == STATUS_RETRY);
    CmpUnlockFlush();
    if (NT_SUCCESS(Status))
        CmpFreeHive(Hive);
    return Status;
}

/* An object of the key Name below Parent, which no handle has and nobody was told of. */
static NTSTATUS CmpOpenQuietly(CMP_KCB *Parent, PCUNICODE_STRING Name, CMP_KEY **Key)
{
    CMP_NODE Node, Found;
    NTSTATUS Status = CmpMakeKeyObject(Key);
    if (!NT_SUCCESS(Status))
        return Status;
    CmpLockShared();
    Status = CmpReadNode(Parent, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpFindSubKey(&Node, Name, &Found);
    if (NT_SUCCESS(Status))
        Status = CmpGetKcb(Parent, &Found, &(*Key)->Kcb);
    CmpUnlockShared();
    if (!NT_SUCCESS(Status))
        ObfDereferenceObject(*Key);
    return Status;
}

/* [WDK REG_UNLOAD_KEY_INFORMATION] the object is that of the hive's root key. */
static NTSTATUS CmpUnloadAndTell(CMP_KCB *Parent, PCUNICODE_STRING Name)
{
    CMP_KEY *Key;
    NTSTATUS Status = CmpOpenQuietly(Parent, Name, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    REG_UNLOAD_KEY_INFORMATION Information = {.Object = Key};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreUnLoadKey, RegNtPostUnLoadKey, Key, Information);
    if (CmpBeginCall(&Call, &Status))
        Status = CmpEndCall(&Call, Key, CmpUnload(Key->Kcb));
    ObfDereferenceObject(Key);
    return Status;
}

static NTSTATUS CmpUnloadPath(HANDLE Root, PCUNICODE_STRING Path, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Parent;
    UNICODE_STRING Name;
    NTSTATUS Status = CmpOpenParent(Root, Path, Mode, &Name, &Parent);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpUnloadAndTell(Parent->Kcb, &Name);
    ObfDereferenceObject(Parent);
    return Status;
}

/* [RegUnLoadKey] SeRestorePrivilege. */
NTSTATUS CmUnloadKey(POBJECT_ATTRIBUTES KeyObjectAttributes, KPROCESSOR_MODE Mode)
{
    CMP_TEXT Path;
    HANDLE Root;
    if (!SeSinglePrivilegeCheck((LUID){SE_RESTORE_PRIVILEGE, 0}, Mode))
        return STATUS_PRIVILEGE_NOT_HELD;
    NTSTATUS Status = CmpCaptureName(KeyObjectAttributes, Mode, &Root, &Path);
    if (NT_SUCCESS(Status))
        Status = CmpUnloadPath(Root, Path.Text, Mode);
    CmpReleaseText(&Path);
    return Status;
}

static VOID CmpReportHive(PCSTR Driver, const CMP_HIVE *Hive)
{
    CHAR Text[192];
    KdLog("%s: the hive %wZ was loaded and not unloaded", Driver, &Hive->File);
    KdReport(ReportLeak, KD_TEXT(ReportKeyDriver, Driver), KD_TEXT(ReportKeyKind, "loaded hive"),
             KD_NUMBER(ReportKeyCount, 1), KdUnicodeField(ReportKeyName, &Hive->File, Text, sizeof(Text)));
}

/* It stays where it is: others may have keys of it open. */
ULONG CmReportDriverHives(PCSTR Driver, const void *Base, SIZE_T Size)
{
    ULONG Count = 0;
    CmpLockFlush();
    for (CMP_HIVE *Hive = CmpNextHive(NULL); Hive != NULL; Hive = CmpNextHive(Hive)) {
        if (!Hive->Loaded || (ULONG_PTR)Hive->Owner - (ULONG_PTR)Base >= Size)
            continue;
        CmpReportHive(Driver, Hive);
        Hive->Owner = NULL;
        Count++;
    }
    CmpUnlockFlush();
    return Count;
}

/* SPDX-License-Identifier: MIT
 * Changing values and keys. Each is told to the registry callbacks, does its work under the registry lock, and tells those who wait for
 * changes. */
#include "cm/cmp.h"
#include "cm/caller.h"
#include "cm_service.h"
#include "mm_caller.h"

/* --- values ------------------------------------------------------------------------------------------------------ */

/* [WDK ZwCreateKey] the value of a link has this name and type; nothing else can be set there. */
static NTSTATUS CmpMaySetValue(const CMP_NODE *Node, PCUNICODE_STRING Name, ULONG Type)
{
    static const UNICODE_STRING Link = RTL_CONSTANT_STRING(L"SymbolicLinkValue");
    if (!(Node->Key.Flags & HIVE_KEY_LINK))
        return STATUS_SUCCESS;
    return Type == REG_LINK && RtlEqualUnicodeString(Name, &Link, TRUE) ? STATUS_SUCCESS
                                                                        : STATUS_ACCESS_DENIED;
}

static NTSTATUS CmpSetValue(CMP_KEY *Key, PCUNICODE_STRING Name, ULONG Type, PVOID Data, ULONG DataSize)
{
    CMP_NODE Node;
    CmpLockExclusive();
    NTSTATUS Status = CmpReadNode(Key->Kcb, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpMaySetValue(&Node, Name, Type);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveSetValue(&Key->Kcb->Hive->Hive, Key->Kcb->Cell, (const uint16_t *)Name->Buffer,
                                        Name->Length / sizeof(WCHAR), Type, Data, DataSize, CmpNow()));
    if (NT_SUCCESS(Status))
        CmpReportChange(Key->Kcb, REG_NOTIFY_CHANGE_LAST_SET);
    CmpUnlockExclusive();
    return Status;
}

static NTSTATUS CmpSetValueAndTell(CMP_KEY *Key, PUNICODE_STRING Name, ULONG TitleIndex, ULONG Type,
                                   PVOID Data, ULONG DataSize)
{
    NTSTATUS Status;
    REG_SET_VALUE_KEY_INFORMATION Information = {.Object = Key,
                                                 .ValueName = Name,
                                                 .TitleIndex = TitleIndex,
                                                 .Type = Type,
                                                 .Data = Data,
                                                 .DataSize = DataSize};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreSetValueKey, RegNtPostSetValueKey, Key, Information);
    if (!CmpBeginCall(&Call, &Status))
        return Status;
    return CmpEndCall(&Call, Key, CmpSetValue(Key, Name, Type, Data, DataSize));
}

/* [WDK ZwSetValueKey] An existing value is replaced; an empty or missing name means the default value. */
NTSTATUS CmSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type, PVOID Data,
                       ULONG DataSize, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Key;
    CMP_TEXT Name;
    PVOID Bytes = NULL;
    NTSTATUS Status = CmpCaptureValueName(ValueName, Mode, &Name);
    if (NT_SUCCESS(Status))
        Status = CmpCaptureBytes(Data, DataSize, Mode, &Bytes);
    if (NT_SUCCESS(Status))
        Status = CmpReferenceKey(KeyHandle, KEY_SET_VALUE, Mode, &Key);
    if (NT_SUCCESS(Status)) {
        Status = CmpSetValueAndTell(Key, Name.Text, TitleIndex, Type, Bytes, DataSize);
        ObfDereferenceObject(Key);
    }
    CmpReleaseBytes(Bytes, Mode);
    CmpReleaseText(&Name);
    return Status;
}

static NTSTATUS CmpDeleteValue(CMP_KEY *Key, PCUNICODE_STRING Name)
{
    CMP_NODE Node;
    CmpLockExclusive();
    NTSTATUS Status = CmpReadNode(Key->Kcb, &Node);
    if (NT_SUCCESS(Status))
        Status =
            CmpStatus(HiveDeleteValue(&Key->Kcb->Hive->Hive, Key->Kcb->Cell, (const uint16_t *)Name->Buffer,
                                      Name->Length / sizeof(WCHAR), CmpNow()));
    if (NT_SUCCESS(Status))
        CmpReportChange(Key->Kcb, REG_NOTIFY_CHANGE_LAST_SET);
    CmpUnlockExclusive();
    return Status;
}

static NTSTATUS CmpDeleteValueAndTell(CMP_KEY *Key, PUNICODE_STRING Name)
{
    NTSTATUS Status;
    REG_DELETE_VALUE_KEY_INFORMATION Information = {.Object = Key, .ValueName = Name};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreDeleteValueKey, RegNtPostDeleteValueKey, Key, Information);
    if (!CmpBeginCall(&Call, &Status))
        return Status;
    return CmpEndCall(&Call, Key, CmpDeleteValue(Key, Name));
}

/* [WDK ZwDeleteValueKey] STATUS_OBJECT_NAME_NOT_FOUND: there is no such value. */
NTSTATUS CmDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Key;
    CMP_TEXT Name;
    NTSTATUS Status = CmpCaptureValueName(ValueName, Mode, &Name);
    if (NT_SUCCESS(Status))
        Status = CmpReferenceKey(KeyHandle, KEY_SET_VALUE, Mode, &Key);
    if (NT_SUCCESS(Status)) {
        Status = CmpDeleteValueAndTell(Key, Name.Text);
        ObfDereferenceObject(Key);
    }
    CmpReleaseText(&Name);
    return Status;
}

/* --- keys -------------------------------------------------------------------------------------------------------- */

/* [WDK ZwDeleteKey] a key with subkeys, and the root of a hive, cannot be deleted. */
static NTSTATUS CmpDeleteKeyLocked(CMP_KCB *Kcb)
{
    CMP_NODE Node;
    NTSTATUS Status = CmpReadNode(Kcb, &Node);
    if (!NT_SUCCESS(Status))
        return Status;
    if (CmpSubKeyCount(&Node) != 0 || Kcb->Cell == Kcb->Hive->Hive.Root || Kcb->Hive == &CmpMasterHive)
        return STATUS_CANNOT_DELETE;
    Status = CmpStatus(HiveDeleteKey(&Kcb->Hive->Hive, Kcb->Cell, CmpNow()));
    if (!NT_SUCCESS(Status))
        return Status;
    CmpForgetKcb(Kcb);
    CmpEndKcbNotifies(Kcb);
    CmpReportChange(Kcb->Parent, REG_NOTIFY_CHANGE_NAME);
    return STATUS_SUCCESS;
}

/* [WDK ZwDeleteKey] The handle must have DELETE access; it stays open, and says STATUS_KEY_DELETED. */
NTSTATUS CmDeleteKey(HANDLE KeyHandle, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Key;
    NTSTATUS Status = CmpReferenceKey(KeyHandle, DELETE, Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    REG_DELETE_KEY_INFORMATION Information = {.Object = Key};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreDeleteKey, RegNtPostDeleteKey, Key, Information);
    if (CmpBeginCall(&Call, &Status)) {
        CmpLockExclusive();
        Status = CmpDeleteKeyLocked(Key->Kcb);
        CmpUnlockExclusive();
        Status = CmpEndCall(&Call, Key, Status);
    }
    ObfDereferenceObject(Key);
    return Status;
}

static NTSTATUS CmpMayRename(CMP_KCB *Kcb, PCUNICODE_STRING NewName)
{
    CMP_NODE Parent, Other, Node;
    NTSTATUS Status = CmpReadNode(Kcb, &Node);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Kcb->Cell == Kcb->Hive->Hive.Root || Kcb->Hive == &CmpMasterHive)
        return STATUS_ACCESS_DENIED;
    Status = CmpReadNode(Kcb->Parent, &Parent);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpFindSubKey(&Parent, NewName, &Other);
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    return NT_SUCCESS(Status) ? STATUS_CANNOT_DELETE : Status;
}

/* Takes over Copy, which holds NewName, when it succeeds. */
static NTSTATUS CmpRenameLocked(CMP_KCB *Kcb, PUNICODE_STRING Copy)
{
    uint32_t Cell;
    NTSTATUS Status = CmpMayRename(Kcb, Copy);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveRenameKey(&Kcb->Hive->Hive, Kcb->Cell, (const uint16_t *)Copy->Buffer,
                                         Copy->Length / sizeof(WCHAR), CmpNow(), &Cell));
    if (!NT_SUCCESS(Status))
        return Status;
    CmpMoveKcb(Kcb, Cell, Copy);
    CmpReportChange(Kcb->Parent, REG_NOTIFY_CHANGE_NAME);
    return STATUS_SUCCESS;
}

static NTSTATUS CmpRename(CMP_KEY *Key, PCUNICODE_STRING NewName)
{
    UNICODE_STRING Copy;
    NTSTATUS Status = ObAllocateName(&Copy, NewName->Length);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlCopyUnicodeString(&Copy, NewName);
    CmpLockExclusive();
    Status = CmpRenameLocked(Key->Kcb, &Copy);
    CmpUnlockExclusive();
    if (!NT_SUCCESS(Status))
        ObFreeName(&Copy);
    return Status;
}

static NTSTATUS CmpRenameAndTell(CMP_KEY *Key, PUNICODE_STRING NewName)
{
    NTSTATUS Status;
    REG_RENAME_KEY_INFORMATION Information = {.Object = Key, .NewName = NewName};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreRenameKey, RegNtPostRenameKey, Key, Information);
    if (!CmpBeginCall(&Call, &Status))
        return Status;
    return CmpEndCall(&Call, Key, CmpRename(Key, NewName));
}

/* [ZwRenameKey] NewName is the last component only. STATUS_CANNOT_DELETE: the name is taken. */
NTSTATUS CmRenameKey(HANDLE KeyHandle, PUNICODE_STRING NewName, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Key;
    CMP_TEXT Name;
    NTSTATUS Status = CmpCaptureText(NewName, CMP_MAX_NAME_BYTES, Mode, &Name);
    if (NT_SUCCESS(Status) && (Name.Text == NULL || Name.Text->Length == 0))
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Status = CmpReferenceKey(KeyHandle, KEY_WRITE, Mode, &Key);
    if (NT_SUCCESS(Status)) {
        Status = CmpRenameAndTell(Key, Name.Text);
        ObfDereferenceObject(Key);
    }
    CmpReleaseText(&Name);
    return Status;
}

/* --- information -------------------------------------------------------------------------------------------------- */

static NTSTATUS CmpSetWriteTime(CMP_KEY *Key, const LARGE_INTEGER *Time)
{
    CMP_NODE Node;
    CmpLockExclusive();
    NTSTATUS Status = CmpReadNode(Key->Kcb, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveSetKeyTime(&Key->Kcb->Hive->Hive, Key->Kcb->Cell, (ULONG64)Time->QuadPart));
    if (NT_SUCCESS(Status))
        CmpReportChange(Key->Kcb, REG_NOTIFY_CHANGE_ATTRIBUTES);
    CmpUnlockExclusive();
    return Status;
}

/* [WDK ZwSetInformationKey] KeyWriteTimeInformation; the other classes concern 32-bit programs, of which there are none. */
NTSTATUS CmSetInformationKey(HANDLE KeyHandle, KEY_SET_INFORMATION_CLASS KeySetInformationClass,
                             PVOID KeySetInformation, ULONG KeySetInformationLength, KPROCESSOR_MODE Mode)
{
    CMP_KEY *Key;
    KEY_WRITE_TIME_INFORMATION Time;
    if (KeySetInformationClass != KeyWriteTimeInformation)
        return STATUS_INVALID_INFO_CLASS;
    if (KeySetInformationLength != sizeof(KEY_WRITE_TIME_INFORMATION))
        return STATUS_INFO_LENGTH_MISMATCH;
    NTSTATUS Status = MmReadCaller(&Time, KeySetInformation, sizeof(Time), Mode);
    if (NT_SUCCESS(Status))
        Status = CmpReferenceKey(KeyHandle, KEY_SET_VALUE, Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    REG_SET_INFORMATION_KEY_INFORMATION Information = {.Object = Key,
                                                       .KeySetInformationClass = KeySetInformationClass,
                                                       .KeySetInformation = &Time,
                                                       .KeySetInformationLength = KeySetInformationLength};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreSetInformationKey, RegNtPostSetInformationKey, Key, Information);
    if (CmpBeginCall(&Call, &Status))
        Status = CmpEndCall(&Call, Key, CmpSetWriteTime(Key, &Time.LastWriteTime));
    ObfDereferenceObject(Key);
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Starting the registry: the master hive with \Registry\Machine, the SYSTEM hive mounted below it, and the link
 * CurrentControlSet in that hive's volatile storage. [WDK Registry Trees: HKLM\SYSTEM\CurrentControlSet] */
#include "cm/cmp.h"
#include "kd.h"
#include "ke.h"

#define CMP_SYSTEM_FILE L"\\SystemRoot\\System32\\config\\SYSTEM"
#define CMP_MAX_CONTROL_SET 999u

CMP_HIVE CmpMasterHive, CmpSystemHive;

/* [WDK Bug Check 0x74: BAD_SYSTEM_CONFIG_INFO] the SYSTEM hive cannot be used. */
static VOID CmpRequire(NTSTATUS Status, ULONG Step)
{
    if (Status == STATUS_INSUFFICIENT_RESOURCES)
        KeBugCheckEx(CONFIG_INITIALIZATION_FAILED, Step, (ULONG_PTR)Status, 0, 0);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(BAD_SYSTEM_CONFIG_INFO, Step, (ULONG_PTR)Status, 0, 0);
}

static NTSTATUS CmpMakeMasterHive(VOID)
{
    HIVE_BUILDER *Builder = CmpCreateBuilder();
    if (Builder == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    HIVE_STATUS Status = HiveBuilderMarkKey(Builder, "MACHINE\\SYSTEM", HIVE_KEY_EXIT);
    if (Status == HiveOk)
        return CmpFinishBuilder(Builder, &CmpMasterHive.Storage[CmpStable]);
    HiveBuilderDestroy(Builder);
    return CmpStatus(Status);
}

/* The object \Registry: the root of the master hive. It is permanent. */
static NTSTATUS CmpMakeRegistryObject(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\REGISTRY");
    OBJECT_ATTRIBUTES Attributes;
    PVOID Object;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, NULL, NULL);
    NTSTATUS Status = ObCreateObject(KernelMode, CmpKeyObjectType, &Attributes, KernelMode, NULL,
                                     sizeof(CMP_KEY), 0, 0, &Object);
    if (!NT_SUCCESS(Status))
        return Status;
    CMP_KEY *Key = Object;
    Key->Hive = &CmpMasterHive;
    Key->Cell = CmpMasterHive.Storage[CmpStable].Root;
    Status = ObAllocateName(&Key->Name, Name.Length);
    if (NT_SUCCESS(Status)) {
        RtlCopyUnicodeString(&Key->Name, &Name);
        return ObInsertObject(Object, NULL, 0, 0, NULL, NULL);
    }
    ObfDereferenceObject(Object);
    return Status;
}

/* Key = Parent\Name in the hive's stable storage. */
static NTSTATUS CmpFindStable(CMP_HIVE *Hive, const uint16_t *Name, ULONG Length, HIVE_KEY *Key)
{
    HIVE_KEY Parent = *Key;
    return CmpStatus(HiveFindSubKey(&Hive->Storage[CmpStable], &Parent, Name, Length, Key));
}

static NTSTATUS CmpMountSystemHive(VOID)
{
    HIVE_KEY Key;
    NTSTATUS Status = CmpReadHiveFile(CMP_SYSTEM_FILE, &CmpSystemHive.Storage[CmpStable]);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveReadRoot(&CmpMasterHive.Storage[CmpStable], &Key));
    if (NT_SUCCESS(Status))
        Status = CmpFindStable(&CmpMasterHive, u"MACHINE", 7, &Key);
    if (NT_SUCCESS(Status))
        Status = CmpFindStable(&CmpMasterHive, u"SYSTEM", 6, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    CmpSystemHive.MountCell = Key.Cell;
    CmpSystemHive.MountHive = &CmpMasterHive;
    return STATUS_SUCCESS;
}

/* Select\Current: the number of the control set in use. */
static NTSTATUS CmpCurrentControlSet(PULONG Current)
{
    HIVE *Hive = &CmpSystemHive.Storage[CmpStable];
    HIVE_VALUE Value;
    HIVE_KEY Key;
    NTSTATUS Status = CmpStatus(HiveReadRoot(Hive, &Key));
    if (NT_SUCCESS(Status))
        Status = CmpFindStable(&CmpSystemHive, u"Select", 6, &Key);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveFindValue(Hive, &Key, u"Current", 7, &Value));
    if (NT_SUCCESS(Status) && (Value.Type != REG_DWORD || Value.DataLength != sizeof(*Current)))
        Status = STATUS_OBJECT_TYPE_MISMATCH;
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveReadData(Hive, &Value, Current, sizeof(*Current)));
    if (NT_SUCCESS(Status) && (*Current == 0 || *Current > CMP_MAX_CONTROL_SET))
        Status = STATUS_INVALID_PARAMETER;
    if (!NT_SUCCESS(Status))
        KdLog("%ls: Select\\Current does not name a control set (a REG_DWORD from 1 to 999)",
              CMP_SYSTEM_FILE);
    return Status;
}

static NTSTATUS CmpMakeCurrentControlSet(ULONG Current)
{
    CHAR Target[] = "\\Registry\\Machine\\System\\ControlSet000";
    HIVE_BUILDER *Builder = CmpCreateBuilder();
    if (Builder == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG i = sizeof(Target) - 2, Left = Current; Left; i--, Left /= 10)
        Target[i] = (CHAR)('0' + Left % 10);
    HIVE_STATUS Status = HiveBuilderMarkKey(Builder, "CurrentControlSet", HIVE_KEY_LINK);
    if (Status == HiveOk)
        Status = HiveBuilderSetText(Builder, "CurrentControlSet", "SymbolicLinkValue", HiveTypeLink, Target);
    if (Status != HiveOk) {
        HiveBuilderDestroy(Builder);
        return CmpStatus(Status);
    }
    NTSTATUS Finished = CmpFinishBuilder(Builder, &CmpSystemHive.Storage[CmpVolatile]);
    CmpSystemHive.HasVolatile = NT_SUCCESS(Finished);
    return Finished;
}

VOID CmInitSystem(VOID)
{
    ULONG Current;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    CmpInitKeyType();
    CmpRequire(CmpMakeMasterHive(), 1);
    CmpRequire(CmpMakeRegistryObject(), 2);
    CmpRequire(CmpMountSystemHive(), 3);
    CmpRequire(CmpCurrentControlSet(&Current), 4);
    CmpRequire(CmpMakeCurrentControlSet(Current), 5);
}

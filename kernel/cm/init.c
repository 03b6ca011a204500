/* SPDX-License-Identifier: MIT
 * Starting the registry: the master hive with \Registry\Machine and \Registry\User, the SYSTEM hive from its file with the volatile link
 * CurrentControlSet, and the hives that live in memory only. [WDK Registry Trees: HKLM\SYSTEM\CurrentControlSet] */
#include "cm/cmp.h"
#include "kd.h"
#include "ke.h"

#define CMP_SYSTEM_FILE L"\\SystemRoot\\System32\\config\\SYSTEM"
#define CMP_FLUSH_FOLDER L"\\SystemRoot\\Temp\\" /* the boot volume is read-only (D-210) */
#define CMP_MAX_CONTROL_SET 999u

CMP_HIVE CmpMasterHive = {.Trusted = TRUE};
static CMP_HIVE CmpSystemHive = {.Trusted = TRUE, .File = RTL_CONSTANT_STRING(CMP_FLUSH_FOLDER L"SYSTEM")};
static CMP_HIVE CmpSoftwareHive = {.Trusted = TRUE,
                                   .File = RTL_CONSTANT_STRING(CMP_FLUSH_FOLDER L"SOFTWARE")};
static CMP_HIVE CmpDefaultHive = {.File = RTL_CONSTANT_STRING(CMP_FLUSH_FOLDER L"DEFAULT")};
static CMP_HIVE CmpHardwareHive = {.Trusted = TRUE};

/* [WDK Bug Check 0x74: BAD_SYSTEM_CONFIG_INFO] the SYSTEM hive cannot be used. */
static VOID CmpRequire(NTSTATUS Status, ULONG Step)
{
    if (Status == STATUS_INSUFFICIENT_RESOURCES)
        KeBugCheckEx(CONFIG_INITIALIZATION_FAILED, Step, (ULONG_PTR)Status, 0, 0);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(BAD_SYSTEM_CONFIG_INFO, Step, (ULONG_PTR)Status, 0, 0);
}

/* The subkey Name of Cell, made when it is not there. */
static NTSTATUS CmpMakeKey(HIVE *Hive, ULONG Cell, PCWSTR Name, BOOLEAN Volatile, uint16_t Flags,
                           uint32_t *Found)
{
    HIVE_KEY Parent, Key;
    HIVE_NEW_KEY New = {.Volatile = Volatile, .Flags = Flags, .Time = CmpNow()};
    ULONG Length = (ULONG)wcslen(Name);
    HIVE_STATUS Status = HiveReadKey(Hive, Cell, &Parent);
    if (Status == HiveOk)
        Status = HiveFindSubKey(Hive, &Parent, (const uint16_t *)Name, Length, &Key);
    *Found = Key.Cell;
    if (Status == HiveNotFound)
        Status = HiveAddKey(Hive, Cell, (const uint16_t *)Name, Length, &New, Found);
    return CmpStatus(Status);
}

/* The object \Registry: the root of the master hive. It is permanent. */
static NTSTATUS CmpMakeRegistryObject(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\REGISTRY");
    OBJECT_ATTRIBUTES Attributes;
    PVOID Object;
    CMP_KEY *Key;
    CMP_NODE Root = {.Hive = &CmpMasterHive, .Name = {(const uint8_t *)u"REGISTRY", 8, false}};
    Root.Key.Cell = CmpMasterHive.Hive.Root;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, NULL, NULL);
    NTSTATUS Status = ObCreateObject(KernelMode, CmKeyObjectType, &Attributes, KernelMode, NULL,
                                     sizeof(CMP_KEY), 0, 0, &Object);
    if (!NT_SUCCESS(Status))
        return Status;
    Key = Object;
    InitializeListHead(&Key->Notify.Requests);
    InitializeListHead(&Key->Contexts);
    Status = CmpGetKcb(NULL, &Root, &Key->Kcb);
    if (NT_SUCCESS(Status))
        return ObInsertObject(Object, NULL, 0, 0, NULL, NULL);
    ObfDereferenceObject(Object);
    return Status;
}

static NTSTATUS CmpMakeMasterHive(uint32_t *Machine, uint32_t *User)
{
    HIVE *Hive = &CmpMasterHive.Hive;
    NTSTATUS Status = CmpStatus(HiveCreate(Hive, &CmpPagedMemory, CmpNow()));
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(Hive, Hive->Root, L"MACHINE", FALSE, 0, Machine);
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(Hive, Hive->Root, L"USER", FALSE, 0, User);
    return Status;
}

/* A hive without a file. */
static NTSTATUS CmpMakeMemoryHive(CMP_HIVE *Hive, ULONG Parent, PCWSTR Text, BOOLEAN VolatileOnly)
{
    UNICODE_STRING Name;
    RtlInitUnicodeString(&Name, Text);
    Hive->VolatileOnly = VolatileOnly;
    NTSTATUS Status = CmpStatus(HiveCreate(&Hive->Hive, &CmpPagedMemory, CmpNow()));
    return NT_SUCCESS(Status) ? CmpMountHive(Hive, &CmpMasterHive, Parent, &Name) : Status;
}

/* Select\Current: the number of the control set in use. */
static NTSTATUS CmpCurrentControlSet(PULONG Current)
{
    HIVE *Hive = &CmpSystemHive.Hive;
    HIVE_VALUE Value;
    HIVE_KEY Root, Key;
    NTSTATUS Status = CmpStatus(HiveReadRoot(Hive, &Root));
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveFindSubKey(Hive, &Root, u"Select", 6, &Key));
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

/* The link, and the keys of the control set that every system has: Services, Enum, Control\Class. */
static NTSTATUS CmpMakeCurrentControlSet(ULONG Current)
{
    static const uint16_t ValueName[] = u"SymbolicLinkValue";
    WCHAR Target[] = L"\\Registry\\Machine\\System\\ControlSet000";
    HIVE *Hive = &CmpSystemHive.Hive;
    uint32_t Link, Set, Key;
    for (ULONG i = RTL_NUMBER_OF(Target) - 2, Left = Current; Left; i--, Left /= 10)
        Target[i] = (WCHAR)(L'0' + Left % 10);
    NTSTATUS Status = CmpMakeKey(Hive, Hive->Root, L"CurrentControlSet", TRUE, HIVE_KEY_LINK, &Link);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveSetValue(Hive, Link, ValueName, RTL_NUMBER_OF(ValueName) - 1, HiveTypeLink,
                                        Target, sizeof(Target) - sizeof(WCHAR), CmpNow()));
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(Hive, Hive->Root, Target + RTL_NUMBER_OF(Target) - 14, FALSE, 0, &Set);
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(Hive, Set, L"Services", FALSE, 0, &Key);
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(Hive, Set, L"Enum", FALSE, 0, &Key);
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(Hive, Set, L"Control", FALSE, 0, &Key);
    if (NT_SUCCESS(Status))
        Status = CmpMakeKey(Hive, Key, L"Class", FALSE, 0, &Key);
    return Status;
}

static NTSTATUS CmpMountSystemHive(ULONG Machine)
{
    static const UNICODE_STRING File = RTL_CONSTANT_STRING(CMP_SYSTEM_FILE);
    static const UNICODE_STRING Name = RTL_CONSTANT_STRING(L"SYSTEM");
    HANDLE Read;
    NTSTATUS Status = CmpReadHiveFile(&File, &Read, &CmpSystemHive.Hive);
    if (NT_SUCCESS(Status))
        CmpReleaseFile(&Read); /* it is written elsewhere */
    return NT_SUCCESS(Status) ? CmpMountHive(&CmpSystemHive, &CmpMasterHive, Machine, &Name) : Status;
}

static NTSTATUS CmpMakeMemoryHives(ULONG Machine, ULONG User)
{
    uint32_t Key;
    NTSTATUS Status = CmpMakeMemoryHive(&CmpSoftwareHive, Machine, L"SOFTWARE", FALSE);
    if (NT_SUCCESS(Status))
        Status = CmpMakeMemoryHive(&CmpHardwareHive, Machine, L"HARDWARE", TRUE);
    if (NT_SUCCESS(Status)) /* [WDK RtlCheckRegistryKey] RTL_REGISTRY_DEVICEMAP */
        Status = CmpMakeKey(&CmpHardwareHive.Hive, CmpHardwareHive.Hive.Root, L"DEVICEMAP", FALSE, 0, &Key);
    if (NT_SUCCESS(Status))
        Status = CmpMakeMemoryHive(&CmpDefaultHive, User, L".DEFAULT", FALSE);
    return Status;
}

/* Nobody else runs yet who knows the registry: no lock is needed. */
VOID CmInitSystem(VOID)
{
    ULONG Current;
    uint32_t Machine, User;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    CmpInitKeyType();
    CmpInitFlush();
    CmpRequire(CmpMakeMasterHive(&Machine, &User), 1);
    CmpAddHive(&CmpMasterHive);
    CmpRequire(CmpMakeRegistryObject(), 2);
    CmpRequire(CmpMountSystemHive(Machine), 3);
    CmpRequire(CmpCurrentControlSet(&Current), 4);
    CmpRequire(CmpMakeCurrentControlSet(Current), 5);
    CmpRequire(CmpMakeMemoryHives(Machine, User), 6);
}

#define CMP_REPORT_PART (256u * 1024)

VOID CmReportSystemHive(VOID)
{
    const uint8_t *Bytes;
    uint32_t Length;
    CmpLockExclusive();
    HiveSeal(&CmpSystemHive.Hive, CmpNow(), &Bytes, &Length);
    for (ULONG At = 0; At < Length; At += CMP_REPORT_PART) {
        ULONG Part = Length - At < CMP_REPORT_PART ? Length - At : CMP_REPORT_PART;
        KdReport(ReportHive, KD_TEXT(ReportKeyName, "SYSTEM"), KD_NUMBER(ReportKeyOffset, At),
                 KD_NUMBER(ReportKeyTotal, Length), KD_BYTES(ReportKeyData, Bytes + At, Part));
    }
    CmpUnlockExclusive();
}

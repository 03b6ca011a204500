/* SPDX-License-Identifier: MIT
 * ZwQueryKey and ZwEnumerateKey: what a key tells about itself. */
#include "cm/cmp.h"
#include "cm/caller.h"
#include "cm_service.h"

/* What KeyFullInformation says of the things below a key; name lengths in bytes. */
typedef struct _CMP_MAXIMA {
    ULONG SubKeys, NameLength, ClassLength, Values, ValueNameLength, ValueDataLength;
} CMP_MAXIMA;

static ULONG CmpLarger(ULONG A, ULONG B)
{
    return A > B ? A : B;
}

/* Counted, not taken from the hive's own fields, which nothing checks. */
static NTSTATUS CmpMeasure(const CMP_NODE *Node, CMP_MAXIMA *Maxima)
{
    CMP_NODE SubKey;
    HIVE_VALUE Value;
    RtlZeroMemory(Maxima, sizeof(*Maxima));
    Maxima->SubKeys = CmpSubKeyCount(Node);
    Maxima->Values = Node->Key.ValueCount;
    for (ULONG i = 0; i < Maxima->SubKeys; i++) {
        NTSTATUS Status = CmpSubKey(Node, i, &SubKey);
        if (!NT_SUCCESS(Status))
            return Status;
        Maxima->NameLength = CmpLarger(Maxima->NameLength, SubKey.Name.Length * sizeof(WCHAR));
        Maxima->ClassLength = CmpLarger(Maxima->ClassLength, SubKey.Key.ClassLength);
    }
    for (ULONG i = 0; i < Maxima->Values; i++) {
        NTSTATUS Status = CmpStatus(HiveValue(&Node->Hive->Hive, &Node->Key, i, &Value));
        if (!NT_SUCCESS(Status))
            return Status;
        Maxima->ValueNameLength = CmpLarger(Maxima->ValueNameLength, Value.Name.Length * sizeof(WCHAR));
        Maxima->ValueDataLength = CmpLarger(Maxima->ValueDataLength, Value.DataLength);
    }
    return STATUS_SUCCESS;
}

static VOID CmpPutClass(const CMP_NODE *Node, const CMP_OUTPUT *Output, ULONG Offset)
{
    const uint8_t *Class;
    if (HiveReadClass(&Node->Hive->Hive, &Node->Key, &Class) == HiveOk && Class)
        CmpPut(Output, Offset, Class, Node->Key.ClassLength);
}

static NTSTATUS CmpQueryBasic(const CMP_NODE *Node, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    ULONG Fixed = FIELD_OFFSET(KEY_BASIC_INFORMATION, Name), NameLength = Node->Name.Length * sizeof(WCHAR);
    KEY_BASIC_INFORMATION Basic = {{.QuadPart = (LONGLONG)Node->Key.LastWriteTime}, 0, NameLength, {0}};
    NTSTATUS Status = CmpOutputStatus(Output, Fixed, Fixed + NameLength, ResultLength);
    if (Status == STATUS_BUFFER_TOO_SMALL)
        return Status;
    CmpPut(Output, 0, &Basic, Fixed);
    CmpPutName(Output, Fixed, &Node->Name);
    return Status;
}

/* [WDK KEY_NODE_INFORMATION] the class lies behind the name; ClassOffset counts from the start of the structure. Windows gives
 * -1 when there is no class. */
static NTSTATUS CmpQueryWithClass(const CMP_NODE *Node, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    ULONG Fixed = FIELD_OFFSET(KEY_NODE_INFORMATION, Name), NameLength = Node->Name.Length * sizeof(WCHAR);
    ULONG ClassOffset = (Fixed + NameLength + 3) & ~3u, ClassLength = Node->Key.ClassLength;
    ULONG Whole = ClassLength ? ClassOffset + ClassLength : Fixed + NameLength;
    KEY_NODE_INFORMATION Head = {{.QuadPart = (LONGLONG)Node->Key.LastWriteTime},
                                 0,
                                 ClassLength ? ClassOffset : MAXULONG,
                                 ClassLength,
                                 NameLength,
                                 {0}};
    NTSTATUS Status = CmpOutputStatus(Output, Fixed, Whole, ResultLength);
    if (Status == STATUS_BUFFER_TOO_SMALL)
        return Status;
    CmpPut(Output, 0, &Head, Fixed);
    CmpPutName(Output, Fixed, &Node->Name);
    CmpPutClass(Node, Output, ClassOffset);
    return Status;
}

static NTSTATUS CmpQueryFull(const CMP_NODE *Node, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    CMP_MAXIMA Maxima;
    ULONG Fixed = FIELD_OFFSET(KEY_FULL_INFORMATION, Class), ClassLength = Node->Key.ClassLength;
    NTSTATUS Status = CmpOutputStatus(Output, Fixed, Fixed + ClassLength, ResultLength);
    if (Status == STATUS_BUFFER_TOO_SMALL)
        return Status;
    NTSTATUS Measured = CmpMeasure(Node, &Maxima);
    if (!NT_SUCCESS(Measured))
        return Measured;
    KEY_FULL_INFORMATION Full = {
        .LastWriteTime = {.QuadPart = (LONGLONG)Node->Key.LastWriteTime},
        .ClassOffset = ClassLength ? Fixed : MAXULONG,
        .ClassLength = ClassLength,
        .SubKeys = Maxima.SubKeys,
        .MaxNameLen = Maxima.NameLength,
        .MaxClassLen = Maxima.ClassLength,
        .Values = Maxima.Values,
        .MaxValueNameLen = Maxima.ValueNameLength,
        .MaxValueDataLen = Maxima.ValueDataLength,
    };
    CmpPut(Output, 0, &Full, Fixed);
    CmpPutClass(Node, Output, Fixed);
    return Status;
}

static NTSTATUS CmpQueryCached(const CMP_NODE *Node, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    CMP_MAXIMA Maxima;
    NTSTATUS Status =
        CmpOutputStatus(Output, sizeof(KEY_CACHED_INFORMATION), sizeof(KEY_CACHED_INFORMATION), ResultLength);
    if (NT_SUCCESS(Status))
        Status = CmpMeasure(Node, &Maxima);
    if (!NT_SUCCESS(Status))
        return Status;
    KEY_CACHED_INFORMATION Cached = {
        .LastWriteTime = {.QuadPart = (LONGLONG)Node->Key.LastWriteTime},
        .SubKeys = Maxima.SubKeys,
        .MaxNameLen = Maxima.NameLength,
        .Values = Maxima.Values,
        .MaxValueNameLen = Maxima.ValueNameLength,
        .MaxValueDataLen = Maxima.ValueDataLength,
        .NameLength = Node->Name.Length * sizeof(WCHAR),
    };
    CmpPut(Output, 0, &Cached, sizeof(Cached));
    return STATUS_SUCCESS;
}

static NTSTATUS CmpQueryPath(const CMP_KCB *Kcb, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    ULONG Fixed = FIELD_OFFSET(KEY_NAME_INFORMATION, Name), NameLength = CmpPathLength(Kcb);
    NTSTATUS Status = CmpOutputStatus(Output, Fixed, Fixed + NameLength, ResultLength);
    if (Status == STATUS_BUFFER_TOO_SMALL)
        return Status;
    PWCHAR Path = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, NameLength, CMP_TAG_QUERY);
    if (Path == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    CmpPutPath(Kcb, Path);
    CmpPut(Output, 0, &NameLength, sizeof(NameLength));
    CmpPut(Output, Fixed, Path, NameLength);
    ExFreePoolWithTag(Path, CMP_TAG_QUERY);
    return Status;
}

/* [WDK KEY_VIRTUALIZATION_INFORMATION] all zero: nothing is virtualized. [WDK ZwQueryKey] KeyHandleTagsInformation: none,
 * KeyTrustInformation: not a trusted key. */
static NTSTATUS CmpQueryZeros(ULONG Size, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    static const ULONG Zero;
    NTSTATUS Status = CmpOutputStatus(Output, Size, Size, ResultLength);
    if (NT_SUCCESS(Status))
        CmpPut(Output, 0, &Zero, Size);
    return Status;
}

/* Kcb: the key's own, for the classes that ZwEnumerateKey has not; else NULL. */
static NTSTATUS CmpQueryNode(const CMP_NODE *Node, KEY_INFORMATION_CLASS Class, const CMP_KCB *Kcb,
                             const CMP_OUTPUT *Output, PULONG ResultLength)
{
    switch ((ULONG)Class) {
    case KeyBasicInformation:
        return CmpQueryBasic(Node, Output, ResultLength);
    case KeyNodeInformation:
        return CmpQueryWithClass(Node, Output, ResultLength);
    case KeyFullInformation:
        return CmpQueryFull(Node, Output, ResultLength);
    case KeyNameInformation:
        return Kcb ? CmpQueryPath(Kcb, Output, ResultLength) : STATUS_INVALID_PARAMETER;
    case KeyCachedInformation:
        return Kcb ? CmpQueryCached(Node, Output, ResultLength) : STATUS_INVALID_PARAMETER;
    case KeyVirtualizationInformation:
    case KeyHandleTagsInformation:
    case KeyTrustInformation:
        return Kcb ? CmpQueryZeros(sizeof(ULONG), Output, ResultLength) : STATUS_INVALID_PARAMETER;
    }
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS CmpQueryKey(const CMP_KEY *Key, KEY_INFORMATION_CLASS Class, const CMP_OUTPUT *Output,
                            PULONG ResultLength)
{
    CMP_NODE Node;
    CmpLockShared();
    NTSTATUS Status = CmpReadNode(Key->Kcb, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpQueryNode(&Node, Class, Key->Kcb, Output, ResultLength);
    CmpUnlockShared();
    return Status;
}

static NTSTATUS CmpQueryKeyAndTell(CMP_KEY *Key, KEY_INFORMATION_CLASS Class, const CMP_OUTPUT *Output,
                                   PULONG ResultLength)
{
    NTSTATUS Status;
    REG_QUERY_KEY_INFORMATION Information = {.Object = Key,
                                             .KeyInformationClass = Class,
                                             .KeyInformation = Output->Buffer,
                                             .Length = Output->Length,
                                             .ResultLength = ResultLength};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreQueryKey, RegNtPostQueryKey, Key, Information);
    if (!CmpBeginCall(&Call, &Status))
        return Status;
    return CmpEndCall(&Call, Key, CmpQueryKey(Key, Class, Output, ResultLength));
}

/* [WDK ZwQueryKey] The name may be asked with any access. */
static NTSTATUS CmpAnswerKey(const CMP_QUESTION *Question, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    CMP_KEY *Key;
    ACCESS_MASK Access = Question->Class == KeyNameInformation ? 0 : KEY_QUERY_VALUE;
    NTSTATUS Status = CmpReferenceKey(Question->Key, Access, Question->Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpHasCallbacks() ? CmpQueryKeyAndTell(Key, Question->Class, Output, ResultLength)
                               : CmpQueryKey(Key, Question->Class, Output, ResultLength);
    ObfDereferenceObject(Key);
    return Status;
}

NTSTATUS CmQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass, PVOID KeyInformation,
                    ULONG Length, PULONG ResultLength, KPROCESSOR_MODE Mode)
{
    CMP_QUESTION Question = {.Key = KeyHandle, .Class = KeyInformationClass, .Mode = Mode};
    return CmpGiveAnswer(CmpAnswerKey, &Question, KeyInformation, Length, ResultLength);
}

static NTSTATUS CmpEnumerate(const CMP_KEY *Key, ULONG Index, KEY_INFORMATION_CLASS Class,
                             const CMP_OUTPUT *Output, PULONG ResultLength)
{
    CMP_NODE Node, SubKey;
    CmpLockShared();
    NTSTATUS Status = CmpReadNode(Key->Kcb, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpSubKey(&Node, Index, &SubKey);
    if (NT_SUCCESS(Status))
        Status = CmpQueryNode(&SubKey, Class, NULL, Output, ResultLength);
    CmpUnlockShared();
    return Status;
}

/* [WDK ZwEnumerateKey] STATUS_NO_MORE_ENTRIES behind the last subkey. */
static NTSTATUS CmpAnswerSubKey(const CMP_QUESTION *Question, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    CMP_KEY *Key;
    NTSTATUS Status = CmpReferenceKey(Question->Key, KEY_ENUMERATE_SUB_KEYS, Question->Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    REG_ENUMERATE_KEY_INFORMATION Information = {.Object = Key,
                                                 .Index = Question->Index,
                                                 .KeyInformationClass = Question->Class,
                                                 .KeyInformation = Output->Buffer,
                                                 .Length = Output->Length,
                                                 .ResultLength = ResultLength};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreEnumerateKey, RegNtPostEnumerateKey, Key, Information);
    if (CmpBeginCall(&Call, &Status))
        Status =
            CmpEndCall(&Call, Key, CmpEnumerate(Key, Question->Index, Question->Class, Output, ResultLength));
    ObfDereferenceObject(Key);
    return Status;
}

NTSTATUS CmEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass,
                        PVOID KeyInformation, ULONG Length, PULONG ResultLength, KPROCESSOR_MODE Mode)
{
    CMP_QUESTION Question = {.Key = KeyHandle, .Index = Index, .Class = KeyInformationClass, .Mode = Mode};
    return CmpGiveAnswer(CmpAnswerSubKey, &Question, KeyInformation, Length, ResultLength);
}

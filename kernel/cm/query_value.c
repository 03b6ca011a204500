/* SPDX-License-Identifier: MIT
 * ZwQueryValueKey and ZwEnumerateValueKey. */
#include "cm/cmp.h"
#include "cm/caller.h"
#include "cm_service.h"

/* Reads as much of the data as fits behind Offset. */
static NTSTATUS CmpPutData(HIVE *Hive, const HIVE_VALUE *Value, const CMP_OUTPUT *Output, ULONG Offset)
{
    if (Offset >= Output->Length)
        return STATUS_SUCCESS;
    ULONG Count = Output->Length - Offset < Value->DataLength ? Output->Length - Offset : Value->DataLength;
    return CmpStatus(HiveReadData(Hive, Value, Output->Buffer + Offset, Count));
}

static NTSTATUS CmpValueBasic(const HIVE_VALUE *Value, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    ULONG Fixed = FIELD_OFFSET(KEY_VALUE_BASIC_INFORMATION, Name),
          NameLength = Value->Name.Length * sizeof(WCHAR);
    KEY_VALUE_BASIC_INFORMATION Basic = {0, Value->Type, NameLength, {0}};
    NTSTATUS Status = CmpOutputStatus(Output, Fixed, Fixed + NameLength, ResultLength);
    if (Status == STATUS_BUFFER_TOO_SMALL)
        return Status;
    CmpPut(Output, 0, &Basic, Fixed);
    CmpPutName(Output, Fixed, &Value->Name);
    return Status;
}

/* Align: of the data behind the name, 4 or 8 bytes. */
static NTSTATUS CmpValueFull(HIVE *Hive, const HIVE_VALUE *Value, ULONG Align, const CMP_OUTPUT *Output,
                             PULONG ResultLength)
{
    ULONG Fixed = FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name),
          NameLength = Value->Name.Length * sizeof(WCHAR);
    ULONG DataOffset = (Fixed + NameLength + Align - 1) & ~(Align - 1);
    ULONG Whole = Value->DataLength ? DataOffset + Value->DataLength : Fixed + NameLength;
    KEY_VALUE_FULL_INFORMATION Full = {0, Value->Type, DataOffset, Value->DataLength, NameLength, {0}};
    NTSTATUS Status = CmpOutputStatus(Output, Fixed, Whole, ResultLength);
    if (Status == STATUS_BUFFER_TOO_SMALL)
        return Status;
    CmpPut(Output, 0, &Full, Fixed);
    CmpPutName(Output, Fixed, &Value->Name);
    NTSTATUS Read = CmpPutData(Hive, Value, Output, DataOffset);
    return NT_SUCCESS(Read) ? Status : Read;
}

static NTSTATUS CmpValuePartial(HIVE *Hive, const HIVE_VALUE *Value, const CMP_OUTPUT *Output,
                                PULONG ResultLength)
{
    ULONG Fixed = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
    KEY_VALUE_PARTIAL_INFORMATION Partial = {0, Value->Type, Value->DataLength, {0}};
    NTSTATUS Status = CmpOutputStatus(Output, Fixed, Fixed + Value->DataLength, ResultLength);
    if (Status == STATUS_BUFFER_TOO_SMALL)
        return Status;
    CmpPut(Output, 0, &Partial, Fixed);
    NTSTATUS Read = CmpPutData(Hive, Value, Output, Fixed);
    return NT_SUCCESS(Read) ? Status : Read;
}

static NTSTATUS CmpValuePartialAlign64(HIVE *Hive, const HIVE_VALUE *Value, const CMP_OUTPUT *Output,
                                       PULONG ResultLength)
{
    ULONG Fixed = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION_ALIGN64, Data);
    KEY_VALUE_PARTIAL_INFORMATION_ALIGN64 Partial = {Value->Type, Value->DataLength, {0}};
    NTSTATUS Status = CmpOutputStatus(Output, Fixed, Fixed + Value->DataLength, ResultLength);
    if (Status == STATUS_BUFFER_TOO_SMALL)
        return Status;
    CmpPut(Output, 0, &Partial, Fixed);
    NTSTATUS Read = CmpPutData(Hive, Value, Output, Fixed);
    return NT_SUCCESS(Read) ? Status : Read;
}

static NTSTATUS CmpQueryValue(HIVE *Hive, const HIVE_VALUE *Value, KEY_VALUE_INFORMATION_CLASS Class,
                              const CMP_OUTPUT *Output, PULONG ResultLength)
{
    switch ((ULONG)Class) {
    case KeyValueBasicInformation:
        return CmpValueBasic(Value, Output, ResultLength);
    case KeyValueFullInformation:
        return CmpValueFull(Hive, Value, sizeof(ULONG), Output, ResultLength);
    case KeyValueFullInformationAlign64:
        return CmpValueFull(Hive, Value, sizeof(ULONG64), Output, ResultLength);
    case KeyValuePartialInformation:
        return CmpValuePartial(Hive, Value, Output, ResultLength);
    case KeyValuePartialInformationAlign64:
        return CmpValuePartialAlign64(Hive, Value, Output, ResultLength);
    }
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS CmpQueryIn(HIVE *Hive, ULONG Cell, PCUNICODE_STRING Name, KEY_VALUE_INFORMATION_CLASS Class,
                           const CMP_OUTPUT *Output, PULONG ResultLength)
{
    HIVE_VALUE Value;
    HIVE_STATUS Found =
        HiveFindValueOf(Hive, Cell, (const uint16_t *)Name->Buffer, Name->Length / sizeof(WCHAR), &Value);
    return Found == HiveOk ? CmpQueryValue(Hive, &Value, Class, Output, ResultLength) : CmpStatus(Found);
}

static NTSTATUS CmpQueryNamed(const CMP_KEY *Key, PCUNICODE_STRING Name, KEY_VALUE_INFORMATION_CLASS Class,
                              const CMP_OUTPUT *Output, PULONG ResultLength)
{
    const CMP_KCB *Kcb = Key->Kcb;
    HIVE *Hive = &Kcb->Hive->Hive;
    CmpLockShared();
    NTSTATUS Status =
        Kcb->Deleted ? STATUS_KEY_DELETED : CmpQueryIn(Hive, Kcb->Cell, Name, Class, Output, ResultLength);
    CmpUnlockShared();
    return Status;
}

static NTSTATUS CmpQueryNamedAndTell(CMP_KEY *Key, PUNICODE_STRING Name, KEY_VALUE_INFORMATION_CLASS Class,
                                     const CMP_OUTPUT *Output, PULONG ResultLength)
{
    NTSTATUS Status;
    REG_QUERY_VALUE_KEY_INFORMATION Information = {.Object = Key,
                                                   .ValueName = Name,
                                                   .KeyValueInformationClass = Class,
                                                   .KeyValueInformation = Output->Buffer,
                                                   .Length = Output->Length,
                                                   .ResultLength = ResultLength};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreQueryValueKey, RegNtPostQueryValueKey, Key, Information);
    if (!CmpBeginCall(&Call, &Status))
        return Status;
    return CmpEndCall(&Call, Key, CmpQueryNamed(Key, Name, Class, Output, ResultLength));
}

static NTSTATUS CmpAnswerNamed(const CMP_QUESTION *Question, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    CMP_KEY *Key;
    NTSTATUS Status = CmpReferenceKey(Question->Key, KEY_QUERY_VALUE, Question->Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CmpHasCallbacks()
                 ? CmpQueryNamedAndTell(Key, Question->Name, Question->Class, Output, ResultLength)
                 : CmpQueryNamed(Key, Question->Name, Question->Class, Output, ResultLength);
    ObfDereferenceObject(Key);
    return Status;
}

/* [WDK ZwQueryValueKey] An empty or missing ValueName is the key's default value; STATUS_OBJECT_NAME_NOT_FOUND when the key has no
 * value of that name. */
NTSTATUS CmQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                         KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation,
                         ULONG Length, PULONG ResultLength, KPROCESSOR_MODE Mode)
{
    CMP_TEXT Name;
    CMP_QUESTION Question = {.Key = KeyHandle, .Class = KeyValueInformationClass, .Mode = Mode};
    NTSTATUS Status = CmpCaptureValueName(ValueName, Mode, &Name);
    Question.Name = Name.Text;
    if (NT_SUCCESS(Status))
        Status = CmpGiveAnswer(CmpAnswerNamed, &Question, KeyValueInformation, Length, ResultLength);
    CmpReleaseText(&Name);
    return Status;
}

static NTSTATUS CmpEnumerateValue(const CMP_KEY *Key, ULONG Index, KEY_VALUE_INFORMATION_CLASS Class,
                                  const CMP_OUTPUT *Output, PULONG ResultLength)
{
    CMP_NODE Node;
    HIVE_VALUE Value;
    HIVE *Hive = &Key->Kcb->Hive->Hive;
    CmpLockShared();
    NTSTATUS Status = CmpReadNode(Key->Kcb, &Node);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveValue(Hive, &Node.Key, Index, &Value));
    if (NT_SUCCESS(Status))
        Status = CmpQueryValue(Hive, &Value, Class, Output, ResultLength);
    CmpUnlockShared();
    return Status;
}

/* [WDK ZwEnumerateValueKey] STATUS_NO_MORE_ENTRIES behind the last value. */
static NTSTATUS CmpAnswerValue(const CMP_QUESTION *Question, const CMP_OUTPUT *Output, PULONG ResultLength)
{
    CMP_KEY *Key;
    NTSTATUS Status = CmpReferenceKey(Question->Key, KEY_QUERY_VALUE, Question->Mode, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    REG_ENUMERATE_VALUE_KEY_INFORMATION Information = {.Object = Key,
                                                       .Index = Question->Index,
                                                       .KeyValueInformationClass = Question->Class,
                                                       .KeyValueInformation = Output->Buffer,
                                                       .Length = Output->Length,
                                                       .ResultLength = ResultLength};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreEnumerateValueKey, RegNtPostEnumerateValueKey, Key, Information);
    if (CmpBeginCall(&Call, &Status))
        Status = CmpEndCall(&Call, Key,
                            CmpEnumerateValue(Key, Question->Index, Question->Class, Output, ResultLength));
    ObfDereferenceObject(Key);
    return Status;
}

NTSTATUS CmEnumerateValueKey(HANDLE KeyHandle, ULONG Index,
                             KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation,
                             ULONG Length, PULONG ResultLength, KPROCESSOR_MODE Mode)
{
    CMP_QUESTION Question = {
        .Key = KeyHandle, .Index = Index, .Class = KeyValueInformationClass, .Mode = Mode};
    return CmpGiveAnswer(CmpAnswerValue, &Question, KeyValueInformation, Length, ResultLength);
}

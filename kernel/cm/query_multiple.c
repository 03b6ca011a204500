/* SPDX-License-Identifier: MIT
 * ZwQueryMultipleValueKey: several values of one key, as they are at one moment. [RegQueryMultipleValues] */
#include "cm/cmp.h"
#include "ke.h"

/* Puts the entry's value at the next ULONG from *End, which moves behind it; what does not fit is only counted. */
static NTSTATUS CmpQueryEntry(HIVE *Hive, const HIVE_KEY *Key, PKEY_VALUE_ENTRY Entry,
                              const CMP_OUTPUT *Output, PULONG End)
{
    HIVE_VALUE Value;
    PUNICODE_STRING Name = Entry->ValueName;
    NTSTATUS Status = CmpValueName(&Name);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(
            HiveFindValue(Hive, Key, (const uint16_t *)Name->Buffer, Name->Length / sizeof(WCHAR), &Value));
    if (!NT_SUCCESS(Status))
        return Status;
    if (*End > MAXULONG - sizeof(ULONG) || Value.DataLength > MAXULONG - sizeof(ULONG) - *End)
        return STATUS_INVALID_PARAMETER;
    ULONG At = (*End + sizeof(ULONG) - 1) & ~(ULONG)(sizeof(ULONG) - 1);
    Entry->DataLength = Value.DataLength;
    Entry->DataOffset = At;
    Entry->Type = Value.Type;
    BOOLEAN Fits = At <= Output->Length && Value.DataLength <= Output->Length - At;
    if (Fits)
        Status = CmpStatus(HiveReadData(Hive, &Value, Output->Buffer + At, Value.DataLength));
    *End = At + Value.DataLength;
    return Status;
}

static NTSTATUS CmpQueryEntries(const CMP_KEY *Key, PKEY_VALUE_ENTRY Entries, ULONG Count,
                                const CMP_OUTPUT *Output, PULONG Needed)
{
    CMP_NODE Node;
    *Needed = 0;
    CmpLockShared();
    NTSTATUS Status = CmpReadNode(Key->Kcb, &Node);
    for (ULONG i = 0; i < Count && NT_SUCCESS(Status); i++)
        Status = CmpQueryEntry(&Key->Kcb->Hive->Hive, &Node.Key, &Entries[i], Output, Needed);
    CmpUnlockShared();
    if (!NT_SUCCESS(Status))
        return Status;
    return *Needed <= Output->Length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

/* [WDK ZwQueryMultipleValueKey] PASSIVE_LEVEL. *BufferLength: the room, and what was used of it; *RequiredBufferLength: what all need. */
NTSTATUS NTAPI ZwQueryMultipleValueKey(HANDLE KeyHandle, PKEY_VALUE_ENTRY ValueEntries, ULONG EntryCount,
                                       PVOID ValueBuffer, PULONG BufferLength, PULONG RequiredBufferLength)
{
    CMP_KEY *Key;
    ULONG Needed = 0;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    CMP_OUTPUT Output = {ValueBuffer, *BufferLength};
    NTSTATUS Status = CmpReferenceKey(KeyHandle, KEY_QUERY_VALUE, &Key);
    if (!NT_SUCCESS(Status))
        return Status;
    REG_QUERY_MULTIPLE_VALUE_KEY_INFORMATION Information = {.Object = Key,
                                                            .ValueEntries = ValueEntries,
                                                            .EntryCount = EntryCount,
                                                            .ValueBuffer = ValueBuffer,
                                                            .BufferLength = BufferLength,
                                                            .RequiredBufferLength = RequiredBufferLength};
    CMP_CALL Call =
        CMP_CALL_OF(RegNtPreQueryMultipleValueKey, RegNtPostQueryMultipleValueKey, Key, Information);
    if (CmpBeginCall(&Call, &Status)) {
        Status = CmpQueryEntries(Key, ValueEntries, EntryCount, &Output, &Needed);
        if (Status == STATUS_SUCCESS || Status == STATUS_BUFFER_OVERFLOW) {
            *BufferLength = Needed < Output.Length ? Needed : Output.Length;
            if (RequiredBufferLength != NULL)
                *RequiredBufferLength = Needed;
        }
        Status = CmpEndCall(&Call, Key, Status);
    }
    ObfDereferenceObject(Key);
    return Status;
}

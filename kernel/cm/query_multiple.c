/* SPDX-License-Identifier: MIT
 * ZwQueryMultipleValueKey: several values of one key, as they are at one moment. [RegQueryMultipleValues] */
#include "cm/cmp.h"
#include "cm/caller.h"
#include "cm_service.h"
#include "mm_caller.h"

#define CMP_MAX_ENTRIES 65536u /* that user mode may ask for at once */

/* Puts the entry's value at the next ULONG from *End, which moves behind it; what does not fit is only counted. */
static NTSTATUS CmpQueryEntry(HIVE *Hive, const HIVE_KEY *Key, PKEY_VALUE_ENTRY Entry,
                              const CMP_OUTPUT *Output, PULONG End)
{
    HIVE_VALUE Value;
    CMP_TEXT Name; /* the kernel's, so nothing is to be released */
    NTSTATUS Status = CmpCaptureValueName(Entry->ValueName, KernelMode, &Name);
    if (NT_SUCCESS(Status))
        Status = CmpStatus(HiveFindValue(Hive, Key, (const uint16_t *)Name.Text->Buffer,
                                         Name.Text->Length / sizeof(WCHAR), &Value));
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

/* In the kernel's memory, but for the handle, which is of Mode. */
static NTSTATUS CmpQueryMultiple(HANDLE KeyHandle, PKEY_VALUE_ENTRY ValueEntries, ULONG EntryCount,
                                 PVOID ValueBuffer, PULONG BufferLength, PULONG RequiredBufferLength,
                                 KPROCESSOR_MODE Mode)
{
    CMP_KEY *Key;
    ULONG Needed = 0;
    CMP_OUTPUT Output = {ValueBuffer, *BufferLength};
    NTSTATUS Status = CmpReferenceKey(KeyHandle, KEY_QUERY_VALUE, Mode, &Key);
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

/* What a user-mode caller asks for, copied: the entries, whose names point to Names, and room for the data. */
typedef struct _CMP_MULTIPLE {
    PKEY_VALUE_ENTRY Entries;
    CMP_TEXT *Names;
    PVOID Buffer;
    ULONG Count, Length, Room, Required;
} CMP_MULTIPLE;

static NTSTATUS CmpCaptureEntries(CMP_MULTIPLE *Copy, PKEY_VALUE_ENTRY From, KPROCESSOR_MODE Mode)
{
    Copy->Entries = ExAllocatePool2(POOL_FLAG_PAGED, Copy->Count * sizeof(*From) + 1, CMP_TAG_QUERY);
    Copy->Names = ExAllocatePool2(POOL_FLAG_PAGED, Copy->Count * sizeof(*Copy->Names) + 1, CMP_TAG_QUERY);
    Copy->Buffer = ExAllocatePool2(POOL_FLAG_PAGED, (SIZE_T)Copy->Length + 1, CMP_TAG_QUERY);
    if (Copy->Entries == NULL || Copy->Names == NULL || Copy->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = MmReadCaller(Copy->Entries, From, Copy->Count * sizeof(*From), Mode);
    for (ULONG i = 0; i < Copy->Count && NT_SUCCESS(Status); i++) {
        Status = CmpCaptureValueName(Copy->Entries[i].ValueName, Mode, &Copy->Names[i]);
        Copy->Entries[i].ValueName = Copy->Names[i].Text;
    }
    return Status;
}

static VOID CmpReleaseEntries(CMP_MULTIPLE *Copy)
{
    for (ULONG i = 0; Copy->Names != NULL && i < Copy->Count; i++)
        CmpReleaseText(&Copy->Names[i]);
    CmpReleaseBytes(Copy->Entries, UserMode);
    CmpReleaseBytes(Copy->Names, UserMode);
    CmpReleaseBytes(Copy->Buffer, UserMode);
}

static NTSTATUS CmpGiveEntries(const CMP_MULTIPLE *Copy, PKEY_VALUE_ENTRY To, PVOID Buffer,
                               PULONG BufferLength, PULONG Required, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = MmWriteCaller(Buffer, Copy->Buffer, Copy->Length, Mode);
    if (NT_SUCCESS(Status))
        Status = MmWriteCaller(BufferLength, &Copy->Length, sizeof(*BufferLength), Mode);
    if (NT_SUCCESS(Status) && Required != NULL)
        Status = MmWriteCaller(Required, &Copy->Required, sizeof(*Required), Mode);
    for (ULONG i = 0; i < Copy->Count && NT_SUCCESS(Status); i++)
        Status = MmWriteCaller(&To[i].DataLength, &Copy->Entries[i].DataLength,
                               sizeof(*To) - FIELD_OFFSET(KEY_VALUE_ENTRY, DataLength), Mode);
    return Status;
}

/* Room for the data is made as asked: a caller who asks for what cannot be had is told so. */
static NTSTATUS CmpQueryMultipleForUser(HANDLE KeyHandle, PKEY_VALUE_ENTRY ValueEntries, ULONG EntryCount,
                                        PVOID ValueBuffer, PULONG BufferLength, PULONG RequiredBufferLength,
                                        KPROCESSOR_MODE Mode)
{
    CMP_MULTIPLE Copy = {.Count = EntryCount};
    if (EntryCount > CMP_MAX_ENTRIES)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = MmReadCallerVariable(&Copy.Length, BufferLength, sizeof(Copy.Length), Mode);
    if (NT_SUCCESS(Status))
        Status = MmProbeCaller(RequiredBufferLength, sizeof(*RequiredBufferLength), Mode);
    if (NT_SUCCESS(Status))
        Status = MmProbeCaller(ValueBuffer, Copy.Length, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    Copy.Room = Copy.Length;
    Status = CmpCaptureEntries(&Copy, ValueEntries, Mode);
    if (NT_SUCCESS(Status)) {
        Status = CmpQueryMultiple(KeyHandle, Copy.Entries, EntryCount, Copy.Buffer, &Copy.Length,
                                  &Copy.Required, Mode);
        Copy.Length = Copy.Length < Copy.Room ? Copy.Length : Copy.Room;
        if (Status == STATUS_SUCCESS || Status == STATUS_BUFFER_OVERFLOW) {
            NTSTATUS Given =
                CmpGiveEntries(&Copy, ValueEntries, ValueBuffer, BufferLength, RequiredBufferLength, Mode);
            Status = NT_SUCCESS(Given) ? Status : Given;
        }
    }
    CmpReleaseEntries(&Copy);
    return Status;
}

/* [WDK ZwQueryMultipleValueKey] *BufferLength: the room, and what was used of it; *RequiredBufferLength: what all need. */
NTSTATUS CmQueryMultipleValueKey(HANDLE KeyHandle, PKEY_VALUE_ENTRY ValueEntries, ULONG EntryCount,
                                 PVOID ValueBuffer, PULONG BufferLength, PULONG RequiredBufferLength,
                                 KPROCESSOR_MODE Mode)
{
    return (Mode == KernelMode ? CmpQueryMultiple : CmpQueryMultipleForUser)(
        KeyHandle, ValueEntries, EntryCount, ValueBuffer, BufferLength, RequiredBufferLength, Mode);
}

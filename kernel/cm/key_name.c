/* SPDX-License-Identifier: MIT
 * The name of a key, for ObQueryNameString, and the drivers who are told of the question or answer it. */
#include "cm/cmp.h"

#define CMP_NAME_OVERHEAD (sizeof(OBJECT_NAME_INFORMATION) + sizeof(WCHAR)) /* the text is terminated */

static NTSTATUS CmpCopyPath(const CMP_KEY *Key, PUNICODE_STRING Name, PULONG Needed)
{
    CmpLockShared();
    *Needed = CmpPathLength(Key->Kcb);
    BOOLEAN Fits = *Needed <= Name->MaximumLength;
    if (Fits) {
        CmpPutPath(Key->Kcb, Name->Buffer);
        Name->Length = (USHORT)*Needed;
    }
    CmpUnlockShared();
    return Fits ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

/* [WDK REG_QUERY_KEY_NAME] Not in the headers. */
typedef struct _REG_QUERY_KEY_NAME {
    PVOID Object;
    POBJECT_NAME_INFORMATION ObjectNameInfo;
    ULONG Length;
    PULONG ReturnLength;
    PVOID CallContext, ObjectContext, Reserved;
} REG_QUERY_KEY_NAME;

/* What drivers see: the structure with the text behind it, in a block of Size bytes. */
typedef struct _CMP_NAME_ANSWER {
    POBJECT_NAME_INFORMATION Information;
    ULONG Size;
    ULONG Returned;
} CMP_NAME_ANSWER;

static NTSTATUS CmpAnswerName(const CMP_KEY *Key, CMP_NAME_ANSWER *Answer)
{
    ULONG Needed;
    UNICODE_STRING Name = {0, (USHORT)(Answer->Size - CMP_NAME_OVERHEAD), (PWCHAR)(Answer->Information + 1)};
    NTSTATUS Status = CmpCopyPath(Key, &Name, &Needed);
    Answer->Returned = (ULONG)CMP_NAME_OVERHEAD + Needed;
    if (!NT_SUCCESS(Status))
        return STATUS_INFO_LENGTH_MISMATCH; /* [WDK ObQueryNameString] */
    Name.Buffer[Needed / sizeof(WCHAR)] = 0;
    Name.MaximumLength = (USHORT)(Needed + sizeof(WCHAR));
    Answer->Information->Name = Name;
    return STATUS_SUCCESS;
}

/* A driver may have answered, or changed the answer: what does not lie in the block is none. */
static NTSTATUS CmpTakeText(const CMP_NAME_ANSWER *Answer, PUNICODE_STRING Name, PULONG Needed)
{
    const UNICODE_STRING Text = Answer->Information->Name;
    ULONG_PTR Offset = (ULONG_PTR)Text.Buffer - (ULONG_PTR)Answer->Information;
    *Needed = 0;
    if (Text.Length % sizeof(WCHAR) != 0 || Text.Length > Name->MaximumLength)
        return STATUS_OBJECT_NAME_INVALID;
    if (Text.Length != 0 && (Offset > Answer->Size || Answer->Size - Offset < Text.Length))
        return STATUS_OBJECT_NAME_INVALID;
    if (Text.Length != 0)
        RtlCopyMemory(Name->Buffer, Text.Buffer, Text.Length);
    *Needed = Name->Length = Text.Length;
    return STATUS_SUCCESS;
}

static NTSTATUS CmpTakeAnswer(const CMP_NAME_ANSWER *Answer, NTSTATUS Status, PUNICODE_STRING Name,
                              PULONG Needed)
{
    ULONG Returned = Answer->Returned;
    if (NT_SUCCESS(Status))
        return CmpTakeText(Answer, Name, Needed);
    if (Status != STATUS_INFO_LENGTH_MISMATCH && Status != STATUS_BUFFER_OVERFLOW &&
        Status != STATUS_BUFFER_TOO_SMALL)
        return Status;
    /* who asks again with that much room must get on */
    if (Returned <= Answer->Size || Returned % sizeof(WCHAR) != 0)
        return STATUS_OBJECT_NAME_INVALID;
    *Needed = Returned - (ULONG)CMP_NAME_OVERHEAD;
    return STATUS_BUFFER_OVERFLOW;
}

static NTSTATUS CmpAskName(CMP_KEY *Key, CMP_NAME_ANSWER *Answer)
{
    NTSTATUS Status;
    REG_QUERY_KEY_NAME Query = {.Object = Key,
                                .ObjectNameInfo = Answer->Information,
                                .Length = Answer->Size,
                                .ReturnLength = &Answer->Returned};
    CMP_CALL Call = CMP_CALL_OF(RegNtPreQueryKeyName, RegNtPostQueryKeyName, Key, Query);
    if (!CmpBeginCall(&Call, &Status))
        return Status;
    return CmpEndCall(&Call, Key, CmpAnswerName(Key, Answer));
}

NTSTATUS CmpQueryKeyName(PVOID Object, PUNICODE_STRING Name, PULONG Needed)
{
    if (!CmpHasCallbacks())
        return CmpCopyPath(Object, Name, Needed);
    CMP_NAME_ANSWER Answer = {.Size = Name->MaximumLength + (ULONG)CMP_NAME_OVERHEAD};
    Answer.Information = ExAllocatePool2(POOL_FLAG_PAGED, Answer.Size, CMP_TAG_QUERY);
    if (Answer.Information == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS Status = CmpTakeAnswer(&Answer, CmpAskName(Object, &Answer), Name, Needed);
    ExFreePoolWithTag(Answer.Information, CMP_TAG_QUERY);
    return Status;
}

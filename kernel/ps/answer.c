/* SPDX-License-Identifier: MIT
 * The end of a query of a process, a thread or the system: the data reach the caller's buffer, their length him. */
#include "psp.h"
#include "mm_caller.h"
#include "ob.h"

/* [MS NtQueryInformationProcess] ReturnLength tells the size that is needed when the buffer does not fit, too. */
static NTSTATUS PspReturn(const PSP_ANSWER *Answer, const VOID *Data, ULONG Size, BOOLEAN Fits)
{
    NTSTATUS Status =
        Fits ? MmTryWriteCaller(Answer->Buffer, Data, Size, Answer->Mode) : STATUS_INFO_LENGTH_MISMATCH;

    if (Answer->ReturnLength != NULL && (NT_SUCCESS(Status) || !Fits)) {
        NTSTATUS Told = MmTryWriteCaller(Answer->ReturnLength, &Size, sizeof(Size), Answer->Mode);
        if (!NT_SUCCESS(Told))
            return Told;
    }
    return Status;
}

NTSTATUS PspAnswerExactly(const PSP_ANSWER *Answer, const VOID *Data, ULONG Size)
{
    return PspReturn(Answer, Data, Size, Answer->Length == Size);
}

NTSTATUS PspAnswer(const PSP_ANSWER *Answer, const VOID *Data, ULONG Size)
{
    return PspReturn(Answer, Data, Size, Answer->Length >= Size);
}

/* Text is no longer than 65,532 bytes. Terminated, so that it can be read as a C string; the terminator does not count in Length. */
NTSTATUS PspAnswerString(const PSP_ANSWER *Answer, PCUNICODE_STRING Text)
{
    ULONG Size = (ULONG)(sizeof(UNICODE_STRING) + Text->Length + sizeof(UNICODE_NULL));
    PUNICODE_STRING Copy = ExAllocatePool2(POOL_FLAG_PAGED, Size, PSP_TAG_QUERY);

    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Copy->Length = Text->Length;
    Copy->MaximumLength = (USHORT)(Text->Length + sizeof(UNICODE_NULL));
    Copy->Buffer = (PWCH)((PUNICODE_STRING)Answer->Buffer + 1);
    RtlCopyMemory(Copy + 1, Text->Buffer, Text->Length);
    NTSTATUS Status = PspAnswer(Answer, Copy, Size);
    ExFreePoolWithTag(Copy, PSP_TAG_QUERY);
    return Status;
}

NTSTATUS PspQueryByTable(const PSP_QUERY *Table, ULONG Count, POBJECT_TYPE Type, HANDLE Handle, ULONG Class,
                         const PSP_ANSWER *Answer)
{
    PVOID Object;
    ULONG i = 0;

    while (i < Count && Table[i].Class != Class)
        i++;
    if (i == Count)
        return STATUS_INVALID_INFO_CLASS;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, Table[i].Access, Type, Answer->Mode, &Object, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = Table[i].Query(Object, Answer);
    ObDereferenceObject(Object);
    return Status;
}

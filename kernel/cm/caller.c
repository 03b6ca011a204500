/* SPDX-License-Identifier: MIT
 * Capturing what callers give, and giving them answers: caller.h. */
#include "cm/caller.h"
#include "mm_caller.h"

#define CMP_FIRST_ROOM 1024u

static NTSTATUS CmpCheckText(PCUNICODE_STRING Text, ULONG Limit)
{
    return (Text->Length & 1) || Text->Length > Limit ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

static NTSTATUS CmpCopyText(PUNICODE_STRING From, ULONG Limit, KPROCESSOR_MODE Mode, CMP_TEXT *Text)
{
    UNICODE_STRING Given;
    NTSTATUS Status = MmReadCaller(&Given, From, sizeof(Given), Mode);
    if (NT_SUCCESS(Status))
        Status = CmpCheckText(&Given, Limit);
    if (NT_SUCCESS(Status))
        Status = ObAllocateName(&Text->Copy, Given.Length);
    if (!NT_SUCCESS(Status))
        return Status;
    Text->Copy.Length = Given.Length;
    Text->Text = &Text->Copy;
    return MmReadCaller(Text->Copy.Buffer, Given.Buffer, Given.Length, Mode);
}

NTSTATUS CmpCaptureText(PUNICODE_STRING From, ULONG Limit, KPROCESSOR_MODE Mode, CMP_TEXT *Text)
{
    Text->Text = From;
    Text->Copy.Buffer = NULL;
    if (From == NULL)
        return STATUS_SUCCESS;
    return Mode == KernelMode ? CmpCheckText(From, Limit) : CmpCopyText(From, Limit, Mode, Text);
}

/* [WDK Registry Element Size Limits] */
NTSTATUS CmpCaptureValueName(PUNICODE_STRING From, KPROCESSOR_MODE Mode, CMP_TEXT *Text)
{
    static const UNICODE_STRING Default = {0};
    if (From != NULL)
        return CmpCaptureText(From, CMP_MAX_VALUE_NAME_BYTES, Mode, Text);
    *Text = (CMP_TEXT){.Text = (PUNICODE_STRING)&Default};
    return STATUS_SUCCESS;
}

NTSTATUS CmpCaptureBytes(PVOID From, ULONG Length, KPROCESSOR_MODE Mode, PVOID *Copy)
{
    *Copy = Mode == KernelMode ? From : NULL;
    if (Length == 0)
        return STATUS_SUCCESS;
    if (From == NULL)
        return STATUS_ACCESS_VIOLATION;
    if (Mode == KernelMode)
        return STATUS_SUCCESS;
    NTSTATUS Status = MmProbeCallerInput(From, Length, Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    *Copy = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, Length, CMP_TAG_QUERY);
    return *Copy != NULL ? MmReadCaller(*Copy, From, Length, Mode) : STATUS_INSUFFICIENT_RESOURCES;
}

VOID CmpReleaseBytes(PVOID Copy, KPROCESSOR_MODE Mode)
{
    if (Mode != KernelMode && Copy != NULL)
        ExFreePoolWithTag(Copy, CMP_TAG_QUERY);
}

static BOOLEAN CmpWantsRoom(NTSTATUS Status)
{
    return Status == STATUS_BUFFER_OVERFLOW || Status == STATUS_BUFFER_TOO_SMALL;
}

/* In a buffer of at most Length bytes, to be freed; it is as large as the answer when that fits. */
static NTSTATUS CmpAskIntoPool(CMP_QUERY *Query, const CMP_QUESTION *Question, ULONG Length,
                               CMP_OUTPUT *Output, PULONG Needed)
{
    ULONG Room = Length < CMP_FIRST_ROOM ? Length : CMP_FIRST_ROOM;
    for (;;) {
        *Output = (CMP_OUTPUT){ExAllocatePool2(POOL_FLAG_PAGED, Room + 1, CMP_TAG_QUERY), Room};
        if (Output->Buffer == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        *Needed = 0;
        NTSTATUS Status = Query(Question, Output, Needed);
        if (!CmpWantsRoom(Status) || *Needed <= Room || Room == Length)
            return Status;
        ExFreePoolWithTag(Output->Buffer, CMP_TAG_QUERY);
        Room = *Needed < Length ? *Needed : Length;
    }
}

NTSTATUS CmpAnswerUser(CMP_QUERY *Query, const CMP_QUESTION *Question, PVOID Buffer, ULONG Length,
                       PULONG ResultLength)
{
    CMP_OUTPUT Output;
    ULONG Needed;
    NTSTATUS Written = MmProbeCaller(Buffer, Length, Question->Mode);
    if (NT_SUCCESS(Written))
        Written = MmProbeCallerOutput(ResultLength, sizeof(*ResultLength), Question->Mode);
    if (!NT_SUCCESS(Written))
        return Written;
    NTSTATUS Status = CmpAskIntoPool(Query, Question, Length, &Output, &Needed);
    if (Status == STATUS_SUCCESS || Status == STATUS_BUFFER_OVERFLOW)
        Written = MmWriteCaller(Buffer, Output.Buffer, Needed < Output.Length ? Needed : Output.Length,
                                Question->Mode);
    if (NT_SUCCESS(Written) && (Status == STATUS_SUCCESS || CmpWantsRoom(Status)))
        Written = MmWriteCaller(ResultLength, &Needed, sizeof(Needed), Question->Mode);
    if (Output.Buffer != NULL)
        ExFreePoolWithTag(Output.Buffer, CMP_TAG_QUERY);
    return NT_SUCCESS(Written) ? Status : Written;
}

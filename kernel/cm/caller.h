/* SPDX-License-Identifier: MIT
 * Tier 3, cm: what callers of the services give and get. Kernel mode's memory is used as it is; user mode's is copied once, before the
 * registry lock is taken, and written when it is free again. PASSIVE_LEVEL. */
#pragma once
#include "cm/cmp.h"

/* STATUS_INVALID_PARAMETER: an odd length, or one above Limit. CmpReleaseText in any case. */
NTSTATUS CmpCaptureText(PUNICODE_STRING From, ULONG Limit, KPROCESSOR_MODE Mode, CMP_TEXT *Text);
static inline VOID CmpReleaseText(CMP_TEXT *Text)
{
    if (Text->Copy.Buffer != NULL)
        ObFreeName(&Text->Copy);
}
/* The name of a value: NULL means the default value, whose name is empty. */
NTSTATUS CmpCaptureValueName(PUNICODE_STRING From, KPROCESSOR_MODE Mode, CMP_TEXT *Text);

/* *Copy: the bytes, From itself for kernel mode. CmpReleaseBytes. */
NTSTATUS CmpCaptureBytes(PVOID From, ULONG Length, KPROCESSOR_MODE Mode, PVOID *Copy);
VOID CmpReleaseBytes(PVOID Copy, KPROCESSOR_MODE Mode);

/* What a service is asked for; its answer goes into a buffer of the kernel's. */
typedef struct _CMP_QUESTION {
    HANDLE Key;
    PUNICODE_STRING Name; /* checked, the kernel's */
    ULONG Index, Class;
    KPROCESSOR_MODE Mode;
} CMP_QUESTION;
typedef NTSTATUS CMP_QUERY(const CMP_QUESTION *Question, const CMP_OUTPUT *Output, PULONG ResultLength);

NTSTATUS CmpAnswerUser(CMP_QUERY *Query, const CMP_QUESTION *Question, PVOID Buffer, ULONG Length,
                       PULONG ResultLength);
/* Asks, and gives the caller the answer. */
static inline NTSTATUS CmpGiveAnswer(CMP_QUERY *Query, const CMP_QUESTION *Question, PVOID Buffer,
                                     ULONG Length, PULONG ResultLength)
{
    CMP_OUTPUT Output = {Buffer, Length};
    return Question->Mode == KernelMode ? Query(Question, &Output, ResultLength)
                                        : CmpAnswerUser(Query, Question, Buffer, Length, ResultLength);
}

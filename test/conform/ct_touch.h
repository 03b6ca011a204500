/* SPDX-License-Identifier: MIT
 * One byte of memory that may not be there: its exception becomes a status. */
#pragma once
#include "ct.h"

typedef struct CT_TOUCH {
    volatile UCHAR *Address;
    BOOLEAN Write;
    UCHAR Value;
} CT_TOUCH;

static inline NTSTATUS CtTouchGuarded(PVOID Context)
{
    CT_TOUCH *Touch = Context;
    if (Touch->Write)
        *Touch->Address = Touch->Value;
    else
        Touch->Value = *Touch->Address;
    return STATUS_SUCCESS;
}

static inline NTSTATUS CtWrite(PVOID Address, UCHAR Value)
{
    CT_TOUCH Touch = {Address, TRUE, Value};
    return NtboxGuardedCall(CtTouchGuarded, &Touch);
}

static inline NTSTATUS CtRead(PVOID Address, PUCHAR Value)
{
    CT_TOUCH Touch = {Address, FALSE, 0};
    NTSTATUS Status = NtboxGuardedCall(CtTouchGuarded, &Touch);
    *Value = Touch.Value;
    return Status;
}

static inline BOOLEAN CtHolds(PVOID Address, UCHAR Wanted)
{
    UCHAR Value;
    return NT_SUCCESS(CtRead(Address, &Value)) && Value == Wanted;
}

/* There is nothing to read. */
static inline BOOLEAN CtFaults(PVOID Address)
{
    UCHAR Value;
    return CtRead(Address, &Value) == STATUS_ACCESS_VIOLATION;
}

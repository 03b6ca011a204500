/* SPDX-License-Identifier: MIT
 * Reading saved registers: only aligned, and only inside the limits of the stack being unwound. */
#include "unwind.h"

BOOLEAN RtlpReadStack(const RTLP_UNWIND *Unwind, ULONG64 Address, PULONG64 Value)
{
    if (Address % 8 != 0 || Address < Unwind->Stack.Low || Address >= Unwind->Stack.High ||
        Unwind->Stack.High - Address < 8)
        return FALSE;
    *Value = *(const ULONG64 *)(ULONG_PTR)Address;
    return TRUE;
}

NTSTATUS RtlpPopRegister(RTLP_UNWIND *Unwind, ULONG Number)
{
    PCONTEXT Context = Unwind->Context;
    ULONG64 Rsp = Context->Rsp, Value;

    if (!RtlpReadStack(Unwind, Rsp, &Value))
        return STATUS_BAD_STACK;
    Context->Rsp = Rsp + 8;
    *RtlpIntegerRegister(Context, Number) = Value;
    if (Unwind->Pointers != NULL)
        Unwind->Pointers->IntegerContext[Number] = (PULONG64)(ULONG_PTR)Rsp;
    return STATUS_SUCCESS;
}

NTSTATUS RtlpPopReturnAddress(RTLP_UNWIND *Unwind)
{
    if (!RtlpReadStack(Unwind, Unwind->Context->Rsp, &Unwind->Context->Rip))
        return STATUS_BAD_STACK;
    Unwind->Context->Rsp += 8;
    return STATUS_SUCCESS;
}

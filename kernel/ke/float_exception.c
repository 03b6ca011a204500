/* SPDX-License-Identifier: MIT
 * Which exception a floating-point error is, from the flags that the processor leaves. [Intel SDM volume 1, 4.9.2] gives the order when
 * several are set. The codes are those that a handler in user mode is documented to see (winnt.h, GetExceptionCode). */
#include "ki.h"

#define FP_INVALID 0x01u
#define FP_DENORMAL 0x02u
#define FP_ZERO_DIVIDE 0x04u
#define FP_OVERFLOW 0x08u
#define FP_UNDERFLOW 0x10u
#define FP_INEXACT 0x20u
#define FP_ALL 0x3Fu
#define X87_STACK_FAULT 0x40u
#define MXCSR_MASK_SHIFT 7

/* Flags: what is set and not masked. */
static NTSTATUS KiFloatStatus(ULONG Flags)
{
    static const struct {
        ULONG Flag;
        NTSTATUS Status;
    } Order[] = {{FP_INVALID, STATUS_FLOAT_INVALID_OPERATION}, {FP_ZERO_DIVIDE, STATUS_FLOAT_DIVIDE_BY_ZERO},
                 {FP_DENORMAL, STATUS_FLOAT_DENORMAL_OPERAND}, {FP_OVERFLOW, STATUS_FLOAT_OVERFLOW},
                 {FP_UNDERFLOW, STATUS_FLOAT_UNDERFLOW},       {FP_INEXACT, STATUS_FLOAT_INEXACT_RESULT}};

    for (ULONG i = 0; i < RTL_NUMBER_OF(Order); i++)
        if (Flags & Order[i].Flag)
            return Order[i].Status;
    return STATUS_FLOAT_INVALID_OPERATION; /* none is set: a driver made the vector happen by itself */
}

NTSTATUS KiX87Status(USHORT ControlWord, USHORT StatusWord)
{
    ULONG Flags = StatusWord & ~ControlWord & FP_ALL;

    if ((Flags & FP_INVALID) && (StatusWord & X87_STACK_FAULT))
        return STATUS_FLOAT_STACK_CHECK;
    return KiFloatStatus(Flags);
}

NTSTATUS KiSimdStatus(ULONG MxCsr)
{
    return KiFloatStatus(MxCsr & ~(MxCsr >> MXCSR_MASK_SHIFT) & FP_ALL);
}

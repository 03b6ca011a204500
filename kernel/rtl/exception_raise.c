/* SPDX-License-Identifier: MIT
 * Raising exceptions from C. RtlRaiseException itself is in amd64/exception.S: it must capture its caller's
 * registers. */
#include "exception.h"

DECLSPEC_NORETURN VOID RtlpRaise(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord)
{
    if (RtlpDispatch(ExceptionRecord, ContextRecord, TRUE))
        RtlRestoreContext(ContextRecord, ExceptionRecord);
    RtlpUpcalls.UnhandledException(ExceptionRecord, ContextRecord);
    __builtin_trap();
}

DECLSPEC_NORETURN VOID RtlpRaiseBecause(NTSTATUS Status, PEXCEPTION_RECORD Cause)
{
    EXCEPTION_RECORD Record = {
        .ExceptionCode = Status, .ExceptionFlags = EXCEPTION_NONCONTINUABLE, .ExceptionRecord = Cause};

    RtlRaiseException(&Record);
    __builtin_trap();
}

/* [WDK ExRaiseStatus] */
DECLSPEC_NORETURN VOID NTAPI ExRaiseStatus(NTSTATUS Status)
{
    RtlpRaiseBecause(Status, NULL);
}

DECLSPEC_NORETURN VOID NTAPI RtlRaiseStatus(NTSTATUS Status)
{
    RtlpRaiseBecause(Status, NULL);
}

/* [WDK ExRaiseAccessViolation] */
DECLSPEC_NORETURN VOID NTAPI ExRaiseAccessViolation(VOID)
{
    RtlpRaiseBecause(STATUS_ACCESS_VIOLATION, NULL);
}

/* [WDK ExRaiseDatatypeMisalignment] */
DECLSPEC_NORETURN VOID NTAPI ExRaiseDatatypeMisalignment(VOID)
{
    RtlpRaiseBecause(STATUS_DATATYPE_MISALIGNMENT, NULL);
}

/* SPDX-License-Identifier: MIT
 * Our own invariants: a failure is a fault of ntbox, said so, and stops the machine. */
#include "kdp.h"

#if NTBOX_CHECKED
DECLSPEC_NORETURN VOID KdAssertionFailed(PCSTR Expression, PCSTR File, ULONG Line)
{
    KdLogError("*** ntbox: invariant broken: %s (%s:%u)", Expression, File, (unsigned)Line);
    KeBugCheckEx(MANUALLY_INITIATED_CRASH, (ULONG_PTR)Expression, (ULONG_PTR)File, Line, 0);
}
#endif

/* [WDK RtlAssert] What NT_ASSERT and ASSERT of a driver's checked build call: printed, then a breakpoint. */
VOID NTAPI RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber, PCHAR Message)
{
    KdLogError("*** Assertion failed: %s%s (%s:%u)", Message != NULL ? Message : "", (PCSTR)FailedAssertion,
               (PCSTR)FileName, (unsigned)LineNumber);
    __debugbreak();
}

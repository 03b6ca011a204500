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

/* SPDX-License-Identifier: MIT
 * [Win32 SwitchToThread] The current thread lets others of its priority run. */
#include "psp.h"

/* STATUS_NO_YIELD_PERFORMED: nobody wanted to. */
NTSTATUS NTAPI ZwYieldExecution(VOID)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return KeYieldThread() ? STATUS_SUCCESS : STATUS_NO_YIELD_PERFORMED;
}

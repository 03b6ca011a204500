/* SPDX-License-Identifier: MIT
 * What drivers ask about Driver Verifier. It verifies nobody here: the checked kernel's checks are always on and for all (D-131).
 * [WDK MmIsDriverVerifying, MmIsDriverVerifyingByAddress, MmIsVerifierEnabled, MmAddVerifierThunks] */
#include "imp.h"

/* IRQL <= DISPATCH_LEVEL. */
LOGICAL NTAPI MmIsDriverVerifying(struct _DRIVER_OBJECT *DriverObject)
{
    return FALSE;
}

/* IRQL <= DISPATCH_LEVEL. */
LOGICAL NTAPI MmIsDriverVerifyingByAddress(PVOID AddressWithinSection)
{
    return FALSE;
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmIsVerifierEnabled] STATUS_NOT_SUPPORTED and no flags when the Verifier is not enabled. */
NTSTATUS NTAPI MmIsVerifierEnabled(PULONG VerifierFlags)
{
    *VerifierFlags = 0;
    return STATUS_NOT_SUPPORTED;
}

/* IRQL <= APC_LEVEL. [WDK MmAddVerifierThunks] STATUS_NOT_SUPPORTED when the Verifier is not enabled. */
NTSTATUS NTAPI MmAddVerifierThunks(PVOID ThunkBuffer, ULONG ThunkBufferSize)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    return STATUS_NOT_SUPPORTED;
}

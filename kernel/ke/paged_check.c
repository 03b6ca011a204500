/* SPDX-License-Identifier: MIT
 * The protection key of paged pool. Writing the register costs a flush of the translation buffer in some machines: it is written
 * only when the processor has it otherwise. [Intel SDM volume 3, 4.6.2 "Protection Keys"] */
#include "ki.h"
#include "ke_checks.h"
#include "ke_paged.h"

#define KI_MSR_PKRS 0x6e1u
#define KI_CR4_PKS (1ull << 24)
#define KI_DENY_PAGED (1u << 2) /* access disable of key 1 */

BOOLEAN KePagedPoolChecked;

BOOLEAN KeCheckPagedPool(VOID)
{
    KePagedPoolChecked = NTBOX_CHECKED && !KeChecksOff && (ArchReadCr4() & KI_CR4_PKS) != 0;
    return KePagedPoolChecked;
}

VOID KeDenyPagedPool(VOID)
{
    PKPRCB Prcb = KeGetPrcb();

    if (!KePagedPoolChecked || Prcb->PagedPoolDenied)
        return;
    Prcb->PagedPoolDenied = TRUE;
    ArchWriteMsr(KI_MSR_PKRS, KI_DENY_PAGED);
}

VOID KePermitPagedPool(VOID)
{
    BOOLEAN Enabled = ArchDisableInterrupts(); /* the processor stays the same */
    PKPRCB Prcb = KeGetPrcb();

    if (Prcb->PagedPoolDenied) {
        ArchWriteMsr(KI_MSR_PKRS, 0);
        Prcb->PagedPoolDenied = FALSE;
    }
    ArchRestoreInterrupts(Enabled);
}

/* [WDK MmProbeAndLockPages] pages that are locked are there, at any IRQL. */
BOOLEAN KiIsPagedPoolUsable(ULONG64 Address)
{
    return MmIsPageLocked((PVOID)Address);
}

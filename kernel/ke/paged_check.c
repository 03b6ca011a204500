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

static VOID KiCountPagedPoolUse(LONG Change)
{
    if (ArchGetIrql() >=
        DISPATCH_LEVEL) /* below, the fault permits it anyway, and the processor may be another one soon */
        KeGetPrcb()->PagedPoolUses += Change;
}

VOID KeBeginPagedPoolUse(VOID)
{
    KiCountPagedPoolUse(1);
}

VOID KeEndPagedPoolUse(VOID)
{
    KiCountPagedPoolUse(-1);
}

/* [WDK MmProbeAndLockPages] pages that are locked are there, at any IRQL. */
BOOLEAN KiIsPagedPoolUsable(ULONG64 Address)
{
    return KeGetPrcb()->PagedPoolUses != 0 || MmIsPageLocked((PVOID)Address);
}

/* SPDX-License-Identifier: MIT
 * Commitment: memory that is promised. There is no page file, so no more is promised than there is RAM; what the kernel itself takes
 * is not counted, but the tables of user memory and of segments are. */
#include "mm/user_space.h"

static volatile SIZE_T MiCommitted, MiPeakCommitted; /* atomic */

static SIZE_T MiCommitLimit(VOID)
{
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    return Counters.TotalPages;
}

static VOID MiRaisePeak(volatile SIZE_T *Peak, SIZE_T Value)
{
    SIZE_T Old = *Peak;
    while (Old < Value &&
           !__atomic_compare_exchange_n(Peak, &Old, Value, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

BOOLEAN MiChargeCommit(SIZE_T Pages)
{
    SIZE_T Old = MiCommitted, Limit = MiCommitLimit();
    do {
        if (Pages > Limit || Old > Limit - Pages)
            return FALSE;
    } while (!__atomic_compare_exchange_n(&MiCommitted, &Old, Old + Pages, FALSE, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    MiRaisePeak(&MiPeakCommitted, Old + Pages);
    return TRUE;
}

VOID MiCountCommit(SIZE_T Pages)
{
    SIZE_T Old = __atomic_fetch_add(&MiCommitted, Pages, __ATOMIC_RELAXED);
    MiRaisePeak(&MiPeakCommitted, Old + Pages);
}

VOID MiReturnCommit(SIZE_T Pages)
{
    NT_CHECK(MiCommitted >= Pages);
    __atomic_fetch_sub(&MiCommitted, Pages, __ATOMIC_RELAXED);
}

NTSTATUS MiChargeSpace(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, SIZE_T Pages)
{
    if (!MiChargeCommit(Pages))
        return STATUS_COMMITMENT_LIMIT;
    Vad->Charged += Pages;
    Space->Counters.CommitPages += Pages;
    if (Space->Counters.CommitPages > Space->Counters.PeakCommitPages)
        Space->Counters.PeakCommitPages = Space->Counters.CommitPages;
    return STATUS_SUCCESS;
}

VOID MiReturnSpace(PMM_ADDRESS_SPACE Space, MI_VAD *Vad, SIZE_T Pages)
{
    NT_CHECK(Vad->Charged >= Pages);
    MiReturnCommit(Pages);
    Vad->Charged -= Pages;
    Space->Counters.CommitPages -= Pages;
}

VOID MmQueryCommitment(MM_COMMITMENT *Commitment)
{
    *Commitment = (MM_COMMITMENT){MiCommitLimit(), MiCommitted, MiPeakCommitted};
}

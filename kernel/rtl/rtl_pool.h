/* SPDX-License-Identifier: MIT
 * Tier 3: pool that a function of the run-time library gives its caller. The block counts as the caller's, so that it is found when his driver is
 * unloaded. Caller: __builtin_return_address(0) in the exported function, which is DECLSPEC_NOINLINE. */
#pragma once
#include "rtlp.h"
#ifndef RTL_HOST
#include "ex.h"
#endif

static inline PVOID RtlpAllocateFor(const void *Caller, POOL_TYPE PoolType, SIZE_T Size)
{
    return ExAllocatePoolForOwner(PoolType, Size, RTLP_TAG, (PVOID)(ULONG_PTR)Caller);
}

#define RTLP_CALLER() __builtin_return_address(0)

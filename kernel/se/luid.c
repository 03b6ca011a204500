/* SPDX-License-Identifier: MIT
 * Locally unique numbers. [WDK ZwAllocateLocallyUniqueId] the first 1000 are the system's own. */
#include "sep.h"

static volatile LONG64 SepLastLuid = 1000;

LUID SeNewLuid(VOID)
{
    LARGE_INTEGER Value = {.QuadPart = InterlockedIncrement64(&SepLastLuid)};
    return (LUID){Value.LowPart, Value.HighPart};
}

static NTSTATUS SepGiveLuid(PLUID Luid, KPROCESSOR_MODE Mode)
{
    LUID New = SeNewLuid();
    return MmWriteCaller(Luid, &New, sizeof(New), Mode);
}

NTSTATUS NTAPI ZwAllocateLocallyUniqueId(PLUID Luid)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return SepGiveLuid(Luid, KernelMode);
}

NTSTATUS NTAPI NtAllocateLocallyUniqueId(PLUID Luid)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return SepGiveLuid(Luid, ExGetPreviousMode());
}

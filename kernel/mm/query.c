/* SPDX-License-Identifier: MIT
 * Questions of drivers about addresses and memory, and the limits of the address space that are exported as
 * data. */
#include "mm/pfn.h"

/* [WDK MmHighestUserAddress, MmSystemRangeStart] Windows 10 x64: 64 KiB below the end of the lower half are
 * no man's land. */
PVOID MmHighestUserAddress = (PVOID)0x7ffffffeffff;
ULONG64 MmUserProbeAddress = 0x7fffffff0000;
PVOID MmSystemRangeStart = (PVOID)MM_KERNEL_HALF;

/* Any IRQL. [WDK MmIsAddressValid] FALSE when touching the address would fault now. */
BOOLEAN NTAPI MmIsAddressValid(PVOID VirtualAddress)
{
    ULONG64 Physical;
    return MmTranslate(VirtualAddress, &Physical);
}

/* Any IRQL. [WDK MmGetPhysicalAddress] The address must be valid; for others NT's result is undefined, ours
 * is 0. */
PHYSICAL_ADDRESS NTAPI MmGetPhysicalAddress(PVOID BaseAddress)
{
    PHYSICAL_ADDRESS Result = {0};
    ULONG64 Physical;
    if (MmTranslate(BaseAddress, &Physical))
        Result.QuadPart = (LONG64)Physical;
    return Result;
}

/* Any IRQL. [WDK MmQuerySystemSize] an estimate of how much memory there is; the limits are ours. */
MM_SYSTEMSIZE NTAPI MmQuerySystemSize(VOID)
{
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    ULONG64 Megabytes = Counters.TotalPages >> (20 - PAGE_SHIFT);
    return Megabytes < 64 ? MmSmallSystem : Megabytes < 256 ? MmMediumSystem : MmLargeSystem;
}

/* IRQL <= DISPATCH_LEVEL. [WDK MmGetVirtualForPhysical] An address of system space at which the RAM can be seen (deviation D-100); NULL for
 * what is no RAM. */
PVOID NTAPI MmGetVirtualForPhysical(PHYSICAL_ADDRESS PhysicalAddress)
{
    BOOLEAN Ram;
    ULONG64 Physical = (ULONG64)PhysicalAddress.QuadPart;
    if (Physical >= (ULONG64)MI_PFN_MOST << PAGE_SHIFT)
        return NULL;
    (void)MiRunOfKind(Physical >> PAGE_SHIFT, 1, &Ram);
    return Ram ? MmDirectMap(Physical) : NULL;
}

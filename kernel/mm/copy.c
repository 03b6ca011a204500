/* SPDX-License-Identifier: MIT
 * MmCopyMemory: reading any address without a risk. System memory is read through the direct map, so that a mapping that goes away meanwhile
 * does no harm. */
#include "mm/pfn.h"
#include "ke.h"
#include "mm_user.h"

/* RAM that the memory map names as such; device memory may do anything when it is read. */
static const VOID *MiReadable(ULONG64 Physical)
{
    BOOLEAN Ram;
    if (Physical >= (ULONG64)MI_PFN_MOST << PAGE_SHIFT)
        return NULL;
    (void)MiRunOfKind(Physical >> PAGE_SHIFT, 1, &Ram);
    return Ram ? MmDirectMap(Physical) : NULL;
}

/* One page's part. */
static NTSTATUS MiCopyPart(PUCHAR To, ULONG64 From, SIZE_T Length, BOOLEAN Virtual)
{
    if (Virtual && From < MmUserProbeAddress)
        return MmCopyFromUser(To, (PVOID)From, Length);
    if (Virtual && !MmTranslate((PVOID)From, &From))
        return STATUS_INVALID_ADDRESS;
    const VOID *Source = MiReadable(From);
    if (Source == NULL)
        return STATUS_INVALID_ADDRESS;
    RtlCopyMemory(To, Source, Length);
    return STATUS_SUCCESS;
}

/* IRQL <= APC_LEVEL. [WDK MmCopyMemory] TargetAddress is nonpaged and valid. An error status when not all could be read;
 * *NumberOfBytesTransferred says how much was. Exactly one of the two flags. */
NTSTATUS NTAPI MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress, SIZE_T NumberOfBytes,
                            ULONG Flags, PSIZE_T NumberOfBytesTransferred)
{
    KI_REQUIRE_IRQL(APC_LEVEL);

    ULONG64 From = (ULONG64)SourceAddress.PhysicalAddress.QuadPart;
    NTSTATUS Status = STATUS_SUCCESS;
    SIZE_T Done = 0;
    *NumberOfBytesTransferred = 0;
    if (Flags != MM_COPY_MEMORY_PHYSICAL && Flags != MM_COPY_MEMORY_VIRTUAL)
        return STATUS_INVALID_PARAMETER_4;
    while (Done < NumberOfBytes && NT_SUCCESS(Status)) {
        SIZE_T Part = min(NumberOfBytes - Done, PAGE_SIZE - ((From + Done) & PAGE_MASK));
        Status = MiCopyPart((PUCHAR)TargetAddress + Done, From + Done, Part, Flags == MM_COPY_MEMORY_VIRTUAL);
        if (NT_SUCCESS(Status))
            Done += Part;
    }
    *NumberOfBytesTransferred = Done;
    return Status;
}

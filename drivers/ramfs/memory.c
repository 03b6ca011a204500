/* SPDX-License-Identifier: MIT
 * What the volume may use of the machine's memory. */
#include "ramfs.h"

static volatile LONG64 Used;

PVOID RamfsAllocate(POOL_FLAGS Flags, SIZE_T Size, NTSTATUS *Status)
{
    *Status = STATUS_DISK_FULL;
    if (Size > RAMFS_CAPACITY)
        return NULL;
    if (InterlockedAdd64(&Used, (LONG64)Size) > (LONG64)RAMFS_CAPACITY) {
        InterlockedAdd64(&Used, -(LONG64)Size);
        return NULL;
    }
    PVOID Block = ExAllocatePool2(Flags, Size, RAMFS_TAG);
    *Status = Block != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    if (Block == NULL)
        InterlockedAdd64(&Used, -(LONG64)Size);
    return Block;
}

VOID RamfsFree(PVOID Block, SIZE_T Size)
{
    if (Block == NULL)
        return;
    ExFreePoolWithTag(Block, RAMFS_TAG);
    InterlockedAdd64(&Used, -(LONG64)Size);
}

ULONG64 RamfsAvailable(VOID)
{
    return RAMFS_CAPACITY - (ULONG64)Used;
}

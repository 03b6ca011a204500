/* SPDX-License-Identifier: MIT
 * Writes to a pool block after it was freed; found when the block is used again. */
#include "pool_block.h"

static VOID Abuse(PUCHAR Block)
{
    ExFreePoolWithTag(Block, TAG);
    *(volatile UCHAR *)(Block + 40) = 1;
    Block = ExAllocatePoolWithTag(NonPagedPool, LENGTH, TAG);
    if (Block != NULL)
        ExFreePoolWithTag(Block, TAG);
}

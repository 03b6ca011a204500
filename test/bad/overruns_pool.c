/* SPDX-License-Identifier: MIT
 * Writes one byte behind a pool block; found when the block is freed. */
#include "pool_block.h"

static VOID Abuse(PUCHAR Block)
{
    Block[LENGTH] = 1;
    ExFreePoolWithTag(Block, TAG);
}

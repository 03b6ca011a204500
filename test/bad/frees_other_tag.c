/* SPDX-License-Identifier: MIT
 * Frees a pool block with another tag than it was allocated with. */
#include "pool_block.h"

static VOID Abuse(PUCHAR Block)
{
    ExFreePoolWithTag(Block, TAG + 1);
}

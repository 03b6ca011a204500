/* SPDX-License-Identifier: MIT
 * Frees a pool block twice. */
#include "pool_block.h"

static VOID Abuse(PUCHAR Block)
{
    ExFreePoolWithTag(Block, TAG);
    ExFreePoolWithTag(Block, TAG);
}

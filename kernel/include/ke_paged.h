/* SPDX-License-Identifier: MIT
 * Tier 2, ke: the check that paged pool is not touched at DISPATCH_LEVEL or above (checked kernel, processors with protection
 * keys for supervisor pages). Nothing of ours is paged out, but on Windows it may be.
 *
 * The pages of paged pool have a key of their own. A processor denies it when it enters a driver's routine at DISPATCH_LEVEL or a
 * driver takes a spin lock. Lowering the IRQL is an instruction in the driver: so the key is permitted again by the page fault that
 * comes of the next touch at a lower IRQL. A driver that raises the IRQL by itself is found when the key was denied before.
 * [Intel SDM volume 3, 4.6.2 "Protection Keys"] */
#pragma once
#include "ke.h"

extern BOOLEAN KePagedPoolChecked; /* (c) after start */

/* Once, boot processor. FALSE: the processor has no such keys, or it is the free kernel. */
BOOLEAN KeCheckPagedPool(VOID);

/* This processor, from DISPATCH_LEVEL on. Permit: the kernel's own look at a block's header. */
VOID KeDenyPagedPool(VOID);
VOID KePermitPagedPool(VOID);

/* SPDX-License-Identifier: MIT
 * Tier 3, pnp: the parts of giving resources to devices. */
#pragma once
#include "arbiter.h"
#include "pnpp.h"

/* What the processor sees: vectors instead of lines. STATUS_CONFLICTING_ADDRESSES: there is no such line, or no vector left. */
NTSTATUS PnpTranslate(const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw, CM_PARTIAL_RESOURCE_DESCRIPTOR *Translated);
/* Nobody else gets it until its owner gives back what it has. */
NTSTATUS PnpClaim(UCHAR Type, ULONG64 Start, ULONG64 Length, BOOLEAN Shared, const void *Owner);
VOID PnpShowResources(PNP_NODE *Node);

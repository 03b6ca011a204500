/* SPDX-License-Identifier: MIT
 * Tier 3, pnp: the parts of giving resources to devices. */
#pragma once
#include "arbiter.h"
#include "pnpp.h"

/* What the processor sees: vectors instead of lines. STATUS_CONFLICTING_ADDRESSES: there is no such line, or no vector left. */
NTSTATUS PnpTranslate(const CM_PARTIAL_RESOURCE_DESCRIPTOR *Raw, CM_PARTIAL_RESOURCE_DESCRIPTOR *Translated);
/* Nobody else gets it until its owner gives back what it has. */
NTSTATUS PnpClaim(UCHAR Type, const PNP_RANGE *Range);
/* But for what the same owner has, and for windows of bridges: what was there before plug and play lies behind all of them. */
BOOLEAN PnpIsFree(UCHAR Type, const PNP_RANGE *Range);
VOID PnpUnclaimAll(const void *Owner);
VOID PnpShowResources(PNP_NODE *Node);

/* usage.c. Ranges that an image's driver has not given back are its leak. */
struct _IM_MODULE;
VOID PnpReportUsageLeaks(struct _IM_MODULE *Module);

/* The first list of alternatives that can be had; not shown yet. Statuses as of PnpAssignResources. */
NTSTATUS PnpChooseResources(PNP_NODE *Node);

/* What a device had, while it is tried whether it could have something else. */
typedef struct _PNP_HELD {
    PCM_RESOURCE_LIST Resources, Translated;
    LIST_ENTRY Claims;
} PNP_HELD;

/* The device has nothing any more, and nothing is free that only it can give back: vectors of messages stay its own. */
VOID PnpSetAside(PNP_NODE *Node, PNP_HELD *Held);
/* What it was given meanwhile goes. */
VOID PnpTakeBack(PNP_NODE *Node, PNP_HELD *Held);
VOID PnpForget(PNP_HELD *Held);

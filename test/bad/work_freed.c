/* SPDX-License-Identifier: MIT
 * Frees a work item that is queued: bug check 0xE4 (2). */
#include "queued_item.h"

static inline VOID Abuse(PIO_WORKITEM Item)
{
    IoFreeWorkItem(Item);
}

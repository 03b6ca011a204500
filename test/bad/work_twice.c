/* SPDX-License-Identifier: MIT
 * Queues a work item that is queued already: bug check 0xE4 (1). */
#include "queued_item.h"

static inline VOID Abuse(PIO_WORKITEM Item)
{
    IoQueueWorkItem(Item, Routine, DelayedWorkQueue, NULL);
}

/* SPDX-License-Identifier: MIT
 * Works as long as there is memory: when its second allocation fails, it keeps the first. Seen with --fail-allocations only. */
#include <ntddk.h>
#include "fails_badly.h"

static NTSTATUS Begin(VOID)
{
    First = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, BADLY_TAG);
    if (First == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Second = ExAllocatePool2(POOL_FLAG_NON_PAGED, 200, BADLY_TAG);
    return Second != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* SPDX-License-Identifier: MIT
 * Host programs only: the builder's memory from the C library. */
#include <stdlib.h>
#include "cm/hive_host.h"

static void *FromHeap(void *Context, size_t Size)
{
    (void)Context;
    return malloc(Size);
}

static void ToHeap(void *Context, void *Block)
{
    (void)Context;
    free(Block);
}

const HIVE_MEMORY HiveHeap = {FromHeap, ToHeap, NULL};

const char *HiveStatusText(HIVE_STATUS Status)
{
    switch (Status) {
    case HiveOk:
        return "success";
    case HiveNotFound:
        return "no such key or value";
    case HiveNoMoreEntries:
        return "no more subkeys or values";
    case HiveDamaged:
        return "the hive is damaged";
    case HiveNoMemory:
        return "out of memory";
    case HiveBadName:
        return "not a registry name (empty, too long, too deep, or no UTF-8)";
    case HiveTooLarge:
        return "the hive would pass 2 GiB";
    case HiveNotEmpty:
        return "the key has subkeys";
    }
    return "unknown hive status";
}

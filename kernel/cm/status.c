/* SPDX-License-Identifier: MIT
 * The statuses of the pure hive code in NT's words. */
#include "cm/cmp.h"

NTSTATUS CmpStatus(HIVE_STATUS Status)
{
    switch (Status) {
    case HiveOk:
        return STATUS_SUCCESS;
    case HiveNotFound:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    case HiveNoMoreEntries:
        return STATUS_NO_MORE_ENTRIES;
    case HiveNoMemory:
    case HiveTooLarge:
        return STATUS_INSUFFICIENT_RESOURCES;
    case HiveBadName:
        return STATUS_INVALID_PARAMETER;
    case HiveNotEmpty:
        return STATUS_CANNOT_DELETE;
    case HiveDamaged:
        break;
    }
    return STATUS_REGISTRY_CORRUPT;
}

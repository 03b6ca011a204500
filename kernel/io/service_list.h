/* SPDX-License-Identifier: MIT
 * Tier 3, io: the services that the current control set describes, as far as it matters for starting drivers. */
#pragma once
#include "iop.h"
#include "service_order.h"

/* [WDK INF AddService directive, ErrorControl] */
typedef enum _IOP_ERROR_CONTROL {
    IopErrorIgnore = 0,
    IopErrorNormal = 1,
    IopErrorSevere = 2,
    IopErrorCritical = 3,
} IOP_ERROR_CONTROL;

typedef struct _IOP_SERVICE_STATE {
    uint32_t ErrorControl;
    NTSTATUS Status; /* of a service that was to be started */
    BOOLEAN Started;
} IOP_SERVICE_STATE;

typedef struct _IOP_SERVICE_LIST {
    SERVICE_ENTRY *Entries;
    IOP_SERVICE_STATE *States; /* one for each entry */
    uint32_t *Order;           /* room for all */
    ULONG Count;
    SERVICE_RULES Rules;
    SERVICE_TAGS *Tags;
    PVOID Blocks; /* everything that was allocated */
} IOP_SERVICE_LIST;

/* PASSIVE_LEVEL. Services that are no drivers, and keys that cannot be read, are left out; the latter with a sentence in the log. On
 * failure, too, the list is to be freed. */
NTSTATUS IopReadServiceList(IOP_SERVICE_LIST *List);
VOID IopFreeServiceList(IOP_SERVICE_LIST *List);

static inline UNICODE_STRING IopServiceString(SERVICE_TEXT Text)
{
    USHORT Length = (USHORT)(Text.Length * sizeof(WCHAR));
    return (UNICODE_STRING){Length, Length, (PWSTR)Text.Text};
}

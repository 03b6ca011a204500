/* SPDX-License-Identifier: MIT
 * In which order drivers that start by themselves are loaded. [WDK Specifying Driver Load Order; HKLM\SYSTEM\CurrentControlSet\Services]
 * Pure: the host builds it too. Nothing is allocated; names are compared whatever the case. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SERVICE_TEXT {
    const uint16_t *Text;
    uint32_t Length; /* code units */
} SERVICE_TEXT;

/* REG_MULTI_SZ: texts with a NUL behind each. */
typedef SERVICE_TEXT SERVICE_TEXTS;

typedef struct SERVICE_ENTRY {
    SERVICE_TEXT Name, Group; /* Group may be empty */
    uint32_t Start;           /* 0 boot, 1 system, 2 auto, 3 demand, 4 disabled */
    uint32_t Tag;             /* 0: none */
    SERVICE_TEXTS DependOnService, DependOnGroup;
    /* Set by ServiceOrder: */
    uint32_t GroupPlace, TagPlace;
    bool Wanted;  /* starts by itself, or one that does depends on it */
    bool Placed;  /* is in the order; Wanted but not Placed: ServiceObstacle says why */
    bool Reached; /* the search's own */
} SERVICE_ENTRY;

/* The tags of a group in their order: a value of Control\GroupOrderList. */
typedef struct SERVICE_TAGS {
    SERVICE_TEXT Group;
    const uint8_t *Bytes; /* count, then the tags, 32 bits each */
    uint32_t Length;
} SERVICE_TAGS;

typedef struct SERVICE_RULES {
    SERVICE_TEXTS Groups; /* Control\ServiceGroupOrder, List */
    const SERVICE_TAGS *Tags;
    uint32_t TagCount;
} SERVICE_RULES;

/* Fills Order with indices of Entries, first to be loaded first; returns how many. Boot drivers come before system drivers, then those
 * of auto start and what they need; then by the place of the group, of the tag in it, and of the entry; one that depends on others comes
 * after them. Who depends on a service that is not here or disabled, on a group of which nobody is started, or in a circle, is left out.
 * A service that is started on demand is placed only when one that is wanted names it in DependOnService. */
uint32_t ServiceOrder(SERVICE_ENTRY *Entries, uint32_t Count, const SERVICE_RULES *Rules, uint32_t *Order);

typedef enum SERVICE_OBSTACLE {
    ServiceNoObstacle,
    ServiceUnknown,    /* there is no service of that name */
    ServiceDisabled,   /* the service is disabled */
    ServiceEmptyGroup, /* nobody of that group is started */
    ServiceCircle,     /* by that service or group it depends on itself */
    ServiceBlocked,    /* that service, or all of that group, cannot be started */
} SERVICE_OBSTACLE;

/* After ServiceOrder: what keeps Entries[Index] from being started; *Name is the service or group that it depends on. */
SERVICE_OBSTACLE ServiceObstacle(SERVICE_ENTRY *Entries, uint32_t Count, uint32_t Index, SERVICE_TEXT *Name);

bool ServiceNameEquals(SERVICE_TEXT A, SERVICE_TEXT B);
/* Takes the next text off Texts; false at the end. */
bool ServiceTakeText(SERVICE_TEXTS *Texts, SERVICE_TEXT *Text);

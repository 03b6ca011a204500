/* SPDX-License-Identifier: MIT
 * The guest's end of the report channel for tests: writes records as the kernel does, or damaged ones. */
#pragma once
#include <glib.h>
#include <stdint.h>

#include "report_format.h"

typedef struct GuestRing {
    uint8_t *Memory;
    uint64_t Sequence;
    GByteArray *Body; /* fields of the record being made */
} GuestRing;

/* Memory: a channel that the host has initialised. Sets GuestVersion. */
void guest_ring_open(GuestRing *ring, void *memory);
void guest_ring_close(GuestRing *ring);

void guest_ring_text(GuestRing *ring, REPORT_KEY key, const char *text);
void guest_ring_number(GuestRing *ring, REPORT_KEY key, uint64_t number);
void guest_ring_bytes(GuestRing *ring, REPORT_KEY key, const void *data, uint32_t length);
/* Any kind, key and stated length; the data is what is really there. */
void guest_ring_raw_field(GuestRing *ring, uint8_t kind, uint8_t key, uint32_t stated, const void *data,
                          uint32_t length);

/* Publishes the fields added so far as one record. FALSE: it does not fit (counted in Lost). */
gboolean guest_ring_publish(GuestRing *ring, REPORT_TYPE type);
/* As above, but the record states another length. */
void guest_ring_publish_length(GuestRing *ring, uint16_t type, uint32_t stated);

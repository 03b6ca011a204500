/* SPDX-License-Identifier: MIT
 * A single-threaded writer of the report channel, after the words of report_format.h. */
#include "guest_ring.h"

#include <string.h>

static REPORT_HEADER *header_of(GuestRing *ring)
{
    return (REPORT_HEADER *)ring->Memory;
}

void guest_ring_open(GuestRing *ring, void *memory)
{
    *ring = (GuestRing){.Memory = memory, .Body = g_byte_array_new()};
    header_of(ring)->GuestVersion = REPORT_VERSION;
}

void guest_ring_close(GuestRing *ring)
{
    g_byte_array_unref(ring->Body);
}

void guest_ring_raw_field(GuestRing *ring, uint8_t kind, uint8_t key, uint32_t stated, const void *data,
                          uint32_t length)
{
    static const guint8 zeros[8];
    REPORT_FIELD field = {.Kind = kind, .Key = key, .Length = stated};
    g_byte_array_append(ring->Body, (const guint8 *)&field, sizeof field);
    if (length)
        g_byte_array_append(ring->Body, data, length);
    g_byte_array_append(ring->Body, zeros, (8 - ring->Body->len % 8) % 8);
}

void guest_ring_text(GuestRing *ring, REPORT_KEY key, const char *text)
{
    guest_ring_raw_field(ring, ReportKindText, key, (uint32_t)strlen(text), text, (uint32_t)strlen(text));
}

void guest_ring_number(GuestRing *ring, REPORT_KEY key, uint64_t number)
{
    guest_ring_raw_field(ring, ReportKindNumber, key, 8, &number, 8);
}

void guest_ring_bytes(GuestRing *ring, REPORT_KEY key, const void *data, uint32_t length)
{
    guest_ring_raw_field(ring, ReportKindBytes, key, length, data, length);
}

/* Room for length bytes, after a pad if the ring's end is too near; NULL if the ring is full. */
static uint8_t *reserve(GuestRing *ring, uint32_t length)
{
    REPORT_HEADER *header = header_of(ring);
    uint64_t at = header->Produced % header->RingLength;
    uint64_t tail = header->RingLength - at;
    uint64_t need = tail < length ? tail + length : length;
    if (header->Produced + need - header->Consumed > header->RingLength) {
        header->Lost++;
        return NULL;
    }
    uint8_t *record = ring->Memory + REPORT_DATA_OFFSET + at;
    header->Produced += need;
    if (tail >= length)
        return record;
    uint64_t pad = tail | (uint64_t)ReportPad << 32;
    __atomic_store_n((uint64_t *)record, pad, __ATOMIC_RELEASE);
    return ring->Memory + REPORT_DATA_OFFSET;
}

static gboolean publish(GuestRing *ring, uint16_t type, uint32_t stated)
{
    uint32_t length = (uint32_t)sizeof(REPORT_RECORD) + ring->Body->len;
    uint8_t *at = reserve(ring, length);
    if (at) {
        REPORT_RECORD record = {.Type = type, .Sequence = ++ring->Sequence, .Time = ring->Sequence * 1000};
        if (ring->Body->len)
            memcpy(at + sizeof record, ring->Body->data, ring->Body->len);
        memcpy(at + sizeof(uint32_t), (uint8_t *)&record + sizeof(uint32_t),
               sizeof record - sizeof(uint32_t));
        __atomic_store_n((uint32_t *)at, stated ? stated : length, __ATOMIC_RELEASE);
    }
    g_byte_array_set_size(ring->Body, 0);
    return at != NULL;
}

gboolean guest_ring_publish(GuestRing *ring, REPORT_TYPE type)
{
    return publish(ring, (uint16_t)type, 0);
}

void guest_ring_publish_length(GuestRing *ring, uint16_t type, uint32_t stated)
{
    publish(ring, type, stated);
}

/* SPDX-License-Identifier: MIT
 * Drains the report ring. Order of work for one record: read its first 8 bytes once (acquire), check, copy
 * the whole record out, zero it in the ring, advance Consumed (release), parse the copy. */
#include "report_reader.h"

#include <stdarg.h>
#include <string.h>

#define PREFIX_LENGTH 8u /* Length and Type: all that a pad needs to have */

static REPORT_HEADER *header_of(const ReportReader *reader)
{
    return (REPORT_HEADER *)reader->Memory;
}

void report_reader_init(ReportReader *reader, void *memory, uint64_t length)
{
    *reader = (ReportReader){.Memory = memory, .RingLength = REPORT_DATA_OFFSET};
    while (reader->RingLength * 2 <= length - REPORT_DATA_OFFSET)
        reader->RingLength *= 2;
    reader->Copy = g_malloc(REPORT_MAX_RECORD);
    reader->Fields = g_array_new(FALSE, FALSE, sizeof(ReportFieldView));
    REPORT_HEADER *header = header_of(reader);
    *header = (REPORT_HEADER){.Version = REPORT_VERSION, .RingLength = reader->RingLength};
    __atomic_store_n(&header->Magic, REPORT_MAGIC, __ATOMIC_RELEASE);
}

void report_reader_clear(ReportReader *reader)
{
    g_clear_pointer(&reader->Copy, g_free);
    g_clear_pointer(&reader->Damage, g_free);
    g_clear_pointer(&reader->Fields, g_array_unref);
}

uint16_t report_reader_guest_version(const ReportReader *reader)
{
    return __atomic_load_n(&header_of(reader)->GuestVersion, __ATOMIC_RELAXED);
}

uint64_t report_reader_lost(const ReportReader *reader)
{
    return __atomic_load_n(&header_of(reader)->Lost, __ATOMIC_RELAXED);
}

/* Stops the reader with one sentence. Returns false. */
static bool G_GNUC_PRINTF(2, 3) damage(ReportReader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *reason = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    reader->Damage = g_strdup_printf("report channel damaged at offset 0x%" G_GINT64_MODIFIER "x: %s",
                                     REPORT_DATA_OFFSET + reader->Consumed % reader->RingLength, reason);
    return false;
}

/* Length and type of the next record; Length 0 when none is published. */
typedef struct Prefix {
    uint32_t Length;
    uint16_t Type;
} Prefix;

static Prefix read_prefix(const uint8_t *at)
{
    uint64_t word = __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
    return (Prefix){.Length = (uint32_t)word, .Type = (uint16_t)(word >> 32)};
}

static bool check_prefix(ReportReader *reader, Prefix prefix)
{
    uint64_t room = reader->RingLength - reader->Consumed % reader->RingLength;
    uint64_t produced = __atomic_load_n(&header_of(reader)->Produced, __ATOMIC_RELAXED);
    uint32_t least = prefix.Type == ReportPad ? PREFIX_LENGTH : sizeof(REPORT_RECORD);
    if (prefix.Length % 8)
        return damage(reader, "the record's length 0x%x is not a multiple of 8", prefix.Length);
    if (prefix.Length < least)
        return damage(reader, "the record's length 0x%x is shorter than its header", prefix.Length);
    if (prefix.Length > room)
        return damage(reader, "the record's length 0x%x passes the end of the ring", prefix.Length);
    if (prefix.Type != ReportPad && prefix.Length > REPORT_MAX_RECORD)
        return damage(reader, "the record's length 0x%x is above the limit", prefix.Length);
    if (produced - reader->Consumed < prefix.Length || produced - reader->Consumed > reader->RingLength)
        return damage(reader, "the record does not agree with the count of bytes produced");
    return true;
}

/* Splits the copy's body into fields. */
static bool parse_fields(ReportReader *reader, uint32_t length)
{
    g_array_set_size(reader->Fields, 0);
    for (uint32_t at = sizeof(REPORT_RECORD); at < length;) {
        REPORT_FIELD field;
        if (length - at < sizeof field)
            return damage(reader, "a field's header at 0x%x passes the end of its record", at);
        memcpy(&field, reader->Copy + at, sizeof field);
        at += sizeof field;
        if (field.Length > length - at)
            return damage(reader, "a field's length 0x%x at 0x%x passes the end of its record", field.Length,
                          at);
        if (field.Kind == ReportKindNumber && field.Length != 8)
            return damage(reader, "a number of %u bytes at 0x%x", field.Length, at);
        ReportFieldView view = {field.Kind, field.Key, field.Length, reader->Copy + at};
        if (field.Kind >= ReportKindNumber && field.Kind <= ReportKindBytes)
            g_array_append_val(reader->Fields, view);
        uint32_t padded = (field.Length + 7) & ~7u; /* at and length are multiples of 8, so this fits */
        at += padded;
    }
    return true;
}

/* Hands the room of a record back to the guest. */
static void release(ReportReader *reader, uint8_t *at, uint32_t length)
{
    memset(at, 0, length);
    reader->Consumed += length;
    __atomic_store_n(&header_of(reader)->Consumed, reader->Consumed, __ATOMIC_RELEASE);
}

/* The copy is the authority, but for the prefix, which was checked. */
static bool deliver(ReportReader *reader, Prefix prefix, ReportSink *sink, void *context)
{
    if (!parse_fields(reader, prefix.Length))
        return false;
    ReportView view = {.Fields = reader->Fields};
    memcpy(&view.Header, reader->Copy, sizeof view.Header);
    view.Header.Length = prefix.Length;
    view.Header.Type = prefix.Type;
    reader->Records++;
    sink(&view, context);
    return true;
}

bool report_reader_drain(ReportReader *reader, ReportSink *sink, void *context)
{
    /* One ring's worth at most, so that a guest that writes without end cannot hold the caller for ever. */
    uint64_t limit = reader->Consumed + reader->RingLength;
    while (!reader->Damage && reader->Consumed < limit) {
        uint8_t *at = reader->Memory + REPORT_DATA_OFFSET + reader->Consumed % reader->RingLength;
        Prefix prefix = read_prefix(at);
        if (prefix.Length == 0)
            return true;
        if (!check_prefix(reader, prefix))
            return false;
        if (prefix.Type == ReportPad) {
            release(reader, at, prefix.Length);
            continue;
        }
        memcpy(reader->Copy, at, prefix.Length);
        if (!deliver(reader, prefix, sink, context))
            return false;
        release(reader, at, prefix.Length);
    }
    return !reader->Damage;
}

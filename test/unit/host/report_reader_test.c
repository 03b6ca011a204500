/* SPDX-License-Identifier: MIT
 * The reader of the report channel: order, wrap-around, loss, and every way in which a guest can damage it.
 */
#include "cmocka_glib.h"

#include <string.h>

#include "guest_ring.h"
#include "report_reader.h"
#include "run_report.h"

#define LENGTH (2u * REPORT_DATA_OFFSET) /* a ring of 4096 bytes */

typedef struct Channel {
    uint8_t *Memory;
    ReportReader Reader;
    GuestRing Guest;
    RunReport *Report;
} Channel;

static int set_up(void **state)
{
    Channel *channel = g_new0(Channel, 1);
    channel->Memory = g_malloc0(LENGTH);
    report_reader_init(&channel->Reader, channel->Memory, LENGTH);
    guest_ring_open(&channel->Guest, channel->Memory);
    channel->Report = run_report_new(false);
    *state = channel;
    return 0;
}

static int tear_down(void **state)
{
    Channel *channel = *state;
    report_reader_clear(&channel->Reader);
    guest_ring_close(&channel->Guest);
    run_report_free(channel->Report);
    g_free(channel->Memory);
    g_free(channel);
    return 0;
}

static bool drain(Channel *channel)
{
    return report_reader_drain(&channel->Reader, run_report_add, channel->Report);
}

static const RunEvent *event(const Channel *channel, guint index)
{
    assert_true(index < channel->Report->Events->len);
    return channel->Report->Events->pdata[index];
}

static void header_is_what_the_kernel_accepts(void **state)
{
    const REPORT_HEADER *header = (const REPORT_HEADER *)((Channel *)*state)->Memory;
    assert_int_equal(header->Magic, REPORT_MAGIC);
    assert_int_equal(header->Version, REPORT_VERSION);
    assert_int_equal(header->RingLength, 4096);
}

static void fields_arrive(void **state)
{
    Channel *channel = *state;
    guest_ring_text(&channel->Guest, ReportKeyDriver, "hello.sys");
    guest_ring_number(&channel->Guest, ReportKeyStatus, 0xC0000001);
    guest_ring_bytes(&channel->Guest, ReportKeyData, "\1\2\3", 3);
    assert_true(guest_ring_publish(&channel->Guest, ReportStepEnd));
    assert_true(drain(channel));
    assert_int_equal(channel->Report->Events->len, 1);
    assert_int_equal(event(channel, 0)->Type, ReportStepEnd);
    assert_string_equal(run_event_text(event(channel, 0), ReportKeyDriver), "hello.sys");
    assert_int_equal(run_event_value(event(channel, 0), ReportKeyStatus), 0xC0000001);
    assert_int_equal(g_bytes_get_size(event(channel, 0)->Data), 3);
    assert_null(run_event_text(event(channel, 0), ReportKeyText));
}

/* As DbgPrint("%wZ") has it, in the kernel's code page, and as a source in UTF-8 has it. */
static void text_of_drivers_becomes_utf8(void **state)
{
    Channel *channel = *state;
    guest_ring_text(&channel->Guest, ReportKeyText,
                    "gr\xf6\xdf"
                    "e \x80");
    guest_ring_text(&channel->Guest, ReportKeyDriver,
                    "gr\xc3\xb6\xc3\x9f"
                    "e.sys");
    guest_ring_text(&channel->Guest, ReportKeyName, "not in Windows-1252: \x81");
    assert_true(guest_ring_publish(&channel->Guest, ReportPrint));
    assert_true(drain(channel));
    assert_string_equal(run_event_text(event(channel, 0), ReportKeyText), "größe €");
    assert_string_equal(run_event_text(event(channel, 0), ReportKeyDriver), "größe.sys");
    assert_true(g_utf8_validate(run_event_text(event(channel, 0), ReportKeyName), -1, NULL));
}

static void wraps_many_times_and_zeroes_what_it_took(void **state)
{
    Channel *channel = *state;
    for (unsigned i = 1; i <= 1000; i++) {
        g_autofree char *text = g_strnfill(i % 300, 'x');
        guest_ring_text(&channel->Guest, ReportKeyText, text);
        assert_true(guest_ring_publish(&channel->Guest, ReportPrint));
        assert_true(drain(channel));
    }
    assert_int_equal(channel->Report->Events->len, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(event(channel, i)->Sequence, i + 1);
        assert_int_equal(strlen(run_event_text_or(event(channel, i), ReportKeyText, "")), (i + 1) % 300);
    }
    for (size_t at = REPORT_DATA_OFFSET; at < LENGTH; at++)
        assert_int_equal(channel->Memory[at], 0);
}

static void loss_is_counted_and_reading_goes_on(void **state)
{
    Channel *channel = *state;
    unsigned written = 0;
    for (unsigned i = 0; i < 200; i++) {
        guest_ring_text(&channel->Guest, ReportKeyText, "a line that the driver printed");
        written += guest_ring_publish(&channel->Guest, ReportPrint);
    }
    assert_true(written < 200);
    assert_int_equal(report_reader_lost(&channel->Reader), 200 - written);
    assert_true(drain(channel));
    assert_int_equal(channel->Report->Events->len, written);
    assert_true(guest_ring_publish(&channel->Guest, ReportDone));
    assert_true(drain(channel));
    assert_int_equal(event(channel, written)->Type, ReportDone);
}

static void an_unpublished_record_stops_the_reader_until_it_is_there(void **state)
{
    Channel *channel = *state;
    assert_true(guest_ring_publish(&channel->Guest, ReportBoot));
    uint32_t *length = (uint32_t *)(channel->Memory + REPORT_DATA_OFFSET);
    uint32_t published = *length;
    *length = 0;
    assert_true(guest_ring_publish(&channel->Guest, ReportDone));
    assert_true(drain(channel));
    assert_int_equal(channel->Report->Events->len, 0);
    *length = published;
    assert_true(drain(channel));
    assert_int_equal(channel->Report->Events->len, 2);
}

static void unknown_kinds_and_keys_are_skipped(void **state)
{
    Channel *channel = *state;
    guest_ring_raw_field(&channel->Guest, 77, 1, 5, "abcde", 5);
    guest_ring_raw_field(&channel->Guest, ReportKindText, 200, 5, "abcde", 5);
    guest_ring_text(&channel->Guest, ReportKeyText, "after");
    assert_true(guest_ring_publish(&channel->Guest, 9999));
    assert_true(drain(channel));
    assert_string_equal(run_event_text(event(channel, 0), ReportKeyText), "after");
    assert_string_equal(run_event_type_name(event(channel, 0)->Type), "unknown");
}

static void text_is_made_harmless(void **state)
{
    Channel *channel = *state;
    guest_ring_raw_field(&channel->Guest, ReportKindText, ReportKeyText, 12, "a\x1b[2J\xff\0b\r\n\t.", 12);
    assert_true(guest_ring_publish(&channel->Guest, ReportPrint));
    assert_true(drain(channel));
    const char *text = run_event_text(event(channel, 0), ReportKeyText);
    assert_true(g_utf8_validate(text, -1, NULL));
    assert_null(strchr(text, 0x1b));
    assert_non_null(strstr(text, "a.[2J"));
}

/* One record that states `length`; expects the words in the damage sentence. */
static void expect_damage(void **state, uint16_t type, uint32_t length, const char *words)
{
    Channel *channel = *state;
    guest_ring_publish_length(&channel->Guest, type, length);
    assert_false(drain(channel));
    assert_non_null(strstr(channel->Reader.Damage, "report channel damaged at offset 0x1000: "));
    assert_non_null(strstr(channel->Reader.Damage, words));
    assert_int_equal(channel->Report->Events->len, 0);
    assert_false(drain(channel));
}

static void length_not_a_multiple_of_8(void **state)
{
    expect_damage(state, ReportPrint, 33, "multiple of 8");
}

static void length_shorter_than_a_header(void **state)
{
    expect_damage(state, ReportPrint, 24, "shorter than its header");
}

static void length_past_the_end_of_the_ring(void **state)
{
    expect_damage(state, ReportPrint, 4104, "end of the ring");
}

static void length_of_4_gigabytes(void **state)
{
    expect_damage(state, ReportPrint, 0xfffffff8, "end of the ring");
}

static void pad_past_the_end_of_the_ring(void **state)
{
    expect_damage(state, ReportPad, 0xfffffff8, "end of the ring");
}

static void length_above_what_was_produced(void **state)
{
    expect_damage(state, ReportPrint, 512, "bytes produced");
}

static void expect_field_damage(void **state, uint8_t kind, uint32_t stated, uint32_t real, const char *words)
{
    Channel *channel = *state;
    guest_ring_raw_field(&channel->Guest, kind, ReportKeyText, stated, "12345678", real);
    guest_ring_publish(&channel->Guest, ReportPrint);
    assert_false(drain(channel));
    assert_non_null(strstr(channel->Reader.Damage, words));
}

static void field_longer_than_its_record(void **state)
{
    expect_field_damage(state, ReportKindText, 9, 8, "passes the end of its record");
}

static void field_of_4_gigabytes(void **state)
{
    expect_field_damage(state, ReportKindBytes, 0xffffffff, 8, "passes the end of its record");
}

static void number_of_4_bytes(void **state)
{
    expect_field_damage(state, ReportKindNumber, 4, 4, "a number of 4 bytes");
}

static void a_consumed_count_that_the_guest_scribbles_on_is_not_believed(void **state)
{
    Channel *channel = *state;
    REPORT_HEADER *header = (REPORT_HEADER *)channel->Memory;
    assert_true(guest_ring_publish(&channel->Guest, ReportBoot));
    assert_true(drain(channel));
    header->Consumed = 0x123456789abcdef0;
    header->RingLength = UINT64_MAX;
    header->Magic = 0;
    header->RingLength = 4096;
    header->Consumed = sizeof(REPORT_RECORD);
    assert_true(guest_ring_publish(&channel->Guest, ReportDone));
    header->Consumed = 0x123456789abcdef0;
    header->RingLength = UINT64_MAX;
    assert_true(drain(channel));
    assert_int_equal(channel->Report->Events->len, 2);
}

static void a_produced_count_that_went_back_is_damage(void **state)
{
    Channel *channel = *state;
    assert_true(guest_ring_publish(&channel->Guest, ReportBoot));
    ((REPORT_HEADER *)channel->Memory)->Produced = 0;
    assert_false(drain(channel));
    assert_non_null(strstr(channel->Reader.Damage, "bytes produced"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(header_is_what_the_kernel_accepts),
        CASE(fields_arrive),
        CASE(text_of_drivers_becomes_utf8),
        CASE(wraps_many_times_and_zeroes_what_it_took),
        CASE(loss_is_counted_and_reading_goes_on),
        CASE(an_unpublished_record_stops_the_reader_until_it_is_there),
        CASE(unknown_kinds_and_keys_are_skipped),
        CASE(text_is_made_harmless),
        CASE(length_not_a_multiple_of_8),
        CASE(length_shorter_than_a_header),
        CASE(length_past_the_end_of_the_ring),
        CASE(length_of_4_gigabytes),
        CASE(pad_past_the_end_of_the_ring),
        CASE(length_above_what_was_produced),
        CASE(field_longer_than_its_record),
        CASE(field_of_4_gigabytes),
        CASE(number_of_4_bytes),
        CASE(a_consumed_count_that_the_guest_scribbles_on_is_not_believed),
        CASE(a_produced_count_that_went_back_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

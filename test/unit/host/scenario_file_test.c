/* SPDX-License-Identifier: MIT
 * Scenarios as text: a request for each line, and for each mistake one sentence with its place. */
#include "cmocka_glib.h"

#include <string.h>

#include "scenario_file.h"

static GPtrArray *new_requests(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)request_free);
}

static const Request *at(const GPtrArray *requests, guint i)
{
    assert_true(i < requests->len);
    return requests->pdata[i];
}

static void each_verb(void **state)
{
    static const char text[] = "\xef\xbb\xbf"
                               "# a comment\r\n"
                               "\n"
                               "  read Rng0:16:8   \r\n"
                               "write \\Device\\X Y:00ff:3\n"
                               "ioctl\tX:0x222000:01:4\n"
                               "plug virtio-rng-pci,id=r,bus=rp1\n"
                               "unplug r\n"
                               "surprise 0:5.0\n"
                               "sleep";
    g_autoptr(GPtrArray) requests = new_requests();
    g_autoptr(GError) error = NULL;
    bool good = scenario_file_parse(text, sizeof(text) - 1, "a.scn", requests, &error);
    if (!good)
        fail_msg("%s", error->message);
    assert_int_equal(requests->len, 7);
    assert_int_equal(at(requests, 0)->Operation, ScenarioRead);
    assert_string_equal(at(requests, 0)->Device, "\\??\\Rng0");
    assert_int_equal(at(requests, 0)->OutputLength, 16);
    assert_int_equal(at(requests, 0)->Offset, 8);
    assert_string_equal(at(requests, 1)->Device, "\\Device\\X Y");
    assert_int_equal(at(requests, 1)->Input->len, 2);
    assert_int_equal(at(requests, 1)->Offset, 3);
    assert_int_equal(at(requests, 2)->Code, 0x222000);
    assert_non_null(at(requests, 3)->Command);
    assert_string_equal(at(requests, 4)->Gone, "r");
    assert_int_equal(at(requests, 5)->Operation, ScenarioIoctl);
}

static void expect_wrong(const char *text, gsize length, const char *sentence)
{
    g_autoptr(GPtrArray) requests = new_requests();
    g_autoptr(GError) error = NULL;
    assert_false(scenario_file_parse(text, length, "a.scn", requests, &error));
    assert_int_equal(requests->len, 0);
    if (!g_str_has_prefix(error->message, sentence))
        fail_msg("'%s' does not begin with '%s'", error->message, sentence);
}

static void mistakes(void **state)
{
    static const char *const lines[][2] = {
        {"read X\nraed X\n", "a.scn:2:1: a line begins with one of ioctl, read, write, plug, unplug, "
                             "surprise, sleep, not with 'raed'"},
        {"\n  read X:no", "a.scn:2:8: read: the length"},
        {"write X", "a.scn:1:7: write wants DEVICE:HEX[:OFFSET]"},
        {"write X:0", "a.scn:1:7: write: the data"},
        {"ioctl", "a.scn:1:6: a request without a device name"},
        {"ioctl X", "a.scn:1:7: ioctl wants DEVICE:CODE"},
        {"sleep 5", "a.scn:1:7: sleep stands alone, not before '5'"},
        {"surprise 0", "a.scn:1:10: surprise"},
        {"read \xff", "a.scn is no text in UTF-8"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        expect_wrong(lines[i][0], strlen(lines[i][0]), lines[i][1]);
    expect_wrong("read X\0", 7, "a.scn is no text in UTF-8");
}

static void no_file(void **state)
{
    g_autoptr(GPtrArray) requests = new_requests();
    g_autoptr(GError) error = NULL;
    assert_false(scenario_file_read("/nothing/a.scn", requests, &error));
    assert_true(g_str_has_prefix(error->message, "cannot read the scenario: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verb),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

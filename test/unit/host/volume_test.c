/* SPDX-License-Identifier: MIT
 * What the guest gets: boot.cpio read back with ldr/cpio, the scenario field by field, the SYSTEM hive with
 * the kernel's reader. */
#include "cmocka_glib.h"

#include <string.h>

#include "boot_archive.h"
#include "cm/hive_host.h"
#include "cpio/cpio.h"
#include "options.h"
#include "report_format.h"
#include "scenario.h"
#include "system_hive.h"
#include "volume.h"

static RunOptions *parse(char **argv)
{
    GError *error = NULL;
    RunOptions *options = run_options_parse(argv, &error);
    if (error)
        fail_msg("%s", error->message);
    return options;
}

static void archive_is_read_by_the_guests_reader(void **state)
{
    CPIO_ENTRY entry;
    CPIO_ERROR fault;
    CPIO_WALK walk;
    unsigned count = 0;
    gsize length;
    BootArchive *archive = boot_archive_new();
    assert_true(boot_archive_add(archive, "Windows/System32/a.sys", "12345", 5, NULL));
    assert_true(boot_archive_add(archive, "Windows/System32/empty", "", 0, NULL));
    assert_true(boot_archive_add(archive, "Windows/ntbox/scenario", "xyz", 3, NULL));
    g_autoptr(GBytes) bytes = boot_archive_finish(archive, NULL);
    const void *data = g_bytes_get_data(bytes, &length);
    assert_int_equal(CpioFind(data, length, "windows\\system32\\A.SYS", true, &entry, &fault), CpioFound);
    assert_int_equal(entry.Size, 5);
    assert_memory_equal(entry.Data, "12345", 5);
    assert_int_equal(entry.Mode & CPIO_MODE_TYPE, CPIO_MODE_FILE);
    assert_int_equal(CpioFind(data, length, "Windows/System32/empty", false, &entry, &fault), CpioFound);
    assert_int_equal(entry.Size, 0);
    assert_int_equal(CpioFind(data, length, "Windows/ntbox", false, &entry, &fault), CpioFound);
    assert_int_equal(entry.Mode & CPIO_MODE_TYPE, CPIO_MODE_DIRECTORY);
    CpioBegin(&walk, data, length);
    while (CpioNext(&walk, &entry) == CpioFound)
        count++;
    assert_int_equal(count, 6); /* three files, three folders, each once */
}

static void equal_archives_have_equal_bytes(void **state)
{
    GBytes *bytes[2];
    for (int i = 0; i < 2; i++) {
        BootArchive *archive = boot_archive_new();
        assert_true(boot_archive_add(archive, "a/b", "1", 1, NULL));
        bytes[i] = boot_archive_finish(archive, NULL);
    }
    assert_true(g_bytes_equal(bytes[0], bytes[1]));
    g_bytes_unref(bytes[0]);
    g_bytes_unref(bytes[1]);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    g_autoptr(GError) error = NULL;
    BootArchive *archive = boot_archive_new();
    assert_false(boot_archive_add_file(archive, "a", "/no/such/file.sys", &error));
    assert_non_null(strstr(error->message, "/no/such/file.sys"));
    boot_archive_free(archive);
}

/* The field of a key in a step, NULL if it has none. */
static const REPORT_FIELD *find_field(const SCENARIO_STEP *step, REPORT_KEY key)
{
    for (uint32_t at = sizeof *step; at < step->Length;) {
        const REPORT_FIELD *field = (const REPORT_FIELD *)((const uint8_t *)step + at);
        if (field->Key == key)
            return field;
        at += (uint32_t)sizeof *field + ((field->Length + 7) & ~7u);
    }
    return NULL;
}

static void assert_text(const SCENARIO_STEP *step, REPORT_KEY key, const char *text)
{
    const REPORT_FIELD *field = find_field(step, key);
    assert_non_null(field);
    assert_int_equal(field->Kind, ReportKindText);
    assert_int_equal(field->Length, strlen(text));
    assert_memory_equal(field + 1, text, field->Length);
}

static void assert_number(const SCENARIO_STEP *step, REPORT_KEY key, uint64_t number)
{
    const REPORT_FIELD *field = find_field(step, key);
    assert_non_null(field);
    assert_int_equal(field->Kind, ReportKindNumber);
    assert_memory_equal(field + 1, &number, sizeof number);
}

static void scenario_loads_requests_unloads_in_reverse(void **state)
{
    char *argv[] = {"ntbox",  "a.sys", "b.sys",   "--ioctl", "X:0x10:0102030405:7",
                    "--read", "X:9",   "--write", "X:ff:3",  NULL};
    RunOptions *options = parse(argv);
    static const SCENARIO_OP operations[] = {ScenarioLoad,  ScenarioLoad,   ScenarioIoctl, ScenarioRead,
                                             ScenarioWrite, ScenarioUnload, ScenarioUnload};
    const SCENARIO_STEP *steps[G_N_ELEMENTS(operations)];
    g_autoptr(GBytes) scenario = scenario_compile(options->Steps, &options->Fail, 0, false);
    gsize length;
    const SCENARIO_HEADER *header = g_bytes_get_data(scenario, &length);
    assert_int_equal(header->Magic, SCENARIO_MAGIC);
    assert_int_equal(header->Version, SCENARIO_VERSION);
    assert_int_equal(header->Length, length);
    assert_int_equal(header->StepCount, G_N_ELEMENTS(operations));
    const uint8_t *at = (const uint8_t *)(header + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++) {
        steps[i] = (const SCENARIO_STEP *)at;
        assert_int_equal(steps[i]->Operation, operations[i]);
        assert_int_equal(steps[i]->Length % 8, 0);
        at += steps[i]->Length;
    }
    assert_ptr_equal(at, (const uint8_t *)header + length);
    assert_text(steps[0], ReportKeyName, "a");
    assert_text(steps[6], ReportKeyName, "a");
    assert_text(steps[5], ReportKeyName, "b");
    assert_text(steps[2], ReportKeyDevice, "\\??\\X");
    assert_number(steps[2], ReportKeyCode, 0x10);
    assert_number(steps[2], ReportKeySize, 7);
    assert_int_equal(find_field(steps[2], ReportKeyData)->Length, 5);
    assert_number(steps[3], ReportKeySize, 9);
    assert_null(find_field(steps[3], ReportKeyOffset));
    assert_number(steps[4], ReportKeyOffset, 3);
    run_options_free(options);
}

static bool find_key(HIVE *hive, const char *path, HIVE_KEY *key)
{
    g_auto(GStrv) parts = g_strsplit(path, "\\", -1);
    assert_int_equal(HiveReadRoot(hive, key), HiveOk);
    for (char **part = parts; *part; part++) {
        glong length;
        g_autofree gunichar2 *name = g_utf8_to_utf16(*part, -1, NULL, &length, NULL);
        HIVE_KEY below;
        if (HiveFindSubKey(hive, key, name, (uint32_t)length, &below) != HiveOk)
            return false;
        *key = below;
    }
    return true;
}

static uint32_t value_of(HIVE *hive, const HIVE_KEY *key, const char *name, void *data, uint32_t size)
{
    glong length;
    HIVE_VALUE value;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(name, -1, NULL, &length, NULL);
    if (HiveFindValue(hive, key, wide, (uint32_t)length, &value) != HiveOk)
        return 0;
    assert_true(value.DataLength <= size);
    assert_int_equal(HiveReadData(hive, &value, data, value.DataLength), HiveOk);
    return value.Type;
}

static void hive_has_services_and_parameters(void **state)
{
    char *argv[] = {"ntbox",         "One.sys", "two.sys",       "--param",
                    "Depth=dword:7", "--param", "two/Only=sz:x", NULL};
    RunOptions *options = parse(argv);
    g_autoptr(GBytes) bytes = system_hive_build(options, NULL);
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    HIVE hive;
    HIVE_KEY key;
    uint32_t number = 0;
    uint16_t text[64] = {0};
    assert_int_equal(HiveOpen(&hive, data, length), HiveOk);
    assert_int_equal(HiveCheck(&hive), HiveOk);
    assert_true(find_key(&hive, "Select", &key));
    assert_int_equal(value_of(&hive, &key, "Current", &number, 4), HiveTypeNumber32);
    assert_int_equal(number, 1);
    assert_true(find_key(&hive, "ControlSet001\\Services\\agent", &key));
    assert_true(find_key(&hive, "ControlSet001\\Services\\one", &key));
    assert_int_equal(value_of(&hive, &key, "ImagePath", text, sizeof text), HiveTypeExpandText);
    g_autofree char *path = g_utf16_to_utf8(text, -1, NULL, NULL, NULL);
    assert_string_equal(path, "\\SystemRoot\\System32\\drivers\\One.sys");
    assert_true(find_key(&hive, "ControlSet001\\Services\\one\\Parameters", &key));
    assert_int_equal(value_of(&hive, &key, "Depth", &number, 4), HiveTypeNumber32);
    assert_int_equal(number, 7);
    assert_int_equal(value_of(&hive, &key, "Only", text, sizeof text), 0);
    assert_true(find_key(&hive, "ControlSet001\\Services\\two\\Parameters", &key));
    assert_int_equal(value_of(&hive, &key, "Only", text, sizeof text), HiveTypeText);
    run_options_free(options);
}

static void expect_text(HIVE *hive, const HIVE_KEY *key, const char *name, uint32_t type, const char *wanted)
{
    uint16_t text[64] = {0};
    assert_int_equal(value_of(hive, key, name, text, sizeof text), type);
    g_autofree char *found = g_utf16_to_utf8(text, -1, NULL, NULL, NULL);
    assert_string_equal(found, wanted);
}

static void expect_number(HIVE *hive, const HIVE_KEY *key, const char *name, uint32_t wanted)
{
    uint32_t number = ~wanted;
    assert_int_equal(value_of(hive, key, name, &number, 4), HiveTypeNumber32);
    assert_int_equal(number, wanted);
}

/* The values that `sc.exe create` writes; what is not said for one is said for all, or has its default. */
static void service_settings_are_in_the_hive(void **state)
{
    char *argv[] = {"ntbox",
                    "a.sys",
                    "b.sys",
                    "--service=a/start=boot",
                    "--service=error=severe",
                    "--service=a/type=filesys",
                    "--service=a/group=Bus",
                    "--service=a/tag=5",
                    "--service=a/depend=b/+Port",
                    "--service=a/binPath=x\\a.sys",
                    "--service=a/displayname=Good",
                    "--group-order=Boot/Bus:5,1",
                    NULL};
    RunOptions *options = parse(argv);
    g_autoptr(GBytes) bytes = system_hive_build(options, NULL);
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    static const uint32_t order[] = {2, 5, 1};
    uint32_t tags[3];
    HIVE hive;
    HIVE_KEY key;
    assert_int_equal(HiveOpen(&hive, data, length), HiveOk);
    assert_true(find_key(&hive, "ControlSet001\\Services\\a", &key));
    expect_number(&hive, &key, "Type", 2);
    expect_number(&hive, &key, "Start", 0);
    expect_number(&hive, &key, "ErrorControl", 2);
    expect_number(&hive, &key, "Tag", 5);
    expect_text(&hive, &key, "Group", HiveTypeText, "Bus");
    expect_text(&hive, &key, "ImagePath", HiveTypeExpandText, "x\\a.sys");
    expect_text(&hive, &key, "DisplayName", HiveTypeText, "Good");
    expect_text(&hive, &key, "DependOnService", HiveTypeMultiText, "b");
    expect_text(&hive, &key, "DependOnGroup", HiveTypeMultiText, "Port");
    assert_true(find_key(&hive, "ControlSet001\\Services\\b", &key));
    expect_number(&hive, &key, "Type", 1);
    expect_number(&hive, &key, "Start", 3);
    expect_number(&hive, &key, "ErrorControl", 2);
    assert_true(find_key(&hive, "ControlSet001\\Control\\ServiceGroupOrder", &key));
    expect_text(&hive, &key, "List", HiveTypeMultiText, "Boot");
    assert_true(find_key(&hive, "ControlSet001\\Control\\GroupOrderList", &key));
    assert_int_equal(value_of(&hive, &key, "Bus", tags, sizeof tags), HiveTypeBinary);
    assert_memory_equal(tags, order, sizeof order);
    run_options_free(options);
}

static void command_line_has_the_kernels_words(void **state)
{
    char *argv[] = {"ntbox", "a.sys",       "--seed",   "5",     "--bind",
                    "count", "--strict-wx", "--append", "x=1 y", NULL};
    RunOptions *options = parse(argv);
    g_autofree char *line = volume_command_line(options, NULL);
    assert_string_equal(line, "exitport=0xf4 nmi=where seed=5 bind=count strict-wx x=1 y");
    run_options_free(options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archive_is_read_by_the_guests_reader),
        cmocka_unit_test(equal_archives_have_equal_bytes),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(scenario_loads_requests_unloads_in_reverse),
        cmocka_unit_test(hive_has_services_and_parameters),
        cmocka_unit_test(service_settings_are_in_the_hive),
        cmocka_unit_test(command_line_has_the_kernels_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

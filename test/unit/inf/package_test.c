/* SPDX-License-Identifier: MIT
 * What packages install: the corpus of test/corpus/inf, whose folder is the argument. */
#include "cmocka_glib.h"

#include <string.h>

#include "inf_package.h"
#include "inf_read.h"

#define FIRST "DriverDatabase\\DriverPackages\\everything.inf\\Configurations\\First.NTamd64"

static const char *corpus;

/* A package with all that it is made of. */
typedef struct Read {
    InfFile *File;
    GPtrArray *Included; /* of InfFile */
    InfRegistry *Registry;
    InfPackage *Package; /* NULL: Error says why */
    GError *Error;
} Read;

static InfFile *load(const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(corpus, name, NULL), *bytes = NULL,
                    *base = g_path_get_basename(name);
    gsize length;
    if (!g_file_get_contents(path, &bytes, &length, NULL))
        return NULL;
    return inf_file_parse(base, bytes, length, error);
}

static bool open_include(void *context, const char *name, const InfFile **file, GError **error)
{
    Read *read = context;
    *file = load(name, error);
    if (*file)
        g_ptr_array_add(read->Included, (gpointer)*file);
    return true;
}

static void finish(Read *read)
{
    InfIncludes includes = {open_include, read};
    read->Included = g_ptr_array_new_with_free_func((GDestroyNotify)inf_file_free);
    read->Registry = inf_registry_new();
    if (read->File)
        read->Package = inf_package_read(read->File, &includes, read->Registry, &read->Error);
}

static Read read_corpus(const char *name)
{
    Read read = {0};
    read.File = load(name, &read.Error);
    finish(&read);
    return read;
}

static Read read_text(const char *text)
{
    Read read = {0};
    read.File = inf_file_parse("x.inf", text, strlen(text), &read.Error);
    finish(&read);
    return read;
}

static void clear(Read *read)
{
    g_clear_pointer(&read->File, inf_file_free);
    g_clear_pointer(&read->Package, inf_package_free);
    inf_registry_free(read->Registry);
    g_ptr_array_unref(read->Included);
    g_clear_error(&read->Error);
}

static void expect_good(const Read *read)
{
    if (!read->Package)
        fail_msg("%s", read->Error ? read->Error->message : "there is no such file");
}

static const InfValue *value_of(const Read *read, const char *path, const char *name, guint32 type)
{
    const InfValue *value = inf_registry_value(read->Registry, path, name);
    if (!value)
        fail_msg("there is no %s in %s", name, path);
    if (value->Type != type)
        fail_msg("%s in %s has the type %u, not %u", name, path, value->Type, type);
    return value;
}

/* Lists have '|' between their texts. */
static void expect_text(const Read *read, const char *path, const char *name, guint32 type,
                        const char *wanted)
{
    g_auto(GStrv) texts = inf_registry_texts(value_of(read, path, name, type));
    g_autofree char *text = g_strjoinv("|", texts);
    assert_string_equal(text, wanted);
}

static void expect_number(const Read *read, const char *path, const char *name, guint32 wanted)
{
    guint32 number = ~wanted;
    value_of(read, path, name, InfRegDword);
    assert_true(inf_registry_number(read->Registry, path, name, &number));
    assert_int_equal(number, wanted);
}

static void expect_bytes(const Read *read, const char *path, const char *name, guint32 type,
                         const void *bytes, guint length)
{
    const InfValue *value = value_of(read, path, name, type);
    assert_int_equal(value->Data->len, length);
    assert_memory_equal(value->Data->data, bytes, length);
}

static void expect_no(const Read *read, const char *path, const char *name)
{
    assert_null(inf_registry_value(read->Registry, path, name));
}

static guint count_notes(const Read *read, const char *part)
{
    guint found = 0;
    for (guint i = 0; i < read->Package->Notes->len; i++)
        found += strstr(read->Package->Notes->pdata[i], part) != NULL;
    return found;
}

static void expect_note(const Read *read, const char *part)
{
    if (count_notes(read, part) != 1)
        fail_msg("%u notes say '%s'", count_notes(read, part), part);
}

static void expect_no_note(const Read *read, const char *part)
{
    if (count_notes(read, part))
        fail_msg("a note says '%s'", part);
}

/* ---- the contract with the kernel's PnP manager ---- */

static void virtio_rng(void **state)
{
    static const char package[] = "DriverDatabase\\DriverPackages\\virtio_rng.inf";
    static const char configuration[] =
        "DriverDatabase\\DriverPackages\\virtio_rng.inf\\Configurations\\VirtioRng_Inst.NT";
    static const char descriptor[] =
        "DriverDatabase\\DriverPackages\\virtio_rng.inf\\Descriptors\\PCI\\VEN_1AF4&DEV_1044";
    static const char service[] = "ControlSet001\\Services\\virtio_rng";
    Read read = read_corpus("virtio_rng.inf");
    expect_good(&read);
    expect_number(&read, "DriverDatabase\\DeviceIds\\PCI\\VEN_1AF4&DEV_1005", "virtio_rng.inf", 0);
    expect_number(&read, "DriverDatabase\\DeviceIds\\PCI\\VEN_1AF4&DEV_1044", "virtio_rng.inf", 1);
    expect_text(&read, package, "InfName", InfRegSz, "virtio_rng.inf");
    expect_text(&read, package, "Provider", InfRegSz, "ntbox tests");
    expect_text(&read, package, "Class", InfRegSz, "System");
    expect_text(&read, package, "ClassGuid", InfRegSz, "{4d36e97d-e325-11ce-bfc1-08002be10318}");
    expect_text(&read, package, "DriverDate", InfRegSz, "10-1-2026");
    expect_text(&read, package, "DriverVersion", InfRegSz, "1.0.0.0");
    expect_text(&read, descriptor, "Configuration", InfRegSz, "VirtioRng_Inst.NT");
    expect_text(&read, descriptor, "Description", InfRegSz, "VirtIO RNG device");
    expect_text(&read, descriptor, "Manufacturer", InfRegSz, "ntbox tests");
    expect_text(&read, configuration, "Service", InfRegSz, "virtio_rng");
    expect_text(&read, configuration, "InfSection", InfRegSz, "VirtioRng_Inst");
    expect_text(&read, configuration, "InfSectionExt", InfRegSz, ".NT");
    g_autofree char *device = g_strconcat(configuration, "\\Device", NULL),
                    *driver = g_strconcat(configuration, "\\Driver", NULL);
    g_autofree char *msi =
        g_strconcat(device, "\\Interrupt Management\\MessageSignaledInterruptProperties", NULL);
    expect_text(&read, device, "Security", InfRegSz, "D:P(A;;GA;;;SY)(A;;GR;;;BA)");
    expect_number(&read, msi, "MSISupported", 1);
    expect_number(&read, driver, "Pool", 64);
    expect_number(&read, service, "Type", 1);
    expect_number(&read, service, "Start", 3);
    expect_number(&read, service, "ErrorControl", 1);
    expect_text(&read, service, "ImagePath", InfRegExpandSz,
                "\\SystemRoot\\System32\\drivers\\virtio_rng.sys");
    expect_text(&read, service, "Group", InfRegSz, "Extended Base");
    expect_text(&read, "ControlSet001\\Control\\Class\\{4d36e97d-e325-11ce-bfc1-08002be10318}", "Class",
                InfRegSz, "System");
    assert_int_equal(read.Package->Notes->len, 0);
    assert_int_equal(read.Package->Copies->len, 1);
    clear(&read);
}

/* ---- everything ---- */

static void models_and_version(void **state)
{
    Read read = read_corpus("everything.inf");
    expect_good(&read);
    assert_string_equal(read.Package->Version, "7.8.0.0");
    assert_string_equal(read.Package->Date, "2-3-2024");
    assert_int_equal(read.Package->Models->len, 3);
    expect_number(&read, "DriverDatabase\\DeviceIds\\ROOT\\EVERY", "everything.inf", 0);
    expect_number(&read, "DriverDatabase\\DeviceIds\\*EVERY01", "everything.inf", 1);
    expect_number(&read, "DriverDatabase\\DeviceIds\\ROOT\\EVERY_COMPATIBLE", "everything.inf", 1);
    expect_text(&read, "DriverDatabase\\DriverPackages\\everything.inf\\Descriptors\\ROOT\\EVERY",
                "Configuration", InfRegSz, "First.NTamd64");
    assert_null(inf_registry_find(read.Registry, "DriverDatabase\\DeviceIds\\ROOT\\NEWER"));
    assert_null(inf_registry_find(read.Registry, "DriverDatabase\\DeviceIds\\ROOT\\SERVER"));
    assert_null(inf_registry_find(read.Registry, "DriverDatabase\\DeviceIds\\ROOT\\ANY"));
    expect_no(&read, "DriverDatabase\\DriverPackages\\everything.inf\\Configurations\\Second.NT", "Service");
    clear(&read);
}

static void types_of_values(void **state)
{
    Read read = read_corpus("everything.inf");
    static const char driver[] = FIRST "\\Driver";
    expect_good(&read);
    expect_text(&read, driver, "SzToo", InfRegSz, "quoted, with a comma");
    expect_bytes(&read, driver, "Empty", InfRegSz, "\0\0", 2);
    expect_text(&read, driver, "Expand", InfRegExpandSz, "%SystemRoot%\\x and 100% of Everything && Co.");
    expect_text(&read, driver, "Multi", InfRegMultiSz, "one|two|three");
    expect_bytes(&read, driver, "MultiEmpty", InfRegMultiSz, "\0\0", 2);
    expect_number(&read, driver, "Dword", UINT32_MAX);
    expect_number(&read, driver, "DwordMinus", (guint32)-2);
    expect_number(&read, driver, "DwordBytes", 0x12345678);
    expect_bytes(&read, driver, "Qword", InfRegQword, "\xf0\xde\xbc\x9a\x78\x56\x34\x12", 8);
    expect_bytes(&read, driver, "Binary", InfRegBinary, "\x00\x01\xfe\xff\x0a\x0b", 6);
    expect_bytes(&read, driver, "BinaryEmpty", InfRegBinary, "", 0);
    expect_bytes(&read, driver, "None", InfRegNone, "\xde\xad", 2);
    expect_bytes(&read, driver, "Number8", 8, "\x01\x02", 2);
    expect_text(&read, driver, "", InfRegSz, "default");
    clear(&read);
}

static void flags_of_values(void **state)
{
    Read read = read_corpus("everything.inf");
    static const char driver[] = FIRST "\\Driver";
    expect_good(&read);
    expect_text(&read, driver, "Kept", InfRegSz, "first");
    expect_text(&read, driver, "Kept2", InfRegSz, "second");
    expect_no(&read, driver, "OverwriteOnly");
    expect_text(&read, FIRST "\\Device", "UpperFilters", InfRegMultiSz, "every2|every3");
    assert_non_null(inf_registry_find(read.Registry, FIRST "\\Driver\\Only\\Key2"));
    assert_int_equal(inf_registry_find(read.Registry, FIRST "\\Driver\\Only\\Key3")->Values->len, 0);
    expect_no(&read, "ControlSet001\\Control\\Class\\{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}", "Gone");
    expect_text(&read, driver, "Sz", InfRegSz, "text"); /* deletes come first */
    expect_text(&read, driver, "Unknown", InfRegSz, "%NoSuchString%");
    clear(&read);
}

static void services_and_interfaces(void **state)
{
    static const char every[] = "ControlSet001\\Services\\every";
    static const char interface[] = FIRST "\\Interfaces\\{cafebabe-0001-0002-0003-000000000004}\\#reference";
    Read read = read_corpus("everything.inf");
    expect_good(&read);
    expect_text(&read, every, "DependOnService", InfRegMultiSz, "every2");
    expect_text(&read, every, "DependOnGroup", InfRegMultiSz, "Port|Bus");
    expect_text(&read, every, "DisplayName", InfRegSz, "Device 1 in English");
    expect_text(&read, every, "Description", InfRegSz, "All of it; with a semicolon, and a \"quoted\" word");
    expect_number(&read, "ControlSet001\\Services\\every\\Parameters", "Depth", 5);
    expect_text(&read, "ControlSet001\\Services\\every2", "DisplayName", InfRegSz, "every2");
    expect_text(&read, "ControlSet001\\Services\\every2", "ImagePath", InfRegExpandSz,
                "\\SystemRoot\\system32\\drivers\\every2.sys");
    assert_null(inf_registry_find(read.Registry, "ControlSet001\\Services\\everyone"));
    expect_number(&read, "ControlSet001\\Control\\Every", "Made", 1);
    expect_text(&read, FIRST, "Service", InfRegSz, "every");
    expect_text(&read, interface, "FriendlyName", InfRegSz, "an interface");
    assert_non_null(
        inf_registry_find(read.Registry, FIRST "\\Interfaces\\{11111111-2222-3333-4444-555555555555}\\#"));
    const InfConfiguration *first = read.Package->Configurations->pdata[0];
    assert_string_equal(first->KmdfService, "every");
    assert_string_equal(first->KmdfVersion, "1.15");
    clear(&read);
}

static void files_of_it(void **state)
{
    static const char *const wanted[][2] = {
        {"amd64/every.sys", "Windows/System32/drivers/every.sys"},
        {"more/every2.sys", "Windows/System32/drivers/every2.sys"},
        {"more/data.bin", "Windows/System32/DriverStore/FileRepository/everything.inf/data/renamed file.bin"},
    };
    Read read = read_corpus("everything.inf");
    expect_good(&read);
    assert_int_equal(read.Package->Copies->len, G_N_ELEMENTS(wanted));
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        const InfCopy *copy = NULL;
        for (guint j = 0; j < read.Package->Copies->len && !copy; j++) {
            const InfCopy *one = read.Package->Copies->pdata[j];
            copy = strcmp(one->Target, wanted[i][1]) == 0 ? one : NULL;
        }
        assert_non_null(copy);
        assert_string_equal(copy->Source, wanted[i][0]);
    }
    clear(&read);
}

static void what_is_left_out_is_told(void **state)
{
    static const char *const notes[] = {"machine.inf does not lie beside this INF",
                                        "Mystery is no directive",
                                        "[First.NTamd64] DelFiles: ignored",
                                        "[First.NTamd64] LogConfig: ignored",
                                        "CopyINF: ignored",
                                        "DelService: ignored",
                                        "HKLM\\SOFTWARE\\Every is ignored",
                                        "HKCU\\x is ignored",
                                        "everyone is a service of user mode",
                                        "%Other%: none of its models",
                                        ".CoInstallers] AddReg: the section",
                                        "directory 66000 are not copied",
                                        "%NoSuchString% is in no Strings",
                                        "Security: ignored"};
    Read read = read_corpus("everything.inf");
    expect_good(&read);
    expect_no_note(&read, "PciIoSpaceNotRequired.NT"); /* it is machine.inf's */
    expect_text(&read, FIRST "\\Driver", "FromIncluded", InfRegSz, "text of included.inf");
    for (size_t i = 0; i < G_N_ELEMENTS(notes); i++)
        expect_note(&read, notes[i]);
    clear(&read);
}

/* ---- what is wrong ---- */

/* "; error: LINE: SENTENCE" of the first line, whatever its encoding. */
static char *expectation(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize length;
    g_autoptr(GString) ascii = g_string_new(NULL);
    assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    for (gsize i = 0; i < length && bytes[i] != '\n'; i++) {
        if (bytes[i] > 0)
            g_string_append_c(ascii, bytes[i]);
    }
    const char *found = strstr(ascii->str, "; error: ");
    return found ? g_strdup(found + strlen("; error: ")) : NULL;
}

static void bad_ones(void **state)
{
    g_autofree char *folder = g_build_filename(corpus, "bad", NULL);
    g_autoptr(GDir) listing = g_dir_open(folder, 0, NULL);
    guint count = 0;
    assert_non_null(listing);
    for (const char *name = g_dir_read_name(listing); name; name = g_dir_read_name(listing), count++) {
        g_autofree char *path = g_build_filename(folder, name, NULL), *wanted = expectation(path);
        g_autofree char *below = g_build_filename("bad", name, NULL),
                        *begin = g_strdup_printf("%s:%s", name, wanted);
        Read read = read_corpus(below);
        if (!wanted || read.Package || !read.Error || !g_str_has_prefix(read.Error->message, begin))
            fail_msg("%s says '%s', not '%s'", name, read.Error ? read.Error->message : "nothing", begin);
        clear(&read);
    }
    assert_true(count > 40);
}

#define HEAD "[Version]\nSignature=$Chicago$\nClass=System\nProvider=x\n[Manufacturer]\nm=M,NTamd64\n"

/* A section that is named again and again, in two dimensions, ends at the limit. */
static void what_grows_too_large_is_refused(void **state)
{
    g_autoptr(GString) text = g_string_new(HEAD "[M.NTamd64]\nd=I,ROOT\\A\n[I]\n");
    for (int i = 0; i < 2000; i++)
        g_string_append(text, "AddReg=R\n");
    g_string_append(text, "[R]\n");
    for (int i = 0; i < 2000; i++)
        g_string_append_printf(text, "HKR,,v%d,,x\n", i);
    Read read = read_text(text->str);
    assert_null(read.Package);
    assert_non_null(strstr(read.Error->message, "too many for one package"));
    clear(&read);
}

static void values_beyond_measure_are_refused(void **state)
{
    g_autoptr(GString) text = g_string_new(HEAD "[M.NTamd64]\nd=I,ROOT\\A\n[I]\nAddReg=R\n[R]\n");
    for (int i = 0; i < 5000; i++)
        g_string_append_printf(text, "HKR,,v%d,,x\n", i);
    Read read = read_text(text->str);
    assert_null(read.Package);
    assert_non_null(strstr(read.Error->message, "more than 4096 values"));
    clear(&read);
    g_string_assign(text, HEAD "[M.NTamd64]\nd=I,ROOT\\A\n[I]\nAddReg=R\n[R]\n");
    for (int i = 0; i < 33000; i++)
        g_string_append_printf(text, "HKR,k%d,,0x10\n", i);
    read = read_text(text->str);
    assert_null(read.Package);
    assert_non_null(strstr(read.Error->message, "more than 32768 keys"));
    clear(&read);
    g_string_assign(text, HEAD "[M.NTamd64]\nd=I,ROOT\\A\n[I]\nAddReg=R\n[R]\n");
    for (int i = 0; i < 5000; i++)
        g_string_append(text, "HKR,,v,,%big%\n");
    g_autofree char *big = g_strnfill(4000, 'b');
    g_string_append_printf(text, "[Strings]\nbig=%s\n", big);
    read = read_text(text->str);
    assert_null(read.Package);
    assert_non_null(strstr(read.Error->message, "more than 16777216 bytes"));
    clear(&read);
}

static void classes_by_name_or_guid(void **state)
{
    Read read = read_text(HEAD "[M.NTamd64]\nd=I,ROOT\\A\n[I]\n");
    expect_good(&read);
    assert_string_equal(read.Package->ClassGuid, "{4d36e97d-e325-11ce-bfc1-08002be10318}");
    assert_string_equal(read.Package->Date, "");
    expect_no(&read, "DriverDatabase\\DriverPackages\\x.inf", "DriverDate");
    clear(&read);
    read = read_text("[Version]\nSignature=$Chicago$\nClassGuid={4D36E972-E325-11CE-BFC1-08002BE10318}\n"
                     "[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\n");
    expect_good(&read);
    assert_string_equal(read.Package->Class, "Net");
    clear(&read);
}

static void the_first_model_of_an_id_counts(void **state)
{
    Read read =
        read_text(HEAD "[M.NTamd64]\na=I,ROOT\\A\nb=J,ROOT\\A\nc=J,ROOT\\B,ROOT\\C\nd=I,ROOT\\C\n[I]\n[J]\n");
    expect_good(&read);
    expect_text(&read, "DriverDatabase\\DriverPackages\\x.inf\\Descriptors\\ROOT\\A", "Configuration",
                InfRegSz, "I");
    expect_text(&read, "DriverDatabase\\DriverPackages\\x.inf\\Descriptors\\ROOT\\C", "Configuration",
                InfRegSz, "I");
    expect_number(&read, "DriverDatabase\\DeviceIds\\ROOT\\C", "x.inf", 0);
    clear(&read);
}

/* Sections that are needed one behind the other are no circle. */
static void many_needs(void **state)
{
    g_autoptr(GString) text = g_string_new(HEAD "[M.NTamd64]\nd=I,ROOT\\A\n[I]\n");
    for (int i = 0; i < 40; i++)
        g_string_append(text, "Needs=N\n");
    g_string_append(text, "Needs=Nobody\n[N]\nFeatureScore=1\n");
    Read read = read_text(text->str);
    expect_good(&read);
    expect_note(&read, "there is no section [Nobody]: it is skipped");
    clear(&read);
}

/* The flags are bits: 0x1 alone makes no function driver. */
static void other_flags_of_a_service(void **state)
{
    Read read =
        read_text(HEAD "[M.NTamd64]\nd=I,ROOT\\A\n[I]\n[I.Services]\nAddService=s,1,S\n[S]\nServiceType=1\n"
                       "StartType=3\nErrorControl=1\nServiceBinary=%12%\\s.sys\n");
    expect_good(&read);
    expect_no(&read, "DriverDatabase\\DriverPackages\\x.inf\\Configurations\\I", "Service");
    assert_int_equal(read.Package->Services->len, 1);
    clear(&read);
}

/* Only HKLM has the control set; a line that deletes HKR itself deletes nothing. */
static void roots(void **state)
{
    Read read =
        read_text(HEAD "[M.NTamd64]\n[ClassInstall32]\nAddReg=R\nDelReg=D\n[D]\nHKR\nHKR,,\n"
                       "[R]\nHKCR,System\\CurrentControlSet\\x,a,,b\nHKLM,System\\CurrentControlSet,a,,b\n"
                       "HKLM,\\SYSTEM\\controlset001\\y\\,a,,b\n");
    expect_good(&read);
    assert_null(inf_registry_find(read.Registry, "ControlSet001\\x"));
    expect_text(&read, "ControlSet001\\y", "a", InfRegSz, "b");
    expect_text(&read, "ControlSet001\\Control\\Class\\{4d36e97d-e325-11ce-bfc1-08002be10318}", "Class",
                InfRegSz, "System");
    assert_int_equal(read.Package->Notes->len, 2);
    clear(&read);
}

/* A service whose file no CopyFiles line has named comes from beside the INF. */
static void a_service_brings_its_file(void **state)
{
    Read read =
        read_text(HEAD "[M.NTamd64]\nd=I,ROOT\\A\n[I]\n[I.Services]\nAddService=s,2,S\n[S]\nServiceType=1\n"
                       "StartType=3\nErrorControl=1\nServiceBinary=%13%\\sub\\s.sys\n");
    expect_good(&read);
    const InfCopy *copy = read.Package->Copies->pdata[0];
    assert_string_equal(copy->Source, "s.sys");
    assert_string_equal(copy->Target, "Windows/System32/DriverStore/FileRepository/x.inf/sub/s.sys");
    assert_string_equal(copy->Where, "x.inf:16: [S] ServiceBinary");
    expect_text(&read, "ControlSet001\\Services\\s", "ImagePath", InfRegExpandSz,
                "\\SystemRoot\\System32\\DriverStore\\FileRepository\\x.inf\\sub\\s.sys");
    clear(&read);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtio_rng),
        cmocka_unit_test(models_and_version),
        cmocka_unit_test(types_of_values),
        cmocka_unit_test(flags_of_values),
        cmocka_unit_test(services_and_interfaces),
        cmocka_unit_test(files_of_it),
        cmocka_unit_test(what_is_left_out_is_told),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(what_grows_too_large_is_refused),
        cmocka_unit_test(values_beyond_measure_are_refused),
        cmocka_unit_test(classes_by_name_or_guid),
        cmocka_unit_test(a_service_brings_its_file),
        cmocka_unit_test(the_first_model_of_an_id_counts),
        cmocka_unit_test(many_needs),
        cmocka_unit_test(other_flags_of_a_service),
        cmocka_unit_test(roots),
    };
    corpus = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests(tests, NULL, NULL);
}

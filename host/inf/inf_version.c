/* SPDX-License-Identifier: MIT
 * What a package is: [Version], and its class. [WDK "INF Version Section", "INF DriverVer Directive", "INF ClassInstall32 Section"] */
#include <stdio.h>

#include "inf_class.h"
#include "inf_error.h"
#include "inf_read.h"
#include "inf_target.h"
#include "inf_text.h"

/* The key's first field; "" when there is no such line. */
static char *text_of(const InfSection *section, const char *key)
{
    const InfLine *line = inf_section_find(section, key);
    return line ? inf_line_field(line, 1) : g_strdup("");
}

static bool check_signature(const InfSection *section, GError **error)
{
    static const char *const known[] = {"$Windows NT$", "$Chicago$", "$Windows 95$"};
    const InfLine *line = inf_section_find(section, "Signature");
    g_autofree char *text = text_of(section, "Signature");
    for (guint i = 0; i < G_N_ELEMENTS(known); i++) {
        if (inf_text_equal(text, known[i]))
            return true;
    }
    if (line)
        return inf_line_error(line, error, "'%s' is no signature of an INF: \"$Windows NT$\" is wanted",
                              text);
    return inf_error_at(error, section->File->Name, section->Number, "[Version] has no Signature");
}

/* ---- the class ---- */

static bool read_class(InfReader *reader, const InfSection *section, GError **error)
{
    InfPackage *package = reader->Package;
    const InfLine *line = inf_section_find(section, "ClassGuid");
    package->Class = text_of(section, "Class");
    package->ClassGuid = text_of(section, "ClassGuid");
    const char *known_guid = inf_class_guid(package->Class), *known_name = inf_class_name(package->ClassGuid);
    if (line && !inf_class_is_guid(package->ClassGuid))
        return inf_line_error(line, error, "'%s' is no GUID in braces", package->ClassGuid);
    if (!line && known_guid) {
        g_free(package->ClassGuid);
        package->ClassGuid = g_strdup(known_guid);
    }
    if (!*package->Class && known_name) {
        g_free(package->Class);
        package->Class = g_strdup(known_name);
    }
    if (!*package->Class)
        return inf_error_at(error, section->File->Name, section->Number, "[Version] has no Class");
    return *package->ClassGuid ||
           inf_error_at(error, section->File->Name, section->Number, "[Version] has no ClassGuid");
}

/* The class's key has its name at least; ClassInstall32 says the rest. */
static bool install_class(InfReader *reader, const InfFile *file, GError **error)
{
    static const InfDirective directives[] = {
        {"AddReg", inf_read_add_registry, NULL, InfOrderLate},
        {"DelReg", inf_read_del_registry, NULL, InfOrderEarly},
        {"CopyFiles", inf_read_copy_files, NULL, InfOrderLate},
        {NULL, NULL, NULL, InfOrderLate},
    };
    const InfPackage *package = reader->Package;
    g_autofree char *root = g_strconcat(INF_CONTROL_SET "Control\\Class\\", package->ClassGuid, NULL);
    const InfSection *section = inf_target_section(file, "ClassInstall32");
    InfScope scope = {.Root = root};
    inf_registry_set_text(reader->Registry, root, "Class", InfRegSz, package->Class);
    return !section || inf_read_section(reader, section, directives, &scope, error);
}

/* ---- DriverVer ---- */

static bool is_date(guint month, guint day, guint year)
{
    return month <= 12 && day <= 31 && year <= 9999 &&
           g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year);
}

/* mm/dd/yyyy, also with dashes. As Windows has it in the driver's key: 7-1-2026. */
static char *date_text(const char *text)
{
    guint month, day, year;
    char first, second;
    int length = 0;
    if (sscanf(text, "%2u%c%2u%c%4u%n", &month, &first, &day, &second, &year, &length) != 5 || text[length] ||
        first != second || (first != '/' && first != '-') || !is_date(month, day, year))
        return NULL;
    return g_strdup_printf("%u-%u-%u", month, day, year);
}

/* w.x.y.z, each at most 65535; what is not written is 0. */
static char *version_text(const char *text)
{
    guint numbers[4] = {0};
    g_auto(GStrv) parts = g_strsplit(text, ".", 5);
    if (g_strv_length(parts) > 4)
        return NULL;
    for (guint i = 0; parts[i]; i++) {
        guint64 number;
        if (!g_ascii_string_to_unsigned(parts[i], 10, 0, 65535, &number, NULL))
            return NULL;
        numbers[i] = (guint)number;
    }
    return g_strdup_printf("%u.%u.%u.%u", numbers[0], numbers[1], numbers[2], numbers[3]);
}

static bool read_driver_version(InfReader *reader, const InfSection *section, GError **error)
{
    const InfLine *line = inf_section_find(section, "DriverVer");
    InfPackage *package = reader->Package;
    if (!line) {
        package->Date = g_strdup("");
        package->Version = g_strdup("");
        return true;
    }
    g_autofree char *date = inf_line_field(line, 1), *version = inf_line_field(line, 2);
    package->Date = date_text(date);
    package->Version = version_text(*version ? version : "0");
    if (!package->Date)
        return inf_line_error(line, error, "'%s' is no date of the form mm/dd/yyyy", date);
    return package->Version || inf_line_error(line, error, "'%s' is no version of the form w.x.y.z", version);
}

/* ---- */

static void store(InfReader *reader)
{
    const InfPackage *package = reader->Package;
    g_autofree char *key = g_strconcat("DriverDatabase\\DriverPackages\\", package->Name, NULL);
    const struct {
        const char *Name, *Text;
    } values[] = {{"InfName", package->Name},    {"Provider", package->Provider},
                  {"Class", package->Class},     {"ClassGuid", package->ClassGuid},
                  {"DriverDate", package->Date}, {"DriverVersion", package->Version}};
    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        if (*values[i].Text)
            inf_registry_set_text(reader->Registry, key, values[i].Name, InfRegSz, values[i].Text);
    }
}

bool inf_read_version(InfReader *reader, GError **error)
{
    const InfFile *file = reader->Files->pdata[0];
    const InfSection *section = inf_file_section(file, "Version");
    if (!section)
        return inf_error_at(error, file->Name, 1, "there is no section [Version]: this is no INF");
    g_autofree char *lockdown = text_of(section, "PnpLockdown");
    reader->Package->Provider = text_of(section, "Provider");
    reader->Package->Lockdown = inf_text_equal(lockdown, "1");
    if (!check_signature(section, error) || !read_class(reader, section, error) ||
        !read_driver_version(reader, section, error))
        return false;
    store(reader);
    return install_class(reader, file, error);
}

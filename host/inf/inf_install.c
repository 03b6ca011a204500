/* SPDX-License-Identifier: MIT
 * An install section and those that go with it. [WDK "INF DDInstall Section", "INF DDInstall.Services Section", "INF DDInstall.HW Section",
 * "INF DDInstall.Interfaces Section", "Specifying WDF Directives in INF Files"] */
#include <string.h>

#include "inf_read.h"
#include "inf_target.h"
#include "inf_text.h"

#define NOT_INSTALLED "the guest's devices are not configured by it"
#define RUNS_IN_USER_MODE "it runs programs or DLLs of the installation"
#define FRESH_SYSTEM "the guest is a new system"

static const InfDirective install_directives[] = {
    {"AddReg", inf_read_add_registry, NULL, InfOrderLate},
    {"DelReg", inf_read_del_registry, NULL, InfOrderEarly},
    {"CopyFiles", inf_read_copy_files, NULL, InfOrderLate},
    {"DriverVer", NULL, NULL, InfOrderLate},
    {"FeatureScore", NULL, NULL, InfOrderLate},
    {"Reboot", NULL, NULL, InfOrderLate},
    {"Restart", NULL, NULL, InfOrderLate},
    {"DelFiles", NULL, FRESH_SYSTEM, InfOrderLate},
    {"RenFiles", NULL, FRESH_SYSTEM, InfOrderLate},
    {"DelProperty", NULL, FRESH_SYSTEM, InfOrderLate},
    {"BitReg", NULL, NOT_INSTALLED, InfOrderLate},
    {"AddProperty", NULL, NOT_INSTALLED, InfOrderLate},
    {"LogConfig", NULL, NOT_INSTALLED, InfOrderLate},
    {"CopyINF", NULL, RUNS_IN_USER_MODE, InfOrderLate},
    {"RegisterDlls", NULL, RUNS_IN_USER_MODE, InfOrderLate},
    {"UnregisterDlls", NULL, RUNS_IN_USER_MODE, InfOrderLate},
    {"ProfileItems", NULL, RUNS_IN_USER_MODE, InfOrderLate},
    {NULL, NULL, NULL, InfOrderLate},
};

static const InfDirective hardware_directives[] = {
    {"AddReg", inf_read_add_registry, NULL, InfOrderLate},
    {"DelReg", inf_read_del_registry, NULL, InfOrderEarly},
    {"BitReg", NULL, NOT_INSTALLED, InfOrderLate},
    {NULL, NULL, NULL, InfOrderLate},
};

static const InfDirective service_directives[] = {
    {"AddService", inf_read_add_service, NULL, InfOrderLate},
    {"DelService", NULL, FRESH_SYSTEM, InfOrderLate},
    {NULL, NULL, NULL, InfOrderLate},
};

static const InfDirective interface_directives[] = {
    {"AddInterface", inf_read_add_interface, NULL, InfOrderLate},
    {NULL, NULL, NULL, InfOrderLate},
};

/* ---- KMDF ---- */

/* KmdfService = service, section; there KmdfLibraryVersion = 1.15 */
static bool read_kmdf_service(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error)
{
    InfConfiguration *configuration = scope->Configuration;
    g_autofree char *name = inf_line_field(line, 2);
    const InfSection *section = inf_read_require(reader, line, name, error);
    if (!section)
        return false;
    const InfLine *version = inf_section_find(section, "KmdfLibraryVersion");
    g_free(configuration->KmdfService);
    g_free(configuration->KmdfVersion);
    configuration->KmdfService = inf_line_field(line, 1);
    configuration->KmdfVersion = version ? inf_line_field(version, 1) : g_strdup("");
    return true;
}

static const InfDirective wdf_directives[] = {
    {"KmdfService", read_kmdf_service, NULL, InfOrderLate},
    {"UmdfService", NULL, "it is a user-mode driver", InfOrderLate},
    {"UmdfServiceOrder", NULL, "it is a user-mode driver", InfOrderLate},
    {NULL, NULL, NULL, InfOrderLate},
};

/* ---- the sections of one configuration ---- */

/* The section Name.Suffix, with HKR below the configuration's key; "" is that key itself. */
static bool read_part(InfReader *reader, const InfFile *file, InfConfiguration *configuration,
                      const char *suffix, const char *below, const InfDirective *directives, GError **error)
{
    g_autofree char *name = g_strconcat(configuration->Name, suffix, NULL);
    g_autofree char *root = g_strconcat("DriverDatabase\\DriverPackages\\", reader->Package->Name,
                                        "\\Configurations\\", configuration->Name, below, NULL);
    const InfSection *section = inf_read_find(reader, file, name);
    InfScope scope = {configuration, root};
    return !section || inf_read_section(reader, section, directives, &scope, error);
}

/* What belongs to it and is not for us. */
static void note_ignored(InfReader *reader, const InfFile *file, const InfConfiguration *configuration)
{
    static const char *const suffixes[] = {".CoInstallers", ".Events",   ".LogConfigOverride",
                                           ".FactDef",      ".WMI",      ".Filters",
                                           ".Components",   ".Software", NULL};
    for (const char *const *suffix = suffixes; *suffix; suffix++) {
        g_autofree char *name = g_strconcat(configuration->Name, *suffix, NULL);
        const InfSection *section = inf_file_section(file, name);
        if (section && section->Lines->len)
            inf_read_note(reader, inf_section_line(section, 0), "the section is ignored");
    }
}

static bool read_parts(InfReader *reader, const InfSection *section, InfConfiguration *configuration,
                       GError **error)
{
    const InfFile *file = section->File;
    note_ignored(reader, file, configuration);
    return read_part(reader, file, configuration, "", "\\Driver", install_directives, error) &&
           read_part(reader, file, configuration, ".HW", "\\Device", hardware_directives, error) &&
           read_part(reader, file, configuration, ".Services", "", service_directives, error) &&
           read_part(reader, file, configuration, ".Interfaces", "\\Interfaces", interface_directives,
                     error) &&
           read_part(reader, file, configuration, ".Wdf", "", wdf_directives, error);
}

static void store(InfReader *reader, const InfConfiguration *configuration)
{
    g_autofree char *key = g_strconcat("DriverDatabase\\DriverPackages\\", reader->Package->Name,
                                       "\\Configurations\\", configuration->Name, NULL);
    inf_registry_set_text(reader->Registry, key, "InfSection", InfRegSz, configuration->Section);
    inf_registry_set_text(reader->Registry, key, "InfSectionExt", InfRegSz, configuration->Extension);
    if (configuration->Service)
        inf_registry_set_text(reader->Registry, key, "Service", InfRegSz, configuration->Service);
}

/* ---- */

static const InfSection *find_section(const InfReader *reader, const InfFile *file, const char *name)
{
    const InfSection *section = inf_target_section(file, name);
    for (guint i = 0; i < reader->Files->len && !section; i++)
        section = inf_target_section(reader->Files->pdata[i], name);
    return section;
}

bool inf_read_install(InfReader *reader, const InfLine *line, const char *name,
                      const InfConfiguration **configuration, GError **error)
{
    g_autofree char *folded = inf_text_fold(name);
    *configuration = g_hash_table_lookup(reader->Configurations, folded);
    if (*configuration)
        return true;
    const InfSection *section = *name ? find_section(reader, line->Section->File, name) : NULL;
    if (!section)
        return inf_line_error(line, error, "there is no section [%s], with or without .NTamd64 or .NT", name);
    if (strchr(section->Name, '\\'))
        return inf_line_error(line, error, "an install section cannot have a backslash in its name");
    InfConfiguration *made = g_new0(InfConfiguration, 1);
    made->Name = g_strdup(section->Name);
    made->Section = g_strdup(name);
    made->Extension = g_strdup(g_utf8_offset_to_pointer(section->Name, g_utf8_strlen(name, -1)));
    g_ptr_array_add(reader->Package->Configurations, made);
    g_hash_table_insert(reader->Configurations, g_steal_pointer(&folded), made);
    *configuration = made;
    if (!read_parts(reader, section, made, error))
        return false;
    store(reader, made);
    return true;
}

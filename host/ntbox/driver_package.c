/* SPDX-License-Identifier: MIT
 * From the path of an INF to a package and its files: see driver_package.h. */
#include "driver_package.h"

#include <string.h>

#include "inf_error.h"
#include "inf_read.h"
#include "inf_text.h"
#include "run_report.h"
#include "usage.h"

#define DRIVERS "Windows/System32/drivers/"
#define MAX_NAME 60u /* of an INF: the kernel keeps it as a package's name */

/* ---- reading ---- */

static InfFile *parse(const char *path, const char *name, GError **error)
{
    g_autoptr(GError) reason = NULL;
    if (g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        usage_error(error, "cannot read %s: it is no regular file", path);
        return NULL;
    }
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &reason);
    if (file)
        return inf_file_parse(name, g_mapped_file_get_contents(file), g_mapped_file_get_length(file), error);
    usage_error(error, "cannot read %s: %s", path, reason->message);
    return NULL;
}

bool driver_package_is_inf(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && g_ascii_strcasecmp(path + length - 4, ".inf") == 0;
}

static char *package_name(const char *path, GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    if (driver_package_is_inf(name) && strlen(name) <= MAX_NAME && g_str_is_ascii(name) &&
        inf_read_is_file(name))
        return g_steal_pointer(&name);
    usage_error(error, "%s: a driver package's name ends in .inf and has at most %u characters of ASCII",
                path, MAX_NAME);
    return NULL;
}

/* ---- files beside it ---- */

/* The entry of that name in a folder, whatever its case; the one that is spelt alike first. */
static char *find_entry(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GDir) listing = g_file_test(path, G_FILE_TEST_EXISTS) ? NULL : g_dir_open(folder, 0, NULL);
    for (const char *entry = listing ? g_dir_read_name(listing) : NULL; entry;
         entry = g_dir_read_name(listing)) {
        if (g_utf8_validate(entry, -1, NULL) && inf_text_equal(entry, name))
            return g_build_filename(folder, entry, NULL);
    }
    return g_steal_pointer(&path);
}

/* Parts parted by '/'; where nothing is found, the path as it would be. */
static char *find_below(const char *folder, const char *relative)
{
    g_auto(GStrv) parts = g_strsplit(relative, "/", -1);
    char *path = g_strdup(folder);
    for (char **part = parts; *part; part++) {
        g_autofree char *above = path;
        path = find_entry(above, *part);
    }
    return path;
}

/* What an INF includes lies beside it. */
typedef struct Beside {
    char *Folder;
    GPtrArray *Files; /* of InfFile */
} Beside;

static bool open_include(void *context, const char *name, const InfFile **file, GError **error)
{
    Beside *beside = context;
    g_autofree char *path =
        inf_read_is_file(name) && !strchr(name, '/') ? find_entry(beside->Folder, name) : NULL;
    *file = NULL;
    if (!path || !g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return true;
    InfFile *parsed = parse(path, name, error);
    if (parsed)
        g_ptr_array_add(beside->Files, parsed);
    *file = parsed;
    return parsed != NULL;
}

/* ---- what it brings ---- */

static void free_file(gpointer pointer)
{
    DriverFile *file = pointer;
    g_free(file->Path);
    g_free(file->Target);
    g_free(file->Where);
    g_free(file);
}

const char *driver_file_image(const DriverFile *file)
{
    bool there = inf_text_begins(file->Target, DRIVERS) && !strchr(file->Target + strlen(DRIVERS), '/');
    return there ? file->Target + strlen(DRIVERS) : NULL;
}

/* What the volume has of ntbox. */
static bool is_own(const char *target)
{
    g_autofree char *name = g_path_get_basename(target);
    return run_report_is_own_module(name) || inf_text_equal(name, "ntoskrnl.sym") ||
           inf_text_begins(target, "Windows/System32/config/") || inf_text_begins(target, "Windows/ntbox/");
}

/* A sample's INF lies in drivers_sample/NAME with its source, its driver is built elsewhere. */
static bool is_sample(const char *folder)
{
    g_autofree char *full = g_canonicalize_filename(folder, NULL);
    g_autofree char *parent = g_path_get_dirname(full);
    g_autofree char *name = g_path_get_basename(parent);
    return strcmp(name, "drivers_sample") == 0;
}

static bool find_sample(DriverPackage *package, DriverFile *file, const char *samples)
{
    g_autofree char *name = g_path_get_basename(file->Path);
    g_autofree char *path = samples ? g_build_filename(samples, name, NULL) : NULL;
    if (!path || !g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return false;
    g_ptr_array_add(
        package->Inf->Notes,
        g_strdup_printf("%s does not lie beside the INF: ntbox's own sample %s is taken", name, path));
    g_free(file->Path);
    file->Path = g_steal_pointer(&path);
    return true;
}

typedef struct Folders {
    const char *Inf, *Samples;
} Folders;

static bool find_file(DriverPackage *package, const Folders *folders, const InfCopy *copy, GError **error)
{
    DriverFile *file = g_new0(DriverFile, 1);
    g_ptr_array_add(package->Files, file);
    file->Path = find_below(folders->Inf, copy->Source);
    file->Target = g_strdup(copy->Target);
    file->Where = g_strdup(copy->Where);
    if (is_own(copy->Target)) {
        g_set_error(error, INF_ERROR, 0, "%s: the file %s is ntbox's own", copy->Where, copy->Target);
        return false;
    }
    if (g_file_test(file->Path, G_FILE_TEST_IS_REGULAR) || find_sample(package, file, folders->Samples))
        return true;
    g_set_error(error, INF_ERROR, 0, "%s: there is no file %s", copy->Where, file->Path);
    return false;
}

static bool find_files(DriverPackage *package, const Folders *folders, GError **error)
{
    for (guint i = 0; i < package->Inf->Copies->len; i++) {
        if (!find_file(package, folders, package->Inf->Copies->pdata[i], error))
            return false;
    }
    return true;
}

/* ---- */

static InfPackage *read_package(const char *path, const char *folder, InfRegistry *registry, GError **error)
{
    g_autofree char *name = package_name(path, error);
    g_autoptr(InfFile) file = name ? parse(path, name, error) : NULL;
    Beside beside = {g_strdup(folder), g_ptr_array_new_with_free_func((GDestroyNotify)inf_file_free)};
    InfIncludes includes = {open_include, &beside};
    InfPackage *package = file ? inf_package_read(file, &includes, registry, error) : NULL;
    g_free(beside.Folder);
    g_ptr_array_unref(beside.Files);
    return package;
}

DriverPackage *driver_package_open(const char *path, const char *samples, InfRegistry *registry,
                                   GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    InfPackage *inf = read_package(path, folder, registry, error);
    if (!inf)
        return NULL;
    DriverPackage *package = g_new0(DriverPackage, 1);
    package->Path = g_strdup(path);
    package->Inf = inf;
    package->Files = g_ptr_array_new_with_free_func(free_file);
    if (find_files(package, &(Folders){folder, is_sample(folder) ? samples : NULL}, error))
        return package;
    driver_package_free(package);
    return NULL;
}

char *driver_package_samples(const char *directory)
{
    return g_build_filename(directory, "drivers_sample", "msvc", NULL);
}

char *driver_package_scenario(DriverPackage *package)
{
    g_autofree char *stem = g_strndup(package->Path, strlen(package->Path) - strlen(".inf"));
    g_autofree char *path = g_strconcat(stem, ".scn", NULL);
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return NULL;
    g_ptr_array_add(package->Inf->Notes,
                    g_strdup_printf("no request was given: those of %s beside the INF are sent", path));
    return g_steal_pointer(&path);
}

void driver_package_free(DriverPackage *package)
{
    g_free(package->Path);
    inf_package_free(package->Inf);
    g_ptr_array_unref(package->Files);
    g_free(package);
}

/* SPDX-License-Identifier: MIT
 * Puts the packages of a run beside its drivers: see package_list.h. */
#include "package_list.h"

#include <sys/stat.h>

#include "companion.h"
#include "driver_package.h"
#include "inf_text.h"
#include "locate.h"
#include "service_setting.h"
#include "usage.h"

/* NULL: there are none. */
static char *samples_folder(const RunOptions *options)
{
    g_autofree char *directory = locate_directory(options->Directory, NULL);
    return directory ? driver_package_samples(directory) : NULL;
}

bool package_list_open(RunOptions *options, char **infs, GError **error)
{
    g_autofree char *samples = samples_folder(options);
    for (; infs && *infs; infs++) {
        DriverPackage *package = driver_package_open(*infs, samples, options->Registry, error);
        if (!package)
            return false;
        for (guint i = 0; i < options->Packages->len; i++) {
            const DriverPackage *other = options->Packages->pdata[i];
            if (inf_text_equal(other->Inf->Name, package->Inf->Name)) {
                usage_error(error, "--inf %s: the package %s is named twice", *infs, package->Inf->Name);
                driver_package_free(package);
                return false;
            }
        }
        g_ptr_array_add(options->Packages, package);
    }
    return true;
}

/* ---- files ---- */

static bool is_same_file(const char *one, const char *other)
{
    struct stat first, second;
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* The path of the file that has this place already, or NULL. */
static const char *placed(const RunOptions *options, GHashTable *places, const DriverFile *file)
{
    const char *image = driver_file_image(file);
    for (guint i = 0; image && i < options->Drivers->len; i++) {
        g_autofree char *name = g_strconcat(options->Services[i], ".sys", NULL);
        if (inf_text_equal(image, name))
            return options->Drivers->pdata[i];
    }
    g_autofree char *folded = inf_text_fold(file->Target);
    return g_hash_table_lookup(places, folded);
}

static void add_companion(RunOptions *options, const DriverFile *file)
{
    const char *image = driver_file_image(file);
    if (image)
        g_ptr_array_add(options->Companions, companion_installed(file->Path, image));
}

/* Keeps of the package's files those that have no place yet. */
static bool place_files(RunOptions *options, GHashTable *places, DriverPackage *package, GError **error)
{
    for (guint i = 0; i < package->Files->len;) {
        const DriverFile *file = package->Files->pdata[i];
        const char *other = placed(options, places, file);
        if (other && !is_same_file(other, file->Path))
            return usage_error(error, "%s: %s would be %s, and also %s", file->Where, file->Target,
                               file->Path, other);
        if (other) {
            g_ptr_array_remove_index(package->Files, i);
            continue;
        }
        g_hash_table_insert(places, inf_text_fold(file->Target), file->Path);
        add_companion(options, file);
        i++;
    }
    return true;
}

/* ---- services ---- */

bool package_list_has_service(const RunOptions *options, const char *name)
{
    for (guint i = 0; i < options->Packages->len; i++) {
        const GPtrArray *services = ((const DriverPackage *)options->Packages->pdata[i])->Inf->Services;
        for (guint j = 0; j < services->len; j++) {
            if (inf_text_equal(((const InfService *)services->pdata[j])->Name, name))
                return true;
        }
    }
    return false;
}

static bool is_file_of(const InfService *service, const char *file)
{
    g_autofree char *name = g_path_get_basename(service->Target);
    return g_ascii_strcasecmp(name, file) == 0;
}

bool package_list_has_driver(const RunOptions *options, const char *file)
{
    for (guint i = 0; i < options->Packages->len; i++) {
        const GPtrArray *services = ((const DriverPackage *)options->Packages->pdata[i])->Inf->Services;
        for (guint j = 0; j < services->len; j++) {
            if (is_file_of(services->pdata[j], file))
                return true;
        }
    }
    return false;
}

/* Comes before what the command line says of the service, which counts more. */
static void start_as_installed(RunOptions *options, const InfService *service)
{
    for (char **driver = options->Services; *driver; driver++) {
        if (!inf_text_equal(*driver, service->Name))
            continue;
        ServiceSetting *setting = g_new0(ServiceSetting, 1);
        setting->Service = g_strdup(service->Name);
        setting->Word = ServiceStartType;
        setting->Number = service->Start;
        g_ptr_array_insert(options->Settings, 0, setting);
    }
}

/* ---- */

bool package_list_place(RunOptions *options, GError **error)
{
    g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < options->Packages->len; i++) {
        DriverPackage *package = options->Packages->pdata[i];
        if (!place_files(options, places, package, error))
            return false;
        for (guint j = 0; j < package->Inf->Services->len; j++)
            start_as_installed(options, package->Inf->Services->pdata[j]);
    }
    return true;
}

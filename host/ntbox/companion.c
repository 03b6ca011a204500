/* SPDX-License-Identifier: MIT
 * Finding the images that drivers import from: see companion.h. */
#include "companion.h"

#include <string.h>

#include "kernel_exports.h"
#include "run_report.h"
#include "usage.h"
#include "user_mode.h"

void companion_free(Companion *companion)
{
    g_free(companion->Path);
    g_free(companion->Name);
    g_free(companion->Service);
    g_free(companion);
}

static char *find_in_folder(const char *folder, const char *name)
{
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    const char *entry;
    while (directory && (entry = g_dir_read_name(directory))) {
        if (g_ascii_strcasecmp(entry, name) != 0)
            continue;
        g_autofree char *path = g_build_filename(folder, entry, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&path);
    }
    return NULL;
}

char *companion_beside(const char *path, const char *dll)
{
    if (kernel_exports_is_own(dll) || dll_is_user_mode(dll) || strpbrk(dll, "/\\"))
        return NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    return find_in_folder(folder, dll);
}

const char *companion_named(char **with, const char *dll)
{
    for (; with && *with; with++) {
        g_autofree char *name = g_path_get_basename(*with);
        if (g_ascii_strcasecmp(name, dll) == 0)
            return *with;
    }
    return NULL;
}

/* ---- the exports of one ---- */

CompanionImage *companion_open(const char *path)
{
    g_autoptr(CompanionImage) image = g_new0(CompanionImage, 1);
    image->File = g_mapped_file_new(path, FALSE, NULL);
    if (!image->File || PeParseFile(g_mapped_file_get_contents(image->File),
                                    g_mapped_file_get_length(image->File), 0, &image->Image, NULL) != PE_OK)
        return NULL;
    return PeOpenExports(&image->Image, &image->Exports, NULL) == PE_OK ? g_steal_pointer(&image) : NULL;
}

bool companion_has(const CompanionImage *image, const PE_IMPORT *import)
{
    PE_EXPORT export;
    if (import->Name)
        return PeFindExportByName(&image->Exports, import->Name, import->Hint, &export, NULL) == PE_OK;
    return PeFindExportByOrdinal(&image->Exports, import->Ordinal, &export, NULL) == PE_OK;
}

void companion_close(CompanionImage *image)
{
    g_clear_pointer(&image->File, g_mapped_file_unref);
    g_free(image);
}

/* ---- those of a run ---- */

static char *without_extension(const char *name)
{
    const char *dot = strrchr(name, '.');
    return g_strndup(name, dot ? (gsize)(dot - name) : strlen(name));
}

static bool has_driver(const RunOptions *options, const char *name)
{
    for (char **service = options->Services; *service; service++) {
        g_autofree char *file = g_strconcat(*service, ".sys", NULL);
        if (g_ascii_strcasecmp(file, name) == 0)
            return true;
    }
    return false;
}

static const Companion *find_companion(const RunOptions *options, const char *name)
{
    for (guint i = 0; i < options->Companions->len; i++) {
        const Companion *companion = options->Companions->pdata[i];
        if (g_ascii_strcasecmp(companion->Name, name) == 0)
            return companion;
    }
    return NULL;
}

static Companion *new_companion(const char *path, const char *name)
{
    Companion *companion = g_new0(Companion, 1);
    companion->Path = g_strdup(path);
    companion->Name = g_strdup(name);
    companion->Service = without_extension(name);
    return companion;
}

static void add(RunOptions *options, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    g_ptr_array_add(options->Companions, new_companion(path, name));
}

Companion *companion_installed(const char *path, const char *name)
{
    Companion *companion = new_companion(path, name);
    companion->Installed = true;
    return companion;
}

static void add_beside(RunOptions *options, const char *path, const char *dll)
{
    if (has_driver(options, dll) || find_companion(options, dll))
        return;
    g_autofree char *found = companion_beside(path, dll);
    if (found)
        add(options, found);
}

static void add_imported(RunOptions *options, const char *path, const PE_IMAGE *image)
{
    PE_IMPORT_DLL dll = {0};
    while (PeNextImportDll(image, &dll, NULL) == PE_OK)
        add_beside(options, path, dll.Name);
}

/* A forwarder names the module without its extension: "MODULE.Function". */
static void add_forwarded(RunOptions *options, const char *path, const PE_IMAGE *image)
{
    PE_EXPORTS exports;
    PE_EXPORT_CURSOR cursor = {0};
    PE_EXPORT export;
    if (PeOpenExports(image, &exports, NULL) != PE_OK)
        return;
    while (PeNextExport(&exports, &cursor, &export, NULL) == PE_OK) {
        const char *dot = export.Forwarder ? strrchr(export.Forwarder, '.') : NULL;
        for (int dll = 0; dot && dll < 2; dll++) {
            g_autofree char *name = g_strdup_printf("%.*s%s", (int)(dot - export.Forwarder), export.Forwarder,
                                                    dll ? ".dll" : ".sys");
            add_beside(options, path, name);
        }
    }
}

/* A file that cannot be read or is no image is told of when the volume is made, or by the guest. */
static void add_what_it_needs(RunOptions *options, const char *path)
{
    PE_IMAGE image;
    bool regular = g_file_test(path, G_FILE_TEST_IS_REGULAR);
    g_autoptr(GMappedFile) file = regular ? g_mapped_file_new(path, FALSE, NULL) : NULL;
    if (!file || PeParseFile(g_mapped_file_get_contents(file), g_mapped_file_get_length(file), 0, &image,
                             NULL) != PE_OK)
        return;
    add_imported(options, path, &image);
    add_forwarded(options, path, &image);
}

bool companion_check(const char *path, GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    if (strlen(name) > 60 || !g_str_is_ascii(name) || strpbrk(name, "\\:*?\"<>| ") || *name == '.')
        return usage_error(error, "--with %s: its name cannot be an image's name", path);
    if (run_report_is_own_module(name))
        return usage_error(error, "--with %s: the name %s is ntbox's own", path, name);
    return true;
}

static bool add_with(RunOptions *options, const char *path, GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    if (!companion_check(path, error))
        return false;
    if (has_driver(options, name) || find_companion(options, name))
        return usage_error(error, "--with %s: this run has an image of that name already", path);
    add(options, path);
    return true;
}

bool companions_collect(RunOptions *options, char **with, GError **error)
{
    for (; with && *with; with++) {
        if (!add_with(options, *with, error))
            return false;
    }
    for (guint i = 0; i < options->Drivers->len; i++)
        add_what_it_needs(options, options->Drivers->pdata[i]);
    for (guint i = 0; i < options->Companions->len; i++) /* grows meanwhile */
        add_what_it_needs(options, ((Companion *)options->Companions->pdata[i])->Path);
    return true;
}

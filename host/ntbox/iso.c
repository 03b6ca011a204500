/* SPDX-License-Identifier: MIT
 * Makes the ISO for --boot bios and --boot uefi. */
#include "iso.h"

#include <glib/gstdio.h>
#include <stdbool.h>

#include "usage.h"

struct IsoImage {
    char *Folder, *Archive, *Path;
};

static bool run_script(const IsoImage *iso, const char *script, const char *loader, const char *command_line,
                       GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autofree char *output = NULL;
    int status;
    const char *words[] = {script, iso->Path, loader, iso->Archive, command_line, NULL};
    if (!g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &output,
                      &status, &reason))
        return usage_error(error, "cannot run %s: %s", script, reason->message);
    if (g_spawn_check_wait_status(status, NULL))
        return true;
    return usage_error(error, "the ISO cannot be made: %s", g_strstrip(output));
}

static bool make(IsoImage *iso, const char *script, const char *loader, GBytes *archive,
                 const char *command_line, GError **error)
{
    g_autoptr(GError) reason = NULL;
    gsize length;
    const char *data = g_bytes_get_data(archive, &length);
    iso->Folder = g_dir_make_tmp("ntbox-XXXXXX", &reason);
    if (!iso->Folder)
        return usage_error(error, "no temporary folder: %s", reason->message);
    iso->Archive = g_build_filename(iso->Folder, "boot.cpio", NULL);
    iso->Path = g_build_filename(iso->Folder, "ntbox.iso", NULL);
    if (!g_file_set_contents(iso->Archive, data, (gssize)length, &reason))
        return usage_error(error, "%s", reason->message);
    return run_script(iso, script, loader, command_line, error);
}

IsoImage *iso_image_make(const char *script, const char *loader, GBytes *archive, const char *command_line,
                         GError **error)
{
    IsoImage *iso = g_new0(IsoImage, 1);
    if (make(iso, script, loader, archive, command_line, error))
        return iso;
    iso_image_free(iso);
    return NULL;
}

const char *iso_image_path(const IsoImage *iso)
{
    return iso->Path;
}

void iso_image_free(IsoImage *iso)
{
    if (iso->Archive)
        g_unlink(iso->Archive);
    if (iso->Path)
        g_unlink(iso->Path);
    if (iso->Folder)
        g_rmdir(iso->Folder);
    g_free(iso->Archive);
    g_free(iso->Path);
    g_free(iso->Folder);
    g_free(iso);
}

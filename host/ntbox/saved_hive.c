/* SPDX-License-Identifier: MIT
 * The SYSTEM hive out of its records. The guest is not trusted: parts that overlap, are missing or make no hive are refused. */
#include "saved_hive.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cm/hive_host.h"
#include "usage.h"

/* Parts come in order, each behind the one before. */
static bool append_part(GByteArray *hive, const RunEvent *event, uint64_t *total)
{
    gsize length = 0;
    const guint8 *bytes = event->Data ? g_bytes_get_data(event->Data, &length) : NULL;
    uint64_t said = run_event_value(event, ReportKeyTotal);
    if (run_event_value(event, ReportKeyOffset) != hive->len || (*total && said != *total) || length == 0)
        return false;
    *total = said;
    g_byte_array_append(hive, bytes, (guint)length);
    return true;
}

static bool collect(const RunReport *report, GByteArray *hive, GError **error)
{
    uint64_t total = 0;
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        if (event->Type == ReportHive && !append_part(hive, event, &total))
            return usage_error(error, "--save-hive: a part of the hive was lost");
    }
    if (hive->len == 0)
        return usage_error(error, "--save-hive: the machine stopped before it told its hive");
    if (hive->len != total)
        return usage_error(error, "--save-hive: %u bytes of %" G_GUINT64_FORMAT " came", hive->len, total);
    return true;
}

static bool check(const GByteArray *bytes, GError **error)
{
    HIVE hive;
    HIVE_STATUS status = HiveOpen(&hive, bytes->data, bytes->len);
    if (status == HiveOk)
        status = HiveCheck(&hive);
    if (status == HiveOk)
        return true;
    return usage_error(error, "--save-hive: the hive that came is damaged at offset 0x%x: %s",
                       hive.Error.Offset, hive.Error.Rule);
}

bool saved_hive_prepare(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    if (g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return usage_error(error, "--save-hive: '%s' is no ordinary file", path);
    if (*path && g_access(folder, W_OK | X_OK) == 0)
        return true;
    return usage_error(error, "--save-hive: no file can be made in the folder '%s'", *path ? folder : "");
}

bool saved_hive_write(const RunReport *report, const char *path, GError **error)
{
    g_autoptr(GByteArray) hive = g_byte_array_new();
    g_autoptr(GError) reason = NULL;
    g_autofree char *target = realpath(path, NULL); /* a symbolic link stays one */
    if (!collect(report, hive, error) || !check(hive, error))
        return false;
    return g_file_set_contents(target ? target : path, (const char *)hive->data, hive->len, &reason) ||
           usage_error(error, "--save-hive: %s", reason->message);
}

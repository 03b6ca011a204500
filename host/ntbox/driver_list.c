/* SPDX-License-Identifier: MIT
 * The drivers of a run: from paths to services. */
#include "driver_list.h"

#include <string.h>

#include "usage.h"

/* The service's name: the file's without folder and ".sys". It becomes a registry key and a file name. */
static char *service_name(const char *path, GError **error)
{
    g_autofree char *base = g_path_get_basename(path);
    size_t length = strlen(base);
    if (length > 4 && g_ascii_strcasecmp(base + length - 4, ".sys") == 0)
        base[length - 4] = '\0';
    if (*base == '\0' || *base == '.' || strpbrk(base, "\\/:*?\"<>|") || !g_utf8_validate(base, -1, NULL) ||
        strlen(base) > 60) {
        usage_error(error, "%s: its name cannot be a service's name", path);
        return NULL;
    }
    if (g_ascii_strcasecmp(base, "agent") == 0) {
        usage_error(error, "%s: the name agent.sys is ntbox's own", path);
        return NULL;
    }
    return g_steal_pointer(&base);
}

static bool is_listed(const GPtrArray *names, const char *name)
{
    for (guint i = 0; i < names->len; i++) {
        if (g_ascii_strcasecmp(names->pdata[i], name) == 0)
            return true;
    }
    return false;
}

bool driver_list_collect(RunOptions *options, char **files, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    if (!files || !files[0])
        return usage_error(error, "which driver? ntbox run wants at least one FILE.sys");
    for (; *files; files++) {
        char *name = service_name(*files, error);
        if (!name)
            return false;
        bool twice = is_listed(names, name);
        g_ptr_array_add(names, name);
        if (twice)
            return usage_error(error, "two drivers are called %s: a run can hold only one of them", name);
        g_ptr_array_add(options->Drivers, g_strdup(*files));
    }
    g_ptr_array_add(names, NULL);
    options->Services = (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
    return true;
}

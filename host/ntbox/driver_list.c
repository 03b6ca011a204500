/* SPDX-License-Identifier: MIT
 * The drivers of a run: from paths to services. */
#include "driver_list.h"

#include <string.h>

#include "run_plan.h"
#include "run_report.h"
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
    g_autofree char *file = g_strconcat(base, ".sys", NULL);
    if (run_report_is_own_module(file)) {
        usage_error(error, "%s: the name %s is ntbox's own", path, file);
        return NULL;
    }
    return g_steal_pointer(&base);
}

void run_word_free(RunWord *word)
{
    g_free(word->Path);
    g_clear_pointer(&word->Request, request_free);
    g_free(word);
}

static bool find_name(const GPtrArray *names, const char *name, guint *index)
{
    for (*index = 0; *index < names->len; (*index)++) {
        if (g_ascii_strcasecmp(names->pdata[*index], name) == 0)
            return true;
    }
    return false;
}

/* A driver may be in several groups: its file is then the same. Gives its index. */
static bool list_driver(RunOptions *options, GPtrArray *names, const char *path, guint *index, GError **error)
{
    g_autofree char *name = service_name(path, error);
    if (!name)
        return false;
    if (find_name(names, name, index))
        return strcmp(options->Drivers->pdata[*index], path) == 0 ||
               usage_error(error, "two drivers are called %s: a run can hold only one of them", name);
    g_ptr_array_add(names, g_steal_pointer(&name));
    g_ptr_array_add(options->Drivers, g_strdup(path));
    return true;
}

static bool add_to_group(RunGroup *group, guint driver, const char *path, GError **error)
{
    for (guint i = 0; i < group->Drivers->len; i++) {
        if (g_array_index(group->Drivers, guint, i) == driver)
            return usage_error(error, "%s is named twice: a driver can be loaded once at a time", path);
    }
    g_array_append_val(group->Drivers, driver);
    return true;
}

static RunGroup *begin_group(RunOptions *options)
{
    RunGroup *group = run_group_new();
    g_ptr_array_add(options->Groups, group);
    return group;
}

static bool add_driver(RunOptions *options, GPtrArray *names, RunGroup **group, bool each, const char *path,
                       GError **error)
{
    guint index;
    if (each && (*group)->Drivers->len)
        *group = begin_group(options);
    return list_driver(options, names, path, &index, error) && add_to_group(*group, index, path, error);
}

static bool add_word(RunOptions *options, GPtrArray *names, RunGroup **group, bool each, RunWord *word,
                     GError **error)
{
    if (word->Kind == RunWordDriver)
        return add_driver(options, names, group, each, word->Path, error);
    if (word->Kind == RunWordRequest) {
        if (each && (*group)->Drivers->len == 0)
            return usage_error(error, "with --each a request stands behind its driver");
        g_ptr_array_add((*group)->Requests, g_steal_pointer(&word->Request));
        return true;
    }
    if ((*group)->Drivers->len == 0)
        return usage_error(error, "--then stands between drivers");
    *group = begin_group(options);
    return true;
}

bool driver_list_collect(RunOptions *options, const GPtrArray *words, bool each, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    RunGroup *group = begin_group(options);
    for (guint i = 0; i < words->len; i++) {
        if (!add_word(options, names, &group, each, words->pdata[i], error))
            return false;
    }
    if (names->len == 0 && options->Packages->len == 0)
        return usage_error(error, "which driver? ntbox run wants at least one FILE.sys, or --inf");
    if (group->Drivers->len == 0 && names->len)
        return usage_error(error, "--then stands between drivers");
    g_ptr_array_add(names, NULL);
    options->Services = (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
    return true;
}

/* SPDX-License-Identifier: MIT
 * Where a registry line points to. [WDK "INF AddReg Directive"] */
#include <string.h>

#include "inf_read.h"
#include "inf_text.h"

#define MAX_LEVELS 64u
#define MAX_COMPONENT 255

bool inf_read_is_path(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "\\", -1);
    for (char **part = parts; *part; part++) {
        if (**part == '\0' || g_utf8_strlen(*part, -1) > MAX_COMPONENT)
            return false;
    }
    return *parts && g_strv_length(parts) <= MAX_LEVELS;
}

/* Without backslashes at its ends. */
static char *subkey_of(const InfLine *line)
{
    g_autofree char *field = inf_line_field(line, 2);
    char *begin = field + strspn(field, "\\");
    size_t length = strlen(begin);
    while (length && begin[length - 1] == '\\')
        length--;
    return g_strndup(begin, length);
}

/* "System\CurrentControlSet\X" -> "ControlSet001\X"; NULL: not below it. */
static char *below_control_set(const char *subkey)
{
    static const char *const sets[] = {"System\\CurrentControlSet\\", "System\\ControlSet001\\"};
    for (guint i = 0; i < G_N_ELEMENTS(sets); i++) {
        if (inf_text_begins(subkey, sets[i]))
            return g_strconcat(INF_CONTROL_SET, subkey + strlen(sets[i]), NULL);
    }
    return NULL;
}

static bool is_root(const char *root, const char *const *names)
{
    while (*names && !inf_text_equal(root, *names))
        names++;
    return *names != NULL;
}

static char *path_of(InfReader *reader, const InfLine *line, const InfScope *scope, const char *root,
                     const char *subkey)
{
    if (inf_text_equal(root, "HKR"))
        return *subkey ? g_strconcat(scope->Root, "\\", subkey, NULL) : g_strdup(scope->Root);
    char *path = inf_text_equal(root, "HKLM") ? below_control_set(subkey) : NULL;
    if (!path)
        inf_read_note(reader, line, "%s\\%s is ignored: the guest has the SYSTEM hive only", root, subkey);
    return path;
}

bool inf_read_key_path(InfReader *reader, const InfLine *line, const InfScope *scope, char **path,
                       GError **error)
{
    static const char *const roots[] = {"HKR", "HKLM", "HKCR", "HKCU", "HKU", NULL};
    g_autofree char *root = inf_line_field(line, 1), *subkey = subkey_of(line);
    *path = NULL;
    if (line->HasKey)
        return inf_line_error(line, error, "a registry line begins with HKR or another root, and a comma");
    if (!is_root(root, roots))
        return inf_line_error(line, error, "'%s' is no root of the registry (HKR, HKLM, HKCR, HKCU, HKU)",
                              root);
    if (*subkey && !inf_read_is_path(subkey))
        return inf_line_error(line, error, "'%s' cannot be a key: each part has 1 to %d characters", subkey,
                              MAX_COMPONENT);
    *path = path_of(reader, line, scope, root, subkey);
    return true;
}

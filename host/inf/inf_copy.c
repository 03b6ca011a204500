/* SPDX-License-Identifier: MIT
 * Which files go where. [WDK "INF CopyFiles Directive", "INF DestinationDirs Section", "INF SourceDisksFiles Section",
 * "INF SourceDisksNames Section"] */
#include <string.h>

#include "inf_dirid.h"
#include "inf_number.h"
#include "inf_read.h"
#include "inf_text.h"

#define MAX_PATH_BYTES 400u

static bool is_part(const char *part)
{
    for (const char *at = part; *at; at++) {
        if ((guchar)*at < ' ' || strchr(":*?\"<>|\\", *at))
            return false;
    }
    return *part && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
}

bool inf_read_is_file(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (char **part = parts; *part; part++) {
        if (!is_part(*part))
            return false;
    }
    return *path && strlen(path) <= MAX_PATH_BYTES;
}

/* Folder and name with '/' between their parts, whatever stood there and at their ends. */
static char *join(const char *folder, const char *below, const char *name)
{
    g_autofree char *text = g_strjoin("/", folder, below, name, NULL);
    g_auto(GStrv) parts = g_strsplit(g_strdelimit(text, "\\", '/'), "/", -1);
    GString *path = g_string_new(NULL);
    for (char **part = parts; *part; part++) {
        if (**part && strcmp(*part, ".") != 0)
            g_string_append_printf(path, "%s%s", path->len ? "/" : "", *part);
    }
    return g_string_free(path, FALSE);
}

/* ---- where a file comes from ---- */

/* The line with that key in Name.amd64 or Name. */
static const InfLine *find_decorated(const InfFile *file, const char *name, const char *key)
{
    g_autofree char *decorated = g_strconcat(name, ".amd64", NULL);
    const InfLine *line = inf_section_find(inf_file_section(file, decorated), key);
    return line ? line : inf_section_find(inf_file_section(file, name), key);
}

/* NULL: SourceDisksFiles does not list it. */
static char *listed_source(const InfFile *file, const char *name)
{
    const InfLine *line = find_decorated(file, "SourceDisksFiles", name);
    if (!line)
        return NULL;
    g_autofree char *disk = inf_line_field(line, 1), *folder = inf_line_field(line, 2);
    const InfLine *names = find_decorated(file, "SourceDisksNames", disk);
    g_autofree char *path = names ? inf_line_field(names, 4) : g_strdup("");
    return join(path, folder, name);
}

/* ---- where it goes to ---- */

/* The guest's folder for the files of a list. *folder NULL, and that noted: the guest has no such folder. */
static bool read_destination(InfReader *reader, const InfLine *from, const char *list, char **folder,
                             GError **error)
{
    const InfSection *section = inf_file_section(from->Section->File, "DestinationDirs");
    const InfLine *line = *list ? inf_section_find(section, list) : NULL;
    line = line ? line : inf_section_find(section, "DefaultDestDir");
    *folder = NULL;
    if (!line)
        return inf_line_error(from, error, "[DestinationDirs] has neither %s nor DefaultDestDir",
                              *list ? list : "a list");
    g_autofree char *text = inf_line_field(line, 1), *below = inf_line_field(line, 2);
    uint64_t number;
    if (!inf_number(text, 32, &number))
        return inf_line_error(line, error, "'%s' is no number of a directory", text);
    g_autofree char *root = inf_dirid_folder((guint)number, reader->Package->Name);
    if (root)
        *folder = join(root, "", below);
    else
        inf_read_note(reader, line, "files for the directory %s are not copied: the guest does not have it",
                      text);
    return true;
}

/* ---- files ---- */

/* Takes source and target. */
static bool add(InfReader *reader, const InfLine *line, char *source, char *target, GError **error)
{
    InfCopy *copy = g_new0(InfCopy, 1);
    *copy = (InfCopy){source, target, inf_line_where(line)};
    g_ptr_array_add(reader->Package->Copies, copy);
    if (!inf_read_is_file(source))
        return inf_line_error(line, error, "'%s' is no file below the INF's folder", source);
    if (!inf_read_is_file(target))
        return inf_line_error(line, error, "'%s' cannot be a file in the guest", target);
    g_autofree char *folded = inf_text_fold(target);
    const InfCopy *other = g_hash_table_lookup(reader->Copies, folded);
    if (!other) {
        g_hash_table_insert(reader->Copies, g_steal_pointer(&folded), copy);
        return true;
    }
    bool same = inf_text_equal(other->Source, source) ||
                inf_line_error(line, error, "%s would be %s here, and %s by %s", target, source,
                               other->Source, other->Where);
    g_ptr_array_set_size(reader->Package->Copies, (gint)reader->Package->Copies->len - 1);
    return same;
}

static bool copy_file(InfReader *reader, const InfLine *line, const char *folder, const char *name,
                      const char *source_name, GError **error)
{
    const InfFile *file = line->Section->File;
    if (*name == '\0')
        return inf_line_error(line, error, "a file has no name");
    char *source = listed_source(file, source_name);
    if (!source && inf_section_find(inf_file_section(file, "Version"), "LayoutFile")) {
        inf_read_note(reader, line, "%s lies on Windows' own media: it is not copied", source_name);
        return true;
    }
    return source ? add(reader, line, source, join(folder, "", name), error)
                  : inf_line_error(line, error, "[SourceDisksFiles] does not list %s", source_name);
}

static bool copy_list(InfReader *reader, const InfSection *section, const char *folder, GError **error)
{
    for (guint i = 0; i < section->Lines->len; i++) {
        const InfLine *line = inf_section_line(section, i);
        g_autofree char *name = inf_line_field(line, 1), *source = inf_line_field(line, 2);
        if (line->HasKey)
            return inf_line_error(line, error, "a file is written: name[, source[, , flags]]");
        if (!inf_read_step(reader, line, error) ||
            !copy_file(reader, line, folder, name, *source ? source : name, error))
            return false;
    }
    return true;
}

/* "@file", or the name of a list. */
static bool copy_word(InfReader *reader, const InfLine *line, const char *word, GError **error)
{
    bool single = *word == '@';
    const InfSection *section = single ? NULL : inf_read_require(reader, line, word, error);
    g_autofree char *folder = NULL;
    if ((!single && !section) || !read_destination(reader, line, single ? "" : word, &folder, error))
        return false;
    if (!folder)
        return true;
    return single ? copy_file(reader, line, folder, word + 1, word + 1, error)
                  : copy_list(reader, section, folder, error);
}

bool inf_read_copy_files(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error)
{
    for (guint i = 1; i <= inf_line_count(line); i++) {
        g_autofree char *word = inf_line_field(line, i);
        if (!copy_word(reader, line, word, error))
            return false;
    }
    return true;
}

bool inf_read_service_file(InfReader *reader, const InfLine *line, const char *target, GError **error)
{
    g_autofree char *folded = inf_text_fold(target);
    const char *name = strrchr(target, '/') + 1;
    if (g_hash_table_contains(reader->Copies, folded))
        return true;
    char *source = listed_source(line->Section->File, name);
    return add(reader, line, source ? source : g_strdup(name), g_strdup(target), error);
}

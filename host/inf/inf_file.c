/* SPDX-License-Identifier: MIT
 * Holds what the scanner has found, and gives it out: see inf_file.h. */
#include "inf_file.h"

#include "inf_error.h"
#include "inf_scan.h"
#include "inf_strings.h"
#include "inf_text.h"

static void free_section(gpointer pointer)
{
    InfSection *section = pointer;
    g_free(section->Name);
    g_array_unref(section->Lines);
    g_clear_pointer(&section->ByKey, g_hash_table_unref);
    g_free(section);
}

static InfFile *new_file(const char *name)
{
    InfFile *file = g_new0(InfFile, 1);
    file->Name = g_strdup(name);
    file->Package = inf_text_fold(name);
    file->Pool = g_string_new(NULL);
    file->Fields = g_array_new(FALSE, FALSE, sizeof(guint32));
    file->Sections = g_ptr_array_new_with_free_func(free_section);
    file->ByName = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    file->Strings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    file->Undefined = g_ptr_array_new_with_free_func(g_free);
    return file;
}

InfFile *inf_file_parse(const char *name, const void *bytes, gsize length, GError **error)
{
    GString *text = inf_text_decode(name, bytes, length, error);
    if (!text)
        return NULL;
    InfFile *file = new_file(name);
    bool good = inf_scan(file, text->str, error) && inf_strings_resolve(file, error);
    g_string_free(text, TRUE);
    if (good)
        return file;
    inf_file_free(file);
    return NULL;
}

void inf_file_free(InfFile *file)
{
    g_free(file->Name);
    g_free(file->Package);
    g_string_free(file->Pool, TRUE);
    g_array_unref(file->Fields);
    g_hash_table_unref(file->ByName);
    g_hash_table_unref(file->Strings);
    g_clear_pointer(&file->ByStem, g_hash_table_unref);
    g_ptr_array_unref(file->Sections);
    g_ptr_array_unref(file->Undefined);
    g_free(file);
}

const InfSection *inf_file_section(const InfFile *file, const char *name)
{
    g_autofree char *folded = inf_text_fold(name);
    return g_hash_table_lookup(file->ByName, folded);
}

static GHashTable *index_keys(const InfSection *section)
{
    GHashTable *keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < section->Lines->len; i++) {
        const char *raw = inf_line_raw(inf_section_line(section, i), 0);
        g_autofree char *folded = raw ? inf_text_fold(raw) : NULL;
        if (folded && !g_hash_table_contains(keys, folded))
            g_hash_table_insert(keys, g_steal_pointer(&folded), GUINT_TO_POINTER(i + 1));
    }
    return keys;
}

const InfLine *inf_section_find(const InfSection *section, const char *key)
{
    if (!section)
        return NULL;
    if (!section->ByKey)
        ((InfSection *)section)->ByKey = index_keys(section);
    g_autofree char *folded = inf_text_fold(key);
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(section->ByKey, folded));
    return found ? inf_section_line(section, found - 1) : NULL;
}

guint inf_line_count(const InfLine *line)
{
    return line->Count - line->HasKey;
}

const char *inf_line_raw(const InfLine *line, guint index)
{
    const InfFile *file = line->Section->File;
    guint at = line->HasKey ? index : index - 1;
    if ((index == 0 && !line->HasKey) || at >= line->Count)
        return NULL;
    return file->Pool->str + g_array_index(file->Fields, guint32, line->First + at);
}

char *inf_line_field(const InfLine *line, guint index)
{
    const char *raw = inf_line_raw(line, index);
    return raw ? inf_strings_replace(line->Section->File, raw) : g_strdup("");
}

char *inf_line_where(const InfLine *line)
{
    const InfSection *section = line->Section;
    const char *key = inf_line_raw(line, 0);
    return g_strdup_printf("%s:%u: [%s]%s%s", section->File->Name, line->Number, section->Name,
                           key ? " " : "", key ? key : "");
}

bool inf_line_error(const InfLine *line, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *where = inf_line_where(line);
    g_set_error(error, INF_ERROR, 0, "%s: %s", where, sentence);
    return false;
}

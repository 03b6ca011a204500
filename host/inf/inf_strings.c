/* SPDX-License-Identifier: MIT
 * Looks strings up and puts them in: see inf_strings.h. */
#include "inf_strings.h"

#include <string.h>

#include "inf_dirid.h"
#include "inf_text.h"

#define MAX_UNDEFINED 20u /* sentences */

/* ---- the table ---- */

/* Those of a section that is looked at first stay. */
static void add_strings(InfFile *file, const char *name)
{
    const InfSection *section = inf_file_section(file, name);
    for (guint i = 0; section && i < section->Lines->len; i++) {
        const InfLine *line = inf_section_line(section, i);
        const char *text = inf_line_raw(line, 1);
        g_autofree char *key = line->HasKey ? inf_text_fold(inf_line_raw(line, 0)) : NULL;
        if (key && text && !g_hash_table_contains(file->Strings, key))
            g_hash_table_insert(file->Strings, g_steal_pointer(&key), (gpointer)text);
    }
}

/* What stands for the token of that length, or NULL; *owned is then freed by the caller. */
static const char *look_up(const InfFile *file, const char *token, gsize length, char **owned)
{
    g_autofree char *name = g_strndup(token, length), *folded = inf_text_fold(name);
    const char *text = g_hash_table_lookup(file->Strings, folded);
    *owned = text ? NULL : inf_dirid_text(name, file->Package);
    return text ? text : *owned;
}

/* ---- the fields ---- */

/* The next piece of raw: as it is written, or what stands for a token. Moves *raw behind it. */
static const char *next_piece(const InfFile *file, const char **raw, gsize *length, char **owned)
{
    const char *at = *raw, *end = *at == '%' ? strchr(at + 1, '%') : NULL;
    const char *text = at;
    *owned = NULL;
    *length = *at == '%' ? 1 : strcspn(at, "%");
    *raw = at + *length;
    if (!end)
        return text;
    if (end == at + 1) { /* %% */
        *raw = end + 1;
        return text;
    }
    text = look_up(file, at + 1, (gsize)(end - at) - 1, owned);
    *raw = end + 1;
    *length = text ? strlen(text) : (gsize)(end - at) + 1;
    return text ? text : at;
}

char *inf_strings_replace(const InfFile *file, const char *raw)
{
    GString *text = g_string_new(NULL);
    while (*raw) {
        gsize length;
        g_autofree char *owned = NULL;
        const char *piece = next_piece(file, &raw, &length, &owned);
        g_string_append_len(text, piece, (gssize)length);
    }
    return g_string_free(text, FALSE);
}

/* "50% of 100%" is no token. */
static bool is_token(const char *piece, gsize length)
{
    return length > 2 && piece[0] == '%' && !memchr(piece, ' ', length);
}

static void tell_undefined(InfFile *file, const InfLine *line, const char *piece, gsize length)
{
    g_autofree char *where = inf_line_where(line);
    if (file->Undefined->len < MAX_UNDEFINED)
        g_ptr_array_add(file->Undefined,
                        g_strdup_printf("%s: %.*s is in no Strings section and stays as it is", where,
                                        (int)length, piece));
}

static bool has_room(const InfFile *file, const char *raw)
{
    g_autofree char *text = inf_strings_replace(file, raw);
    return g_utf8_strlen(text, -1) <= (glong)INF_MAX_FIELD;
}

/* Counts bytes, of which there are at least as many as characters, and characters only when they matter. */
static bool check_field(InfFile *file, const InfLine *line, const char *raw, GError **error)
{
    gsize bytes = 0;
    for (const char *at = raw; *at;) {
        gsize length;
        const char *begin = at;
        g_autofree char *owned = NULL;
        const char *piece = next_piece(file, &at, &length, &owned);
        if (piece == begin && is_token(piece, length))
            tell_undefined(file, line, piece, length);
        bytes += length;
    }
    return bytes <= INF_MAX_FIELD || has_room(file, raw) ||
           inf_line_error(line, error, "with its strings put in, a field has more than %u characters",
                          INF_MAX_FIELD);
}

static bool is_strings(const InfSection *section)
{
    return inf_text_equal(section->Name, "Strings") || inf_text_begins(section->Name, "Strings.");
}

static bool check_section(InfFile *file, const InfSection *section, GError **error)
{
    for (guint i = 0; i < section->Lines->len; i++) {
        const InfLine *line = inf_section_line(section, i);
        for (guint f = 0; f <= inf_line_count(line); f++) {
            const char *raw = inf_line_raw(line, f);
            if (raw && strchr(raw, '%') && !check_field(file, line, raw, error))
                return false;
        }
    }
    return true;
}

bool inf_strings_resolve(InfFile *file, GError **error)
{
    static const char *const names[] = {"Strings.0409", "Strings.0009", "Strings"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        add_strings(file, names[i]);
    for (guint i = 0; i < file->Sections->len; i++) {
        const InfSection *section = file->Sections->pdata[i];
        if (!is_strings(section) && !check_section(file, section, error))
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: MIT
 * Follows the directives of sections: see inf_read.h. */
#include "inf_read.h"

#include <string.h>

#include "inf_error.h"
#include "inf_text.h"

/* ---- notes and limits ---- */

void inf_read_note(InfReader *reader, const InfLine *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *where = inf_line_where(line);
    g_autofree char *note = g_strdup_printf("%s: %s", where, sentence);
    if (reader->Package->Notes->len < INF_MAX_NOTES && g_hash_table_add(reader->Told, g_strdup(note)))
        g_ptr_array_add(reader->Package->Notes, g_steal_pointer(&note));
}

bool inf_read_step(InfReader *reader, const InfLine *line, GError **error)
{
    reader->Fields += line->Count;
    return reader->Fields <= INF_MAX_FIELDS ||
           inf_line_error(line, error,
                          "up to here lines with %u fields are followed: too many for one package",
                          INF_MAX_FIELDS);
}

/* ---- sections and lines ---- */

const InfSection *inf_read_find(const InfReader *reader, const InfFile *file, const char *name)
{
    const InfSection *section = inf_file_section(file, name);
    for (guint i = 0; i < reader->Files->len && !section; i++)
        section = inf_file_section(reader->Files->pdata[i], name);
    return section;
}

const InfSection *inf_read_require(const InfReader *reader, const InfLine *line, const char *name,
                                   GError **error)
{
    const InfSection *section = *name ? inf_read_find(reader, line->Section->File, name) : NULL;
    if (!section)
        inf_line_error(line, error, "there is no section [%s]", name);
    return section;
}

/* ---- Include and Needs ---- */

static bool is_included(const InfReader *reader, const char *name)
{
    for (guint i = 0; i < reader->Files->len; i++) {
        if (inf_text_equal(((const InfFile *)reader->Files->pdata[i])->Name, name))
            return true;
    }
    return false;
}

static bool include(InfReader *reader, const InfLine *line, const char *name, GError **error)
{
    const InfFile *file = NULL;
    if (is_included(reader, name))
        return true;
    if (reader->Includes && !reader->Includes->Open(reader->Includes->Context, name, &file, error))
        return false;
    if (file)
        g_ptr_array_add(reader->Files, (gpointer)file);
    else if (g_hash_table_add(reader->Missing, inf_text_fold(name)))
        inf_read_note(reader, line, "%s does not lie beside this INF: what is needed of it is skipped", name);
    return true;
}

/* [WDK "INF DDInstall Section"] */
static bool read_include(InfReader *reader, const InfLine *line, GError **error)
{
    for (guint i = 1; i <= inf_line_count(line); i++) {
        g_autofree char *name = inf_line_field(line, i);
        if (!include(reader, line, name, error))
            return false;
    }
    return true;
}

static bool read_needs(InfReader *reader, const InfLine *line, const InfDirective *directives,
                       const InfScope *scope, GError **error)
{
    bool good = true;
    if (reader->Depth == INF_MAX_NEEDS)
        return inf_line_error(
            line, error, "sections need one another over %u levels: they may go in a circle", INF_MAX_NEEDS);
    reader->Depth++;
    for (guint i = 1; i <= inf_line_count(line) && good; i++) {
        g_autofree char *name = inf_line_field(line, i);
        const InfSection *section = inf_read_find(reader, line->Section->File, name);
        if (section)
            good = inf_read_section(reader, section, directives, scope, error);
        else if (g_hash_table_size(reader->Missing) == 0)
            inf_read_note(reader, line, "there is no section [%s]: it is skipped", name);
    }
    reader->Depth--;
    return good;
}

/* ---- directives ---- */

static const InfDirective *find_directive(const InfDirective *directives, const char *key)
{
    while (directives->Name && !inf_text_equal(directives->Name, key))
        directives++;
    return directives->Name ? directives : NULL;
}

static bool read_line(InfReader *reader, const InfLine *line, const InfDirective *directives, InfOrder order,
                      const InfScope *scope, GError **error)
{
    const char *key = inf_line_raw(line, 0);
    const InfDirective *directive = key ? find_directive(directives, key) : NULL;
    bool includes = key && inf_text_equal(key, "Include"), needs = key && inf_text_equal(key, "Needs");
    if ((directive ? directive->Order : InfOrderLate) != order)
        return true;
    if (!inf_read_step(reader, line, error))
        return false;
    if (includes)
        return read_include(reader, line, error);
    if (needs)
        return read_needs(reader, line, directives, scope, error);
    if (directive && directive->Run)
        return directive->Run(reader, line, scope, error);
    if (!directive)
        inf_read_note(reader, line, "%s is no directive that is known here: ignored",
                      key ? key : "this line");
    else if (directive->Why)
        inf_read_note(reader, line, "ignored: %s", directive->Why);
    return true;
}

bool inf_read_section(InfReader *reader, const InfSection *section, const InfDirective *directives,
                      const InfScope *scope, GError **error)
{
    for (int order = InfOrderEarly; order >= (int)InfOrderLate; order--) {
        for (guint i = 0; i < section->Lines->len; i++) {
            if (!read_line(reader, inf_section_line(section, i), directives, (InfOrder)order, scope, error))
                return false;
        }
    }
    return true;
}

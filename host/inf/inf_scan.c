/* SPDX-License-Identifier: MIT
 * The scanner. [WDK "General Syntax Rules for INF Files"] One pass, no look-back; a field's text goes into the pool as it is read. */
#include "inf_scan.h"

#include <string.h>

#include "inf_error.h"
#include "inf_text.h"

typedef struct Scanner {
    InfFile *File;
    const char *At;
    guint Line;
    InfSection *Section;
    GError **Error;
} Scanner;

static bool wrong(Scanner *scanner, const char *sentence)
{
    return inf_error_at(scanner->Error, scanner->File->Name, scanner->Line, "%s", sentence);
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\v' || character == '\f';
}

static bool is_line_end(char character)
{
    return character == '\0' || character == '\n' || character == '\r';
}

static void skip_blanks(Scanner *scanner)
{
    while (is_blank(*scanner->At))
        scanner->At++;
}

static void skip_line(Scanner *scanner)
{
    scanner->At += strcspn(scanner->At, "\r\n");
}

/* From the end of a line to the beginning of the next. */
static void next_line(Scanner *scanner)
{
    if (*scanner->At == '\0')
        return;
    scanner->At += scanner->At[0] == '\r' && scanner->At[1] == '\n' ? 2 : 1;
    scanner->Line++;
}

/* ---- sections ---- */

static InfSection *section_named(Scanner *scanner, const char *name)
{
    InfFile *file = scanner->File;
    g_autofree char *folded = inf_text_fold(name);
    InfSection *section = g_hash_table_lookup(file->ByName, folded);
    if (section)
        return section;
    section = g_new0(InfSection, 1);
    section->File = file;
    section->Name = g_strdup(name);
    section->Number = scanner->Line;
    section->Lines = g_array_new(FALSE, FALSE, sizeof(InfLine));
    g_ptr_array_add(file->Sections, section);
    g_hash_table_insert(file->ByName, g_steal_pointer(&folded), section);
    return section;
}

static bool read_header(Scanner *scanner)
{
    const char *begin = scanner->At + 1, *end = begin + strcspn(begin, "]\r\n");
    if (*end != ']')
        return wrong(scanner, "a section's name ends with ']' in the same line");
    g_autofree char *name = g_strndup(begin, (gsize)(end - begin));
    g_strstrip(name);
    size_t length = strlen(name);
    if (length >= 2 && name[0] == '"' && name[length - 1] == '"') {
        name[length - 1] = '\0';
        memmove(name, name + 1, length - 1);
    }
    if (*name == '\0')
        return wrong(scanner, "this section has no name");
    if (g_utf8_strlen(name, -1) > (glong)INF_MAX_SECTION_NAME)
        return wrong(scanner, "this section's name has more than 255 characters");
    scanner->Section = section_named(scanner, name);
    if (scanner->File->Sections->len > INF_MAX_SECTIONS)
        return wrong(scanner, "the file has too many sections for an INF");
    scanner->At = end + 1;
    skip_line(scanner);
    return true;
}

/* ---- fields ---- */

/* At a backslash: is it the last of the line, but for blanks and a comment? */
static bool continues(const char *backslash)
{
    const char *at = backslash + 1;
    while (is_blank(*at))
        at++;
    return *at == ';' || is_line_end(*at);
}

/* Behind the opening quote. */
static bool read_quoted(Scanner *scanner, GString *pool)
{
    for (; !is_line_end(*scanner->At); scanner->At++) {
        if (*scanner->At == '"' && *++scanner->At != '"')
            return true;
        g_string_append_c(pool, *scanner->At);
    }
    return wrong(scanner, "a quoted text does not end in its line");
}

/* One field's text, without its delimiter. The key ends at a '=' if no comma came before. */
static bool read_field(Scanner *scanner, bool key_possible)
{
    GString *pool = scanner->File->Pool;
    guint32 begin = (guint32)pool->len;
    gsize end = begin; /* behind what is no trailing blank */
    g_array_append_val(scanner->File->Fields, begin);
    skip_blanks(scanner);
    while (!is_line_end(*scanner->At) && *scanner->At != ',' && *scanner->At != ';' &&
           (*scanner->At != '=' || !key_possible)) {
        if (*scanner->At == '\\' && continues(scanner->At)) {
            skip_line(scanner);
            next_line(scanner);
            skip_blanks(scanner);
            continue;
        }
        bool quoted = *scanner->At == '"', blank = is_blank(*scanner->At);
        if (quoted) {
            scanner->At++;
            if (!read_quoted(scanner, pool))
                return false;
        } else {
            g_string_append_c(pool, *scanner->At++);
        }
        end = blank ? end : pool->len;
    }
    g_string_truncate(pool, end);
    if (end - begin > INF_MAX_FIELD && g_utf8_strlen(pool->str + begin, -1) > (glong)INF_MAX_FIELD)
        return wrong(scanner, "a field has more than 4095 characters");
    g_string_append_c(pool, '\0');
    return true;
}

static bool read_entry(Scanner *scanner)
{
    InfLine line = {
        .Section = scanner->Section, .Number = scanner->Line, .First = scanner->File->Fields->len};
    if (!scanner->Section)
        return wrong(scanner, "this stands before the first [section]");
    for (bool more = true; more;) {
        if (!read_field(scanner, line.Count == 0))
            return false;
        line.HasKey = line.HasKey || *scanner->At == '=';
        line.Count++;
        more = *scanner->At == ',' || *scanner->At == '=';
        scanner->At += more;
    }
    skip_line(scanner);
    g_array_append_val(scanner->Section->Lines, line);
    return true;
}

bool inf_scan(InfFile *file, const char *text, GError **error)
{
    Scanner scanner = {.File = file, .At = text, .Line = 1, .Error = error};
    while (*scanner.At) {
        skip_blanks(&scanner);
        bool good = true;
        if (*scanner.At == ';')
            skip_line(&scanner);
        else if (*scanner.At == '[')
            good = read_header(&scanner);
        else if (!is_line_end(*scanner.At))
            good = read_entry(&scanner);
        if (!good)
            return false;
        next_line(&scanner);
    }
    return true;
}

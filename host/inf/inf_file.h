/* SPDX-License-Identifier: MIT
 * An INF as sections of lines of fields. [WDK "General Syntax Rules for INF Files"]
 *
 *   [Section]                      ; names have no case; sections of one name are one
 *   key = field 1, "field, 2", \   ; a quoted text may hold what else has a meaning, and "" for a quote
 *         field 3                  ; a backslash at the end of a line continues it
 *
 * %strkey% and %dirid% in a field are replaced when it is read (inf_strings.h). */
#pragma once
#include <glib.h>
#include <stdbool.h>

/* [SetupAPI MAX_INF_STRING_LENGTH, MAX_INF_SECTION_NAME_LENGTH] in characters. */
#define INF_MAX_FIELD 4095u
#define INF_MAX_SECTION_NAME 255u
#define INF_MAX_SECTIONS 16384u /* in one INF; ours: Windows' largest have a third of that */

typedef struct InfFile {
    char *Name;          /* as messages have it: without folder */
    char *Package;       /* in lower case: how the package is called */
    GString *Pool;       /* the fields' text, each with its NUL, unquoted, not yet replaced */
    GArray *Fields;      /* of guint32: where each begins in Pool */
    GPtrArray *Sections; /* of InfSection, in the file's order */
    GHashTable *ByName;  /* folded name -> InfSection */
    GHashTable *
        ByStem; /* folded name without decoration -> GPtrArray of InfSection; made by the first search (inf_target.c) */
    GHashTable *Strings;  /* folded strkey -> its text in Pool */
    GPtrArray *Undefined; /* of char *: sentences about %strkey%s that no Strings section has */
} InfFile;

typedef struct InfSection {
    const InfFile *File;
    char *Name;
    guint Number;      /* line of its first header */
    GArray *Lines;     /* of InfLine */
    GHashTable *ByKey; /* folded key -> the number of its first line, plus 1; made by the first search */
} InfSection;

typedef struct InfLine {
    const InfSection *Section;
    guint Number; /* its first line */
    guint First;  /* index in Fields */
    guint Count;  /* fields, with the key */
    bool HasKey;  /* then the first field is it */
} InfLine;

/* Name: of the file, without folder. NULL with an INF_ERROR. */
InfFile *inf_file_parse(const char *name, const void *bytes, gsize length, GError **error);
void inf_file_free(InfFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InfFile, inf_file_free)

const InfSection *inf_file_section(const InfFile *file, const char *name); /* NULL: none */

static inline const InfLine *inf_section_line(const InfSection *section, guint index)
{
    return &g_array_index(section->Lines, InfLine, index);
}

/* The first line with that key; NULL: none, or section is NULL. */
const InfLine *inf_section_find(const InfSection *section, const char *key);

/* The fields behind the key are numbered from 1, as SetupAPI does; 0 is the key. */
guint inf_line_count(const InfLine *line);                  /* fields, without the key */
const char *inf_line_raw(const InfLine *line, guint index); /* as it is written; NULL: none, or no key */
char *inf_line_field(const InfLine *line,
                     guint index); /* replaced; never NULL, "" when there is none; g_free */

/* Sets error to "FILE:LINE: [SECTION] KEY: sentence" and returns false. */
bool inf_line_error(const InfLine *line, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* What stands before the sentence: "FILE:LINE: [SECTION] KEY"; g_free. */
char *inf_line_where(const InfLine *line);

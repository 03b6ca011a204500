/* SPDX-License-Identifier: MIT
 * Reads decorations: see inf_target.h. */
#include "inf_target.h"

#include <string.h>

#include "inf_text.h"

#define MAJOR 10u
#define MINOR 0u
#define BUILD 19045u
#define PRODUCT_WORKSTATION 1u
#define SUITES 0x100u /* VER_SUITE_SINGLEUSERTS, which Windows 10 has */
#define FIELDS 6u

/* "" is 0, which stands for: not said. */
static bool read_number(const char *text, guint *number)
{
    bool hexadecimal = g_ascii_strncasecmp(text, "0x", 2) == 0;
    const char *digits = hexadecimal ? text + 2 : text;
    size_t length = strlen(digits);
    if (length > 8 || strspn(digits, hexadecimal ? "0123456789abcdefABCDEF" : "0123456789") != length)
        return false;
    *number = (guint)g_ascii_strtoull(digits, NULL, hexadecimal ? 16 : 10);
    return true;
}

static bool is_at_most(const InfRank *rank)
{
    if (rank->Major != MAJOR)
        return rank->Major < MAJOR;
    if (rank->Minor != MINOR)
        return rank->Minor < MINOR;
    return rank->Build <= BUILD;
}

/* With BuildNumber in the sixth place; before that came, SuiteMask was the last. */
static bool read_numbers(char **parts, guint count, InfRank *rank)
{
    guint numbers[FIELDS] = {0};
    for (guint i = 1; i < count; i++) {
        if (!read_number(parts[i], &numbers[i]))
            return false;
    }
    rank->Major = numbers[1];
    rank->Minor = numbers[2];
    rank->Build = numbers[5];
    rank->Product = numbers[3] != 0;
    rank->Suite = numbers[4] != 0;
    return (!rank->Product || numbers[3] == PRODUCT_WORKSTATION) && (numbers[4] & ~SUITES) == 0 &&
           is_at_most(rank);
}

bool inf_target_rank(const char *decoration, InfRank *rank)
{
    *rank = (InfRank){0};
    if (*decoration == '\0')
        return true;
    g_auto(GStrv) parts = g_strsplit(decoration, ".", FIELDS + 1);
    guint count = g_strv_length(parts);
    if (count > FIELDS)
        return false;
    rank->Architecture = inf_text_equal(parts[0], "NTamd64");
    rank->System = true;
    return (rank->Architecture || inf_text_equal(parts[0], "NT")) && read_numbers(parts, count, rank);
}

bool inf_target_is_closer(const InfRank *one, const InfRank *other)
{
    const int places[][2] = {{(int)one->Major, (int)other->Major}, {(int)one->Minor, (int)other->Minor},
                             {(int)one->Build, (int)other->Build}, {one->Product, other->Product},
                             {one->Suite, other->Suite},           {one->Architecture, other->Architecture},
                             {one->System, other->System}};
    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        if (places[i][0] != places[i][1])
            return places[i][0] > places[i][1];
    }
    return false;
}

/* For install sections the platform counts first. */
static bool is_better_section(const InfRank *one, const InfRank *other)
{
    return one->Architecture != other->Architecture ? one->Architecture : inf_target_is_closer(one, other);
}

/* What stands before the decoration of a section's name, folded; NULL: it has none. A decoration has no second ".nt". */
static char *stem_of(const InfSection *section)
{
    g_autofree char *folded = inf_text_fold(section->Name);
    const char *point = g_strrstr(folded, ".nt");
    return point ? g_strndup(folded, (gsize)(point - folded)) : NULL;
}

static GHashTable *index_stems(const InfFile *file)
{
    GHashTable *stems =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < file->Sections->len; i++) {
        char *stem = stem_of(file->Sections->pdata[i]);
        GPtrArray *same = stem ? g_hash_table_lookup(stems, stem) : NULL;
        if (!stem)
            continue;
        if (same) {
            g_free(stem);
        } else {
            same = g_ptr_array_new();
            g_hash_table_insert(stems, stem, same);
        }
        g_ptr_array_add(same, file->Sections->pdata[i]);
    }
    return stems;
}

static const GPtrArray *decorated_sections(const InfFile *file, const char *name)
{
    g_autofree char *folded = inf_text_fold(name);
    if (!file->ByStem)
        ((InfFile *)file)->ByStem = index_stems(file);
    return g_hash_table_lookup(file->ByStem, folded);
}

const InfSection *inf_target_section(const InfFile *file, const char *name)
{
    const GPtrArray *sections = decorated_sections(file, name);
    const InfSection *best = inf_file_section(file, name);
    InfRank best_rank = {0};
    for (guint i = 0; sections && i < sections->len; i++) {
        const InfSection *section = sections->pdata[i];
        const char *decoration = g_utf8_offset_to_pointer(section->Name, g_utf8_strlen(name, -1) + 1);
        InfRank rank;
        if (!inf_target_rank(decoration, &rank) ||
            (best_rank.System && !is_better_section(&rank, &best_rank)))
            continue;
        best = section;
        best_rank = rank;
    }
    return best;
}

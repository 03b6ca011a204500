/* SPDX-License-Identifier: MIT
 * Reads a scenario line by line: see scenario_file.h. */
#include "scenario_file.h"

#include <string.h>

#include "hot_plug.h"
#include "usage.h"

#define MAX_BYTES (4u << 20)
#define BLANKS " \t\r"

static Request *parse_ioctl(const char *text, GError **error)
{
    return request_parse(ScenarioIoctl, text, error);
}

static Request *parse_read(const char *text, GError **error)
{
    return request_parse(ScenarioRead, text, error);
}

static Request *parse_write(const char *text, GError **error)
{
    return request_parse(ScenarioWrite, text, error);
}

static Request *parse_sleep(const char *text, GError **error)
{
    if (*text == '\0')
        return request_sleep();
    usage_error(error, "sleep stands alone, not before '%s'", text);
    return NULL;
}

typedef struct Verb {
    const char *Name;
    Request *(*Parse)(const char *text, GError **error);
} Verb;

static const Verb verbs[] = {
    {"ioctl", parse_ioctl},
    {"read", parse_read},
    {"write", parse_write},
    {"plug", hot_plug_parse_plug},
    {"unplug", hot_plug_parse_unplug},
    {"surprise", hot_plug_parse_surprise},
    {"sleep", parse_sleep},
};

static const Verb *find_verb(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(verbs[i].Name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

/* ---- one line ---- */

typedef struct Place {
    const char *Name; /* of the file */
    guint Line;
} Place;

/* The sentence of the command line is about an option: here it is a word. */
static bool line_error(const Place *place, size_t column, GError **error, const char *sentence)
{
    const char *words = g_str_has_prefix(sentence, "--") ? sentence + 2 : sentence;
    return usage_error(error, "%s:%u:%zu: %s", place->Name, place->Line, column + 1, words);
}

static bool unknown_verb(const Place *place, size_t column, const char *verb, GError **error)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "", verbs[i].Name);
    g_autofree char *known = g_string_free(text, FALSE);
    g_autofree char *sentence = g_strdup_printf("a line begins with one of %s, not with '%s'", known, verb);
    return line_error(place, column, error, sentence);
}

static bool parse_line(const Place *place, const char *line, GPtrArray *requests, GError **error)
{
    size_t begin = strspn(line, BLANKS), length = strcspn(line + begin, BLANKS);
    size_t rest = begin + length + strspn(line + begin + length, BLANKS);
    if (line[begin] == '\0' || line[begin] == '#')
        return true;
    g_autofree char *name = g_strndup(line + begin, length), *arguments = g_strdup(line + rest);
    const Verb *verb = find_verb(name);
    if (!verb)
        return unknown_verb(place, begin, name, error);
    g_autoptr(GError) wrong = NULL;
    Request *request = verb->Parse(g_strchomp(arguments), &wrong);
    if (!request)
        return line_error(place, rest, error, wrong->message);
    g_ptr_array_add(requests, request);
    return true;
}

/* ---- all lines ---- */

bool scenario_file_parse(const char *text, gsize length, const char *name, GPtrArray *requests,
                         GError **error)
{
    guint before = requests->len;
    bool good = true;
    if (length > MAX_BYTES)
        return usage_error(error, "%s: a scenario has at most %u bytes", name, MAX_BYTES);
    if (memchr(text, '\0', length) || !g_utf8_validate(text, (gssize)length, NULL))
        return usage_error(error, "%s is no text in UTF-8", name);
    size_t mark = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* some editors write one */
    g_autofree char *copy = g_strndup(text + mark, length - mark);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
    for (guint i = 0; lines[i] && good; i++)
        good = parse_line(&(Place){name, i + 1}, lines[i], requests, error);
    if (!good)
        g_ptr_array_set_size(requests, (gint)before);
    return good;
}

bool scenario_file_read(const char *path, GPtrArray *requests, GError **error)
{
    g_autofree char *text = NULL, *name = g_path_get_basename(path);
    gsize length;
    g_autoptr(GError) wrong = NULL;
    if (!g_file_get_contents(path, &text, &length, &wrong))
        return usage_error(error, "cannot read the scenario: %s", wrong->message);
    return scenario_file_parse(text, length, name, requests, error);
}

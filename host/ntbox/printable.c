/* SPDX-License-Identifier: MIT
 * Escapes what a terminal would act on: see printable.h. */
#include "printable.h"

#include <glib.h>
#include <stdbool.h>

/* [Unicode Bidirectional Algorithm, 2.] The characters that embed, override and isolate. */
static bool turns_direction(gunichar character)
{
    return (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

char *printable_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *shown = g_string_new(NULL);
    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        if (g_unichar_iscntrl(character))
            g_string_append_printf(shown, "\\x%02x", character);
        else if (turns_direction(character))
            g_string_append_printf(shown, "\\u%04x", character);
        else
            g_string_append_unichar(shown, character);
    }
    return g_string_free(shown, FALSE);
}

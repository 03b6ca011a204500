/* SPDX-License-Identifier: MIT
 * Numbers and byte strings of the command line, and the sentence when they are wrong. */
#include "usage.h"

#include <errno.h>
#include <string.h>

G_DEFINE_QUARK(ntbox - usage - error - quark, ntbox_usage_error)

bool usage_error(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sentence = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, NTBOX_USAGE_ERROR, 0, sentence);
    return false;
}

/* GLib says that some byte is wrong, but not in which word. */
static bool not_utf8(char **argv, GError **error)
{
    while (*argv && g_utf8_validate(*argv, -1, NULL))
        argv++;
    g_autofree char *shown = *argv ? g_strescape(*argv, NULL) : NULL;
    return shown && usage_error(error, "'%s' is not UTF-8", shown);
}

bool usage_parse_options(GOptionContext *context, char **argv, GError **error)
{
    g_auto(GStrv) rest = g_strdupv(argv);
    g_autoptr(GError) reason = NULL;
    if (g_option_context_parse_strv(context, &rest, &reason))
        return true;
    if (g_error_matches(reason, G_CONVERT_ERROR, G_CONVERT_ERROR_ILLEGAL_SEQUENCE))
        return not_utf8(argv, error);
    g_propagate_error(error, g_steal_pointer(&reason));
    return false;
}

bool usage_parse_number(const char *text, const char *what, uint64_t maximum, uint64_t *value, GError **error)
{
    bool hexadecimal = g_ascii_strncasecmp(text, "0x", 2) == 0;
    const char *digits = hexadecimal ? text + 2 : text;
    char *end = NULL;
    errno = 0;
    uint64_t number = g_ascii_isxdigit(*digits) ? g_ascii_strtoull(digits, &end, hexadecimal ? 16 : 10) : 0;
    if (!end || *end || errno)
        return usage_error(error, "%s '%s' is not a number (decimal or 0x-hexadecimal)", what, text);
    if (number > maximum)
        return usage_error(error, "%s %s is too large: at most %" G_GUINT64_FORMAT, what, text, maximum);
    *value = number;
    return true;
}

GByteArray *usage_parse_hex(const char *text, const char *what, size_t maximum, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    for (const char *at = text; *at;) {
        if (*at == ' ') {
            at++;
            continue;
        }
        if (!g_ascii_isxdigit(at[0]) || !g_ascii_isxdigit(at[1])) {
            usage_error(error, "%s '%s' is not hexadecimal: two digits a byte are wanted at character %zu",
                        what, text, (size_t)(at - text) + 1);
            return NULL;
        }
        if (bytes->len >= maximum) {
            usage_error(error, "%s is longer than %zu bytes", what, maximum);
            return NULL;
        }
        guint8 byte = (guint8)(g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]));
        g_byte_array_append(bytes, &byte, 1);
        at += 2;
    }
    return g_steal_pointer(&bytes);
}

/* SPDX-License-Identifier: MIT
 * Decodes an INF: see inf_text.h. [WDK "General Syntax Rules for INF Files"; "Creating International INF Files"] */
#include "inf_text.h"

#include <stdint.h>
#include <string.h>

#include "inf_error.h"

#define CONTROL_Z 0x1a
#define NO_CHARACTER G_MAXUINT32

/* What is decoded, and how far. */
typedef struct Source {
    const uint8_t *Bytes;
    gsize Length, At;
    gboolean BigEndian;
} Source;

/* [Unicode mapping of cp1252] 0x80 to 0x9F; what is not assigned stays. */
static const uint16_t ansi[32] = {0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                  0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
                                  0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                  0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};

static gunichar next_ansi(Source *source)
{
    uint8_t byte = source->Bytes[source->At++];
    return byte >= 0x80 && byte < 0xa0 ? ansi[byte - 0x80] : byte;
}

static gunichar next_utf8(Source *source)
{
    const char *text = (const char *)source->Bytes + source->At;
    gunichar character = *text ? g_utf8_get_char_validated(text, (gssize)(source->Length - source->At)) : 0;
    if (character >= 0x110000)
        return NO_CHARACTER;
    source->At += (gsize)g_unichar_to_utf8(character, NULL);
    return character;
}

static gunichar next_unit(Source *source)
{
    if (source->Length - source->At < 2)
        return NO_CHARACTER;
    const uint8_t *bytes = source->Bytes + source->At;
    source->At += 2;
    return source->BigEndian ? (gunichar)(bytes[0] << 8 | bytes[1]) : (gunichar)(bytes[1] << 8 | bytes[0]);
}

static gunichar next_utf16(Source *source)
{
    gunichar unit = next_unit(source);
    if (unit == NO_CHARACTER || unit < 0xd800 || unit > 0xdfff)
        return unit;
    gunichar low = unit < 0xdc00 ? next_unit(source) : NO_CHARACTER;
    if (low == NO_CHARACTER || low < 0xdc00 || low > 0xdfff)
        return NO_CHARACTER;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* The decoder that the first bytes ask for; the mark is passed over. */
static gunichar (*choose(Source *source))(Source *)
{
    const uint8_t *bytes = source->Bytes;
    if (source->Length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        source->At = 3;
        return next_utf8;
    }
    if (source->Length < 2 || (memcmp(bytes, "\xff\xfe", 2) != 0 && memcmp(bytes, "\xfe\xff", 2) != 0))
        return next_ansi;
    source->BigEndian = bytes[0] == 0xfe;
    source->At = 2;
    return next_utf16;
}

static gboolean is_forbidden(gunichar character)
{
    return character < 0x20 && !strchr("\t\n\r\v\f", (int)character);
}

static gboolean decode(Source *source, GString *text, const char *file, GError **error)
{
    gunichar (*next)(Source *) = choose(source);
    gunichar last = 0;
    guint line = 1;
    while (source->At < source->Length) {
        gunichar character = next(source);
        if (character == CONTROL_Z)
            return TRUE;
        if (character == NO_CHARACTER)
            return inf_error_at(error, file, line,
                                "here is half a character: the text is not what its byte-order mark says");
        if (character == 0)
            return inf_error_at(error, file, line,
                                "here is a NUL: an INF is text, and UTF-16 begins with a byte-order mark");
        if (is_forbidden(character))
            return inf_error_at(error, file, line, "here is the control character 0x%02x: an INF is text",
                                character);
        line += character == '\r' || (character == '\n' && last != '\r');
        last = character;
        g_string_append_unichar(text, character);
    }
    return TRUE;
}

GString *inf_text_decode(const char *file, const void *bytes, gsize length, GError **error)
{
    Source source = {.Bytes = bytes, .Length = length};
    if (length > INF_MAX_BYTES) {
        inf_error_at(error, file, 1, "the file has %" G_GSIZE_FORMAT " bytes: an INF has at most %u", length,
                     INF_MAX_BYTES);
        return NULL;
    }
    GString *text = g_string_sized_new(length + 1);
    if (decode(&source, text, file, error))
        return text;
    g_string_free(text, TRUE);
    return NULL;
}

char *inf_text_fold(const char *text)
{
    GString *folded = g_string_sized_new(strlen(text));
    for (; *text; text = g_utf8_next_char(text))
        g_string_append_unichar(folded, g_unichar_tolower(g_utf8_get_char(text)));
    return g_string_free(folded, FALSE);
}

gboolean inf_text_begins(const char *text, const char *name)
{
    for (; *name; text = g_utf8_next_char(text), name = g_utf8_next_char(name)) {
        if ((guchar)(*text | *name) < 0x80 && g_ascii_tolower(*text) != g_ascii_tolower(*name))
            return FALSE;
        if (g_unichar_tolower(g_utf8_get_char(text)) != g_unichar_tolower(g_utf8_get_char(name)))
            return FALSE;
    }
    return TRUE;
}

gboolean inf_text_equal(const char *one, const char *other)
{
    return strlen(one) == strlen(other)
               ? inf_text_begins(one, other)
               : g_utf8_strlen(one, -1) == g_utf8_strlen(other, -1) && inf_text_begins(one, other);
}

/* SPDX-License-Identifier: MIT
 * Reads numbers: see inf_number.h. */
#include "inf_number.h"

#include <errno.h>
#include <glib.h>

bool inf_number(const char *text, unsigned bits, uint64_t *number)
{
    bool negative = *text == '-';
    const char *digits = text + negative;
    bool hexadecimal = g_ascii_strncasecmp(digits, "0x", 2) == 0;
    uint64_t most = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
    char *end;
    digits += hexadecimal ? 2 : 0;
    if (hexadecimal ? !g_ascii_isxdigit(*digits) : !g_ascii_isdigit(*digits))
        return false;
    errno = 0;
    uint64_t value = g_ascii_strtoull(digits, &end, hexadecimal ? 16 : 10);
    if (*end || errno || value > most || (negative && value > most / 2 + 1))
        return false;
    *number = negative ? (0 - value) & most : value;
    return true;
}

bool inf_number_byte(const char *text, uint8_t *byte)
{
    if (g_ascii_strncasecmp(text, "0x", 2) == 0)
        text += 2;
    int high = g_ascii_xdigit_value(*text), low = high < 0 || !text[1] ? -1 : g_ascii_xdigit_value(text[1]);
    if (high < 0 || (text[1] && (low < 0 || text[2])))
        return false;
    *byte = (uint8_t)(low < 0 ? high : high << 4 | low);
    return true;
}

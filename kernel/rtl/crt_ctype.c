/* SPDX-License-Identifier: MIT
 * Character classes and text to integer of the C library, "C" locale: only ASCII characters have a class. */
#include "rtlp.h"
#include "crt.h"

int __cdecl tolower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

int __cdecl toupper(int c)
{
    return c >= 'a' && c <= 'z' ? c - 32 : c;
}

int __cdecl isdigit(int c)
{
    return c >= '0' && c <= '9';
}

int __cdecl islower(int c)
{
    return c >= 'a' && c <= 'z';
}

int __cdecl isupper(int c)
{
    return c >= 'A' && c <= 'Z';
}

int __cdecl isspace(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int __cdecl isprint(int c)
{
    return c >= ' ' && c <= '~';
}

int __cdecl isxdigit(int c)
{
    return isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* One more decimal digit; saturates at the limits of a 32-bit long. [MS atoi] Out of range gives
 * LONG_MAX/LONG_MIN. */
static LONGLONG RtlpAddDigit(LONGLONG Value, int Digit)
{
    return Value > 0x80000000ll ? Value : Value * 10 + Digit;
}

static LONG RtlpSignedResult(LONGLONG Magnitude, BOOLEAN Negative)
{
    if (Negative)
        return Magnitude > 0x80000000ll ? (LONG)0x80000000 : (LONG)-Magnitude;
    return Magnitude > 0x7FFFFFFF ? 0x7FFFFFFF : (LONG)Magnitude;
}

int __cdecl atoi(const char *s)
{
    while (isspace((UCHAR)*s))
        s++;
    BOOLEAN Negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    LONGLONG Value = 0;
    for (; isdigit((UCHAR)*s); s++)
        Value = RtlpAddDigit(Value, *s - '0');
    return RtlpSignedResult(Value, Negative);
}

CRT_LONG __cdecl atol(const char *s)
{
    return atoi(s);
}

int __cdecl _wtoi(const wchar_t *s)
{
    while (isspace(*s))
        s++;
    BOOLEAN Negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    LONGLONG Value = 0;
    for (; isdigit(*s); s++)
        Value = RtlpAddDigit(Value, *s - '0');
    return RtlpSignedResult(Value, Negative);
}

CRT_LONG __cdecl _wtol(const wchar_t *s)
{
    return _wtoi(s);
}

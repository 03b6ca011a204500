/* SPDX-License-Identifier: MIT
 * Spans, tokens and numbers of the C library that ntoskrnl.exe exports. */
#include "crt.h"
#include "rtlp.h"

size_t __cdecl strspn(const char *s, const char *Set)
{
    size_t n = 0;
    while (s[n] != 0 && strchr(Set, s[n]) != NULL)
        n++;
    return n;
}

size_t __cdecl wcsspn(const wchar_t *s, const wchar_t *Set)
{
    size_t n = 0;
    while (s[n] != 0 && wcschr(Set, s[n]) != NULL)
        n++;
    return n;
}

size_t __cdecl wcscspn(const wchar_t *s, const wchar_t *Set)
{
    size_t n = 0;
    while (s[n] != 0 && wcschr(Set, s[n]) == NULL)
        n++;
    return n;
}

/* [MS strtok_s] *Context is behind the token that was returned last; String NULL goes on there. */
char *__cdecl strtok_s(char *String, const char *Delimiters, char **Context)
{
    if (Delimiters == NULL || Context == NULL || (String == NULL && *Context == NULL))
        return NULL;
    char *Token = String != NULL ? String : *Context;
    Token += strspn(Token, Delimiters);
    char *End = Token;
    while (*End != 0 && strchr(Delimiters, *End) == NULL)
        End++;
    *Context = End;
    if (*End != 0) {
        *End = 0;
        *Context = End + 1;
    }
    return *Token == 0 ? NULL : Token;
}

static unsigned int RtlpBaseDigit(wchar_t c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? (unsigned int)(c - 'a' + 10) : 36;
}

/* [MS wcstoul] Base 0: by the prefix 0x or 0. More than 32 bits is 0xFFFFFFFF. */
CRT_ULONG __cdecl wcstoul(const wchar_t *s, wchar_t **End, int Base)
{
    const wchar_t *p = s, *Last = s;
    unsigned long long Value = 0;
    BOOLEAN Negative;

    while (*p == ' ' || (*p >= 9 && *p <= 13))
        p++;
    Negative = *p == '-';
    p += *p == '-' || *p == '+';
    BOOLEAN Prefix = p[0] == '0' && (p[1] | 0x20) == 'x' && RtlpBaseDigit(p[2]) < 16;
    if (Base == 0)
        Base = Prefix ? 16 : *p == '0' ? 8 : 10;
    if (Base == 16 && Prefix)
        p += 2;
    for (; RtlpBaseDigit(*p) < (unsigned int)Base; Last = ++p) {
        if (Value <= 0xFFFFFFFFu)
            Value = Value * (unsigned int)Base + RtlpBaseDigit(*p);
    }
    if (End != NULL)
        *End = (wchar_t *)Last;
    if (Value > 0xFFFFFFFFu)
        return 0xFFFFFFFFu;
    return Negative ? 0 - (CRT_ULONG)Value : (CRT_ULONG)Value;
}

/* [MS _itoa] Base 2..36; the sign is written for base 10 only. */
static ULONG RtlpItoa(int Value, int Base, CHAR Text[34])
{
    unsigned int Rest = (unsigned int)Value;
    ULONG Count = 0, At = 0;
    CHAR Reversed[33];

    if (Base == 10 && Value < 0) {
        Text[At++] = '-';
        Rest = 0 - Rest;
    }
    do {
        unsigned int Digit = Rest % (unsigned int)Base;
        Reversed[Count++] = (CHAR)(Digit < 10 ? '0' + Digit : 'a' + Digit - 10);
        Rest /= (unsigned int)Base;
    } while (Rest != 0);
    while (Count > 0)
        Text[At++] = Reversed[--Count];
    Text[At] = 0;
    return At;
}

char *__cdecl _itoa(int Value, char *Buffer, int Base)
{
    CHAR Text[34] = "";

    if (Base >= 2 && Base <= 36)
        RtlpItoa(Value, Base, Text);
    return strcpy(Buffer, Text);
}

wchar_t *__cdecl _itow(int Value, wchar_t *Buffer, int Base)
{
    CHAR Text[34] = "";
    ULONG Count = Base >= 2 && Base <= 36 ? RtlpItoa(Value, Base, Text) : 0;

    for (ULONG i = 0; i <= Count; i++)
        Buffer[i] = (UCHAR)Text[i];
    return Buffer;
}

char *__cdecl _strrev(char *s)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n / 2; i++) {
        char Keep = s[i];
        s[i] = s[n - 1 - i];
        s[n - 1 - i] = Keep;
    }
    return s;
}

wchar_t *__cdecl _wcsrev(wchar_t *s)
{
    size_t n = wcslen(s);
    for (size_t i = 0; i < n / 2; i++) {
        wchar_t Keep = s[i];
        s[i] = s[n - 1 - i];
        s[n - 1 - i] = Keep;
    }
    return s;
}

char *__cdecl _strset(char *s, int Value)
{
    return memset(s, Value, strlen(s));
}

char *__cdecl _strnset(char *s, int Value, size_t Count)
{
    return memset(s, Value, strnlen(s, Count));
}

wchar_t *__cdecl _wcsnset(wchar_t *s, wchar_t Value, size_t Count)
{
    for (size_t i = 0; i < Count && s[i] != 0; i++)
        s[i] = Value;
    return s;
}

/* SPDX-License-Identifier: MIT
 * The narrow string functions of the C library that ntoskrnl.exe exports. Case folding is that of the "C"
 * locale (A-Z only), as the kernel has no locale. The `_s` forms return EINVAL or ERANGE and empty the
 * destination; the kernel has no invalid parameter handler. */
#include "rtlp.h"
#include "crt.h"

size_t __cdecl strlen(const char *s)
{
    size_t n = 0;
    while (s[n] != 0)
        n++;
    return n;
}

size_t __cdecl strnlen(const char *s, size_t Max)
{
    size_t n = 0;
    while (n < Max && s[n] != 0)
        n++;
    return n;
}

char *__cdecl strcpy(char *To, const char *From)
{
    memcpy(To, From, strlen(From) + 1);
    return To;
}

/* [C11 7.24.2.4] Pads with zeros; no terminator if From has Count characters or more. */
char *__cdecl strncpy(char *To, const char *From, size_t Count)
{
    size_t n = strnlen(From, Count);
    memcpy(To, From, n);
    memset(To + n, 0, Count - n);
    return To;
}

char *__cdecl strcat(char *To, const char *From)
{
    strcpy(To + strlen(To), From);
    return To;
}

char *__cdecl strncat(char *To, const char *From, size_t Count)
{
    char *End = To + strlen(To);
    size_t n = strnlen(From, Count);
    memcpy(End, From, n);
    End[n] = 0;
    return To;
}

int __cdecl strcmp(const char *a, const char *b)
{
    while (*a != 0 && *a == *b)
        a++, b++;
    return (*a != *b) ? ((UCHAR)*a < (UCHAR)*b ? -1 : 1) : 0;
}

int __cdecl strncmp(const char *a, const char *b, size_t Count)
{
    for (; Count != 0; a++, b++, Count--)
        if (*a != *b || *a == 0)
            return (int)(UCHAR)*a - (int)(UCHAR)*b;
    return 0;
}

int __cdecl _strnicmp(const char *a, const char *b, size_t Count)
{
    for (; Count != 0; a++, b++, Count--) {
        UCHAR x = RtlpDowncaseAscii((UCHAR)*a), y = RtlpDowncaseAscii((UCHAR)*b);
        if (x != y || x == 0)
            return (int)x - (int)y;
    }
    return 0;
}

int __cdecl _stricmp(const char *a, const char *b)
{
    return _strnicmp(a, b, (size_t)-1);
}

char *__cdecl strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (*s == 0)
            return NULL;
    }
}

char *__cdecl strrchr(const char *s, int c)
{
    const char *Last = NULL;
    for (;; s++) {
        if (*s == (char)c)
            Last = s;
        if (*s == 0)
            return (char *)Last;
    }
}

char *__cdecl strstr(const char *s, const char *Part)
{
    size_t n = strlen(Part);
    for (;; s++) {
        if (strncmp(s, Part, n) == 0)
            return (char *)s;
        if (*s == 0)
            return NULL;
    }
}

char *__cdecl _strupr(char *s)
{
    for (char *p = s; *p != 0; p++)
        *p = (char)RtlpUpcaseAscii((UCHAR)*p);
    return s;
}

char *__cdecl _strlwr(char *s)
{
    for (char *p = s; *p != 0; p++)
        *p = (char)RtlpDowncaseAscii((UCHAR)*p);
    return s;
}

/* [MS strcpy_s] NULL or zero size: EINVAL. Too small: To[0] = 0 and ERANGE. */
errno_t __cdecl strcpy_s(char *To, size_t Size, const char *From)
{
    if (To == NULL || Size == 0)
        return CRT_EINVAL;
    To[0] = 0;
    if (From == NULL)
        return CRT_EINVAL;
    size_t n = strnlen(From, Size);
    if (n == Size)
        return CRT_ERANGE;
    memcpy(To, From, n + 1);
    return 0;
}

/* [MS strcat_s] A destination without terminator is EINVAL; on any error To[0] = 0. */
errno_t __cdecl strcat_s(char *To, size_t Size, const char *From)
{
    if (To == NULL || Size == 0)
        return CRT_EINVAL;
    size_t Used = strnlen(To, Size);
    if (Used == Size || From == NULL) {
        To[0] = 0;
        return CRT_EINVAL;
    }
    errno_t Error = strcpy_s(To + Used, Size - Used, From);
    if (Error != 0)
        To[0] = 0;
    return Error;
}

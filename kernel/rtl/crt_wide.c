/* SPDX-License-Identifier: MIT
 * The wide string functions of the C library that ntoskrnl.exe exports. Case folding is that of the "C"
 * locale (A-Z only): for file and object names use the Rtl functions, which know the whole BMP. */
#include "rtlp.h"
#include "crt.h"

size_t __cdecl wcslen(const wchar_t *s)
{
    size_t n = 0;
    while (s[n] != 0)
        n++;
    return n;
}

size_t __cdecl wcsnlen(const wchar_t *s, size_t Max)
{
    size_t n = 0;
    while (n < Max && s[n] != 0)
        n++;
    return n;
}

wchar_t *__cdecl wcscpy(wchar_t *To, const wchar_t *From)
{
    memcpy(To, From, (wcslen(From) + 1) * sizeof(wchar_t));
    return To;
}

wchar_t *__cdecl wcsncpy(wchar_t *To, const wchar_t *From, size_t Count)
{
    size_t n = wcsnlen(From, Count);
    memcpy(To, From, n * sizeof(wchar_t));
    memset(To + n, 0, (Count - n) * sizeof(wchar_t));
    return To;
}

wchar_t *__cdecl wcscat(wchar_t *To, const wchar_t *From)
{
    wcscpy(To + wcslen(To), From);
    return To;
}

wchar_t *__cdecl wcsncat(wchar_t *To, const wchar_t *From, size_t Count)
{
    wchar_t *End = To + wcslen(To);
    size_t n = wcsnlen(From, Count);
    memcpy(End, From, n * sizeof(wchar_t));
    End[n] = 0;
    return To;
}

int __cdecl wcsncmp(const wchar_t *a, const wchar_t *b, size_t Count)
{
    for (; Count != 0; a++, b++, Count--)
        if (*a != *b || *a == 0)
            return (int)*a - (int)*b;
    return 0;
}

int __cdecl wcscmp(const wchar_t *a, const wchar_t *b)
{
    int Difference = wcsncmp(a, b, (size_t)-1);
    return (Difference > 0) - (Difference < 0);
}

CRT_WINT __cdecl towlower(CRT_WINT c)
{
    return c < 128 ? RtlpDowncaseAscii((UCHAR)c) : c;
}

CRT_WINT __cdecl towupper(CRT_WINT c)
{
    return c < 128 ? RtlpUpcaseAscii((UCHAR)c) : c;
}

int __cdecl _wcsnicmp(const wchar_t *a, const wchar_t *b, size_t Count)
{
    for (; Count != 0; a++, b++, Count--) {
        CRT_WINT x = towlower(*a), y = towlower(*b);
        if (x != y || x == 0)
            return (int)x - (int)y;
    }
    return 0;
}

int __cdecl _wcsicmp(const wchar_t *a, const wchar_t *b)
{
    return _wcsnicmp(a, b, (size_t)-1);
}

wchar_t *__cdecl wcschr(const wchar_t *s, wchar_t c)
{
    for (;; s++) {
        if (*s == c)
            return (wchar_t *)s;
        if (*s == 0)
            return NULL;
    }
}

wchar_t *__cdecl wcsrchr(const wchar_t *s, wchar_t c)
{
    const wchar_t *Last = NULL;
    for (;; s++) {
        if (*s == c)
            Last = s;
        if (*s == 0)
            return (wchar_t *)Last;
    }
}

wchar_t *__cdecl wcsstr(const wchar_t *s, const wchar_t *Part)
{
    size_t n = wcslen(Part);
    for (;; s++) {
        if (wcsncmp(s, Part, n) == 0)
            return (wchar_t *)s;
        if (*s == 0)
            return NULL;
    }
}

wchar_t *__cdecl _wcsupr(wchar_t *s)
{
    for (wchar_t *p = s; *p != 0; p++)
        *p = (wchar_t)towupper(*p);
    return s;
}

wchar_t *__cdecl _wcslwr(wchar_t *s)
{
    for (wchar_t *p = s; *p != 0; p++)
        *p = (wchar_t)towlower(*p);
    return s;
}

/* [MS wcscpy_s] NULL or zero size: EINVAL. Too small: To[0] = 0 and ERANGE. */
errno_t __cdecl wcscpy_s(wchar_t *To, size_t Size, const wchar_t *From)
{
    if (To == NULL || Size == 0)
        return CRT_EINVAL;
    To[0] = 0;
    if (From == NULL)
        return CRT_EINVAL;
    size_t n = wcsnlen(From, Size);
    if (n == Size)
        return CRT_ERANGE;
    memcpy(To, From, (n + 1) * sizeof(wchar_t));
    return 0;
}

errno_t __cdecl wcscat_s(wchar_t *To, size_t Size, const wchar_t *From)
{
    if (To == NULL || Size == 0)
        return CRT_EINVAL;
    size_t Used = wcsnlen(To, Size);
    if (Used == Size || From == NULL) {
        To[0] = 0;
        return CRT_EINVAL;
    }
    errno_t Error = wcscpy_s(To + Used, Size - Used, From);
    if (Error != 0)
        To[0] = 0;
    return Error;
}

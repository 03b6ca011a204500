/* SPDX-License-Identifier: MIT
 * Tier 2: the C library names that ntoskrnl.exe exports, for use inside the kernel too. Any IRQL (the memory
 * must be resident). "C" locale. No floating point: %e %f %g %a print their letter and skip the argument, %n
 * likewise. Return values and termination are Microsoft's, not ISO's; the rules stand at each family. Widths
 * of types are those of the Windows ABI: long is 32 bits. */
#pragma once
#ifdef RTL_HOST
#include "rtl/rtl_host.h"
typedef int errno_t;
#define CRT_WINT unsigned short
#define CRT_LONG int
#define CRT_ULONG unsigned int
#ifndef __cdecl
#define __cdecl
#endif
#else
#include "nt.h"
#include <stdarg.h>
#define CRT_WINT wint_t
#define CRT_LONG long
#define CRT_ULONG unsigned long
#endif

#define CRT_EINVAL 22
#define CRT_ERANGE 34
#define CRT_STRUNCATE 80
#define CRT_TRUNCATE ((size_t)-1) /* _TRUNCATE */

void *__cdecl memcpy(void *To, const void *From, size_t Size);
void *__cdecl memmove(void *To, const void *From, size_t Size);
void *__cdecl memset(void *To, int Value, size_t Size);
int __cdecl memcmp(const void *A, const void *B, size_t Size);
void *__cdecl memchr(const void *Area, int Value, size_t Size);

size_t __cdecl strlen(const char *s);
size_t __cdecl strnlen(const char *s, size_t Max);
char *__cdecl strcpy(char *To, const char *From);
char *__cdecl strncpy(char *To, const char *From, size_t Count);
char *__cdecl strcat(char *To, const char *From);
char *__cdecl strncat(char *To, const char *From, size_t Count);
int __cdecl strcmp(const char *a, const char *b);
int __cdecl strncmp(const char *a, const char *b, size_t Count);
int __cdecl _stricmp(const char *a, const char *b);
int __cdecl _strnicmp(const char *a, const char *b, size_t Count);
char *__cdecl strchr(const char *s, int c);
char *__cdecl strrchr(const char *s, int c);
char *__cdecl strstr(const char *s, const char *Part);
char *__cdecl _strupr(char *s);
char *__cdecl _strlwr(char *s);
errno_t __cdecl strcpy_s(char *To, size_t Size, const char *From);
errno_t __cdecl strcat_s(char *To, size_t Size, const char *From);

size_t __cdecl wcslen(const wchar_t *s);
size_t __cdecl wcsnlen(const wchar_t *s, size_t Max);
wchar_t *__cdecl wcscpy(wchar_t *To, const wchar_t *From);
wchar_t *__cdecl wcsncpy(wchar_t *To, const wchar_t *From, size_t Count);
wchar_t *__cdecl wcscat(wchar_t *To, const wchar_t *From);
wchar_t *__cdecl wcsncat(wchar_t *To, const wchar_t *From, size_t Count);
int __cdecl wcscmp(const wchar_t *a, const wchar_t *b);
int __cdecl wcsncmp(const wchar_t *a, const wchar_t *b, size_t Count);
int __cdecl _wcsicmp(const wchar_t *a, const wchar_t *b);
int __cdecl _wcsnicmp(const wchar_t *a, const wchar_t *b, size_t Count);
wchar_t *__cdecl wcschr(const wchar_t *s, wchar_t c);
wchar_t *__cdecl wcsrchr(const wchar_t *s, wchar_t c);
wchar_t *__cdecl wcsstr(const wchar_t *s, const wchar_t *Part);
wchar_t *__cdecl _wcsupr(wchar_t *s);
wchar_t *__cdecl _wcslwr(wchar_t *s);
errno_t __cdecl wcscpy_s(wchar_t *To, size_t Size, const wchar_t *From);
errno_t __cdecl wcscat_s(wchar_t *To, size_t Size, const wchar_t *From);

int __cdecl tolower(int c);
int __cdecl toupper(int c);
CRT_WINT __cdecl towlower(CRT_WINT c);
CRT_WINT __cdecl towupper(CRT_WINT c);
int __cdecl isdigit(int c);
int __cdecl islower(int c);
int __cdecl isupper(int c);
int __cdecl isspace(int c);
int __cdecl isprint(int c);
int __cdecl isxdigit(int c);
int __cdecl atoi(const char *s);
CRT_LONG __cdecl atol(const char *s);
int __cdecl _wtoi(const wchar_t *s);
CRT_LONG __cdecl _wtol(const wchar_t *s);

/* No bound on Buffer. Returns the number of characters before the terminator. */
int __cdecl sprintf(char *Buffer, const char *Format, ...);
int __cdecl vsprintf(char *Buffer, const char *Format, va_list Args);
int __cdecl swprintf(wchar_t *Buffer, const wchar_t *Format, ...);
int __cdecl _swprintf(wchar_t *Buffer, const wchar_t *Format, ...);
int __cdecl _vswprintf(wchar_t *Buffer, const wchar_t *Format, va_list Args);

/* [MS _snprintf] Length < Count: terminated, returns Length. Length == Count: Count characters, NO
 * terminator, returns Count. Length > Count: Count characters, NO terminator, returns -1. Buffer NULL with
 * Count 0 returns Length. */
int __cdecl _snprintf(char *Buffer, size_t Count, const char *Format, ...);
int __cdecl _vsnprintf(char *Buffer, size_t Count, const char *Format, va_list Args);
int __cdecl _snwprintf(wchar_t *Buffer, size_t Count, const wchar_t *Format, ...);
int __cdecl _vsnwprintf(wchar_t *Buffer, size_t Count, const wchar_t *Format, va_list Args);

/* [MS sprintf_s] Always terminated. What does not fit empties Buffer and returns -1. */
int __cdecl sprintf_s(char *Buffer, size_t Size, const char *Format, ...);
int __cdecl vsprintf_s(char *Buffer, size_t Size, const char *Format, va_list Args);
int __cdecl swprintf_s(wchar_t *Buffer, size_t Size, const wchar_t *Format, ...);
int __cdecl vswprintf_s(wchar_t *Buffer, size_t Size, const wchar_t *Format, va_list Args);

/* [MS _snprintf_s] At most Count characters and the terminator. Longer output: with Count < Size, or Count
 * _TRUNCATE, it is cut and -1 returned; otherwise Buffer is emptied and -1 returned. */
int __cdecl _snprintf_s(char *Buffer, size_t Size, size_t Count, const char *Format, ...);
int __cdecl _vsnprintf_s(char *Buffer, size_t Size, size_t Count, const char *Format, va_list Args);
int __cdecl _snwprintf_s(wchar_t *Buffer, size_t Size, size_t Count, const wchar_t *Format, ...);
int __cdecl _vsnwprintf_s(wchar_t *Buffer, size_t Size, size_t Count, const wchar_t *Format, va_list Args);

/* [MS strncpy_s] At most Count characters and the terminator; _TRUNCATE cuts: STRUNCATE. */
errno_t __cdecl memcpy_s(void *To, size_t Size, const void *From, size_t Count);
errno_t __cdecl memmove_s(void *To, size_t Size, const void *From, size_t Count);
errno_t __cdecl strncpy_s(char *To, size_t Size, const char *From, size_t Count);
errno_t __cdecl wcsncpy_s(wchar_t *To, size_t Size, const wchar_t *From, size_t Count);
errno_t __cdecl strncat_s(char *To, size_t Size, const char *From, size_t Count);
errno_t __cdecl wcsncat_s(wchar_t *To, size_t Size, const wchar_t *From, size_t Count);

void __cdecl qsort(void *Base, size_t Count, size_t Width, int(__cdecl *Compare)(const void *, const void *));
void *__cdecl bsearch(const void *Key, const void *Base, size_t Count, size_t Width,
                      int(__cdecl *Compare)(const void *, const void *));

size_t __cdecl strspn(const char *s, const char *Set);
size_t __cdecl wcsspn(const wchar_t *s, const wchar_t *Set);
size_t __cdecl wcscspn(const wchar_t *s, const wchar_t *Set);
char *__cdecl strtok_s(char *String, const char *Delimiters, char **Context);
CRT_ULONG __cdecl wcstoul(const wchar_t *s, wchar_t **End, int Base);
char *__cdecl _itoa(int Value, char *Buffer, int Base);
wchar_t *__cdecl _itow(int Value, wchar_t *Buffer, int Base);
char *__cdecl _strrev(char *s);
wchar_t *__cdecl _wcsrev(wchar_t *s);
char *__cdecl _strset(char *s, int Value);
char *__cdecl _strnset(char *s, int Value, size_t Count);
wchar_t *__cdecl _wcsnset(wchar_t *s, wchar_t Value, size_t Count);

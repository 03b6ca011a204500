/* SPDX-License-Identifier: MIT
 * C run-time functions that ntoskrnl.exe exports and <string.h> does not declare, with the kernel's
 * signatures: swprintf has no count here, unlike the C standard's. Drivers get this file as <stdio.h>,
 * <stdlib.h>, <ctype.h> and <wchar.h> from ddk_shim/include/km, as with the driver kit's km/crt folder. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

int __cdecl sprintf(char *Dest, const char *Format, ...);
int __cdecl vsprintf(char *Dest, const char *Format, va_list Args);
int __cdecl _snprintf(char *Dest, size_t Count, const char *Format, ...);
int __cdecl _vsnprintf(char *Dest, size_t Count, const char *Format, va_list Args);
int __cdecl swprintf(wchar_t *Dest, const wchar_t *Format, ...);
int __cdecl _swprintf(wchar_t *Dest, const wchar_t *Format, ...);
int __cdecl _vswprintf(wchar_t *Dest, const wchar_t *Format, va_list Args);
int __cdecl _snwprintf(wchar_t *Dest, size_t Count, const wchar_t *Format, ...);
int __cdecl _vsnwprintf(wchar_t *Dest, size_t Count, const wchar_t *Format, va_list Args);

int __cdecl sprintf_s(char *Dest, size_t Size, const char *Format, ...);
int __cdecl vsprintf_s(char *Dest, size_t Size, const char *Format, va_list Args);
int __cdecl _snprintf_s(char *Dest, size_t Size, size_t Count, const char *Format, ...);
int __cdecl _vsnprintf_s(char *Dest, size_t Size, size_t Count, const char *Format, va_list Args);
int __cdecl swprintf_s(wchar_t *Dest, size_t Size, const wchar_t *Format, ...);
int __cdecl vswprintf_s(wchar_t *Dest, size_t Size, const wchar_t *Format, va_list Args);
int __cdecl _snwprintf_s(wchar_t *Dest, size_t Size, size_t Count, const wchar_t *Format, ...);
int __cdecl _vsnwprintf_s(wchar_t *Dest, size_t Size, size_t Count, const wchar_t *Format, va_list Args);

int __cdecl atoi(const char *Text);
long __cdecl atol(const char *Text);
int __cdecl _wtoi(const wchar_t *Text);
long __cdecl _wtol(const wchar_t *Text);

int __cdecl isdigit(int C);
int __cdecl isspace(int C);
int __cdecl isxdigit(int C);
int __cdecl isupper(int C);
int __cdecl islower(int C);
int __cdecl isprint(int C);
int __cdecl toupper(int C);
int __cdecl tolower(int C);
wint_t __cdecl towupper(wint_t C);
wint_t __cdecl towlower(wint_t C);

errno_t __cdecl memmove_s(void *Dest, size_t Size, const void *Source, size_t Count);
errno_t __cdecl strncpy_s(char *Dest, size_t Size, const char *Source, size_t Count);
errno_t __cdecl wcsncpy_s(wchar_t *Dest, size_t Size, const wchar_t *Source, size_t Count);
errno_t __cdecl strncat_s(char *Dest, size_t Size, const char *Source, size_t Count);
errno_t __cdecl wcsncat_s(wchar_t *Dest, size_t Size, const wchar_t *Source, size_t Count);
char *__cdecl strtok_s(char *Text, const char *Delimiters, char **Context);

void __cdecl qsort(void *Base, size_t Count, size_t Width, int(__cdecl *Compare)(const void *, const void *));
void *__cdecl bsearch(const void *Key, const void *Base, size_t Count, size_t Width,
                      int(__cdecl *Compare)(const void *, const void *));
unsigned long __cdecl wcstoul(const wchar_t *Text, wchar_t **End, int Base);
char *__cdecl _itoa(int Value, char *Dest, int Base);
wchar_t *__cdecl _itow(int Value, wchar_t *Dest, int Base);
int __cdecl _purecall(void);

/* SPDX-License-Identifier: MIT
 * Which DLL names belong to user mode: an image that imports one of them is a program's, not a kernel's. */
#pragma once
#include <glib.h>
#include <stdbool.h>

/* "KERNEL32.dll", "ntdll.dll", "api-ms-win-...": case does not matter. */
bool dll_is_user_mode(const char *dll);

/* "imports user-mode DLLs (kernel32.dll, ntdll.dll): not a kernel driver"; NULL if none of the names (char *)
 * is one. Each name is told once, in lower case. Freed with g_free. */
char *user_mode_sentence(const GPtrArray *dlls);

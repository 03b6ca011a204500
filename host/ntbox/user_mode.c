/* SPDX-License-Identifier: MIT
 * The user-mode DLLs of Windows that images are commonly linked with. */
#include "user_mode.h"

#include <string.h>

static const char *const names[] = {
    "advapi32", "bcrypt",   "bcryptprimitives", "cfgmgr32", "combase",   "comctl32",
    "comdlg32", "crypt32",  "dbghelp",          "gdi32",    "gdi32full", "imm32",
    "iphlpapi", "kernel32", "kernelbase",       "mscoree",  "msvcrt",    "ntdll",
    "ole32",    "oleaut32", "powrprof",         "psapi",    "rpcrt4",    "sechost",
    "secur32",  "setupapi", "shell32",          "shlwapi",  "ucrtbase",  "user32",
    "userenv",  "version",  "win32u",           "winhttp",  "wininet",   "winmm",
    "ws2_32",
};
static const char *const prefixes[] = {"api-ms-win-", "ext-ms-win-", "msvcp", "msvcr", "vcruntime"};

bool dll_is_user_mode(const char *dll)
{
    g_autofree char *lower = g_ascii_strdown(dll, -1);
    if (!g_str_has_suffix(lower, ".dll"))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        if (g_str_has_prefix(lower, prefixes[i]))
            return true;
    }
    lower[strlen(lower) - 4] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(lower, names[i]) == 0)
            return true;
    }
    return false;
}

char *user_mode_sentence(const GPtrArray *dlls)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < dlls->len; i++) {
        char *lower = g_ascii_strdown(dlls->pdata[i], -1);
        if (dll_is_user_mode(lower) && !g_ptr_array_find_with_equal_func(found, lower, g_str_equal, NULL))
            g_ptr_array_add(found, lower);
        else
            g_free(lower);
    }
    if (found->len == 0)
        return NULL;
    g_ptr_array_add(found, NULL);
    g_autofree char *list = g_strjoinv(", ", (char **)found->pdata);
    return g_strdup_printf("imports user-mode DLLs (%s): not a kernel driver", list);
}

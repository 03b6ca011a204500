/* SPDX-License-Identifier: MIT
 * Where the kernel, the loader and their companions lie: below one directory, a build tree or an installed
 * <prefix>/lib/ntbox. The table in locate.c is the only place with their paths. */
#pragma once
#include <glib.h>
#include <stdbool.h>

typedef enum BuiltFile {
    BuiltKernelChecked,
    BuiltKernelFree,
    BuiltSymbolsChecked,
    BuiltSymbolsFree,
    BuiltHal,
    BuiltLoader,
    BuiltAgent,
    BuiltRamfs,
    BuiltNpfs,
    BuiltPci,
    BuiltWmilib,
    BuiltExportTable,
} BuiltFile;

/* The directory: `option` (--dir) if given, else $NTBOX_DIR, else the executable's own directory, else
 * ../lib/ntbox beside it. NULL with a sentence if none of them holds the loader. */
char *locate_directory(const char *option, GError **error);

/* The path of one file; NULL with a sentence if it is not there. */
char *locate_file(const char *directory, BuiltFile file, GError **error);

/* UEFI firmware as Debian's package ovmf installs it. */
char *locate_uefi_firmware(GError **error);

/* scripts/mkiso, which lies beside a build tree or in an installed one. */
char *locate_mkiso(const char *directory, GError **error);

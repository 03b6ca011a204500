/* SPDX-License-Identifier: MIT
 * boot.cpio: a newc archive in memory, the guest's system volume (DESIGN.md section 1). Written with
 * libarchive. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct BootArchive BootArchive;

/* Never fails but for lack of memory. */
BootArchive *boot_archive_new(void);

/* Adds one file; parent folders are added once each. Path is relative with '/' between its parts. */
bool boot_archive_add(BootArchive *archive, const char *path, const void *data, size_t length,
                      GError **error);

/* Adds the contents of a host file. */
bool boot_archive_add_file(BootArchive *archive, const char *path, const char *host_path, GError **error);

/* Writes the trailer, frees the archive and gives its bytes; NULL with a sentence in error. */
GBytes *boot_archive_finish(BootArchive *archive, GError **error);

/* Frees an archive that is not wanted any more. */
void boot_archive_free(BootArchive *archive);

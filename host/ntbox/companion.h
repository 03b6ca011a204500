/* SPDX-License-Identifier: MIT
 * Companions: images that a driver imports from and that are not of ntbox itself. The guest's kernel loads them from
 * System32\drivers when somebody imports from them; here they are found, beside the driver or by --with. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "options.h"
#include "pe/pe.h"

typedef struct Companion {
    char *Path;     /* on the host */
    char *Name;     /* in System32\drivers */
    char *Service;  /* the name without extension: its service key */
    bool Installed; /* by a package's INF, which lays out its keys and places its file */
} Companion;

/* Fills in options->Companions: every --with, and what the drivers and these import from and forward to, found beside the
 * importing file, and so on. What is not found is left to the guest to tell. */
bool companions_collect(RunOptions *options, char **with, GError **error);
void companion_free(Companion *companion);

/* The companion that a package's INF installs under that name. */
Companion *companion_installed(const char *path, const char *name);

/* Can the file of that path be an image besides the drivers? False with a sentence if its name forbids it. */
bool companion_check(const char *path, GError **error);

/* The file that holds the DLL of that name in the folder of `path`, whatever its case; NULL: none, or it is a DLL of user mode, or it
 * is ntbox's own. */
char *companion_beside(const char *path, const char *dll);

/* One of the paths in with (NULL-terminated, or NULL) whose file has the DLL's name, whatever its case; NULL: none. Owned by with. */
const char *companion_named(char **with, const char *dll);

/* An open image of which exports are asked. */
typedef struct CompanionImage {
    GMappedFile *File;
    PE_IMAGE Image;
    PE_EXPORTS Exports;
} CompanionImage;
CompanionImage *companion_open(const char *path); /* NULL: no valid image, or it exports nothing */
bool companion_has(const CompanionImage *image, const PE_IMPORT *import);
void companion_close(CompanionImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CompanionImage, companion_close)

/* SPDX-License-Identifier: MIT
 * A driver package on the host: an INF, and the files beside it that it installs. What is in it is host/inf's matter. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "inf_package.h"

typedef struct DriverFile {
    char *Path;   /* on the host */
    char *Target; /* in the guest: "Windows/System32/drivers/foo.sys" */
    char *Where;  /* the line of the INF that asks for it */
} DriverFile;

typedef struct DriverPackage {
    char *Path; /* of the INF */
    InfPackage *Inf;
    GPtrArray *Files; /* of DriverFile */
} DriverPackage;

/* Reads the INF and finds its files, beside it or, with a note and for the INF of a sample, in the folder samples (or NULL); its keys go into registry. NULL with a sentence: NTBOX_USAGE_ERROR if the INF cannot be read,
 * INF_ERROR if it is wrong or a file is missing. */
DriverPackage *driver_package_open(const char *path, const char *samples, InfRegistry *registry,
                                   GError **error);
void driver_package_free(DriverPackage *package);

/* Where the built samples lie below ntbox's own directory. Freed with g_free. */
char *driver_package_samples(const char *directory);

/* NAME.scn beside NAME.inf, with a note that it is taken; NULL: there is none. Freed with g_free. */
char *driver_package_scenario(DriverPackage *package);

/* Does the name end in ".inf", whatever its case? */
bool driver_package_is_inf(const char *path);

/* The image's name if it lies where the kernel looks for drivers, System32\drivers; otherwise NULL. Owned by file. */
const char *driver_file_image(const DriverFile *file);

/* SPDX-License-Identifier: MIT
 * What `ntbox check` finds out about a driver package, before it is written as text or JSON. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "driver_package.h"

typedef struct PackageFacts {
    char *Path;
    bool Readable;          /* the INF could be read */
    char *Sentence;         /* that it can be installed, or why not; never NULL */
    DriverPackage *Package; /* NULL: it cannot be installed */
    InfRegistry *Registry;  /* the keys that it adds */
} PackageFacts;

/* Never fails: what is wrong with the package is a fact too. Samples: see driver_package_open. */
PackageFacts *package_facts_read(const char *path, const char *samples);
void package_facts_free(PackageFacts *facts);

/* The host paths (char *, owned by facts) of the kernel images that it brings: *.sys. g_ptr_array_unref. */
GPtrArray *package_facts_images(const PackageFacts *facts);

/* A value's data for people: a text, "a", "b" for a list, 0x12, or bytes in hexadecimal. g_free. */
char *package_facts_data(const InfValue *value);
/* "REG_SZ", or the number. g_free. */
char *package_facts_type(guint32 type);

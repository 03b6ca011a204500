/* SPDX-License-Identifier: MIT
 * What `ntbox check` finds out about one image, before it is written as text or JSON. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel_exports.h"
#include "pe/pe.h"

typedef struct ImportFact {
    char *Name; /* "#12" for an ordinal */
    bool Found;
} ImportFact;

typedef struct DllFact {
    char *Name;
    bool Known; /* ntbox has a module of this name, or the file is there */
    char *Path; /* of the file beside the image or named by --with, or NULL: the kernel's, or there is none */
    char *Sentence; /* why that file cannot be loaded, or NULL */
    bool Delay;     /* from the delay-load table, which no kernel loader reads */
    guint Missing;
    GArray *Imports; /* of ImportFact */
} DllFact;

typedef struct ImageFacts {
    char *Path;
    bool Readable;       /* the file could be read */
    bool Valid;          /* it is an image that this kernel's loader accepts */
    bool Loadable;       /* and all that it imports is there */
    char *Sentence;      /* the one that tells why not, or that it can be loaded; never NULL */
    PE_IMAGE Image;      /* headers only; Bytes is not valid any more. Zero when the file is no image */
    const char *Machine; /* "x86-64", "ARM64" ...; "none" without a header */
    const char *Flavour;
    guint ImportCount, MissingCount; /* without delay-load imports */
    GPtrArray *Dlls;                 /* of DllFact */
    GPtrArray *Warnings;             /* of char * */
    uint32_t Relocations, Functions; /* entries */
    uint32_t CheckSum;               /* as it should be */
    bool HasCertificate, HasVersion, HasLoadConfig;
    PE_CERTIFICATE Certificate;
    uint16_t Version[4];
    char *Description, *Company; /* of the version resource, or NULL */
    char *PdbName;               /* or NULL */
} ImageFacts;

/* Never fails: what is wrong with the file is a fact too. */
/* With: files that it may import from, besides those that lie beside it (NULL-terminated, or NULL). */
ImageFacts *image_facts_read(const char *path, const KernelExports *exports, char **with);
void image_facts_free(ImageFacts *facts);

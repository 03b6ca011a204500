/* SPDX-License-Identifier: MIT
 * A driver package: what an INF would install on this system. The keys that it adds are in an InfRegistry, in the places where the
 * kernel's PnP manager looks for them (docs/architecture.md, "Driver packages"). */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "inf_file.h"
#include "inf_registry.h"

/* One install section, as it applies here. */
typedef struct InfConfiguration {
    char *Name;                      /* "Foo_Inst.NT" */
    char *Section;                   /* "Foo_Inst" */
    char *Extension;                 /* ".NT", "" */
    char *Service;                   /* the function driver's; NULL: none */
    char *KmdfService, *KmdfVersion; /* of its .Wdf section; NULL: none */
} InfConfiguration;

/* One line of a Models section. */
typedef struct InfModel {
    char *Description, *Manufacturer;
    GPtrArray *Ids; /* of char *: the hardware ID, then compatible IDs; an ID that is left out is "" */
    const InfConfiguration *Configuration;
} InfModel;

typedef struct InfService {
    char *Name;
    guint32 Type, Start, ErrorControl;
    char *ImagePath; /* as in the registry */
    char *Target;    /* the file in the guest: "Windows/System32/drivers/foo.sys" */
    char *Where;     /* of ServiceBinary: "foo.inf:12: [Foo_Service] ServiceBinary" */
} InfService;

typedef struct InfCopy {
    char *Source; /* below the INF's folder, with '/' */
    char *Target; /* in the guest, with '/' */
    char *Where;  /* the line that asks for it */
} InfCopy;

typedef struct InfPackage {
    char *Name; /* "foo.inf" */
    char *Provider, *Class, *ClassGuid, *Date,
        *Version; /* Provider, Date, Version: "" when the INF does not say */
    bool Lockdown;
    GPtrArray *Models, *Configurations, *Services, *Copies; /* of the above, owned */
    GPtrArray *Notes;                                       /* of char *: what is left out, and why */
} InfPackage;

/* Gives the INF of that name that lies beside the package, or NULL; the opener keeps it until the package is read. False with error: it is
 * there, but wrong. */
typedef struct InfIncludes {
    bool (*Open)(void *context, const char *name, const InfFile **file, GError **error);
    void *Context;
} InfIncludes;

/* Adds to registry. NULL with an INF_ERROR; registry then holds a part. */
InfPackage *inf_package_read(const InfFile *file, const InfIncludes *includes, InfRegistry *registry,
                             GError **error);
void inf_package_free(InfPackage *package);

/* SPDX-License-Identifier: MIT
 * Private to host/inf: reading a package, section by section. */
#pragma once
#include "inf_package.h"

#define INF_CONTROL_SET "ControlSet001\\"

/* Fields of the lines that are followed, over all sections, and bytes of values: an INF that names a large section again and again ends
 * here. */
#define INF_MAX_FIELDS (1u << 20)
#define INF_MAX_DATA (16u << 20)
#define INF_MAX_VALUES 4096u /* of one key */
#define INF_MAX_KEYS 32768u  /* with those of the packages before */
#define INF_MAX_NEEDS 16u    /* sections that need one another */
#define INF_MAX_NOTES 200u

typedef struct InfReader {
    InfPackage *Package;
    InfRegistry *Registry;
    const InfIncludes *Includes;
    GPtrArray *Files; /* of const InfFile *: the INF, then what it includes */
    GHashTable *Told; /* notes, each once */
    GHashTable *Configurations, *Services,
        *Copies;         /* of the package: by folded section name, service name, target */
    GHashTable *Missing; /* folded names of included INFs that are not there: each is told once */
    gsize Fields;        /* of the lines that were followed */
    guint Depth;         /* of Needs */
} InfReader;

/* What a section's directives are about. */
typedef struct InfScope {
    InfConfiguration *Configuration; /* NULL: none */
    const char *Root;                /* the hive path that HKR stands for */
} InfScope;

typedef bool (*InfHandler)(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error);

typedef enum InfOrder {
    InfOrderLate,
    InfOrderEarly
} InfOrder; /* [WDK "INF DelReg Directive"] deletes come first */

/* A table of these ends with a NULL Name. */
typedef struct InfDirective {
    const char *Name;
    InfHandler Run;  /* NULL: it has no meaning here, Why says why */
    const char *Why; /* NULL: not worth a note */
    InfOrder Order;
} InfDirective;

/* inf_read.c: the directives of a section, with what it includes and needs. */
bool inf_read_section(InfReader *reader, const InfSection *section, const InfDirective *directives,
                      const InfScope *scope, GError **error);
/* The section of that name in the INF of the line, or in one that is included; NULL: none. */
const InfSection *inf_read_find(const InfReader *reader, const InfFile *file, const char *name);
/* The same, with an error at the line when there is none. */
const InfSection *inf_read_require(const InfReader *reader, const InfLine *line, const char *name,
                                   GError **error);
/* One more line is followed; false with an error at it when they are too many. */
bool inf_read_step(InfReader *reader, const InfLine *line, GError **error);
/* A sentence for the reader of the report; "FILE:LINE: [SECTION] KEY: " comes before it. */
void inf_read_note(InfReader *reader, const InfLine *line, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* inf_version.c: [Version], [ClassInstall32] */
bool inf_read_version(InfReader *reader, GError **error);
/* inf_models.c: [Manufacturer] and the sections it names */
bool inf_read_models(InfReader *reader, GError **error);
/* inf_install.c: the install section of that name. *configuration is the package's. */
bool inf_read_install(InfReader *reader, const InfLine *line, const char *name,
                      const InfConfiguration **configuration, GError **error);
/* inf_service.c: one AddService line */
bool inf_read_add_service(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error);
/* inf_interface.c: one AddInterface line */
bool inf_read_add_interface(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error);
/* inf_addreg.c, inf_delreg.c: the sections that such a line names */
bool inf_read_add_registry(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error);
bool inf_read_del_registry(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error);
/* inf_copy.c: one CopyFiles line; the file of a service that no CopyFiles line has brought */
bool inf_read_copy_files(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error);
bool inf_read_service_file(InfReader *reader, const InfLine *line, const char *target, GError **error);
/* Is that a path of files below a folder, with '/': no part empty, "." or "..", no character that a file's name cannot have? */
bool inf_read_is_file(const char *path);
/* inf_key.c: the hive path of "root, subkey" in fields 1 and 2 of a registry line. *path NULL: it is not for this hive, and that was
 * noted. False with an error. */
bool inf_read_key_path(InfReader *reader, const InfLine *line, const InfScope *scope, char **path,
                       GError **error);
/* inf_key.c: can the text be a key's path: components of 1 to 255 characters, at most 64 of them? */
bool inf_read_is_path(const char *path);

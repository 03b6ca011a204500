/* SPDX-License-Identifier: MIT
 * The keys and values that packages add, before they are written into a hive. Paths are those of the SYSTEM hive
 * ("ControlSet001\Services\foo"); keys and names have no case and keep the spelling they came with. */
#pragma once
#include <glib.h>
#include <stdbool.h>

/* The registry's value types that are made here; any other number is possible. */
enum {
    InfRegNone = 0,
    InfRegSz = 1,
    InfRegExpandSz = 2,
    InfRegBinary = 3,
    InfRegDword = 4,
    InfRegMultiSz = 7,
    InfRegQword = 11,
};

typedef struct InfValue {
    char *Name; /* "" is the key's default value */
    guint32 Type;
    GByteArray *Data; /* as in the hive: little endian, UTF-16LE with its NUL */
} InfValue;

typedef struct InfKey {
    char *Path;
    GPtrArray *Values;  /* of InfValue, in the order in which they came */
    GHashTable *ByName; /* folded name -> InfValue */
} InfKey;

typedef struct InfRegistry {
    GTree *Keys; /* folded path -> InfKey; what is below a key follows it */
    gsize Bytes; /* data that was set, over all */
} InfRegistry;

InfRegistry *inf_registry_new(void);
void inf_registry_free(InfRegistry *registry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InfRegistry, inf_registry_free)

InfKey *inf_registry_key(InfRegistry *registry, const char *path); /* made when it is not there */
const InfKey *inf_registry_find(const InfRegistry *registry, const char *path); /* NULL: none */
const InfValue *inf_registry_value(const InfRegistry *registry, const char *path, const char *name);
bool inf_registry_number(const InfRegistry *registry, const char *path, const char *name,
                         guint32 *number); /* of a REG_DWORD */

/* The value is replaced if it is there. Data is copied. */
void inf_registry_set(InfRegistry *registry, const char *path, const char *name, guint32 type,
                      const void *data, guint length);
void inf_registry_set_text(InfRegistry *registry, const char *path, const char *name, guint32 type,
                           const char *text);
void inf_registry_set_number(InfRegistry *registry, const char *path, const char *name, guint32 number);

void inf_registry_delete_value(InfRegistry *registry, const char *path, const char *name);
void inf_registry_delete_key(InfRegistry *registry, const char *path); /* with what is below it */

/* Appends the text, in UTF-16LE with its NUL, to what is in data. */
void inf_registry_append_text(GByteArray *data, const char *text);
/* The texts of a REG_MULTI_SZ (or the one of a REG_SZ); g_strfreev. */
char **inf_registry_texts(const InfValue *value);

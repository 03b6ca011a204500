/* SPDX-License-Identifier: MIT
 * libFuzzer over host/inf: any bytes are refused with a sentence that names file and line, or are a package whose paths and keys can be
 * used. It includes itself, so that what lies beside an INF is fuzzed too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inf_error.h"
#include "inf_package.h"
#include "inf_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool open_itself(void *context, const char *name, const InfFile **file, GError **error)
{
    *file = context;
    return true;
}

static gboolean check_key(gpointer path, gpointer pointer, gpointer context)
{
    const InfKey *key = pointer;
    require(inf_read_is_path(key->Path) && g_utf8_validate(key->Path, -1, NULL));
    for (guint i = 0; i < key->Values->len; i++) {
        const InfValue *value = key->Values->pdata[i];
        g_auto(GStrv) texts = inf_registry_texts(value);
        require(inf_registry_value(context, key->Path, value->Name) == value &&
                g_utf8_validate(value->Name, -1, NULL));
    }
    return FALSE;
}

static void check_package(const InfPackage *package, InfRegistry *registry)
{
    for (guint i = 0; i < package->Copies->len; i++) {
        const InfCopy *copy = package->Copies->pdata[i];
        require(inf_read_is_file(copy->Source) && inf_read_is_file(copy->Target));
    }
    for (guint i = 0; i < package->Models->len; i++)
        require(((const InfModel *)package->Models->pdata[i])->Configuration != NULL);
    g_tree_foreach(registry->Keys, check_key, registry);
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(InfRegistry) registry = inf_registry_new();
    g_autoptr(InfFile) file = inf_file_parse("f.inf", Data, Length, &error);
    InfIncludes includes = {open_itself, file};
    InfPackage *package = file ? inf_package_read(file, &includes, registry, &error) : NULL;
    require((package == NULL) == (error != NULL));
    if (package) {
        check_package(package, registry);
        inf_package_free(package);
    } else {
        require(error->domain == INF_ERROR && g_str_has_prefix(error->message, "f.inf:") &&
                g_ascii_isdigit(error->message[6]) && g_utf8_validate(error->message, -1, NULL));
    }
    return 0;
}

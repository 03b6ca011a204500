/* SPDX-License-Identifier: MIT
 * Reads one package: see package_facts.h. */
#include "package_facts.h"

#include <string.h>

#include "inf_error.h"

#define MAX_BYTES_SHOWN 64u

PackageFacts *package_facts_read(const char *path, const char *samples)
{
    g_autoptr(GError) error = NULL;
    PackageFacts *facts = g_new0(PackageFacts, 1);
    facts->Path = g_strdup(path);
    facts->Registry = inf_registry_new();
    facts->Package = driver_package_open(path, samples, facts->Registry, &error);
    facts->Readable = !error || error->domain == INF_ERROR;
    facts->Sentence = error ? g_strdup(error->message)
                            : g_strdup_printf("can be installed: %u models, %u services, %u files",
                                              facts->Package->Inf->Models->len,
                                              facts->Package->Inf->Services->len, facts->Package->Files->len);
    return facts;
}

void package_facts_free(PackageFacts *facts)
{
    g_free(facts->Path);
    g_free(facts->Sentence);
    g_clear_pointer(&facts->Package, driver_package_free);
    inf_registry_free(facts->Registry);
    g_free(facts);
}

GPtrArray *package_facts_images(const PackageFacts *facts)
{
    GPtrArray *images = g_ptr_array_new();
    for (guint i = 0; facts->Package && i < facts->Package->Files->len; i++) {
        const DriverFile *file = facts->Package->Files->pdata[i];
        size_t length = strlen(file->Target);
        if (length > 4 && g_ascii_strcasecmp(file->Target + length - 4, ".sys") == 0)
            g_ptr_array_add(images, file->Path);
    }
    return images;
}

static char *hex_text(const InfValue *value)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < MIN(value->Data->len, MAX_BYTES_SHOWN); i++)
        g_string_append_printf(text, "%s%02x", i ? " " : "", value->Data->data[i]);
    if (value->Data->len > MAX_BYTES_SHOWN)
        g_string_append_printf(text, " ... (%u bytes)", value->Data->len);
    return g_string_free(text, FALSE);
}

static char *number_text(const InfValue *value)
{
    guint64 number = 0;
    memcpy(&number, value->Data->data, value->Data->len);
    return g_strdup_printf("0x%" G_GINT64_MODIFIER "x", GUINT64_FROM_LE(number));
}

char *package_facts_data(const InfValue *value)
{
    g_auto(GStrv) texts = NULL;
    switch (value->Type) {
    case InfRegSz:
    case InfRegExpandSz:
        texts = inf_registry_texts(value);
        return g_strdup(*texts ? *texts : "");
    case InfRegMultiSz:
        texts = inf_registry_texts(value);
        return g_strjoinv(" | ", texts);
    case InfRegDword:
    case InfRegQword:
        return value->Data->len <= sizeof(guint64) ? number_text(value) : hex_text(value);
    default:
        return hex_text(value);
    }
}

char *package_facts_type(guint32 type)
{
    static const char *const names[] = {
        [InfRegNone] = "REG_NONE",     [InfRegSz] = "REG_SZ",       [InfRegExpandSz] = "REG_EXPAND_SZ",
        [InfRegBinary] = "REG_BINARY", [InfRegDword] = "REG_DWORD", [InfRegMultiSz] = "REG_MULTI_SZ",
        [InfRegQword] = "REG_QWORD",
    };
    if (type < G_N_ELEMENTS(names) && names[type])
        return g_strdup(names[type]);
    return g_strdup_printf("%u", type);
}

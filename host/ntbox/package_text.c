/* SPDX-License-Identifier: MIT
 * The sentence first, then one labelled line per fact, as check_text.c does for images. */
#include "package_text.h"

#include "printable.h"

static void G_GNUC_PRINTF(3, 4) put(FILE *out, const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *shown = printable_text(text);
    fprintf(out, "  %-10s %s\n", label, shown);
}

static void put_model(FILE *out, const InfModel *model)
{
    for (guint i = 0; i < model->Ids->len; i++) {
        const char *id = model->Ids->pdata[i];
        if (*id)
            put(out, i ? "compatible" : "device", "%s: %s (%s), [%s]", id, model->Description,
                model->Manufacturer, model->Configuration->Name);
    }
}

static void put_configuration(FILE *out, const InfConfiguration *configuration)
{
    put(out, "install", "[%s]: %s%s", configuration->Name,
        configuration->Service ? "function driver " : "no function driver",
        configuration->Service ? configuration->Service : "");
    if (configuration->KmdfService)
        put(out, "kmdf", "%s wants KMDF %s", configuration->KmdfService, configuration->KmdfVersion);
}

static gboolean put_key(gpointer path, gpointer pointer, gpointer out)
{
    const InfKey *key = pointer;
    put(out, "key", "%s", key->Path);
    for (guint i = 0; i < key->Values->len; i++) {
        const InfValue *value = key->Values->pdata[i];
        g_autofree char *type = package_facts_type(value->Type), *data = package_facts_data(value);
        put(out, "  value", "%s = %s: %s", *value->Name ? value->Name : "(default)", type, data);
    }
    return FALSE;
}

static void put_package(FILE *out, const PackageFacts *facts)
{
    const InfPackage *inf = facts->Package->Inf;
    put(out, "package", "%s by %s, %s %s", inf->Name, *inf->Provider ? inf->Provider : "(nobody)",
        *inf->Version ? inf->Version : "(no version)", inf->Date);
    put(out, "class", "%s %s", inf->Class, inf->ClassGuid);
    for (guint i = 0; i < inf->Models->len; i++)
        put_model(out, inf->Models->pdata[i]);
    for (guint i = 0; i < inf->Configurations->len; i++)
        put_configuration(out, inf->Configurations->pdata[i]);
    for (guint i = 0; i < inf->Services->len; i++) {
        const InfService *service = inf->Services->pdata[i];
        put(out, "service", "%s: type %u, start %u, error %u, %s", service->Name, service->Type,
            service->Start, service->ErrorControl, service->ImagePath);
    }
    for (guint i = 0; i < facts->Package->Files->len; i++) {
        const DriverFile *file = facts->Package->Files->pdata[i];
        put(out, "file", "%s -> %s", file->Path, file->Target);
    }
    g_tree_foreach(facts->Registry->Keys, put_key, out);
    for (guint i = 0; i < inf->Notes->len; i++)
        put(out, "note", "%s", (const char *)inf->Notes->pdata[i]);
}

void package_text_write(FILE *out, const PackageFacts *facts)
{
    g_autofree char *path = printable_text(facts->Path), *sentence = printable_text(facts->Sentence);
    fprintf(out, "%s: %s\n", path, sentence);
    if (facts->Package)
        put_package(out, facts);
}

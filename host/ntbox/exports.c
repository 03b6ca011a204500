/* SPDX-License-Identifier: MIT
 * `ntbox exports`: the names that ntoskrnl.exe and hal.dll really export, with what ddk_shim/exports says of
 * each (state, IRQL, test case, prototype; columns of the generated exports.tsv). */
#include "exports.h"

#include <stdio.h>
#include <string.h>

#include "json_write.h"
#include "kernel_exports.h"
#include "locate.h"
#include "usage.h"

enum {
    ColumnDll,
    ColumnName,
    ColumnState,
    ColumnIrql,
    ColumnCase,
    ColumnFlags,
    ColumnPrototype,
    ColumnCount
};

typedef struct ExportOptions {
    char *Directory;
    gboolean Json;
    char **Rest;
} ExportOptions;

/* name -> columns (GStrv), of the lines whose export is built. */
typedef GHashTable ExportTable;

static bool parse(ExportOptions *options, char **argv, GError **error)
{
    GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->Json, "Write one JSON document", NULL},
        {"dir", 0, 0, G_OPTION_ARG_FILENAME, &options->Directory, "Where the kernel lies (or $NTBOX_DIR)",
         "FOLDER"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->Rest, NULL, NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_summary(context, "Lists what the kernel exports to drivers.");
    return usage_parse_options(context, argv, error) &&
           (!options->Rest || usage_error(error, "ntbox exports wants no '%s'", options->Rest[0]));
}

static void add_line(ExportTable *table, const char *line)
{
    char **columns = g_strsplit(line, "\t", ColumnCount);
    if (g_strv_length(columns) == ColumnCount) {
        g_hash_table_insert(table, g_strconcat(columns[ColumnDll], "!", columns[ColumnName], NULL), columns);
        return;
    }
    g_strfreev(columns);
}

static ExportTable *read_table(const char *directory, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autofree char *text = NULL;
    g_autofree char *path = locate_file(directory, BuiltExportTable, error);
    if (!path)
        return NULL;
    if (!g_file_get_contents(path, &text, NULL, &reason)) {
        usage_error(error, "cannot read %s: %s", path, reason->message);
        return NULL;
    }
    ExportTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        add_line(table, *line);
    return table;
}

static char **columns_of(ExportTable *table, const KernelModule *module, const char *name)
{
    g_autofree char *key = g_strconcat(module->Name, "!", name, NULL);
    return g_hash_table_lookup(table, key);
}

static void put_text(const KernelModule *module, const PE_EXPORT *export, char **columns)
{
    printf("%-12s %-44s %-8s %-11s %s\n", module->Name, export->Name, columns ? columns[ColumnState] : "-",
           columns ? columns[ColumnIrql] : "",
           export->Forwarder ? export->Forwarder
           : columns         ? columns[ColumnPrototype]
                             : "");
}

static void put_json(JsonBuilder *builder, const KernelModule *module, const PE_EXPORT *export,
                     char **columns)
{
    json_open_object(builder, NULL);
    json_put_text(builder, "dll", module->Name);
    json_put_text(builder, "name", export->Name);
    json_put_number(builder, "ordinal", export->Ordinal);
    json_put_address(builder, "rva", export->Rva);
    json_put_text(builder, "forwarder", export->Forwarder);
    json_put_text(builder, "state", columns ? columns[ColumnState] : NULL);
    json_put_text(builder, "irql", columns ? columns[ColumnIrql] : NULL);
    json_put_text(builder, "case", columns ? columns[ColumnCase] : NULL);
    json_put_text(builder, "prototype", columns ? columns[ColumnPrototype] : NULL);
    json_builder_end_object(builder);
}

/* Builder NULL: as text. */
static void list_module(const KernelModule *module, ExportTable *table, JsonBuilder *builder)
{
    PE_EXPORT_CURSOR cursor = {0};
    PE_EXPORT export;
    while (PeNextExport(&module->Exports, &cursor, &export, NULL) == PE_OK) {
        char **columns = export.Name ? columns_of(table, module, export.Name) : NULL;
        if (builder)
            put_json(builder, module, &export, columns);
        else if (export.Name)
            put_text(module, &export, columns);
    }
}

static void list(const ExportOptions *options, const KernelExports *exports, ExportTable *table)
{
    JsonBuilder *builder = NULL;
    if (options->Json) {
        builder = json_builder_new();
        json_builder_begin_object(builder);
        json_put_text(builder, "ntbox", NTBOX_VERSION);
        json_open_array(builder, "exports");
    }
    for (size_t i = 0; i < KERNEL_MODULES; i++)
        list_module(&exports->Modules[i], table, builder);
    if (builder) {
        json_builder_end_array(builder);
        g_autofree char *text = json_finish(builder);
        fputs(text, stdout);
    }
}

static bool run(const ExportOptions *options, GError **error)
{
    g_autofree char *directory = locate_directory(options->Directory, error);
    KernelExports *exports = directory ? kernel_exports_open(directory, error) : NULL;
    ExportTable *table = exports ? read_table(directory, error) : NULL;
    if (table)
        list(options, exports, table);
    g_clear_pointer(&exports, kernel_exports_close);
    if (!table)
        return false;
    g_hash_table_unref(table);
    return true;
}

ExitCode exports_main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    ExportOptions options = {0};
    bool good = parse(&options, argv, &error) && run(&options, &error);
    if (error)
        fprintf(stderr, "ntbox: %s\n", error->message);
    g_strfreev(options.Rest);
    g_free(options.Directory);
    return good ? ExitPass : ExitUsage;
}

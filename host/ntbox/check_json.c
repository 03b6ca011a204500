/* SPDX-License-Identifier: MIT
 * Writes the facts of images as JSON. */
#include "check_json.h"

#include "json_write.h"
#include "package_json.h"

static void put_headers(JsonBuilder *builder, const ImageFacts *facts)
{
    const PE_IMAGE *image = &facts->Image;
    json_put_number(builder, "size_of_image", image->SizeOfImage);
    json_put_number(builder, "sections", image->NumberOfSections);
    json_put_number(builder, "subsystem", image->Subsystem);
    json_put_number(builder, "relocations", facts->Relocations);
    json_put_number(builder, "functions", facts->Functions);
    json_put_address(builder, "entry_rva", image->AddressOfEntryPoint);
    json_put_address(builder, "checksum", image->CheckSum);
    json_put_address(builder, "checksum_computed", facts->CheckSum);
    json_put_bool(builder, "signature", facts->HasCertificate);
    json_put_bool(builder, "load_config", facts->HasLoadConfig);
    json_put_text(builder, "pdb", facts->PdbName);
    if (!facts->HasVersion)
        return;
    g_autofree char *version = g_strdup_printf("%u.%u.%u.%u", facts->Version[0], facts->Version[1],
                                               facts->Version[2], facts->Version[3]);
    json_put_text(builder, "version", version);
    json_put_text(builder, "description", facts->Description);
    json_put_text(builder, "company", facts->Company);
}

static void put_dll(JsonBuilder *builder, const DllFact *dll)
{
    json_open_object(builder, NULL);
    json_put_text(builder, "dll", dll->Name);
    json_put_bool(builder, "known", dll->Known);
    json_put_bool(builder, "delay_load", dll->Delay);
    json_put_text(builder, "file", dll->Path);
    json_open_array(builder, "names");
    for (guint i = 0; i < dll->Imports->len; i++) {
        const ImportFact *import = &g_array_index(dll->Imports, ImportFact, i);
        json_open_object(builder, NULL);
        json_put_text(builder, "name", import->Name);
        json_put_bool(builder, "ok", import->Found);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

static void put_image(JsonBuilder *builder, const ImageFacts *facts)
{
    json_open_object(builder, NULL);
    json_put_text(builder, "file", facts->Path);
    json_put_bool(builder, "readable", facts->Readable);
    json_put_bool(builder, "valid", facts->Valid);
    json_put_bool(builder, "loadable", facts->Loadable);
    json_put_text(builder, "sentence", facts->Sentence);
    json_put_text(builder, "machine", facts->Machine);
    json_put_text(builder, "flavour", facts->Flavour);
    if (facts->Image.SizeOfImage)
        put_headers(builder, facts);
    json_put_number(builder, "import_count", facts->ImportCount);
    json_put_number(builder, "missing_count", facts->MissingCount);
    json_open_array(builder, "imports");
    for (guint i = 0; i < facts->Dlls->len; i++)
        put_dll(builder, facts->Dlls->pdata[i]);
    json_builder_end_array(builder);
    json_open_array(builder, "warnings");
    for (guint i = 0; i < facts->Warnings->len; i++)
        json_builder_add_string_value(builder, facts->Warnings->pdata[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

char *check_json_text(const GPtrArray *packages, const GPtrArray *images, ExitCode code)
{
    JsonBuilder *builder = json_builder_new();
    json_builder_begin_object(builder);
    json_put_text(builder, "ntbox", NTBOX_VERSION);
    json_put_number(builder, "exit_code", code);
    if (packages->len) {
        json_open_array(builder, "packages");
        for (guint i = 0; i < packages->len; i++)
            package_json_put(builder, packages->pdata[i]);
        json_builder_end_array(builder);
    }
    json_open_array(builder, "images");
    for (guint i = 0; i < images->len; i++)
        put_image(builder, images->pdata[i]);
    json_builder_end_array(builder);
    return json_finish(builder);
}

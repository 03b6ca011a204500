/* SPDX-License-Identifier: MIT
 * One object per package: see package_json.h. docs/ntbox.1 has its members. */
#include "package_json.h"

#include "json_write.h"

static void put_models(JsonBuilder *builder, const InfPackage *inf)
{
    json_open_array(builder, "models");
    for (guint i = 0; i < inf->Models->len; i++) {
        const InfModel *model = inf->Models->pdata[i];
        json_open_object(builder, NULL);
        json_put_text(builder, "description", model->Description);
        json_put_text(builder, "manufacturer", model->Manufacturer);
        json_put_text(builder, "configuration", model->Configuration->Name);
        json_open_array(builder, "ids");
        for (guint j = 0; j < model->Ids->len; j++)
            json_builder_add_string_value(builder, model->Ids->pdata[j]);
        json_builder_end_array(builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void put_configurations(JsonBuilder *builder, const InfPackage *inf)
{
    json_open_array(builder, "configurations");
    for (guint i = 0; i < inf->Configurations->len; i++) {
        const InfConfiguration *configuration = inf->Configurations->pdata[i];
        json_open_object(builder, NULL);
        json_put_text(builder, "name", configuration->Name);
        json_put_text(builder, "section", configuration->Section);
        json_put_text(builder, "service", configuration->Service);
        json_put_text(builder, "kmdf_service", configuration->KmdfService);
        json_put_text(builder, "kmdf_version", configuration->KmdfVersion);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void put_services(JsonBuilder *builder, const InfPackage *inf)
{
    json_open_array(builder, "services");
    for (guint i = 0; i < inf->Services->len; i++) {
        const InfService *service = inf->Services->pdata[i];
        json_open_object(builder, NULL);
        json_put_text(builder, "name", service->Name);
        json_put_number(builder, "type", service->Type);
        json_put_number(builder, "start", service->Start);
        json_put_number(builder, "error_control", service->ErrorControl);
        json_put_text(builder, "image_path", service->ImagePath);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void put_files(JsonBuilder *builder, const DriverPackage *package)
{
    json_open_array(builder, "files");
    for (guint i = 0; i < package->Files->len; i++) {
        const DriverFile *file = package->Files->pdata[i];
        json_open_object(builder, NULL);
        json_put_text(builder, "file", file->Path);
        json_put_text(builder, "target", file->Target);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static gboolean put_key(gpointer path, gpointer pointer, gpointer builder)
{
    const InfKey *key = pointer;
    json_open_object(builder, NULL);
    json_put_text(builder, "key", key->Path);
    json_open_array(builder, "values");
    for (guint i = 0; i < key->Values->len; i++) {
        const InfValue *value = key->Values->pdata[i];
        g_autofree char *type = package_facts_type(value->Type), *data = package_facts_data(value);
        json_open_object(builder, NULL);
        json_put_text(builder, "name", value->Name);
        json_put_text(builder, "type", type);
        json_put_text(builder, "data", data);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return FALSE;
}

static void put_package(JsonBuilder *builder, const PackageFacts *facts)
{
    const InfPackage *inf = facts->Package->Inf;
    json_put_text(builder, "name", inf->Name);
    json_put_text(builder, "provider", inf->Provider);
    json_put_text(builder, "class", inf->Class);
    json_put_text(builder, "class_guid", inf->ClassGuid);
    json_put_text(builder, "driver_date", inf->Date);
    json_put_text(builder, "driver_version", inf->Version);
    json_put_bool(builder, "lockdown", inf->Lockdown);
    put_models(builder, inf);
    put_configurations(builder, inf);
    put_services(builder, inf);
    put_files(builder, facts->Package);
    json_open_array(builder, "registry");
    g_tree_foreach(facts->Registry->Keys, put_key, builder);
    json_builder_end_array(builder);
    json_open_array(builder, "notes");
    for (guint i = 0; i < inf->Notes->len; i++)
        json_builder_add_string_value(builder, inf->Notes->pdata[i]);
    json_builder_end_array(builder);
}

void package_json_put(JsonBuilder *builder, const PackageFacts *facts)
{
    json_open_object(builder, NULL);
    json_put_text(builder, "file", facts->Path);
    json_put_bool(builder, "readable", facts->Readable);
    json_put_bool(builder, "installable", facts->Package != NULL);
    json_put_text(builder, "sentence", facts->Sentence);
    if (facts->Package)
        put_package(builder, facts);
    json_builder_end_object(builder);
}

/* SPDX-License-Identifier: MIT
 * Reads a package: see inf_package.h. */
#include "inf_package.h"

#include "inf_read.h"
#include "inf_text.h"

static void free_model(gpointer pointer)
{
    InfModel *model = pointer;
    g_free(model->Description);
    g_free(model->Manufacturer);
    g_ptr_array_unref(model->Ids);
    g_free(model);
}

static void free_configuration(gpointer pointer)
{
    InfConfiguration *configuration = pointer;
    g_free(configuration->Name);
    g_free(configuration->Section);
    g_free(configuration->Extension);
    g_free(configuration->Service);
    g_free(configuration->KmdfService);
    g_free(configuration->KmdfVersion);
    g_free(configuration);
}

static void free_service(gpointer pointer)
{
    InfService *service = pointer;
    g_free(service->Name);
    g_free(service->ImagePath);
    g_free(service->Target);
    g_free(service->Where);
    g_free(service);
}

static void free_copy(gpointer pointer)
{
    InfCopy *copy = pointer;
    g_free(copy->Source);
    g_free(copy->Target);
    g_free(copy->Where);
    g_free(copy);
}

static InfPackage *new_package(const InfFile *file)
{
    InfPackage *package = g_new0(InfPackage, 1);
    package->Name = g_strdup(file->Package);
    package->Models = g_ptr_array_new_with_free_func(free_model);
    package->Configurations = g_ptr_array_new_with_free_func(free_configuration);
    package->Services = g_ptr_array_new_with_free_func(free_service);
    package->Copies = g_ptr_array_new_with_free_func(free_copy);
    package->Notes = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < file->Undefined->len; i++)
        g_ptr_array_add(package->Notes, g_strdup(file->Undefined->pdata[i]));
    return package;
}

static GHashTable *new_table(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

InfPackage *inf_package_read(const InfFile *file, const InfIncludes *includes, InfRegistry *registry,
                             GError **error)
{
    InfReader reader = {.Package = new_package(file),
                        .Registry = registry,
                        .Includes = includes,
                        .Files = g_ptr_array_new(),
                        .Told = new_table(),
                        .Missing = new_table(),
                        .Configurations = new_table(),
                        .Services = new_table(),
                        .Copies = new_table()};
    g_ptr_array_add(reader.Files, (gpointer)file);
    bool good = inf_read_version(&reader, error) && inf_read_models(&reader, error);
    g_ptr_array_unref(reader.Files);
    g_hash_table_unref(reader.Told);
    g_hash_table_unref(reader.Missing);
    g_hash_table_unref(reader.Configurations);
    g_hash_table_unref(reader.Services);
    g_hash_table_unref(reader.Copies);
    if (good)
        return reader.Package;
    inf_package_free(reader.Package);
    return NULL;
}

void inf_package_free(InfPackage *package)
{
    g_free(package->Name);
    g_free(package->Provider);
    g_free(package->Class);
    g_free(package->ClassGuid);
    g_free(package->Date);
    g_free(package->Version);
    g_ptr_array_unref(package->Models);
    g_ptr_array_unref(package->Configurations);
    g_ptr_array_unref(package->Services);
    g_ptr_array_unref(package->Copies);
    g_ptr_array_unref(package->Notes);
    g_free(package);
}

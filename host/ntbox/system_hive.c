/* SPDX-License-Identifier: MIT
 * Makes the SYSTEM hive with the kernel's own hive code (cm_dep). */
#include "system_hive.h"

#include <stdlib.h>

#include "cm/hive_host.h"
#include "companion.h"
#include "driver_package.h"
#include "param.h"
#include "service_setting.h"
#include "usage.h"

#define HIVE_TIME 0x01dc000000000000ull /* one fixed time: equal options give equal bytes */

/* [WDK Registry Trees] values of a service key, those that `sc.exe create type= kernel` writes. */
#define SERVICE_KERNEL_DRIVER 1
#define SERVICE_FILE_SYSTEM_DRIVER 2
#define SERVICE_SYSTEM_START 1
#define SERVICE_DEMAND_START 3
#define SERVICE_ERROR_NORMAL 1

static HIVE_STATUS add_select(HIVE_BUILDER *builder)
{
    static const struct {
        const char *Name;
        uint32_t Number;
    } values[] = {{"Current", 1}, {"Default", 1}, {"Failed", 0}, {"LastKnownGood", 1}};
    HIVE_STATUS status = HiveOk;
    for (size_t i = 0; i < G_N_ELEMENTS(values) && status == HiveOk; i++)
        status = HiveBuilderSetNumber32(builder, "Select", values[i].Name, values[i].Number);
    return status;
}

static char *service_key(const char *service, const char *below)
{
    return g_strconcat("ControlSet001\\Services\\", service, below, NULL);
}

static HIVE_STATUS add_service(HIVE_BUILDER *builder, const char *service, const char *file, uint32_t type,
                               uint32_t start)
{
    g_autofree char *key = service_key(service, "");
    g_autofree char *path = g_strconcat("\\SystemRoot\\System32\\drivers\\", file, NULL);
    HIVE_STATUS status = HiveBuilderSetNumber32(builder, key, "Type", type);
    if (status == HiveOk)
        status = HiveBuilderSetNumber32(builder, key, "Start", start);
    if (status == HiveOk)
        status = HiveBuilderSetNumber32(builder, key, "ErrorControl", SERVICE_ERROR_NORMAL);
    if (status == HiveOk)
        status = HiveBuilderSetText(builder, key, "ImagePath", HiveTypeExpandText, path);
    if (status == HiveOk)
        status = HiveBuilderSetText(builder, key, "DisplayName", HiveTypeText, service);
    return status;
}

static HIVE_STATUS add_parameters(HIVE_BUILDER *builder, const char *service, const GPtrArray *parameters)
{
    g_autofree char *key = service_key(service, "\\Parameters");
    HIVE_STATUS status = HiveBuilderAddKey(builder, key);
    for (guint i = 0; i < parameters->len && status == HiveOk; i++) {
        const ServiceParameter *value = parameters->pdata[i];
        if (service_parameter_applies(value, service))
            status = HiveBuilderSetValue(builder, key, value->Name, value->Type, value->Data->data,
                                         value->Data->len);
    }
    return status;
}

static HIVE_STATUS add_settings(HIVE_BUILDER *builder, const char *service, const GPtrArray *settings)
{
    g_autofree char *key = service_key(service, "");
    HIVE_STATUS status = HiveOk;
    for (guint i = 0; i < settings->len && status == HiveOk; i++) {
        if (service_setting_applies(settings->pdata[i], service))
            status = service_setting_store(settings->pdata[i], builder, key);
    }
    return status;
}

static HIVE_STATUS add_driver(HIVE_BUILDER *builder, const RunOptions *options, const char *service,
                              const char *file)
{
    HIVE_STATUS status = add_service(builder, service, file, SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START);
    if (status == HiveOk)
        status = add_settings(builder, service, options->Settings);
    return status == HiveOk ? add_parameters(builder, service, options->Parameters) : status;
}

/* [WDK "Creating Export Drivers"] DllInitialize is given the key of the DLL's name. */
static HIVE_STATUS add_companions(HIVE_BUILDER *builder, const RunOptions *options)
{
    HIVE_STATUS status = HiveOk;
    for (guint i = 0; i < options->Companions->len && status == HiveOk; i++) {
        const Companion *companion = options->Companions->pdata[i];
        if (!companion->Installed)
            status = add_driver(builder, options, companion->Service, companion->Name);
    }
    return status;
}

/* ---- what driver packages install ---- */

static HIVE_STATUS add_key(HIVE_BUILDER *builder, const InfKey *key)
{
    HIVE_STATUS status = HiveBuilderAddKey(builder, key->Path);
    for (guint i = 0; i < key->Values->len && status == HiveOk; i++) {
        const InfValue *value = key->Values->pdata[i];
        status = HiveBuilderSetValue(builder, key->Path, value->Name, value->Type, value->Data->data,
                                     value->Data->len);
    }
    return status;
}

typedef struct KeyWriter {
    HIVE_BUILDER *Builder;
    HIVE_STATUS Status;
} KeyWriter;

static gboolean write_key(gpointer path, gpointer key, gpointer context)
{
    KeyWriter *writer = context;
    writer->Status = add_key(writer->Builder, key);
    return writer->Status != HiveOk;
}

static bool has_parameter(const GPtrArray *parameters, const char *service)
{
    guint i = 0;
    while (i < parameters->len && !service_parameter_applies(parameters->pdata[i], service))
        i++;
    return i < parameters->len;
}

/* What the command line says of their services comes over what the INFs say. */
static HIVE_STATUS add_package_services(HIVE_BUILDER *builder, const RunOptions *options,
                                        const InfPackage *package)
{
    HIVE_STATUS status = HiveOk;
    for (guint i = 0; i < package->Services->len && status == HiveOk; i++) {
        const char *service = ((const InfService *)package->Services->pdata[i])->Name;
        status = add_settings(builder, service, options->Settings);
        if (status == HiveOk && has_parameter(options->Parameters, service))
            status = add_parameters(builder, service, options->Parameters);
    }
    return status;
}

static HIVE_STATUS add_packages(HIVE_BUILDER *builder, const RunOptions *options)
{
    KeyWriter writer = {builder, HiveOk};
    g_tree_foreach(options->Registry->Keys, write_key, &writer);
    for (guint i = 0; i < options->Packages->len && writer.Status == HiveOk; i++)
        writer.Status =
            add_package_services(builder, options, ((DriverPackage *)options->Packages->pdata[i])->Inf);
    return writer.Status;
}

/* [WDK "Critical Device Database"] what the boot needs has its driver without an INF file: the root of the PCI bus and bridges. */
static HIVE_STATUS add_critical_devices(HIVE_BUILDER *builder)
{
    static const char *const ids[] = {"ACPI#PNP0A03", "ACPI#PNP0A08", "PCI#CC_0604"};
    HIVE_STATUS status = add_service(builder, "pci", "pci.sys", SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START);
    for (size_t i = 0; i < G_N_ELEMENTS(ids) && status == HiveOk; i++) {
        g_autofree char *key = g_strconcat("ControlSet001\\Control\\CriticalDeviceDatabase\\", ids[i], NULL);
        status = HiveBuilderSetText(builder, key, "Service", HiveTypeText, "pci");
        if (status == HiveOk) /* the class "System" */
            status = HiveBuilderSetText(builder, key, "ClassGUID", HiveTypeText,
                                        "{4d36e97d-e325-11ce-bfc1-08002be10318}");
    }
    return status;
}

static HIVE_STATUS fill(HIVE_BUILDER *builder, const RunOptions *options)
{
    HIVE_STATUS status = add_select(builder);
    if (status == HiveOk)
        status = group_order_store(options->GroupOrder, builder);
    if (status == HiveOk) /* init starts it when all others run */
        status = add_service(builder, "agent", "agent.sys", SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START);
    if (status == HiveOk)
        status = add_service(builder, "ramfs", "ramfs.sys", SERVICE_FILE_SYSTEM_DRIVER, SERVICE_SYSTEM_START);
    if (status == HiveOk)
        status = add_service(builder, "npfs", "npfs.sys", SERVICE_FILE_SYSTEM_DRIVER, SERVICE_SYSTEM_START);
    if (status == HiveOk)
        status = add_critical_devices(builder);
    for (char **service = options->Services; *service && status == HiveOk; service++) {
        g_autofree char *file = g_strconcat(*service, ".sys", NULL);
        status = add_driver(builder, options, *service, file);
    }
    if (status == HiveOk)
        status = add_companions(builder, options);
    return status == HiveOk ? add_packages(builder, options) : status;
}

GBytes *system_hive_build(const RunOptions *options, GError **error)
{
    uint8_t *bytes;
    uint32_t length;
    HIVE_BUILDER *builder = HiveBuilderCreate(&HiveHeap, HIVE_TIME);
    HIVE_STATUS status = builder ? fill(builder, options) : HiveNoMemory;
    if (status == HiveOk)
        status = HiveBuilderFinish(builder, &bytes, &length);
    if (builder)
        HiveBuilderDestroy(builder);
    if (status == HiveOk)
        return g_bytes_new_with_free_func(bytes, length, free, bytes);
    usage_error(error, "the SYSTEM hive cannot be made: %s", HiveStatusText(status));
    return NULL;
}

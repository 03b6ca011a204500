/* SPDX-License-Identifier: MIT
 * Puts the guest's system volume together. */
#include "volume.h"

#include "boot_archive.h"
#include "companion.h"
#include "driver_package.h"
#include "locate.h"
#include "scenario.h"
#include "system_hive.h"
#include "usage.h"

#define SYSTEM32 "Windows/System32/"
#define MAX_COMMAND_LINE 4095u /* of osloader, without the terminator */

static bool add_built(BootArchive *archive, const char *directory, BuiltFile file, const char *path,
                      GError **error)
{
    g_autofree char *host_path = locate_file(directory, file, error);
    return host_path && boot_archive_add_file(archive, path, host_path, error);
}

static bool add_kernel(BootArchive *archive, const RunOptions *options, const char *directory, GError **error)
{
    bool free_kernel = options->Kernel == KernelFree;
    BuiltFile kernel = free_kernel ? BuiltKernelFree : BuiltKernelChecked;
    BuiltFile symbols = free_kernel ? BuiltSymbolsFree : BuiltSymbolsChecked;
    return add_built(archive, directory, kernel, SYSTEM32 "ntoskrnl.exe", error) &&
           add_built(archive, directory, symbols, SYSTEM32 "ntoskrnl.sym", error) &&
           add_built(archive, directory, BuiltHal, SYSTEM32 "hal.dll", error) &&
           add_built(archive, directory, BuiltAgent, SYSTEM32 "drivers/agent.sys", error) &&
           add_built(archive, directory, BuiltRamfs, SYSTEM32 "drivers/ramfs.sys", error) &&
           add_built(archive, directory, BuiltNpfs, SYSTEM32 "drivers/npfs.sys", error) &&
           add_built(archive, directory, BuiltPci, SYSTEM32 "drivers/pci.sys", error) &&
           add_built(archive, directory, BuiltWmilib, SYSTEM32 "drivers/wmilib.sys", error);
}

static bool add_drivers(BootArchive *archive, const RunOptions *options, GError **error)
{
    for (guint i = 0; i < options->Drivers->len; i++) {
        g_autofree char *path = g_strdup_printf(SYSTEM32 "drivers/%s.sys", options->Services[i]);
        if (!boot_archive_add_file(archive, path, options->Drivers->pdata[i], error))
            return false;
    }
    return true;
}

static bool add_companions(BootArchive *archive, const RunOptions *options, GError **error)
{
    for (guint i = 0; i < options->Companions->len; i++) {
        const Companion *companion = options->Companions->pdata[i];
        g_autofree char *path = g_strconcat(SYSTEM32 "drivers/", companion->Name, NULL);
        if (!companion->Installed && !boot_archive_add_file(archive, path, companion->Path, error))
            return false;
    }
    return true;
}

static bool add_package(BootArchive *archive, const DriverPackage *package, GError **error)
{
    for (guint i = 0; i < package->Files->len; i++) {
        const DriverFile *file = package->Files->pdata[i];
        if (!boot_archive_add_file(archive, file->Target, file->Path, error))
            return false;
    }
    return true;
}

static bool add_packages(BootArchive *archive, const RunOptions *options, GError **error)
{
    for (guint i = 0; i < options->Packages->len; i++) {
        if (!add_package(archive, options->Packages->pdata[i], error))
            return false;
    }
    return true;
}

static bool add_scenario(BootArchive *archive, const RunOptions *options, GError **error)
{
    g_autoptr(GBytes) scenario = scenario_compile(options->Steps, &options->Fail, options->Seed, FALSE);
    gsize length;
    const void *data = g_bytes_get_data(scenario, &length);
    if (length > SCENARIO_MAX_LENGTH)
        return usage_error(error, "%u steps are too many for one run: fewer --rounds", options->Steps->len);
    return boot_archive_add(archive, "Windows/ntbox/scenario", data, length, error);
}

static bool add_hive(BootArchive *archive, const RunOptions *options, GError **error)
{
    gsize length;
    g_autoptr(GBytes) hive = system_hive_build(options, error);
    if (!hive)
        return false;
    const void *data = g_bytes_get_data(hive, &length);
    return boot_archive_add(archive, SYSTEM32 "config/SYSTEM", data, length, error);
}

GBytes *volume_build(const RunOptions *options, const char *directory, GError **error)
{
    BootArchive *archive = boot_archive_new();
    if (add_kernel(archive, options, directory, error) && add_drivers(archive, options, error) &&
        add_companions(archive, options, error) && add_packages(archive, options, error) &&
        add_hive(archive, options, error) && add_scenario(archive, options, error))
        return boot_archive_finish(archive, error);
    boot_archive_free(archive);
    return NULL;
}

char *volume_command_line(const RunOptions *options, GError **error)
{
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "exitport=0x%x nmi=where", MACHINE_EXIT_PORT);
    if (options->HasSeed)
        g_string_append_printf(line, " seed=%" G_GUINT64_FORMAT, options->Seed);
    if (options->BindCount)
        g_string_append(line, " bind=count");
    if (options->SpecialPool)
        g_string_append_printf(line, " special-pool=%s", options->SpecialPool);
    if (options->PoolReport)
        g_string_append(line, " pool-report");
    if (options->HiveFile)
        g_string_append(line, " save-hive");
    if (options->StrictWx)
        g_string_append(line, " strict-wx");
    if (options->AllowMissing)
        g_string_append(line, " allow-missing");
    if (options->Fail.Boot)
        g_string_append_printf(line, " fail-boot=%" G_GUINT64_FORMAT, options->Fail.Boot);
    if (options->Append)
        g_string_append_printf(line, " %s", options->Append);
    if (line->len <= MAX_COMMAND_LINE)
        return g_string_free(line, FALSE);
    usage_error(error, "--append: the kernel's command line would have %zu characters; it can have %u",
                (size_t)line->len, MAX_COMMAND_LINE);
    g_string_free(line, TRUE);
    return NULL;
}

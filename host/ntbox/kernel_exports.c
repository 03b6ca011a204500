/* SPDX-License-Identifier: MIT
 * The export tables of our own kernel files. */
#include "kernel_exports.h"

#include <string.h>

#include "locate.h"
#include "usage.h"

static const struct {
    const char *Name;
    BuiltFile File;
} modules[KERNEL_MODULES] = {
    {"ntoskrnl.exe", BuiltKernelChecked}, {"hal.dll", BuiltHal}, {"wmilib.sys", BuiltWmilib}};

bool kernel_exports_is_own(const char *dll)
{
    for (size_t i = 0; i < KERNEL_MODULES; i++) {
        if (g_ascii_strcasecmp(modules[i].Name, dll) == 0)
            return true;
    }
    return false;
}

static bool open_module(KernelModule *module, const char *name, const char *directory, BuiltFile file,
                        GError **error)
{
    g_autoptr(GError) reason = NULL;
    PE_ERROR fault;
    g_autofree char *path = locate_file(directory, file, error);
    if (!path)
        return false;
    module->Name = name;
    module->File = g_mapped_file_new(path, FALSE, &reason);
    if (!module->File)
        return usage_error(error, "cannot read %s: %s", path, reason->message);
    if (PeParseFile(g_mapped_file_get_contents(module->File), g_mapped_file_get_length(module->File), 0,
                    &module->Image, &fault) != PE_OK)
        return usage_error(error, "%s is not a valid image: %s", path, fault.Text);
    PE_STATUS status = PeOpenExports(&module->Image, &module->Exports, &fault);
    return status == PE_OK || usage_error(error, "%s has no export table: %s", path,
                                          status == PE_NOT_FOUND ? "it exports nothing" : fault.Text);
}

KernelExports *kernel_exports_open(const char *directory, GError **error)
{
    KernelExports *exports = g_new0(KernelExports, 1);
    size_t opened = 0;
    while (opened < KERNEL_MODULES && open_module(&exports->Modules[opened], modules[opened].Name, directory,
                                                  modules[opened].File, error))
        opened++;
    if (opened == KERNEL_MODULES)
        return exports;
    kernel_exports_close(exports);
    return NULL;
}

void kernel_exports_close(KernelExports *exports)
{
    for (size_t i = 0; i < KERNEL_MODULES; i++)
        g_clear_pointer(&exports->Modules[i].File, g_mapped_file_unref);
    g_free(exports);
}

const KernelModule *kernel_exports_module(const KernelExports *exports, const char *dll)
{
    for (size_t i = 0; i < KERNEL_MODULES; i++) {
        if (g_ascii_strcasecmp(exports->Modules[i].Name, dll) == 0)
            return &exports->Modules[i];
    }
    return NULL;
}

/* A PE_FIND_MODULE: forwarders name modules without extension. */
static const PE_EXPORTS *find_module(void *context, const char *name, size_t length)
{
    const KernelExports *exports = context;
    for (size_t i = 0; i < KERNEL_MODULES; i++) {
        const KernelModule *module = &exports->Modules[i];
        size_t stem = strcspn(module->Name, ".");
        if (length == stem && g_ascii_strncasecmp(module->Name, name, length) == 0)
            return &module->Exports;
    }
    return NULL;
}

bool kernel_exports_has(const KernelExports *exports, const KernelModule *module, const char *name)
{
    uint64_t address;
    return name != NULL && PeResolveExport(&module->Exports, name, PE_NO_HINT, find_module, (void *)exports,
                                           &address, NULL, NULL) == PE_OK;
}

/* SPDX-License-Identifier: MIT
 * Finds the files that a run needs: see locate.h. */
#include "locate.h"

#include "usage.h"

static const char *const paths[] = {
    [BuiltKernelChecked] = "kernel/ntoskrnl-checked.exe",
    [BuiltKernelFree] = "kernel/ntoskrnl-free.exe",
    [BuiltSymbolsChecked] = "kernel/ntoskrnl-checked.sym",
    [BuiltSymbolsFree] = "kernel/ntoskrnl-free.sym",
    [BuiltHal] = "kernel/hal.dll",
    [BuiltLoader] = "ldr/osloader/osloader",
    [BuiltAgent] = "drivers/agent/agent.sys",
    [BuiltRamfs] = "drivers/ramfs/ramfs.sys",
    [BuiltNpfs] = "drivers/npfs/npfs.sys",
    [BuiltPci] = "drivers/pci/pci.sys",
    [BuiltWmilib] = "drivers/wmilib/wmilib.sys",
    [BuiltExportTable] = "ddk_shim/exports.tsv",
};

static bool holds_loader(const char *directory)
{
    g_autofree char *loader = g_build_filename(directory, paths[BuiltLoader], NULL);
    return g_file_test(loader, G_FILE_TEST_IS_REGULAR);
}

char *locate_directory(const char *option, GError **error)
{
    const char *variable = g_getenv("NTBOX_DIR");
    const char *wanted = option ? option : variable;
    if (wanted && holds_loader(wanted))
        return g_strdup(wanted);
    if (wanted) {
        usage_error(error, "%s holds no ntbox kernel: %s/%s is not there", wanted, wanted,
                    paths[BuiltLoader]);
        return NULL;
    }
    g_autofree char *executable = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(executable ? executable : ".");
    if (holds_loader(folder))
        return g_steal_pointer(&folder);
    g_autofree char *installed = g_build_filename(folder, "..", "lib", "ntbox", NULL);
    if (holds_loader(installed))
        return g_steal_pointer(&installed);
    usage_error(error, "the kernel is neither in %s nor in %s: build it, or name its place with --dir",
                folder, installed);
    return NULL;
}

char *locate_file(const char *directory, BuiltFile file, GError **error)
{
    g_autofree char *path = g_build_filename(directory, paths[file], NULL);
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer(&path);
    usage_error(error, "%s is not there: build it, or name another place with --dir", path);
    return NULL;
}

char *locate_uefi_firmware(GError **error)
{
    static const char *const places[] = {"/usr/share/ovmf/OVMF.fd", "/usr/share/qemu/OVMF.fd"};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (g_file_test(places[i], G_FILE_TEST_IS_REGULAR))
            return g_strdup(places[i]);
    }
    usage_error(error, "no UEFI firmware: install the package ovmf");
    return NULL;
}

char *locate_mkiso(const char *directory, GError **error)
{
    static const char *const places[] = {"scripts/mkiso", "../scripts/mkiso"};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(directory, places[i], NULL);
        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            return g_steal_pointer(&path);
    }
    usage_error(error, "scripts/mkiso is neither in %s nor beside it: --boot bios and uefi need it",
                directory);
    return NULL;
}

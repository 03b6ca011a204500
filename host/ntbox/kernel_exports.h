/* SPDX-License-Identifier: MIT
 * What drivers can import: the export tables of the ntoskrnl.exe, hal.dll and export drivers that were built here, read from
 * the files themselves with ldr/pe. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "pe/pe.h"

typedef struct KernelModule {
    const char *Name; /* "ntoskrnl.exe" */
    GMappedFile *File;
    PE_IMAGE Image;
    PE_EXPORTS Exports;
} KernelModule;

#define KERNEL_MODULES 3 /* ntoskrnl.exe, hal.dll, wmilib.sys */
typedef struct KernelExports {
    KernelModule Modules[KERNEL_MODULES];
} KernelExports;

/* Directory: see locate.h. NULL with a sentence. */
KernelExports *kernel_exports_open(const char *directory, GError **error);
void kernel_exports_close(KernelExports *exports);

/* The module of that name, case does not matter; NULL: there is no such module. */
const KernelModule *kernel_exports_module(const KernelExports *exports, const char *dll);

/* Is it in each run, whatever lies beside the driver? */
bool kernel_exports_is_own(const char *dll);

/* Does a driver's import bind? Forwarders are followed to their end. Name NULL: an import by ordinal, which binds to no
 * function of the kernel (D-010). */
bool kernel_exports_has(const KernelExports *exports, const KernelModule *module, const char *name);

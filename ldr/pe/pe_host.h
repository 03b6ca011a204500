/* SPDX-License-Identifier: MIT */
/* What a host (osloader, kernel, ntbox) supplies to ldr/pe. The library has no state of its own: these are
 * types of callbacks that are passed per call, and the four memory functions that every C compiler may call
 * by itself. */
#ifndef PE_PE_HOST_H
#define PE_PE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct _PE_IMPORT;
struct _PE_EXPORTS;

/* The program must link memcpy, memmove, memset and memcmp; ldr/pe calls nothing else outside itself. */

/* Finds the address that one import binds to. True with *Address set: it is written to the IAT. False: the
 * import is missing; binding goes on, so the host sees (and can report) every missing name. Import and its
 * strings live for the call only. Import->Dll->Index is the same for all imports of one descriptor, so a host
 * can cache the module. */
typedef bool PE_RESOLVE_IMPORT(void *Context, const struct _PE_IMPORT *Import, uint64_t *Address);

/* Finds the export table of the module that a forwarder names ("NTOSKRNL", without extension; Length
 * characters, not terminated). NULL: no such module is loaded. What is returned must live until
 * PeResolveExport returns. */
typedef const struct _PE_EXPORTS *PE_FIND_MODULE(void *Context, const char *Name, size_t Length);

#endif

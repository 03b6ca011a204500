/* SPDX-License-Identifier: MIT
 * Mapping a PE image into the test's own address space, to run its code there. For images that our build made: sections are
 * copied to the preferred base, nothing is relocated or bound. */
#pragma once
#include <stdint.h>

typedef struct PE_GUEST {
    uint8_t *base;
    uint32_t size;
    const void *functions; /* RUNTIME_FUNCTION[function_count] */
    uint32_t function_count;
} PE_GUEST;

/* Prints a reason and returns 0 when it cannot. */
int pe_guest_map(const char *path, PE_GUEST *guest);
void *pe_guest_export(const PE_GUEST *guest, const char *name);

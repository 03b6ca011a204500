/* SPDX-License-Identifier: MIT
 * See pe_guest.h. */
#include "pe_guest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static uint32_t u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static uint16_t u16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size);
    if (fread(data, 1, *size, file) != *size) {
        free(data);
        data = NULL;
    }
    fclose(file);
    return data;
}

static void copy_sections(const uint8_t *file, const uint8_t *nt, uint8_t *base)
{
    const uint8_t *section = nt + 24 + u16(nt + 20);

    memcpy(base, file, u32(nt + 24 + 60)); /* headers */
    for (unsigned i = 0; i < u16(nt + 6); i++, section += 40) {
        uint32_t virtual_size = u32(section + 8), raw_size = u32(section + 16);
        memcpy(base + u32(section + 12), file + u32(section + 20),
               raw_size < virtual_size ? raw_size : virtual_size);
    }
}

int pe_guest_map(const char *path, PE_GUEST *guest)
{
    size_t size;
    uint8_t *file = read_file(path, &size);
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 0;
    }
    const uint8_t *nt = file + u32(file + 0x3C), *optional = nt + 24;
    uint64_t base = u32(optional + 24) | (uint64_t)u32(optional + 28) << 32;
    guest->size = u32(optional + 56);
    guest->base = mmap((void *)(uintptr_t)base, guest->size, PROT_READ | PROT_WRITE | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if ((uintptr_t)guest->base != base) {
        fprintf(stderr, "%s: its base 0x%llx is not free\n", path, (unsigned long long)base);
        free(file);
        return 0;
    }
    copy_sections(file, nt, guest->base);
    guest->functions = guest->base + u32(optional + 112 + 3 * 8);
    guest->function_count = u32(optional + 112 + 3 * 8 + 4) / 12;
    free(file);
    return 1;
}

void *pe_guest_export(const PE_GUEST *guest, const char *name)
{
    const uint8_t *optional = guest->base + u32(guest->base + 0x3C) + 24, *base = guest->base;
    const uint8_t *directory = base + u32(optional + 112);

    for (uint32_t i = 0; i < u32(directory + 24); i++) {
        const char *found = (const char *)base + u32(base + u32(directory + 32) + i * 4);
        if (strcmp(found, name) == 0) {
            uint16_t ordinal = u16(base + u32(directory + 36) + i * 2);
            return guest->base + u32(base + u32(directory + 28) + ordinal * 4u);
        }
    }
    return NULL;
}

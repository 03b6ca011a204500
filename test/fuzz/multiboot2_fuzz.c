/* SPDX-License-Identifier: MIT
 * libFuzzer over the Multiboot2 boot information: any bytes are read or refused with a sentence, and the
 * memory map that comes of them is sorted and without overlaps. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "osloader/boot_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

static OSL_MAP Map;

static void CheckMap(void)
{
    uint64_t End = 0;
    for (uint32_t i = 0; i < Map.Count; i++) {
        if (Map.Ranges[i].Base < End || Map.Ranges[i].Length == 0 || Map.Ranges[i].Length % OSL_PAGE_SIZE)
            abort();
        End = Map.Ranges[i].Base + Map.Ranges[i].Length;
    }
}

/* The information's own size field is made true, as it is the one thing that osloader must believe. */
int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    OSL_BOOT_INFO Boot = {.Map = &Map};
    uint32_t Total = (uint32_t)Length + 8;
    uint8_t *Info = malloc(Total);
    if (!Info)
        return 0;
    memset(Info, 0, 8);
    memcpy(Info, &Total, 4);
    if (Length)
        memcpy(Info + 8, Data, Length);
    memset(&Map, 0, sizeof(Map));
    const char *Fault = OslParseMultiboot2(Info, &Boot, &Total);
    if (!Fault && strlen(Boot.CommandLine) >= OSL_COMMAND_LINE_MAX)
        abort();
    CheckMap();
    free(Info);
    return 0;
}

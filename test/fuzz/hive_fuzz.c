/* SPDX-License-Identifier: MIT
 * libFuzzer over the hive reader: any bytes are refused with a sentence or read; a hive that passed HiveCheck
 * is readable throughout. The checksum is mended first, so that the mutations get past the header. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cm/hive_format.h"
#include "hive_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    uint8_t *Copy = malloc(Length + 1);
    if (!Copy)
        return 0;
    memcpy(Copy, Data, Length);
    if (Length >= HIVE_HEADER_SIZE)
        HiveStore32(Copy + REGF_CHECKSUM, HiveChecksum(Copy));
    (void)WalkEverything(Copy, Length);
    free(Copy);
    return 0;
}

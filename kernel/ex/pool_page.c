/* SPDX-License-Identifier: MIT
 * Block sizes of the small pools. From 304 bytes on each is the largest multiple of 16 of which n fit into a
 * page. */
#include "pool_page.h"

const uint16_t ExpBlockSize[EXP_CLASSES] = {32,  48,  64,  80,  96,  112, 128, 160, 192,  224,  256,
                                            304, 336, 400, 448, 512, 576, 672, 816, 1024, 1360, 2048};
uint8_t ExpClassOfUnits[EXP_LARGEST_BLOCK / 16 + 1];
uint8_t ExpBlockAt[EXP_CLASSES][EXP_ROWS][EXP_UNITS];

static void ExpPlaceBlocks(uint32_t Class)
{
    for (uint32_t Row = 0; Row < EXP_ROWS; Row++)
        for (uint32_t Number = 0; Number < ExpBlocksPerPage(Class); Number++)
            ExpBlockAt[Class][Row][ExpBlockOffset(Class, Number) / 16] = (uint8_t)(Number + 1);
}

void ExpInitializeClasses(void)
{
    uint32_t Class = 0;

    for (uint32_t Units = 0; Units <= EXP_LARGEST_BLOCK / 16; Units++) {
        while (ExpBlockSize[Class] < Units * 16)
            Class++;
        ExpClassOfUnits[Units] = (uint8_t)Class;
    }
    for (Class = 0; Class < EXP_CLASSES; Class++)
        ExpPlaceBlocks(Class);
}

EXP_BLOCK_SET ExpFullSet(uint32_t Class)
{
    EXP_BLOCK_SET Set = {{0}};

    for (uint32_t Number = 0; Number < ExpBlocksPerPage(Class); Number++)
        ExpAddToSet(&Set, Number);
    return Set;
}

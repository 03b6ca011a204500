/* SPDX-License-Identifier: MIT
 * Block sizes of the small pools. From 304 bytes on each is the largest multiple of 16 of which n fit into a
 * page. */
#include "exp.h"

const USHORT ExpBlockSize[EXP_CLASSES] = {32,  48,  64,  80,  96,  112, 128, 160, 192,  224,  256,
                                          304, 336, 400, 448, 512, 576, 672, 816, 1024, 1360, 2048};
USHORT ExpCacheDepth[EXP_CLASSES];
UCHAR ExpClassOfUnits[EXP_LARGEST_BLOCK / 16 + 1];

VOID ExpInitializeClasses(VOID)
{
    ULONG Class = 0;
    for (ULONG Units = 0; Units <= EXP_LARGEST_BLOCK / 16; Units++) {
        while (ExpBlockSize[Class] < Units * 16)
            Class++;
        ExpClassOfUnits[Units] = (UCHAR)Class;
    }
    for (Class = 0; Class < EXP_CLASSES; Class++)
        ExpCacheDepth[Class] = (USHORT)(EXP_CACHE_BYTES / ExpBlockSize[Class]);
}

/* SPDX-License-Identifier: MIT
 * Case mapping of the BMP; the tables are made by tools/gen_case_table.py. */
#include "rtl_case.h"
#include "rtl/case_table.h"

uint16_t RtlUpcaseCharacter(uint16_t Character)
{
    return (uint16_t)(Character + RtlpUpcaseDelta[RtlpUpcasePage[Character >> 8]][Character & 0xFF]);
}

uint16_t RtlDowncaseCharacter(uint16_t Character)
{
    return (uint16_t)(Character + RtlpDowncaseDelta[RtlpDowncasePage[Character >> 8]][Character & 0xFF]);
}

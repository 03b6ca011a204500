/* SPDX-License-Identifier: MIT
 * Tier 2, rtl: simple (one to one) case mapping of the BMP, as the up-case table of the exFAT specification has it. Pure: host programs compile
 * kernel/rtl/case.c too. Any IRQL. */
#pragma once
#include <stdint.h>

uint16_t RtlUpcaseCharacter(uint16_t Character);
uint16_t RtlDowncaseCharacter(uint16_t Character);

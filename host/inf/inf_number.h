/* SPDX-License-Identifier: MIT
 * Numbers in INF fields: decimal, 0x-hexadecimal, and with a minus sign. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* False: no number, or more than bits holds (a negative one may be as small as that many bits have it). */
bool inf_number(const char *text, unsigned bits, uint64_t *number);

/* One byte in hexadecimal, as in the data of a REG_BINARY. */
bool inf_number_byte(const char *text, uint8_t *byte);

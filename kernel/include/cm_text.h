/* SPDX-License-Identifier: MIT
 * Tier 2, cm: names as the registry and the boot file system compare them. Pure: the host builds it too, so
 * fixed-width types only. Any IRQL. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Latin, Greek and Cyrillic letters; other scripts are left as they are. */
uint16_t HiveUpcase(uint16_t Character);

/* UTF-8 of Bytes bytes to UTF-16; strict. Returns the number of code units, which are written only when Text
 * is not NULL, or HIVE_NOT_UTF8. */
#define HIVE_NOT_UTF8 0xffffffffu
uint32_t HiveFromUtf8(const char *Utf8, size_t Bytes, uint16_t *Text);

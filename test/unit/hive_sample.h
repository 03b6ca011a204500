/* SPDX-License-Identifier: MIT
 * The hive that several tests use: every kind of list, name and data that the builder makes. */
#pragma once
#include "cm/hive_builder.h"

#define SAMPLE_MANY 1200u /* subkeys of "Many": three lh lists under one ri */
#define SAMPLE_BIG 40000u /* bytes of the value "Big": three segments */
#define SAMPLE_TIME 0x01dc5a0000000000ull

/* Byte i of the value Sized<n> or Big. */
static inline uint8_t SampleByte(uint32_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

/* Lengths of the values Sized0 ...: around the borders of in-place, ordinary and segmented data. */
static const uint32_t SampleLengths[] = {0, 1, 3, 4, 5, 100, 16343, 16344, 16345, 32688, SAMPLE_BIG};
#define SAMPLE_LENGTHS (sizeof(SampleLengths) / sizeof(SampleLengths[0]))

/* Fills Builder; the first status that is not HiveOk, else HiveOk. Many: number of subkeys of "Many". */
HIVE_STATUS SampleFill(HIVE_BUILDER *Builder, uint32_t Many);

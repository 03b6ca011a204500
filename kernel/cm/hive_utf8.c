/* SPDX-License-Identifier: MIT
 * UTF-8 to UTF-16 for the builder. Strict: overlong forms, surrogates and values above U+10FFFF are refused.
 */
#include "cm/hive_private.h"

/* Bytes of the sequence that starts with Lead, 0 if none does; its payload bits and smallest value. */
static uint32_t SequenceLength(uint8_t Lead, uint32_t *Value, uint32_t *Smallest)
{
    if (Lead < 0x80) {
        *Value = Lead;
        *Smallest = 0;
        return 1;
    }
    if (Lead >= 0xc2 && Lead < 0xe0) {
        *Value = Lead & 0x1f;
        *Smallest = 0x80;
        return 2;
    }
    if (Lead >= 0xe0 && Lead < 0xf0) {
        *Value = Lead & 0x0f;
        *Smallest = 0x800;
        return 3;
    }
    if (Lead >= 0xf0 && Lead < 0xf5) {
        *Value = Lead & 0x07;
        *Smallest = 0x10000;
        return 4;
    }
    return 0;
}

/* Decodes one character at Utf8[*At] and moves on; false when it is none. */
static bool Decode(const uint8_t *Utf8, size_t Bytes, size_t *At, uint32_t *Value)
{
    uint32_t Smallest = 0;
    uint32_t Length = SequenceLength(Utf8[*At], Value, &Smallest);
    if (Length == 0 || Length > Bytes - *At)
        return false;
    for (uint32_t i = 1; i < Length; i++) {
        uint8_t Next = Utf8[*At + i];
        if ((Next & 0xc0) != 0x80)
            return false;
        *Value = *Value << 6 | (Next & 0x3f);
    }
    *At += Length;
    return *Value >= Smallest && *Value <= 0x10ffff && (*Value < 0xd800 || *Value > 0xdfff);
}

uint32_t HiveFromUtf8(const char *Utf8, size_t Bytes, uint16_t *Text)
{
    uint32_t Count = 0;
    uint32_t Value = 0;
    if (Bytes > HIVE_MAX_BINS)
        return HIVE_NOT_UTF8;
    for (size_t At = 0; At < Bytes;) {
        if (!Decode((const uint8_t *)Utf8, Bytes, &At, &Value))
            return HIVE_NOT_UTF8;
        if (Value < 0x10000) {
            if (Text)
                Text[Count] = (uint16_t)Value;
            Count += 1;
            continue;
        }
        if (Text) {
            Text[Count] = (uint16_t)(0xd800 + ((Value - 0x10000) >> 10));
            Text[Count + 1] = (uint16_t)(0xdc00 + ((Value - 0x10000) & 0x3ff));
        }
        Count += 2;
    }
    return Count;
}

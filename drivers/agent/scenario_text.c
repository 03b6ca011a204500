/* SPDX-License-Identifier: MIT
 * Names of a scenario as UTF-16, which is what the kernel takes. Strict UTF-8; a NUL is refused too. */
#include "scenario_parse.h"

/* One character at Text[*At]; moves on. 0 when it is none. */
static uint32_t Decode(const uint8_t *Text, uint32_t Length, uint32_t *At)
{
    uint8_t Lead = Text[(*At)++];
    uint32_t More = Lead >= 0xf0 ? 3 : Lead >= 0xe0 ? 2 : 1;
    uint32_t Value = Lead & (0x3fu >> More);
    static const uint32_t Smallest[] = {0, 0x80, 0x800, 0x10000};
    if (Lead < 0x80)
        return Lead;
    if (Lead < 0xc2 || Lead > 0xf4 || More > Length - *At)
        return 0;
    for (uint32_t i = 0; i < More; i++) {
        uint8_t Next = Text[(*At)++];
        if ((Next & 0xc0) != 0x80)
            return 0;
        Value = Value << 6 | (Next & 0x3f);
    }
    if (Value < Smallest[More] || Value > 0x10ffff || (Value >= 0xd800 && Value <= 0xdfff))
        return 0;
    return Value;
}

uint32_t ScenarioToUtf16(const SCENARIO_TEXT *Text, uint16_t *Buffer, uint32_t Room)
{
    uint32_t Count = 0;
    for (uint32_t At = 0; At < Text->Length;) {
        uint32_t Value = Decode((const uint8_t *)Text->Bytes, Text->Length, &At);
        uint32_t Units = Value < 0x10000 ? 1 : 2;
        if (Value == 0 || Units > Room - Count)
            return 0;
        if (Units == 1) {
            Buffer[Count++] = (uint16_t)Value;
            continue;
        }
        Buffer[Count++] = (uint16_t)(0xd800 + ((Value - 0x10000) >> 10));
        Buffer[Count++] = (uint16_t)(0xdc00 + ((Value - 0x10000) & 0x3ff));
    }
    return Count;
}

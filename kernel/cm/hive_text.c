/* SPDX-License-Identifier: MIT
 * Values given in the builder's own words: UTF-8 text and numbers, converted to what the registry stores. */
#include "cm/hive_builder.h"
#include "cm/hive_private.h"

/* Sets a value whose data is Units code units in Text, and frees Text. */
static HIVE_STATUS SetUnits(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Type,
                            uint16_t *Text, size_t Units)
{
    HIVE_STATUS Status =
        HiveBuilderSetValue(Builder, Path, Name, Type, Text, (uint32_t)(Units * sizeof(uint16_t)));
    Builder->Hive.Memory.Free(Builder->Hive.Memory.Context, Text);
    return Status;
}

/* Code units of all texts, each with its NUL. */
static HIVE_STATUS CountUnits(const char *const *Texts, uint32_t Count, size_t *Units)
{
    *Units = 0;
    for (uint32_t i = 0; i < Count; i++) {
        uint32_t Length = HiveFromUtf8(Texts[i], strlen(Texts[i]), NULL);
        if (Length == HIVE_NOT_UTF8)
            return HiveBadName;
        *Units += (size_t)Length + 1;
        if (*Units > HIVE_MAX_BINS / sizeof(uint16_t) - 1)
            return HiveTooLarge;
    }
    return HiveOk;
}

static HIVE_STATUS SetTexts(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Type,
                            const char *const *Texts, uint32_t Count)
{
    size_t Units;
    HIVE_STATUS Status = CountUnits(Texts, Count, &Units);
    if (Status != HiveOk)
        return Status;
    uint16_t *Text =
        Builder->Hive.Memory.Allocate(Builder->Hive.Memory.Context, (Units + 1) * sizeof(uint16_t));
    if (!Text)
        return HiveNoMemory;
    size_t At = 0;
    for (uint32_t i = 0; i < Count; i++) {
        At += HiveFromUtf8(Texts[i], strlen(Texts[i]), Text + At);
        Text[At++] = 0;
    }
    if (Type == HiveTypeMultiText)
        Text[At++] = 0;
    if (Type == HiveTypeLink)
        At -= 1;
    return SetUnits(Builder, Path, Name, Type, Text, At);
}

HIVE_STATUS HiveBuilderSetText(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Type,
                               const char *Text)
{
    return SetTexts(Builder, Path, Name, Type, &Text, 1);
}

HIVE_STATUS HiveBuilderSetMultiText(HIVE_BUILDER *Builder, const char *Path, const char *Name,
                                    const char *const *Texts, uint32_t Count)
{
    return SetTexts(Builder, Path, Name, HiveTypeMultiText, Texts, Count);
}

HIVE_STATUS HiveBuilderSetNumber32(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Number)
{
    return HiveBuilderSetValue(Builder, Path, Name, HiveTypeNumber32, &Number, sizeof(Number));
}

HIVE_STATUS HiveBuilderSetNumber64(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint64_t Number)
{
    return HiveBuilderSetValue(Builder, Path, Name, HiveTypeNumber64, &Number, sizeof(Number));
}

/* SPDX-License-Identifier: MIT
 * Hives made by path: the editor of hive.h for callers that have UTF-8 paths and texts (`ntbox`, mkhive). */
#pragma once
#include "cm/hive.h"

typedef struct HIVE_BUILDER {
    HIVE Hive;
    uint64_t Time; /* stamped on everything, so that equal calls give equal bytes */
} HIVE_BUILDER;

/* An empty hive (a root key only). NULL: no memory. *Memory is copied. */
HIVE_BUILDER *HiveBuilderCreate(const HIVE_MEMORY *Memory, uint64_t Time);
void HiveBuilderDestroy(HIVE_BUILDER *Builder);

/* Paths are UTF-8, separated by '\', relative to the root; "" is the root itself. Missing keys on the way are
 * made, an existing key keeps its spelling. After a failure the builder is as before, apart from keys made on
 * the way. */
HIVE_STATUS HiveBuilderAddKey(HIVE_BUILDER *Builder, const char *Path);
/* Sets bits of HIVE_KEY.Flags: HIVE_KEY_EXIT or HIVE_KEY_LINK. */
HIVE_STATUS HiveBuilderMarkKey(HIVE_BUILDER *Builder, const char *Path, uint16_t Flags);
/* Name "" is the key's default value. A value of that name is replaced. Data is copied. */
HIVE_STATUS HiveBuilderSetValue(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Type,
                                const void *Data, uint32_t Length);
/* Text is UTF-8 and is stored as UTF-16 with its NUL. Type: HiveTypeText, HiveTypeExpandText, or
 * HiveTypeLink, which is stored without NUL. */
HIVE_STATUS HiveBuilderSetText(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Type,
                               const char *Text);
HIVE_STATUS HiveBuilderSetMultiText(HIVE_BUILDER *Builder, const char *Path, const char *Name,
                                    const char *const *Texts, uint32_t Count);
HIVE_STATUS HiveBuilderSetNumber32(HIVE_BUILDER *Builder, const char *Path, const char *Name,
                                   uint32_t Number);
HIVE_STATUS HiveBuilderSetNumber64(HIVE_BUILDER *Builder, const char *Path, const char *Name,
                                   uint64_t Number);

/* The hive file. *Bytes belongs to the caller, who frees it with Memory->Free. The builder may be used further. */
HIVE_STATUS HiveBuilderFinish(HIVE_BUILDER *Builder, uint8_t **Bytes, uint32_t *Length);

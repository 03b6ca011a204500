/* SPDX-License-Identifier: MIT
 * Opens a hive and calls every reader on everything it finds, without relying on HiveCheck: for damage tests
 * and the fuzzer. */
#pragma once
#include <stdlib.h>
#include "cm/hive.h"

#define WALK_BUFFER 4096u

/* Reads every value of Key, and finds it again by its name. */
static inline void WalkValues(HIVE *Hive, const HIVE_KEY *Key)
{
    HIVE_VALUE Value, Again;
    uint16_t Name[256];
    uint8_t Buffer[WALK_BUFFER];
    for (uint32_t i = 0; i < Key->ValueCount && i < 64; i++) {
        if (HiveValue(Hive, Key, i, &Value) != HiveOk)
            continue;
        (void)HiveReadData(Hive, &Value, Buffer,
                           Value.DataLength < WALK_BUFFER ? Value.DataLength : WALK_BUFFER);
        for (uint32_t c = 0; c < Value.Name.Length && c < 256; c++)
            Name[c] = HiveNameCharacter(&Value.Name, c);
        if (Value.Name.Length <= 256)
            (void)HiveFindValue(Hive, Key, Name, Value.Name.Length, &Again);
    }
}

static inline void WalkKey(HIVE *Hive, const HIVE_KEY *Key, uint32_t Depth, uint32_t *Budget)
{
    HIVE_KEY SubKey, Again;
    uint16_t Name[256];
    const uint8_t *Class;
    if (Depth == 8 || *Budget == 0)
        return;
    *Budget -= 1;
    (void)HiveReadClass(Hive, Key, &Class);
    WalkValues(Hive, Key);
    for (uint32_t i = 0; i < Key->SubKeyCount && i < 16; i++) {
        if (HiveSubKey(Hive, Key, i, &SubKey) != HiveOk)
            continue;
        for (uint32_t c = 0; c < SubKey.Name.Length; c++)
            Name[c] = HiveNameCharacter(&SubKey.Name, c);
        (void)HiveFindSubKey(Hive, Key, Name, SubKey.Name.Length, &Again);
        WalkKey(Hive, &SubKey, Depth + 1, Budget);
    }
}

/* The status of open and check. A hive that passed the check must be readable throughout: else abort(). */
static inline HIVE_STATUS WalkEverything(const uint8_t *Bytes, uint64_t Length)
{
    HIVE Hive;
    HIVE_KEY Root;
    uint32_t Budget = 200;
    HIVE_STATUS Status = HiveOpen(&Hive, Bytes, Length);
    if (Status != HiveOk) {
        if (!Hive.Error.Rule)
            abort();
        return Status;
    }
    Status = HiveCheck(&Hive);
    if (Status != HiveOk && !Hive.Error.Rule)
        abort();
    Hive.Error.Rule = NULL;
    if (HiveReadRoot(&Hive, &Root) == HiveOk)
        WalkKey(&Hive, &Root, 0, &Budget);
    if (Status == HiveOk && Hive.Error.Rule)
        abort();
    return Status;
}

/* SPDX-License-Identifier: MIT
 * The editor by path: finds or makes each key on the way. */
#include "cm/hive_builder.h"
#include "cm/hive_private.h"

static void *Allocate(HIVE_BUILDER *Builder, size_t Size)
{
    return Builder->Hive.Memory.Allocate(Builder->Hive.Memory.Context, Size);
}

static void Release(HIVE_BUILDER *Builder, void *Block)
{
    Builder->Hive.Memory.Free(Builder->Hive.Memory.Context, Block);
}

HIVE_BUILDER *HiveBuilderCreate(const HIVE_MEMORY *Memory, uint64_t Time)
{
    HIVE_BUILDER *Builder = Memory->Allocate(Memory->Context, sizeof(*Builder));
    if (!Builder)
        return NULL;
    Builder->Time = Time;
    if (HiveCreate(&Builder->Hive, Memory, Time) == HiveOk)
        return Builder;
    Memory->Free(Memory->Context, Builder);
    return NULL;
}

void HiveBuilderDestroy(HIVE_BUILDER *Builder)
{
    if (!Builder)
        return;
    HIVE_MEMORY Memory = Builder->Hive.Memory;
    HiveDestroy(&Builder->Hive);
    Memory.Free(Memory.Context, Builder);
}

/* The cell of the subkey named Name; made when missing. */
static HIVE_STATUS SubKeyOf(HIVE_BUILDER *Builder, const uint16_t *Name, uint32_t Length, uint32_t *Cell)
{
    HIVE_KEY Parent, Key;
    HIVE_NEW_KEY New = {.Time = Builder->Time};
    HIVE_STATUS Status = HiveReadKey(&Builder->Hive, *Cell, &Parent);
    if (Status == HiveOk)
        Status = HiveFindSubKey(&Builder->Hive, &Parent, Name, Length, &Key);
    if (Status == HiveNotFound)
        return HiveAddKey(&Builder->Hive, *Cell, Name, Length, &New, Cell);
    *Cell = Key.Cell;
    return Status;
}

/* Converts one path component; its length in code units, or 0 when it is no key name. */
static uint32_t ComponentName(const char *Text, size_t Bytes, uint16_t Name[HIVE_MAX_KEY_NAME])
{
    uint32_t Length = HiveFromUtf8(Text, Bytes, NULL);
    if (Length == HIVE_NOT_UTF8 || Length > HIVE_MAX_KEY_NAME)
        return 0;
    return HiveFromUtf8(Text, Bytes, Name);
}

static HIVE_STATUS FindOrAdd(HIVE_BUILDER *Builder, const char *Path, uint32_t *Cell)
{
    uint16_t Name[HIVE_MAX_KEY_NAME];
    *Cell = Builder->Hive.Root;
    while (*Path) {
        const char *End = Path;
        while (*End && *End != '\\')
            End++;
        uint32_t Length = ComponentName(Path, (size_t)(End - Path), Name);
        if (Length == 0 || (*End == '\\' && *++End == 0))
            return HiveBadName;
        HIVE_STATUS Status = SubKeyOf(Builder, Name, Length, Cell);
        if (Status != HiveOk)
            return Status;
        Path = End;
    }
    return HiveOk;
}

HIVE_STATUS HiveBuilderAddKey(HIVE_BUILDER *Builder, const char *Path)
{
    uint32_t Cell;
    return FindOrAdd(Builder, Path, &Cell);
}

HIVE_STATUS HiveBuilderMarkKey(HIVE_BUILDER *Builder, const char *Path, uint16_t Flags)
{
    uint32_t Cell;
    HIVE_KEY Key;
    HIVE_STATUS Status = FindOrAdd(Builder, Path, &Cell);
    if (Status == HiveOk)
        Status = HiveReadKey(&Builder->Hive, Cell, &Key);
    return Status == HiveOk ? HiveSetKeyFlags(&Builder->Hive, Cell, Key.Flags | Flags) : Status;
}

HIVE_STATUS HiveBuilderSetValue(HIVE_BUILDER *Builder, const char *Path, const char *Name, uint32_t Type,
                                const void *Data, uint32_t Length)
{
    uint32_t Cell, NameLength = HiveFromUtf8(Name, strlen(Name), NULL);
    if (NameLength == HIVE_NOT_UTF8 || NameLength > HIVE_MAX_VALUE_NAME)
        return HiveBadName;
    uint16_t *Text = Allocate(Builder, (size_t)(NameLength + 1) * sizeof(uint16_t));
    if (!Text)
        return HiveNoMemory;
    HiveFromUtf8(Name, strlen(Name), Text);
    HIVE_STATUS Status = FindOrAdd(Builder, Path, &Cell);
    if (Status == HiveOk)
        Status = HiveSetValue(&Builder->Hive, Cell, Text, NameLength, Type, Data, Length, Builder->Time);
    Release(Builder, Text);
    return Status;
}

HIVE_STATUS HiveBuilderFinish(HIVE_BUILDER *Builder, uint8_t **Bytes, uint32_t *Length)
{
    const uint8_t *File;
    HiveSeal(&Builder->Hive, Builder->Time, &File, Length);
    *Bytes = Allocate(Builder, *Length);
    if (!*Bytes)
        return HiveNoMemory;
    memcpy(*Bytes, File, *Length);
    return HiveOk;
}

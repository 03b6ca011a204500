/* SPDX-License-Identifier: MIT
 * Copying a tree of keys from one hive to another: what ZwSaveKey writes. */
#include "cm/hive_private.h"

typedef struct COPY {
    HIVE *From, *To;
    uint8_t *Room; /* of RoomSize bytes: a name or a value's data */
    uint32_t RoomSize;
} COPY;

static HIVE_STATUS Grow(COPY *Copy, uint32_t Size)
{
    const HIVE_MEMORY *Memory = &Copy->To->Memory;
    if (Size <= Copy->RoomSize)
        return HiveOk;
    uint8_t *Room = Memory->Allocate(Memory->Context, Size);
    if (!Room)
        return HiveNoMemory;
    if (Copy->Room)
        Memory->Free(Memory->Context, Copy->Room);
    Copy->Room = Room;
    Copy->RoomSize = Size;
    return HiveOk;
}

static const uint16_t *CopyName(COPY *Copy, const HIVE_NAME *Name)
{
    uint16_t *Text = (uint16_t *)(void *)Copy->Room;
    for (uint32_t i = 0; i < Name->Length; i++)
        Text[i] = HiveNameCharacter(Name, i);
    return Text;
}

/* The name lies in front of the data. */
static HIVE_STATUS CopyValue(COPY *Copy, const HIVE_KEY *Key, uint32_t Index, uint32_t To)
{
    HIVE_VALUE Value;
    HIVE_STATUS Status = HiveValue(Copy->From, Key, Index, &Value);
    if (Status == HiveOk)
        Status = Grow(Copy, Value.Name.Length * 2u + Value.DataLength);
    if (Status != HiveOk)
        return Status;
    const uint16_t *Name = CopyName(Copy, &Value.Name);
    uint8_t *Data = Copy->Room + Value.Name.Length * 2u;
    Status = HiveReadData(Copy->From, &Value, Data, Value.DataLength);
    if (Status != HiveOk)
        return Status;
    return HiveSetValue(Copy->To, To, Name, Value.Name.Length, Value.Type, Data, Value.DataLength,
                        Key->LastWriteTime);
}

/* Values, descriptor and time of one key. */
static HIVE_STATUS CopyContents(COPY *Copy, const HIVE_KEY *Key, uint32_t To)
{
    const uint8_t *Descriptor;
    uint32_t Length;
    HIVE_STATUS Status = HiveReadSecurity(Copy->From, Key, &Descriptor, &Length);
    if (Status == HiveOk && Length)
        Status = HiveSetSecurity(Copy->To, To, Descriptor, Length, Key->LastWriteTime);
    for (uint32_t i = 0; i < Key->ValueCount && Status == HiveOk; i++)
        Status = CopyValue(Copy, Key, i, To);
    return Status == HiveOk ? HiveSetKeyTime(Copy->To, To, Key->LastWriteTime) : Status;
}

static HIVE_STATUS CopyKey(COPY *Copy, const HIVE_KEY *Key, uint32_t Parent, uint32_t *To)
{
    const uint8_t *Class;
    HIVE_NEW_KEY New = {
        .Flags = Key->Flags & HIVE_KEY_LINK, .ClassLength = Key->ClassLength, .Time = Key->LastWriteTime};
    HIVE_STATUS Status = HiveReadClass(Copy->From, Key, &Class);
    if (Status == HiveOk)
        Status = Grow(Copy, Key->Name.Length * 2u);
    if (Status != HiveOk)
        return Status;
    New.Class = Class;
    Status = HiveAddKey(Copy->To, Parent, CopyName(Copy, &Key->Name), Key->Name.Length, &New, To);
    return Status == HiveOk ? CopyContents(Copy, Key, *To) : Status;
}

/* Where the walk stands in both hives, and the next subkey; HiveMove goes up by the keys' parents. */
typedef struct POSITION {
    uint32_t From, To, Depth;
    uint32_t Next[HIVE_MAX_DEPTH];
} POSITION;

static HIVE_STATUS Step(COPY *Copy, POSITION *At)
{
    HIVE_KEY Key, SubKey;
    HIVE_STATUS Status = HiveReadKey(Copy->From, At->From, &Key);
    if (Status != HiveOk)
        return Status;
    if (At->Next[At->Depth] < Key.SubKeyCount && At->Depth + 1 < HIVE_MAX_DEPTH) {
        Status = HiveSubKey(Copy->From, &Key, At->Next[At->Depth]++, &SubKey);
        if (Status != HiveOk)
            return Status;
        Status = CopyKey(Copy, &SubKey, At->To, &At->To);
        At->From = SubKey.Cell;
        At->Next[++At->Depth] = 0;
        return Status;
    }
    if (At->Depth == 0)
        return HiveNoMoreEntries;
    At->Depth -= 1;
    At->From = Key.Parent;
    Status = HiveReadKey(Copy->To, At->To, &Key);
    At->To = Key.Parent;
    return Status;
}

HIVE_STATUS HiveCopyTree(HIVE *Source, uint32_t From, HIVE *Hive, uint32_t To)
{
    COPY Copy = {Source, Hive, NULL, 0};
    POSITION *At = Hive->Memory.Allocate(Hive->Memory.Context, sizeof(*At));
    HIVE_KEY Key;
    if (!At)
        return HiveNoMemory;
    At->From = From;
    At->To = To;
    At->Depth = 0;
    At->Next[0] = 0;
    HIVE_STATUS Status = HiveReadKey(Source, From, &Key);
    if (Status == HiveOk)
        Status = CopyContents(&Copy, &Key, To);
    while (Status == HiveOk)
        Status = Step(&Copy, At);
    Hive->Memory.Free(Hive->Memory.Context, At);
    if (Copy.Room)
        Hive->Memory.Free(Hive->Memory.Context, Copy.Room);
    return Status == HiveNoMoreEntries ? HiveOk : Status;
}

/* SPDX-License-Identifier: MIT
 * From the builder's tree to the bytes of a hive. Two passes in pre-order: the first gives each key its cell,
 * the second writes values, lists and links between keys. Everything is a function of the tree and the time.
 */
#include "cm/hive_private.h"

#define LIST_LIMIT 507u /* entries of one lh list: it fits into one bin of 4096 bytes */

/* The file under construction. A failure latches in Status; cells handed out after it are meaningless. */
typedef struct WRITER {
    const HIVE_MEMORY *Memory;
    uint8_t *Bytes; /* header and bins */
    uint32_t Capacity;
    uint32_t Length; /* bins so far, without the header */
    uint32_t Next;   /* free byte in the last bin */
    uint32_t *Cells; /* key cell by pre-order number */
    uint32_t Security;
    uint64_t Time;
    HIVE_STATUS Status;
} WRITER;

static uint8_t *At(const WRITER *Writer, uint32_t Cell)
{
    return Writer->Bytes + HIVE_HEADER_SIZE + Cell + 4;
}

/* Makes room for Size more bytes of bins; new memory is zero. */
static bool Reserve(WRITER *Writer, uint32_t Size)
{
    if (Size > HIVE_MAX_BINS - Writer->Length) {
        Writer->Status = HiveTooLarge;
        return false;
    }
    uint32_t Needed = HIVE_HEADER_SIZE + Writer->Length + Size;
    if (Needed <= Writer->Capacity)
        return true;
    uint32_t Capacity = Writer->Capacity < HIVE_MAX_BINS / 2 ? Writer->Capacity * 2 : Needed;
    if (Capacity < Needed)
        Capacity = Needed;
    uint8_t *Bytes = Writer->Memory->Allocate(Writer->Memory->Context, Capacity);
    if (!Bytes) {
        Writer->Status = HiveNoMemory;
        return false;
    }
    memcpy(Bytes, Writer->Bytes, Writer->Capacity);
    memset(Bytes + Writer->Capacity, 0, Capacity - Writer->Capacity);
    Writer->Memory->Free(Writer->Memory->Context, Writer->Bytes);
    Writer->Bytes = Bytes;
    Writer->Capacity = Capacity;
    return true;
}

/* What is left of the last bin becomes one free cell. */
static void CloseBin(WRITER *Writer)
{
    if (Writer->Next < Writer->Length)
        HiveStore32(Writer->Bytes + HIVE_HEADER_SIZE + Writer->Next, Writer->Length - Writer->Next);
    Writer->Next = Writer->Length;
}

static bool AddBin(WRITER *Writer, uint32_t CellSize)
{
    uint32_t Size = (HIVE_BIN_HEADER + CellSize + 4095) & ~4095u;
    CloseBin(Writer);
    if (!Reserve(Writer, Size))
        return false;
    uint8_t *Bin = Writer->Bytes + HIVE_HEADER_SIZE + Writer->Length;
    memcpy(Bin, "hbin", 4);
    HiveStore32(Bin + HBIN_OFFSET, Writer->Length);
    HiveStore32(Bin + HBIN_SIZE, Size);
    if (Writer->Length == 0)
        HiveStore64(Bin + HBIN_TIME, Writer->Time);
    Writer->Next = Writer->Length + HIVE_BIN_HEADER;
    Writer->Length += Size;
    return true;
}

/* A cell for Size bytes of contents, all zero. HIVE_NO_CELL when that failed. */
static uint32_t NewCell(WRITER *Writer, uint32_t Size)
{
    if (Writer->Status != HiveOk)
        return HIVE_NO_CELL;
    if (Size > HIVE_MAX_BINS - 8192) {
        Writer->Status = HiveTooLarge;
        return HIVE_NO_CELL;
    }
    uint32_t CellSize = (Size + 4 + 7) & ~7u;
    if (CellSize > Writer->Length - Writer->Next && !AddBin(Writer, CellSize))
        return HIVE_NO_CELL;
    uint32_t Cell = Writer->Next;
    HiveStore32(Writer->Bytes + HIVE_HEADER_SIZE + Cell, 0u - CellSize);
    Writer->Next += CellSize;
    return Cell;
}

static uint32_t NewCellOf(WRITER *Writer, const void *Data, uint32_t Length, uint32_t Size)
{
    uint32_t Cell = NewCell(Writer, Size);
    if (Cell != HIVE_NO_CELL)
        memcpy(At(Writer, Cell), Data, Length);
    return Cell;
}

/* --- names ------------------------------------------------------------------------------------------------
 */

static bool Compressible(const uint16_t *Name, uint32_t Length)
{
    for (uint32_t i = 0; i < Length; i++) {
        if (Name[i] > 0xff)
            return false;
    }
    return true;
}

static uint32_t StoredLength(const uint16_t *Name, uint32_t Length)
{
    return Compressible(Name, Length) ? Length : Length * 2;
}

static void StoreName(uint8_t *To, const uint16_t *Name, uint32_t Length)
{
    if (!Compressible(Name, Length)) {
        memcpy(To, Name, Length * sizeof(uint16_t));
        return;
    }
    for (uint32_t i = 0; i < Length; i++)
        To[i] = (uint8_t)Name[i];
}

/* --- security ---------------------------------------------------------------------------------------------
 */

/* One descriptor for all keys, self-relative: owner Administrators, group SYSTEM; SYSTEM and Administrators
 * may do all (KEY_ALL_ACCESS), everyone may read (KEY_READ); inherited by subkeys. */
static const uint8_t Descriptor[] = {
    1,    0, 0x04, 0x80, 20,   0, 0,    0, 36, 0, 0, 0, 0,    0,    0, 0, 48, 0, 0, 0, /* revision, control,
                                                                                          owner, group, sacl,
                                                                                          dacl */
    1,    2, 0,    0,    0,    0, 0,    5, 32, 0, 0, 0, 0x20, 0x02, 0, 0,              /* 20: S-1-5-32-544 */
    1,    1, 0,    0,    0,    0, 0,    5, 18, 0, 0, 0,                                /* 36: S-1-5-18 */
    2,    0, 72,   0,    3,    0, 0,    0, /* 48: ACL of 3 entries */
    0,    2, 20,   0,    0x3f, 0, 0x0f, 0, 1,  1, 0, 0, 0,    0,    0, 5, 18, 0, 0, 0, /* allow SYSTEM */
    0,    2, 24,   0,    0x3f, 0, 0x0f, 0, 1,  2, 0, 0, 0,    0,    0, 5, 32, 0, 0, 0, 0x20,
    0x02, 0, 0,                                                                        /* Administrators */
    0,    2, 20,   0,    0x19, 0, 0x02, 0, 1,  1, 0, 0, 0,    0,    0, 1, 0,  0, 0, 0, /* S-1-1-0 */
};

static void WriteSecurity(WRITER *Writer, uint32_t References)
{
    uint32_t Cell = NewCell(Writer, SK_DESCRIPTOR + sizeof(Descriptor));
    if (Cell == HIVE_NO_CELL)
        return;
    uint8_t *Security = At(Writer, Cell);
    memcpy(Security, "sk", 2);
    HiveStore32(Security + SK_FORWARD, Cell);
    HiveStore32(Security + SK_BACKWARD, Cell);
    HiveStore32(Security + SK_REFERENCES, References);
    HiveStore32(Security + SK_LENGTH, sizeof(Descriptor));
    memcpy(Security + SK_DESCRIPTOR, Descriptor, sizeof(Descriptor));
    Writer->Security = Cell;
}

/* --- values -----------------------------------------------------------------------------------------------
 */

/* A db cell, its list and its segments. The segments come last: each needs a bin of its own. */
static uint32_t WriteSegments(WRITER *Writer, const HIVE_NEW_VALUE *Value)
{
    uint32_t Count = (Value->Length + HIVE_SEGMENT - 1) / HIVE_SEGMENT;
    if (Count > 0xffff) {
        Writer->Status = HiveTooLarge;
        return HIVE_NO_CELL;
    }
    uint32_t Header = NewCell(Writer, DB_SIZE);
    uint32_t List = NewCell(Writer, Count * 4);
    if (List == HIVE_NO_CELL)
        return HIVE_NO_CELL;
    memcpy(At(Writer, Header), "db", 2);
    HiveStore16(At(Writer, Header) + DB_COUNT, (uint16_t)Count);
    HiveStore32(At(Writer, Header) + DB_LIST, List);
    for (uint32_t i = 0; i < Count; i++) {
        uint32_t Done = i * HIVE_SEGMENT;
        uint32_t Length = Value->Length - Done < HIVE_SEGMENT ? Value->Length - Done : HIVE_SEGMENT;
        uint32_t Segment = NewCellOf(Writer, Value->Data + Done, Length, Length + 4);
        if (Segment == HIVE_NO_CELL)
            return HIVE_NO_CELL;
        HiveStore32(At(Writer, List) + i * 4, Segment);
    }
    return Header;
}

static uint32_t WriteValue(WRITER *Writer, const HIVE_NEW_VALUE *Value)
{
    uint32_t Stored = StoredLength(Value->Name, Value->NameLength);
    uint32_t Cell = NewCell(Writer, VK_NAME + Stored);
    uint32_t Data = 0;
    if (Value->Length > HIVE_SEGMENT)
        Data = WriteSegments(Writer, Value);
    else if (Value->Length > 4)
        Data = NewCellOf(Writer, Value->Data, Value->Length, Value->Length);
    else if (Value->Length)
        memcpy(&Data, Value->Data, Value->Length);
    if (Writer->Status != HiveOk)
        return HIVE_NO_CELL;

    uint8_t *To = At(Writer, Cell);
    memcpy(To, "vk", 2);
    HiveStore16(To + VK_NAME_LENGTH, (uint16_t)Stored);
    HiveStore32(To + VK_DATA_LENGTH, Value->Length > 4 ? Value->Length : Value->Length | HIVE_INLINE);
    HiveStore32(To + VK_DATA, Data);
    HiveStore32(To + VK_TYPE, Value->Type);
    HiveStore16(To + VK_FLAGS, Compressible(Value->Name, Value->NameLength) ? VK_FLAG_COMPRESSED : 0);
    StoreName(To + VK_NAME, Value->Name, Value->NameLength);
    return Cell;
}

static uint32_t WriteValueList(WRITER *Writer, const HIVE_NODE *Node)
{
    if (Node->ValueCount == 0)
        return HIVE_NO_CELL;
    uint32_t List = NewCell(Writer, Node->ValueCount * 4);
    uint32_t Index = 0;
    for (const HIVE_NEW_VALUE *Value = Node->Values; Value; Value = Value->Next) {
        uint32_t Cell = WriteValue(Writer, Value);
        if (Cell == HIVE_NO_CELL)
            return HIVE_NO_CELL;
        HiveStore32(At(Writer, List) + 4 * Index++, Cell);
    }
    return List;
}

/* --- keys -------------------------------------------------------------------------------------------------
 */

/* One lh list of Count children, beginning with *Child, which moves on. */
static uint32_t WriteLeaf(WRITER *Writer, const HIVE_NODE **Child, uint32_t Count)
{
    uint32_t Cell = NewCell(Writer, LIST_ENTRIES + Count * 8);
    if (Cell == HIVE_NO_CELL)
        return HIVE_NO_CELL;
    uint8_t *List = At(Writer, Cell);
    memcpy(List, "lh", 2);
    HiveStore16(List + LIST_COUNT, (uint16_t)Count);
    for (uint32_t i = 0; i < Count; i++, *Child = (*Child)->Next) {
        HiveStore32(List + LIST_ENTRIES + i * 8, Writer->Cells[(*Child)->Number]);
        HiveStore32(List + LIST_ENTRIES + i * 8 + 4, HiveHashText((*Child)->Name, (*Child)->NameLength));
    }
    return Cell;
}

static uint32_t WriteSubKeyList(WRITER *Writer, const HIVE_NODE *Node)
{
    const HIVE_NODE *Child = Node->Children;
    if (Node->ChildCount == 0)
        return HIVE_NO_CELL;
    if (Node->ChildCount <= LIST_LIMIT)
        return WriteLeaf(Writer, &Child, Node->ChildCount);

    uint32_t Leaves = (Node->ChildCount + LIST_LIMIT - 1) / LIST_LIMIT;
    if (Leaves > 0xffff) {
        Writer->Status = HiveTooLarge;
        return HIVE_NO_CELL;
    }
    uint32_t Cell = NewCell(Writer, LIST_ENTRIES + Leaves * 4);
    for (uint32_t i = 0; i < Leaves; i++) {
        uint32_t Left = Node->ChildCount - i * LIST_LIMIT;
        uint32_t Leaf = WriteLeaf(Writer, &Child, Left < LIST_LIMIT ? Left : LIST_LIMIT);
        if (Leaf == HIVE_NO_CELL)
            return HIVE_NO_CELL;
        HiveStore32(At(Writer, Cell) + LIST_ENTRIES + i * 4, Leaf);
    }
    memcpy(At(Writer, Cell), "ri", 2);
    HiveStore16(At(Writer, Cell) + LIST_COUNT, (uint16_t)Leaves);
    return Cell;
}

/* The largest name and data below the key, which KEY_FULL_INFORMATION reports: bytes of UTF-16. */
static void StoreMaxima(uint8_t *Key, const HIVE_NODE *Node)
{
    uint32_t Name = 0, ValueName = 0, Data = 0;
    for (const HIVE_NODE *Child = Node->Children; Child; Child = Child->Next)
        Name = Child->NameLength * 2u > Name ? Child->NameLength * 2u : Name;
    for (const HIVE_NEW_VALUE *Value = Node->Values; Value; Value = Value->Next) {
        ValueName = Value->NameLength * 2 > ValueName ? Value->NameLength * 2 : ValueName;
        Data = Value->Length > Data ? Value->Length : Data;
    }
    HiveStore32(Key + NK_MAX_NAME, Name);
    HiveStore32(Key + NK_MAX_VALUE_NAME, ValueName);
    HiveStore32(Key + NK_MAX_VALUE_DATA, Data);
}

static void WriteKey(WRITER *Writer, const HIVE_NODE *Node)
{
    uint32_t Values = WriteValueList(Writer, Node);
    uint32_t SubKeys = WriteSubKeyList(Writer, Node);
    if (Writer->Status != HiveOk)
        return;
    uint8_t *Key = At(Writer, Writer->Cells[Node->Number]);
    bool Compressed = Compressible(Node->Name, Node->NameLength);
    memcpy(Key, "nk", 2);
    HiveStore16(Key + NK_FLAGS, (uint16_t)(Node->Flags | (Compressed ? NK_FLAG_COMPRESSED : 0)));
    HiveStore64(Key + NK_TIME, Writer->Time);
    HiveStore32(Key + NK_PARENT, Node->Parent ? Writer->Cells[Node->Parent->Number] : HIVE_NO_CELL);
    HiveStore32(Key + NK_SUBKEY_COUNT, Node->ChildCount);
    HiveStore32(Key + NK_SUBKEY_LIST, SubKeys);
    HiveStore32(Key + NK_VOLATILE_LIST, HIVE_NO_CELL);
    HiveStore32(Key + NK_VALUE_COUNT, Node->ValueCount);
    HiveStore32(Key + NK_VALUE_LIST, Values);
    HiveStore32(Key + NK_SECURITY, Writer->Security);
    HiveStore32(Key + NK_CLASS, HIVE_NO_CELL);
    StoreMaxima(Key, Node);
    HiveStore16(Key + NK_NAME_LENGTH, (uint16_t)StoredLength(Node->Name, Node->NameLength));
    StoreName(Key + NK_NAME, Node->Name, Node->NameLength);
}

static void WriteHeader(WRITER *Writer, uint32_t Root)
{
    uint8_t *Header = Writer->Bytes;
    memcpy(Header, "regf", 4);
    HiveStore32(Header + REGF_PRIMARY, 1);
    HiveStore32(Header + REGF_SECONDARY, 1);
    HiveStore64(Header + REGF_TIME, Writer->Time);
    HiveStore32(Header + REGF_MAJOR, 1);
    HiveStore32(Header + REGF_MINOR, 5);
    HiveStore32(Header + REGF_FORMAT, 1);
    HiveStore32(Header + REGF_ROOT, Root);
    HiveStore32(Header + REGF_BINS_LENGTH, Writer->Length);
    HiveStore32(Header + REGF_CLUSTER, 1);
    HiveStore32(Header + REGF_CHECKSUM, HiveChecksum(Header));
}

/* First pass: numbers the keys and gives each its cell. */
static void PlaceKeys(WRITER *Writer, HIVE_NODE *Root)
{
    uint32_t Number = 0;
    for (HIVE_NODE *Node = Root; Node; Node = HiveNextNode(Node)) {
        Node->Number = Number;
        Writer->Cells[Number++] = NewCell(Writer, NK_NAME + StoredLength(Node->Name, Node->NameLength));
    }
}

static void WriteAll(WRITER *Writer, HIVE_BUILDER *Builder)
{
    PlaceKeys(Writer, Builder->Root);
    WriteSecurity(Writer, Builder->KeyCount);
    for (HIVE_NODE *Node = Builder->Root; Node && Writer->Status == HiveOk; Node = HiveNextNode(Node))
        WriteKey(Writer, Node);
    if (Writer->Status != HiveOk)
        return;
    CloseBin(Writer);
    WriteHeader(Writer, Writer->Cells[0]);
}

HIVE_STATUS HiveBuilderFinish(HIVE_BUILDER *Builder, uint64_t Time, uint8_t **Bytes, uint32_t *Length)
{
    const HIVE_MEMORY *Memory = &Builder->Memory;
    WRITER Writer = {.Memory = Memory, .Time = Time, .Capacity = 4 * HIVE_HEADER_SIZE};
    Writer.Cells = Memory->Allocate(Memory->Context, (size_t)Builder->KeyCount * sizeof(uint32_t));
    if (!Writer.Cells)
        return HiveNoMemory;
    Writer.Bytes = Memory->Allocate(Memory->Context, Writer.Capacity);
    if (!Writer.Bytes) {
        Memory->Free(Memory->Context, Writer.Cells);
        return HiveNoMemory;
    }
    memset(Writer.Bytes, 0, Writer.Capacity);
    WriteAll(&Writer, Builder);
    Memory->Free(Memory->Context, Writer.Cells);
    if (Writer.Status != HiveOk) {
        Memory->Free(Memory->Context, Writer.Bytes);
        return Writer.Status;
    }
    *Bytes = Writer.Bytes;
    *Length = HIVE_HEADER_SIZE + Writer.Length;
    return HiveOk;
}

/* SPDX-License-Identifier: MIT
 * From the builder's tree to the bytes of a hive. Two passes in pre-order: the first gives each key its cell,
 * the second writes values, lists and links between keys. Everything is a function of the tree and the time.
 */
#include "cm/hive_writer.h"

#define LIST_LIMIT 507u /* entries of one lh list: it fits into one bin of 4096 bytes */

/* One descriptor for all keys, self-relative: owner Administrators, group SYSTEM; SYSTEM and Administrators
 * may do all (KEY_ALL_ACCESS), everyone may read (KEY_READ); inherited by subkeys. */
/* clang-format off */
static const uint8_t Descriptor[] = {
    /* revision, control, offsets of owner, group, no SACL, DACL */
    1, 0, 0x04, 0x80, 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0,
    /* at 20: S-1-5-32-544; at 36: S-1-5-18 */
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 0x02, 0, 0,
    1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
    /* at 48: ACL of three entries: SYSTEM, Administrators, S-1-1-0 */
    2, 0, 72, 0, 3, 0, 0, 0,
    0, 2, 20, 0, 0x3f, 0, 0x0f, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
    0, 2, 24, 0, 0x3f, 0, 0x0f, 0, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 0x02, 0, 0,
    0, 2, 20, 0, 0x19, 0, 0x02, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0,
};
_Static_assert(sizeof(Descriptor) == 48 + 72, "the descriptor's offsets and lengths");
/* clang-format on */

static void WriteSecurity(HIVE_WRITER *Writer, uint32_t References)
{
    uint32_t Cell = HiveNewCell(Writer, SK_DESCRIPTOR + sizeof(Descriptor));
    if (Cell == HIVE_NO_CELL)
        return;
    uint8_t *Security = HiveWriterAt(Writer, Cell);
    memcpy(Security, "sk", 2);
    HiveStore32(Security + SK_FORWARD, Cell);
    HiveStore32(Security + SK_BACKWARD, Cell);
    HiveStore32(Security + SK_REFERENCES, References);
    HiveStore32(Security + SK_LENGTH, sizeof(Descriptor));
    memcpy(Security + SK_DESCRIPTOR, Descriptor, sizeof(Descriptor));
    Writer->Security = Cell;
}

/* --- keys -------------------------------------------------------------------------------------------------
 */

/* One lh list of Count children, beginning with *Child, which moves on. */
static uint32_t WriteLeaf(HIVE_WRITER *Writer, const HIVE_NODE **Child, uint32_t Count)
{
    uint32_t Cell = HiveNewCell(Writer, LIST_ENTRIES + Count * 8);
    if (Cell == HIVE_NO_CELL)
        return HIVE_NO_CELL;
    uint8_t *List = HiveWriterAt(Writer, Cell);
    memcpy(List, "lh", 2);
    HiveStore16(List + LIST_COUNT, (uint16_t)Count);
    for (uint32_t i = 0; i < Count; i++, *Child = (*Child)->Next) {
        HiveStore32(List + LIST_ENTRIES + i * 8, Writer->Cells[(*Child)->Number]);
        HiveStore32(List + LIST_ENTRIES + i * 8 + 4, HiveHashText((*Child)->Name, (*Child)->NameLength));
    }
    return Cell;
}

static uint32_t WriteSubKeyList(HIVE_WRITER *Writer, const HIVE_NODE *Node)
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
    uint32_t Cell = HiveNewCell(Writer, LIST_ENTRIES + Leaves * 4);
    for (uint32_t i = 0; i < Leaves; i++) {
        uint32_t Left = Node->ChildCount - i * LIST_LIMIT;
        uint32_t Leaf = WriteLeaf(Writer, &Child, Left < LIST_LIMIT ? Left : LIST_LIMIT);
        if (Leaf == HIVE_NO_CELL)
            return HIVE_NO_CELL;
        HiveStore32(HiveWriterAt(Writer, Cell) + LIST_ENTRIES + i * 4, Leaf);
    }
    memcpy(HiveWriterAt(Writer, Cell), "ri", 2);
    HiveStore16(HiveWriterAt(Writer, Cell) + LIST_COUNT, (uint16_t)Leaves);
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

static void WriteKey(HIVE_WRITER *Writer, const HIVE_NODE *Node)
{
    uint32_t Values = HiveWriteValues(Writer, Node);
    uint32_t SubKeys = WriteSubKeyList(Writer, Node);
    if (Writer->Status != HiveOk)
        return;
    uint8_t *Key = HiveWriterAt(Writer, Writer->Cells[Node->Number]);
    bool Compressed = HiveCompressible(Node->Name, Node->NameLength);
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
    HiveStore16(Key + NK_NAME_LENGTH, (uint16_t)HiveStoredLength(Node->Name, Node->NameLength));
    HiveStoreName(Key + NK_NAME, Node->Name, Node->NameLength);
}

static void WriteHeader(HIVE_WRITER *Writer, uint32_t Root)
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
static void PlaceKeys(HIVE_WRITER *Writer, HIVE_NODE *Root)
{
    uint32_t Number = 0;
    for (HIVE_NODE *Node = Root; Node; Node = HiveNextNode(Node)) {
        Node->Number = Number;
        Writer->Cells[Number++] =
            HiveNewCell(Writer, NK_NAME + HiveStoredLength(Node->Name, Node->NameLength));
    }
}

static void WriteAll(HIVE_WRITER *Writer, HIVE_BUILDER *Builder)
{
    PlaceKeys(Writer, Builder->Root);
    WriteSecurity(Writer, Builder->KeyCount);
    for (HIVE_NODE *Node = Builder->Root; Node && Writer->Status == HiveOk; Node = HiveNextNode(Node))
        WriteKey(Writer, Node);
    if (Writer->Status != HiveOk)
        return;
    HiveCloseBin(Writer);
    WriteHeader(Writer, Writer->Cells[0]);
}

HIVE_STATUS HiveBuilderFinish(HIVE_BUILDER *Builder, uint64_t Time, uint8_t **Bytes, uint32_t *Length)
{
    const HIVE_MEMORY *Memory = &Builder->Memory;
    HIVE_WRITER Writer = {.Memory = Memory, .Time = Time, .Capacity = 4 * HIVE_HEADER_SIZE};
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

/* SPDX-License-Identifier: MIT
 * The hive editor under ASan and UBSan against a model: random edits, wide and deep trees, volatile keys, sharing of descriptors; what
 * is sealed is read, checked and loaded again; every allocation fails once and has changed nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cm/hive_host.h"
#include "cm/hive_private.h"

#define KEYS 700u
#define VALUES 4u
#define NONE 0xffffffffu

typedef struct MODEL_KEY {
    bool Alive, Volatile;
    uint32_t Parent, Cell, Name, Children;
    uint32_t Length[VALUES]; /* NONE: no such value */
    uint32_t Seed[VALUES];
    uint32_t Descriptor;
} MODEL_KEY;

typedef struct MODEL {
    HIVE Hive;
    MODEL_KEY Keys[KEYS];
    uint64_t Random;
    uint32_t FailIn, Live; /* allocations until one fails */
    uint32_t Dirtied;      /* edits of EditOnce that changed the file */
} MODEL;

static uint32_t Random(MODEL *Model, uint32_t Below)
{
    Model->Random = Model->Random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(Model->Random >> 33) % Below;
}

static void *Give(void *Context, size_t Size)
{
    MODEL *Model = Context;
    if (Model->FailIn != NONE && Model->FailIn-- == 0) {
        Model->FailIn = NONE;
        return NULL;
    }
    Model->Live += 1;
    return malloc(Size);
}

static void Take(void *Context, void *Block)
{
    ((MODEL *)Context)->Live -= 1;
    free(Block);
}

/* The linker leads the editor's calls of HiveNewCell here (--wrap): each cell of each edit fails once, wherever it would lie. */
static uint32_t FailCellIn = NONE;
HIVE_STATUS __real_HiveNewCell(HIVE *Hive, uint32_t Store, uint32_t Size, uint32_t *Cell);
HIVE_STATUS __wrap_HiveNewCell(HIVE *Hive, uint32_t Store, uint32_t Size, uint32_t *Cell);

HIVE_STATUS __wrap_HiveNewCell(HIVE *Hive, uint32_t Store, uint32_t Size, uint32_t *Cell)
{
    if (FailCellIn != NONE && FailCellIn-- == 0) {
        FailCellIn = NONE;
        return HiveNoMemory;
    }
    return __real_HiveNewCell(Hive, Store, Size, Cell);
}

static HIVE_MEMORY MemoryOf(MODEL *Model)
{
    return (HIVE_MEMORY){Give, Take, Model};
}

/* Every third name needs UTF-16, and their lengths differ. */
static uint32_t NameOf(uint32_t Number, uint16_t Name[64])
{
    char Text[64];
    int Length =
        snprintf(Text, sizeof(Text), "Key%u%.*s", Number, (int)(Number % 23), "abcdefghijklmnopqrstuvw");
    for (int i = 0; i < Length; i++)
        Name[i] = (uint16_t)Text[i];
    if (Number % 3 == 0)
        Name[1] = 0x416;
    return (uint32_t)Length;
}

static void Fill(uint8_t *Data, uint32_t Length, uint32_t Seed)
{
    for (uint32_t i = 0; i < Length; i++)
        Data[i] = (uint8_t)(Seed + i * 31 + i / 200);
}

static void DescriptorOf(uint32_t Number, uint8_t Bytes[36])
{
    memset(Bytes, 0, 36);
    Bytes[0] = 1;
    Bytes[4] = 20;
    HiveStore32(Bytes + 32, Number);
}

/* --- edits: each does to the model what the hive did, when the hive says that it did -------------------------- */

static uint32_t Pick(MODEL *Model, bool Alive)
{
    for (uint32_t i = 0, At = Random(Model, KEYS); i < KEYS; i++, At = (At + 1) % KEYS) {
        if (Model->Keys[At].Alive == Alive)
            return At;
    }
    return 0;
}

static bool NameTaken(const MODEL *Model, uint32_t Parent, uint32_t Name)
{
    for (uint32_t i = 1; i < KEYS; i++) {
        if (Model->Keys[i].Alive && Model->Keys[i].Parent == Parent && Model->Keys[i].Name == Name)
            return true;
    }
    return false;
}

static HIVE_STATUS AddKey(MODEL *Model)
{
    uint16_t Name[64];
    uint32_t Slot = Pick(Model, false), Parent = Random(Model, 3) ? 0 : Pick(Model, true);
    MODEL_KEY *Key = &Model->Keys[Slot];
    uint32_t Number = Random(Model, 5000);
    if (Key->Alive || NameTaken(Model, Parent, Number))
        return HiveOk;
    HIVE_NEW_KEY New = {.Time = Number, .Class = u"Class", .ClassLength = Number % 4 ? 0 : 10};
    New.Volatile = Model->Keys[Parent].Volatile || Random(Model, 6) == 0;
    uint32_t Cell;
    HIVE_STATUS Status =
        HiveAddKey(&Model->Hive, Model->Keys[Parent].Cell, Name, NameOf(Number, Name), &New, &Cell);
    if (Status != HiveOk)
        return Status;
    *Key =
        (MODEL_KEY){.Alive = true, .Volatile = New.Volatile, .Parent = Parent, .Cell = Cell, .Name = Number};
    memset(Key->Length, 0xff, sizeof(Key->Length));
    Key->Descriptor = Model->Keys[Parent].Descriptor;
    Model->Keys[Parent].Children += 1;
    return HiveOk;
}

static HIVE_STATUS DeleteKey(MODEL *Model)
{
    uint32_t Slot = Pick(Model, true);
    MODEL_KEY *Key = &Model->Keys[Slot];
    if (Slot == 0)
        return HiveOk;
    HIVE_STATUS Status = HiveDeleteKey(&Model->Hive, Key->Cell, 7);
    if (Key->Children) {
        assert_int_equal(Status, HiveNotEmpty);
        return HiveOk;
    }
    assert_int_equal(Status, HiveOk); /* deleting needs no memory */
    Key->Alive = false;
    Model->Keys[Key->Parent].Children -= 1;
    return HiveOk;
}

static HIVE_STATUS RenameKey(MODEL *Model)
{
    uint16_t Name[64];
    uint32_t Slot = Pick(Model, true), Number = Random(Model, 5000);
    MODEL_KEY *Key = &Model->Keys[Slot];
    if (Slot == 0 || NameTaken(Model, Key->Parent, Number))
        return HiveOk;
    uint32_t Cell;
    HIVE_STATUS Status = HiveRenameKey(&Model->Hive, Key->Cell, Name, NameOf(Number, Name), 9, &Cell);
    if (Status == HiveOk) {
        Key->Cell = Cell;
        Key->Name = Number;
    }
    return Status;
}

static HIVE_STATUS SetValue(MODEL *Model)
{
    static const uint32_t Lengths[] = {0, 3, 4, 5, 40, 60, 700, 5000, 16344, 16345, 40000};
    static uint8_t Data[40000];
    uint16_t Name[64];
    MODEL_KEY *Key = &Model->Keys[Pick(Model, true)];
    uint32_t Value = Random(Model, VALUES), Seed = Random(Model, 256);
    uint32_t Length = Lengths[Random(Model, Random(Model, 4) ? 7 : 11)];
    Fill(Data, Length, Seed);
    HIVE_STATUS Status = HiveSetValue(&Model->Hive, Key->Cell, Name, Value ? NameOf(Value, Name) : 0,
                                      HiveTypeBinary, Data, Length, 11);
    if (Status == HiveOk) {
        Key->Length[Value] = Length;
        Key->Seed[Value] = Seed;
    }
    return Status;
}

static HIVE_STATUS DeleteValue(MODEL *Model)
{
    uint16_t Name[64];
    MODEL_KEY *Key = &Model->Keys[Pick(Model, true)];
    uint32_t Value = Random(Model, VALUES);
    HIVE_STATUS Status = HiveDeleteValue(&Model->Hive, Key->Cell, Name, Value ? NameOf(Value, Name) : 0, 12);
    assert_int_equal(Status, Key->Length[Value] == NONE ? HiveNotFound : HiveOk);
    Key->Length[Value] = NONE;
    return HiveOk;
}

static HIVE_STATUS SetDescriptor(MODEL *Model)
{
    uint8_t Bytes[36];
    MODEL_KEY *Key = &Model->Keys[Pick(Model, true)];
    uint32_t Number = 1 + Random(Model, 5);
    DescriptorOf(Number, Bytes);
    HIVE_STATUS Status = HiveSetSecurity(&Model->Hive, Key->Cell, Bytes, sizeof(Bytes), 13);
    if (Status == HiveOk)
        Key->Descriptor = Number;
    return Status;
}

typedef HIVE_STATUS (*EDIT)(MODEL *Model);
static const EDIT Edits[] = {AddKey,      AddKey,   AddKey,        DeleteKey, RenameKey,
                             DeleteValue, SetValue, SetDescriptor, SetValue};

/* --- comparing ------------------------------------------------------------------------------------------------ */

static void CompareValues(MODEL *Model, HIVE *Hive, const MODEL_KEY *Wanted, const HIVE_KEY *Key)
{
    static uint8_t Data[40000], Expected[40000];
    uint16_t Name[64];
    HIVE_VALUE Value;
    uint32_t Count = 0;
    (void)Model;
    for (uint32_t i = 0; i < VALUES; i++) {
        uint32_t Length = i ? NameOf(i, Name) : 0;
        HIVE_STATUS Status = Hive->Checked ? HiveFindValueOf(Hive, Key->Cell, Name, Length, &Value)
                                           : HiveFindValue(Hive, Key, Name, Length, &Value);
        assert_int_equal(Status, Wanted->Length[i] == NONE ? HiveNotFound : HiveOk);
        if (Status != HiveOk)
            continue;
        Count++;
        assert_int_equal(Value.DataLength, Wanted->Length[i]);
        assert_int_equal(HiveReadData(Hive, &Value, Data, Value.DataLength), HiveOk);
        Fill(Expected, Value.DataLength, Wanted->Seed[i]);
        assert_memory_equal(Data, Expected, Value.DataLength);
    }
    assert_int_equal(Key->ValueCount, Count);
}

/* The key that the model's Slot is in Hive, found by name from the root. */
static void FindModelKey(MODEL *Model, HIVE *Hive, uint32_t Slot, HIVE_KEY *Key)
{
    uint16_t Name[64];
    if (Slot == 0) {
        assert_int_equal(HiveReadRoot(Hive, Key), HiveOk);
        return;
    }
    HIVE_KEY Parent;
    FindModelKey(Model, Hive, Model->Keys[Slot].Parent, &Parent);
    uint32_t Length = NameOf(Model->Keys[Slot].Name, Name);
    assert_int_equal(HiveFindSubKey(Hive, &Parent, Name, Length, Key), HiveOk);
}

static void CheckOrder(HIVE *Hive, const HIVE_KEY *Key)
{
    HIVE_KEY SubKey;
    uint16_t Last[256];
    uint32_t Length = 0;
    for (uint32_t i = 0; i < Key->SubKeyCount + Key->VolatileCount; i++) {
        if (i == Key->SubKeyCount)
            Length = 0;
        assert_int_equal(HiveSubKey(Hive, Key, i, &SubKey), HiveOk);
        assert_true(Length == 0 || HiveCompareName(&SubKey.Name, Last, Length) > 0);
        Length = SubKey.Name.Length;
        for (uint32_t c = 0; c < Length; c++)
            Last[c] = HiveNameCharacter(&SubKey.Name, c);
    }
}

static void Compare(MODEL *Model, HIVE *Hive, bool WithVolatile)
{
    uint32_t Count = 0, Children = 0;
    HIVE_KEY Key;
    for (uint32_t i = 0; i < KEYS; i++) {
        const MODEL_KEY *Wanted = &Model->Keys[i];
        const uint8_t *Bytes;
        uint8_t Descriptor[36];
        uint32_t Length;
        if (!Wanted->Alive || (Wanted->Volatile && !WithVolatile))
            continue;
        FindModelKey(Model, Hive, i, &Key);
        if (WithVolatile)
            assert_int_equal(Key.Cell, Wanted->Cell);
        CompareValues(Model, Hive, Wanted, &Key);
        CheckOrder(Hive, &Key);
        assert_int_equal(HiveReadSecurity(Hive, &Key, &Bytes, &Length), HiveOk);
        DescriptorOf(Wanted->Descriptor, Descriptor);
        if (Wanted->Descriptor)
            assert_memory_equal(Bytes, Descriptor, sizeof(Descriptor));
        Children += Key.SubKeyCount + Key.VolatileCount;
        Count++;
    }
    assert_int_equal(Children + 1, Count);
}

/* References of the sk ring = keys; equal descriptors are there once. */
static void CheckSecurityRing(MODEL *Model)
{
    HIVE *Hive = &Model->Hive;
    for (uint32_t Store = 0; Store < HIVE_STORES; Store++) {
        uint32_t Keys = 0, Cells = 0, References = 0, Length, Cell = Hive->Stores[Store].Security;
        for (uint32_t i = 0; i < KEYS; i++)
            Keys += Model->Keys[i].Alive && Model->Keys[i].Volatile == (Store == 1);
        assert_int_equal(Cell == HIVE_NO_CELL, Keys == 0);
        if (Keys == 0)
            continue;
        do {
            const uint8_t *At = HiveCell(Hive, HIVE_NO_CELL, Cell, SK_DESCRIPTOR, &Length);
            assert_non_null(At);
            References += HiveLoad32(At + SK_REFERENCES);
            Cell = HiveLoad32(At + SK_FORWARD);
            Cells++;
        } while (Cell != Hive->Stores[Store].Security);
        assert_int_equal(References, Keys);
        assert_true(Cells <= 6);
    }
}

/* Cells in use = those that something refers to: nothing leaks in the file. */
static void CheckNothingLeaks(const uint8_t *File, uint32_t Length)
{
    HIVE Hive;
    uint32_t Used = 0;
    assert_int_equal(HiveLoad(&Hive, &HiveHeap, File, Length), HiveOk);
    size_t Size = Hive.Stores[0].Length / 64;
    HIVE_CLAIMS Claims = {calloc(1, Size), calloc(1, Size)};
    memset(Claims.Cells, 0xff, Size);
    assert_int_equal(HiveCheckClaims(&Hive, &Claims), HiveOk);
    for (size_t i = 0; i < Size * 8; i++)
        Used += !(Claims.Cells[i / 8] & (1u << (i % 8)));
    for (uint32_t Bin = 0; Bin < Hive.Stores[0].Length;
         Bin += HiveLoad32(Hive.Stores[0].Bins + Bin + HBIN_SIZE)) {
        uint32_t End = Bin + HiveLoad32(Hive.Stores[0].Bins + Bin + HBIN_SIZE);
        for (uint32_t At = Bin + HIVE_BIN_HEADER; At < End; At += HiveCellSize(Hive.Stores[0].Bins, At))
            Used -= HiveLoad32(Hive.Stores[0].Bins + At) >> 31;
    }
    assert_int_equal(Used, 0);
    free(Claims.Cells);
    free(Claims.Securities);
    HiveDestroy(&Hive);
}

static void CompareSealed(MODEL *Model)
{
    const uint8_t *Bytes;
    uint32_t Length;
    HIVE Read, Loaded;
    HiveSeal(&Model->Hive, 99, &Bytes, &Length);
    assert_int_equal(HiveOpen(&Read, Bytes, Length), HiveOk);
    assert_int_equal(HiveCheck(&Read), HiveOk);
    Compare(Model, &Read, false);
    assert_int_equal(HiveLoad(&Loaded, &HiveHeap, Bytes, Length), HiveOk);
    assert_false(Loaded.Dirty);
    Compare(Model, &Loaded, false);
    HiveDestroy(&Loaded);
    CheckNothingLeaks(Bytes, Length);
}

/* One edit, after which a hive that is not dirty is byte for byte what it was. */
static void EditOnce(MODEL *Model, EDIT Edit)
{
    uint32_t Length = Model->Hive.Stores[0].Length;
    uint8_t *Before = malloc(Length);
    memcpy(Before, Model->Hive.Stores[0].Bins, Length);
    Model->Hive.Dirty = false;
    assert_int_equal(Edit(Model), HiveOk);
    if (!Model->Hive.Dirty) {
        assert_int_equal(Model->Hive.Stores[0].Length, Length);
        assert_int_equal(memcmp(Model->Hive.Stores[0].Bins, Before, Length), 0);
    }
    Model->Dirtied += Model->Hive.Dirty;
    free(Before);
}

static MODEL *Begin(uint64_t Seed)
{
    MODEL *Model = calloc(1, sizeof(*Model));
    HIVE_MEMORY Memory = MemoryOf(Model);
    Model->Random = Seed;
    Model->FailIn = NONE;
    assert_int_equal(HiveCreate(&Model->Hive, &Memory, 1), HiveOk);
    Model->Keys[0] = (MODEL_KEY){.Alive = true, .Cell = Model->Hive.Root};
    memset(Model->Keys[0].Length, 0xff, sizeof(Model->Keys[0].Length));
    return Model;
}

static void End(MODEL *Model)
{
    HiveDestroy(&Model->Hive);
    assert_int_equal(Model->Live, 0);
    free(Model);
}

static void RandomEditsAgreeWithTheModel(void **State)
{
    (void)State;
    for (uint64_t Seed = 1; Seed <= 4; Seed++) {
        MODEL *Model = Begin(Seed);
        for (uint32_t i = 0; i < 6000; i++) {
            EDIT Edit = Edits[Random(Model, sizeof(Edits) / sizeof(Edits[0]))];
            if (i % 50 == 0)
                EditOnce(Model, Edit);
            else
                assert_int_equal(Edit(Model), HiveOk);
            if (i % 1000 == 999) {
                Compare(Model, &Model->Hive, true);
                CheckSecurityRing(Model);
                CompareSealed(Model);
            }
        }
        assert_in_range(Model->Dirtied, 1, 119); /* edits of volatile keys change no file */
        End(Model);
    }
}

/* Each edit first with its first, second ... cell failing: nothing has changed, and then it works. */
static void FailedEditsChangeNothing(void **State)
{
    (void)State;
    MODEL *Model = Begin(77);
    uint32_t Failures = 0;
    for (uint32_t i = 0; i < 1500; i++) {
        EDIT Edit = Edits[Random(Model, sizeof(Edits) / sizeof(Edits[0]))];
        uint64_t Before = Model->Random;
        for (uint32_t Fail = 0;; Fail++) {
            Model->Random = Before;
            FailCellIn = Fail;
            HIVE_STATUS Status = Edit(Model);
            bool Failed = FailCellIn == NONE;
            FailCellIn = NONE;
            if (!Failed)
                break;
            assert_int_equal(Status, HiveNoMemory);
            Failures++;
            if (Failures % 16)
                continue;
            Compare(Model, &Model->Hive, true);
            CheckSecurityRing(Model);
        }
        if (i % 300 == 299)
            CompareSealed(Model);
    }
    assert_true(Failures > 1000);
    End(Model);
}

/* 3,000 subkeys in one list: it splits; taking them away again, from a random place, merges until it is gone. */
static void WideListsSplitAndMerge(void **State)
{
    (void)State;
    static uint32_t Cells[3000];
    MODEL *Model = Begin(5);
    uint16_t Name[64];
    HIVE_KEY Root;
    HIVE_NEW_KEY New = {.Time = 1};
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t Number = (i * 1777u) % 3000;
        assert_int_equal(
            HiveAddKey(&Model->Hive, Model->Hive.Root, Name, NameOf(Number, Name), &New, &Cells[Number]),
            HiveOk);
    }
    assert_int_equal(HiveReadRoot(&Model->Hive, &Root), HiveOk);
    assert_int_equal(Root.SubKeyCount, 3000);
    CheckOrder(&Model->Hive, &Root);
    for (uint32_t i = 0; i < 3000; i++) {
        assert_int_equal(HiveDeleteKey(&Model->Hive, Cells[(i * 2741u) % 3000], 2), HiveOk);
        if (i % 250 == 0 || i > 2990) {
            const uint8_t *Bytes;
            uint32_t Length;
            assert_int_equal(HiveReadRoot(&Model->Hive, &Root), HiveOk);
            assert_int_equal(Root.SubKeyCount, 2999 - i);
            CheckOrder(&Model->Hive, &Root);
            HiveSeal(&Model->Hive, 1, &Bytes, &Length);
            CheckNothingLeaks(Bytes, Length);
        }
    }
    assert_int_equal(Root.SubKeyList, HIVE_NO_CELL);
    End(Model);
}

/* A leaf of the hive's own making, which a file could have had. */
static uint32_t LeafOf(HIVE *Hive, const uint32_t *Cells, uint32_t Count)
{
    uint32_t Leaf;
    assert_int_equal(HiveNewCell(Hive, 0, LIST_ENTRIES + Count * 8, &Leaf), HiveOk);
    uint8_t *At = HiveModify(Hive, Leaf);
    memcpy(At, "lh", 2);
    HiveStore16(At + LIST_COUNT, (uint16_t)Count);
    for (uint32_t i = 0; i < Count; i++)
        HiveStore32(At + LIST_ENTRIES + i * 8, Cells[i]);
    return Leaf;
}

/* As many leaves as an ri list can count, in a cell that has room for more, the last one full: another key is refused, and all of them
 * can still be read. */
static void RefusesALeafTooMany(void **State)
{
    (void)State;
    enum { LEAVES = 0xffff, LAST = 507, ALL = LEAVES - 1 + LAST };
    static uint32_t Cells[ALL];
    MODEL *Model = Begin(5);
    HIVE *Hive = &Model->Hive;
    HIVE_KEY Root, Last;
    HIVE_NEW_KEY New = {.Time = 1};
    uint32_t List, Refused;
    for (uint32_t i = 0; i < ALL; i++) {
        uint16_t Name[] = {(uint16_t)(0x4e00 + i / 256), (uint16_t)(0x4e00 + i % 256)};
        assert_int_equal(HiveAddKey(Hive, Hive->Root, Name, 2, &New, &Cells[i]), HiveOk);
    }
    assert_int_equal(HiveNewCell(Hive, 0, LIST_ENTRIES + (LEAVES + 8) * 4, &List), HiveOk);
    for (uint32_t i = 0; i < LEAVES; i++) {
        uint32_t Leaf = LeafOf(Hive, &Cells[i], i + 1 == LEAVES ? LAST : 1);
        HiveStore32(HiveModify(Hive, List) + LIST_ENTRIES + i * 4, Leaf);
    }
    memcpy(HiveModify(Hive, List), "ri", 2);
    HiveStore16(HiveModify(Hive, List) + LIST_COUNT, LEAVES);
    HiveStore32(HiveModify(Hive, Hive->Root) + NK_SUBKEY_LIST, List);
    assert_int_equal(HiveAddKey(Hive, Hive->Root, u"\xffee", 1, &New, &Refused), HiveTooLarge);
    assert_int_equal(HiveReadRoot(Hive, &Root), HiveOk);
    assert_int_equal(Root.SubKeyCount, ALL);
    assert_int_equal(HiveSubKey(Hive, &Root, ALL - 1, &Last), HiveOk);
    assert_int_equal(Last.Cell, Cells[ALL - 1]);
    End(Model);
}

static void CopiesATree(void **State)
{
    (void)State;
    for (uint32_t Fail = 0, Done = 0; !Done; Fail += 1 + Fail / 8) {
        MODEL *Model = Begin(31);
        for (uint32_t i = 0; i < 400; i++)
            assert_int_equal(Edits[Random(Model, 9)](Model), HiveOk);
        HIVE_MEMORY Memory = MemoryOf(Model);
        HIVE Copy;
        assert_int_equal(HiveCreate(&Copy, &Memory, 1), HiveOk);
        Model->FailIn = Fail;
        HIVE_STATUS Status = HiveCopyTree(&Model->Hive, Model->Hive.Root, &Copy, Copy.Root);
        Done = Model->FailIn != NONE;
        Model->FailIn = NONE;
        assert_int_equal(Status, Done ? HiveOk : HiveNoMemory);
        if (Done)
            Compare(Model, &Copy, false);
        HiveDestroy(&Copy);
        End(Model);
    }
}

/* Two references to one cell, and a reference into the middle of data, are no editable hives. */
static void RefusesSharedCells(void **State)
{
    (void)State;
    MODEL *Model = Begin(1);
    HIVE Loaded;
    HIVE_KEY Root;
    HIVE_VALUE Value;
    uint8_t Data[64] = {0};
    const uint8_t *Bytes;
    uint32_t Length;
    HiveStore32(Data + 4, 0xffffffe8u); /* looks like a cell in use */
    assert_int_equal(HiveSetValue(&Model->Hive, Model->Hive.Root, u"a", 1, 3, Data, 64, 1), HiveOk);
    assert_int_equal(HiveSetValue(&Model->Hive, Model->Hive.Root, u"b", 1, 3, Data, 64, 1), HiveOk);
    assert_int_equal(HiveReadRoot(&Model->Hive, &Root), HiveOk);
    assert_int_equal(HiveValue(&Model->Hive, &Root, 0, &Value), HiveOk);
    uint32_t First = Value.DataCell;
    assert_int_equal(HiveValue(&Model->Hive, &Root, 1, &Value), HiveOk);
    HiveSeal(&Model->Hive, 1, &Bytes, &Length);
    uint8_t *File = malloc(Length);
    memcpy(File, Bytes, Length);
    HiveStore32(File + HIVE_HEADER_SIZE + Value.Cell + 4 + VK_DATA, First);
    assert_int_equal(HiveLoad(&Loaded, &HiveHeap, File, Length), HiveDamaged);
    assert_string_equal(Loaded.Error.Rule,
                        "a reference in this cell leads into a cell, or to one that belongs to another");
    HiveStore32(File + HIVE_HEADER_SIZE + Value.Cell + 4 + VK_DATA, Value.DataCell + 8);
    HiveStore32(File + HIVE_HEADER_SIZE + Value.Cell + 4 + VK_DATA_LENGTH, 16);
    assert_int_equal(HiveLoad(&Loaded, &HiveHeap, File, Length), HiveDamaged);
    assert_string_equal(Loaded.Error.Rule,
                        "a reference in this cell leads into a cell, or to one that belongs to another");
    free(File);
    End(Model);
}

static void DeepTreesEnd(void **State)
{
    (void)State;
    MODEL *Model = Begin(1);
    HIVE_NEW_KEY New = {.Time = 1};
    uint32_t Cell = Model->Hive.Root;
    for (uint32_t i = 1; i < HIVE_MAX_DEPTH; i++)
        assert_int_equal(HiveAddKey(&Model->Hive, Cell, u"d", 1, &New, &Cell), HiveOk);
    assert_int_equal(HiveAddKey(&Model->Hive, Cell, u"d", 1, &New, &Cell), HiveBadName);
    assert_int_equal(HiveAddKey(&Model->Hive, Model->Hive.Root, u"a\\b", 3, &New, &Cell), HiveBadName);
    assert_int_equal(HiveAddKey(&Model->Hive, Model->Hive.Root, u"", 0, &New, &Cell), HiveBadName);
    End(Model);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(RandomEditsAgreeWithTheModel), cmocka_unit_test(FailedEditsChangeNothing),
        cmocka_unit_test(WideListsSplitAndMerge),       cmocka_unit_test(CopiesATree),
        cmocka_unit_test(RefusesSharedCells),           cmocka_unit_test(DeepTreesEnd),
        cmocka_unit_test(RefusesALeafTooMany),
    };
    return cmocka_run_group_tests_name("hive_edit", Tests, NULL, NULL);
}

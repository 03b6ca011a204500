/* SPDX-License-Identifier: MIT
 * Differential test: hives that we write are read by libhivex, an independent implementation, key by key and
 * value by value, and compared with what our own reader sees. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <hivex.h>

#include "cm/hive_host.h"
#include "hive_sample.h"

typedef struct PAIR {
    HIVE Ours;
    hive_h *Theirs;
    uint32_t Keys, Values;
} PAIR;

/* Our name as UTF-8, which is how hivex gives names. */
static void NameToUtf8(const HIVE_NAME *Name, char *Text)
{
    for (uint32_t i = 0; i < Name->Length; i++) {
        uint16_t C = HiveNameCharacter(Name, i);
        if (C < 0x80) {
            *Text++ = (char)C;
        } else if (C < 0x800) {
            *Text++ = (char)(0xc0 | C >> 6);
            *Text++ = (char)(0x80 | (C & 0x3f));
        } else {
            *Text++ = (char)(0xe0 | C >> 12);
            *Text++ = (char)(0x80 | (C >> 6 & 0x3f));
            *Text++ = (char)(0x80 | (C & 0x3f));
        }
    }
    *Text = 0;
}

static void AssertSameName(const HIVE_NAME *Ours, char *Theirs)
{
    char Text[1024];
    NameToUtf8(Ours, Text);
    assert_non_null(Theirs);
    assert_string_equal(Theirs, Text);
    free(Theirs);
}

static void CompareValue(PAIR *Pair, HIVE_VALUE *Value, hive_value_h Theirs)
{
    hive_type Type;
    size_t Length;
    AssertSameName(&Value->Name, hivex_value_key(Pair->Theirs, Theirs));
    char *Data = hivex_value_value(Pair->Theirs, Theirs, &Type, &Length);
    assert_non_null(Data);
    assert_int_equal(Type, Value->Type);
    assert_int_equal(Length, Value->DataLength);
    uint8_t *Ours = malloc(Length + 1);
    assert_non_null(Ours);
    assert_int_equal(HiveReadData(&Pair->Ours, Value, Ours, Value->DataLength), HiveOk);
    assert_memory_equal(Ours, Data, Length);
    free(Ours);
    free(Data);
    Pair->Values += 1;
}

static void CompareKey(PAIR *Pair, const HIVE_KEY *Key, hive_node_h Theirs)
{
    HIVE_VALUE Value;
    HIVE_KEY SubKey;
    AssertSameName(&Key->Name, hivex_node_name(Pair->Theirs, Theirs));
    assert_int_equal(hivex_node_timestamp(Pair->Theirs, Theirs), Key->LastWriteTime);
    assert_int_equal(hivex_node_nr_children(Pair->Theirs, Theirs), Key->SubKeyCount);
    assert_int_equal(hivex_node_nr_values(Pair->Theirs, Theirs), Key->ValueCount);

    hive_value_h *Values = hivex_node_values(Pair->Theirs, Theirs);
    assert_non_null(Values);
    for (uint32_t i = 0; i < Key->ValueCount; i++) {
        assert_int_equal(HiveValue(&Pair->Ours, Key, i, &Value), HiveOk);
        CompareValue(Pair, &Value, Values[i]);
    }
    free(Values);

    hive_node_h *Children = hivex_node_children(Pair->Theirs, Theirs);
    assert_non_null(Children);
    for (uint32_t i = 0; i < Key->SubKeyCount; i++) {
        assert_int_equal(HiveSubKey(&Pair->Ours, Key, i, &SubKey), HiveOk);
        CompareKey(Pair, &SubKey, Children[i]);
    }
    free(Children);
    Pair->Keys += 1;
}

static void WriteTemporary(const uint8_t *Bytes, uint32_t Length, char *Path)
{
    strcpy(Path, "/tmp/hive_XXXXXX");
    int File = mkstemp(Path);
    assert_true(File >= 0);
    assert_int_equal(write(File, Bytes, Length), Length);
    close(File);
}

static void HivexReadsWhatWeWrite(void **State)
{
    (void)State;
    PAIR Pair = {0};
    uint8_t *Bytes;
    uint32_t Length;
    char Path[32];
    HIVE_KEY Root;
    HIVE_BUILDER *Builder = HiveBuilderCreate(&HiveHeap, SAMPLE_TIME);
    assert_int_equal(SampleFill(Builder, SAMPLE_MANY), HiveOk);
    assert_int_equal(HiveBuilderFinish(Builder, &Bytes, &Length), HiveOk);
    HiveBuilderDestroy(Builder);
    WriteTemporary(Bytes, Length, Path);

    Pair.Theirs = hivex_open(Path, 0);
    assert_non_null(Pair.Theirs);
    assert_int_equal(hivex_last_modified(Pair.Theirs), SAMPLE_TIME);
    assert_int_equal(HiveOpen(&Pair.Ours, Bytes, Length), HiveOk);
    assert_int_equal(HiveCheck(&Pair.Ours), HiveOk);
    assert_int_equal(HiveReadRoot(&Pair.Ours, &Root), HiveOk);
    CompareKey(&Pair, &Root, hivex_root(Pair.Theirs));
    assert_int_equal(Pair.Keys, 1 + 6 + 4 + SAMPLE_MANY + 1 + 1);
    assert_int_equal(Pair.Values, 1 + 5 + 1 + 3 + SAMPLE_LENGTHS);

    hivex_close(Pair.Theirs);
    unlink(Path);
    free(Bytes);
}

/* The other way: a hive that hivex has changed (and so laid out its own way) is read by us. */
static void WeReadWhatHivexWrites(void **State)
{
    (void)State;
    PAIR Pair = {0};
    uint8_t *Bytes;
    uint32_t Length;
    char Path[32];
    HIVE_KEY Root;
    HIVE_BUILDER *Builder = HiveBuilderCreate(&HiveHeap, SAMPLE_TIME);
    assert_int_equal(HiveBuilderFinish(Builder, &Bytes, &Length), HiveOk);
    HiveBuilderDestroy(Builder);
    WriteTemporary(Bytes, Length, Path);
    free(Bytes);

    hive_h *Writer = hivex_open(Path, HIVEX_OPEN_WRITE);
    assert_non_null(Writer);
    char Data[3000];
    memset(Data, 'x', sizeof(Data));
    for (int i = 0; i < 40; i++) {
        char Name[16];
        snprintf(Name, sizeof(Name), "Child%d", (i * 17) % 40);
        hive_node_h Child = hivex_node_add_child(Writer, hivex_root(Writer), Name);
        assert_true(Child != 0);
        hive_set_value Value = {.key = Name, .t = hive_t_REG_BINARY, .len = (size_t)i * 70, .value = Data};
        assert_int_equal(hivex_node_set_value(Writer, Child, &Value, 0), 0);
    }
    assert_int_equal(hivex_commit(Writer, NULL, 0), 0);
    hivex_close(Writer);

    FILE *File = fopen(Path, "rb");
    assert_non_null(File);
    static uint8_t Changed[1 << 20];
    Length = (uint32_t)fread(Changed, 1, sizeof(Changed), File);
    fclose(File);
    Pair.Theirs = hivex_open(Path, 0);
    assert_int_equal(HiveOpen(&Pair.Ours, Changed, Length), HiveOk);
    assert_int_equal(HiveCheck(&Pair.Ours), HiveOk);
    assert_int_equal(HiveReadRoot(&Pair.Ours, &Root), HiveOk);
    CompareKey(&Pair, &Root, hivex_root(Pair.Theirs));
    assert_int_equal(Pair.Keys, 41);
    hivex_close(Pair.Theirs);
    unlink(Path);
}

static void CompareFiles(const uint8_t *Bytes, uint32_t Length, uint32_t Keys)
{
    PAIR Pair = {0};
    HIVE_KEY Root;
    char Path[32];
    WriteTemporary(Bytes, Length, Path);
    Pair.Theirs = hivex_open(Path, 0);
    assert_non_null(Pair.Theirs);
    assert_int_equal(HiveOpen(&Pair.Ours, Bytes, Length), HiveOk);
    assert_int_equal(HiveCheck(&Pair.Ours), HiveOk);
    assert_int_equal(HiveReadRoot(&Pair.Ours, &Root), HiveOk);
    CompareKey(&Pair, &Root, hivex_root(Pair.Theirs));
    assert_int_equal(Pair.Keys, Keys);
    hivex_close(Pair.Theirs);
    unlink(Path);
}

static uint32_t Name(uint32_t Number, uint16_t Text[32])
{
    char Utf8[32];
    return HiveFromUtf8(
        Utf8, (size_t)snprintf(Utf8, sizeof(Utf8), Number % 5 ? "Child%u" : "\xd0\x96%u", Number), Text);
}

static void AddRandomKey(HIVE *Hive, uint32_t Number, uint32_t *Cell)
{
    uint16_t Text[32];
    HIVE_NEW_KEY New = {.Time = SAMPLE_TIME + Number, .Class = u"class", .ClassLength = Number % 3 ? 0 : 10};
    assert_int_equal(HiveAddKey(Hive, *Cell, Text, Name(Number, Text), &New, Cell), HiveOk);
}

/* Random trees of the editor, after deletions, renames and replaced values. */
static void HivexReadsWhatTheEditorWrites(void **State)
{
    (void)State;
    static uint8_t Data[50000];
    uint32_t Cells[600], Random = 12345;
    uint16_t Text[32];
    for (size_t I = 0; I < sizeof(Data); I++)
        Data[I] = (uint8_t)(I * 31 + I / 200); /* so that exchanged pieces are seen */
    for (uint32_t Round = 0; Round < 5; Round++) {
        HIVE Hive;
        uint32_t Count = 1, Length;
        const uint8_t *Bytes;
        assert_int_equal(HiveCreate(&Hive, &HiveHeap, SAMPLE_TIME), HiveOk);
        Cells[0] = Hive.Root;
        for (uint32_t i = 1; i < 600; i++) {
            Random = Random * 1103515245u + 12345u;
            uint32_t Parent = (Random >> 16) % 2 ? 0 : (Random >> 17) % Count;
            Cells[Count] = Cells[Parent];
            AddRandomKey(&Hive, i, &Cells[Count]);
            Length = (Random >> 8) % (i % 50 == 0 ? 50000 : 300);
            assert_int_equal(HiveSetValue(&Hive, Cells[Count], Text, Name(i % 7, Text), 3, Data, Length, i),
                             HiveOk);
            assert_int_equal(HiveSetValue(&Hive, Cells[Parent], Text, Name(i % 7, Text), 3, Data, i, i),
                             HiveOk);
            Count++;
            if (i % 4 == 0 && HiveDeleteKey(&Hive, Cells[Count - 1], i) == HiveOk)
                Count--;
            if (i % 9 == 0 && Count > 1)
                assert_int_equal(
                    HiveRenameKey(&Hive, Cells[Count - 1], Text, Name(i + 10000, Text), i, &Cells[Count - 1]),
                    HiveOk);
        }
        HiveSeal(&Hive, SAMPLE_TIME, &Bytes, &Length);
        CompareFiles(Bytes, Length, Count);
        HiveDestroy(&Hive);
    }
}

/* A hive of hivex's making is edited by us and read by it again. */
static void WeEditWhatHivexWrites(void **State)
{
    (void)State;
    uint8_t *Bytes;
    const uint8_t *Sealed;
    uint32_t Length, Keys = 1;
    uint16_t Text[32];
    char Path[32];
    HIVE Hive;
    HIVE_KEY Root, SubKey;
    HIVE_BUILDER *Builder = HiveBuilderCreate(&HiveHeap, SAMPLE_TIME);
    assert_int_equal(HiveBuilderFinish(Builder, &Bytes, &Length), HiveOk);
    HiveBuilderDestroy(Builder);
    WriteTemporary(Bytes, Length, Path);
    free(Bytes);
    hive_h *Writer = hivex_open(Path, HIVEX_OPEN_WRITE);
    for (int i = 0; i < 700; i++) {
        char Child[16];
        snprintf(Child, sizeof(Child), "H%d", (i * 17) % 700);
        hive_node_h Node = hivex_node_add_child(Writer, hivex_root(Writer), Child);
        assert_true(Node != 0);
        hive_set_value Value = {.key = Child, .t = hive_t_REG_BINARY, .len = 16, .value = Path};
        assert_int_equal(hivex_node_set_value(Writer, Node, &Value, 0), 0);
    }
    assert_int_equal(hivex_commit(Writer, NULL, 0), 0);
    hivex_close(Writer);
    FILE *File = fopen(Path, "rb");
    static uint8_t Changed[1 << 24];
    Length = (uint32_t)fread(Changed, 1, sizeof(Changed), File);
    fclose(File);
    unlink(Path);
    assert_int_equal(HiveLoad(&Hive, &HiveHeap, Changed, Length), HiveOk);
    for (uint32_t i = 0; i < 700; i++) {
        assert_int_equal(HiveReadRoot(&Hive, &Root), HiveOk);
        uint32_t Cell = Root.Cell;
        AddRandomKey(&Hive, i, &Cell);
        assert_int_equal(HiveReadRoot(&Hive, &Root), HiveOk);
        assert_int_equal(HiveSubKey(&Hive, &Root, i, &SubKey), HiveOk);
        assert_int_equal(HiveSetValue(&Hive, SubKey.Cell, Text, Name(i, Text), 3, Changed, i * 3, i), HiveOk);
        Keys++;
        if (i % 2 == 0) {
            assert_int_equal(HiveDeleteKey(&Hive, SubKey.Cell, 1), HiveOk);
            Keys--;
        }
    }
    HiveSeal(&Hive, SAMPLE_TIME, &Sealed, &Length);
    CompareFiles(Sealed, Length, Keys + 700);
    HiveDestroy(&Hive);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(HivexReadsWhatWeWrite),
        cmocka_unit_test(WeReadWhatHivexWrites),
        cmocka_unit_test(HivexReadsWhatTheEditorWrites),
        cmocka_unit_test(WeEditWhatHivexWrites),
    };
    return cmocka_run_group_tests_name("hive_hivex", Tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * kernel/cm/hive_*.c under ASan and UBSan: what is built is read back; look-ups; refusals; every allocation
 * fails once; every byte is damaged. Hives lie in blocks of exactly their size. */
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
#include "hive_sample.h"
#include "hive_walk.h"

static uint8_t *Build(uint32_t Many, uint32_t *Length)
{
    uint8_t *Bytes;
    HIVE_BUILDER *Builder = HiveBuilderCreate(&HiveHeap, SAMPLE_TIME);
    assert_non_null(Builder);
    assert_int_equal(SampleFill(Builder, Many), HiveOk);
    assert_int_equal(HiveBuilderFinish(Builder, &Bytes, Length), HiveOk);
    HiveBuilderDestroy(Builder);
    uint8_t *Exact = malloc(*Length); /* ASan sees the first byte after it */
    assert_non_null(Exact);
    memcpy(Exact, Bytes, *Length);
    free(Bytes);
    return Exact;
}

static HIVE_STATUS Find(HIVE *Hive, const char *Path, HIVE_KEY *Key)
{
    uint16_t Name[64];
    HIVE_STATUS Status = HiveReadRoot(Hive, Key);
    while (*Path && Status == HiveOk) {
        size_t Length = strcspn(Path, "\\");
        uint32_t Units = HiveFromUtf8(Path, Length, Name);
        HIVE_KEY Parent = *Key;
        Status = HiveFindSubKey(Hive, &Parent, Name, Units, Key);
        Path += Length + (Path[Length] == '\\');
    }
    return Status;
}

static HIVE_STATUS FindValue(HIVE *Hive, const char *Path, const char *Name, HIVE_VALUE *Value)
{
    uint16_t Text[64];
    HIVE_KEY Key;
    assert_int_equal(Find(Hive, Path, &Key), HiveOk);
    return HiveFindValue(Hive, &Key, Text, HiveFromUtf8(Name, strlen(Name), Text), Value);
}

static void ReadsBackKeysAndValues(void **State)
{
    (void)State;
    uint32_t Length, Number = 0;
    uint8_t *Bytes = Build(SAMPLE_MANY, &Length);
    HIVE Hive;
    HIVE_KEY Key;
    HIVE_VALUE Value;
    assert_int_equal(HiveOpen(&Hive, Bytes, Length), HiveOk);
    assert_int_equal(HiveCheck(&Hive), HiveOk);

    assert_int_equal(Find(&Hive, "controlset001\\SERVICES\\Ioctl", &Key), HiveOk);
    assert_int_equal(Key.ValueCount, 5);
    assert_int_equal(Key.SubKeyCount, 1);
    assert_int_equal(Key.LastWriteTime, SAMPLE_TIME);
    assert_int_equal(Find(&Hive, "ControlSet001\\Services\\ioct", &Key), HiveNotFound);
    assert_int_equal(Find(&Hive, "Namen\\\xc3\xa4PFEL", &Key), HiveOk);
    assert_int_equal(Find(&Hive, "Namen\\\xcf\x89MEGA", &Key), HiveOk);
    assert_int_equal(Find(&Hive, "Namen\\link", &Key), HiveOk);
    assert_int_equal(Key.Flags & HIVE_KEY_LINK, HIVE_KEY_LINK);

    assert_int_equal(FindValue(&Hive, "ControlSet001\\Services\\ioctl", "START", &Value), HiveOk);
    assert_int_equal(Value.Type, HiveTypeNumber32);
    assert_int_equal(Value.DataLength, 4);
    assert_int_equal(HiveReadData(&Hive, &Value, &Number, 4), HiveOk);
    assert_int_equal(Number, 3);
    assert_int_equal(FindValue(&Hive, "ControlSet001\\Services\\ioctl", "", &Value), HiveOk);
    assert_int_equal(Value.DataLength, 2 * sizeof("the default value"));
    assert_int_equal(FindValue(&Hive, "ControlSet001\\Services\\ioctl", "Groups", &Value), HiveOk);
    assert_int_equal(Value.DataLength, 2 * (18 + 1 + 5 + 1));
    assert_int_equal(FindValue(&Hive, "Namen\\Link", "SymbolicLinkValue", &Value), HiveOk);
    assert_int_equal(Value.DataLength, 2 * strlen("\\Registry\\Machine"));
    assert_int_equal(FindValue(&Hive, "Select", "Default", &Value), HiveNotFound);
    free(Bytes);
}

static void ReadsDataOfEveryLength(void **State)
{
    (void)State;
    uint32_t Length;
    uint8_t *Bytes = Build(1, &Length);
    HIVE Hive;
    HIVE_VALUE Value;
    char Name[32];
    assert_int_equal(HiveOpen(&Hive, Bytes, Length), HiveOk);
    for (uint32_t i = 0; i < SAMPLE_LENGTHS; i++) {
        snprintf(Name, sizeof(Name), "Sized%u", i);
        assert_int_equal(FindValue(&Hive, "Data", Name, &Value), HiveOk);
        assert_int_equal(Value.DataLength, SampleLengths[i]);
        assert_int_equal(Value.Inline, SampleLengths[i] <= 4);
        assert_int_equal(Value.Segmented, SampleLengths[i] > 16344);
        uint8_t *Data = malloc(SampleLengths[i] + 1);
        assert_non_null(Data);
        assert_int_equal(HiveReadData(&Hive, &Value, Data, Value.DataLength), HiveOk);
        for (uint32_t At = 0; At < SampleLengths[i]; At++)
            assert_int_equal(Data[At], SampleByte(At));
        free(Data);
    }
    free(Bytes);
}

/* Subkeys come in the order of their upper-case names, whatever the order they were added in, also through
 * ri. */
static void EnumeratesInOrder(void **State)
{
    (void)State;
    uint32_t Length;
    uint8_t *Bytes = Build(SAMPLE_MANY, &Length);
    HIVE Hive;
    HIVE_KEY Key, SubKey;
    char Text[32], Last[32] = "";
    assert_int_equal(HiveOpen(&Hive, Bytes, Length), HiveOk);
    assert_int_equal(Find(&Hive, "Many", &Key), HiveOk);
    assert_int_equal(Key.SubKeyCount, SAMPLE_MANY);
    for (uint32_t i = 0; i < SAMPLE_MANY; i++) {
        assert_int_equal(HiveSubKey(&Hive, &Key, i, &SubKey), HiveOk);
        for (uint32_t c = 0; c <= SubKey.Name.Length; c++)
            Text[c] = c < SubKey.Name.Length ? (char)HiveNameCharacter(&SubKey.Name, c) : 0;
        assert_true(strcmp(Last, Text) < 0);
        strcpy(Last, Text);
        snprintf(Text, sizeof(Text), "Many\\kEY%u", i);
        assert_int_equal(Find(&Hive, Text, &SubKey), HiveOk);
    }
    assert_int_equal(HiveSubKey(&Hive, &Key, SAMPLE_MANY, &SubKey), HiveNoMoreEntries);
    free(Bytes);
}

static void EqualTreesGiveEqualBytes(void **State)
{
    (void)State;
    uint32_t LengthA, LengthB;
    uint8_t *A = Build(600, &LengthA);
    uint8_t *B = Build(600, &LengthB);
    assert_int_equal(LengthA, LengthB);
    assert_memory_equal(A, B, LengthA);
    free(A);
    free(B);
}

static void RefusesBadNames(void **State)
{
    (void)State;
    char Long[257 + 1], Deep[2 * 513];
    HIVE_BUILDER *Builder = HiveBuilderCreate(&HiveHeap, SAMPLE_TIME);
    memset(Long, 'a', sizeof(Long));
    Long[255] = 0;
    assert_int_equal(HiveBuilderAddKey(Builder, Long), HiveOk);
    Long[255] = 'a';
    Long[256] = 0;
    assert_int_equal(HiveBuilderAddKey(Builder, Long), HiveBadName);
    assert_int_equal(HiveBuilderAddKey(Builder, "\\a"), HiveBadName);
    assert_int_equal(HiveBuilderAddKey(Builder, "a\\"), HiveBadName);
    assert_int_equal(HiveBuilderAddKey(Builder, "a\\\\b"), HiveBadName);
    assert_int_equal(HiveBuilderAddKey(Builder, "\xc0\x80"), HiveBadName);
    assert_int_equal(HiveBuilderAddKey(Builder, "\xed\xa0\x80"), HiveBadName);
    assert_int_equal(HiveBuilderAddKey(Builder, "\xe2\x82"), HiveBadName);
    assert_int_equal(HiveBuilderAddKey(Builder, "\xf0\x9f\x98\x80"), HiveOk);
    assert_int_equal(HiveBuilderSetText(Builder, "a", "b", HiveTypeText, "\xff"), HiveBadName);
    for (int i = 0; i < 512; i++)
        memcpy(Deep + 2 * i, "d\\", 2);
    Deep[2 * 511 - 1] = 0;
    assert_int_equal(HiveBuilderAddKey(Builder, Deep), HiveOk);
    Deep[2 * 511 - 1] = '\\';
    Deep[2 * 512 - 1] = 0;
    assert_int_equal(HiveBuilderAddKey(Builder, Deep), HiveBadName);

    uint8_t *Bytes;
    uint32_t Length;
    HIVE Hive;
    assert_int_equal(HiveBuilderFinish(Builder, &Bytes, &Length), HiveOk);
    assert_int_equal(HiveOpen(&Hive, Bytes, Length), HiveOk);
    assert_int_equal(HiveCheck(&Hive), HiveOk); /* 512 levels are allowed */
    free(Bytes);
    HiveBuilderDestroy(Builder);
}

typedef struct FAILING {
    uint64_t Left; /* allocations that succeed */
    int64_t Live;
} FAILING;

static void *FailLater(void *Context, size_t Size)
{
    FAILING *Failing = Context;
    if (Failing->Left == 0)
        return NULL;
    Failing->Left -= 1;
    Failing->Live += 1;
    return malloc(Size);
}

static void CountFree(void *Context, void *Block)
{
    ((FAILING *)Context)->Live -= 1;
    free(Block);
}

static void EveryAllocationFailsOnce(void **State)
{
    (void)State;
    uint64_t Fail = 0;
    for (bool Done = false; !Done; Fail++) {
        FAILING Failing = {Fail, 0};
        HIVE_MEMORY Memory = {FailLater, CountFree, &Failing};
        uint8_t *Bytes = NULL;
        uint32_t Length;
        HIVE_BUILDER *Builder = HiveBuilderCreate(&Memory, SAMPLE_TIME);
        HIVE_STATUS Status = Builder ? SampleFill(Builder, 3) : HiveNoMemory;
        if (Status == HiveOk)
            Status = HiveBuilderFinish(Builder, &Bytes, &Length);
        HiveBuilderDestroy(Builder);
        Done = Status == HiveOk;
        if (Done)
            CountFree(&Failing, Bytes);
        else
            assert_int_equal(Status, HiveNoMemory);
        assert_int_equal(Failing.Live, 0);
    }
    assert_true(Fail > 20);
}

static void TruncationIsDamage(void **State)
{
    (void)State;
    uint32_t Length;
    HIVE Hive;
    uint8_t *Bytes = Build(3, &Length);
    for (uint32_t Part = 0; Part < Length; Part += Part < 5000 ? 1 : 509) {
        uint8_t *Copy = malloc(Part + 1);
        memcpy(Copy, Bytes, Part);
        assert_int_equal(HiveOpen(&Hive, Copy, Part), HiveDamaged);
        assert_non_null(Hive.Error.Rule);
        free(Copy);
    }
    free(Bytes);
}

static void Refuse(uint32_t Offset, uint32_t Value, bool MendChecksum, const char *Rule)
{
    uint32_t Length;
    HIVE Hive;
    uint8_t *Bytes = Build(3, &Length);
    HiveStore32(Bytes + Offset, Value);
    if (MendChecksum)
        HiveStore32(Bytes + REGF_CHECKSUM, HiveChecksum(Bytes));
    HIVE_STATUS Status = HiveOpen(&Hive, Bytes, Length);
    if (Status == HiveOk)
        Status = HiveCheck(&Hive);
    assert_int_equal(Status, HiveDamaged);
    assert_string_equal(Hive.Error.Rule, Rule);
    free(Bytes);
}

static void DamageIsNamed(void **State)
{
    (void)State;
    const uint32_t Root = HIVE_HEADER_SIZE + HIVE_BIN_HEADER; /* the root's cell is the first */
    Refuse(0, 0, true, "the magic is not regf");
    Refuse(REGF_TIME, 1, false, "the header's checksum is wrong");
    Refuse(REGF_PRIMARY, 9, true, "the sequence numbers differ: the hive was not written to its end");
    Refuse(REGF_MINOR, 2, true, "the version is not 1.3 to 1.6");
    Refuse(REGF_BINS_LENGTH, 4097, true, "the length of the bins is not a multiple of 4096 below 2 GiB");
    Refuse(REGF_BINS_LENGTH, 0x7ffff000, true, "the file is shorter than its header says");
    Refuse(REGF_ROOT, 0xfffffff8, true, "a reference in this cell names no cell");
    Refuse(HIVE_HEADER_SIZE, 0, false, "the magic of a bin is not hbin");
    Refuse(HIVE_HEADER_SIZE + HBIN_SIZE, 0xfffff000, false,
           "a bin's size is no multiple of 4096 or passes the end of the file");
    Refuse(Root, 0x80000000, false, "a cell's size is no multiple of 8 or passes the end of its bin");
    Refuse(Root + 4, 0, false, "a reference to a key leads to a cell that is no key (nk)");
    Refuse(Root + 4 + NK_SUBKEY_COUNT, 0x40000000, false, "a key counts more subkeys than the hive can hold");
    Refuse(Root + 4 + NK_SUBKEY_COUNT, 6, false, "a key counts more subkeys than its lists hold");
    Refuse(Root + 4 + NK_SUBKEY_LIST, HIVE_BIN_HEADER, false, "a list of subkeys is no lf, lh or li cell");
    Refuse(Root + 4 + NK_NAME_LENGTH, 0, false,
           "a key's name is empty, too long for its cell, or holds a backslash");
}

/* Every byte of the used part of a small hive, several values each: refused or read, never a read outside
 * (ASan), and every walk ends. */
static void EveryByteChangeIsHarmless(void **State)
{
    (void)State;
    static const uint8_t Masks[] = {0x01, 0x80, 0xff};
    uint32_t Length, Refused = 0;
    uint8_t *Bytes = Build(3, &Length);
    for (uint32_t At = 0; At < 12 * 1024 && At < Length; At++) {
        for (size_t m = 0; m < sizeof(Masks); m++) {
            Bytes[At] ^= Masks[m];
            if (At >= HIVE_HEADER_SIZE || At < REGF_CHECKSUM)
                HiveStore32(Bytes + REGF_CHECKSUM, HiveChecksum(Bytes));
            Refused += WalkEverything(Bytes, Length) != HiveOk;
            Bytes[At] ^= Masks[m];
        }
    }
    assert_true(Refused > 500);
    free(Bytes);
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(ReadsBackKeysAndValues),    cmocka_unit_test(ReadsDataOfEveryLength),
        cmocka_unit_test(EnumeratesInOrder),         cmocka_unit_test(EqualTreesGiveEqualBytes),
        cmocka_unit_test(RefusesBadNames),           cmocka_unit_test(EveryAllocationFailsOnce),
        cmocka_unit_test(TruncationIsDamage),        cmocka_unit_test(DamageIsNamed),
        cmocka_unit_test(EveryByteChangeIsHarmless),
    };
    return cmocka_run_group_tests_name("hive", Tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * ldr/cpio under ASan and UBSan: the walk, both kinds of search, and damage of every kind. Archives are built
 * here by hand and kept in blocks of exactly their size, so that one byte read too far is seen. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cpio/cpio.h"

typedef struct BUILDER {
    uint8_t Bytes[4096];
    uint64_t Length;
} BUILDER;

static void Pad(BUILDER *B)
{
    while (B->Length % 4)
        B->Bytes[B->Length++] = 0;
}

static void Add(BUILDER *B, const char *Name, uint32_t Mode, const char *Data)
{
    char Header[128];
    snprintf(Header, sizeof(Header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, Mode, 0,
             0, 1, 0x5f5e100, (unsigned)strlen(Data), 0, 0, 0, 0, (unsigned)strlen(Name) + 1, 0);
    memcpy(B->Bytes + B->Length, Header, 110);
    B->Length += 110;
    memcpy(B->Bytes + B->Length, Name, strlen(Name) + 1);
    B->Length += strlen(Name) + 1;
    Pad(B);
    memcpy(B->Bytes + B->Length, Data, strlen(Data));
    B->Length += strlen(Data);
    Pad(B);
}

static void Sample(BUILDER *B)
{
    memset(B, 0, sizeof(*B));
    Add(B, ".", CPIO_MODE_DIRECTORY | 0755, "");
    Add(B, "./Windows", CPIO_MODE_DIRECTORY | 0755, "");
    Add(B, "./Windows/ntoskrnl.exe", CPIO_MODE_FILE | 0644, "MZ kernel");
    Add(B, "/Windows/empty", CPIO_MODE_FILE | 0600, "");
    Add(B, "TRAILER!!!", 0, "");
}

/* A block of exactly Length bytes; ASan guards its end. The caller frees it. */
static uint8_t *Exact(const BUILDER *B, uint64_t Length)
{
    uint8_t *Copy = malloc(Length ? Length : 1);
    assert_non_null(Copy);
    memcpy(Copy, B->Bytes, Length);
    return Copy;
}

/* Walks the archive to its end; returns how it ended and counts the entries. */
static CPIO_STATUS WalkAll(const uint8_t *Archive, uint64_t Length, int *Count, CPIO_ERROR *Error)
{
    CPIO_WALK Walk;
    CPIO_ENTRY Entry;
    CPIO_STATUS Status;
    volatile uint8_t Sink = 0;
    CpioBegin(&Walk, Archive, Length);
    for (*Count = 0; (Status = CpioNext(&Walk, &Entry)) == CpioFound; ++*Count) {
        for (uint32_t i = 0; i < Entry.Size; i++)
            Sink ^= Entry.Data[i];
        assert_int_equal(strlen(Entry.Name), Entry.NameLength);
    }
    *Error = Walk.Error;
    return Status;
}

static void WalksInOrder(void **State)
{
    (void)State;
    BUILDER B;
    Sample(&B);
    CPIO_WALK Walk;
    CPIO_ENTRY Entry;
    CpioBegin(&Walk, B.Bytes, B.Length);
    assert_int_equal(CpioNext(&Walk, &Entry), CpioFound);
    assert_string_equal(Entry.Name, ".");
    assert_int_equal(CpioNext(&Walk, &Entry), CpioFound);
    assert_string_equal(Entry.Name, "Windows");
    assert_int_equal(Entry.Mode, CPIO_MODE_DIRECTORY | 0755);
    assert_int_equal(CpioNext(&Walk, &Entry), CpioFound);
    assert_string_equal(Entry.Name, "Windows/ntoskrnl.exe");
    assert_int_equal(Entry.NameLength, 20);
    assert_int_equal(Entry.Size, 9);
    assert_int_equal(Entry.MTime, 0x5f5e100);
    assert_memory_equal(Entry.Data, "MZ kernel", 9);
    assert_int_equal(CpioNext(&Walk, &Entry), CpioFound);
    assert_string_equal(Entry.Name, "Windows/empty");
    assert_int_equal(Entry.Size, 0);
    assert_int_equal(CpioNext(&Walk, &Entry), CpioEnd);
    assert_int_equal(CpioNext(&Walk, &Entry), CpioEnd);
}

static void FindsByPath(void **State)
{
    (void)State;
    BUILDER B;
    Sample(&B);
    CPIO_ENTRY Entry;
    CPIO_ERROR Error;
    assert_int_equal(CpioFind(B.Bytes, B.Length, "Windows/ntoskrnl.exe", false, &Entry, &Error), CpioFound);
    assert_memory_equal(Entry.Data, "MZ", 2);
    assert_int_equal(CpioFind(B.Bytes, B.Length, "windows/NTOSKRNL.EXE", false, &Entry, &Error), CpioEnd);
    assert_int_equal(CpioFind(B.Bytes, B.Length, "\\windows\\NTOSKRNL.EXE", true, &Entry, &Error), CpioFound);
    assert_int_equal(CpioFind(B.Bytes, B.Length, "Windows", true, &Entry, &Error), CpioFound);
    assert_int_equal(CpioFind(B.Bytes, B.Length, "Windows/ntoskrnl", true, &Entry, &Error), CpioEnd);
    assert_int_equal(CpioFind(B.Bytes, B.Length, "Windows/ntoskrnl.exe2", true, &Entry, &Error), CpioEnd);
    assert_int_equal(CpioFind(B.Bytes, B.Length, "TRAILER!!!", true, &Entry, &Error), CpioEnd);
}

/* Found by the fuzzer: a name that begins with a backslash could be listed but not found. */
static void NamesFoundAreFindable(void **State)
{
    (void)State;
    BUILDER B = {0};
    CPIO_ENTRY Entry;
    CPIO_ERROR Error;
    Add(&B, "./\\/./a\\b", CPIO_MODE_FILE, "1");
    Add(&B, "TRAILER!!!", 0, "");
    assert_int_equal(CpioFind(B.Bytes, B.Length, "a/b", false, &Entry, &Error), CpioFound);
    assert_string_equal(Entry.Name, "a\\b");
    assert_int_equal(CpioFind(B.Bytes, B.Length, "\\a\\b", false, &Entry, &Error), CpioFound);
}

/* A prefix of an archive that stops before the trailer is damaged, whatever its length. */
static void EveryTruncationIsDamage(void **State)
{
    (void)State;
    BUILDER B;
    Sample(&B);
    int Count;
    CPIO_ERROR Error;
    uint64_t TrailerEnd = B.Length - 3; /* what remains is padding */
    for (uint64_t Length = 0; Length < TrailerEnd; Length++) {
        uint8_t *Copy = Exact(&B, Length);
        assert_int_equal(WalkAll(Copy, Length, &Count, &Error), CpioDamaged);
        assert_non_null(Error.Rule);
        assert_true(Error.Offset <= Length + 3);
        free(Copy);
    }
    uint8_t *Whole = Exact(&B, TrailerEnd);
    assert_int_equal(WalkAll(Whole, TrailerEnd, &Count, &Error), CpioEnd);
    assert_int_equal(Count, 4);
    free(Whole);
}

static void DamageNamesItsOffset(void **State)
{
    (void)State;
    BUILDER B;
    CPIO_ERROR Error;
    int Count;

    Sample(&B);
    B.Bytes[112 + 5] = 'x'; /* magic of the second entry: the first takes 110 + 2 bytes */
    assert_int_equal(WalkAll(B.Bytes, B.Length, &Count, &Error), CpioDamaged);
    assert_int_equal(Count, 1);
    assert_int_equal(Error.Offset, 112);
    assert_string_equal(Error.Rule, "the magic of an entry is not 070701 (cpio newc)");

    Sample(&B);
    B.Bytes[20] = 'g';
    assert_int_equal(WalkAll(B.Bytes, B.Length, &Count, &Error), CpioDamaged);
    assert_int_equal(Error.Offset, 20);
    assert_string_equal(Error.Rule, "a header field has a byte that is no hexadecimal digit");

    Sample(&B);
    memcpy(B.Bytes + 6 + 6 * 8, "ffffffff", 8);
    assert_int_equal(WalkAll(B.Bytes, B.Length, &Count, &Error), CpioDamaged);
    assert_string_equal(Error.Rule, "an entry's contents do not fit into the archive");

    Sample(&B);
    memcpy(B.Bytes + 6 + 11 * 8, "ffffffff", 8);
    assert_int_equal(WalkAll(B.Bytes, B.Length, &Count, &Error), CpioDamaged);
    assert_string_equal(Error.Rule, "an entry's name is empty or does not fit into the archive");

    Sample(&B);
    B.Bytes[111] = 'z';
    assert_int_equal(WalkAll(B.Bytes, B.Length, &Count, &Error), CpioDamaged);
    assert_int_equal(Error.Offset, 111);
}

/* Every single-byte change either still walks or says what is wrong; it never reads outside (ASan). */
static void EveryByteChangeIsHarmless(void **State)
{
    (void)State;
    BUILDER B;
    static const uint8_t Values[] = {0, '0', '/', 'f', 0xff};
    int Count;
    CPIO_ERROR Error;
    Sample(&B);
    for (uint64_t At = 0; At < B.Length; At++) {
        for (size_t v = 0; v < sizeof(Values); v++) {
            uint8_t *Copy = Exact(&B, B.Length);
            Copy[At] = Values[v];
            CPIO_STATUS Status = WalkAll(Copy, B.Length, &Count, &Error);
            assert_true(Status == CpioEnd || (Status == CpioDamaged && Error.Rule));
            free(Copy);
        }
    }
}

static void FindStopsAtDamage(void **State)
{
    (void)State;
    BUILDER B;
    CPIO_ENTRY Entry;
    CPIO_ERROR Error;
    Sample(&B);
    assert_int_equal(CpioFind(B.Bytes, 300, "Windows", false, &Entry, &Error), CpioFound);
    assert_int_equal(CpioFind(B.Bytes, 300, "Windows/empty", false, &Entry, &Error), CpioDamaged);
    assert_string_equal(Error.Rule, "the archive ends without its TRAILER!!! entry");
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(WalksInOrder),          cmocka_unit_test(FindsByPath),
        cmocka_unit_test(NamesFoundAreFindable), cmocka_unit_test(EveryTruncationIsDamage),
        cmocka_unit_test(DamageNamesItsOffset),  cmocka_unit_test(EveryByteChangeIsHarmless),
        cmocka_unit_test(FindStopsAtDamage),
    };
    return cmocka_run_group_tests_name("cpio", Tests, NULL, NULL);
}

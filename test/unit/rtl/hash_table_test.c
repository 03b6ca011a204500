/* SPDX-License-Identifier: MIT
 * Dynamic hash tables against a model: entries with signatures of a small set, inserted, removed, looked up and enumerated while the
 * table grows and shrinks; every allocation failing in turn. */
#include "rtl_test.h"

#define ITEMS 700
#define SIGNATURES 300

typedef struct _ITEM {
    RTL_DYNAMIC_HASH_TABLE_ENTRY Entry;
    BOOLEAN Present, Seen;
} ITEM;
static ITEM Items[ITEMS];
static ULONG Present;
static PRTL_DYNAMIC_HASH_TABLE Table;
static uint64_t Seed = 5;

static ULONG random_below(ULONG Limit)
{
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    return (ULONG)(Seed >> 33) % Limit;
}

static ULONG_PTR signature_of(ULONG i)
{
    return (ULONG_PTR)(i % SIGNATURES) * 16;
}

static ULONG expected_of(ULONG_PTR Signature)
{
    ULONG Count = 0;
    for (ULONG i = 0; i < ITEMS; i++)
        Count += Items[i].Present && signature_of(i) == Signature;
    return Count;
}

static ITEM *item_of(PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry)
{
    return CONTAINING_RECORD(Entry, ITEM, Entry);
}

static void toggle(ULONG i, BOOLEAN WithContext)
{
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Context = {.ChainHead = NULL};
    if (Items[i].Present) {
        assert_true(RtlRemoveEntryHashTable(Table, &Items[i].Entry, NULL));
    } else {
        if (WithContext)
            RtlLookupEntryHashTable(Table, signature_of(i), &Context);
        assert_true(
            RtlInsertEntryHashTable(Table, &Items[i].Entry, signature_of(i), WithContext ? &Context : NULL));
        assert_int_equal(Items[i].Entry.Signature, signature_of(i) == 0 ? 1 : signature_of(i));
    }
    Items[i].Present = !Items[i].Present;
    Present += Items[i].Present ? 1 : -1u;
}

static void check_lookup(ULONG_PTR Signature)
{
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Context;
    ULONG Count = 0;
    PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry = RtlLookupEntryHashTable(Table, Signature, &Context);
    assert_ptr_equal(RtlLookupEntryHashTable(Table, Signature, NULL), Entry);
    for (; Entry != NULL; Entry = RtlGetNextEntryHashTable(Table, &Context)) {
        assert_true(item_of(Entry)->Present && signature_of((ULONG)(item_of(Entry) - Items)) == Signature);
        Count++;
    }
    assert_int_equal(Count, expected_of(Signature));
    assert_null(RtlGetNextEntryHashTable(Table, &Context));
}

static void check_enumeration(BOOLEAN Weak, ULONG RemoveEvery)
{
    RTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator;
    PRTL_DYNAMIC_HASH_TABLE_ENTRY Entry;
    ULONG Count = 0, Expected = Present;
    assert_true(Weak ? RtlInitWeakEnumerationHashTable(Table, &Enumerator)
                     : RtlInitEnumerationHashTable(Table, &Enumerator));
    assert_false(RtlExpandHashTable(Table));
    assert_false(RtlContractHashTable(Table));
    for (ULONG i = 0; i < ITEMS; i++)
        Items[i].Seen = FALSE;
    while ((Entry = Weak ? RtlWeaklyEnumerateEntryHashTable(Table, &Enumerator)
                         : RtlEnumerateEntryHashTable(Table, &Enumerator)) != NULL) {
        assert_true(item_of(Entry)->Present && !item_of(Entry)->Seen);
        item_of(Entry)->Seen = TRUE;
        if (RemoveEvery != 0 && Count % RemoveEvery == 0)
            toggle((ULONG)(item_of(Entry) - Items), FALSE);
        Count++;
    }
    assert_int_equal(Count, Expected);
    if (Weak)
        RtlEndWeakEnumerationHashTable(Table, &Enumerator);
    else
        RtlEndEnumerationHashTable(Table, &Enumerator);
    assert_int_equal(Table->NumEnumerators, 0);
}

/* The counts of the header are those that ntddk.h's inline functions read. */
static void check_header(void)
{
    assert_int_equal(Table->NumEntries, Present);
    assert_true(Table->NonEmptyBuckets <= Table->TableSize &&
                (Table->NonEmptyBuckets == 0) == (Present == 0));
}

static void test_random(void **state)
{
    (void)state;
    assert_true(RtlCreateHashTable(&Table, 4, 0));
    assert_int_equal(Table->Flags, RTL_HASH_ALLOCATED_HEADER);
    for (int Step = 0; Step < 12000; Step++) {
        toggle(random_below(ITEMS), Step & 1);
        check_lookup((ULONG_PTR)random_below(SIGNATURES + 5) * 16);
        if (random_below(2) && Table->TableSize < 1000)
            assert_true(RtlExpandHashTable(Table));
        if (random_below(3) == 0 && Table->TableSize > 128)
            assert_true(RtlContractHashTable(Table));
        check_header();
        if (Step % 300 == 0)
            check_enumeration(Step % 600 == 0, 0);
    }
    check_enumeration(FALSE, 3);
    check_header();
    check_enumeration(FALSE, 1);
    check_header();
    assert_int_equal(Present, 0);
    assert_int_equal(Table->NonEmptyBuckets, 0);
    while (RtlContractHashTable(Table)) {
    }
    assert_int_equal(Table->TableSize, 128);
    RtlDeleteHashTable(Table);
    assert_int_equal(TestPool.Live, 0);
}

static void test_create(void **state)
{
    RTL_DYNAMIC_HASH_TABLE Own;
    PRTL_DYNAMIC_HASH_TABLE Made = NULL, Given = &Own;
    (void)state;
    assert_false(RtlCreateHashTable(&Made, 64, 0));
    assert_false(RtlCreateHashTable(&Made, 0, 1));
    for (long i = 1; i <= 3; i++) {
        TestPool.FailAt = i;
        assert_false(RtlCreateHashTable(&Made, 0, 0));
        assert_null(Made);
        assert_int_equal(TestPool.Live, 0);
    }
    TestPool.FailAt = 0;
    assert_true(RtlCreateHashTable(&Given, 0, 0));
    assert_int_equal(Own.Flags, 0);
    TestPool.FailAt = 1;
    assert_false(RtlExpandHashTable(&Own)); /* needs a second segment */
    TestPool.FailAt = 0;
    assert_true(RtlExpandHashTable(&Own));
    RtlDeleteHashTable(&Own);
    assert_int_equal(TestPool.Live, 0);
}

/* Two strong enumerations at once do not see each other; the context of one continues a chain. */
static void test_two_enumerators(void **state)
{
    RTL_DYNAMIC_HASH_TABLE_ENUMERATOR A, B;
    RTL_DYNAMIC_HASH_TABLE_ENTRY One, Two;
    PRTL_DYNAMIC_HASH_TABLE Own = NULL;
    (void)state;
    assert_true(RtlCreateHashTable(&Own, 0, 0));
    RtlInsertEntryHashTable(Own, &One, 77, NULL);
    RtlInitEnumerationHashTable(Own, &A);
    RtlInitEnumerationHashTable(Own, &B);
    assert_ptr_equal(RtlEnumerateEntryHashTable(Own, &A), &One);
    assert_ptr_equal(RtlEnumerateEntryHashTable(Own, &B), &One);
    assert_ptr_equal(RtlLookupEntryHashTable(Own, 77, NULL), &One);
    RtlInsertEntryHashTable(Own, &Two, 77, NULL);
    RtlRemoveEntryHashTable(Own, &One, NULL);
    assert_ptr_equal(RtlLookupEntryHashTable(Own, 77, NULL), &Two);
    assert_null(RtlEnumerateEntryHashTable(Own, &A)); /* Two came before One */
    RtlEndEnumerationHashTable(Own, &B);
    RtlEndEnumerationHashTable(Own, &A);
    assert_int_equal(Own->NonEmptyBuckets, 1);
    RtlDeleteHashTable(Own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_two_enumerators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

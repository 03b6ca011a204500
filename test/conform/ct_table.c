/* SPDX-License-Identifier: MIT
 * Tables of the run-time library. [WDK RtlInitializeGenericTable, RtlInitializeGenericTableAvl, RtlSplay,
 * RtlInitializeUnicodePrefix; ntddk.h RtlCreateHashTable] */
#include "ct.h"

static RTL_GENERIC_COMPARE_RESULTS Compare(PVOID First, PVOID Second)
{
    ULONG a = *(PULONG)First, b = *(PULONG)Second;
    return a < b ? GenericLessThan : a > b ? GenericGreaterThan : GenericEqual;
}

/* --- splay --- */

static LONG Live;

static RTL_GENERIC_COMPARE_RESULTS NTAPI SplayCompare(PRTL_GENERIC_TABLE Table, PVOID First, PVOID Second)
{
    UNREFERENCED_PARAMETER(Table);
    return Compare(First, Second);
}

static PVOID NTAPI SplayAllocate(PRTL_GENERIC_TABLE Table, CLONG Size)
{
    UNREFERENCED_PARAMETER(Table);
    CT_EQUAL(Size, sizeof(ULONG) + sizeof(RTL_SPLAY_LINKS) + sizeof(LIST_ENTRY));
    Live++;
    return ExAllocatePoolWithTag(NonPagedPoolNx, Size, 'tbaT');
}

static VOID NTAPI SplayFree(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    UNREFERENCED_PARAMETER(Table);
    Live--;
    ExFreePoolWithTag(Buffer, 'tbaT');
}

static const ULONG Keys[] = {50, 20, 80, 10, 30};

static VOID FillSplay(PRTL_GENERIC_TABLE Table)
{
    RtlInitializeGenericTable(Table, SplayCompare, SplayAllocate, SplayFree, NULL);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Keys); i++) {
        BOOLEAN New = FALSE;
        PULONG Element = RtlInsertElementGenericTable(Table, (PVOID)&Keys[i], sizeof(ULONG), &New);
        CT_CHECK(New && Element != NULL && *Element == Keys[i]);
    }
}

static VOID CheckSplayOrder(PRTL_GENERIC_TABLE Table)
{
    static const ULONG Sorted[] = {10, 20, 30, 50, 80};
    PVOID Key = NULL;
    ULONG i = 0, j = 0;

    for (PULONG p = RtlEnumerateGenericTable(Table, TRUE); p != NULL;
         p = RtlEnumerateGenericTable(Table, FALSE))
        CT_EQUAL(*p, Sorted[i++]);
    CT_EQUAL(i, 5);
    for (PULONG p; (p = RtlEnumerateGenericTableWithoutSplaying(Table, &Key)) != NULL;)
        CT_EQUAL(*p, Sorted[j++]);
    CT_EQUAL(j, 5);
    for (i = 0; i < 5; i++)
        CT_EQUAL(*(PULONG)RtlGetElementGenericTable(Table, i), Keys[i]); /* the order of insertion */
    CT_CHECK(RtlGetElementGenericTable(Table, 5) == NULL);
}

static VOID TableCtSplay(VOID)
{
    RTL_GENERIC_TABLE Table;
    TABLE_SEARCH_RESULT Result;
    ULONG Probe = 20, Absent = 25;
    PVOID Node;
    BOOLEAN New = TRUE;

    Live = 0;
    FillSplay(&Table);
    CheckSplayOrder(&Table);
    PULONG Found = RtlLookupElementGenericTable(&Table, &Probe);
    CT_REQUIRE(Found != NULL);
    CT_CHECK(RtlInsertElementGenericTable(&Table, &Probe, sizeof(Probe), &New) == Found && !New);
    CT_CHECK(RtlLookupElementGenericTableFull(&Table, &Probe, &Node, &Result) == Found);
    CT_EQUAL(Result, TableFoundNode);
    CT_CHECK(RtlLookupElementGenericTableFull(&Table, &Absent, &Node, &Result) == NULL);
    CT_CHECK(RtlInsertElementGenericTableFull(&Table, &Absent, sizeof(Absent), &New, Node, Result) != NULL &&
             New);
    CT_EQUAL(RtlNumberGenericTableElements(&Table), 6);
    CT_CHECK(RtlDeleteElementGenericTable(&Table, &Absent));
    CT_CHECK(!RtlDeleteElementGenericTable(&Table, &Absent));
    for (PULONG p; (p = RtlEnumerateGenericTable(&Table, TRUE)) != NULL;)
        CT_CHECK(RtlDeleteElementGenericTable(&Table, p));
    CT_CHECK(RtlIsGenericTableEmpty(&Table));
    CT_EQUAL(Live, 0);
}

/* Three links by the header's macros: 1 is the left, 3 the right child of 2. */
static VOID TableCtLinks(VOID)
{
    RTL_SPLAY_LINKS Links[4];
    PRTL_SPLAY_LINKS Root = &Links[2];

    for (ULONG i = 1; i <= 3; i++)
        RtlInitializeSplayLinks(&Links[i]);
    RtlInsertAsLeftChild(&Links[2], &Links[1]);
    RtlInsertAsRightChild(&Links[2], &Links[3]);
    CT_CHECK(RtlSubtreeSuccessor(&Links[2]) == &Links[3] && RtlSubtreePredecessor(&Links[2]) == &Links[1]);
    CT_CHECK(RtlRealSuccessor(&Links[1]) == &Links[2] && RtlRealSuccessor(&Links[3]) == NULL);
    CT_CHECK(RtlRealPredecessor(&Links[3]) == &Links[2] && RtlRealPredecessor(&Links[1]) == NULL);
    CT_CHECK(RtlSplay(&Links[1]) == &Links[1] && RtlIsRoot(&Links[1]));
    CT_CHECK(RtlRealSuccessor(&Links[1]) == &Links[2]);
    Root = &Links[1];
    RtlDeleteNoSplay(&Links[1], &Root);
    CT_CHECK(RtlIsRoot(Root) && Root != &Links[1]);
    Root = RtlDelete(&Links[3]);
    CT_CHECK(Root == &Links[2] && RtlIsRoot(Root) && RtlDelete(Root) == NULL);
}

/* --- AVL --- */

static RTL_GENERIC_COMPARE_RESULTS NTAPI AvlCompare(PRTL_AVL_TABLE Table, PVOID First, PVOID Second)
{
    UNREFERENCED_PARAMETER(Table);
    return Compare(First, Second);
}

static PVOID NTAPI AvlAllocate(PRTL_AVL_TABLE Table, CLONG Size)
{
    CT_EQUAL(Size, sizeof(ULONG) + sizeof(RTL_BALANCED_LINKS));
    if (*(PBOOLEAN)Table->TableContext)
        return NULL;
    Live++;
    return ExAllocatePoolWithTag(NonPagedPoolNx, Size, 'tbaT');
}

static VOID NTAPI AvlFree(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    UNREFERENCED_PARAMETER(Table);
    Live--;
    ExFreePoolWithTag(Buffer, 'tbaT');
}

static BOOLEAN AvlFails;

/* The keys 0, 2 ... 198 in an order that is none. */
static VOID FillAvl(PRTL_AVL_TABLE Table)
{
    Live = 0;
    AvlFails = FALSE;
    RtlInitializeGenericTableAvl(Table, AvlCompare, AvlAllocate, AvlFree, &AvlFails);
    for (ULONG i = 0; i < 100; i++) {
        ULONG Key = i * 37 % 100 * 2;
        BOOLEAN New = FALSE;
        CT_CHECK(RtlInsertElementGenericTableAvl(Table, &Key, sizeof(Key), &New) != NULL && New);
    }
    CT_EQUAL(RtlNumberGenericTableElementsAvl(Table), 100);
    CT_CHECK(Table->DepthOfTree >= 7 && Table->DepthOfTree <= 9); /* 1.44 log2 n */
}

static VOID EmptyAvl(PRTL_AVL_TABLE Table)
{
    for (PVOID p; (p = RtlGetElementGenericTableAvl(Table, 0)) != NULL;)
        CT_CHECK(RtlDeleteElementGenericTableAvl(Table, p));
    CT_CHECK(RtlIsGenericTableEmptyAvl(Table));
    CT_EQUAL(Live, 0);
}

static VOID TableCtAvl(VOID)
{
    RTL_AVL_TABLE Table;
    TABLE_SEARCH_RESULT Result;
    ULONG Probe = 20, Absent = 25;
    PVOID Node;
    BOOLEAN New = TRUE;

    FillAvl(&Table);
    PULONG Found = RtlLookupElementGenericTableAvl(&Table, &Probe);
    CT_REQUIRE(Found != NULL);
    CT_CHECK(RtlInsertElementGenericTableAvl(&Table, &Probe, sizeof(Probe), &New) == Found && !New);
    CT_CHECK(RtlLookupElementGenericTableFullAvl(&Table, &Probe, &Node, &Result) == Found);
    CT_EQUAL(Result, TableFoundNode);
    CT_CHECK(RtlLookupElementGenericTableFullAvl(&Table, &Absent, &Node, &Result) == NULL);
    AvlFails = New = TRUE;
    CT_CHECK(RtlInsertElementGenericTableFullAvl(&Table, &Absent, sizeof(Absent), &New, Node, Result) ==
                 NULL &&
             !New);
    AvlFails = FALSE;
    CT_CHECK(RtlInsertElementGenericTableFullAvl(&Table, &Absent, sizeof(Absent), &New, Node, Result) !=
                 NULL &&
             New);
    CT_EQUAL(*(PULONG)RtlGetElementGenericTableAvl(&Table, 13), 25); /* the order of the keys */
    CT_CHECK(RtlDeleteElementGenericTableAvl(&Table, &Absent) &&
             !RtlDeleteElementGenericTableAvl(&Table, &Absent));
    CT_CHECK(RtlGetElementGenericTableAvl(&Table, 100) == NULL);
    EmptyAvl(&Table);
}

static NTSTATUS NTAPI Match(PRTL_AVL_TABLE Table, PVOID UserData, PVOID MatchData)
{
    ULONG Key = *(PULONG)UserData;
    UNREFERENCED_PARAMETER(Table);
    if (Key > *(PULONG)MatchData)
        return STATUS_NO_MORE_MATCHES;
    return Key % 10 == 0 ? STATUS_SUCCESS : STATUS_NO_MATCH;
}

static VOID CheckDirectory(PRTL_AVL_TABLE Table)
{
    ULONG Limit = 100, From = 15, Deletes = 0, Expected = 20, Next = FALSE;
    PVOID Key = NULL;
    PULONG p;

    while ((p = RtlEnumerateGenericTableLikeADirectory(Table, Match, &Limit, Next, &Key, &Deletes, &From)) !=
           NULL) {
        CT_EQUAL(*p, Expected);
        Expected += 10;
        From = *p;
        Next = TRUE;
        if (From == 40)
            CT_CHECK(RtlDeleteElementGenericTableAvl(Table, p));
    }
    CT_EQUAL(Expected, 110);
}

static VOID TableCtAvlEnumerate(VOID)
{
    RTL_AVL_TABLE Table;
    PVOID Key = NULL;
    ULONG Expected = 0, Probe = 70;

    FillAvl(&Table);
    for (PULONG p = RtlEnumerateGenericTableAvl(&Table, TRUE); p != NULL;
         p = RtlEnumerateGenericTableAvl(&Table, FALSE)) {
        CT_EQUAL(*p, Expected);
        Expected += 2;
    }
    CT_EQUAL(Expected, 200);
    Expected = 0;
    for (PULONG p; (p = RtlEnumerateGenericTableWithoutSplayingAvl(&Table, &Key)) != NULL; Expected += 2)
        CT_EQUAL(*p, Expected);
    CT_EQUAL(Expected, 200);
    CT_EQUAL(*(PULONG)RtlLookupFirstMatchingElementGenericTableAvl(&Table, &Probe, &Key), 70);
    CT_EQUAL(*(PULONG)RtlEnumerateGenericTableWithoutSplayingAvl(&Table, &Key), 72);
    CheckDirectory(&Table);
    EmptyAvl(&Table);
}

/* --- prefixes --- */

static VOID TableCtPrefix(VOID)
{
    UNICODE_PREFIX_TABLE Table;
    UNICODE_PREFIX_TABLE_ENTRY Entries[3];
    UNICODE_STRING Dos = RTL_CONSTANT_STRING(L"\\Dos"), DosBin = RTL_CONSTANT_STRING(L"\\Dos\\Bin"),
                   Upper = RTL_CONSTANT_STRING(L"\\DOS"), Name = RTL_CONSTANT_STRING(L"\\dos\\bin\\edit");
    ULONG Count = 0;

    RtlInitializeUnicodePrefix(&Table);
    CT_CHECK(RtlFindUnicodePrefix(&Table, &Name, 0) == NULL);
    CT_CHECK(RtlInsertUnicodePrefix(&Table, &Dos, &Entries[0]));
    CT_CHECK(!RtlInsertUnicodePrefix(&Table, &Dos, &Entries[1]));
    CT_CHECK(RtlInsertUnicodePrefix(&Table, &DosBin, &Entries[1]));
    CT_CHECK(RtlInsertUnicodePrefix(&Table, &Upper, &Entries[2]));
    CT_CHECK(RtlFindUnicodePrefix(&Table, &Name, 0) == &Entries[1]);
    CT_CHECK(RtlFindUnicodePrefix(&Table, &Name, 4) == NULL); /* "\dos" differs in case */
    CT_CHECK(RtlFindUnicodePrefix(&Table, &Upper, 4) == &Entries[2]);
    for (PUNICODE_PREFIX_TABLE_ENTRY e = RtlNextUnicodePrefix(&Table, TRUE); e != NULL;
         e = RtlNextUnicodePrefix(&Table, FALSE))
        Count++;
    CT_EQUAL(Count, 3);
    RtlRemoveUnicodePrefix(&Table, &Entries[1]);
    RtlRemoveUnicodePrefix(&Table, &Entries[0]);
    CT_CHECK(RtlFindUnicodePrefix(&Table, &Name, 0) == &Entries[2]);
    RtlRemoveUnicodePrefix(&Table, &Entries[2]);
    CT_CHECK(RtlNextUnicodePrefix(&Table, TRUE) == NULL);
}

/* --- hash tables --- */

#define HASHED 300

static ULONG CountHashed(PRTL_DYNAMIC_HASH_TABLE Table, BOOLEAN Weak)
{
    RTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator;
    ULONG Count = 0;

    if (Weak) {
        CT_CHECK(RtlInitWeakEnumerationHashTable(Table, &Enumerator));
        while (RtlWeaklyEnumerateEntryHashTable(Table, &Enumerator) != NULL)
            Count++;
        RtlEndWeakEnumerationHashTable(Table, &Enumerator);
    } else {
        CT_CHECK(RtlInitEnumerationHashTable(Table, &Enumerator));
        CT_EQUAL(RtlActiveEnumeratorsHashTable(Table), 1);
        while (RtlEnumerateEntryHashTable(Table, &Enumerator) != NULL)
            Count++;
        RtlEndEnumerationHashTable(Table, &Enumerator);
    }
    return Count;
}

static VOID CheckHashed(PRTL_DYNAMIC_HASH_TABLE Table, PRTL_DYNAMIC_HASH_TABLE_ENTRY Entries)
{
    RTL_DYNAMIC_HASH_TABLE_CONTEXT Context;

    RtlInitHashTableContext(&Context);
    PRTL_DYNAMIC_HASH_TABLE_ENTRY First = RtlLookupEntryHashTable(Table, 7, &Context);
    PRTL_DYNAMIC_HASH_TABLE_ENTRY Second = RtlGetNextEntryHashTable(Table, &Context);
    CT_CHECK((First == &Entries[7] && Second == &Entries[157]) ||
             (First == &Entries[157] && Second == &Entries[7]));
    CT_CHECK(RtlGetNextEntryHashTable(Table, &Context) == NULL);
    CT_CHECK(RtlLookupEntryHashTable(Table, 1000, NULL) == NULL);
    CT_EQUAL(RtlTotalEntriesHashTable(Table), HASHED);
}

/* Each of the signatures 1000.. and 150 others belongs to two entries. */
static VOID TableCtHash(VOID)
{
    PRTL_DYNAMIC_HASH_TABLE Table = NULL;
    PRTL_DYNAMIC_HASH_TABLE_ENTRY Entries =
        ExAllocatePoolWithTag(NonPagedPoolNx, HASHED * sizeof(*Entries), 'tbaT');

    CT_REQUIRE(Entries != NULL);
    CT_CHECK(RtlCreateHashTable(&Table, 0, 0));
    ULONG Buckets = RtlTotalBucketsHashTable(Table);
    for (ULONG i = 0; i < HASHED; i++)
        CT_CHECK(RtlInsertEntryHashTable(Table, &Entries[i], i % 150 == 0 ? 500 : i % 150, NULL));
    CheckHashed(Table, Entries);
    for (ULONG i = 0; i < 200; i++)
        CT_CHECK(RtlExpandHashTable(Table));
    CT_EQUAL(RtlTotalBucketsHashTable(Table), Buckets + 200);
    CheckHashed(Table, Entries);
    CT_EQUAL(CountHashed(Table, FALSE), HASHED);
    for (ULONG i = 0; i < 200; i++)
        CT_CHECK(RtlContractHashTable(Table));
    CheckHashed(Table, Entries);
    CT_EQUAL(CountHashed(Table, TRUE), HASHED);
    for (ULONG i = 0; i < HASHED; i++)
        CT_CHECK(RtlRemoveEntryHashTable(Table, &Entries[i], NULL));
    CT_EQUAL(RtlNonEmptyBucketsHashTable(Table), 0);
    RtlDeleteHashTable(Table);
    ExFreePoolWithTag(Entries, 'tbaT');
}

static const CT_CASE Cases[] = {
    {"table.splay", TableCtSplay},   {"table.links", TableCtLinks},
    {"table.avl", TableCtAvl},       {"table.avl_enumerate", TableCtAvlEnumerate},
    {"table.prefix", TableCtPrefix}, {"table.hash", TableCtHash},
};
CT_DRIVER(Cases)

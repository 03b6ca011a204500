/* SPDX-License-Identifier: MIT
 * Generic tables, splay and AVL, against a model: an array of flags for the keys 0..KEYS-1. After each change the tree is walked and its
 * invariants are checked. */
#include "rtl_test.h"

#define KEYS 97
#define STEPS 6000

typedef struct _ITEM {
    ULONG Key, Stamp;
} ITEM;

typedef struct _MODEL {
    BOOLEAN Present[KEYS];
    ULONG Count, Order[KEYS]; /* keys in the order of insertion */
    long Live;
    BOOLEAN Fail;
} MODEL;
static MODEL Model;
static uint64_t Seed;

static ULONG random_below(ULONG Limit)
{
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    return (ULONG)(Seed >> 33) % Limit;
}

static PVOID allocate(CLONG Size)
{
    if (Model.Fail)
        return NULL;
    Model.Live++;
    return malloc(Size);
}

static void model_insert(ULONG Key)
{
    Model.Present[Key] = TRUE;
    Model.Order[Model.Count++] = Key;
}

static void model_delete(ULONG Key)
{
    ULONG Kept = 0;
    Model.Present[Key] = FALSE;
    for (ULONG i = 0; i < Model.Count; i++) {
        if (Model.Order[i] != Key)
            Model.Order[Kept++] = Model.Order[i];
    }
    Model.Count = Kept;
}

/* The least key above Key, KEYS for none. */
static ULONG model_next(int Key)
{
    do
        Key++;
    while (Key < KEYS && !Model.Present[Key]);
    return (ULONG)Key;
}

static RTL_GENERIC_COMPARE_RESULTS compare_keys(PVOID First, PVOID Second)
{
    ULONG a = ((ITEM *)First)->Key, b = ((ITEM *)Second)->Key;
    return a < b ? GenericLessThan : a > b ? GenericGreaterThan : GenericEqual;
}

/* --- splay --- */

static RTL_GENERIC_TABLE Splay;

static RTL_GENERIC_COMPARE_RESULTS splay_compare(PRTL_GENERIC_TABLE Table, PVOID First, PVOID Second)
{
    assert_ptr_equal(Table->TableContext, &Model);
    return compare_keys(First, Second);
}

static PVOID splay_allocate(PRTL_GENERIC_TABLE Table, CLONG Size)
{
    (void)Table;
    assert_int_equal(Size, sizeof(ITEM) + sizeof(RTL_SPLAY_LINKS) + sizeof(LIST_ENTRY));
    return allocate(Size);
}

static VOID splay_free(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    (void)Table;
    Model.Live--;
    free(Buffer);
}

static void splay_reset(void)
{
    memset(&Model, 0, sizeof(Model));
    Seed = 7;
    RtlInitializeGenericTable(&Splay, splay_compare, splay_allocate, splay_free, &Model);
}

static ULONG check_splay_node(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS Parent)
{
    if (Links == NULL)
        return 0;
    assert_ptr_equal(Links->Parent, Parent);
    return 1 + check_splay_node(Links->LeftChild, Links) + check_splay_node(Links->RightChild, Links);
}

static void check_splay(void)
{
    PVOID Restart = NULL;
    int Last = -1;
    ITEM *Item;
    assert_int_equal(RtlNumberGenericTableElements(&Splay), Model.Count);
    assert_int_equal(RtlIsGenericTableEmpty(&Splay), Model.Count == 0);
    assert_int_equal(Model.Live, Model.Count);
    assert_int_equal(check_splay_node(Splay.TableRoot, Splay.TableRoot), Model.Count);
    while ((Item = RtlEnumerateGenericTableWithoutSplaying(&Splay, &Restart)) != NULL) {
        assert_int_equal(Item->Key, model_next(Last));
        Last = (int)Item->Key;
    }
    assert_int_equal(model_next(Last), KEYS);
    if (Model.Count != 0) {
        ULONG i = random_below(Model.Count);
        Item = RtlGetElementGenericTable(&Splay, i);
        assert_int_equal(Item->Key, Model.Order[i]);
    }
    assert_null(RtlGetElementGenericTable(&Splay, Model.Count));
}

static void splay_step(void)
{
    ITEM Probe = {random_below(KEYS), random_below(1000)}, *Item;
    BOOLEAN Was = Model.Present[Probe.Key], New;
    switch (random_below(4)) {
    case 0:
    case 1:
        Item = RtlInsertElementGenericTable(&Splay, &Probe, sizeof(Probe), &New);
        assert_true(Item->Key == Probe.Key && New == !Was && (Was || Item->Stamp == Probe.Stamp));
        if (!Was)
            model_insert(Probe.Key);
        break;
    case 2:
        assert_int_equal(RtlDeleteElementGenericTable(&Splay, &Probe), Was);
        if (Was)
            model_delete(Probe.Key);
        break;
    default:
        Item = RtlLookupElementGenericTable(&Splay, &Probe);
        assert_int_equal(Item != NULL, Was);
        assert_true(Item == NULL || Item->Key == Probe.Key);
    }
}

static void test_splay(void **state)
{
    (void)state;
    splay_reset();
    for (int i = 0; i < STEPS; i++) {
        splay_step();
        check_splay();
    }
    int Last = -1;
    for (ITEM *p = RtlEnumerateGenericTable(&Splay, TRUE); p != NULL;
         p = RtlEnumerateGenericTable(&Splay, FALSE)) {
        assert_int_equal(p->Key, model_next(Last));
        Last = (int)p->Key;
    }
    assert_int_equal(model_next(Last), KEYS);
    for (ITEM *p; (p = RtlEnumerateGenericTable(&Splay, TRUE)) != NULL;) {
        model_delete(p->Key);
        assert_true(RtlDeleteElementGenericTable(&Splay, &(ITEM){.Key = p->Key}));
        check_splay();
    }
    assert_int_equal(Model.Live, 0);
}

static void test_splay_full(void **state)
{
    ITEM Five = {5, 1}, Three = {3, 1}, *Item;
    TABLE_SEARCH_RESULT Result;
    PVOID Node = &Node;
    BOOLEAN New = TRUE;
    (void)state;
    splay_reset();
    assert_null(RtlEnumerateGenericTable(&Splay, TRUE));
    assert_null(RtlEnumerateGenericTable(&Splay, FALSE));
    assert_null(RtlLookupElementGenericTableFull(&Splay, &Five, &Node, &Result));
    assert_true(Result == TableEmptyTree && Node == &Node);
    Model.Fail = TRUE;
    assert_null(RtlInsertElementGenericTableFull(&Splay, &Five, sizeof(Five), &New, Node, Result));
    assert_false(New);
    Model.Fail = FALSE;
    assert_null(RtlInsertElementGenericTable(&Splay, &Five, 0xFFFFFFF0, &New)); /* the size overflows */
    Item = RtlInsertElementGenericTableFull(&Splay, &Five, sizeof(Five), NULL, Node, Result);
    assert_int_equal(Item->Key, 5);
    assert_null(RtlLookupElementGenericTableFull(&Splay, &Three, &Node, &Result));
    assert_int_equal(Result, TableInsertAsLeft);
    assert_ptr_equal(Node, (char *)Item - 40);
    Item = RtlInsertElementGenericTableFull(&Splay, &Three, sizeof(Three), &New, Node, Result);
    assert_true(New && Item->Key == 3);
    assert_ptr_equal(RtlLookupElementGenericTableFull(&Splay, &Three, &Node, &Result), Item);
    assert_int_equal(Result, TableFoundNode);
    assert_ptr_equal(RtlInsertElementGenericTableFull(&Splay, &Three, sizeof(Three), &New, Node, Result),
                     Item);
    assert_false(New);
    assert_true(RtlDeleteElementGenericTable(&Splay, &Three) && RtlDeleteElementGenericTable(&Splay, &Five));
    assert_false(RtlDeleteElementGenericTable(&Splay, &Five));
}

/* A chain of links to the right, by hand: neighbours, splaying the last, deleting without splaying. */
static void test_links(void **state)
{
    RTL_SPLAY_LINKS Links[5] = {0}, *Root = &Links[0];
    (void)state;
    for (int i = 0; i < 5; i++) {
        Links[i].Parent = i == 0 ? &Links[0] : &Links[i - 1];
        Links[i].RightChild = i == 4 ? NULL : &Links[i + 1];
    }
    assert_ptr_equal(RtlRealSuccessor(&Links[1]), &Links[2]);
    assert_null(RtlRealSuccessor(&Links[4]));
    assert_ptr_equal(RtlRealPredecessor(&Links[4]), &Links[3]);
    assert_null(RtlRealPredecessor(&Links[0]));
    assert_ptr_equal(RtlSubtreeSuccessor(&Links[0]), &Links[1]);
    assert_null(RtlSubtreePredecessor(&Links[3]));
    assert_ptr_equal(RtlSplay(&Links[4]), &Links[4]);
    assert_ptr_equal(RtlSubtreePredecessor(&Links[4]), &Links[3]);
    assert_int_equal(check_splay_node(&Links[4], &Links[4]), 5);
    Root = RtlSplay(&Links[2]);
    RtlDeleteNoSplay(&Links[2], &Root);
    assert_ptr_equal(Root, &Links[1]); /* the predecessor took the place */
    assert_int_equal(check_splay_node(Root, Root), 4);
    Root = RtlDelete(&Links[3]);
    assert_int_equal(check_splay_node(Root, Root), 3);
    assert_ptr_equal(RtlRealSuccessor(&Links[1]), &Links[4]);
    RtlDeleteNoSplay(&Links[0], &Root);
    Root = RtlDelete(&Links[1]);
    assert_ptr_equal(Root, &Links[4]);
    RtlDeleteNoSplay(&Links[4], &Root);
    assert_null(Root);
}

/* --- AVL --- */

static RTL_AVL_TABLE Avl;

static RTL_GENERIC_COMPARE_RESULTS avl_compare(PRTL_AVL_TABLE Table, PVOID First, PVOID Second)
{
    assert_ptr_equal(Table->TableContext, &Model);
    return compare_keys(First, Second);
}

static PVOID avl_allocate(PRTL_AVL_TABLE Table, CLONG Size)
{
    (void)Table;
    assert_int_equal(Size, sizeof(ITEM) + sizeof(RTL_BALANCED_LINKS));
    return allocate(Size);
}

static VOID avl_free(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    (void)Table;
    Model.Live--;
    free(Buffer);
}

static void avl_reset(void)
{
    memset(&Model, 0, sizeof(Model));
    Seed = 11;
    RtlInitializeGenericTableAvl(&Avl, avl_compare, avl_allocate, avl_free, &Model);
}

/* The depth; parents, balances and their range are as they must be. */
static ULONG check_avl_node(PRTL_BALANCED_LINKS Node, PRTL_BALANCED_LINKS Parent)
{
    if (Node == NULL)
        return 0;
    assert_ptr_equal(Node->Parent, Parent);
    ULONG Left = check_avl_node(Node->LeftChild, Node), Right = check_avl_node(Node->RightChild, Node);
    assert_int_equal(Node->Balance, (int)Right - (int)Left);
    assert_true(Node->Balance >= -1 && Node->Balance <= 1);
    return 1 + (Left > Right ? Left : Right);
}

static void check_avl(void)
{
    PVOID Restart = NULL;
    int Last = -1;
    ULONG Index = 0;
    ITEM *Item;
    assert_int_equal(RtlNumberGenericTableElementsAvl(&Avl), Model.Count);
    assert_int_equal(RtlIsGenericTableEmptyAvl(&Avl), Model.Count == 0);
    assert_int_equal(Model.Live, Model.Count);
    assert_int_equal(check_avl_node(Avl.BalancedRoot.RightChild, &Avl.BalancedRoot), Avl.DepthOfTree);
    ULONG Pick = Model.Count == 0 ? 0 : random_below(Model.Count);
    ITEM *Picked = RtlGetElementGenericTableAvl(&Avl, Pick);
    while ((Item = RtlEnumerateGenericTableWithoutSplayingAvl(&Avl, &Restart)) != NULL) {
        assert_int_equal(Item->Key, model_next(Last));
        assert_true(Index++ != Pick || Item == Picked);
        Last = (int)Item->Key;
    }
    assert_int_equal(model_next(Last), KEYS);
    assert_null(RtlGetElementGenericTableAvl(&Avl, Model.Count));
}

static void avl_step(void)
{
    ITEM Probe = {random_below(KEYS), random_below(1000)}, *Item;
    BOOLEAN Was = Model.Present[Probe.Key], New;
    switch (random_below(5)) {
    case 0:
    case 1:
        Item = RtlInsertElementGenericTableAvl(&Avl, &Probe, sizeof(Probe), &New);
        assert_true(Item->Key == Probe.Key && New == !Was && (Was || Item->Stamp == Probe.Stamp));
        if (!Was)
            model_insert(Probe.Key);
        break;
    case 2:
    case 3:
        assert_int_equal(RtlDeleteElementGenericTableAvl(&Avl, &Probe), Was);
        if (Was)
            model_delete(Probe.Key);
        break;
    default:
        Item = RtlLookupElementGenericTableAvl(&Avl, &Probe);
        assert_int_equal(Item != NULL, Was);
        assert_true(Item == NULL || Item->Key == Probe.Key);
    }
}

static void test_avl(void **state)
{
    (void)state;
    avl_reset();
    for (int i = 0; i < STEPS; i++) {
        avl_step();
        check_avl();
    }
    for (ULONG i = 0; i < KEYS; i++) { /* ascending: the worst order for an unbalanced tree */
        BOOLEAN New;
        RtlInsertElementGenericTableAvl(&Avl, &(ITEM){.Key = i}, sizeof(ITEM), &New);
        if (New)
            model_insert(i);
        check_avl();
    }
    for (ITEM *p; (p = RtlEnumerateGenericTableAvl(&Avl, TRUE)) != NULL;) {
        model_delete(p->Key);
        assert_true(RtlDeleteElementGenericTableAvl(&Avl, &(ITEM){.Key = p->Key}));
        check_avl();
    }
    assert_int_equal(Model.Live, 0);
}

static void avl_fill(ULONG Step)
{
    avl_reset();
    for (ULONG i = 0; i < KEYS; i += Step) {
        model_insert(i);
        RtlInsertElementGenericTableAvl(&Avl, &(ITEM){.Key = i}, sizeof(ITEM), NULL);
    }
}

static void avl_empty(void)
{
    while (RtlNumberGenericTableElementsAvl(&Avl) != 0)
        RtlDeleteElementGenericTableAvl(&Avl, RtlGetElementGenericTableAvl(&Avl, 0));
    assert_int_equal(Model.Live, 0);
}

/* Deleting what was just returned, or others, skips and repeats nothing. */
static void test_avl_enumerate(void **state)
{
    ULONG Seen = 0;
    (void)state;
    avl_fill(1);
    for (ITEM *p = RtlEnumerateGenericTableAvl(&Avl, TRUE); p != NULL;
         p = RtlEnumerateGenericTableAvl(&Avl, FALSE)) {
        ULONG Key = p->Key;
        assert_int_equal(Key, Seen++);
        if (Key % 3 != 1)
            assert_true(RtlDeleteElementGenericTableAvl(&Avl, &(ITEM){.Key = Key}));
        if (Key >= 7)
            RtlDeleteElementGenericTableAvl(&Avl, &(ITEM){.Key = Key - 6});
    }
    assert_int_equal(Seen, KEYS);
    avl_empty();
}

static RTL_GENERIC_COMPARE_RESULTS compare_tens(PRTL_AVL_TABLE Table, PVOID First, PVOID Second)
{
    ITEM a = {((ITEM *)First)->Key / 10, 0}, b = {((ITEM *)Second)->Key / 10, 0};
    (void)Table;
    return compare_keys(&a, &b);
}

static void test_avl_first_matching(void **state)
{
    PVOID Restart = NULL;
    (void)state;
    avl_fill(1);
    Avl.CompareRoutine = compare_tens; /* coarser, the same order */
    for (ULONG Ten = 0; Ten * 10 < KEYS; Ten++) {
        ITEM *p = RtlLookupFirstMatchingElementGenericTableAvl(&Avl, &(ITEM){.Key = Ten * 10 + 9}, &Restart);
        assert_int_equal(p->Key, Ten * 10);
        p = RtlEnumerateGenericTableWithoutSplayingAvl(&Avl, &Restart);
        assert_int_equal(p->Key, Ten * 10 + 1);
    }
    assert_null(RtlLookupFirstMatchingElementGenericTableAvl(&Avl, &(ITEM){.Key = 500}, &Restart));
    Avl.CompareRoutine = avl_compare;
    avl_empty();
}

static NTSTATUS match(PRTL_AVL_TABLE Table, PVOID UserData, PVOID MatchData)
{
    ULONG Key = ((ITEM *)UserData)->Key;
    assert_ptr_equal(Table, &Avl);
    assert_ptr_equal(MatchData, &Seed);
    return Key >= 60 ? STATUS_NO_MORE_MATCHES : Key % 4 == 0 ? STATUS_SUCCESS : STATUS_NO_MATCH;
}

static ITEM *like_a_directory(ULONG Next, PVOID *Restart, PULONG Deletes, ULONG Key)
{
    return RtlEnumerateGenericTableLikeADirectory(&Avl, match, &Seed, Next, Restart, Deletes,
                                                  &(ITEM){.Key = Key});
}

static void test_avl_directory(void **state)
{
    PVOID Restart = NULL;
    ULONG Deletes = 0, Seen = 0, Key = 0;
    (void)state;
    avl_fill(2);
    for (ITEM *p = like_a_directory(FALSE, &Restart, &Deletes, 0); p != NULL;
         p = like_a_directory(TRUE, &Restart, &Deletes, Key)) {
        assert_int_equal(p->Key, Seen);
        Seen += 4;
        Key = p->Key;
        if (Key % 8 == 0)
            assert_true(RtlDeleteElementGenericTableAvl(&Avl, p)); /* Buffer goes on behind it */
    }
    assert_int_equal(Seen, 60);
    assert_null(Restart);
    Restart = NULL;
    Deletes = Avl.DeleteCount;
    assert_int_equal(like_a_directory(FALSE, &Restart, &Deletes, 13)->Key, 20); /* between two elements */
    assert_int_equal(like_a_directory(FALSE, &Restart, &Deletes, 99)->Key,
                     20); /* the key counts, not Buffer */
    assert_int_equal(like_a_directory(TRUE, &Restart, &Deletes, 0)->Key, 28);
    Restart = NULL;
    assert_int_equal(like_a_directory(FALSE, &Restart, &Deletes, 12)->Key, 12);
    Restart = NULL;
    assert_null(
        RtlEnumerateGenericTableLikeADirectory(&Avl, NULL, NULL, TRUE, &Restart, &Deletes, &(ITEM){96, 0}));
    avl_empty();
    Restart = NULL;
    assert_null(like_a_directory(FALSE, &Restart, &Deletes, 0));
}

static void test_avl_failure(void **state)
{
    ITEM One = {1, 1};
    BOOLEAN New = TRUE;
    TABLE_SEARCH_RESULT Result;
    PVOID Node;
    (void)state;
    avl_reset();
    Model.Fail = TRUE;
    assert_null(RtlInsertElementGenericTableAvl(&Avl, &One, sizeof(One), &New));
    assert_true(!New && Avl.NumberGenericTableElements == 0);
    Model.Fail = FALSE;
    assert_null(RtlInsertElementGenericTableAvl(&Avl, &One, 0xFFFFFFF0, &New));
    assert_null(RtlLookupElementGenericTableFullAvl(&Avl, &One, &Node, &Result));
    assert_int_equal(Result, TableEmptyTree);
    ITEM *Item = RtlInsertElementGenericTableFullAvl(&Avl, &One, sizeof(One), &New, NULL, Result);
    assert_true(New && Item->Key == 1);
    assert_ptr_equal(RtlLookupElementGenericTableFullAvl(&Avl, &One, &Node, &Result), Item);
    assert_ptr_equal((PRTL_BALANCED_LINKS)Node + 1, Item);
    avl_empty();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splay),         cmocka_unit_test(test_splay_full),
        cmocka_unit_test(test_links),         cmocka_unit_test(test_avl),
        cmocka_unit_test(test_avl_enumerate), cmocka_unit_test(test_avl_first_matching),
        cmocka_unit_test(test_avl_directory), cmocka_unit_test(test_avl_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

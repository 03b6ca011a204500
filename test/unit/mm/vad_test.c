/* SPDX-License-Identifier: MIT
 * The tree of address ranges against the simplest model, an array that says of each page whose it is: random operations, every
 * answer compared, the tree's own rules checked after each. And the protections: all 65,536 values of 16 bits. */
#include "mm/user_protection.h"
#include "mm/vad.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PAGES 400u

static uint64_t Random(uint64_t *State)
{
    *State ^= *State << 13;
    *State ^= *State >> 7;
    *State ^= *State << 17;
    return *State;
}

typedef struct MODEL {
    MI_VAD_TREE Tree;
    MI_VAD_NODE *Owner[PAGES];
    uint64_t Seed, Nodes;
} MODEL;

/* Returns how many nodes there are. Depth first, in order: *Next is the lowest page that may come. */
static uint64_t CheckNode(const MODEL *M, const MI_VAD_NODE *Node, uint64_t *Next)
{
    if (Node == NULL)
        return 0;
    uint32_t Left = Node->Left != NULL ? Node->Left->Height : 0;
    uint32_t Right = Node->Right != NULL ? Node->Right->Height : 0;
    assert_true(Left <= Right + 1 && Right <= Left + 1);
    assert_int_equal(Node->Height, 1 + (Left > Right ? Left : Right));
    uint64_t Count = 1 + CheckNode(M, Node->Left, Next);
    assert_true(Node->First >= *Next && Node->First <= Node->Last && Node->Last < PAGES);
    for (uint64_t Page = Node->First; Page <= Node->Last; Page++)
        assert_ptr_equal(M->Owner[Page], Node);
    *Next = Node->Last + 1;
    Count += CheckNode(M, Node->Right, Next);
    uint64_t Gap = 0, Run = 0;
    for (uint64_t Page = Node->LowestFirst; Page <= Node->HighestLast; Page++) {
        Run = M->Owner[Page] == NULL ? Run + 1 : 0;
        Gap = Run > Gap ? Run : Gap;
    }
    assert_int_equal(Node->LargestGap, Gap);
    return Count;
}

static void CheckTree(const MODEL *M)
{
    uint64_t Next = 0, Count = CheckNode(M, M->Tree.Root, &Next);
    assert_int_equal(Count, M->Nodes);
    assert_int_equal(Count, M->Tree.Count);
}

static void SetOwner(MODEL *M, uint64_t First, uint64_t Last, MI_VAD_NODE *Node)
{
    for (uint64_t Page = First; Page <= Last; Page++)
        M->Owner[Page] = Node;
}

static bool IsFree(const MODEL *M, uint64_t First, uint64_t Last)
{
    for (uint64_t Page = First; Page <= Last; Page++)
        if (M->Owner[Page] != NULL)
            return false;
    return true;
}

static void TryInsert(MODEL *M)
{
    MI_VAD_NODE *Node = malloc(sizeof(*Node));
    memset(Node, 0xee, sizeof(*Node));
    Node->First = Random(&M->Seed) % PAGES;
    Node->Last = Node->First + Random(&M->Seed) % (Random(&M->Seed) % 8 ? 6 : 60);
    if (Node->Last >= PAGES)
        Node->Last = PAGES - 1;
    bool Free = IsFree(M, Node->First, Node->Last);
    assert_int_equal(MiVadInsert(&M->Tree, Node), Free);
    if (!Free) {
        free(Node);
        return;
    }
    SetOwner(M, Node->First, Node->Last, Node);
    M->Nodes++;
}

static MI_VAD_NODE *AnyNode(MODEL *M)
{
    return M->Owner[Random(&M->Seed) % PAGES];
}

static void TryRemove(MODEL *M)
{
    MI_VAD_NODE *Node = AnyNode(M);
    if (Node == NULL)
        return;
    MiVadRemove(&M->Tree, Node);
    SetOwner(M, Node->First, Node->Last, NULL);
    M->Nodes--;
    free(Node);
}

static void TrySplit(MODEL *M)
{
    MI_VAD_NODE *Node = AnyNode(M);
    if (Node == NULL || Node->First == Node->Last)
        return;
    MI_VAD_NODE *Upper = malloc(sizeof(*Upper));
    uint64_t Page = Node->First + 1 + Random(&M->Seed) % (Node->Last - Node->First), Last = Node->Last;
    MiVadSplit(&M->Tree, Node, Upper, Page);
    assert_true(Node->Last == Page - 1 && Upper->First == Page && Upper->Last == Last);
    SetOwner(M, Page, Last, Upper);
    M->Nodes++;
}

/* Cut at either end. */
static void TryResize(MODEL *M)
{
    MI_VAD_NODE *Node = AnyNode(M);
    if (Node == NULL)
        return;
    uint64_t First = Node->First, Last = Node->Last, Cut = Random(&M->Seed) % (Last - First + 1);
    SetOwner(M, First, Last, NULL);
    if (Random(&M->Seed) % 2)
        First += Cut;
    else
        Last -= Cut;
    SetOwner(M, First, Last, Node);
    MiVadResize(&M->Tree, Node, First, Last);
}

static uint64_t ModelGap(const MODEL *M, const MI_VAD_WISH *Wish)
{
    uint64_t Best = MI_VAD_NONE;
    for (uint64_t At = Wish->Lowest; At + Wish->Pages <= Wish->Highest + 1 && At + Wish->Pages <= PAGES;
         At++) {
        if (At % Wish->Alignment != 0 || !IsFree(M, At, At + Wish->Pages - 1))
            continue;
        Best = At;
        if (!Wish->TopDown)
            break;
    }
    return Best;
}

static void CheckAnswers(MODEL *M)
{
    uint64_t First = Random(&M->Seed) % PAGES, Last = First + Random(&M->Seed) % (PAGES - First);
    assert_ptr_equal(MiVadFind(&M->Tree, First), M->Owner[First]);
    MI_VAD_NODE *Lowest = NULL;
    for (uint64_t Page = First; Page <= Last && Lowest == NULL; Page++)
        Lowest = M->Owner[Page];
    assert_ptr_equal(MiVadFindFirst(&M->Tree, First, Last), Lowest);
    MI_VAD_WISH Wish = {1 + Random(&M->Seed) % 40, First, Last, 1ull << Random(&M->Seed) % 5,
                        Random(&M->Seed) % 2};
    assert_int_equal(MiVadFindGap(&M->Tree, &Wish), ModelGap(M, &Wish));
}

static void RandomOperations(uint64_t Seed, unsigned Steps)
{
    static void (*const Operations[])(MODEL *) = {TryInsert, TryInsert, TryInsert, TryRemove,
                                                  TryRemove, TrySplit,  TryResize};
    MODEL M = {.Seed = Seed};
    for (unsigned Step = 0; Step < Steps; Step++) {
        Operations[Random(&M.Seed) % (sizeof(Operations) / sizeof(Operations[0]))](&M);
        CheckTree(&M);
        CheckAnswers(&M);
    }
    while (M.Tree.Root != NULL) {
        MI_VAD_NODE *Node = M.Tree.Root;
        MiVadRemove(&M.Tree, Node);
        SetOwner(&M, Node->First, Node->Last, NULL);
        M.Nodes--;
        free(Node);
        CheckTree(&M);
    }
}

static void the_tree_agrees_with_the_model(void **State)
{
    (void)State;
    for (uint64_t Seed = 1; Seed <= 12; Seed++)
        RandomOperations(Seed * 0x9e3779b97f4a7c15ull, 1500);
}

static void rising_ranges_stay_balanced(void **State)
{
    (void)State;
    static MI_VAD_NODE Nodes[4096];
    MI_VAD_TREE Tree = {0};
    for (uint64_t I = 0; I < 4096; I++) {
        Nodes[I].First = Nodes[I].Last = 2 * I;
        assert_true(MiVadInsert(&Tree, &Nodes[I]));
    }
    assert_true(Tree.Root->Height <= 13);
    MI_VAD_WISH Wish = {2, 0, UINT64_MAX >> 20, 1, false};
    assert_int_equal(MiVadFindGap(&Tree, &Wish), 8191);
    Wish.Pages = 1;
    assert_int_equal(MiVadFindGap(&Tree, &Wish), 1);
    MI_VAD_NODE Overlap = {.First = 4000, .Last = 4001};
    assert_false(MiVadInsert(&Tree, &Overlap));
    Overlap = (MI_VAD_NODE){.First = 9001, .Last = 9000};
    assert_false(MiVadInsert(&Tree, &Overlap));
}

/* --- protections --- */

static unsigned Bits(uint32_t Value)
{
    return (unsigned)__builtin_popcount(Value);
}

static void protections_there_and_back(void **State)
{
    (void)State;
    for (uint32_t Page = 0; Page < 0x10000; Page++) {
        MI_ACCESS Rights;
        bool Right = Bits(Page & 0xff) == 1 && Bits(Page & ~0xffu) <= 1 && Page <= 0x4ff &&
                     (Page & 0xff) + (Page & ~0xffu) == Page && !((Page & 0xff) == 1 && Page != 1);
        if ((Page & ~0xffu) & ~0x700u)
            Right = false;
        assert_int_equal(MiRightsFromPage(Page, &Rights), Right);
        if (Right)
            assert_int_equal(MiPageFromRights(Rights), Page);
    }
}

static MI_ACCESS Rights(uint32_t Page)
{
    MI_ACCESS Result = 0xff;
    assert_true(MiRightsFromPage(Page, &Result));
    return Result;
}

static void what_rights_mean(void **State)
{
    (void)State;
    assert_int_equal(MiPageFromRights(MiRightsOfCopy(Rights(0x08))), 0x04);
    assert_int_equal(MiPageFromRights(MiRightsOfCopy(Rights(0x80))), 0x40);
    assert_int_equal(MiPageFromRights(MiRightsOfCopy(Rights(0x102))), 0x102);
    assert_true(MiRightsPermit(Rights(0x04), Rights(0x02)) && MiRightsPermit(Rights(0x04), Rights(0x04)));
    assert_true(MiRightsPermit(Rights(0x02), Rights(0x08)) && MiRightsPermit(Rights(0x20), Rights(0x80)));
    assert_false(MiRightsPermit(Rights(0x02), Rights(0x04)) || MiRightsPermit(Rights(0x04), Rights(0x20)));
    assert_false(MiRightsPermit(Rights(0x08), Rights(0x04)));
    assert_true(MiRightsAllow(Rights(0x10), false, false) && MiRightsAllow(Rights(0x10), false, true));
    assert_false(MiRightsAllow(Rights(0x10), true, false) || MiRightsAllow(Rights(0x04), false, true));
    assert_false(MiRightsAllow(Rights(0x01), false, false) || MiRightsAllow(Rights(0x02), true, false));
    assert_true(MiRightsAllow(Rights(0x08), true, false) && MiRightsAllow(Rights(0x40), true, false));
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(the_tree_agrees_with_the_model),
        cmocka_unit_test(rising_ranges_stay_balanced),
        cmocka_unit_test(protections_there_and_back),
        cmocka_unit_test(what_rights_mean),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}

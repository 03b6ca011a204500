/* SPDX-License-Identifier: MIT
 * The tree of address ranges: an AVL tree whose nodes carry the extent and the largest gap of what lies below them. */
#include "mm/vad.h"
#include <stddef.h>

static uint32_t Height(const MI_VAD_NODE *Node)
{
    return Node != NULL ? Node->Height : 0;
}

static uint64_t Larger(uint64_t A, uint64_t B)
{
    return A > B ? A : B;
}

/* What a node says of those below it, from what they say. */
static void Update(MI_VAD_NODE *Node)
{
    const MI_VAD_NODE *Left = Node->Left, *Right = Node->Right;

    Node->Height = 1 + (Height(Left) > Height(Right) ? Height(Left) : Height(Right));
    Node->LowestFirst = Left != NULL ? Left->LowestFirst : Node->First;
    Node->HighestLast = Right != NULL ? Right->HighestLast : Node->Last;
    Node->LargestGap = 0;
    if (Left != NULL)
        Node->LargestGap = Larger(Left->LargestGap, Node->First - Left->HighestLast - 1);
    if (Right != NULL)
        Node->LargestGap =
            Larger(Node->LargestGap, Larger(Right->LargestGap, Right->LowestFirst - Node->Last - 1));
}

/* Node's child at Side comes up; what that has at Inner, its side towards Node, becomes Node's. */
static MI_VAD_NODE *Turn(MI_VAD_NODE *Node, MI_VAD_NODE **Side, MI_VAD_NODE **Inner)
{
    MI_VAD_NODE *Top = *Side;

    *Side = *Inner;
    *Inner = Node;
    Update(Node);
    Update(Top);
    return Top;
}

static MI_VAD_NODE *TurnRight(MI_VAD_NODE *Node)
{
    return Turn(Node, &Node->Left, &Node->Left->Right);
}

static MI_VAD_NODE *TurnLeft(MI_VAD_NODE *Node)
{
    return Turn(Node, &Node->Right, &Node->Right->Left);
}

/* The subtree's root after one of its sides has become at most one higher or lower. */
static MI_VAD_NODE *Balance(MI_VAD_NODE *Node)
{
    if (Height(Node->Left) > Height(Node->Right) + 1) {
        if (Height(Node->Left->Left) < Height(Node->Left->Right))
            Node->Left = TurnLeft(Node->Left);
        return TurnRight(Node);
    }
    if (Height(Node->Right) > Height(Node->Left) + 1) {
        if (Height(Node->Right->Right) < Height(Node->Right->Left))
            Node->Right = TurnRight(Node->Right);
        return TurnLeft(Node);
    }
    Update(Node);
    return Node;
}

/* As deep as the tree is high: 1.44 log2 of its nodes. */
static MI_VAD_NODE *InsertBelow(MI_VAD_NODE *Top, MI_VAD_NODE *Node)
{
    if (Top == NULL) {
        Update(Node);
        return Node;
    }
    if (Node->First < Top->First)
        Top->Left = InsertBelow(Top->Left, Node);
    else
        Top->Right = InsertBelow(Top->Right, Node);
    return Balance(Top);
}

static MI_VAD_NODE *TakeLowest(MI_VAD_NODE *Top, MI_VAD_NODE **Lowest)
{
    if (Top->Left == NULL) {
        *Lowest = Top;
        return Top->Right;
    }
    Top->Left = TakeLowest(Top->Left, Lowest);
    return Balance(Top);
}

static MI_VAD_NODE *RemoveHere(MI_VAD_NODE *Node)
{
    MI_VAD_NODE *Next;

    if (Node->Left == NULL)
        return Node->Right;
    if (Node->Right == NULL)
        return Node->Left;
    MI_VAD_NODE *Right = TakeLowest(Node->Right, &Next);
    Next->Left = Node->Left;
    Next->Right = Right;
    return Balance(Next);
}

static MI_VAD_NODE *RemoveBelow(MI_VAD_NODE *Top, const MI_VAD_NODE *Node)
{
    if (Top == Node)
        return RemoveHere(Top);
    if (Node->First < Top->First)
        Top->Left = RemoveBelow(Top->Left, Node);
    else
        Top->Right = RemoveBelow(Top->Right, Node);
    return Balance(Top);
}

bool MiVadInsert(MI_VAD_TREE *Tree, MI_VAD_NODE *Node)
{
    if (Node->First > Node->Last || MiVadFindFirst(Tree, Node->First, Node->Last) != NULL)
        return false;
    Node->Left = Node->Right = NULL;
    Tree->Root = InsertBelow(Tree->Root, Node);
    Tree->Count++;
    return true;
}

void MiVadRemove(MI_VAD_TREE *Tree, MI_VAD_NODE *Node)
{
    Tree->Root = RemoveBelow(Tree->Root, Node);
    Tree->Count--;
}

MI_VAD_NODE *MiVadFind(const MI_VAD_TREE *Tree, uint64_t Page)
{
    MI_VAD_NODE *Node = Tree->Root;

    while (Node != NULL && (Page < Node->First || Page > Node->Last))
        Node = Page < Node->First ? Node->Left : Node->Right;
    return Node;
}

MI_VAD_NODE *MiVadFindFirst(const MI_VAD_TREE *Tree, uint64_t First, uint64_t Last)
{
    MI_VAD_NODE *Node = Tree->Root, *Best = NULL;

    while (Node != NULL) {
        if (Node->Last < First) {
            Node = Node->Right;
            continue;
        }
        if (Node->First <= Last)
            Best = Node;
        Node = Node->Left;
    }
    return Best;
}

void MiVadResize(MI_VAD_TREE *Tree, MI_VAD_NODE *Node, uint64_t First, uint64_t Last)
{
    MiVadRemove(Tree, Node);
    Node->First = First;
    Node->Last = Last;
    Node->Left = Node->Right = NULL;
    Tree->Root = InsertBelow(Tree->Root, Node);
    Tree->Count++;
}

void MiVadSplit(MI_VAD_TREE *Tree, MI_VAD_NODE *Node, MI_VAD_NODE *Upper, uint64_t Page)
{
    Upper->First = Page;
    Upper->Last = Node->Last;
    Upper->Left = Upper->Right = NULL;
    MiVadResize(Tree, Node, Node->First, Page - 1);
    Tree->Root = InsertBelow(Tree->Root, Upper);
    Tree->Count++;
}

/* --- free places ------------------------------------------------------------------------------------------------ */

typedef struct SEARCH {
    const MI_VAD_WISH *Wish;
    uint64_t Edge; /* bottom-up: what lies below is done; top-down: what lies from here on */
    uint64_t Found;
} SEARCH;

/* Is there room in [Begin, End), and within the limits? */
static bool Fits(SEARCH *Search, uint64_t Begin, uint64_t End)
{
    const MI_VAD_WISH *Wish = Search->Wish;
    uint64_t Mask = Wish->Alignment - 1, Start;

    Begin = Larger(Begin, Wish->Lowest);
    if (End > Wish->Highest + 1)
        End = Wish->Highest + 1;
    if (Begin >= End || End - Begin < Wish->Pages)
        return false;
    Start = Wish->TopDown ? (End - Wish->Pages) & ~Mask : (Begin + Mask) & ~Mask;
    if (Start < Begin || Start > End - Wish->Pages)
        return false;
    Search->Found = Start;
    return true;
}

static bool SearchUp(SEARCH *Search, const MI_VAD_NODE *Node)
{
    if (Node == NULL)
        return false;
    if (Fits(Search, Search->Edge, Node->LowestFirst))
        return true;
    if (Node->LargestGap < Search->Wish->Pages || Node->HighestLast < Search->Wish->Lowest) {
        Search->Edge = Node->HighestLast + 1;
        return false;
    }
    if (SearchUp(Search, Node->Left) || Fits(Search, Search->Edge, Node->First))
        return true;
    Search->Edge = Node->Last + 1;
    return SearchUp(Search, Node->Right);
}

static bool SearchDown(SEARCH *Search, const MI_VAD_NODE *Node)
{
    if (Node == NULL)
        return false;
    if (Fits(Search, Node->HighestLast + 1, Search->Edge))
        return true;
    if (Node->LargestGap < Search->Wish->Pages || Node->LowestFirst > Search->Wish->Highest) {
        Search->Edge = Node->LowestFirst;
        return false;
    }
    if (SearchDown(Search, Node->Right) || Fits(Search, Node->Last + 1, Search->Edge))
        return true;
    Search->Edge = Node->First;
    return SearchDown(Search, Node->Left);
}

uint64_t MiVadFindGap(const MI_VAD_TREE *Tree, const MI_VAD_WISH *Wish)
{
    SEARCH Search = {Wish, Wish->TopDown ? Wish->Highest + 1 : Wish->Lowest, MI_VAD_NONE};
    bool Found = Wish->TopDown
                     ? SearchDown(&Search, Tree->Root) || Fits(&Search, Wish->Lowest, Search.Edge)
                     : SearchUp(&Search, Tree->Root) || Fits(&Search, Search.Edge, Wish->Highest + 1);

    return Found ? Search.Found : MI_VAD_NONE;
}

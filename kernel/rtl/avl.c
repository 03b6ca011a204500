/* SPDX-License-Identifier: MIT
 * AVL trees: attach, detach, neighbours. Rotations as in Knuth, The Art of Computer Programming, 6.2.3. */
#include "avl.h"

static PRTL_BALANCED_LINKS *RtlpSlotOf(PRTL_BALANCED_LINKS Node)
{
    PRTL_BALANCED_LINKS Parent = Node->Parent;
    return Parent->LeftChild == Node ? &Parent->LeftChild : &Parent->RightChild;
}

static CHAR RtlpSideOf(PRTL_BALANCED_LINKS Node)
{
    return Node->Parent->LeftChild == Node ? -1 : 1;
}

/* Node takes the place of its parent, which becomes its child. Balances are the caller's. */
static VOID RtlpRotateUp(PRTL_BALANCED_LINKS Node)
{
    PRTL_BALANCED_LINKS Parent = Node->Parent, Middle;

    *RtlpSlotOf(Parent) = Node;
    Node->Parent = Parent->Parent;
    if (Parent->LeftChild == Node) {
        Middle = Parent->LeftChild = Node->RightChild;
        Node->RightChild = Parent;
    } else {
        Middle = Parent->RightChild = Node->LeftChild;
        Node->LeftChild = Parent;
    }
    if (Middle != NULL)
        Middle->Parent = Parent;
    Parent->Parent = Node;
}

/* Node leans by two. TRUE: the subtree, whose root is now Node's parent, became less deep. */
static BOOLEAN RtlpRebalance(PRTL_BALANCED_LINKS Node)
{
    CHAR Side = Node->Balance > 0 ? 1 : -1;
    PRTL_BALANCED_LINKS Child = Side > 0 ? Node->RightChild : Node->LeftChild;

    if (Child->Balance == -Side) {
        PRTL_BALANCED_LINKS Inner = Side > 0 ? Child->LeftChild : Child->RightChild;
        RtlpRotateUp(Inner);
        RtlpRotateUp(Inner);
        Node->Balance = (CHAR)(Inner->Balance == Side ? -Side : 0);
        Child->Balance = (CHAR)(Inner->Balance == -Side ? Side : 0);
        Inner->Balance = 0;
        return TRUE;
    }
    BOOLEAN Shallower = Child->Balance == Side;
    RtlpRotateUp(Child);
    Node->Balance = (CHAR)(Shallower ? 0 : Side);
    Child->Balance = (CHAR)(Shallower ? 0 : -Side);
    return Shallower;
}

VOID RtlpAvlAttach(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node, PRTL_BALANCED_LINKS Parent,
                   TABLE_SEARCH_RESULT Place)
{
    memset(Node, 0, sizeof(*Node));
    Node->Parent = Place == TableEmptyTree ? &Table->BalancedRoot : Parent;
    if (Place == TableInsertAsLeft)
        Node->Parent->LeftChild = Node;
    else
        Node->Parent->RightChild = Node;
    Table->NumberGenericTableElements++;
    Table->OrderedPointer = NULL;
    for (; Node->Parent != &Table->BalancedRoot; Node = Node->Parent) {
        Parent = Node->Parent;
        Parent->Balance = (CHAR)(Parent->Balance + RtlpSideOf(Node));
        if (Parent->Balance == 0)
            return;
        if (Parent->Balance == 2 || Parent->Balance == -2) {
            RtlpRebalance(Parent);
            return;
        }
    }
    Table->DepthOfTree++;
}

/* The subtree of Node on Side lost one level of depth. */
static VOID RtlpRetraceLoss(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node, CHAR Side)
{
    while (Node != &Table->BalancedRoot) {
        Node->Balance = (CHAR)(Node->Balance - Side);
        if (Node->Balance == 1 || Node->Balance == -1)
            return;
        if (Node->Balance != 0) {
            if (!RtlpRebalance(Node))
                return;
            Node = Node->Parent;
        }
        Side = RtlpSideOf(Node);
        Node = Node->Parent;
    }
    Table->DepthOfTree--;
}

/* New (may be NULL) hangs where Old did. */
static VOID RtlpReplace(PRTL_BALANCED_LINKS Old, PRTL_BALANCED_LINKS New)
{
    *RtlpSlotOf(Old) = New;
    if (New != NULL)
        New->Parent = Old->Parent;
}

/* Node has two children: its successor leaves its place and takes Node's. */
static VOID RtlpDetachInner(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node)
{
    PRTL_BALANCED_LINKS Next = RtlpAvlNext(Table, Node), Parent = Next->Parent;
    CHAR Side = RtlpSideOf(Next);

    if (Parent == Node)
        Parent = Next;
    RtlpReplace(Next, Next->RightChild);
    RtlpReplace(Node, Next);
    Next->Balance = Node->Balance;
    Next->LeftChild = Node->LeftChild;
    Next->RightChild = Node->RightChild;
    Next->LeftChild->Parent = Next;
    if (Next->RightChild != NULL)
        Next->RightChild->Parent = Next;
    RtlpRetraceLoss(Table, Parent, Side);
}

VOID RtlpAvlDetach(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node)
{
    Table->NumberGenericTableElements--;
    Table->OrderedPointer = NULL;
    if (Node->LeftChild != NULL && Node->RightChild != NULL) {
        RtlpDetachInner(Table, Node);
        return;
    }
    CHAR Side = RtlpSideOf(Node);
    RtlpReplace(Node, Node->LeftChild != NULL ? Node->LeftChild : Node->RightChild);
    RtlpRetraceLoss(Table, Node->Parent, Side);
}

static PRTL_BALANCED_LINKS RtlpLeftmost(PRTL_BALANCED_LINKS Node)
{
    while (Node != NULL && Node->LeftChild != NULL)
        Node = Node->LeftChild;
    return Node;
}

PRTL_BALANCED_LINKS RtlpAvlNext(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node)
{
    if (Node == NULL)
        return RtlpLeftmost(Table->BalancedRoot.RightChild);
    if (Node->RightChild != NULL)
        return RtlpLeftmost(Node->RightChild);
    while (Node != &Table->BalancedRoot && Node->Parent->RightChild == Node)
        Node = Node->Parent;
    return Node == &Table->BalancedRoot ? NULL : Node->Parent;
}

PRTL_BALANCED_LINKS RtlpAvlPrevious(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node)
{
    if (Node->LeftChild != NULL) {
        for (Node = Node->LeftChild; Node->RightChild != NULL;)
            Node = Node->RightChild;
        return Node;
    }
    while (Node->Parent->LeftChild == Node)
        Node = Node->Parent;
    return Node->Parent == &Table->BalancedRoot ? NULL : Node->Parent;
}

TABLE_SEARCH_RESULT RtlpAvlFind(PRTL_AVL_TABLE Table, PVOID Buffer, PRTL_BALANCED_LINKS *Found)
{
    TABLE_SEARCH_RESULT Result = TableEmptyTree;

    for (PRTL_BALANCED_LINKS Node = Table->BalancedRoot.RightChild; Node != NULL;) {
        RTL_GENERIC_COMPARE_RESULTS Order = Table->CompareRoutine(Table, Buffer, RtlpAvlData(Node));
        *Found = Node;
        if (Order == GenericEqual)
            return TableFoundNode;
        Result = Order == GenericLessThan ? TableInsertAsLeft : TableInsertAsRight;
        Node = Order == GenericLessThan ? Node->LeftChild : Node->RightChild;
    }
    return Result;
}

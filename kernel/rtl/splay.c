/* SPDX-License-Identifier: MIT
 * Splay links [WDK RtlSplay, RtlDelete, RtlDeleteNoSplay, RtlSubtreePredecessor, RtlRealPredecessor ...]: binary
 * search trees without keys. The root is its own parent. Any IRQL; the caller holds its lock. */
#include "rtlp.h"

static BOOLEAN RtlpIsRoot(PRTL_SPLAY_LINKS Links)
{
    return Links->Parent == Links;
}

static PRTL_SPLAY_LINKS *RtlpSlotOf(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Parent = Links->Parent;
    return Parent->LeftChild == Links ? &Parent->LeftChild : &Parent->RightChild;
}

/* Links takes the place of its parent, which becomes its child. */
static VOID RtlpRotateUp(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Parent = Links->Parent, Middle;

    if (RtlpIsRoot(Parent)) {
        Links->Parent = Links;
    } else {
        *RtlpSlotOf(Parent) = Links;
        Links->Parent = Parent->Parent;
    }
    if (Parent->LeftChild == Links) {
        Middle = Parent->LeftChild = Links->RightChild;
        Links->RightChild = Parent;
    } else {
        Middle = Parent->RightChild = Links->LeftChild;
        Links->LeftChild = Parent;
    }
    if (Middle != NULL)
        Middle->Parent = Parent;
    Parent->Parent = Links;
}

/* Makes Links the root, by the zig, zig-zig and zig-zag steps of Sleator and Tarjan; returns it. */
PRTL_SPLAY_LINKS NTAPI RtlSplay(PRTL_SPLAY_LINKS Links)
{
    while (!RtlpIsRoot(Links)) {
        PRTL_SPLAY_LINKS Parent = Links->Parent;
        if (!RtlpIsRoot(Parent)) {
            BOOLEAN Same = (Parent->LeftChild == Links) == (Parent->Parent->LeftChild == Parent);
            RtlpRotateUp(Same ? Parent : Links);
        }
        RtlpRotateUp(Links);
    }
    return Links;
}

PRTL_SPLAY_LINKS NTAPI RtlSubtreeSuccessor(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Next = Links->RightChild;

    while (Next != NULL && Next->LeftChild != NULL)
        Next = Next->LeftChild;
    return Next;
}

PRTL_SPLAY_LINKS NTAPI RtlSubtreePredecessor(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Previous = Links->LeftChild;

    while (Previous != NULL && Previous->RightChild != NULL)
        Previous = Previous->RightChild;
    return Previous;
}

PRTL_SPLAY_LINKS NTAPI RtlRealSuccessor(PRTL_SPLAY_LINKS Links)
{
    if (Links->RightChild != NULL)
        return RtlSubtreeSuccessor(Links);
    while (!RtlpIsRoot(Links) && Links->Parent->RightChild == Links)
        Links = Links->Parent;
    return RtlpIsRoot(Links) ? NULL : Links->Parent;
}

PRTL_SPLAY_LINKS NTAPI RtlRealPredecessor(PRTL_SPLAY_LINKS Links)
{
    if (Links->LeftChild != NULL)
        return RtlSubtreePredecessor(Links);
    while (!RtlpIsRoot(Links) && Links->Parent->LeftChild == Links)
        Links = Links->Parent;
    return RtlpIsRoot(Links) ? NULL : Links->Parent;
}

/* New (may be NULL) hangs where Old did; Old's children are not touched. */
static VOID RtlpReplace(PRTL_SPLAY_LINKS Old, PRTL_SPLAY_LINKS New, PRTL_SPLAY_LINKS *Root)
{
    if (RtlpIsRoot(Old)) {
        *Root = New;
        if (New != NULL)
            New->Parent = New;
        return;
    }
    *RtlpSlotOf(Old) = New;
    if (New != NULL)
        New->Parent = Old->Parent;
}

/* The predecessor takes the whole place of Links, which has two children. */
static VOID RtlpReplaceByPredecessor(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS *Root)
{
    PRTL_SPLAY_LINKS Previous = RtlSubtreePredecessor(Links);

    RtlpReplace(Previous, Previous->LeftChild, Root);
    RtlpReplace(Links, Previous, Root);
    Previous->LeftChild = Links->LeftChild;
    Previous->RightChild = Links->RightChild;
    if (Previous->LeftChild != NULL)
        Previous->LeftChild->Parent = Previous;
    Previous->RightChild->Parent = Previous;
}

/* [WDK RtlDeleteNoSplay] *Root is the root before and after; NULL when the tree is empty. */
VOID NTAPI RtlDeleteNoSplay(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS *Root)
{
    if (Links->LeftChild != NULL && Links->RightChild != NULL)
        RtlpReplaceByPredecessor(Links, Root);
    else
        RtlpReplace(Links, Links->LeftChild != NULL ? Links->LeftChild : Links->RightChild, Root);
}

/* [WDK RtlDelete] Returns the root of what is left, NULL for nothing. The place of the deleted node is splayed. */
PRTL_SPLAY_LINKS NTAPI RtlDelete(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Root = NULL, Near;

    if (Links->LeftChild != NULL && Links->RightChild != NULL)
        Near = RtlSubtreePredecessor(Links);
    else
        Near = RtlpIsRoot(Links) ? NULL : Links->Parent;
    RtlDeleteNoSplay(Links, &Root);
    return Near == NULL ? Root : RtlSplay(Near);
}

/* SPDX-License-Identifier: MIT
 * Enumerations of AVL tables, all in the order of the compare routine [WDK RtlEnumerateGenericTableAvl,
 * RtlEnumerateGenericTableWithoutSplayingAvl, RtlEnumerateGenericTableLikeADirectory,
 * RtlLookupFirstMatchingElementGenericTableAvl]. */
#include "avl.h"

/* The table itself remembers the place; a deletion moves it back, so that no element is skipped. */
PVOID NTAPI RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE Table, BOOLEAN Restart)
{
    PRTL_BALANCED_LINKS Node = RtlpAvlNext(Table, Restart ? NULL : Table->RestartKey);

    if (Node != NULL)
        Table->RestartKey = Node;
    return RtlpAvlData(Node);
}

/* *RestartKey is NULL to begin; it is the element returned last, which must not have been deleted. */
PVOID NTAPI RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE Table, PVOID *RestartKey)
{
    PRTL_BALANCED_LINKS Node = RtlpAvlNext(Table, *RestartKey);

    if (Node != NULL)
        *RestartKey = Node;
    return RtlpAvlData(Node);
}

/* The first of the elements that the compare routine calls equal to Buffer; *RestartKey continues behind it. */
PVOID NTAPI RtlLookupFirstMatchingElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer,
                                                         PVOID *RestartKey)
{
    PRTL_BALANCED_LINKS Node = Table->BalancedRoot.RightChild, First = NULL;

    while (Node != NULL) {
        RTL_GENERIC_COMPARE_RESULTS Order = Table->CompareRoutine(Table, Buffer, RtlpAvlData(Node));
        if (Order == GenericEqual)
            First = Node;
        Node = Order == GenericGreaterThan ? Node->RightChild : Node->LeftChild;
    }
    if (First != NULL)
        *RestartKey = First;
    return RtlpAvlData(First);
}

/* The element that equals Buffer, or the one behind it when Skip; where there is none, the one behind its place. */
static PRTL_BALANCED_LINKS RtlpAvlSeek(PRTL_AVL_TABLE Table, PVOID Buffer, BOOLEAN Skip)
{
    PRTL_BALANCED_LINKS Node = NULL;
    TABLE_SEARCH_RESULT Result = RtlpAvlFind(Table, Buffer, &Node);

    if (Result == TableInsertAsRight || (Result == TableFoundNode && Skip))
        Node = RtlpAvlNext(Table, Node);
    return Node;
}

/* A RestartKey from before a deletion is not followed: Buffer then says where to go on. The match routine says
 * STATUS_SUCCESS for an element to return, STATUS_NO_MATCH for one to skip, STATUS_NO_MORE_MATCHES for the end. */
PVOID NTAPI RtlEnumerateGenericTableLikeADirectory(PRTL_AVL_TABLE Table,
                                                   PRTL_AVL_MATCH_FUNCTION MatchFunction, PVOID MatchData,
                                                   ULONG NextFlag, PVOID *RestartKey, PULONG DeleteCount,
                                                   PVOID Buffer)
{
    PRTL_BALANCED_LINKS Node = *RestartKey;
    NTSTATUS Match = STATUS_SUCCESS;

    if (Table->DeleteCount != *DeleteCount)
        Node = NULL;
    if (Node == NULL)
        Node = RtlpAvlSeek(Table, Buffer, NextFlag != 0);
    else if (NextFlag)
        Node = RtlpAvlNext(Table, Node);
    for (; Node != NULL; Node = RtlpAvlNext(Table, Node)) {
        Match = MatchFunction == NULL ? STATUS_SUCCESS : MatchFunction(Table, RtlpAvlData(Node), MatchData);
        if (Match != STATUS_NO_MATCH)
            break;
    }
    if (Match == STATUS_NO_MORE_MATCHES)
        Node = NULL;
    *RestartKey = Node;
    *DeleteCount = Table->DeleteCount;
    return RtlpAvlData(Node);
}

/* SPDX-License-Identifier: MIT
 * Generic tables over AVL trees [WDK RtlInitializeGenericTableAvl ...]. The caller's routines are called directly, at the IRQL
 * and with the locks of the caller, who keeps others out of the table. */
#include "avl.h"

VOID NTAPI RtlInitializeGenericTableAvl(PRTL_AVL_TABLE Table, PRTL_AVL_COMPARE_ROUTINE CompareRoutine,
                                        PRTL_AVL_ALLOCATE_ROUTINE AllocateRoutine,
                                        PRTL_AVL_FREE_ROUTINE FreeRoutine, PVOID TableContext)
{
    memset(Table, 0, sizeof(*Table));
    Table->BalancedRoot.Parent = &Table->BalancedRoot;
    Table->CompareRoutine = CompareRoutine;
    Table->AllocateRoutine = AllocateRoutine;
    Table->FreeRoutine = FreeRoutine;
    Table->TableContext = TableContext;
}

/* [WDK RtlInsertElementGenericTableFullAvl] Returns the element that was there or is new; NULL when there is no memory. */
PVOID NTAPI RtlInsertElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                                PBOOLEAN NewElement, PVOID NodeOrParent,
                                                TABLE_SEARCH_RESULT SearchResult)
{
    PRTL_BALANCED_LINKS Node = NodeOrParent;
    BOOLEAN IsNew = FALSE;

    if (SearchResult != TableFoundNode) {
        CLONG Size = BufferSize + (CLONG)sizeof(RTL_BALANCED_LINKS);
        Node = Size < BufferSize ? NULL : Table->AllocateRoutine(Table, Size);
        IsNew = Node != NULL;
        if (IsNew) {
            RtlpAvlAttach(Table, Node, NodeOrParent, SearchResult);
            memcpy(RtlpAvlData(Node), Buffer, BufferSize);
        }
    }
    if (NewElement != NULL)
        *NewElement = IsNew;
    return RtlpAvlData(Node);
}

PVOID NTAPI RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                            PBOOLEAN NewElement)
{
    PRTL_BALANCED_LINKS Found = NULL;
    TABLE_SEARCH_RESULT Result = RtlpAvlFind(Table, Buffer, &Found);

    return RtlInsertElementGenericTableFullAvl(Table, Buffer, BufferSize, NewElement, Found, Result);
}

/* [WDK RtlDeleteElementGenericTableAvl] FALSE: there is no such element. DeleteCount tells enumerations that a node that they stand
 * on may be gone. */
BOOLEAN NTAPI RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    PRTL_BALANCED_LINKS Node = NULL;

    if (RtlpAvlFind(Table, Buffer, &Node) != TableFoundNode)
        return FALSE;
    if (Table->RestartKey == Node)
        Table->RestartKey = RtlpAvlPrevious(Table, Node);
    RtlpAvlDetach(Table, Node);
    Table->DeleteCount++;
    Table->FreeRoutine(Table, Node);
    return TRUE;
}

PVOID NTAPI RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer, PVOID *NodeOrParent,
                                                TABLE_SEARCH_RESULT *SearchResult)
{
    *SearchResult = RtlpAvlFind(Table, Buffer, (PRTL_BALANCED_LINKS *)NodeOrParent);
    return *SearchResult == TableFoundNode ? RtlpAvlData(*NodeOrParent) : NULL;
}

PVOID NTAPI RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    TABLE_SEARCH_RESULT Result;
    PVOID Node;

    return RtlLookupElementGenericTableFullAvl(Table, Buffer, &Node, &Result);
}

/* [WDK RtlGetElementGenericTableAvl] The I-th element in the order of the compare routine. OrderedPointer, when not NULL, is
 * element WhichOrderedElement, so that a walk over all takes linear time. */
PVOID NTAPI RtlGetElementGenericTableAvl(PRTL_AVL_TABLE Table, ULONG I)
{
    PRTL_BALANCED_LINKS Node = Table->OrderedPointer;
    ULONG At = Table->WhichOrderedElement;

    if (I >= Table->NumberGenericTableElements)
        return NULL;
    if (Node == NULL || I < At / 2) {
        Node = RtlpAvlNext(Table, NULL);
        At = 0;
    }
    for (; At < I; At++)
        Node = RtlpAvlNext(Table, Node);
    for (; At > I; At--)
        Node = RtlpAvlPrevious(Table, Node);
    Table->OrderedPointer = Node;
    Table->WhichOrderedElement = At;
    return RtlpAvlData(Node);
}

ULONG NTAPI RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE Table)
{
    return Table->NumberGenericTableElements;
}

BOOLEAN NTAPI RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE Table)
{
    return Table->NumberGenericTableElements == 0;
}

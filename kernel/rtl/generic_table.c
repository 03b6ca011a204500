/* SPDX-License-Identifier: MIT
 * Generic tables over splay trees [WDK RtlInitializeGenericTable ...]. An element is RTLP_ELEMENT: links, place in the order
 * of insertion, the caller's data. The caller's routines are called directly, at the IRQL and with the locks of the
 * caller, who keeps others out of the table. */
#include "rtlp.h"

typedef struct _RTLP_ELEMENT {
    RTL_SPLAY_LINKS Links;
    LIST_ENTRY Order;
    LONGLONG
    Data[]; /* [WDK RtlInsertElementGenericTable] behind sizeof(RTL_SPLAY_LINKS) + sizeof(LIST_ENTRY) */
} RTLP_ELEMENT;
_Static_assert(offsetof(RTLP_ELEMENT, Data) == sizeof(RTL_SPLAY_LINKS) + sizeof(LIST_ENTRY), "published");

static RTLP_ELEMENT *RtlpElement(PRTL_SPLAY_LINKS Links)
{
    return CONTAINING_RECORD(Links, RTLP_ELEMENT, Links);
}

VOID NTAPI RtlInitializeGenericTable(PRTL_GENERIC_TABLE Table, PRTL_GENERIC_COMPARE_ROUTINE CompareRoutine,
                                     PRTL_GENERIC_ALLOCATE_ROUTINE AllocateRoutine,
                                     PRTL_GENERIC_FREE_ROUTINE FreeRoutine, PVOID TableContext)
{
    memset(Table, 0, sizeof(*Table));
    InitializeListHead(&Table->InsertOrderList);
    Table->OrderedPointer = &Table->InsertOrderList;
    Table->CompareRoutine = CompareRoutine;
    Table->AllocateRoutine = AllocateRoutine;
    Table->FreeRoutine = FreeRoutine;
    Table->TableContext = TableContext;
}

/* The node that equals Buffer, or the one that it would hang on. *Found is not written for an empty tree. */
static TABLE_SEARCH_RESULT RtlpFind(PRTL_GENERIC_TABLE Table, PVOID Buffer, PRTL_SPLAY_LINKS *Found)
{
    TABLE_SEARCH_RESULT Result = TableEmptyTree;

    for (PRTL_SPLAY_LINKS Links = Table->TableRoot; Links != NULL;) {
        RTL_GENERIC_COMPARE_RESULTS Order = Table->CompareRoutine(Table, Buffer, RtlpElement(Links)->Data);
        *Found = Links;
        if (Order == GenericEqual)
            return TableFoundNode;
        Result = Order == GenericLessThan ? TableInsertAsLeft : TableInsertAsRight;
        Links = Order == GenericLessThan ? Links->LeftChild : Links->RightChild;
    }
    return Result;
}

static VOID RtlpAttach(PRTL_GENERIC_TABLE Table, PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS Parent,
                       TABLE_SEARCH_RESULT Place)
{
    Links->LeftChild = Links->RightChild = NULL;
    Links->Parent = Place == TableEmptyTree ? Links : Parent;
    if (Place == TableInsertAsLeft)
        Parent->LeftChild = Links;
    else if (Place == TableInsertAsRight)
        Parent->RightChild = Links;
    InsertTailList(&Table->InsertOrderList, &RtlpElement(Links)->Order);
    Table->NumberGenericTableElements++;
}

/* [WDK RtlInsertElementGenericTable] Returns the element that was there or is new; NULL when there is no memory. The
 * element becomes the root. */
PVOID NTAPI RtlInsertElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                             PBOOLEAN NewElement, PVOID NodeOrParent,
                                             TABLE_SEARCH_RESULT SearchResult)
{
    RTLP_ELEMENT *Element = NodeOrParent;
    BOOLEAN IsNew = FALSE;

    if (SearchResult != TableFoundNode) {
        CLONG Size = BufferSize + (CLONG)offsetof(RTLP_ELEMENT, Data);
        Element = Size < BufferSize ? NULL : Table->AllocateRoutine(Table, Size);
        IsNew = Element != NULL;
        if (IsNew) {
            RtlpAttach(Table, &Element->Links, NodeOrParent, SearchResult);
            memcpy(Element->Data, Buffer, BufferSize);
        }
    }
    if (NewElement != NULL)
        *NewElement = IsNew;
    if (Element == NULL)
        return NULL;
    Table->TableRoot = RtlSplay(&Element->Links);
    return Element->Data;
}

PVOID NTAPI RtlInsertElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                         PBOOLEAN NewElement)
{
    PRTL_SPLAY_LINKS Found = NULL;
    TABLE_SEARCH_RESULT Result = RtlpFind(Table, Buffer, &Found);

    return RtlInsertElementGenericTableFull(Table, Buffer, BufferSize, NewElement, Found, Result);
}

/* [WDK RtlLookupElementGenericTableFull] What was found becomes the root. */
PVOID NTAPI RtlLookupElementGenericTableFull(PRTL_GENERIC_TABLE Table, PVOID Buffer, PVOID *NodeOrParent,
                                             TABLE_SEARCH_RESULT *SearchResult)
{
    *SearchResult = RtlpFind(Table, Buffer, (PRTL_SPLAY_LINKS *)NodeOrParent);
    if (*SearchResult != TableFoundNode)
        return NULL;
    Table->TableRoot = RtlSplay(*NodeOrParent);
    return RtlpElement(*NodeOrParent)->Data;
}

PVOID NTAPI RtlLookupElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    TABLE_SEARCH_RESULT Result;
    PVOID Node;

    return RtlLookupElementGenericTableFull(Table, Buffer, &Node, &Result);
}

/* [WDK RtlDeleteElementGenericTable] FALSE: there is no such element. */
BOOLEAN NTAPI RtlDeleteElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    PRTL_SPLAY_LINKS Links = NULL;

    if (RtlpFind(Table, Buffer, &Links) != TableFoundNode)
        return FALSE;
    Table->TableRoot = RtlDelete(Links);
    RemoveEntryList(&RtlpElement(Links)->Order);
    Table->OrderedPointer = &Table->InsertOrderList;
    Table->WhichOrderedElement = 0;
    Table->NumberGenericTableElements--;
    Table->FreeRoutine(Table, RtlpElement(Links));
    return TRUE;
}

static PRTL_SPLAY_LINKS RtlpFirst(PRTL_GENERIC_TABLE Table)
{
    PRTL_SPLAY_LINKS Links = Table->TableRoot;

    while (Links != NULL && Links->LeftChild != NULL)
        Links = Links->LeftChild;
    return Links;
}

/* [WDK RtlEnumerateGenericTable] In the order of the compare routine; the root says where the enumeration stands, so
 * that a lookup between two calls moves it. */
PVOID NTAPI RtlEnumerateGenericTable(PRTL_GENERIC_TABLE Table, BOOLEAN Restart)
{
    PRTL_SPLAY_LINKS Links = NULL;

    if (Table->TableRoot != NULL)
        Links = Restart ? RtlpFirst(Table) : RtlRealSuccessor(Table->TableRoot);
    if (Links == NULL)
        return NULL;
    Table->TableRoot = RtlSplay(Links);
    return RtlpElement(Links)->Data;
}

/* [WDK RtlEnumerateGenericTableWithoutSplaying] *RestartKey is NULL to begin; it is the element returned last. */
PVOID NTAPI RtlEnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE Table, PVOID *RestartKey)
{
    PRTL_SPLAY_LINKS Links = *RestartKey == NULL ? RtlpFirst(Table) : RtlRealSuccessor(*RestartKey);

    if (Links == NULL)
        return NULL;
    *RestartKey = Links;
    return RtlpElement(Links)->Data;
}

/* [WDK RtlGetElementGenericTable] The I-th element in the order of insertion. Elements near the one of the call before are found
 * quickly: OrderedPointer is element WhichOrderedElement, counted from 1; 0 is the list's head. */
PVOID NTAPI RtlGetElementGenericTable(PRTL_GENERIC_TABLE Table, ULONG I)
{
    ULONG Count = Table->NumberGenericTableElements, At = Table->WhichOrderedElement;
    PLIST_ENTRY Entry = Table->OrderedPointer;

    if (I >= Count)
        return NULL;
    ULONG Wanted = I + 1;
    if (Wanted < At && Wanted < At - Wanted) {
        Entry = &Table->InsertOrderList;
        At = 0;
    } else if (Wanted > At && Count + 1 - Wanted < Wanted - At) {
        Entry = &Table->InsertOrderList; /* from the end, backwards */
        At = Count + 1;
    }
    for (; At < Wanted; At++)
        Entry = Entry->Flink;
    for (; At > Wanted; At--)
        Entry = Entry->Blink;
    Table->OrderedPointer = Entry;
    Table->WhichOrderedElement = At;
    return CONTAINING_RECORD(Entry, RTLP_ELEMENT, Order)->Data;
}

ULONG NTAPI RtlNumberGenericTableElements(PRTL_GENERIC_TABLE Table)
{
    return Table->NumberGenericTableElements;
}

BOOLEAN NTAPI RtlIsGenericTableEmpty(PRTL_GENERIC_TABLE Table)
{
    return Table->TableRoot == NULL;
}

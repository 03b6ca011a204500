/* SPDX-License-Identifier: MIT
 * Unicode prefix tables [WDK RtlInitializeUnicodePrefix, RtlInsertUnicodePrefix, RtlFindUnicodePrefix ...]. The caller owns the
 * entries and the strings, and keeps others out.
 *
 * A table is a list of trees, linked by NextPrefixTree of their roots, those of more components first. A tree holds the
 * prefixes of one number of components, ordered without regard to case. Entries that differ only in case form a ring
 * (CaseMatch), of which one member is in the tree. */
#include "rtlp.h"

typedef PUNICODE_PREFIX_TABLE_ENTRY RTLP_PREFIX;

/* [WDK] The structures are opaque. The codes tell who is in a tree and who only in a ring. */
enum { RtlpPrefixTable = 0x5450, RtlpPrefixInTree = 0x4550, RtlpPrefixInRing = 0x5250 };

static RTLP_PREFIX RtlpEntry(PRTL_SPLAY_LINKS Links)
{
    return CONTAINING_RECORD(Links, UNICODE_PREFIX_TABLE_ENTRY, Links);
}

/* A backslash at the end counts for nothing, but "\" is the root of the volume. */
static UNICODE_STRING RtlpTrim(PCUNICODE_STRING Name)
{
    UNICODE_STRING Trimmed = *Name;
    ULONG Length = Name->Length / sizeof(WCHAR);

    if (Length > 1 && Name->Buffer[Length - 1] == '\\')
        Length--;
    Trimmed.Length = (USHORT)(Length * sizeof(WCHAR));
    return Trimmed;
}

/* "\" has one component, "\a" and "\a\" have two. */
static CSHORT RtlpComponents(PCUNICODE_STRING Name)
{
    ULONG Count = 1;

    for (ULONG i = 0; i + 1 < Name->Length / sizeof(WCHAR); i++)
        Count += Name->Buffer[i] == '\\';
    return (CSHORT)Count;
}

/* The first Count components of Name, which has as many. */
static UNICODE_STRING RtlpHead(PCUNICODE_STRING Name, CSHORT Count)
{
    UNICODE_STRING Head = RtlpTrim(Name);
    ULONG Length = Head.Length / sizeof(WCHAR), i;

    for (i = 0; i < Length; i++) {
        if (Head.Buffer[i] == '\\' && --Count == 0)
            break;
    }
    if (i == 0 && Length != 0)
        i = 1;
    Head.Length = (USHORT)(i * sizeof(WCHAR));
    return Head;
}

/* Where the root of the tree of Count components hangs, or would. */
static RTLP_PREFIX *RtlpTreeSlot(PUNICODE_PREFIX_TABLE Table, CSHORT Count)
{
    RTLP_PREFIX *Slot = &Table->NextPrefixTree;

    while (*Slot != NULL && (*Slot)->NameLength > Count)
        Slot = &(*Slot)->NextPrefixTree;
    return Slot;
}

static VOID RtlpSplayInTree(RTLP_PREFIX *Slot, RTLP_PREFIX Entry)
{
    RTLP_PREFIX Next = (*Slot)->NextPrefixTree;

    *Slot = RtlpEntry(RtlSplay(&Entry->Links));
    Entry->NextPrefixTree = Next;
}

/* The entry of the tree that equals Name without case, or the one that it would hang on. *Order is how Name compares. */
static RTLP_PREFIX RtlpSearch(RTLP_PREFIX Root, PCUNICODE_STRING Name, LONG *Order)
{
    for (RTLP_PREFIX Entry = Root;;) {
        UNICODE_STRING Key = RtlpTrim(Entry->Prefix);
        *Order = RtlCompareUnicodeString(Name, &Key, TRUE);
        PRTL_SPLAY_LINKS Next = *Order < 0 ? Entry->Links.LeftChild : Entry->Links.RightChild;
        if (*Order == 0 || Next == NULL)
            return Entry;
        Entry = RtlpEntry(Next);
    }
}

/* The member of the ring whose first Index characters have the case of Name; NULL: none. */
static RTLP_PREFIX RtlpMatchCase(RTLP_PREFIX Ring, PCUNICODE_STRING Name, ULONG Index)
{
    RTLP_PREFIX Entry = Ring;

    if (Index > Name->Length / sizeof(WCHAR))
        Index = Name->Length / sizeof(WCHAR);
    do {
        if (Index == 0 || memcmp(Entry->Prefix->Buffer, Name->Buffer, Index * sizeof(WCHAR)) == 0)
            return Entry;
        Entry = Entry->CaseMatch;
    } while (Entry != Ring);
    return NULL;
}

VOID NTAPI RtlInitializeUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable)
{
    *PrefixTable = (UNICODE_PREFIX_TABLE){.NodeTypeCode = RtlpPrefixTable};
}

static VOID RtlpHang(RTLP_PREFIX Parent, RTLP_PREFIX Entry, BOOLEAN Left)
{
    Entry->Links.Parent = &Parent->Links;
    if (Left)
        Parent->Links.LeftChild = &Entry->Links;
    else
        Parent->Links.RightChild = &Entry->Links;
}

/* [WDK RtlInsertUnicodePrefix] FALSE: the prefix, in this case, is there already. */
BOOLEAN NTAPI RtlInsertUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable, PUNICODE_STRING Prefix,
                                     PUNICODE_PREFIX_TABLE_ENTRY PrefixTableEntry)
{
    UNICODE_STRING Key = RtlpTrim(Prefix);
    CSHORT Count = RtlpComponents(Prefix);
    RTLP_PREFIX *Slot = RtlpTreeSlot(PrefixTable, Count), Entry = PrefixTableEntry, Near = NULL;
    LONG Order = 1;

    if (*Slot != NULL && (*Slot)->NameLength == Count)
        Near = RtlpSearch(*Slot, &Key, &Order);
    if (Order == 0 && RtlpMatchCase(Near, &Key, MAXUSHORT) != NULL)
        return FALSE;
    *Entry = (UNICODE_PREFIX_TABLE_ENTRY){
        .NodeTypeCode = RtlpPrefixInTree, .NameLength = Count, .CaseMatch = Entry, .Prefix = Prefix};
    if (Order == 0) {
        Entry->NodeTypeCode = RtlpPrefixInRing;
        Entry->CaseMatch = Near->CaseMatch;
        Near->CaseMatch = Entry;
    } else if (Near != NULL) {
        RtlpHang(Near, Entry, Order < 0);
        RtlpSplayInTree(Slot, Entry);
    } else {
        Entry->Links.Parent = &Entry->Links;
        Entry->NextPrefixTree = *Slot;
        *Slot = Entry;
    }
    return TRUE;
}

/* [WDK RtlFindUnicodePrefix] The longest prefix in whole components. The first CaseInsensitiveIndex characters must agree in
 * case. The tree of what was found is splayed. */
PUNICODE_PREFIX_TABLE_ENTRY NTAPI RtlFindUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable,
                                                       PUNICODE_STRING FullName, ULONG CaseInsensitiveIndex)
{
    RTLP_PREFIX *Slot = RtlpTreeSlot(PrefixTable, RtlpComponents(FullName));

    for (; *Slot != NULL; Slot = &(*Slot)->NextPrefixTree) {
        UNICODE_STRING Head = RtlpHead(FullName, (*Slot)->NameLength);
        LONG Order;
        RTLP_PREFIX Ring = RtlpSearch(*Slot, &Head, &Order);
        RTLP_PREFIX Match = Order == 0 ? RtlpMatchCase(Ring, &Head, CaseInsensitiveIndex) : NULL;
        if (Match != NULL) {
            RtlpSplayInTree(Slot, Ring);
            return Match;
        }
    }
    return NULL;
}

static RTLP_PREFIX RtlpFirstOfTree(RTLP_PREFIX Root)
{
    PRTL_SPLAY_LINKS Links = Root == NULL ? NULL : &Root->Links;

    while (Links != NULL && Links->LeftChild != NULL)
        Links = Links->LeftChild;
    return Links == NULL ? NULL : RtlpEntry(Links);
}

/* The entry behind Entry: in its ring, in its tree, in the next tree. */
static RTLP_PREFIX RtlpNext(PUNICODE_PREFIX_TABLE Table, RTLP_PREFIX Entry)
{
    RTLP_PREFIX Next = Entry->CaseMatch;

    if (Next->NodeTypeCode == RtlpPrefixInRing)
        return Next;
    PRTL_SPLAY_LINKS Links = RtlRealSuccessor(&Next->Links);
    if (Links != NULL)
        return RtlpEntry(Links);
    return RtlpFirstOfTree((*RtlpTreeSlot(Table, Entry->NameLength))->NextPrefixTree);
}

/* [WDK RtlNextUnicodePrefix] NULL at the end. */
PUNICODE_PREFIX_TABLE_ENTRY NTAPI RtlNextUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable, BOOLEAN Restart)
{
    RTLP_PREFIX Last = Restart ? NULL : PrefixTable->LastNextEntry;
    RTLP_PREFIX Next =
        Last != NULL ? RtlpNext(PrefixTable, Last) : RtlpFirstOfTree(PrefixTable->NextPrefixTree);

    if (Next != NULL)
        PrefixTable->LastNextEntry = Next;
    return Next;
}

/* An enumeration that stands on Entry goes one back, so that it skips none. */
static VOID RtlpLeaveEnumeration(PUNICODE_PREFIX_TABLE Table, RTLP_PREFIX Entry)
{
    RTLP_PREFIX Before = NULL;

    if (Table->LastNextEntry != Entry)
        return;
    for (RTLP_PREFIX i = RtlpFirstOfTree(Table->NextPrefixTree); i != Entry; i = RtlpNext(Table, i))
        Before = i;
    Table->LastNextEntry = Before;
}

/* Heir, a member of Entry's ring, takes its place in the tree. */
static VOID RtlpInherit(RTLP_PREFIX *Slot, RTLP_PREFIX Entry, RTLP_PREFIX Heir)
{
    Heir->NodeTypeCode = RtlpPrefixInTree;
    Heir->Links = Entry->Links;
    Heir->NextPrefixTree = Entry->NextPrefixTree;
    if (Heir->Links.LeftChild != NULL)
        Heir->Links.LeftChild->Parent = &Heir->Links;
    if (Heir->Links.RightChild != NULL)
        Heir->Links.RightChild->Parent = &Heir->Links;
    if (*Slot == Entry) {
        Heir->Links.Parent = &Heir->Links;
        *Slot = Heir;
    } else {
        RtlpHang(RtlpEntry(Entry->Links.Parent), Heir, Entry->Links.Parent->LeftChild == &Entry->Links);
    }
}

/* [WDK RtlRemoveUnicodePrefix] The entry and its string are the caller's again. */
VOID NTAPI RtlRemoveUnicodePrefix(PUNICODE_PREFIX_TABLE PrefixTable,
                                  PUNICODE_PREFIX_TABLE_ENTRY PrefixTableEntry)
{
    RTLP_PREFIX Entry = PrefixTableEntry, Before = Entry,
                *Slot = RtlpTreeSlot(PrefixTable, Entry->NameLength);

    RtlpLeaveEnumeration(PrefixTable, Entry);
    while (Before->CaseMatch != Entry)
        Before = Before->CaseMatch;
    Before->CaseMatch = Entry->CaseMatch;
    if (Entry->NodeTypeCode != RtlpPrefixInTree)
        return;
    if (Before != Entry) {
        RtlpInherit(Slot, Entry, Before);
        return;
    }
    RTLP_PREFIX NextTree = (*Slot)->NextPrefixTree;
    PRTL_SPLAY_LINKS Root = RtlDelete(&Entry->Links);
    *Slot = Root == NULL ? NextTree : RtlpEntry(Root);
    if (Root != NULL)
        RtlpEntry(Root)->NextPrefixTree = NextTree;
}

/* SPDX-License-Identifier: MIT
 * Wild cards [WDK FsRtlIsNameInExpression]. Besides * and ? there are those that stand for DOS's rules:
 *
 *   <  any characters, but not the last dot of the name
 *   >  one character that is no dot, or nothing before a dot and at the end of the name
 *   "  a dot, or nothing at the end of the name
 *
 * The expression is a list of elements; a bit for each says whether what was read of the name can stand before it. */
#include "rtlp.h"

#define LOCAL_WORDS 16 /* expressions of up to 1,023 characters need no pool */

typedef struct _RTLP_MATCH {
    PCUNICODE_STRING Expression;
    ULONG Count; /* elements; state Count: the whole expression matched */
    ULONG64 *Now, *Next;
} RTLP_MATCH;

static VOID RtlpMark(ULONG64 *States, ULONG State)
{
    States[State / 64] |= 1ull << State % 64;
}

static BOOLEAN RtlpHas(const ULONG64 *States, ULONG State)
{
    return States[State / 64] >> State % 64 & 1;
}

/* Whether the element can stand for nothing where Character (0: the end) comes next. */
static BOOLEAN RtlpCanBeEmpty(WCHAR Element, WCHAR Character, BOOLEAN AtEnd)
{
    switch (Element) {
    case '*':
    case '<':
        return TRUE;
    case '>':
        return AtEnd || Character == '.';
    case '"':
        return AtEnd;
    default:
        return FALSE;
    }
}

/* Takes Character: states go over from Now to Next. */
static VOID RtlpTake(RTLP_MATCH *Match, WCHAR Character, WCHAR Upper, BOOLEAN LastDot)
{
    for (ULONG i = 0; i < Match->Count; i++) {
        WCHAR Element = Match->Expression->Buffer[i];
        if (!RtlpHas(Match->Now, i))
            continue;
        if (RtlpCanBeEmpty(Element, Character, FALSE))
            RtlpMark(Match->Now, i + 1);
        if (Element == '*' || (Element == '<' && !LastDot))
            RtlpMark(Match->Next, i);
        else if (Element == '?' || (Element == '>' && Character != '.') ||
                 (Element == '"' && Character == '.'))
            RtlpMark(Match->Next, i + 1);
        else if (Element == Upper && Element != '<' && Element != '>' && Element != '"')
            RtlpMark(Match->Next, i + 1);
    }
}

static BOOLEAN RtlpEndsWell(RTLP_MATCH *Match)
{
    for (ULONG i = 0; i < Match->Count; i++) {
        if (RtlpHas(Match->Now, i) && RtlpCanBeEmpty(Match->Expression->Buffer[i], 0, TRUE))
            RtlpMark(Match->Now, i + 1);
    }
    return RtlpHas(Match->Now, Match->Count);
}

static BOOLEAN RtlpRun(RTLP_MATCH *Match, PCUNICODE_STRING Name, BOOLEAN IgnoreCase, const WCHAR *UpcaseTable)
{
    ULONG Length = Name->Length / sizeof(WCHAR), LastDot = Length,
          Bytes = (Match->Count / 64 + 1) * sizeof(ULONG64);

    for (ULONG i = 0; i < Length; i++) {
        if (Name->Buffer[i] == '.')
            LastDot = i;
    }
    memset(Match->Now, 0, Bytes);
    RtlpMark(Match->Now, 0);
    for (ULONG i = 0; i < Length; i++) {
        WCHAR c = Name->Buffer[i], Upper = c;
        if (IgnoreCase)
            Upper = UpcaseTable != NULL ? UpcaseTable[c] : RtlpUpcase(c);
        memset(Match->Next, 0, Bytes);
        RtlpTake(Match, c, Upper, i == LastDot);
        ULONG64 *Swap = Match->Now;
        Match->Now = Match->Next;
        Match->Next = Swap;
    }
    return RtlpEndsWell(Match);
}

/* [WDK FsRtlIsNameInExpression] With IgnoreCase the expression is in upper case already. Raises STATUS_NO_MEMORY when a long
 * expression finds no pool. */
BOOLEAN NTAPI FsRtlIsNameInExpression(PUNICODE_STRING Expression, PUNICODE_STRING Name, BOOLEAN IgnoreCase,
                                      PWCHAR UpcaseTable)
{
    ULONG64 Local[2 * LOCAL_WORDS], *Words = Local;
    RTLP_MATCH Match = {.Expression = Expression, .Count = Expression->Length / sizeof(WCHAR)};
    ULONG Count = Match.Count / 64 + 1;

    if (Count > LOCAL_WORDS)
        Words = ExAllocatePoolWithTag(PagedPool, 2 * Count * sizeof(ULONG64), RTLP_TAG);
    if (Words == NULL)
        RtlRaiseStatus(STATUS_NO_MEMORY);
    Match.Now = Words;
    Match.Next = Words + Count;
    BOOLEAN Result = RtlpRun(&Match, Name, IgnoreCase, UpcaseTable);
    if (Words != Local)
        ExFreePoolWithTag(Words, RTLP_TAG);
    return Result;
}

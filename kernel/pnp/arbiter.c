/* SPDX-License-Identifier: MIT
 * The search for a free range. */
#include "arbiter.h"

/* FALSE: beyond the last number there is. */
static BOOLEAN ArbiterAlign(ULONG64 Value, ULONG64 Alignment, PULONG64 Aligned)
{
    ULONG64 Rest = Value % Alignment;
    *Aligned = Value;
    return Rest == 0 || !__builtin_add_overflow(Value, Alignment - Rest, Aligned);
}

/* One that is in the way; NULL: none. */
static const PNP_RANGE *ArbiterConflict(const LIST_ENTRY *Ranges, ULONG64 Start, ULONG64 End,
                                        const PNP_WISH *Wish)
{
    for (const LIST_ENTRY *E = Ranges->Flink; E != Ranges; E = E->Flink) {
        const PNP_RANGE *Range = CONTAINING_RECORD(E, PNP_RANGE, Entry);
        if (Range->Start > End || Range->End < Start || (Wish->Shared && Range->Shared))
            continue;
        if (!Range->Window || !Wish->IsBehind(Wish->Asker, Range->Owner))
            return Range;
    }
    return NULL;
}

BOOLEAN ArbiterFind(const LIST_ENTRY *Ranges, const PNP_WISH *Wish, PULONG64 Start)
{
    ULONG64 At = Wish->Minimum, End;
    for (;;) {
        if (!ArbiterAlign(At, Wish->Alignment, &At) || __builtin_add_overflow(At, Wish->Length - 1, &End) ||
            End > Wish->Maximum)
            return FALSE;
        const PNP_RANGE *Conflict = ArbiterConflict(Ranges, At, End, Wish);
        if (Conflict == NULL) {
            *Start = At;
            return TRUE;
        }
        if (__builtin_add_overflow(Conflict->End, 1, &At))
            return FALSE;
    }
}

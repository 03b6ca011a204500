/* SPDX-License-Identifier: MIT
 * Tier 3 of mm, pure: the word of a page frame that holds its state and counts, and the steps it may take. One word, so that counting is
 * one compare-exchange without a lock (pfn.h); builds on the host (test/unit/mm/pfn_word_test.c).
 *
 *   bits 0-27   shares: entries (and owners) that use the page
 *   bits 28-51  locks: MDLs and others who keep it where it is
 *   bits 52-54  state
 *   bits 55-56  cache type (MI_CACHE)
 *   bit 57      keep: its contents can be asked for again; unused, it goes to the standby list and is not freed */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef enum _MI_FRAME_STATE {
    MiFrameFree,       /* nobody's, contents of the previous owner */
    MiFrameZeroed,     /* nobody's, all zero */
    MiFrameStandby,    /* nobody uses it, but its contents are good; taken when memory is short */
    MiFrameActive,     /* shares > 0 */
    MiFrameTransition, /* no shares left, but locks */
    MiFrameDevice,     /* no RAM: shares are the mappings of it */
} MI_FRAME_STATE;

typedef enum _MI_CACHE { MiCacheNone, MiCacheBack, MiCacheOff, MiCacheCombine } MI_CACHE;

#define MI_WORD_SHARE 1ull
#define MI_WORD_SHARES 0x000000000fffffffull
#define MI_WORD_LOCK 0x0000000010000000ull
#define MI_WORD_LOCKS 0x000ffffff0000000ull
#define MI_WORD_STATE_SHIFT 52
#define MI_WORD_STATE (7ull << MI_WORD_STATE_SHIFT)
#define MI_WORD_CACHE_SHIFT 55
#define MI_WORD_CACHE (3ull << MI_WORD_CACHE_SHIFT)
#define MI_WORD_KEEP (1ull << 57)

static inline uint64_t MiWord(MI_FRAME_STATE State, MI_CACHE Cache, uint32_t Shares)
{
    return (uint64_t)State << MI_WORD_STATE_SHIFT | (uint64_t)Cache << MI_WORD_CACHE_SHIFT | Shares;
}

static inline uint32_t MiWordShares(uint64_t Word)
{
    return (uint32_t)(Word & MI_WORD_SHARES);
}

static inline uint32_t MiWordLocks(uint64_t Word)
{
    return (uint32_t)((Word & MI_WORD_LOCKS) / MI_WORD_LOCK);
}

static inline MI_FRAME_STATE MiWordState(uint64_t Word)
{
    return (MI_FRAME_STATE)((Word & MI_WORD_STATE) >> MI_WORD_STATE_SHIFT);
}

static inline MI_CACHE MiWordCache(uint64_t Word)
{
    return (MI_CACHE)((Word & MI_WORD_CACHE) >> MI_WORD_CACHE_SHIFT);
}

static inline uint64_t MiWordWithState(uint64_t Word, MI_FRAME_STATE State)
{
    return (Word & ~MI_WORD_STATE) | (uint64_t)State << MI_WORD_STATE_SHIFT;
}

/* What a step leaves behind. */
typedef enum _MI_STEP {
    MiStepDone,
    MiStepUnused, /* the last user is gone: whoever took this step puts the page on its list */
    MiStepWrong,  /* not allowed in this state, or one too many: *New is not set */
} MI_STEP;

/* One more entry or owner: there is one already. */
static inline MI_STEP MiWordShare(uint64_t Old, uint64_t *New)
{
    uint32_t Shares = MiWordShares(Old);
    if (MiWordState(Old) != MiFrameActive || Shares == 0 || Shares == MI_WORD_SHARES)
        return MiStepWrong;
    *New = Old + MI_WORD_SHARE;
    return MiStepDone;
}

/* The same of a page that somebody keeps: also when nobody shares it any more, but it is locked. */
static inline MI_STEP MiWordShareLocked(uint64_t Old, uint64_t *New)
{
    if (MiWordState(Old) != MiFrameTransition)
        return MiWordShare(Old, New);
    if (MiWordLocks(Old) == 0)
        return MiStepWrong;
    *New = MiWordWithState(Old, MiFrameActive) + MI_WORD_SHARE;
    return MiStepDone;
}

static inline MI_STEP MiWordRelease(uint64_t Old, uint64_t *New)
{
    if (MiWordState(Old) != MiFrameActive || MiWordShares(Old) == 0)
        return MiStepWrong;
    *New = Old - MI_WORD_SHARE;
    if (MiWordShares(*New) != 0)
        return MiStepDone;
    if (MiWordLocks(*New) == 0)
        return MiStepUnused;
    *New = MiWordWithState(*New, MiFrameTransition);
    return MiStepDone;
}

static inline MI_STEP MiWordLock(uint64_t Old, uint64_t *New)
{
    MI_FRAME_STATE State = MiWordState(Old);
    bool Used = (State == MiFrameActive && MiWordShares(Old) != 0) || State == MiFrameTransition;
    if (!Used || (Old & MI_WORD_LOCKS) == MI_WORD_LOCKS)
        return MiStepWrong;
    *New = Old + MI_WORD_LOCK;
    return MiStepDone;
}

static inline MI_STEP MiWordUnlock(uint64_t Old, uint64_t *New)
{
    MI_FRAME_STATE State = MiWordState(Old);
    if ((State != MiFrameActive && State != MiFrameTransition) || MiWordLocks(Old) == 0)
        return MiStepWrong;
    *New = Old - MI_WORD_LOCK;
    return MiWordLocks(*New) == 0 && State == MiFrameTransition ? MiStepUnused : MiStepDone;
}

/* Nobody uses it, and it is on no list yet. */
static inline bool MiWordIsUnused(uint64_t Word)
{
    MI_FRAME_STATE State = MiWordState(Word);
    return (State == MiFrameActive || State == MiFrameTransition) &&
           (Word & (MI_WORD_SHARES | MI_WORD_LOCKS)) == 0;
}

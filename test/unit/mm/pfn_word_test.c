/* SPDX-License-Identifier: MIT
 * The counts of a page frame against a model with plain variables: random steps, every answer compared. */
#include "mm/pfn_word.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct MODEL {
    uint64_t Word;
    unsigned Shares, Locks;
    MI_FRAME_STATE State;
} MODEL;

static uint64_t Random(uint64_t *State)
{
    *State ^= *State << 13;
    *State ^= *State >> 7;
    *State ^= *State << 17;
    return *State;
}

static void Agrees(const MODEL *M)
{
    assert_int_equal(MiWordShares(M->Word), M->Shares);
    assert_int_equal(MiWordLocks(M->Word), M->Locks);
    assert_int_equal(MiWordState(M->Word), M->State);
    assert_int_equal(MiWordCache(M->Word), MiCacheCombine);
    assert_true((M->Word & MI_WORD_KEEP) != 0);
    bool Used = M->State == MiFrameActive || M->State == MiFrameTransition;
    assert_int_equal(MiWordIsUnused(M->Word), Used && M->Shares == 0 && M->Locks == 0);
}

/* What each step must answer, said in the words of pfn.h. */
static MI_STEP Expected(MODEL *M, unsigned Step)
{
    bool Active = M->State == MiFrameActive, Used = Active || M->State == MiFrameTransition;
    switch (Step) {
    case 0:
        if (!Active || M->Shares == 0)
            return MiStepWrong;
        M->Shares++;
        return MiStepDone;
    case 1:
        if (!Active || M->Shares == 0)
            return MiStepWrong;
        if (--M->Shares == 0 && M->Locks != 0)
            M->State = MiFrameTransition;
        return M->Shares == 0 && M->Locks == 0 ? MiStepUnused : MiStepDone;
    case 2:
        if (!Used || (Active && M->Shares == 0))
            return MiStepWrong;
        M->Locks++;
        return MiStepDone;
    case 3:
        if (M->State == MiFrameTransition && M->Locks != 0)
            M->State = MiFrameActive;
        else if (!Active || M->Shares == 0)
            return MiStepWrong;
        M->Shares++;
        return MiStepDone;
    default:
        if (!Used || M->Locks == 0)
            return MiStepWrong;
        return --M->Locks == 0 && M->State == MiFrameTransition ? MiStepUnused : MiStepDone;
    }
}

#define STEPS 5

static MI_STEP Take(unsigned Step, uint64_t Old, uint64_t *New)
{
    switch (Step) {
    case 0:
        return MiWordShare(Old, New);
    case 1:
        return MiWordRelease(Old, New);
    case 2:
        return MiWordLock(Old, New);
    case 3:
        return MiWordShareLocked(Old, New);
    default:
        return MiWordUnlock(Old, New);
    }
}

static void Begin(MODEL *M, MI_FRAME_STATE State)
{
    *M = (MODEL){.Shares = State == MiFrameActive, .State = State};
    M->Word = MiWord(State, MiCacheCombine, M->Shares) | MI_WORD_KEEP;
}

static void random_steps_agree_with_the_model(void **State)
{
    (void)State;
    MODEL M;
    uint64_t Seed = 4711;
    Begin(&M, MiFrameActive);
    for (unsigned I = 0; I < 200000; I++) {
        unsigned Step = Random(&Seed) % STEPS;
        uint64_t New = M.Word;
        assert_int_equal(Take(Step, M.Word, &New), Expected(&M, Step));
        M.Word = New;
        Agrees(&M);
        if (MiWordIsUnused(M.Word))
            Begin(&M, Random(&Seed) % 8 ? MiFrameActive : MiFrameStandby);
        else if (M.State == MiFrameStandby)
            Begin(&M, MiFrameActive);
    }
}

static void counts_do_not_run_over(void **State)
{
    (void)State;
    uint64_t New = 0, Full = MiWord(MiFrameActive, MiCacheBack, 0) | MI_WORD_SHARES | MI_WORD_LOCKS;
    assert_int_equal(MiWordShare(Full, &New), MiStepWrong);
    assert_int_equal(MiWordLock(Full, &New), MiStepWrong);
    assert_int_equal(MiWordRelease(Full, &New), MiStepDone);
    assert_int_equal(MiWordLocks(New), 0xffffff);
    assert_int_equal(MiWordShares(New), 0xffffffe);
}

static void who_is_not_in_use_takes_no_step(void **State)
{
    (void)State;
    const MI_FRAME_STATE Idle[] = {MiFrameFree, MiFrameZeroed, MiFrameStandby, MiFrameDevice};
    for (unsigned I = 0; I < 4; I++)
        for (unsigned Step = 0; Step < STEPS; Step++) {
            uint64_t New;
            assert_int_equal(Take(Step, MiWord(Idle[I], MiCacheNone, 1) | MI_WORD_LOCK, &New), MiStepWrong);
        }
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(random_steps_agree_with_the_model),
        cmocka_unit_test(counts_do_not_run_over),
        cmocka_unit_test(who_is_not_in_use_takes_no_step),
    };
    return cmocka_run_group_tests(Tests, NULL, NULL);
}

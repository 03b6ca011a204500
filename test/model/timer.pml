/* SPDX-License-Identifier: MIT
 * A timer with a DPC: set, set again from another processor (so that it changes its wheel), cancelled, against expiry on two wheels, which
 * takes wheel before object and therefore only tries the object's lock. Once periodic. Its owner cancels it, flushes the DPCs and frees it.
 * Proved: nothing touches the timer after cancel + flush, no dead lock, it is in at most one wheel and never linked twice, a timer that is due
 * and not cancelled does fire, expiry that cannot get the object's lock does not spin for ever (it ends when the holder lets go).
 * run: safety
 * run: liveness
 * break: BREAK_NO_TRY safety
 * break: BREAK_LOCK_OUTSIDE_WHEEL safety
 * break: BREAK_REINSERT_UNLOCKED safety
 * break: BREAK_NO_FLUSH safety
 * break: BREAK_KEEP_WHEEL liveness
 */
#define WHEELS 2
#define NOWHERE 255

bool wheelLock[WHEELS];
bool waits[WHEELS];        /* somebody with the object's lock spins for the wheel's */
bool objectLock;
byte objectWaits;          /* how many spin for it */
byte wheel = NOWHERE;      /* KTIMER.Processor: whose wheel it is in. Object lock; changed with that wheel's lock, too */
byte linked[WHEELS];       /* how often it is linked there */
bool periodic;
bool signalled;
bool dpcQueued;            /* one processor's DPC queue, in which the flush goes behind it */
bool dpcRuns;
bool freed;
bool setAgain;             /* the other thread is done with it */
bool cancelled;
byte fired;

#define Touch() assert(!freed)

inline Lock(l) { atomic { !l -> l = true } }

/* Assumed: a spin lock that is dropped again and again is had by who spins for it, some time. */
inline LockWheel(of_)
{
    waits[of_] = true;
    atomic { !wheelLock[of_] -> wheelLock[of_] = true; waits[of_] = false }
}

inline LockObject()
{
    objectWaits++;
    atomic { !objectLock -> objectLock = true; objectWaits--; Touch() }
}

/* KiInsertTimer: object locked. */
inline InsertTimer(w)
{
    LockWheel(w);
    d_step { assert(linked[0] + linked[1] == 0); linked[w]++; wheel = w };
    wheelLock[w] = false
}

/* KiRemoveTimer: object locked; `wheel` cannot change. */
inline RemoveTimer()
{
    at = wheel;
    if
    :: at != NOWHERE ->
        LockWheel(at);
        if
        :: linked[at] -> d_step { linked[at]--; wheel = NOWHERE }
        :: else -> assert(false)            /* out of a wheel only with both locks */
        fi;
        wheelLock[at] = false
    :: else
    fi;
    at = NOWHERE
}

inline SetTimer(w, repeat)
{
    LockObject();
    RemoveTimer();
    d_step { signalled = false; periodic = repeat };
    InsertTimer(w);
    atomic { Touch(); objectLock = false }
}

inline CancelTimer()
{
    LockObject();
    RemoveTimer();
    periodic = false;
    atomic { Touch(); objectLock = false }
}

proctype Owner()
{
    byte at = NOWHERE;
    SetTimer(0, true);
    setAgain;
    CancelTimer();
    cancelled = true;
#ifndef BREAK_NO_FLUSH
    d_step { !dpcQueued && !dpcRuns -> freed = true };     /* KeFlushQueuedDpcs, then free */
#else
    freed = true
#endif
}

proctype Other()
{
    byte at = NOWHERE;
    SetTimer(1, false);
    setAgain = true
}

/* KiExpireTimers on one processor, a DPC: the timer is due whenever it is in the wheel. */
proctype Expiry(byte w)
{
    bool again, got;
end:
    do
    :: linked[w] && (objectLock || objectWaits == 0) ->
        atomic { !wheelLock[w] && !waits[w] -> wheelLock[w] = true };
#ifdef BREAK_KEEP_WHEEL
again_:
#endif
        if
        :: linked[w] ->
            Touch();
#ifdef BREAK_NO_TRY
            Lock(objectLock);
            got = true;
#else
#ifdef BREAK_LOCK_OUTSIDE_WHEEL
            d_step { linked[w]--; wheel = NOWHERE };
            wheelLock[w] = false;
            Lock(objectLock);
            Touch();
            got = true;
            Lock(wheelLock[w]);
            linked[w]++;
#else
            d_step { got = !objectLock; objectLock = true };
#endif
#endif
            if
            :: got ->
                d_step { linked[w]--; wheel = NOWHERE; again = periodic };
                wheelLock[w] = false;
                d_step { Touch(); signalled = true; fired = (fired < 3 -> fired + 1 : fired) };
#ifdef BREAK_REINSERT_UNLOCKED
                objectLock = false;
#endif
                if
                :: again -> Touch(); InsertTimer(w)
                :: else
                fi;
                Touch();
                dpcQueued = true;
#ifndef BREAK_REINSERT_UNLOCKED
                objectLock = false;
#endif
            :: else ->
#ifdef BREAK_KEEP_WHEEL
                goto again_
#else
                wheelLock[w] = false
#endif
            fi
        :: else -> wheelLock[w] = false
        fi;
        d_step { again = false; got = false }
    od
}

/* The driver's DPC routine touches what is freed with the timer. */
active proctype Dpc()
{
end:
    do
    :: atomic { dpcQueued -> dpcQueued = false; dpcRuns = true };
        Touch();
        dpcRuns = false
    od
}

#ifdef LIVENESS
ltl cancel_returns { <> cancelled }
#else
active proctype Watch()
{
    timeout -> assert(freed && !objectLock && !wheelLock[0] && !wheelLock[1] && linked[0] + linked[1] == 0)
}
#endif

init {
    atomic { run Owner(); run Other(); run Expiry(0); run Expiry(1) }
}

/* SPDX-License-Identifier: MIT
 * WaitAll over two synchronization events A and B, with a time-out: the waiter locks both in address order; a signaller, which holds one,
 * only tries the other, and wakes the waiter with RETRY when that fails. A second waiter waits for both in a list of the other order, a
 * third for B alone. A time-out or alert that comes while the claim is RETRY must not be lost: the wait begins again with the same
 * absolute due time.
 * Proved: no dead lock, no wake-up and no time-out lost, all or nothing is taken, each signal once, no double wake.
 * run: safety COMPETE
 * run: safety TIMED
 * break: BREAK_NO_RETRY safety COMPETE
 * break: BREAK_TAKE_UNLOCKED safety COMPETE
 * break: BREAK_RETRY_FORGETS_TIME safety TIMED
 * break: BREAK_WAIT_FOR_LOCK safety COMPETE
 * break: BREAK_LIST_ORDER safety COMPETE
 */
#define A 0
#define B 1
#define ALL 0       /* waits for A and B */
#define ALL_TOO 1   /* waits for B and A */
#define ANY 2       /* waits for B */

#ifdef COMPETE
#define THREADS 3
#else
#define THREADS 1
#endif

mtype = { None, InProgress, Blocked, Claimed };
mtype = { StatusNone, StatusDone, StatusTimeout, StatusRetry };

bool objectLock[2];
bool signalled[2];
byte sets[2];
byte consumed[2];
bool block[6];
#define Block(t, o) block[(t) * 2 + (o)]
#define Other(o) (1 - (o))

mtype state[THREADS] = None;
mtype status[THREADS] = StatusNone;
bool runs[THREADS] = true;
bool done[THREADS];
bool timed;          /* the waiter's timer is in the wheel */
bool due;            /* its time has come: the clock only moves forward */
bool wheelLock;

inline LockObject(o)   { atomic { !objectLock[o] -> objectLock[o] = true } }
inline UnlockObject(o) { objectLock[o] = false }

inline Claim(t, old)
{
    d_step {
        old = state[t];
        if
        :: old == InProgress || old == Blocked -> state[t] = Claimed
        :: else -> old = None
        fi
    }
}

inline ReadyIfBlocked(t, old)
{
    if
    :: old == Blocked -> atomic { assert(!runs[t]); runs[t] = true }
    :: else
    fi
}

inline Take(o) { signalled[o] = false; consumed[o]++ }

/* The walk of KeSetEvent at one block of a WaitAll; the lock of e is held. */
inline SignalAll(w, e, was)
{
#ifdef BREAK_WAIT_FOR_LOCK
    LockObject(Other(e));
    got = true;
#else
    d_step { got = !objectLock[Other(e)]; objectLock[Other(e)] = true };
#endif
#ifdef BREAK_TAKE_UNLOCKED
    if :: !got && signalled[Other(e)] -> Claim(w, was); if :: was != None -> d_step { Take(e); Take(Other(e)) }; status[w] = StatusDone :: else fi :: else fi;
#endif
    if
    :: got ->
        if
        :: signalled[Other(e)] ->
            Claim(w, was);
            if
            :: was != None -> d_step { Take(e); Take(Other(e)); Block(w, e) = false; Block(w, Other(e)) = false; status[w] = StatusDone }
            :: else
            fi
        :: else
        fi;
        UnlockObject(Other(e))
#ifndef BREAK_NO_RETRY
    :: !got && was == None ->
        Claim(w, was);
        if
        :: was != None -> status[w] = StatusRetry
        :: else
        fi
#endif
    :: else
    fi;
    got = false
}

inline SetEvent(o)
{
    LockObject(o);
    d_step { sets[o] = (signalled[o] -> sets[o] : sets[o] + 1); signalled[o] = true };
    if :: Block(ALL, o) -> SignalAll(ALL, o, old0) :: else fi;
#ifdef COMPETE
    if :: signalled[o] && Block(ALL_TOO, o) -> SignalAll(ALL_TOO, o, old1) :: else fi;
    if
    :: signalled[o] && Block(ANY, o) ->
        Claim(ANY, old2);
        if
        :: old2 != None -> d_step { Take(o); Block(ANY, o) = false; status[ANY] = StatusDone }
        :: else
        fi
    :: else
    fi;
#endif
    UnlockObject(o);
    ReadyIfBlocked(ALL, old0);
#ifdef COMPETE
    ReadyIfBlocked(ALL_TOO, old1);
    ReadyIfBlocked(ANY, old2);
#endif
    d_step { old0 = None; old1 = None; old2 = None }
}

/* Both locks, the lower address first. */
inline LockBoth(t)
{
#ifdef BREAK_LIST_ORDER
    if
    :: t == ALL -> LockObject(A); LockObject(B)
    :: else -> LockObject(B); LockObject(A)
    fi
#else
    LockObject(A); LockObject(B)
#endif
}

proctype WaitForAll(byte me)
{
    bool forget;
    do
    :: LockBoth(me);
        d_step {
            status[me] = StatusNone;
            if
            :: signalled[A] && signalled[B] -> Take(A); Take(B); status[me] = StatusDone
            :: else -> state[me] = InProgress; Block(me, A) = true; Block(me, B) = true
            fi
        };
        UnlockObject(B); UnlockObject(A);
        if
        :: status[me] == StatusDone && state[me] == None -> break
        :: else
        fi;
#ifdef TIMED
        /* KiInsertWaitTimer: a due time that is over is not inserted */
        atomic {
            !wheelLock;
            if
            :: forget
            :: !forget && due ->
                if
                :: state[me] == InProgress -> state[me] = Claimed; status[me] = StatusTimeout
                :: else
                fi
            :: else -> timed = true
            fi
        };
#endif
        d_step { state[me] == InProgress -> state[me] = Blocked; runs[me] = false } unless { state[me] == Claimed };
end:    runs[me];
        d_step { !objectLock[A] -> Block(me, A) = false };
        d_step { !objectLock[B] -> Block(me, B) = false };
#ifdef TIMED
        d_step { !wheelLock -> timed = false };
#endif
        assert(state[me] == Claimed && status[me] != StatusNone);
        state[me] = None;
        if
        :: status[me] != StatusRetry -> break
        :: else
        fi;
#ifdef BREAK_RETRY_FORGETS_TIME
        forget = true;
#endif
    od;
    done[me] = true
}

#ifdef COMPETE
proctype WaitForAny()
{
    byte me = ANY;
    LockObject(B);
    if
    :: signalled[B] -> Take(B); UnlockObject(B)
    :: else ->
        d_step { state[me] = InProgress; Block(me, B) = true };
        UnlockObject(B);
        d_step { state[me] == InProgress -> state[me] = Blocked; runs[me] = false } unless { state[me] == Claimed };
end:    runs[me];
        d_step { !objectLock[B] -> Block(me, B) = false }
    fi;
    done[me] = true
}
#endif

proctype Signaller(byte o; byte count)
{
    bool got;
    mtype old0 = None;
    mtype old1 = None;
    mtype old2 = None;
    do
    :: count > 0 -> count--; SetEvent(o)
    :: else -> break
    od
}

#ifdef TIMED
/* KeResetEvent on B: its lock is what the signaller of A runs into. */
proctype Resetter()
{
    LockObject(B);
    signalled[B] = false;
    UnlockObject(B)
}

proctype Clock()
{
    mtype old = None;
    due = true;
    atomic { !wheelLock -> wheelLock = true };
    if
    :: timed -> timed = false; Claim(ALL, old); if :: old != None -> status[ALL] = StatusTimeout :: else fi
    :: else
    fi;
    wheelLock = false;
    ReadyIfBlocked(ALL, old)
}
#endif

/* Events are merged when they are set twice, so who is satisfied depends on the order; what must hold at the end is that nobody waits for
 * what is there. */
active proctype Watch()
{
    timeout ->
    assert(sets[A] == consumed[A] + signalled[A] && sets[B] == consumed[B] + signalled[B]);
    assert(done[ALL] || !(signalled[A] && signalled[B]));
#ifdef TIMED
    assert(done[ALL]);
#else
    assert(done[ALL_TOO] || !(signalled[A] && signalled[B]));
    assert(done[ANY] || !signalled[B])
#endif
}

init {
    atomic {
        run WaitForAll(ALL);
#ifdef TIMED
        run Signaller(A, 2); run Resetter(); run Clock()
#else
        run Signaller(A, 1); run Signaller(B, 2); run WaitForAll(ALL_TOO); run WaitForAny()
#endif
    }
}

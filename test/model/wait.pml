/* SPDX-License-Identifier: MIT
 * WaitAny, signal, time-out and alert. A waiter waits for two synchronization events, its own (on its stack, set once by a partner) and a
 * shared one (set by another thread, wanted by a second waiter too), with a time-out and alertably, until its own was set; then its stack
 * is gone. Blocking is the flag `runs`: the scheduler has a model of its own (schedule.pml).
 * Proved: no wake-up is lost (nobody is left blocked on a signalled object, and the waiter gets its own signal), nobody is readied twice or
 * while running, each signal is consumed by exactly one live wait, an alert is seen once, a dead event is not touched, a wait that is not alertable is not alerted,
 * WaitStatus is read after it was written.
 * run: safety SHARED_EVENT
 * run: safety ALERTS
 * break: BREAK_NO_LOCK_AT_END safety SHARED_EVENT
 * break: BREAK_CONSUME_UNCLAIMED safety SHARED_EVENT
 * break: BREAK_COMMIT_BLINDLY safety SHARED_EVENT
 * break: BREAK_READY_UNCOMMITTED safety SHARED_EVENT
 * break: BREAK_INSERT_UNLOCKED safety SHARED_EVENT
 * break: BREAK_ALERTABLE_UNLOCKED safety ALERTS
 * break: BREAK_ALERT_TAKEN_FIRST safety ALERTS
 * break: BREAK_TIMER_STAYS safety SHARED_EVENT
 */
#define OWN 0
#define SHARED 1
#define OBJECTS 2
#define WAITERS 2

mtype = { None, InProgress, Blocked, Claimed };
mtype = { StatusNone, StatusOwn, StatusShared, StatusTimeout, StatusAlerted };

/* dispatcher headers */
bool objectLock[OBJECTS];
bool signalled[OBJECTS];
bool dead[OBJECTS];          /* the stack it was on is gone */

/* wait blocks: one for each waiter and object. Lists keep their order by the number of the waiter: any order is right here. */
bool block[4];
#define Block(t, o) block[(t) * OBJECTS + (o)]

/* threads */
mtype state[WAITERS] = None;
mtype status[WAITERS] = StatusNone;
bool statusKnown[WAITERS];   /* the claimer has written it */
bool alertable[WAITERS];
bool alerted[WAITERS];       /* KTHREAD.Alerted */
bool threadLock[WAITERS];
bool timed[WAITERS];         /* in the wheel */
bool wheelLock[WAITERS];     /* one wheel for each: they never meet */
bool runs[WAITERS] = true;
bool done[WAITERS];

byte sets[OBJECTS];          /* that found the event not signalled */
byte consumed[OBJECTS];
byte alertsSeen;

inline LockObject(o)   { atomic { !objectLock[o] -> objectLock[o] = true; assert(!dead[o]) } }
inline UnlockObject(o) { atomic { assert(!dead[o]); objectLock[o] = false } }
inline Lock(l)         { atomic { !l -> l = true } }
inline Unlock(l)       { l = false }

/* KiClaimWait: the compare-exchange that exactly one wins. */
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

/* What the claimer of another thread's wait does at the end, when its lock is dropped. */
inline ReadyIfBlocked(t, old)
{
    if
    :: old == Blocked -> atomic { assert(!runs[t]); runs[t] = true }
#ifdef BREAK_READY_UNCOMMITTED
    :: old == InProgress -> atomic { assert(!runs[t]); runs[t] = true }
#endif
    :: else
    fi
}

inline WriteStatus(t, value)
{
    d_step { status[t] = value; statusKnown[t] = true }
}

/* KeSetEvent on a synchronization event. */
inline SetEvent(o, first, second)
{
    LockObject(o);
    d_step {
        sets[o] = (signalled[o] -> sets[o] : sets[o] + 1);
        signalled[o] = true;
        first = None; second = None
    };
    if
    :: Block(0, o) -> SignalOne(0, o, first)
    :: else
    fi;
    if
    :: signalled[o] && Block(1, o) -> SignalOne(1, o, second)
    :: else
    fi;
    UnlockObject(o);
    ReadyIfBlocked(0, first);
    ReadyIfBlocked(1, second)
}

inline SignalOne(w, e, was)
{
    Claim(w, was);
#ifdef BREAK_CONSUME_UNCLAIMED
    d_step { signalled[e] = false; consumed[e]++; Block(w, e) = false };
#endif
    if
    :: was != None ->
#ifndef BREAK_CONSUME_UNCLAIMED
        d_step { signalled[e] = false; consumed[e]++; Block(w, e) = false };
#endif
        WriteStatus(w, (e == OWN -> StatusOwn : StatusShared))
    :: else
    fi
}

/* The loop over the objects, one of them. `over`: no need to go on. */
inline WaitObject(o)
{
    if
    :: !over ->
#ifdef BREAK_INSERT_UNLOCKED
        seen = signalled[o];
        LockObject(o);
#else
        LockObject(o);
        seen = signalled[o];
#endif
        if
        :: seen ->
            Claim(me, own);
            if
            :: own != None ->
                d_step { signalled[o] = false; consumed[o]++ };
                WriteStatus(me, (o == OWN -> StatusOwn : StatusShared))
            :: else
            fi;
            over = true
        :: else -> Block(me, o) = true
        fi;
        UnlockObject(o)
    :: else
    fi
}

/* Each object once under its lock, also one whose block is out: that waits for the signaller who took it out. */
inline EndObject(o)
{
#ifdef BREAK_NO_LOCK_AT_END
    if
    :: Block(me, o) -> LockObject(o); Block(me, o) = false; UnlockObject(o)
    :: else
    fi
#else
    d_step { !objectLock[o] -> assert(!dead[o]); Block(me, o) = false } /* acquire, remove, release: one step, all others lock too */
#endif
}

/* KiWait on both objects (the second waiter: on the shared one). */
inline Wait(isAlertable, isTimed)
{
#ifdef BREAK_ALERTABLE_UNLOCKED
    alertable[me] = isAlertable;
    state[me] = InProgress;
#else
    d_step { !threadLock[me] -> alertable[me] = isAlertable; state[me] = InProgress };
#endif
    over = false;
    if :: me == 0 -> WaitObject(OWN) :: else fi;
    WaitObject(SHARED);
    if
    :: !over ->
        if :: isTimed -> d_step { !wheelLock[me] -> timed[me] = true } :: else fi;
        d_step {                        /* the commit: acquires ThreadLock, looks, releases */
            !threadLock[me] ->
            if
            :: alertable[me] && alerted[me] && state[me] == InProgress ->
                alerted[me] = false; alertsSeen++; state[me] = Claimed; status[me] = StatusAlerted; statusKnown[me] = true
            :: else
            fi;
#ifdef BREAK_ALERT_TAKEN_FIRST
            alerted[me] = alerted[me] && !alertable[me];
#endif
            over = state[me] == Claimed;
#ifdef BREAK_COMMIT_BLINDLY
            over = false;
#endif
            if
            :: over
            :: else -> state[me] = Blocked; runs[me] = false
            fi
        };
endBlocked:
        runs[me]
    :: else
    fi;
    if :: me == 0 -> EndObject(OWN) :: else fi;
    EndObject(SHARED);
#ifndef BREAK_TIMER_STAYS
    d_step { !wheelLock[me] -> timed[me] = false };
#endif
    d_step {
        !threadLock[me] ->
        assert(state[me] == Claimed && statusKnown[me]);
        assert(status[me] != StatusAlerted || isAlertable);
        statusKnown[me] = false; state[me] = None; own = None; seen = false; over = false
    }
}

active proctype Waiter()
{
    bool over, seen;
    mtype own;
    byte me = 0;
    byte tries;
    do
    :: status[me] != StatusOwn ->
        tries = (tries < 3 -> tries + 1 : tries);
        Wait(tries == 1, tries < 3)
    :: else -> break
    od;
    skip;
    d_step { dead[OWN] = true; done[me] = true; assert(!Block(me, OWN) && !Block(me, SHARED) && !timed[me]) }
}

#ifdef SHARED_EVENT
active proctype Second()
{
    bool over, seen;
    mtype own;
    byte me = 1;
    Wait(false, false);
    d_step { done[me] = true; assert(!Block(me, SHARED)) }
}

#endif

active proctype Partner()
{
    mtype first, second;
    SetEvent(OWN, first, second)
}

active proctype Other()
{
    mtype first, second;
    SetEvent(SHARED, first, second);
#ifdef SHARED_EVENT
    SetEvent(SHARED, first, second)
#endif
}

/* The clock: expires a wait timer that is in the wheel. Claims under the wheel lock, readies after it. */
active proctype Clock()
{
    mtype old;
end:
    do
    :: timed[0] ->
        Lock(wheelLock[0]);
        old = None;
        if
        :: timed[0] ->
            timed[0] = false;
            Claim(0, old);
            if
            :: old != None -> WriteStatus(0, StatusTimeout)
            :: else
            fi
        :: else
        fi;
        Unlock(wheelLock[0]);
        ReadyIfBlocked(0, old)
    od
}

#ifdef ALERTS
/* KeAlertThread, once. */
active proctype Alerter()
{
    mtype old = None;
    Lock(threadLock[0]);
    alerted[0] = true;
    if
    :: alertable[0] ->
        Claim(0, old);
        if
        :: old != None -> alerted[0] = false; alertsSeen++; WriteStatus(0, StatusAlerted)
        :: else
        fi
    :: else
    fi;
    Unlock(threadLock[0]);
    ReadyIfBlocked(0, old)
}
#endif

active proctype Watch()
{
    timeout ->
    assert(done[0]);
#ifdef ALERTS
    assert(alertsSeen + alerted[0] == 1);
#endif
#ifdef SHARED_EVENT
    assert(!(signalled[SHARED] && !done[1]));
#endif
    assert(sets[OWN] == consumed[OWN] + signalled[OWN] && sets[SHARED] == consumed[SHARED] + signalled[SHARED])
}

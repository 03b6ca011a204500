/* SPDX-License-Identifier: MIT
 * Rundown protection (EX_RUNDOWN_REF) and the remove lock (IO_REMOVE_LOCK): users acquire and release, one closer waits until all are gone
 * and then frees what was protected. REMOVE_LOCK chooses the second protocol.
 * Proved: nobody is inside when it is freed, nobody gets in afterwards, the closer is woken, the closer's event (on its stack) is not touched
 * after it went on.
 * run: safety
 * run: safety REMOVE_LOCK
 * break: BREAK_PLAIN_COUNT safety
 * break: BREAK_CLOSE_IN_TWO_STEPS safety
 * break: BREAK_WAKE_BY_LATER_LOOK safety
 * break: BREAK_LOOK_THEN_COUNT safety REMOVE_LOCK
 * break: BREAK_KEEP_COUNT safety REMOVE_LOCK
 */
#define USERS 3

byte inside;
bool freed;
bool eventSet, eventLive, eventLock;

/* KeSetEvent holds the event's lock; the waiter goes on when it has had that lock, and then the event is gone (wait.pml). */
inline SetEvent()
{
    atomic { !eventLock -> assert(eventLive); eventLock = true };
    eventSet = true;
    atomic { assert(eventLive); eventLock = false }
}

inline WaitEvent()
{
    atomic { eventSet && !eventLock -> eventLive = false }
}

inline Use()
{
    d_step { assert(!freed); inside++ };
    d_step { assert(!freed); inside-- }
}

#ifndef REMOVE_LOCK

/* EX_RUNDOWN_REF.Count is even while it is open, two for each user; odd: closing, the rest points to the closer's block, which holds the
 * number of users. Here: two variables, always changed in one step. */
byte count;          /* users, while open */
bool closing;
byte blockCount;     /* the closer's wait block */

inline Acquire(ok)
{
#ifdef BREAK_PLAIN_COUNT
    byte seen;
    ok = !closing;
    seen = count;
    if :: ok -> count = seen + 1 :: else fi
#else
    d_step {
        ok = !closing;
        if :: ok -> count++ :: else fi
    }
#endif
}

inline Release()
{
    bool last, old;
    d_step {                                 /* the exchange: either the open count, or it is seen that it closes */
        old = closing;
        if :: !old -> count-- :: else fi
    };
    if
    :: old ->
#ifdef BREAK_WAKE_BY_LATER_LOOK
        d_step { blockCount-- };
        last = blockCount == 0;
#else
        d_step { blockCount--; last = blockCount == 0 };
#endif
        if :: last -> SetEvent() :: else fi
    :: else
    fi;
    d_step { last = false; old = false }
}

active proctype Closer()
{
    byte users;
    eventLive = true;
#ifdef BREAK_CLOSE_IN_TWO_STEPS
    users = count;
    blockCount = users;
    closing = true;
#else
    d_step { users = count; blockCount = users; closing = true; count = 0 };
#endif
    if
    :: users != 0 -> WaitEvent()
    :: else -> eventLive = false
    fi;
    assert(inside == 0);
    freed = true
}

#else

/* IO_REMOVE_LOCK: IoCount begins at one, the event lies in the lock itself. */
byte count = 1;
bool removed;

inline ReleaseOne()
{
    d_step { count--; zero = count == 0 };
    if
    :: zero -> SetEvent()
    :: else
    fi;
    zero = false
}

inline Acquire(ok)
{
#ifdef BREAK_LOOK_THEN_COUNT
    ok = !removed;
    if :: ok -> count++ :: else fi
#else
    count++;
    if
    :: removed ->
        ok = false;
#ifndef BREAK_KEEP_COUNT
        ReleaseOne()
#endif
    :: else -> ok = true
    fi
#endif
}

inline Release() { ReleaseOne() }

/* IoReleaseRemoveLockAndWait, by who has acquired it: both its own count and the first one go. The event may be touched by a late
 * Acquire until the device is deleted, which holds it longer than this: eventLive stays. */
active proctype Closer()
{
    bool zero;
    bool wait;
    eventLive = true;
    count++;
    removed = true;
    ReleaseOne();
    d_step { count--; wait = count > 0 };
    if
    :: wait -> atomic { eventSet && !eventLock }
    :: else
    fi;
    assert(inside == 0);
    freed = true
}
#endif

active [USERS] proctype User()
{
    bool ok;
#ifdef REMOVE_LOCK
    bool zero;
    eventLive;               /* the lock is there before the device is */
#endif
    byte rounds;
    do
    :: rounds < 2 ->
        rounds++;
        Acquire(ok);
        if
        :: ok -> Use(); Release()
        :: else
        fi;
        ok = false
    :: else -> break
    od
}

active proctype Watch()
{
    timeout -> assert(freed && inside == 0)
}

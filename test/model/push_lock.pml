/* SPDX-License-Identifier: MIT
 * Push locks: one word says who has it and whether anybody waits; who waits stands in a room with a lock of its own, oldest first.
 * Proved: one alone or any number who share, nobody waits for a lock that nobody will hand on, a sharer never takes a lock that somebody
 * waits for, a waiter's block (on its stack) is not touched after its event is set, and the word is zero in the end.
 * run: safety
 * break: BREAK_ENTER_LATE safety
 * break: BREAK_FORGET_WAITING safety
 * break: BREAK_LEAVE_WITHOUT_LOOK safety
 * break: BREAK_OVERTAKE safety
 * break: BREAK_WAKE_FIRST safety
 */
#define USERS 4
#define NOBODY 255

byte owner = NOBODY;              /* the word: an exclusive holder, the number of sharers, the flag */
byte shares;
bool waiting;

bool room;                        /* the room's lock */
byte waiters[USERS];             /* oldest first */
bool wantsAlone[USERS];
byte standing;
bool granted[USERS];
bool live[USERS];                 /* the waiter's block */
byte alone, together;             /* who is inside */

/* One compare-exchange. */
inline Try(ok)
{
    d_step {
        if
        :: exclusive -> ok = owner == NOBODY && shares == 0 && !waiting
#ifdef BREAK_OVERTAKE
        :: else -> ok = owner == NOBODY
#else
        :: else -> ok = owner == NOBODY && !waiting
#endif
        fi;
        if
        :: ok && exclusive -> owner = _pid
        :: ok && !exclusive -> shares++
        :: else
        fi
    }
}

/* The compare-exchange that sets the flag fails when the lock has become free meanwhile: then it is tried again. */
inline Enter(stands)
{
    do
    :: true ->
        Try(got);
        if :: got -> break :: else fi;
        d_step {
            stands = !(exclusive && owner == NOBODY && shares == 0 && !waiting) &&
                     !(!exclusive && owner == NOBODY && !waiting);
            if :: stands -> waiting = true :: else fi
        };
        if :: stands -> break :: else fi
    od;
    got = false
}

inline Acquire()
{
    Try(got);
    if
    :: got -> got = false
    :: else ->
        live[_pid] = true;
#ifdef BREAK_ENTER_LATE
        Enter(stands);
        atomic { !room -> room = true };
#else
        atomic { !room -> room = true };
        Enter(stands);
#endif
        if
        :: stands -> d_step { waiters[standing] = _pid; wantsAlone[standing] = exclusive; standing++ }
        :: else
        fi;
        room = false;
        if :: stands -> granted[_pid] :: else fi;
        d_step { granted[_pid] = false; live[_pid] = false; stands = false }
    fi
}

inline Wake(who)
{
    d_step { assert(live[who]); granted[who] = true }
}

/* The new word is made of the oldest waiter and, if it shares, of those who share behind it; then it is stored at once. */
inline HandOn()
{
    atomic { !room -> room = true };
    atomic {
        assert(standing > 0); /* the flag is set: somebody stands there */
        count = 1;
        if
        :: wantsAlone[0] -> newOwner = waiters[0]
        :: else ->
            do
            :: count < standing && !wantsAlone[count] -> count++
            :: else -> break
            od;
            newShares = count
        fi;
        i = 0;
        do
        :: i < count -> woken[i] = waiters[i]; i++
        :: else -> break
        od;
        do
        :: i < standing -> waiters[i - count] = waiters[i]; wantsAlone[i - count] = wantsAlone[i]; i++
        :: else -> break
        od;
        standing = standing - count;
        i = standing;
        do
        :: i < USERS -> waiters[i] = 0; wantsAlone[i] = false; i++
        :: else -> break
        od;
        i = 0
    };
#ifdef BREAK_WAKE_FIRST
    Wake(woken[0]);
#endif
    d_step {
        owner = newOwner; shares = newShares;
#ifdef BREAK_FORGET_WAITING
        waiting = false;
#else
        waiting = standing > 0;
#endif
        newOwner = NOBODY; newShares = 0
    };
    room = false;
    i = 0;
    do
    :: i < count ->
#ifdef BREAK_WAKE_FIRST
        if :: i != 0 -> Wake(woken[i]) :: else fi;
#else
        Wake(woken[i]);
#endif
        i++
    :: else -> break
    od;
    count = 0;
    for (i : 0 .. USERS - 1) { woken[i] = 0 }
    i = 0
}

inline Release()
{
    if
    :: exclusive ->
        d_step {
            assert(owner == _pid && shares == 0);
            hand = waiting;
            if :: !hand -> owner = NOBODY :: else fi
        }
    :: else ->
        d_step {
            assert(owner == NOBODY && shares > 0);
#ifdef BREAK_LEAVE_WITHOUT_LOOK
            hand = false;
#else
            hand = shares == 1 && waiting;
#endif
            if :: !hand -> shares-- :: else fi
        }
    fi;
    if :: hand -> HandOn() :: else fi;
    hand = false
}

active [USERS] proctype User()
{
    bool exclusive, got, stands, hand;
    byte rounds, newOwner = NOBODY, newShares, count, i;
    byte woken[USERS];

    do
    :: rounds < 2 ->
        rounds++;
        if
        :: _pid < 2 -> exclusive = true
        :: _pid == 2 -> exclusive = false
        :: _pid == 3 -> if :: exclusive = false :: exclusive = true fi
        fi;
        Acquire();
        d_step {
            if :: exclusive -> alone++ :: else -> together++ fi;
            assert(alone == 0 || (alone == 1 && together == 0))
        };
        d_step { if :: exclusive -> alone-- :: else -> together-- fi };
        Release()
    :: else -> break
    od
}

active proctype Watch()
{
    timeout -> assert(owner == NOBODY && shares == 0 && !waiting && standing == 0)
}

/* SPDX-License-Identifier: MIT
 * Ready and switch on two processors with three threads: SwapBusy, the ready queues, the idle mask, reschedule requests, stealing, preemption.
 * Two threads hand a token to and fro, each blocking until it has it (claimed as in wait.pml); the third, of lower priority, computes
 * until they have ended.
 * A process of the model is a processor; a thread is data, with `runsOn` its stack's user. All threads may run everywhere.
 * Proved: no stack is used by two processors, no thread is queued twice or queued while its context is not saved where another could take it,
 * no thread is lost (all end), no processor idles while a thread is ready.
 * run: safety
 * break: BREAK_NO_SWAP_BUSY safety
 * break: BREAK_STEAL_BUSY safety
 * break: BREAK_CLEAR_BUSY_EARLY safety
 * break: BREAK_CLEAR_AFTER_LOOK safety
 * break: BREAK_RESCHEDULE_CLEARED_LATE safety
 */
#define CPUS 2
#define THREADS 3
#define IDLE THREADS      /* the idle threads have no queue */
#define LOW 2             /* the thread of low priority; the idle threads are lower still */
#define NOBODY 255

mtype = { None, InProgress, Blocked, Claimed };
mtype = { Running, Ready, Waiting, Ended };

mtype wait[THREADS] = None;
mtype state[THREADS] = Ready;
bool swapBusy[THREADS];
byte runsOn[THREADS] = NOBODY;   /* which processor uses the stack */
byte processor[THREADS];         /* KTHREAD.Processor */
bool token[THREADS];             /* what it waits for: a synchronization event of its own */

bool readyLock[CPUS];
bool queued[6];                  /* ready queue: bit of each thread; priorities are modelled by choice */
#define Queued(c, t) queued[(c) * THREADS + (t)]
byte current[CPUS] = IDLE;
bool idleMask[CPUS];
bool reschedule[CPUS];           /* Prcb->Reschedule and its IPI: the vector is pending until the processor looks */
bool halted[CPUS];

inline LockReady(c)   { atomic { !readyLock[c] -> readyLock[c] = true } }
inline UnlockReady(c) { readyLock[c] = false }
#define AnyQueued(c) (Queued(c, 0) || Queued(c, 1) || Queued(c, 2))

/* KiReadyThread: by processor `by`, which has claimed thread r. A busy one goes to where it still is; else to an idle processor if there is
 * one, else to its last one. */
inline ReadyThread(r)
{
    at = processor[r];
    if
#ifdef BREAK_NO_SWAP_BUSY
    :: at = me
#else
    :: swapBusy[r]
#endif
    :: !swapBusy[r] ->
        if
        :: atomic { idleMask[0] -> idleMask[0] = false }; at = 0
        :: atomic { idleMask[1] -> idleMask[1] = false }; at = 1
        :: !idleMask[0] && !idleMask[1]
        fi
    fi;
    LockReady(at);
    d_step {
        assert(state[r] == Waiting && !Queued(0, r) && !Queued(1, r));
        state[r] = Ready;
        processor[r] = at;
        Queued(at, r) = true;
        idleMask[at] = false;
        if
        :: current[at] >= LOW -> reschedule[at] = true
        :: else
        fi
    };
    UnlockReady(at);
    at = 0
}

/* The next thread of this processor, from its own queue or stolen; the lock of `me` is held. next = IDLE: none. */
inline ChooseLocked()
{
    next = IDLE;
    if
    :: Queued(me, 0) -> next = 0
    :: Queued(me, 1) -> next = 1
    :: Queued(me, LOW) && !Queued(me, 0) && !Queued(me, 1) -> next = LOW
    :: else
    fi;
    if
    :: next != IDLE ->
        d_step {
            Queued(me, next) = false;
            state[next] = Running
        }
    :: else
    fi;
    d_step {
        if :: next != IDLE -> swapBusy[next] = true :: else fi;
        current[me] = next;
#ifndef BREAK_RESCHEDULE_CLEARED_LATE
        reschedule[me] = false
#endif
    }
}

/* ArchSwitchContext: leaves the stack of `old`, takes that of `next`. Then, on the new stack, the old one is released. */
inline SwitchContext()
{
#ifdef BREAK_RESCHEDULE_CLEARED_LATE
    reschedule[me] = false;
#endif
    if
    :: old != next ->
#ifdef BREAK_CLEAR_BUSY_EARLY
        if :: old != IDLE -> swapBusy[old] = false :: else fi;
#endif
        d_step { if :: old != IDLE -> assert(runsOn[old] == me); runsOn[old] = NOBODY :: else fi };   /* the context is saved */
        d_step { if :: next != IDLE -> assert(runsOn[next] == NOBODY); runsOn[next] = me :: else fi };
        if :: old != IDLE -> swapBusy[old] = false :: else fi
    :: else
    fi;
    d_step { old = IDLE; next = IDLE }
}

/* The current thread is waiting, ready or ended: something else runs. */
inline Swap()
{
    LockReady(me);
    ChooseLocked();
    UnlockReady(me);
    SwitchContext()
}

/* The current thread gives way but stays ready: preemption, end of quantum. */
inline Yield()
{
    LockReady(me);
    old = current[me];
    d_step {
        if
        :: AnyQueued(me) ->
            assert(!Queued(0, old) && !Queued(1, old));
            state[old] = Ready; Queued(me, old) = true; processor[old] = me
        :: else
        fi
    };
    if
    :: state[old] == Ready -> ChooseLocked()
    :: else ->
        next = old;
#ifndef BREAK_RESCHEDULE_CLEARED_LATE
        reschedule[me] = false
#endif
    fi;
    UnlockReady(me);
    SwitchContext()
}

/* KeSetEvent on the token of thread r. */
inline GiveToken(r)
{
    d_step {                            /* under the event's lock */
        was = wait[r];
        if
        :: was == InProgress || was == Blocked -> wait[r] = Claimed
        :: else -> token[r] = true
        fi
    };
    if
    :: was == Blocked -> ReadyThread(r)
    :: else
    fi;
    was = None
}

/* KeWaitForSingleObject on the token of the current thread. Returns on some processor; the model goes on with `phase` of the thread. */
inline WaitForToken()
{
    old = current[me];
    d_step {                            /* under the event's lock */
        if
        :: token[old] -> token[old] = false
        :: else -> wait[old] = InProgress
        fi
    };
    if
    :: wait[old] == None
    :: else ->
        d_step {                        /* the commit, under ThreadLock */
            if
            :: wait[old] == InProgress -> wait[old] = Blocked; state[old] = Waiting; flag = true
            :: else
            fi
        };
        if
        :: flag -> flag = false; Swap()
        :: else
        fi
    fi;
    old = IDLE
}

byte phase[THREADS];
byte ended;

/* What the thread does next; it is the same thread wherever it goes on. Thread 0 begins with the token. */
inline RunThread(t)
{
    if
    :: t < 2 && (phase[t] & 1) == t -> phase[t]++; GiveToken(1 - t)
    :: t < 2 && (phase[t] & 1) != t -> phase[t]++; WaitForToken()
    fi
}

inline Finish(t)
{
    d_step { state[t] = Ended; ended++; old = t };
    Swap()
}

/* Idle: interrupts off; own bit; look (own queue, then others'); halt. */
inline Idle()
{
    idleMask[me] = true;
    LockReady(me);
    flag = !AnyQueued(me);
    UnlockReady(me);
    if
    :: !flag -> idleMask[me] = false; old = IDLE; Swap()
    :: else ->
        Steal();
        if
        :: next != IDLE -> idleMask[me] = false; SwitchContext()
        :: else ->
#ifdef BREAK_CLEAR_AFTER_LOOK
            reschedule[me] = false;
#endif
            halted[me] = true;
end:        reschedule[me];             /* the vector wakes it, pending or new */
            d_step { halted[me] = false; reschedule[me] = false; idleMask[me] = false }
        fi
    fi;
    flag = false
}

/* Takes a thread from the other processor whose context is saved. */
inline Steal()
{
    next = IDLE;
    LockReady(1 - me);
    if
#ifdef BREAK_STEAL_BUSY
    :: Queued(1 - me, 0) -> next = 0
    :: Queued(1 - me, 1) -> next = 1
    :: Queued(1 - me, 2) -> next = 2
#else
    :: Queued(1 - me, 0) && !swapBusy[0] -> next = 0
    :: Queued(1 - me, 1) && !swapBusy[1] -> next = 1
    :: Queued(1 - me, 2) && !swapBusy[2] -> next = 2
#endif
    :: else
    fi;
    if
    :: next != IDLE ->
        d_step {
            Queued(1 - me, next) = false;
            state[next] = Running;
            processor[next] = me;
            swapBusy[next] = true;
            current[me] = next;
            old = IDLE
        }
    :: else
    fi;
    UnlockReady(1 - me)
}

#define ROUNDS 4

proctype Processor(byte me)
{
    byte old = IDLE, next = IDLE, at;
    mtype was = None;
    bool flag;
    do
    :: current[me] == IDLE -> Idle()
    :: current[me] != IDLE && reschedule[me] -> Yield()
    :: current[me] < LOW && wait[current[me]] == Claimed -> wait[current[me]] = None
    :: current[me] < LOW && wait[current[me]] == None && phase[current[me]] < ROUNDS -> RunThread(current[me])
    :: current[me] < LOW && wait[current[me]] == None && phase[current[me]] >= ROUNDS -> Finish(current[me])
    :: current[me] == LOW && ended == LOW -> Finish(LOW)
    od
}

active proctype Watch()
{
    timeout -> assert(ended == THREADS && !AnyQueued(0) && !AnyQueued(1))
}

init {
    atomic {
        Queued(0, 0) = true; Queued(0, 1) = true; Queued(1, 2) = true; processor[2] = 1;
        run Processor(0); run Processor(1)
    }
}

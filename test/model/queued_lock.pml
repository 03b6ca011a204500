/* SPDX-License-Identifier: MIT
 * The in-stack queued spin lock (MCS) and IRQL: three processors; on each a thread takes the lock, and a DPC may interrupt that thread
 * wherever it is below DISPATCH_LEVEL and takes the same lock with a handle of its own.
 * Proved: mutual exclusion, no dead lock, every release hands on, nobody waits for ever, a handle is not touched after its release.
 * run: safety
 * run: liveness CPUS=2
 * break: BREAK_RAISE_LATE safety
 * break: BREAK_NO_LINK_WAIT safety
 * break: BREAK_PLAIN_TAIL safety
 */
#ifndef CPUS
#define CPUS 3
#endif
#define NONE 255
#define DISPATCH 2
#define THREAD(cpu) (cpu)
#define DPC(cpu) ((cpu) + CPUS)

byte irql[CPUS];
bool inDpc[CPUS];      /* the DPC runs on the stack of the thread it interrupted */
byte tail = NONE;      /* KSPIN_LOCK: the last handle in the queue */
byte next[2 * CPUS] = NONE;
bool waits[2 * CPUS];  /* LockQueue.Lock, low bit */
bool live[2 * CPUS];   /* the handle's stack frame exists */
byte inside;           /* how many hold the lock */

/* KxAcquireQueuedSpinLock: IRQL is DISPATCH_LEVEL. The exchange makes us last; the one before us learns of us afterwards. */
inline Acquire(h)
{
    d_step { live[h] = true; next[h] = NONE; waits[h] = true }; /* nobody sees it yet */
#ifdef BREAK_PLAIN_TAIL
    before = tail;
    tail = h;
#else
    d_step { before = tail; tail = h };
#endif
    if
    :: before == NONE
    :: else ->
        assert(live[before]);
        next[before] = h;
        !waits[h]
    fi;
    inside++;
    assert(inside == 1)
}

/* KxReleaseQueuedSpinLock: nobody behind us, then the lock is free; somebody who has exchanged but not linked yet is waited for. */
inline Release(h)
{
    inside--;
    if
    :: next[h] == NONE ->
        d_step {
            alone = tail == h;
            if :: alone -> tail = NONE :: else fi
        };
        if
        :: alone
        :: else ->
#ifndef BREAK_NO_LINK_WAIT
            next[h] != NONE;
#endif
            if :: next[h] != NONE -> waits[next[h]] = false :: else fi
        fi
    :: else -> waits[next[h]] = false
    fi;
    live[h] = false
}

proctype Thread(byte cpu) provided (!inDpc[cpu])
{
    byte before;
    bool alone;
    do
    ::
#ifdef BREAK_RAISE_LATE
        Acquire(THREAD(cpu));
        irql[cpu] = DISPATCH;
#else
        irql[cpu] = DISPATCH;
        Acquire(THREAD(cpu));
#endif
        Release(THREAD(cpu));
        before = 0; alone = false;
        irql[cpu] = 0
    od
}

proctype Dpc(byte cpu)
{
    byte before;
    bool alone;
    do
    :: atomic { irql[cpu] < DISPATCH -> inDpc[cpu] = true };
        Acquire(DPC(cpu));
        Release(DPC(cpu));
        before = 0; alone = false;
        inDpc[cpu] = false;
    od
}

#ifdef LIVENESS
ltl granted { [] (live[THREAD(0)] -> <> !live[THREAD(0)]) }
#endif

init {
    atomic { run Thread(0); run Thread(1); run Dpc(1);
        if :: CPUS > 2 -> run Thread(CPUS - 1) :: else fi }
}

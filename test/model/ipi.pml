/* SPDX-License-Identifier: MIT
 * Calls to other processors: three processors; a thread on each asks the others to make its call, at CLOCK_LEVEL with interrupts on,
 * and waits until they have; two of them do so with a barrier (KeIpiGenericCall), one without (a page is unmapped). The interrupt
 * comes wherever a processor has interrupts on and is not in it already.
 * Proved: who goes on has been answered by all others, which made the very call it asked for; no call is made twice; no dead lock;
 * nobody waits for ever, however often the others ask.
 * run: safety
 * run: liveness CPUS=2
 * break: BREAK_OPEN safety
 * break: BREAK_TWO_BARRIERS safety
 * break: BREAK_PLAIN_TAKE safety
 * break: BREAK_EARLY safety
 * break: BREAK_ONE_AT_A_TIME liveness CPUS=2
 */
#ifndef CPUS
#define CPUS 3
#endif
#define BIT(cpu) (1 << (cpu))
#define ALL (BIT(CPUS) - 1)
#define OTHERS(cpu) (ALL & ~BIT(cpu))
#define PLAIN 0 /* the processor whose calls have no barrier */

byte asking[CPUS];   /* KI_CALL.Asking */
byte waiting[CPUS];  /* KI_CALL.Waiting */
bool request[CPUS];  /* the interrupt is pending */
bool inIpi[CPUS];    /* the handler runs on the stack of the thread that it interrupted */
bool closed[CPUS];   /* interrupts are off, or the thread is at IPI_LEVEL itself */
byte made[CPUS];     /* ghost: who has made the processor's call */
byte missing;        /* KI_GENERIC_CALL.Missing */
bool locked;         /* KiIpiLock */
bool calls;          /* ghost: processor 0 has asked and waits */

/* Of the call of processor whose, on processor here. */
inline Make(here, whose)
{
    if
    :: whose != PLAIN ->
        missing--;
        missing == 0
    :: else
    fi;
    d_step { assert(!(made[whose] & BIT(here))); made[whose] = made[whose] | BIT(here) }
}

/* Turning interrupts off and on is seen by this processor alone: steps of their own would be nothing but more states. */
inline Ask(me, target)
{
    d_step {
        none = asking[target] == 0;
        asking[target] = asking[target] | BIT(me);
#ifndef BREAK_OPEN
        closed[me] = true
#endif
    };
    d_step {
        if :: none -> request[target] = true :: else fi;
        none = false;
        closed[me] = false
    }
}

/* KiIpiInterrupt. */
proctype Ipi(byte cpu)
{
    byte taken, who;
    do
    :: atomic { request[cpu] && !inIpi[cpu] && !closed[cpu] -> request[cpu] = false; inIpi[cpu] = true };
#ifdef BREAK_PLAIN_TAKE
        taken = asking[cpu];
        asking[cpu] = 0;
#else
        d_step { taken = asking[cpu]; asking[cpu] = 0 };
#endif
        who = 0;
        do
        :: who == CPUS -> break
        :: who < CPUS && !(taken & BIT(who)) -> who++
        :: who < CPUS && (taken & BIT(who)) ->
#ifdef BREAK_EARLY
            waiting[who] = waiting[who] & ~BIT(cpu);
            Make(cpu, who);
#else
            Make(cpu, who);
            waiting[who] = waiting[who] & ~BIT(cpu);
#endif
            who++
        od;
        atomic { taken = 0; who = 0; inIpi[cpu] = false }
    od
}

/* That an interrupt comes before the next instruction matters only to whether something happens at all. */
#ifdef LIVENESS
#define RUNS(cpu) (!inIpi[cpu] && (closed[cpu] || !request[cpu]))
#else
#define RUNS(cpu) (!inIpi[cpu])
#endif

proctype Thread(byte cpu) provided (RUNS(cpu))
{
    bool none;
    do
    ::
#ifndef BREAK_TWO_BARRIERS
#ifndef BREAK_ONE_AT_A_TIME
        if
        :: cpu != PLAIN -> atomic { !locked -> locked = true; missing = CPUS }
        :: else
        fi;
#else
        if :: cpu == PLAIN -> calls = true :: else fi;
        atomic { !locked -> locked = true; missing = CPUS };
#endif
#else
        if :: cpu != PLAIN -> missing = CPUS :: else fi;
#endif
        d_step { made[cpu] = 0; waiting[cpu] = OTHERS(cpu); if :: cpu == PLAIN -> calls = true :: else fi };
        Ask(cpu, (cpu + 1) % CPUS);
        if :: CPUS > 2 -> Ask(cpu, (cpu + 2) % CPUS) :: else fi;
        closed[cpu] = cpu != PLAIN; /* the caller makes its own with a barrier at IPI_LEVEL */
        Make(cpu, cpu);
        closed[cpu] = false;
        waiting[cpu] == 0;
        assert(made[cpu] == ALL);
        if :: cpu == PLAIN -> calls = false :: else fi;
#ifdef BREAK_ONE_AT_A_TIME
        locked = false
#else
        if :: cpu != PLAIN -> locked = false :: else fi
#endif
    od
}

#ifdef LIVENESS
ltl answered { [] (calls -> <> !calls) }
#endif

init {
    atomic { run Thread(0); run Thread(1); run Ipi(0); run Ipi(1);
        if :: CPUS > 2 -> run Thread(CPUS - 1); run Ipi(CPUS - 1) :: else fi }
}

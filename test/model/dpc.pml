/* SPDX-License-Identifier: MIT
 * One DPC, two processors: insertion (from threads, from a device interrupt, for either processor), removal, the drain loop of the
 * software interrupt, and idle processors in `sti; hlt`. CR8 and the interrupt flag alone hold the interrupt back. The store buffers of
 * x86 are modelled for the two stores that matter: the driver's data and "DpcData = NULL".
 * Proved: when nothing moves any more all of the driver's work is done, the thread that the DPC readied has run, and the DPC is in no queue;
 * it is never linked twice nor unlinked when it is not in a list.
 * run: safety
 * break: BREAK_CLAIM_BEFORE_LOCK safety
 * break: BREAK_ACTIVE_OUTSIDE_LOCK safety
 * break: BREAK_PLAIN_CLEAR safety
 * break: BREAK_PLAIN_LOOK safety
 * break: BREAK_EOI_LAST safety
 * break: BREAK_STI_THEN_HLT safety
 * break: BREAK_HALT_RAISED safety
 */
#define CPUS 2
#define PASSIVE 0
#define DISPATCH 2
#define DEVICE 5
#define HIGH 15

/* processors */
byte irql[CPUS];             /* CR8 */
bool interrupts[CPUS] = true;
bool requested[CPUS];        /* vector 0x2f in the APIC's request register */
bool inService[CPUS];        /* ... and in its in-service register */
bool inDevice[CPUS];         /* a device interrupt runs on this processor */
bool halted[CPUS];
bool reschedule[CPUS];       /* a thread was readied here */

/* the DPC */
byte dpcData;                /* 0: NULL, else target + 1 */
byte linked;                 /* 0: in no list, else target + 1 */
bool dpcActive[CPUS];           /* PRCB.DpcActive */
bool locked[CPUS];           /* PRCB.DpcLock */

/* the driver, and the store buffers */
bool work;
bool bufferedWork[CPUS];     /* work = true is on its way to memory */
bool bufferedClear[CPUS];    /* dpcData = NULL is on its way, and behind it the release of the processor's own DpcLock */
byte producers;              /* that may still make work */

#define Fence(who) \
    work = work || bufferedWork[who]; bufferedWork[who] = false; \
    if \
    :: bufferedClear[who] -> dpcData = 0; locked[who] = false; bufferedClear[who] = false \
    :: else \
    fi

#define SeesData(cpu) (dpcData != 0 && !bufferedClear[cpu])

inline Lock(by, held)
{
    d_step { !locked[held] -> locked[held] = true; Fence(by) }
}

/* The driver makes work and calls KeInsertQueueDpc(Dpc) with target q. Any IRQL. */
inline MakeWorkAndInsert(cpu, target, was, gained, ring)
{
    bufferedWork[cpu] = true;
    was = irql[cpu];
    irql[cpu] = HIGH;
    gained = true;
#ifdef BREAK_PLAIN_LOOK
    gained = !SeesData(cpu);
#endif
    if
    :: gained ->
#ifdef BREAK_CLAIM_BEFORE_LOCK
        d_step { Fence(cpu); gained = dpcData == 0; dpcData = (gained -> target + 1 : dpcData) };
        Lock(cpu, target);
#else
        Lock(cpu, target);
        d_step { Fence(cpu); gained = dpcData == 0; dpcData = (gained -> target + 1 : dpcData) };
#endif
        ring = false;
        if
        :: gained ->
            assert(linked == 0);
            linked = target + 1;
            ring = !dpcActive[target]
        :: else
        fi;
        locked[target] = false;
#ifdef BREAK_ACTIVE_OUTSIDE_LOCK
        ring = gained && !dpcActive[target];
#endif
        if :: ring -> requested[target] = true :: else fi
    :: else
    fi;
    irql[cpu] = was;
    d_step { gained = false; ring = false; was = 0 }
}

/* KeRemoveQueueDpc; TRUE: the work is the caller's to do. */
inline RemoveAndWork(cpu, target, was)
{
    if
    :: d_step { SeesData(cpu) -> target = dpcData - 1 };
        was = irql[cpu];
        irql[cpu] = HIGH;
        Lock(cpu, target);
        if
        :: dpcData == target + 1 ->
            assert(linked == target + 1);
            linked = 0;
            d_step { Fence(cpu); dpcData = 0; work = false }
        :: else
        fi;
        locked[target] = false;
        irql[cpu] = was
    :: else
    fi;
    d_step { target = 0; was = 0 }
}

/* KiDispatchInterrupt, entered with interrupts off. */
inline DispatchInterrupt(cpu, more)
{
    irql[cpu] = DISPATCH;
#ifndef BREAK_EOI_LAST
    inService[cpu] = false;
#endif
    interrupts[cpu] = true;
    dpcActive[cpu] = true;
    more = true;
    do
    :: more ->
        irql[cpu] = HIGH;
        Lock(cpu, cpu);
        more = linked == cpu + 1;
        if
        :: more ->
            linked = 0;
#ifdef BREAK_PLAIN_CLEAR
            bufferedClear[cpu] = true
#else
            d_step { Fence(cpu); dpcData = 0; locked[cpu] = false }
#endif
        :: else ->
#ifndef BREAK_ACTIVE_OUTSIDE_LOCK
            dpcActive[cpu] = false;
#endif
            locked[cpu] = false
        fi;
        irql[cpu] = DISPATCH;
        if
        :: more ->                     /* the driver's routine: does the work and readies a thread */
            if
            :: d_step { work || bufferedWork[cpu] -> Fence(cpu); work = false }; reschedule[cpu] = true
            :: else
            fi
        :: else -> break
        fi
    od;
#ifdef BREAK_ACTIVE_OUTSIDE_LOCK
    dpcActive[cpu] = false;
#endif
    /* Here the processor may go to another thread, which lowers the IRQL; the interrupted one goes on later. The model's thread loop is
     * either of them: what matters is what of the interrupt is still open. */
    interrupts[cpu] = false;
#ifdef BREAK_EOI_LAST
    if :: reschedule[cpu] :: else -> inService[cpu] = false fi;
#endif
    irql[cpu] = PASSIVE;
    interrupts[cpu] = true
}

#define Deliverable(cpu) (requested[cpu] && !inService[cpu] && interrupts[cpu] && irql[cpu] < DISPATCH)

inline TakeInterrupt(at, again)
{
    do
    :: atomic { Deliverable(at) -> requested[at] = false; inService[at] = true; interrupts[at] = false };
        DispatchInterrupt(at, again)
    :: else -> break
    od
}

proctype Processor(byte me; byte count) provided (!inDevice[me])
{
    byte q, old;
    bool won, kick, found;
    do
    :: count > 0 ->
        count--;
        if :: q = 0 :: q = 1 fi;
        MakeWorkAndInsert(me, q, old, won, kick);
        q = 0;
        producers--;
        TakeInterrupt(me, found)
    :: count > 0 && me == 0 ->
        RemoveAndWork(me, q, old);
        TakeInterrupt(me, found)
    :: count == 0 ->                    /* the idle loop */
        interrupts[me] = false;
        if
        :: reschedule[me] -> reschedule[me] = false; interrupts[me] = true
        :: else ->
#ifdef BREAK_HALT_RAISED
            irql[me] = DISPATCH;
#endif
#ifdef BREAK_STI_THEN_HLT
            interrupts[me] = true;
            TakeInterrupt(me, found);
            halted[me] = true;
#else
            d_step { interrupts[me] = true; halted[me] = true };
#endif
end:        Deliverable(me) || !halted[me];
            halted[me] = false
        fi;
        TakeInterrupt(me, found)
    od
}

/* One device interrupt: wherever the processor is below its level with interrupts on. */
proctype Device(byte me)
{
    byte old;
    bool won, kick;
    atomic { interrupts[me] && irql[me] < DEVICE -> inDevice[me] = true; old = irql[me]; irql[me] = DEVICE };
    byte outer = old;
    MakeWorkAndInsert(me, me, old, won, kick);
    producers--;
    atomic { irql[me] = outer; inDevice[me] = false; halted[me] = false }
}

/* A store buffer drains by itself, some time. */
active [CPUS] proctype StoreBuffer()
{
end:
    do
    :: d_step { bufferedWork[_pid] -> work = true; bufferedWork[_pid] = false }
    :: d_step { bufferedClear[_pid] -> dpcData = 0; locked[_pid] = false; bufferedClear[_pid] = false }
    od
}

active proctype Watch()
{
    timeout -> assert(producers == 0 && !work && linked == 0 && dpcData == 0 && !reschedule[0] && !reschedule[1])
}

init {
    atomic { producers = 4; run Processor(0, 2); run Processor(1, 1); run Device(1) }
}

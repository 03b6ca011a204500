/* SPDX-License-Identifier: MIT
 * One IRP in a cancel-safe queue: it is inserted by its dispatch routine, taken out and completed by a worker (who may also never come), and
 * cancelled twice at any time by ends of its thread or the like, which find it in the thread's list. A completed IRP is freed at once.
 * Proved: it is completed exactly once, not touched after it was freed, the cancel routine finds it in the queue, and a cancelled IRP does not
 * stay in the queue.
 * run: safety
 * break: BREAK_NO_SECOND_LOOK safety
 * break: BREAK_ARM_OUTSIDE_LOCK safety
 * break: BREAK_TAKE_ARMED safety
 * break: BREAK_NO_LIST_LOCK safety
 * break: BREAK_REMOVE_ANYWAY safety
 */
bool cancelLock, queueLock, listLock;
bool cancel;            /* Irp->Cancel */
bool routine;           /* Irp->CancelRoutine is not NULL */
bool queued;
bool listed = true;     /* in its thread's list */
bool completed, freed;

#define Touch() assert(!freed)

inline Lock(l) { atomic { !l -> l = true } }

/* IoSetCancelRoutine(Irp, NULL): one exchange. */
inline TakeRoutine(had)
{
    d_step { Touch(); had = routine; routine = false }
}

/* IofCompleteRequest, IopFinishIrp: out of the thread's list under its lock, then freed. */
inline Complete()
{
    d_step { Touch(); assert(!completed); completed = true };
    Lock(listLock);
    listed = false;
    listLock = false;
    freed = true
}

/* IoCsqInsertIrpEx */
active proctype Dispatch()
{
    bool had, mine;
#ifdef BREAK_ARM_OUTSIDE_LOCK
    routine = true;
#endif
    Lock(queueLock);
    Touch();
    queued = true;
#ifndef BREAK_ARM_OUTSIDE_LOCK
    d_step { Touch(); routine = true };
#endif
#ifndef BREAK_NO_SECOND_LOOK
    Touch();
    if
    :: cancel ->
        TakeRoutine(had);
#ifdef BREAK_REMOVE_ANYWAY
        had = true;
#endif
        if
        :: had -> queued = false; mine = true
        :: else
        fi
    :: else
    fi;
#endif
    queueLock = false;
    if
    :: mine -> Complete()
    :: else
    fi
}

/* IoCsqRemoveNextIrp and the driver's completion: once, or never. */
active proctype Worker()
{
    bool had;
    if
    :: true
    :: queued ->
        Lock(queueLock);
        if
        :: queued ->
            TakeRoutine(had);
#ifdef BREAK_TAKE_ARMED
            had = true;
#endif
            if
            :: had -> queued = false
            :: else
            fi
        :: else
        fi;
        queueLock = false;
        if
        :: had -> Complete()
        :: else
        fi
    fi
}

/* IopCancelOne, then IopCancelCsqIrp */
active [2] proctype Canceller()
{
    bool had, found;
    Lock(cancelLock);
#ifdef BREAK_NO_LIST_LOCK
    found = listed && !cancel;
#else
    Lock(listLock);
    found = listed && !cancel;
#endif
    if
    :: found ->
        d_step { Touch(); cancel = true };
        TakeRoutine(had)
    :: else
    fi;
#ifndef BREAK_NO_LIST_LOCK
    listLock = false;
#endif
    cancelLock = false;
    if
    :: had ->
        Touch();                            /* which queue: Irp->Tail.Overlay.DriverContext */
        Lock(queueLock);
        assert(queued);
        queued = false;
        queueLock = false;
        Complete()
    :: else
    fi
}

active proctype Watch()
{
    timeout -> assert(queued != completed && !(queued && cancel) && freed == completed)
}

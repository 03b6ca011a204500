/* SPDX-License-Identifier: MIT
 * Tier 3, po: devices that are registered with the power management framework (PoFx), without a platform extension.
 *
 * What is (l) is guarded by PopLock. One thread at a time calls the callbacks of a device (Running): whoever changed something, or a worker when his
 * IRQL or his wish forbids it. Each round finds the next callback that is due, so that an answer given inside of a callback is just another change. */
#pragma once
#include "pop.h"

/* First parameter of bug check 0xC4: p2 the registration, p3 the component or the device; the sentence says what. See docs/deviations.md (D-008). */
#define POP_RULE_FX 0x4E540081u

/* What a component or a device waits for: an answer of the driver. */
typedef enum _POP_FX_STEP {
    PopFxStable,
    PopFxIdleCondition, /* PoFxCompleteIdleCondition */
    PopFxIdleState      /* PoFxCompleteIdleState */
} POP_FX_STEP;

typedef enum _POP_FX_POWER {
    PopFxOn,
    PopFxNotRequired, /* told; PoFxCompleteDevicePowerNotRequired is awaited */
    PopFxOff,         /* the device may be in any state */
    PopFxRequired     /* told; PoFxReportDevicePoweredOn is awaited */
} POP_FX_POWER;

typedef struct _POP_FX_COMPONENT {
    LONG References;                    /* (l) of PoFxActivateComponent */
    BOOLEAN Active;                     /* (l) the condition that the driver was told */
    BOOLEAN WakeHint;                   /* (l) */
    POP_FX_STEP Step;                   /* (l) */
    ULONG State, Next;                  /* (l) the Fx state, and the one that it goes to */
    ULONG64 Latency, Residency;         /* (l) 100 ns: what is tolerated, what is expected */
    ULONG StateCount, DeepestWakeable;  /* (c) */
    PO_FX_COMPONENT_IDLE_STATE *States; /* (c) behind the components */
} POP_FX_COMPONENT;

typedef struct _POP_FX {
    LIST_ENTRY Entry;   /* (l) */
    PDEVICE_OBJECT Pdo; /* (c) referenced */
    PPO_FX_COMPONENT_ACTIVE_CONDITION_CALLBACK
    ActiveCondition; /* (c) the five are NULL when the driver does not want them */
    PPO_FX_COMPONENT_IDLE_CONDITION_CALLBACK IdleCondition;
    PPO_FX_COMPONENT_IDLE_STATE_CALLBACK IdleState;
    PPO_FX_DEVICE_POWER_REQUIRED_CALLBACK PowerRequired;
    PPO_FX_DEVICE_POWER_NOT_REQUIRED_CALLBACK PowerNotRequired;
    PVOID Context;         /* (c) of the driver */
    const void *Owner;     /* (c) code of the driver */
    BOOLEAN Started, Gone; /* (l) */
    BOOLEAN Running;       /* (l) somebody calls callbacks */
    BOOLEAN Queued;        /* (l) the worker will */
    POP_FX_POWER Power;    /* (l) */
    ULONG64 IdleTimeout;   /* (l) 100 ns that it has to be idle */
    ULONG64 IdleSince;     /* (l) interrupt time; 0: a component is not idle */
    KTIMER Timer;
    KDPC Dpc;
    KEVENT Changed; /* something was done: for those who wait for a component, or for the end */
    WORK_QUEUE_ITEM Work;
    ULONG Count; /* (c) */
    POP_FX_COMPONENT Components[];
} POP_FX;

/* A callback that is due. */
typedef enum _POP_FX_CALL {
    PopFxCallNone,
    PopFxCallSilent, /* it went on, without a callback */
    PopFxCallActive,
    PopFxCallIdle,
    PopFxCallState,
    PopFxCallRequired,
    PopFxCallNotRequired
} POP_FX_CALL;

/* --- fx_next.c: (l) held; what it returns counts as begun --- */

POP_FX_CALL PopFxTakeNextLocked(POP_FX *Fx, PULONG Component, PULONG State);
/* (l) held. Nothing that the component waits for is missing: it is as its references want it. */
BOOLEAN PopFxIsSettledLocked(const POP_FX *Fx, ULONG Component);

/* --- fx_run.c: IRQL <= DISPATCH_LEVEL --- */

VOID PopFxInitRun(POP_FX *Fx);
/* Something has changed: callbacks that are due are called, here if Here and the IRQL allow it. */
VOID PopFxRun(POP_FX *Fx, BOOLEAN Here);
/* PASSIVE_LEVEL: until no callback runs and none will. */
VOID PopFxStop(POP_FX *Fx);

/* Until the component is as its references want it. PASSIVE_LEVEL. */
VOID PopFxAwait(POP_FX *Fx, ULONG Component);

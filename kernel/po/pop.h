/* SPDX-License-Identifier: MIT
 * Tier 3, po: power requests, and what the files of the power manager share.
 *
 * One spin lock (l), PopLock of rank LockRankPo, guards the requests that are on their way. It is not held over a call into a driver. What is (c) is
 * set before others see it. */
#pragma once
#include "po.h"
#include "io.h"
#include "ex.h"

#define POP_TAG 'oPoP'

extern ARCH_LOCK PopLock;

/* Which requests wait for each other: a stack has at most one of each on its way, but any number that wait for a wake signal. */
typedef enum _POP_QUEUE { PopDeviceQueue, PopSystemQueue, PopWakeQueue } POP_QUEUE;

typedef struct _POP_REQUEST POP_REQUEST;
typedef VOID POP_DONE(POP_REQUEST *Request);

/* A request of the power manager's, from the moment that it is asked for until its completion. */
struct _POP_REQUEST {
    LIST_ENTRY Entry;                 /* (l) */
    PDEVICE_OBJECT Device;            /* (c) that was asked for, referenced */
    PDEVICE_OBJECT Base;              /* (c) of its stack, referenced */
    PDEVICE_OBJECT Top;               /* (c) that gets the IRP, referenced */
    PIRP Irp;                         /* (c) */
    POP_QUEUE Queue;                  /* (c) */
    BOOLEAN Inrush;                   /* (c) one such request is on its way in the whole system */
    BOOLEAN Sent;                     /* (l) */
    BOOLEAN Woke;                     /* (l) of a wait for a wake signal: it has woken the system */
    ULONG64 Since;                    /* (l) interrupt time when it was sent */
    UCHAR Minor;                      /* (c) */
    POWER_STATE State;                /* (c) */
    PREQUEST_POWER_COMPLETE Complete; /* (c) a driver's; NULL: none */
    POP_DONE *Done;                   /* (c) the power manager's own, instead; it frees the request */
    PVOID Context;                    /* (c) of either */
    WORK_QUEUE_ITEM Work;
};

/* --- request.c: IRQL <= DISPATCH_LEVEL --- */

/* What the request is about: minor code, state, who is told, and its queue; the rest is filled in. NULL: no memory. */
POP_REQUEST *PopMakeRequest(PDEVICE_OBJECT Device, const POP_REQUEST *About);
/* At once, or when those before it in its queue are done. The request may be gone when it returns. */
VOID PopSend(POP_REQUEST *Request);
/* One that was not sent, or whose Done was called. */
VOID PopFreeRequest(POP_REQUEST *Request);
/* (l) held: the requests on their way or waiting. */
POP_REQUEST *PopNextRequest(const POP_REQUEST *Before);

/* --- overdue.c --- */

/* A request was sent: from now on it is looked after. IRQL <= DISPATCH_LEVEL. */
VOID PopStartWatch(VOID);
VOID PopInitWatch(ULONG Limit);

/* --- idle.c, setting.c, demand.c, fx.c: what drivers registered --- */

VOID PopInitIdle(VOID);
VOID PopEndIdle(PDEVICE_OBJECT Device); /* IRQL <= DISPATCH_LEVEL */
extern const GUID PopConsoleDisplayState,
    PopMonitorPowerOn; /* GUID_CONSOLE_DISPLAY_STATE, GUID_MONITOR_POWER_ON */
/* One of those of this machine has another value now: those who registered are called. PASSIVE_LEVEL. */
VOID PopChangeSetting(const GUID *Setting, ULONG Value);
/* What a driver that goes has left is reported and taken out. PASSIVE_LEVEL. */
VOID PopReportSettingLeaks(PIM_MODULE Module);
VOID PopReportDemandLeaks(PIM_MODULE Module);
VOID PopReportFxLeaks(PIM_MODULE Module);
VOID PopReportLeak(PIM_MODULE Module, PCSTR Kind);

/* --- system.c --- */

/* What goes on: the action of the system request that is on its way, else PowerActionNone. */
extern POWER_ACTION PopAction;

/* All started devices go to State and, if that is not the end, back to PowerSystemWorking. Ask: each may refuse. PASSIVE_LEVEL.
 * STATUS_ALREADY_COMMITTED: such a change is going on. What the driver said that refused; STATUS_INSUFFICIENT_RESOURCES: nobody was told. */
NTSTATUS PopChangeSystemState(SYSTEM_POWER_STATE State, POWER_ACTION Action, BOOLEAN Ask);

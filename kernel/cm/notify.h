/* SPDX-License-Identifier: MIT
 * Tier 3, notify*.c only: a call of ZwNotifyChangeKey. */
#pragma once
#include "cm/cmp.h"

typedef struct _CMP_REQUEST {
    LIST_ENTRY Entry;      /* (r) of CMP_NOTIFY.Requests */
    PIO_STATUS_BLOCK Iosb; /* of the caller */
    PKEVENT Event;         /* referenced, or NULL */
    PWORK_QUEUE_ITEM Item; /* of the caller, or NULL */
    WORK_QUEUE_TYPE Queue; /* for Item */
    PVOID ItemRoutine;     /* of Item when it was asked: Item may be freed since */
    PVOID Owner; /* routine of the driver that was running when it asked; NULL: the kernel, or user mode */
    LIST_ENTRY OwnedEntry; /* (r) of CmpOwnedRequests, when Owner is set */
    KEVENT *Waiter;        /* the caller waits for it: the request is his; NULL: it is freed at its end */
    NTSTATUS Status;
    struct {
        PETHREAD Thread;         /* referenced; NULL: not one of user mode that is not waited for */
        PEPROCESS Process;       /* where Iosb and Routine are; compared only */
        PIO_APC_ROUTINE Routine; /* or NULL */
        PVOID Context;
        KAPC Apc;
    } User;
} CMP_REQUEST;

/* notify_user.c. (r) alone; in no list any more. The request is its APC's. */
VOID CmpEndForUser(CMP_REQUEST *Request);

/* SPDX-License-Identifier: MIT
 * Tier 3, callback*.c only: registered callbacks and what they keep with key objects. */
#pragma once
#include "cm/cmp.h"
#include "ke_checks.h"
#include "ke.h"

typedef struct _CMP_CALLBACK {
    LIST_ENTRY Entry;               /* (c) */
    LARGE_INTEGER Cookie;           /* constant */
    UNICODE_STRING Altitude;        /* constant; ObFreeName */
    PEX_CALLBACK_FUNCTION Function; /* constant */
    PVOID Context;                  /* constant */
    BOOLEAN Legacy;                 /* constant. By CmRegisterCallback */
    BOOLEAN Going;                  /* (c) being unregistered */
    BOOLEAN Silent;                 /* (c) its driver is gone: it is told of nothing more */
    ULONG Cleaning;       /* (c) contexts that it is being told the end of, by threads that delete keys */
    KEVENT Cleaned;       /* such a thread is done; set while Going */
    EX_RUNDOWN_REF Calls; /* operations that it has been told of, and will be told the end of */
} CMP_CALLBACK;

typedef struct _CMP_CALLED {
    CMP_CALLBACK *Callback; /* protected by Calls */
    PVOID CallContext;
} CMP_CALLED;

VOID CmpLockCallbacks(VOID);
VOID CmpUnlockCallbacks(VOID);
VOID CmpFreeCallback(CMP_CALLBACK *Callback);
BOOLEAN CmpIsCalling(const CMP_CALLBACK *Callback); /* this thread is in the callback's routine */
NTSTATUS CmpCallDriver(CMP_CALLBACK *Callback, REG_NOTIFY_CLASS Class, PVOID Information);

/* (c) is held. The callback, which may be Going, or NULL. */
CMP_CALLBACK *CmpFindCallback(LARGE_INTEGER Cookie);
/* (c) is held. One that is not going, in that range of memory, or NULL. */
CMP_CALLBACK *CmpFindCallbackIn(const void *Base, SIZE_T Size);
VOID CmpUnlinkCallback(CMP_CALLBACK *Callback);

/* callback_context.c: what the callback keeps with the key object, or NULL. Key may be NULL. */
PVOID CmpObjectContext(CMP_KEY *Key, const CMP_CALLBACK *Callback);

/* SPDX-License-Identifier: MIT
 * Tier 3, extra_create*.c only: which extra create parameters and lists of them there are. All IRQL <= APC_LEVEL. */
#pragma once
#include "nt.h"

/* At the beginning of a list or parameter. */
typedef struct _IOP_LIVE_ECP {
    LIST_ENTRY Entry;  /* (e) of IopLiveEcps */
    const void *Owner; /* (e) return address in who allocated it; NULL: its driver is gone */
    PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK Cleanup; /* of a parameter, or NULL */
    PVOID Lookaside;                                        /* that it is from, or NULL: pool */
    BOOLEAN IsList;                                         /* (c) */
} IOP_LIVE_ECP;

VOID IopBeginEcp(IOP_LIVE_ECP *Ecp, BOOLEAN IsList, const void *Owner);
VOID IopEndEcp(IOP_LIVE_ECP *Ecp, const void *Freer); /* it is about to be freed */
/* What Ecp points to is not looked at unless it is one. Caller: return address in who gave it to us. Bug check when it is none; who freed it is to
 * blame when the kernel has it from him. */
VOID IopRequireLiveEcp(const IOP_LIVE_ECP *Ecp, BOOLEAN IsList, const void *Caller);
/* Culprit: NULL: the driver on the stack. */
DECLSPEC_NORETURN VOID IopEcpViolation(const void *Ecp, PCSTR Text, const void *Culprit);

/* SPDX-License-Identifier: MIT
 * Tier 2, se: tokens, privileges and subject contexts. The SeXxx names that drivers see are declared by the DDK headers and ddk_shim;
 * the part without objects is se_core.h. */
#pragma once
#include "nt.h"
#include "se_core.h"

/* --- start-up, PASSIVE_LEVEL: after ObInitSystem, before the first process --- */
VOID SeInitSystem(VOID);

/* Whose tokens count; set once by InitSetUpcalls. PASSIVE_LEVEL. */
typedef struct _SE_UPCALLS {
    /* The tokens of a thread and its process, referenced; ClientToken NULL unless the thread impersonates. Thread NULL: none. */
    VOID (*ReferenceTokens)(PETHREAD Thread, PEPROCESS Process, PSECURITY_SUBJECT_CONTEXT Context);
} SE_UPCALLS;
extern const SE_UPCALLS *SeUpcalls;

/* --- making tokens, PASSIVE_LEVEL: one reference, the caller's --- */

/* What a token is made of; everything is copied. The first SID is the user; one with SE_GROUP_INTEGRITY is its level. */
typedef struct _SE_TOKEN_SPEC {
    const SID_AND_ATTRIBUTES *Sids, *Restricted;
    const LUID_AND_ATTRIBUTES *Privileges;
    ULONG SidCount, RestrictedCount, PrivilegeCount;
    ULONG Owner, Group; /* index of the default owner and the primary group in Sids */
    PACL DefaultDacl;   /* or NULL */
    TOKEN_SOURCE Source;
    LUID AuthenticationId, ParentTokenId, Origin;
    TOKEN_TYPE Type;
    SECURITY_IMPERSONATION_LEVEL Level;
    ULONG SessionId, Flags /* TOKEN_WRITE_RESTRICTED, TOKEN_SANDBOX_INERT */, MandatoryPolicy;
} SE_TOKEN_SPEC;

NTSTATUS SeCreateToken(const SE_TOKEN_SPEC *Spec, PACCESS_TOKEN *Token);

/* The accounts that there are. */
typedef enum _SE_ACCOUNT {
    SeAccountSystem,
    SeAccountAdministrator, /* member of Administrators, high integrity */
    SeAccountUser,          /* member of Users, medium integrity */
    SeAccountRestricted, /* the user, restricted to RESTRICTED and Users, no privileges but one, low integrity */
    SeAccountCount
} SE_ACCOUNT;
NTSTATUS SeCreateAccountToken(SE_ACCOUNT Account, PACCESS_TOKEN *Token);

/* A token like Token of another type; EffectiveOnly without what is disabled. STATUS_BAD_IMPERSONATION_LEVEL: a level above Token's. */
NTSTATUS SeDuplicateToken(PACCESS_TOKEN Token, BOOLEAN EffectiveOnly, TOKEN_TYPE Type,
                          SECURITY_IMPERSONATION_LEVEL Level, PACCESS_TOKEN *NewToken);

/* As [WDK TOKEN_CONTROL]. */
VOID SeQueryTokenControl(PACCESS_TOKEN Token, PTOKEN_CONTROL Control);
/* The same user, and the client may not do what the server may not: no higher integrity level, restricted if the server is. */
BOOLEAN SeIsNoStronger(PACCESS_TOKEN Client, PACCESS_TOKEN Server);

/* --- numbers --- */

/* Any IRQL. Unique until the machine stops. */
LUID SeNewLuid(VOID);

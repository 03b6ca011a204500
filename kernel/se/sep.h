/* SPDX-License-Identifier: MIT
 * Tier 3, se: the token.
 *
 * Locks. TOKEN.Lock (t), an ERESOURCE: what can change in a token. It may be held shared for long (SeLockSubjectContext) and again by the
 * same thread. Nobody holds the locks of two tokens but by SeLockSubjectContext, shared. */
#pragma once
#include "se.h"
#include "ke.h"
#include "mm_caller.h"
#include "ob.h"

#define SEP_TAG_TOKEN 0x6b546553u /* 'SeTk' */
#define SEP_TAG_QUERY 0x71546553u /* 'SeTq' */
#define SEP_TAG_PRIVILEGES 0x72506553u

typedef struct _TOKEN {
    TOKEN_SOURCE Source;                           /* (c) */
    LUID TokenId, AuthenticationId, ParentTokenId; /* (c) */
    LUID Origin;                                   /* (c) */
    LUID ModifiedId;                               /* (t) */
    TOKEN_TYPE Type;                               /* (c) */
    SECURITY_IMPERSONATION_LEVEL Level;            /* (c) */
    ULONG Flags, MandatoryPolicy, IntegrityLevel;  /* (c) */
    ULONG SidCount, RestrictedCount;               /* (c) */
    ULONG PrivilegeCount;                          /* (t) */
    PSID_AND_ATTRIBUTES Sids, Restricted;          /* (c) */
    PLUID_AND_ATTRIBUTES Privileges;               /* (t) */
    ULONG Owner, Group;                            /* (t) index in Sids */
    PACL DefaultDacl;                              /* (t) a pool block, or NULL */
    ULONG SessionId;                               /* (t) */
    PVOID Variable;                                /* (c) the block that arrays and SIDs lie in */
    ERESOURCE Lock;
} TOKEN, *PTOKEN;

/* token.c. IRQL <= APC_LEVEL; enters a critical region until the unlock. */
VOID SepLockTokenShared(PTOKEN Token);
VOID SepLockTokenExclusive(PTOKEN Token);
VOID SepUnlockToken(PTOKEN Token);

/* Token locked for as long as the identity is used. */
VOID SepIdentityOfToken(const TOKEN *Token, SE_IDENTITY *Identity);
/* Token locked for as long as the spec is used: everything as in the token. */
VOID SepSpecOfToken(const TOKEN *Token, SE_TOKEN_SPEC *Spec);
/* Of an impersonation token's lock: a copy of the ACL in our pool, NULL for NULL. STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS SepCopyAcl(const ACL *Acl, PACL *Copy);

/* The token of a handle, referenced. */
NTSTATUS SepTokenByHandle(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, PTOKEN *Token);
/* The descriptor of a token that nobody has a handle of yet: for Subject (NULL: the token itself) and what Given says (NULL: nothing).
 * PASSIVE_LEVEL. */
NTSTATUS SepAssignTokenSecurity(PTOKEN Token, PSECURITY_DESCRIPTOR Given, PSECURITY_SUBJECT_CONTEXT Subject,
                                KPROCESSOR_MODE Mode);
/* A handle to a new token, whose reference is consumed, with the access that its maker asks for. */
NTSTATUS SepGiveTokenHandle(PTOKEN Token, ACCESS_MASK Access, ULONG Attributes, KPROCESSOR_MODE Mode,
                            PHANDLE Handle);

/* exports.c: static SIDs. */
extern const SID SeSystemSid, SeWorldSid, SeAuthenticatedSid, SeRestrictedCodeSid, SeInteractiveSid,
    SeLocalSid;
PSID SepAdminsSid(VOID);
PSID SepUsersSid(VOID);
PSID SepLabelSid(ULONG Level); /* the four levels from Low on */

/* privilege.c: the privileges of SE_USED_ bits, in pool for SeFreePrivileges; NULL for none. */
NTSTATUS SepMakePrivilegeSet(ULONG Used, PPRIVILEGE_SET *Set);

/* descriptor.c: STATUS_INVALID_SECURITY_DESCR: a kernel-mode caller's descriptor that is none. */
NTSTATUS SepPartsOf(PSECURITY_DESCRIPTOR Descriptor, RTL_SECURITY_PARTS *Parts);

/* SPDX-License-Identifier: MIT
 * What the security cases share: SIDs of well-known principals. */
#pragma once
#include "ct.h"

typedef union CT_SID {
    SID Sid;
    UCHAR Room[8 + 4 * SID_MAX_SUB_AUTHORITIES];
} CT_SID;

/* S-1-5-First[-Second]; Second 0: none. */
static inline PSID CtNtSid(CT_SID *Sid, ULONG First, ULONG Second)
{
    SID_IDENTIFIER_AUTHORITY Nt = {SECURITY_NT_AUTHORITY};
    RtlInitializeSid(Sid, &Nt, Second != 0 ? 2 : 1);
    *RtlSubAuthoritySid(Sid, 0) = First;
    if (Second != 0)
        *RtlSubAuthoritySid(Sid, 1) = Second;
    return Sid;
}

static inline PSID CtSystemSid(CT_SID *Sid)
{
    return CtNtSid(Sid, SECURITY_LOCAL_SYSTEM_RID, 0);
}

static inline PSID CtAdminsSid(CT_SID *Sid)
{
    return CtNtSid(Sid, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS);
}

static inline PSID CtWorldSid(CT_SID *Sid)
{
    SID_IDENTIFIER_AUTHORITY World = {SECURITY_WORLD_SID_AUTHORITY};
    RtlInitializeSid(Sid, &World, 1);
    *RtlSubAuthoritySid(Sid, 0) = 0;
    return Sid;
}

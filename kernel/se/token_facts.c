/* SPDX-License-Identifier: MIT
 * Single facts about a token. */
#include "sep.h"

/* [WDK SeTokenType] */
TOKEN_TYPE NTAPI SeTokenType(PACCESS_TOKEN Token)
{
    return ((PTOKEN)Token)->Type;
}

/* [WDK SeTokenImpersonationLevel] */
SECURITY_IMPERSONATION_LEVEL NTAPI SeTokenImpersonationLevel(PACCESS_TOKEN Token)
{
    return ((PTOKEN)Token)->Level;
}

/* [WDK SeTokenIsAdmin] the Administrators group is in the token, and not for deny only. */
BOOLEAN NTAPI SeTokenIsAdmin(PACCESS_TOKEN Token)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SE_IDENTITY Identity;
    SepLockTokenShared(Token);
    SepIdentityOfToken(Token, &Identity);
    BOOLEAN IsAdmin = SeIdentityHasSid(&Identity, SepAdminsSid(), FALSE);
    SepUnlockToken(Token);
    return IsAdmin;
}

/* [WDK SeTokenIsRestricted] */
BOOLEAN NTAPI SeTokenIsRestricted(PACCESS_TOKEN Token)
{
    return (((PTOKEN)Token)->Flags & TOKEN_IS_RESTRICTED) != 0;
}

/* [WDK SeTokenIsWriteRestricted] */
BOOLEAN NTAPI SeTokenIsWriteRestricted(PACCESS_TOKEN Token)
{
    return (((PTOKEN)Token)->Flags & TOKEN_WRITE_RESTRICTED) != 0;
}

/* [WDK SeQueryAuthenticationIdToken] */
NTSTATUS NTAPI SeQueryAuthenticationIdToken(PACCESS_TOKEN Token, PLUID AuthenticationId)
{
    *AuthenticationId = ((PTOKEN)Token)->AuthenticationId;
    return STATUS_SUCCESS;
}

/* [WDK SeQuerySessionIdToken] */
NTSTATUS NTAPI SeQuerySessionIdToken(PACCESS_TOKEN Token, PULONG SessionId)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SepLockTokenShared(Token);
    *SessionId = ((PTOKEN)Token)->SessionId;
    SepUnlockToken(Token);
    return STATUS_SUCCESS;
}

VOID SeQueryTokenControl(PACCESS_TOKEN AccessToken, PTOKEN_CONTROL Control)
{
    PTOKEN Token = AccessToken;
    SepLockTokenShared(Token);
    *Control = (TOKEN_CONTROL){Token->TokenId, Token->AuthenticationId, Token->ModifiedId, Token->Source};
    SepUnlockToken(Token);
}

BOOLEAN SeIsNoStronger(PACCESS_TOKEN Client, PACCESS_TOKEN Server)
{
    const TOKEN *C = Client, *S = Server;
    BOOLEAN Looser = (S->Flags & TOKEN_IS_RESTRICTED) && !(C->Flags & TOKEN_IS_RESTRICTED);
    return RtlEqualSid(C->Sids[0].Sid, S->Sids[0].Sid) && C->IntegrityLevel <= S->IntegrityLevel && !Looser;
}

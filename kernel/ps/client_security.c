/* SPDX-License-Identifier: MIT
 * A server remembers its client, and acts for him later. [WDK SeCreateClientSecurity, SeImpersonateClientEx] They stand here because a
 * client is a thread. */
#include "psp.h"
#include "ob.h"
#include "se.h"

/* Token: effective, referenced; the reference goes to the context or away. Level: of the thread, when it impersonates. */
static NTSTATUS PspRememberClient(PACCESS_TOKEN Token, BOOLEAN Impersonating,
                                  SECURITY_IMPERSONATION_LEVEL Level, BOOLEAN EffectiveOnly,
                                  PSECURITY_QUALITY_OF_SERVICE Quality, BOOLEAN Remote,
                                  PSECURITY_CLIENT_CONTEXT Context)
{
    NTSTATUS Status = STATUS_SUCCESS;
    RtlZeroMemory(Context, sizeof(*Context));
    Context->SecurityQos = *Quality;
    Context->ServerIsRemote = Remote;
    Context->DirectlyAccessClientToken = Quality->ContextTrackingMode == SECURITY_DYNAMIC_TRACKING;
    Context->DirectAccessEffectiveOnly = Quality->EffectiveOnly || (Impersonating && EffectiveOnly);
    /* [WDK SeCreateClientSecurity] a client that impersonates cannot be impersonated at a higher level; across machines only at delegation. */
    if (Impersonating && Quality->ImpersonationLevel > Level)
        Status = STATUS_BAD_IMPERSONATION_LEVEL;
    else if (Impersonating && (Level < SecurityIdentification || (Remote && Level != SecurityDelegation)))
        Status = STATUS_BAD_IMPERSONATION_LEVEL;
    else if (Context->DirectlyAccessClientToken)
        ObReferenceObject(Context->ClientToken = Token);
    else
        Status = SeDuplicateToken(Token, Context->DirectAccessEffectiveOnly, TokenImpersonation,
                                  Quality->ImpersonationLevel, &Context->ClientToken);
    if (NT_SUCCESS(Status) && Context->DirectlyAccessClientToken)
        SeQueryTokenControl(Token, &Context->ClientTokenControl);
    return Status;
}

/* [WDK SeCreateClientSecurity] SeDeleteClientSecurity drops what the context refers to. */
NTSTATUS NTAPI SeCreateClientSecurity(PETHREAD ClientThread, PSECURITY_QUALITY_OF_SERVICE ClientSecurityQos,
                                      BOOLEAN RemoteSession, PSECURITY_CLIENT_CONTEXT ClientContext)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    BOOLEAN CopyOnOpen, EffectiveOnly = FALSE;
    SECURITY_IMPERSONATION_LEVEL Level = SecurityDelegation;
    PACCESS_TOKEN Token = PsReferenceImpersonationToken(ClientThread, &CopyOnOpen, &EffectiveOnly, &Level);
    BOOLEAN Impersonating = Token != NULL;
    if (!Impersonating)
        Token = PsReferencePrimaryToken((PEPROCESS)ClientThread->Tcb.Process);
    NTSTATUS Status = PspRememberClient(Token, Impersonating, Level, EffectiveOnly, ClientSecurityQos,
                                        RemoteSession, ClientContext);
    ObDereferenceObject(Token);
    return Status;
}

/* [WDK SeCreateClientSecurityFromSubjectContext] */
NTSTATUS NTAPI SeCreateClientSecurityFromSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext,
                                                        PSECURITY_QUALITY_OF_SERVICE ClientSecurityQos,
                                                        BOOLEAN ServerIsRemote,
                                                        PSECURITY_CLIENT_CONTEXT ClientContext)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspRememberClient(SeQuerySubjectContextToken(SubjectContext), SubjectContext->ClientToken != NULL,
                             SubjectContext->ImpersonationLevel, FALSE, ClientSecurityQos, ServerIsRemote,
                             ClientContext);
}

/* [WDK SeImpersonateClientEx] ServerThread NULL: the current one. */
NTSTATUS NTAPI SeImpersonateClientEx(PSECURITY_CLIENT_CONTEXT ClientContext, PETHREAD ServerThread)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    BOOLEAN EffectiveOnly = ClientContext->DirectlyAccessClientToken
                                ? ClientContext->DirectAccessEffectiveOnly
                                : ClientContext->SecurityQos.EffectiveOnly;
    return PsImpersonateClient(ServerThread != NULL ? ServerThread : (PETHREAD)KiCurrentThread(),
                               ClientContext->ClientToken, TRUE, EffectiveOnly,
                               ClientContext->SecurityQos.ImpersonationLevel);
}

/* [WDK SeImpersonateClient] obsolete: cannot say that it failed. */
VOID NTAPI SeImpersonateClient(PSECURITY_CLIENT_CONTEXT ClientContext, PETHREAD ServerThread)
{
    (void)SeImpersonateClientEx(ClientContext, ServerThread);
}

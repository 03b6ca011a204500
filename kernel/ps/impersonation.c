/* SPDX-License-Identifier: MIT
 * A thread acts for a client. [WDK PsImpersonateClient, PsRevertToSelf, PsReferenceImpersonationToken] The state is read and changed
 * whole, by any thread: under one lock, which is held for a few instructions. */
#include "psp.h"
#include "arch.h"
#include "ob.h"
#include "se.h"

static ARCH_LOCK PspImpersonationLock = ARCH_LOCK_INIT("Impersonation", LockRankPs, DISPATCH_LEVEL);

/* The old state, whose reference is the caller's now; the new one's becomes the thread's. */
static SE_IMPERSONATION_STATE PspExchangeClient(PETHREAD Thread, const SE_IMPERSONATION_STATE *New)
{
    KIRQL OldIrql = ArchAcquireLock(&PspImpersonationLock);
    SE_IMPERSONATION_STATE Old = Thread->Client;
    Thread->Client = *New;
    ArchReleaseLock(&PspImpersonationLock, OldIrql);
    return Old;
}

/* A copy whose token, if there is one, is referenced. */
static SE_IMPERSONATION_STATE PspReferenceClient(PETHREAD Thread)
{
    KIRQL OldIrql = ArchAcquireLock(&PspImpersonationLock);
    SE_IMPERSONATION_STATE State = Thread->Client;
    if (State.Token != NULL)
        ObReferenceObject(State.Token);
    ArchReleaseLock(&PspImpersonationLock, OldIrql);
    return State;
}

static VOID PspSetClient(PETHREAD Thread, const SE_IMPERSONATION_STATE *New)
{
    SE_IMPERSONATION_STATE Old = PspExchangeClient(Thread, New);
    if (Old.Token != NULL)
        ObDereferenceObject(Old.Token);
}

VOID PspStopImpersonating(PETHREAD Thread)
{
    static const SE_IMPERSONATION_STATE Nobody;
    if (Thread->Client.Token !=
        NULL) /* nobody gives it a client while it is deleted; the thread itself sees its own */
        PspSetClient(Thread, &Nobody);
}

VOID PsReferenceTokens(PETHREAD Thread, PEPROCESS Process, PSECURITY_SUBJECT_CONTEXT Context)
{
    SE_IMPERSONATION_STATE Client = {0};
    if (Process == NULL)
        Process = (PEPROCESS)Thread->Tcb.Process;
    if (Thread != NULL && Thread->Client.Token != NULL)
        Client = PspReferenceClient(Thread);
    ObReferenceObject(Process->Token);
    *Context = (SECURITY_SUBJECT_CONTEXT){.ClientToken = Client.Token,
                                          .ImpersonationLevel = Client.Level,
                                          .PrimaryToken = Process->Token,
                                          .ProcessAuditId = Process->UniqueProcessId};
}

/* [WDK PsReferenceImpersonationToken] NULL: the thread impersonates nobody. */
PACCESS_TOKEN NTAPI PsReferenceImpersonationToken(PETHREAD Thread, PBOOLEAN CopyOnOpen,
                                                  PBOOLEAN EffectiveOnly,
                                                  PSECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SE_IMPERSONATION_STATE State = PspReferenceClient(Thread);
    if (State.Token == NULL)
        return NULL;
    *CopyOnOpen = State.CopyOnOpen;
    *EffectiveOnly = State.EffectiveOnly;
    *ImpersonationLevel = State.Level;
    return State.Token;
}

/* [WDK PsDereferenceImpersonationToken] */
VOID NTAPI PsDereferenceImpersonationToken(PACCESS_TOKEN ImpersonationToken)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (ImpersonationToken != NULL)
        ObDereferenceObject(ImpersonationToken);
}

/* [WDK PsIsThreadImpersonating] */
BOOLEAN NTAPI PsIsThreadImpersonating(PETHREAD Thread)
{
    return Thread->Client.Token != NULL;
}

/* [Win32 ImpersonateLoggedOnUser, Impersonation Privileges] who may not impersonate that client only identifies him: the client must be of
 * a level below impersonation, or of the same user, or the server must have SeImpersonatePrivilege. [Windows Vista Integrity Mechanism]
 * a server does not come by a higher integrity level, nor out of its restrictions, by impersonating its own user. */
static BOOLEAN PspMayImpersonate(PETHREAD Thread, PACCESS_TOKEN Token, SECURITY_IMPERSONATION_LEVEL Level)
{
    PRIVILEGE_SET Set = {1, PRIVILEGE_SET_ALL_NECESSARY, {{{SE_IMPERSONATE_PRIVILEGE, 0}, 0}}};
    SECURITY_SUBJECT_CONTEXT Server;
    if (Level < SecurityImpersonation)
        return TRUE;
    PsReferenceTokens(NULL, (PEPROCESS)Thread->Tcb.Process, &Server);
    BOOLEAN May = SeIsNoStronger(Token, Server.PrimaryToken) || SePrivilegeCheck(&Set, &Server, UserMode);
    SeReleaseSubjectContext(&Server);
    return May;
}

/* An impersonation token does not give more than its own level. */
static SECURITY_IMPERSONATION_LEVEL PspLevelOf(PACCESS_TOKEN Token, SECURITY_IMPERSONATION_LEVEL Level)
{
    if (SeTokenType(Token) == TokenPrimary || Level < SeTokenImpersonationLevel(Token))
        return Level;
    return SeTokenImpersonationLevel(Token);
}

/* [WDK PsImpersonateClient] Token NULL: the thread is itself again. Another client takes the place of the one before. */
NTSTATUS NTAPI PsImpersonateClient(PETHREAD Thread, PACCESS_TOKEN Token, BOOLEAN CopyOnOpen,
                                   BOOLEAN EffectiveOnly, SECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (Token == NULL) {
        PspStopImpersonating(Thread);
        return STATUS_SUCCESS;
    }
    SE_IMPERSONATION_STATE New = {Token, CopyOnOpen, EffectiveOnly, PspLevelOf(Token, ImpersonationLevel)};
    if (PspMayImpersonate(Thread, Token, New.Level)) {
        ObReferenceObject(Token);
    } else {
        NTSTATUS Status =
            SeDuplicateToken(Token, FALSE, TokenImpersonation, SecurityIdentification, &New.Token);
        if (!NT_SUCCESS(Status))
            return Status;
        New.Level = SecurityIdentification;
    }
    PspSetClient(Thread, &New);
    return STATUS_SUCCESS;
}

/* [WDK PsRevertToSelf] the current thread. */
VOID NTAPI PsRevertToSelf(VOID)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PspStopImpersonating((PETHREAD)KiCurrentThread());
}

/* [WDK PsDisableImpersonation] *ImpersonationState has the client, with the thread's reference, for PsRestoreImpersonation. FALSE: there
 * was none. */
BOOLEAN NTAPI PsDisableImpersonation(PETHREAD Thread, PSE_IMPERSONATION_STATE ImpersonationState)
{
    static const SE_IMPERSONATION_STATE Nobody;
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    *ImpersonationState = PspExchangeClient(Thread, &Nobody);
    return ImpersonationState->Token != NULL;
}

/* [WDK PsRestoreImpersonation] after PsDisableImpersonation returned TRUE: the reference goes back to the thread. */
VOID NTAPI PsRestoreImpersonation(PETHREAD Thread, PSE_IMPERSONATION_STATE ImpersonationState)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PspSetClient(Thread, ImpersonationState);
}

/* [WDK PsAssignImpersonationToken] a handle to an impersonation token, or NULL to stop. */
NTSTATUS NTAPI PsAssignImpersonationToken(PETHREAD Thread, HANDLE Token)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return PspAssignToken(Thread, Token, ExGetPreviousMode());
}

NTSTATUS PspAssignToken(PETHREAD Thread, HANDLE Token, KPROCESSOR_MODE Mode)
{
    PACCESS_TOKEN Object;
    if (Token == NULL)
        return PsImpersonateClient(Thread, NULL, FALSE, FALSE, SecurityAnonymous);
    NTSTATUS Status =
        ObReferenceObjectByHandle(Token, TOKEN_IMPERSONATE, SeTokenObjectType, Mode, &Object, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    if (SeTokenType(Object) == TokenImpersonation)
        Status = PsImpersonateClient(Thread, Object, FALSE, FALSE, SeTokenImpersonationLevel(Object));
    else
        Status = STATUS_BAD_TOKEN_TYPE;
    ObDereferenceObject(Object);
    return Status;
}

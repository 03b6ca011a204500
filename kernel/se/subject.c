/* SPDX-License-Identifier: MIT
 * Subject contexts: the tokens that a thread acts with. [WDK SeCaptureSubjectContext, SeLockSubjectContext] */
#include "sep.h"

/* [WDK SeCaptureSubjectContextEx] Thread NULL: the process's token only. */
VOID NTAPI SeCaptureSubjectContextEx(PETHREAD Thread, PEPROCESS Process,
                                     PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SeUpcalls->ReferenceTokens(Thread, Process, SubjectContext);
}

/* [WDK SeCaptureSubjectContext] of the current thread, and of the process that it belongs to. */
VOID NTAPI SeCaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SeUpcalls->ReferenceTokens((PETHREAD)KiCurrentThread(), NULL, SubjectContext);
}

/* [WDK SeReleaseSubjectContext] */
VOID NTAPI SeReleaseSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    ObDereferenceObject(SubjectContext->PrimaryToken);
    if (SubjectContext->ClientToken != NULL)
        ObDereferenceObject(SubjectContext->ClientToken);
    SubjectContext->PrimaryToken = SubjectContext->ClientToken = NULL;
}

/* [WDK SeLockSubjectContext] nobody changes the tokens until SeUnlockSubjectContext, which the same thread calls. */
VOID NTAPI SeLockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SepLockTokenShared(SubjectContext->PrimaryToken);
    if (SubjectContext->ClientToken != NULL)
        SepLockTokenShared(SubjectContext->ClientToken);
}

/* [WDK SeUnlockSubjectContext] */
VOID NTAPI SeUnlockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (SubjectContext->ClientToken != NULL)
        SepUnlockToken(SubjectContext->ClientToken);
    SepUnlockToken(SubjectContext->PrimaryToken);
}

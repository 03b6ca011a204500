/* SPDX-License-Identifier: MIT
 * SeAccessCheck: the access check with tokens. [WDK SeAccessCheck] */
#include "sep.h"

/* Kernel mode may do everything; what it asks for is what it gets. */
static BOOLEAN SepGrantKernel(ACCESS_MASK Desired, ACCESS_MASK Previous, PGENERIC_MAPPING Mapping,
                              PACCESS_MASK Granted)
{
    ACCESS_MASK Mask = Desired & MAXIMUM_ALLOWED ? (Desired & ~MAXIMUM_ALLOWED) | GENERIC_ALL : Desired;
    RtlMapGenericMask(&Mask, Mapping);
    *Granted = Mask | Previous;
    return TRUE;
}

static NTSTATUS SepEvaluate(PSECURITY_DESCRIPTOR Descriptor, PTOKEN Token, ACCESS_MASK Desired,
                            PGENERIC_MAPPING Mapping, PACCESS_MASK Granted, PULONG Used)
{
    RTL_SECURITY_PARTS Parts;
    SE_IDENTITY Identity;
    RtlGetSecurityParts(Descriptor, &Parts);
    SepIdentityOfToken(Token, &Identity);
    return SeEvaluateAccess(&Parts, &Identity, Desired, Mapping, Granted, Used);
}

static NTSTATUS SepCheckAccess(PSECURITY_DESCRIPTOR Descriptor, PSECURITY_SUBJECT_CONTEXT Context,
                               BOOLEAN Locked, ACCESS_MASK Desired, PPRIVILEGE_SET *Privileges,
                               PGENERIC_MAPPING Mapping, PACCESS_MASK Granted)
{
    ULONG Used;
    if (Descriptor == NULL)
        return STATUS_ACCESS_DENIED;
    if (Context->ClientToken != NULL && Context->ImpersonationLevel < SecurityImpersonation)
        return STATUS_BAD_IMPERSONATION_LEVEL;
    if (!Locked)
        SeLockSubjectContext(Context);
    NTSTATUS Status =
        SepEvaluate(Descriptor, SeQuerySubjectContextToken(Context), Desired, Mapping, Granted, &Used);
    if (!Locked)
        SeUnlockSubjectContext(Context);
    if (NT_SUCCESS(Status) && Privileges != NULL)
        Status = SepMakePrivilegeSet(Used, Privileges);
    return Status;
}

/* [WDK SeAccessCheck] TRUE: *GrantedAccess are the rights, PreviouslyGrantedAccess among them. FALSE: *AccessStatus says why. All of
 * DesiredAccess is checked; what was granted before is added. *Privileges, of those that were used or NULL, is freed by SeFreePrivileges. */
BOOLEAN NTAPI SeAccessCheck(PSECURITY_DESCRIPTOR SecurityDescriptor,
                            PSECURITY_SUBJECT_CONTEXT SubjectSecurityContext, BOOLEAN SubjectContextLocked,
                            ACCESS_MASK DesiredAccess, ACCESS_MASK PreviouslyGrantedAccess,
                            PPRIVILEGE_SET *Privileges, PGENERIC_MAPPING GenericMapping,
                            KPROCESSOR_MODE AccessMode, PACCESS_MASK GrantedAccess, PNTSTATUS AccessStatus)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (Privileges != NULL)
        *Privileges = NULL;
    *AccessStatus = STATUS_SUCCESS;
    if (AccessMode == KernelMode)
        return SepGrantKernel(DesiredAccess, PreviouslyGrantedAccess, GenericMapping, GrantedAccess);
    ACCESS_MASK Granted = 0;
    if (DesiredAccess != 0)
        *AccessStatus = SepCheckAccess(SecurityDescriptor, SubjectSecurityContext, SubjectContextLocked,
                                       DesiredAccess, Privileges, GenericMapping, &Granted);
    else if (PreviouslyGrantedAccess == 0)
        *AccessStatus = STATUS_ACCESS_DENIED;
    *GrantedAccess = NT_SUCCESS(*AccessStatus) ? Granted | PreviouslyGrantedAccess : 0;
    return NT_SUCCESS(*AccessStatus);
}

/* SPDX-License-Identifier: MIT
 * Privilege checks. [WDK SePrivilegeCheck, SeSinglePrivilegeCheck] */
#include "sep.h"

/* Marks what the token has; whether that is all of them or, without PRIVILEGE_SET_ALL_NECESSARY, one. */
static BOOLEAN SepCheckSet(PTOKEN Token, PPRIVILEGE_SET Set)
{
    SE_IDENTITY Identity;
    ULONG Held = 0;
    SepLockTokenShared(Token);
    SepIdentityOfToken(Token, &Identity);
    for (ULONG I = 0; I < Set->PrivilegeCount; I++) {
        PLUID_AND_ATTRIBUTES P = &Set->Privilege[I];
        if (P->Luid.HighPart == 0 && SeIdentityHasPrivilege(&Identity, P->Luid.LowPart)) {
            P->Attributes |= SE_PRIVILEGE_USED_FOR_ACCESS;
            Held++;
        }
    }
    SepUnlockToken(Token);
    return Set->Control & PRIVILEGE_SET_ALL_NECESSARY ? Held == Set->PrivilegeCount : Held != 0;
}

/* [WDK SePrivilegeCheck] kernel mode has all privileges. A client whose level is below impersonation has none. */
BOOLEAN NTAPI SePrivilegeCheck(PPRIVILEGE_SET RequiredPrivileges, PSECURITY_SUBJECT_CONTEXT SubjectContext,
                               KPROCESSOR_MODE AccessMode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    if (AccessMode == KernelMode)
        return TRUE;
    if (SubjectContext->ClientToken != NULL && SubjectContext->ImpersonationLevel < SecurityImpersonation)
        return FALSE;
    return SepCheckSet(SeQuerySubjectContextToken(SubjectContext), RequiredPrivileges);
}

/* [WDK SeSinglePrivilegeCheck] of the current thread. */
BOOLEAN NTAPI SeSinglePrivilegeCheck(LUID PrivilegeValue, KPROCESSOR_MODE PreviousMode)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PRIVILEGE_SET Set = {1, PRIVILEGE_SET_ALL_NECESSARY, {{PrivilegeValue, 0}}};
    SECURITY_SUBJECT_CONTEXT Context;
    if (PreviousMode == KernelMode)
        return TRUE;
    SeCaptureSubjectContext(&Context);
    BOOLEAN Held = SePrivilegeCheck(&Set, &Context, PreviousMode);
    SeReleaseSubjectContext(&Context);
    return Held;
}

/* [WDK SeFreePrivileges] of SeAccessCheck. */
VOID NTAPI SeFreePrivileges(PPRIVILEGE_SET Privileges)
{
    ExFreePoolWithTag(Privileges, SEP_TAG_PRIVILEGES);
}

static ULONG SepSetBytes(ULONG Count)
{
    return FIELD_OFFSET(PRIVILEGE_SET, Privilege) + Count * (ULONG)sizeof(LUID_AND_ATTRIBUTES);
}

NTSTATUS SepMakePrivilegeSet(ULONG Used, PPRIVILEGE_SET *Set)
{
    static const struct {
        ULONG Bit, Privilege;
    } Known[] = {{SE_USED_SECURITY, SE_SECURITY_PRIVILEGE},
                 {SE_USED_TAKE_OWNERSHIP, SE_TAKE_OWNERSHIP_PRIVILEGE}};
    *Set = NULL;
    if (Used == 0)
        return STATUS_SUCCESS;
    PPRIVILEGE_SET New =
        ExAllocatePool2(POOL_FLAG_PAGED, SepSetBytes(RTL_NUMBER_OF(Known)), SEP_TAG_PRIVILEGES);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (ULONG I = 0; I < RTL_NUMBER_OF(Known); I++)
        if (Used & Known[I].Bit)
            New->Privilege[New->PrivilegeCount++] =
                (LUID_AND_ATTRIBUTES){{Known[I].Privilege, 0}, SE_PRIVILEGE_USED_FOR_ACCESS};
    *Set = New;
    return STATUS_SUCCESS;
}

/* SPDX-License-Identifier: MIT
 * Tokens made of a token: a duplicate of another type, and one that may do less. [WDK ZwDuplicateToken, SeFilterToken], [Win32
 * CreateRestrictedToken] */
#include "sep.h"

/* Room for changed copies of a token's arrays. */
typedef struct _SEP_ARRAYS {
    PSID_AND_ATTRIBUTES Sids, Restricted;
    PLUID_AND_ATTRIBUTES Privileges;
} SEP_ARRAYS;

static NTSTATUS SepAllocateArrays(const SE_TOKEN_SPEC *Spec, ULONG MoreRestricted, SEP_ARRAYS *Arrays)
{
    SIZE_T Sids = Spec->SidCount, Restricted = (SIZE_T)Spec->RestrictedCount + MoreRestricted;
    Arrays->Sids = ExAllocatePool2(POOL_FLAG_PAGED,
                                   (Sids + Restricted) * sizeof(SID_AND_ATTRIBUTES) +
                                       Spec->PrivilegeCount * sizeof(LUID_AND_ATTRIBUTES),
                                   SEP_TAG_TOKEN);
    if (Arrays->Sids == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Arrays->Restricted = Arrays->Sids + Sids;
    Arrays->Privileges = (PLUID_AND_ATTRIBUTES)(Arrays->Restricted + Restricted);
    return STATUS_SUCCESS;
}

/* --- duplicates --- */

/* [WDK ZwDuplicateToken] EffectiveOnly: disabled groups and privileges stay away. Indexes move with the groups. */
static VOID SepKeepEffective(SE_TOKEN_SPEC *Spec, SEP_ARRAYS *Arrays)
{
    ULONG Sids = 0, Privileges = 0, Owner = 0, Group = 0;
    for (ULONG I = 0; I < Spec->SidCount; I++) {
        ULONG Keep = SE_GROUP_ENABLED | SE_GROUP_USE_FOR_DENY_ONLY | SE_GROUP_INTEGRITY;
        if (I != 0 && I != Spec->Group && !(Spec->Sids[I].Attributes & Keep))
            continue;
        Owner = I == Spec->Owner ? Sids : Owner;
        Group = I == Spec->Group ? Sids : Group;
        Arrays->Sids[Sids++] = Spec->Sids[I];
    }
    for (ULONG I = 0; I < Spec->PrivilegeCount; I++)
        if (Spec->Privileges[I].Attributes & SE_PRIVILEGE_ENABLED)
            Arrays->Privileges[Privileges++] = Spec->Privileges[I];
    Spec->Sids = Arrays->Sids;
    Spec->SidCount = Sids;
    Spec->Owner = Owner;
    Spec->Group = Group;
    Spec->Privileges = Arrays->Privileges;
    Spec->PrivilegeCount = Privileges;
}

NTSTATUS SeDuplicateToken(PACCESS_TOKEN AccessToken, BOOLEAN EffectiveOnly, TOKEN_TYPE Type,
                          SECURITY_IMPERSONATION_LEVEL Level, PACCESS_TOKEN *NewToken)
{
    PTOKEN Token = AccessToken;
    SE_TOKEN_SPEC Spec;
    SEP_ARRAYS Arrays = {0};
    NTSTATUS Status = STATUS_SUCCESS;
    /* [Win32 DuplicateTokenEx] a token that only identifies cannot become one that acts. */
    if (Token->Type == TokenImpersonation &&
        (Type == TokenPrimary ? Token->Level < SecurityImpersonation : Level > Token->Level))
        return STATUS_BAD_IMPERSONATION_LEVEL;
    SepLockTokenShared(Token);
    SepSpecOfToken(Token, &Spec);
    Spec.Type = Type;
    Spec.Level = Type == TokenImpersonation ? Level : SecurityAnonymous;
    if (EffectiveOnly) {
        Status = SepAllocateArrays(&Spec, 0, &Arrays);
        if (NT_SUCCESS(Status))
            SepKeepEffective(&Spec, &Arrays);
    }
    if (NT_SUCCESS(Status))
        Status = SeCreateToken(&Spec, NewToken);
    SepUnlockToken(Token);
    if (Arrays.Sids != NULL)
        ExFreePoolWithTag(Arrays.Sids, SEP_TAG_TOKEN);
    return Status;
}

/* [WDK ZwDuplicateToken] access 0 asks for that of the existing handle. Without a quality of service the level is that of the token, Anonymous for a primary one. */
static NTSTATUS SepReadLevel(POBJECT_ATTRIBUTES Attributes, KPROCESSOR_MODE Mode, OBJECT_ATTRIBUTES *Copy,
                             SECURITY_IMPERSONATION_LEVEL *Level)
{
    SECURITY_QUALITY_OF_SERVICE Quality;
    if (Attributes == NULL) {
        *Copy = (OBJECT_ATTRIBUTES){.Length = sizeof(*Copy)};
        return STATUS_SUCCESS;
    }
    NTSTATUS Status = MmReadCaller(Copy, Attributes, sizeof(*Copy), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Copy->Length != sizeof(*Copy))
        return STATUS_INVALID_PARAMETER;
    if (Copy->SecurityQualityOfService == NULL)
        return STATUS_SUCCESS;
    Status = MmReadCaller(&Quality, Copy->SecurityQualityOfService, sizeof(Quality), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    *Level = Quality.ImpersonationLevel;
    return Quality.Length == sizeof(Quality) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* [Win32 DuplicateTokenEx, lpTokenAttributes] without a descriptor the new token gets the default one of who asks. */
static NTSTATUS SepSecureDuplicate(PTOKEN New, PSECURITY_DESCRIPTOR Descriptor, KPROCESSOR_MODE Mode)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    PSECURITY_DESCRIPTOR Given = NULL;
    NTSTATUS Status = STATUS_SUCCESS;
    if (Descriptor != NULL)
        Status = SeCaptureSecurityDescriptor(Descriptor, Mode, PagedPool, TRUE, &Given);
    if (!NT_SUCCESS(Status))
        return Status;
    SeCaptureSubjectContext(&Subject);
    Status = SepAssignTokenSecurity(New, Given, &Subject, Mode);
    SeReleaseSubjectContext(&Subject);
    if (Given != NULL)
        SeReleaseSecurityDescriptor(Given, Mode, TRUE);
    return Status;
}

static NTSTATUS SepDuplicateHandle(HANDLE Existing, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                                   BOOLEAN EffectiveOnly, TOKEN_TYPE Type, PHANDLE Handle,
                                   KPROCESSOR_MODE Mode)
{
    PTOKEN Token;
    PACCESS_TOKEN New;
    OBJECT_ATTRIBUTES Copy;
    NTSTATUS Status = MmProbeCaller(Handle, sizeof(*Handle), Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Type != TokenPrimary && Type != TokenImpersonation)
        return STATUS_INVALID_PARAMETER;
    OBJECT_HANDLE_INFORMATION Information;
    Status = ObReferenceObjectByHandle(Existing, TOKEN_DUPLICATE, SeTokenObjectType, Mode, (PVOID *)&Token,
                                       &Information);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Access == 0)
        Access = Information.GrantedAccess;
    SECURITY_IMPERSONATION_LEVEL Level = Token->Level;
    Status = SepReadLevel(Attributes, Mode, &Copy, &Level);
    if (NT_SUCCESS(Status) && Type == TokenImpersonation && !VALID_IMPERSONATION_LEVEL(Level))
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status))
        Status = SeDuplicateToken(Token, EffectiveOnly, Type, Level, &New);
    ObDereferenceObject(Token);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = SepSecureDuplicate(New, Copy.SecurityDescriptor, Mode);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(New);
        return Status;
    }
    if (Mode != KernelMode)
        Copy.Attributes &= ~(ULONG)OBJ_KERNEL_HANDLE;
    return SepGiveTokenHandle(New, Access, Copy.Attributes, Mode, Handle);
}

NTSTATUS NTAPI ZwDuplicateToken(HANDLE ExistingTokenHandle, ACCESS_MASK DesiredAccess,
                                POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN EffectiveOnly,
                                TOKEN_TYPE TokenType, PHANDLE NewTokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return SepDuplicateHandle(ExistingTokenHandle, DesiredAccess, ObjectAttributes, EffectiveOnly, TokenType,
                              NewTokenHandle, KernelMode);
}

NTSTATUS NTAPI NtDuplicateToken(HANDLE ExistingTokenHandle, ACCESS_MASK DesiredAccess,
                                POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN EffectiveOnly,
                                TOKEN_TYPE TokenType, PHANDLE NewTokenHandle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    return SepDuplicateHandle(ExistingTokenHandle, DesiredAccess, ObjectAttributes, EffectiveOnly, TokenType,
                              NewTokenHandle, ExGetPreviousMode());
}

/* --- less --- */

static BOOLEAN SepIsListed(const TOKEN_GROUPS *Groups, PSID Sid)
{
    for (ULONG I = 0; Groups != NULL && I < Groups->GroupCount; I++)
        if (RtlEqualSid(Groups->Groups[I].Sid, Sid))
            return TRUE;
    return FALSE;
}

static BOOLEAN SepIsDeleted(const TOKEN_PRIVILEGES *Privileges, LUID Luid)
{
    for (ULONG I = 0; Privileges != NULL && I < Privileges->PrivilegeCount; I++)
        if (RtlEqualLuid(&Privileges->Privileges[I].Luid, &Luid))
            return TRUE;
    return FALSE;
}

/* [WDK SeFilterToken] the SIDs are for deny only from now on, also the user's; they cannot be enabled again. */
static VOID SepDisableSids(SE_TOKEN_SPEC *Spec, SEP_ARRAYS *Arrays, const TOKEN_GROUPS *Disable)
{
    for (ULONG I = 0; I < Spec->SidCount; I++) {
        Arrays->Sids[I] = Spec->Sids[I];
        if (!SepIsListed(Disable, Spec->Sids[I].Sid) || (Spec->Sids[I].Attributes & SE_GROUP_INTEGRITY))
            continue;
        Arrays->Sids[I].Attributes &= ~(ULONG)(SE_GROUP_ENABLED | SE_GROUP_ENABLED_BY_DEFAULT);
        Arrays->Sids[I].Attributes |= SE_GROUP_USE_FOR_DENY_ONLY;
        if (I == Spec->Owner)
            Spec->Owner = 0;
    }
    Spec->Sids = Arrays->Sids;
}

/* [WDK SeFilterToken] DISABLE_MAX_PRIVILEGE: all but SeChangeNotifyPrivilege. */
static VOID SepDeletePrivileges(SE_TOKEN_SPEC *Spec, SEP_ARRAYS *Arrays, ULONG Flags,
                                const TOKEN_PRIVILEGES *Delete)
{
    ULONG Count = 0;
    for (ULONG I = 0; I < Spec->PrivilegeCount; I++) {
        LUID Luid = Spec->Privileges[I].Luid;
        BOOLEAN Gone = Flags & DISABLE_MAX_PRIVILEGE ? Luid.LowPart != SE_CHANGE_NOTIFY_PRIVILEGE
                                                     : SepIsDeleted(Delete, Luid);
        if (!Gone)
            Arrays->Privileges[Count++] = Spec->Privileges[I];
    }
    Spec->Privileges = Arrays->Privileges;
    Spec->PrivilegeCount = Count;
}

/* [Win32 CreateRestrictedToken] a token that is restricted already keeps those restricting SIDs that are in both lists. */
static VOID SepRestrict(SE_TOKEN_SPEC *Spec, SEP_ARRAYS *Arrays, const TOKEN_GROUPS *Restricted)
{
    ULONG Count = 0;
    BOOLEAN WasRestricted = (Spec->Flags & TOKEN_IS_RESTRICTED) != 0;
    if (Restricted == NULL || Restricted->GroupCount == 0)
        return;
    for (ULONG I = 0; I < (WasRestricted ? Spec->RestrictedCount : Restricted->GroupCount); I++) {
        if (!WasRestricted)
            Arrays->Restricted[Count++] =
                (SID_AND_ATTRIBUTES){Restricted->Groups[I].Sid,
                                     SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED};
        else if (SepIsListed(Restricted, Spec->Restricted[I].Sid))
            Arrays->Restricted[Count++] = Spec->Restricted[I];
    }
    Spec->Restricted = Arrays->Restricted;
    Spec->RestrictedCount = Count;
    Spec->Flags |= TOKEN_IS_RESTRICTED; /* also with nothing in common */
}

/* [WDK SeFilterToken] LUA_TOKEN is not there (D-205). Restricting SIDs may have no attributes, and must be SIDs. */
static NTSTATUS SepCheckFilter(ULONG Flags, const TOKEN_GROUPS *Disable, const TOKEN_GROUPS *Restricted)
{
    if (Flags & ~(ULONG)(DISABLE_MAX_PRIVILEGE | SANDBOX_INERT | WRITE_RESTRICTED))
        return STATUS_INVALID_PARAMETER;
    for (ULONG I = 0; Disable != NULL && I < Disable->GroupCount; I++)
        if (!RtlValidSid(Disable->Groups[I].Sid))
            return STATUS_INVALID_SID;
    for (ULONG I = 0; Restricted != NULL && I < Restricted->GroupCount; I++) {
        if (!RtlValidSid(Restricted->Groups[I].Sid))
            return STATUS_INVALID_SID;
        if (Restricted->Groups[I].Attributes != 0)
            return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SeFilterToken(PACCESS_TOKEN ExistingToken, ULONG Flags, PTOKEN_GROUPS SidsToDisable,
                             PTOKEN_PRIVILEGES PrivilegesToDelete, PTOKEN_GROUPS RestrictedSids,
                             PACCESS_TOKEN *FilteredToken)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PTOKEN Token = ExistingToken;
    SE_TOKEN_SPEC Spec;
    SEP_ARRAYS Arrays;
    NTSTATUS Status = SepCheckFilter(Flags, SidsToDisable, RestrictedSids);
    if (!NT_SUCCESS(Status))
        return Status;
    SepLockTokenShared(Token);
    SepSpecOfToken(Token, &Spec);
    Status = SepAllocateArrays(&Spec, RestrictedSids != NULL ? RestrictedSids->GroupCount : 0, &Arrays);
    if (NT_SUCCESS(Status)) {
        BOOLEAN WasRestricted = (Spec.Flags & TOKEN_IS_RESTRICTED) != 0;
        SepDisableSids(&Spec, &Arrays, SidsToDisable);
        SepDeletePrivileges(&Spec, &Arrays, Flags, PrivilegesToDelete);
        SepRestrict(&Spec, &Arrays, RestrictedSids);
        Spec.ParentTokenId = Token->TokenId;
        Spec.Flags |= TOKEN_IS_FILTERED | (Flags & SANDBOX_INERT ? TOKEN_SANDBOX_INERT : 0);
        if ((Flags & WRITE_RESTRICTED) && !WasRestricted && (Spec.Flags & TOKEN_IS_RESTRICTED))
            Spec.Flags |= TOKEN_WRITE_RESTRICTED;
        else if (RestrictedSids != NULL && !(Flags & WRITE_RESTRICTED))
            Spec.Flags &= ~(ULONG)TOKEN_WRITE_RESTRICTED;
        Status = SeCreateToken(&Spec, FilteredToken);
        ExFreePoolWithTag(Arrays.Sids, SEP_TAG_TOKEN);
    }
    SepUnlockToken(Token);
    return Status;
}

/* SPDX-License-Identifier: MIT
 * Tokens as objects: made, locked, deleted. [WDK Access Tokens] */
#include "sep.h"
#include "ex.h"

POBJECT_TYPE SeTokenObjectType;
const SE_UPCALLS *SeUpcalls;

static VOID SepDeleteToken(PVOID Object)
{
    PTOKEN Token = Object;
    if (Token->Variable == NULL) /* it was never finished */
        return;
    if (Token->DefaultDacl != NULL)
        ExFreePoolWithTag(Token->DefaultDacl, SEP_TAG_TOKEN);
    ExFreePoolWithTag(Token->Variable, SEP_TAG_TOKEN);
    (void)ExDeleteResourceLite(&Token->Lock);
}

static const OB_TYPE_INFO SepTokenTypeInfo = {
    .Name = L"Token",
    .PoolTag = 'ekoT',
    .Mapping = {TOKEN_READ, TOKEN_WRITE, TOKEN_EXECUTE, TOKEN_ALL_ACCESS},
    .ValidAccess = TOKEN_ALL_ACCESS,
    .WaitOffset = OB_NOT_WAITABLE,
    .Methods = {.Delete = SepDeleteToken},
};

VOID SeInitSystem(VOID)
{
    NTSTATUS Status = ObCreateObjectType(&SepTokenTypeInfo, &SeTokenObjectType);
    if (!NT_SUCCESS(Status))
        KeBugCheckEx(SECURITY_INITIALIZATION_FAILED, (ULONG_PTR)Status, 1, 0, 0);
}

/* --- the lock --- */

VOID SepLockTokenShared(PTOKEN Token)
{
    KeEnterCriticalRegion();
    (void)ExAcquireResourceSharedLite(&Token->Lock, TRUE);
}

VOID SepLockTokenExclusive(PTOKEN Token)
{
    KeEnterCriticalRegion();
    (void)ExAcquireResourceExclusiveLite(&Token->Lock, TRUE);
}

VOID SepUnlockToken(PTOKEN Token)
{
    ExReleaseResourceLite(&Token->Lock);
    KeLeaveCriticalRegion();
}

/* --- making one --- */

static SIZE_T SepSidBytes(const SID_AND_ATTRIBUTES *Sids, ULONG Count)
{
    SIZE_T Bytes = Count * sizeof(*Sids);
    for (ULONG I = 0; I < Count; I++)
        Bytes += RtlLengthSid(Sids[I].Sid);
    return Bytes;
}

/* Array is where the entries go; the SIDs go to *At, which moves on. */
static VOID SepCopySids(PSID_AND_ATTRIBUTES Array, const SID_AND_ATTRIBUTES *From, ULONG Count, PUCHAR *At)
{
    for (ULONG I = 0; I < Count; I++) {
        ULONG Length = RtlLengthSid(From[I].Sid);
        RtlCopyMemory(*At, From[I].Sid, Length);
        Array[I] = (SID_AND_ATTRIBUTES){*At, From[I].Attributes};
        *At += Length;
    }
}

/* The arrays, then the privileges, then the SIDs: in the order of their alignment. */
static NTSTATUS SepCopyVariable(PTOKEN Token, const SE_TOKEN_SPEC *Spec)
{
    SIZE_T Arrays = (SIZE_T)(Spec->SidCount + Spec->RestrictedCount) * sizeof(SID_AND_ATTRIBUTES);
    SIZE_T Privileges = Spec->PrivilegeCount * sizeof(LUID_AND_ATTRIBUTES);
    SIZE_T Length = SepSidBytes(Spec->Sids, Spec->SidCount) +
                    SepSidBytes(Spec->Restricted, Spec->RestrictedCount) + Privileges;
    PUCHAR Block = ExAllocatePool2(POOL_FLAG_PAGED, Length, SEP_TAG_TOKEN);
    if (Block == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    PUCHAR At = Block + Arrays + Privileges;
    Token->Variable = Block;
    Token->Sids = (PSID_AND_ATTRIBUTES)Block;
    Token->Restricted = Token->Sids + Spec->SidCount;
    Token->Privileges = (PLUID_AND_ATTRIBUTES)(Block + Arrays);
    SepCopySids(Token->Sids, Spec->Sids, Spec->SidCount, &At);
    SepCopySids(Token->Restricted, Spec->Restricted, Spec->RestrictedCount, &At);
    RtlCopyMemory(Token->Privileges, Spec->Privileges, Privileges);
    return STATUS_SUCCESS;
}

NTSTATUS SepCopyAcl(const ACL *Acl, PACL *Copy)
{
    *Copy = NULL;
    if (Acl == NULL)
        return STATUS_SUCCESS;
    *Copy = ExAllocatePool2(POOL_FLAG_PAGED, Acl->AclSize, SEP_TAG_TOKEN);
    if (*Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyMemory(*Copy, Acl, Acl->AclSize);
    return STATUS_SUCCESS;
}

static ULONG SepIntegrityOf(const SE_TOKEN_SPEC *Spec)
{
    for (ULONG I = 0; I < Spec->SidCount; I++)
        if (Spec->Sids[I].Attributes & SE_GROUP_INTEGRITY)
            return *RtlSubAuthoritySid(Spec->Sids[I].Sid, *RtlSubAuthorityCountSid(Spec->Sids[I].Sid) - 1u);
    return SECURITY_MANDATORY_UNTRUSTED_RID;
}

static VOID SepFillToken(PTOKEN Token, const SE_TOKEN_SPEC *Spec)
{
    Token->Source = Spec->Source;
    Token->TokenId = SeNewLuid();
    Token->ModifiedId = SeNewLuid();
    Token->AuthenticationId = Spec->AuthenticationId;
    Token->ParentTokenId = Spec->ParentTokenId;
    Token->Origin = Spec->Origin;
    Token->Type = Spec->Type;
    Token->Level = Spec->Level;
    Token->Flags = Spec->Flags | (Spec->RestrictedCount != 0 ? TOKEN_IS_RESTRICTED : 0);
    Token->MandatoryPolicy = Spec->MandatoryPolicy;
    Token->IntegrityLevel = SepIntegrityOf(Spec);
    Token->SidCount = Spec->SidCount;
    Token->RestrictedCount = Spec->RestrictedCount;
    Token->PrivilegeCount = Spec->PrivilegeCount;
    Token->Owner = Spec->Owner;
    Token->Group = Spec->Group;
    Token->SessionId = Spec->SessionId;
}

/* [Win32 Access Rights for Access-Token Objects] Who may open the token: what its own defaults say, or, for Subject, what he gives or his are. */
NTSTATUS SepAssignTokenSecurity(PTOKEN Token, PSECURITY_DESCRIPTOR Given, PSECURITY_SUBJECT_CONTEXT Subject,
                                KPROCESSOR_MODE Mode)
{
    SECURITY_SUBJECT_CONTEXT Own = {.PrimaryToken = Token};
    PSECURITY_DESCRIPTOR Made;
    ULONG Powers = Mode == KernelMode ? SEF_AVOID_OWNER_CHECK | SEF_AVOID_PRIVILEGE_CHECK : 0;
    GENERIC_MAPPING Mapping = SepTokenTypeInfo.Mapping;
    NTSTATUS Status = SeAssignSecurityEx(NULL, Given, &Made, NULL, FALSE, Powers,
                                         Subject != NULL ? Subject : &Own, &Mapping, PagedPool);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObSetDescriptor(Token, Made, TRUE);
    (void)SeDeassignSecurity(&Made);
    return Status;
}

NTSTATUS SeCreateToken(const SE_TOKEN_SPEC *Spec, PACCESS_TOKEN *NewToken)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    PTOKEN Token;
    PACL Dacl;
    NTSTATUS Status = ObCreateObject(KernelMode, SeTokenObjectType, NULL, KernelMode, NULL, sizeof(*Token), 0,
                                     0, (PVOID *)&Token);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = SepCopyAcl(Spec->DefaultDacl, &Dacl);
    if (NT_SUCCESS(Status)) {
        Status = SepCopyVariable(Token, Spec);
        if (!NT_SUCCESS(Status) && Dacl != NULL)
            ExFreePoolWithTag(Dacl, SEP_TAG_TOKEN);
    }
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Token);
        return Status;
    }
    Token->DefaultDacl = Dacl;
    SepFillToken(Token, Spec);
    (void)ExInitializeResourceLite(&Token->Lock);
    Status = SepAssignTokenSecurity(Token, NULL, NULL, KernelMode);
    if (NT_SUCCESS(Status))
        *NewToken = Token;
    else
        ObDereferenceObject(Token);
    return Status;
}

VOID SepSpecOfToken(const TOKEN *Token, SE_TOKEN_SPEC *Spec)
{
    *Spec = (SE_TOKEN_SPEC){
        .Sids = Token->Sids,
        .Restricted = Token->Restricted,
        .Privileges = Token->Privileges,
        .SidCount = Token->SidCount,
        .RestrictedCount = Token->RestrictedCount,
        .PrivilegeCount = Token->PrivilegeCount,
        .Owner = Token->Owner,
        .Group = Token->Group,
        .DefaultDacl = Token->DefaultDacl,
        .Source = Token->Source,
        .AuthenticationId = Token->AuthenticationId,
        .ParentTokenId = Token->ParentTokenId,
        .Origin = Token->Origin,
        .Type = Token->Type,
        .Level = Token->Level,
        .SessionId = Token->SessionId,
        .Flags = Token->Flags,
        .MandatoryPolicy = Token->MandatoryPolicy,
    };
}

VOID SepIdentityOfToken(const TOKEN *Token, SE_IDENTITY *Identity)
{
    *Identity = (SE_IDENTITY){
        .Sids = Token->Sids,
        .Restricted = Token->Restricted,
        .Privileges = Token->Privileges,
        .SidCount = Token->SidCount,
        .RestrictedCount = Token->RestrictedCount,
        .PrivilegeCount = Token->PrivilegeCount,
        .IntegrityLevel = Token->IntegrityLevel,
        .NoWriteUp = (Token->MandatoryPolicy & TOKEN_MANDATORY_POLICY_NO_WRITE_UP) != 0,
        .IsRestricted = (Token->Flags & TOKEN_IS_RESTRICTED) != 0,
        .WriteRestricted = (Token->Flags & TOKEN_WRITE_RESTRICTED) != 0,
    };
}

/* --- handles --- */

NTSTATUS SepTokenByHandle(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, PTOKEN *Token)
{
    return ObReferenceObjectByHandle(Handle, Access, SeTokenObjectType, Mode, (PVOID *)Token, NULL);
}

NTSTATUS SepGiveTokenHandle(PTOKEN Token, ACCESS_MASK Access, ULONG Attributes, KPROCESSOR_MODE Mode,
                            PHANDLE Handle)
{
    HANDLE New;
    KPROCESSOR_MODE Check =
        Access & ACCESS_SYSTEM_SECURITY ? Mode : KernelMode; /* that one is a privilege's */
    NTSTATUS Status = ObOpenObjectByPointer(Token, Attributes, NULL, Access, SeTokenObjectType, Check, &New);
    ObDereferenceObject(Token);
    return NT_SUCCESS(Status) ? ObGiveHandle(Handle, New, Mode) : Status;
}

/* SPDX-License-Identifier: MIT
 * The access check. [MS-DTYP 2.5.3.2] Rights come from privileges, from being the owner, and from the ACEs in their order: what is
 * wanted must be allowed before it is denied. A restricted token is checked twice, with all of its SIDs and with the restricting
 * ones, and gets what both give. A label above the token's takes rights away first. */
#include "se_core.h"

#define SEP_DEFAULT_LABEL 0x2000u /* an object without a label is of medium integrity */
#define SEP_ACL_RIGHTS                                                                                       \
    0x00FFFFFFu /* the specific and standard ones: no ACE gives ACCESS_SYSTEM_SECURITY or generic rights */

BOOLEAN SeIdentityHasPrivilege(const SE_IDENTITY *Identity, ULONG Privilege)
{
    for (ULONG I = 0; I < Identity->PrivilegeCount; I++) {
        const LUID_AND_ATTRIBUTES *P = &Identity->Privileges[I];
        if (P->Luid.LowPart == Privilege && P->Luid.HighPart == 0)
            return (P->Attributes & SE_PRIVILEGE_ENABLED) != 0;
    }
    return FALSE;
}

/* Among a token's SIDs. The user, who is the first, counts unless he is for deny only. */
static BOOLEAN SepHasSid(const SE_IDENTITY *Identity, PSID Sid, BOOLEAN ForDeny)
{
    for (ULONG I = 0; I < Identity->SidCount; I++) {
        ULONG Attributes = Identity->Sids[I].Attributes;
        BOOLEAN DenyOnly = (Attributes & SE_GROUP_USE_FOR_DENY_ONLY) != 0;
        BOOLEAN Counts = DenyOnly ? ForDeny : I == 0 || (Attributes & SE_GROUP_ENABLED);
        if (Counts && RtlEqualSid(Identity->Sids[I].Sid, Sid))
            return TRUE;
    }
    return FALSE;
}

BOOLEAN SeIdentityHasSid(const SE_IDENTITY *Identity, PSID Sid, BOOLEAN ForDeny)
{
    return SepHasSid(Identity, Sid, ForDeny);
}

static BOOLEAN SepIsRestrictingSid(const SE_IDENTITY *Identity, PSID Sid)
{
    for (ULONG I = 0; I < Identity->RestrictedCount; I++)
        if (RtlEqualSid(Identity->Restricted[I].Sid, Sid))
            return TRUE;
    return FALSE;
}

/* One of the two passes over a DACL. */
typedef struct _SEP_PASS {
    const SE_IDENTITY *Identity;
    BOOLEAN Restricted; /* with the restricting SIDs */
} SEP_PASS;

static BOOLEAN SepPassHasSid(const SEP_PASS *Pass, PSID Sid, BOOLEAN ForDeny)
{
    return Pass->Restricted ? SepIsRestrictingSid(Pass->Identity, Sid)
                            : SepHasSid(Pass->Identity, Sid, ForDeny);
}

/* [MS-DTYP 2.4.2.4] OWNER RIGHTS, S-1-3-4. */
static BOOLEAN SepIsOwnerRights(PSID Sid)
{
    static const struct {
        UCHAR Revision, Count, Authority[6];
        ULONG SubAuthority;
    } OwnerRights = {SID_REVISION, 1, {0, 0, 0, 0, 0, 3}, 4};
    return RtlEqualSid((PSID)&OwnerRights, Sid);
}

static BOOLEAN SepAceCounts(const ACE_HEADER *Ace)
{
    return !(Ace->AceFlags & INHERIT_ONLY_ACE) && RtlAceSid(Ace) != NULL;
}

static BOOLEAN SepNamesOwnerRights(const ACL *Dacl)
{
    RTL_FOR_EACH_ACE(Ace, Dacl)
    if (SepAceCounts(Ace) && SepIsOwnerRights(RtlAceSid(Ace)))
        return TRUE;
    return FALSE;
}

typedef enum _SEP_VERDICT { SepIgnore, SepAllow, SepDeny } SEP_VERDICT;

/* Without a list of object types an ACE for one type says nothing of the object. Callback ACEs are resource managers' business:
 * here an allowing one does not allow and a denying one denies, as [Win32 AuthzAccessCheck] says of a callback that is not there (D-184). */
static SEP_VERDICT SepKindOfAce(const ACE_HEADER *Ace)
{
    if (!SepAceCounts(Ace) || RtlAceObjectType(Ace) != NULL)
        return SepIgnore;
    switch (Ace->AceType) {
    case ACCESS_ALLOWED_ACE_TYPE:
    case ACCESS_ALLOWED_OBJECT_ACE_TYPE:
        return SepAllow;
    case ACCESS_DENIED_ACE_TYPE:
    case ACCESS_DENIED_OBJECT_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_ACE_TYPE:
    case ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE:
        return SepDeny;
    }
    return SepIgnore;
}

/* The rights that the pass gives at most. Each right is decided by the first ACE that names it, so what is wanted is granted exactly
 * when it is part of them. [MS-DTYP 2.5.3.2] */
static ACCESS_MASK SepRightsOfPass(const RTL_SECURITY_PARTS *Parts, const SEP_PASS *Pass)
{
    ACCESS_MASK Allowed = 0, Denied = 0;
    if (Parts->Dacl == NULL)
        return SEP_ACL_RIGHTS;
    BOOLEAN IsOwner = Parts->Owner != NULL && SepPassHasSid(Pass, Parts->Owner, FALSE);
    if (IsOwner && !SepNamesOwnerRights(Parts->Dacl))
        Allowed = READ_CONTROL | WRITE_DAC;
    RTL_FOR_EACH_ACE(Ace, Parts->Dacl)
    {
        SEP_VERDICT Verdict = SepKindOfAce(Ace);
        if (Verdict == SepIgnore)
            continue;
        BOOLEAN Matches = SepPassHasSid(Pass, RtlAceSid(Ace), Verdict == SepDeny) ||
                          (IsOwner && SepIsOwnerRights(RtlAceSid(Ace)));
        if (Matches && Verdict == SepAllow)
            Allowed |= RtlAceMask(Ace) & ~Denied;
        else if (Matches)
            Denied |= RtlAceMask(Ace) & ~Allowed;
    }
    return Allowed & SEP_ACL_RIGHTS;
}

static ACCESS_MASK SepRightsOfDacl(const RTL_SECURITY_PARTS *Parts, const SE_IDENTITY *Identity,
                                   const GENERIC_MAPPING *Mapping)
{
    SEP_PASS Normal = {Identity, FALSE}, Restricted = {Identity, TRUE};
    ACCESS_MASK Rights = SepRightsOfPass(Parts, &Normal);
    if (!Identity->IsRestricted)
        return Rights;
    ACCESS_MASK Second = SepRightsOfPass(Parts, &Restricted);
    if (Identity->WriteRestricted) /* [Win32 CreateRestrictedToken, WRITE_RESTRICTED] */
        Second |= ~(Mapping->GenericWrite & ~(Mapping->GenericRead | Mapping->GenericExecute));
    return Rights & Second;
}

/* --- mandatory integrity control --- */

static ULONG SepLabelOf(PSID Sid)
{
    ULONG Count = *RtlSubAuthorityCountSid(Sid);
    return Count != 0 ? *RtlSubAuthoritySid(Sid, Count - 1) : 0;
}

/* [MS-DTYP 2.5.3.3 MandatoryIntegrityCheck] what a token whose level is below the object's label may have at most. */
static ACCESS_MASK SepRightsUnderLabel(const RTL_SECURITY_PARTS *Parts, const SE_IDENTITY *Identity,
                                       const GENERIC_MAPPING *Mapping)
{
    ULONG Label = SEP_DEFAULT_LABEL, Policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
    if (Parts->Sacl != NULL)
        RTL_FOR_EACH_ACE(Ace, Parts->Sacl)
    if (Ace->AceType == SYSTEM_MANDATORY_LABEL_ACE_TYPE && !(Ace->AceFlags & INHERIT_ONLY_ACE)) {
        Label = SepLabelOf(RtlAceSid(Ace));
        Policy = RtlAceMask(Ace);
        break;
    }
    if (!Identity->NoWriteUp || Identity->IntegrityLevel >= Label)
        return MAXULONG;
    ACCESS_MASK Rights = 0;
    if (!(Policy & SYSTEM_MANDATORY_LABEL_NO_READ_UP))
        Rights |= Mapping->GenericRead;
    if (!(Policy & SYSTEM_MANDATORY_LABEL_NO_WRITE_UP))
        Rights |= Mapping->GenericWrite;
    if (!(Policy & SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP))
        Rights |= Mapping->GenericExecute;
    return SeIdentityHasPrivilege(Identity, SE_RELABEL_PRIVILEGE) ? Rights | WRITE_OWNER : Rights;
}

/* --- the whole --- */

NTSTATUS SeEvaluateAccess(const RTL_SECURITY_PARTS *Parts, const SE_IDENTITY *Identity, ACCESS_MASK Desired,
                          const GENERIC_MAPPING *Mapping, PACCESS_MASK Granted, PULONG Used)
{
    ACCESS_MASK Remaining = Desired & ~MAXIMUM_ALLOWED, FromPrivilege = 0;
    *Granted = 0;
    *Used = 0;
    RtlMapGenericMask(&Remaining, (PGENERIC_MAPPING)Mapping);
    if (Remaining & ACCESS_SYSTEM_SECURITY) {
        if (!SeIdentityHasPrivilege(Identity, SE_SECURITY_PRIVILEGE))
            return STATUS_PRIVILEGE_NOT_HELD;
        *Used |= SE_USED_SECURITY;
        FromPrivilege |= ACCESS_SYSTEM_SECURITY;
    }
    ACCESS_MASK Ceiling = SepRightsUnderLabel(Parts, Identity, Mapping);
    ACCESS_MASK Rights = SepRightsOfDacl(Parts, Identity, Mapping) & Ceiling;
    if ((Remaining & WRITE_OWNER & ~Rights & Ceiling) &&
        SeIdentityHasPrivilege(Identity, SE_TAKE_OWNERSHIP_PRIVILEGE)) {
        *Used |= SE_USED_TAKE_OWNERSHIP;
        FromPrivilege |= WRITE_OWNER;
    }
    if (Remaining & ~(Rights | FromPrivilege))
        return STATUS_ACCESS_DENIED;
    if (Parts->Dacl == NULL) /* everything that there is */
        Rights &= Mapping->GenericAll | Remaining;
    *Granted = Desired & MAXIMUM_ALLOWED ? Rights | FromPrivilege : Remaining;
    return *Granted != 0 ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

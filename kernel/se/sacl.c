/* SPDX-License-Identifier: MIT
 * The parts of a SACL. [Win32 SECURITY_INFORMATION], [MS-DTYP 2.4.7] integrity labels, resource attributes and the policy's identifier lie
 * in it, but are asked for, protected and replaced apart from the ACEs for auditing. */
#include "se_core.h"

/* [MS-DTYP 2.4.4.1] */
#define SYSTEM_RESOURCE_ATTRIBUTE_ACE_TYPE 0x12
#define SYSTEM_SCOPED_POLICY_ID_ACE_TYPE 0x13

static SECURITY_INFORMATION SepPartOf(const ACE_HEADER *Ace)
{
    switch (Ace->AceType) {
    case SYSTEM_MANDATORY_LABEL_ACE_TYPE:
        return LABEL_SECURITY_INFORMATION;
    case SYSTEM_RESOURCE_ATTRIBUTE_ACE_TYPE:
        return ATTRIBUTE_SECURITY_INFORMATION;
    case SYSTEM_SCOPED_POLICY_ID_ACE_TYPE:
        return SCOPE_SECURITY_INFORMATION;
    default:
        return SACL_SECURITY_INFORMATION;
    }
}

/* Copies to To, unless it is NULL, the ACEs of these parts; their bytes are added to *Length and their number to *Count. */
static VOID SepTakeAces(const ACL *From, SECURITY_INFORMATION Parts, PACL To, PULONG Length, PULONG Count)
{
    if (From == NULL)
        return;
    RTL_FOR_EACH_ACE(Ace, From)
    {
        if (!(SepPartOf(Ace) & Parts))
            continue;
        if (To != NULL)
            memcpy((PUCHAR)To + *Length, Ace, Ace->AceSize);
        *Length += Ace->AceSize;
        ++*Count;
    }
}

static UCHAR SepRevisionOf(const ACL *Acl)
{
    return Acl != NULL ? Acl->AclRevision : ACL_REVISION;
}

NTSTATUS SeJoinSacl(const ACL *Chosen, const ACL *Rest, SECURITY_INFORMATION Parts, PACL *Joined)
{
    ULONG Length = sizeof(ACL), Count = 0;
    *Joined = NULL;
    SepTakeAces(Chosen, Parts, NULL, &Length, &Count);
    SepTakeAces(Rest, ~Parts, NULL, &Length, &Count);
    if (Length > MAXUSHORT)
        return STATUS_INVALID_ACL;
    PACL Acl = ExAllocatePoolWithTag(PagedPool, Length, SE_TAG_DESCRIPTOR);
    if (Acl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    UCHAR A = SepRevisionOf(Chosen), B = SepRevisionOf(Rest);
    *Acl = (ACL){A > B ? A : B, 0, (USHORT)Length, (USHORT)Count, 0};
    Length = sizeof(ACL);
    SepTakeAces(Chosen, Parts, Acl, &Length, &Count);
    SepTakeAces(Rest, ~Parts, Acl, &Length, &Count);
    *Joined = Acl;
    return STATUS_SUCCESS;
}

/* [MS-DTYP 2.4.4.13] the level is the only sub-authority of a SID S-1-16-.... FALSE: it is no such SID. */
static BOOLEAN SepLevelOf(ACE_HEADER *Ace, PULONG Level)
{
    static const SID_IDENTIFIER_AUTHORITY Authority = SECURITY_MANDATORY_LABEL_AUTHORITY;
    const SID *Sid = RtlAceSid(Ace);
    if (Sid->SubAuthorityCount != 1)
        return FALSE;
    *Level = Sid->SubAuthority[0];
    return memcmp(&Sid->IdentifierAuthority, &Authority, sizeof(Authority)) == 0;
}

NTSTATUS SeCheckLabels(const ACL *Sacl, const SE_IDENTITY *Identity)
{
    ULONG Level;
    if (Sacl == NULL)
        return STATUS_SUCCESS;
    RTL_FOR_EACH_ACE(Ace, Sacl)
    {
        if (Ace->AceType != SYSTEM_MANDATORY_LABEL_ACE_TYPE)
            continue;
        if (!SepLevelOf(Ace, &Level) ||
            (Level > Identity->IntegrityLevel && !SeIdentityHasPrivilege(Identity, SE_RELABEL_PRIVILEGE)))
            return STATUS_INVALID_LABEL;
    }
    return STATUS_SUCCESS;
}

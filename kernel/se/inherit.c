/* SPDX-License-Identifier: MIT
 * The descriptor of a new object: from what its creator says, its container's inheritable ACEs and the creator's token.
 * [MS-DTYP 2.5.3.4 CreateSecurityDescriptor], [WDK SeAssignSecurity], [Win32 ACE Inheritance Rules] */
#include "se_core.h"

#define SEP_INHERIT_FLAGS                                                                                    \
    (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE | NO_PROPAGATE_INHERIT_ACE | INHERIT_ONLY_ACE)

/* An ACL that is being put together. */
typedef struct _SEP_BUILD {
    PACL Acl; /* NULL while only counted */
    ULONG Length, Count;
    UCHAR Revision;
    const SE_NEW_OBJECT *New;
    PSID Owner, Group; /* of the new object, for CREATOR OWNER and CREATOR GROUP */
} SEP_BUILD;

BOOLEAN SeMayOwn(const SE_IDENTITY *Identity, PSID Sid)
{
    for (ULONG I = 0; I < Identity->SidCount; I++) {
        ULONG Attributes = Identity->Sids[I].Attributes;
        BOOLEAN Usable =
            !(Attributes & SE_GROUP_USE_FOR_DENY_ONLY) && (I == 0 || (Attributes & SE_GROUP_OWNER));
        if (Usable && RtlEqualSid(Identity->Sids[I].Sid, Sid))
            return TRUE;
    }
    return SeIdentityHasPrivilege(Identity, SE_RESTORE_PRIVILEGE);
}

/* --- single ACEs --- */

/* [MS-DTYP 2.4.2.4] CREATOR OWNER S-1-3-0 and CREATOR GROUP S-1-3-1 stand for the owner and the group of the new object. */
static PSID SepCreatorSid(const SEP_BUILD *Build, PSID Sid)
{
    static const UCHAR Creator[8] = {SID_REVISION, 1, 0, 0, 0, 0, 0, 3};
    if (Sid == NULL || memcmp(Sid, Creator, sizeof(Creator)) != 0)
        return NULL;
    ULONG Which = *RtlSubAuthoritySid(Sid, 0);
    return Which == 0 ? Build->Owner : Which == 1 ? Build->Group : NULL;
}

static ACCESS_MASK SepMapped(const GENERIC_MAPPING *Mapping, ACCESS_MASK Mask)
{
    RtlMapGenericMask(&Mask, (PGENERIC_MAPPING)Mapping);
    return Mask;
}

/* A label's mask is a policy, no rights. */
static BOOLEAN SepHasRights(const ACE_HEADER *Ace)
{
    return RtlAceSid(Ace) != NULL && Ace->AceType <= SYSTEM_ALARM_CALLBACK_OBJECT_ACE_TYPE;
}

/* Copies an ACE with these flags; Effective: its rights mapped, its creator SID replaced. */
static VOID SepPutAce(SEP_BUILD *Build, const ACE_HEADER *Ace, UCHAR Flags, BOOLEAN Effective)
{
    PSID Sid = RtlAceSid(Ace), Creator = Effective ? SepCreatorSid(Build, Sid) : NULL;
    ULONG Head = Creator != NULL ? (ULONG)((PUCHAR)Sid - (PUCHAR)Ace) : Ace->AceSize;
    ULONG Length = Head + (Creator != NULL ? RtlLengthSid(Creator) : 0);
    if (Build->Acl != NULL) {
        ACCESS_ALLOWED_ACE *Copy = (ACCESS_ALLOWED_ACE *)((PUCHAR)Build->Acl + sizeof(ACL) + Build->Length);
        memcpy(Copy, Ace, Head);
        if (Creator != NULL)
            memcpy((PUCHAR)Copy + Head, Creator, RtlLengthSid(Creator));
        Copy->Header.AceFlags = Flags;
        Copy->Header.AceSize = (USHORT)Length;
        if (Effective && SepHasRights(Ace))
            Copy->Mask = SepMapped(Build->New->Mapping, Copy->Mask);
    }
    Build->Length += Length;
    Build->Count++;
}

/* Mapping or replacing changes it, so that what is passed on must be kept apart. */
static BOOLEAN SepChanges(const SEP_BUILD *Build, const ACE_HEADER *Ace)
{
    return SepCreatorSid(Build, RtlAceSid(Ace)) != NULL ||
           (SepHasRights(Ace) && SepMapped(Build->New->Mapping, RtlAceMask(Ace)) != RtlAceMask(Ace));
}

/* An ACE that is in force and, with Pass (inherit flags), goes on to the new object's children. */
static VOID SepPutEffective(SEP_BUILD *Build, const ACE_HEADER *Ace, UCHAR Other, UCHAR Pass)
{
    if (Pass != 0 && SepChanges(Build, Ace)) {
        SepPutAce(Build, Ace, Other, TRUE);
        SepPutAce(Build, Ace, Other | Pass | INHERIT_ONLY_ACE, FALSE);
    } else {
        SepPutAce(Build, Ace, Other | Pass, TRUE);
    }
}

/* [Win32 ACE Inheritance Rules] what an ACE of the container is on the new object. */
static VOID SepInheritAce(SEP_BUILD *Build, const ACE_HEADER *Ace, BOOLEAN Mark)
{
    UCHAR Flags = Ace->AceFlags;
    UCHAR Other = (UCHAR)((Flags & ~(SEP_INHERIT_FLAGS | INHERITED_ACE)) | (Mark ? INHERITED_ACE : 0));
    UCHAR Pass = Flags & NO_PROPAGATE_INHERIT_ACE ? 0 : Flags & (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE);
    BOOLEAN Effective = (Flags & (Build->New->IsContainer ? CONTAINER_INHERIT_ACE : OBJECT_INHERIT_ACE)) != 0;
    if (!Build->New->IsContainer)
        Pass = 0;
    if (Effective)
        SepPutEffective(Build, Ace, Other, Pass);
    else if (Pass != 0)
        SepPutAce(Build, Ace, Other | Pass | INHERIT_ONLY_ACE, FALSE);
}

/* An inheritable object ACE is for children of one type, if it names it. */
static BOOLEAN SepIsForType(const ACE_HEADER *Ace, const GUID *Type)
{
    if (!RtlIsObjectAce(Ace->AceType))
        return TRUE;
    ULONG Which = ((const ACCESS_ALLOWED_ACE *)Ace)->SidStart;
    if (!(Which & 2))
        return TRUE;
    const GUID *Inherited = (const GUID *)((const ACCESS_ALLOWED_ACE *)Ace + 1) + (Which & 1);
    return Type != NULL && memcmp(Inherited, Type, sizeof(*Type)) == 0;
}

/* --- ACLs --- */

static VOID SepInheritAcl(SEP_BUILD *Build, const ACL *Parent, BOOLEAN Mark)
{
    if (Parent == NULL)
        return;
    if (Parent->AclRevision > Build->Revision)
        Build->Revision = Parent->AclRevision;
    RTL_FOR_EACH_ACE(Ace, Parent)
    if (SepIsForType(Ace, Build->New->ObjectType))
        SepInheritAce(Build, Ace, Mark);
}

/* The creator's own ACEs; those that were inherited elsewhere only when the container's are not (Keep). */
static VOID SepOwnAcl(SEP_BUILD *Build, const ACL *Own, BOOLEAN Keep)
{
    if (Own == NULL)
        return;
    if (Own->AclRevision > Build->Revision)
        Build->Revision = Own->AclRevision;
    RTL_FOR_EACH_ACE(Ace, Own)
    {
        if ((Ace->AceFlags & INHERITED_ACE) && !Keep)
            continue;
        if (Ace->AceFlags & INHERIT_ONLY_ACE)
            SepPutAce(Build, Ace, Ace->AceFlags, FALSE);
        else
            SepPutEffective(Build, Ace, Ace->AceFlags & ~SEP_INHERIT_FLAGS,
                            Build->New->IsContainer ? Ace->AceFlags & SEP_INHERIT_FLAGS : 0);
    }
}

/* Where the new ACL comes from. */
typedef struct _SEP_ACL_SOURCE {
    const ACL *Own;    /* the creator's, or the token's */
    const ACL *Parent; /* inherited from, or NULL */
    BOOLEAN Keep, Mark;
} SEP_ACL_SOURCE;

static VOID SepFillAcl(SEP_BUILD *Build, const SEP_ACL_SOURCE *Source)
{
    Build->Length = Build->Count = 0;
    SepOwnAcl(Build, Source->Own, Source->Keep);
    SepInheritAcl(Build, Source->Parent, Source->Mark);
}

/* Counted, then written. */
static NTSTATUS SepMakeAcl(SEP_BUILD *Build, const SEP_ACL_SOURCE *Source, PACL *Acl)
{
    Build->Acl = NULL;
    Build->Revision = ACL_REVISION;
    SepFillAcl(Build, Source);
    ULONG Length = sizeof(ACL) + Build->Length;
    if (Length > (MAXUSHORT & ~3u) || Build->Count > MAXUSHORT)
        return STATUS_INVALID_ACL;
    *Acl = ExAllocatePoolWithTag(PagedPool, Length, SE_TAG_DESCRIPTOR);
    if (*Acl == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    (void)RtlCreateAcl(*Acl, Length, Build->Revision);
    Build->Acl = *Acl;
    SepFillAcl(Build, Source);
    (*Acl)->AceCount = (USHORT)Build->Count;
    return STATUS_SUCCESS;
}

/* Whether the container has an ACE for the new object. */
static BOOLEAN SepInheritsAny(SEP_BUILD *Build, const ACL *Parent)
{
    Build->Acl = NULL;
    Build->Length = Build->Count = 0;
    SepInheritAcl(Build, Parent, FALSE);
    return Build->Count != 0;
}

/* The bits of one of the two ACLs. */
typedef struct _SEP_ACL_BITS {
    SECURITY_DESCRIPTOR_CONTROL Present, Defaulted, Protected, Inherited;
    ULONG Auto; /* SEF_ */
} SEP_ACL_BITS;

static const SEP_ACL_BITS SepDaclBits = {SE_DACL_PRESENT, SE_DACL_DEFAULTED, SE_DACL_PROTECTED,
                                         SE_DACL_AUTO_INHERITED, SEF_DACL_AUTO_INHERIT};
static const SEP_ACL_BITS SepSaclBits = {SE_SACL_PRESENT, SE_SACL_DEFAULTED, SE_SACL_PROTECTED,
                                         SE_SACL_AUTO_INHERITED, SEF_SACL_AUTO_INHERIT};

/* [WDK SeAssignSecurity] the creator's ACL if he gave one on purpose; else the container's inheritable ACEs, if there are any; else
 * one that he gave by default; else Token's. With automatic inheritance the container's ACEs join the creator's, unless he
 * protects his. */
static NTSTATUS SepChooseAcl(SEP_BUILD *Build, const SEP_ACL_BITS *Bits, const ACL *Given, const ACL *Parent,
                             const ACL *Token, SECURITY_DESCRIPTOR_CONTROL *Control, PACL *Acl)
{
    const RTL_SECURITY_PARTS *Explicit = Build->New->Explicit;
    SECURITY_DESCRIPTOR_CONTROL Asked = Explicit != NULL ? Explicit->Control : 0;
    BOOLEAN Auto = (Build->New->Flags & Bits->Auto) != 0, IsGiven = (Asked & Bits->Present) != 0;
    SEP_ACL_SOURCE Source = {NULL, NULL, TRUE, Auto};
    *Acl = NULL;
    if (Auto)
        *Control |= Bits->Inherited;
    *Control |= Asked & Bits->Protected;
    if (IsGiven && !(Asked & Bits->Defaulted)) {
        *Control |= Bits->Present;
        if (Given == NULL)
            return STATUS_SUCCESS;
        Source.Own = Given;
        if (Auto && !(Asked & Bits->Protected)) {
            Source.Parent = Parent;
            Source.Keep = FALSE;
        }
    } else if (SepInheritsAny(Build, Parent)) {
        *Control |= Bits->Present;
        Source.Parent = Parent;
    } else if (IsGiven || Token != NULL) {
        *Control |= Bits->Present | Bits->Defaulted;
        Source.Own = IsGiven ? Given : Token;
        if (Source.Own == NULL)
            return STATUS_SUCCESS;
    } else {
        return STATUS_SUCCESS;
    }
    return SepMakeAcl(Build, &Source, Acl);
}

/* --- the whole --- */

static NTSTATUS SepChooseOwner(const SE_NEW_OBJECT *New, RTL_SECURITY_PARTS *Parts)
{
    if (New->Explicit != NULL && New->Explicit->Owner != NULL) {
        Parts->Owner = New->Explicit->Owner;
        return (New->Flags & SEF_AVOID_OWNER_CHECK) || SeMayOwn(New->Identity, Parts->Owner)
                   ? STATUS_SUCCESS
                   : STATUS_INVALID_OWNER;
    }
    BOOLEAN FromParent =
        (New->Flags & SEF_DEFAULT_OWNER_FROM_PARENT) && New->Parent != NULL && New->Parent->Owner != NULL;
    Parts->Owner = FromParent ? New->Parent->Owner : New->DefaultOwner;
    return STATUS_SUCCESS;
}

static NTSTATUS SepChooseGroup(const SE_NEW_OBJECT *New, RTL_SECURITY_PARTS *Parts)
{
    BOOLEAN FromParent =
        (New->Flags & SEF_DEFAULT_GROUP_FROM_PARENT) && New->Parent != NULL && New->Parent->Group != NULL;
    if (New->Explicit != NULL && New->Explicit->Group != NULL)
        Parts->Group = New->Explicit->Group;
    else
        Parts->Group = FromParent ? New->Parent->Group : New->DefaultGroup;
    return Parts->Group != NULL ? STATUS_SUCCESS : STATUS_INVALID_PRIMARY_GROUP;
}

/* An ACL of audit ACEs is SeSecurityPrivilege's; a label alone is not. */
static BOOLEAN SepNeedsPrivilege(const SE_NEW_OBJECT *New)
{
    if (New->Explicit == NULL || New->Explicit->Sacl == NULL || (New->Flags & SEF_AVOID_PRIVILEGE_CHECK))
        return FALSE;
    RTL_FOR_EACH_ACE(Ace, New->Explicit->Sacl)
    if (Ace->AceType != SYSTEM_MANDATORY_LABEL_ACE_TYPE)
        return TRUE;
    return FALSE;
}

static NTSTATUS SepChooseAcls(const SE_NEW_OBJECT *New, RTL_SECURITY_PARTS *Parts)
{
    SEP_BUILD Build = {.New = New, .Owner = Parts->Owner, .Group = Parts->Group};
    const RTL_SECURITY_PARTS *Explicit = New->Explicit, *Parent = New->Parent;
    NTSTATUS Status =
        SepChooseAcl(&Build, &SepDaclBits, Explicit != NULL ? Explicit->Dacl : NULL,
                     Parent != NULL ? Parent->Dacl : NULL, New->DefaultDacl, &Parts->Control, &Parts->Dacl);
    if (!NT_SUCCESS(Status))
        return Status;
    return SepChooseAcl(&Build, &SepSaclBits, Explicit != NULL ? Explicit->Sacl : NULL,
                        Parent != NULL ? Parent->Sacl : NULL, NULL, &Parts->Control, &Parts->Sacl);
}

static NTSTATUS SepBuildParts(const SE_NEW_OBJECT *New, RTL_SECURITY_PARTS *Parts)
{
    NTSTATUS Status = SepChooseOwner(New, Parts);
    if (NT_SUCCESS(Status))
        Status = SepChooseGroup(New, Parts);
    if (NT_SUCCESS(Status) && SepNeedsPrivilege(New) &&
        !SeIdentityHasPrivilege(New->Identity, SE_SECURITY_PRIVILEGE))
        Status = STATUS_PRIVILEGE_NOT_HELD;
    if (NT_SUCCESS(Status) && New->Explicit != NULL && !(New->Flags & SEF_AVOID_PRIVILEGE_CHECK))
        Status = SeCheckLabels(New->Explicit->Sacl, New->Identity);
    return NT_SUCCESS(Status) ? SepChooseAcls(New, Parts) : Status;
}

NTSTATUS SeBuildDescriptor(const SE_NEW_OBJECT *New, PSECURITY_DESCRIPTOR *Descriptor)
{
    RTL_SECURITY_PARTS Parts = {0};
    NTSTATUS Status = SepBuildParts(New, &Parts);
    if (NT_SUCCESS(Status)) {
        *Descriptor = ExAllocatePoolWithTag(PagedPool, RtlRelativeSecurityLength(&Parts), SE_TAG_DESCRIPTOR);
        if (*Descriptor != NULL)
            RtlWriteRelativeSecurity(&Parts, *Descriptor);
        else
            Status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Parts.Dacl != NULL)
        ExFreePoolWithTag(Parts.Dacl, SE_TAG_DESCRIPTOR);
    if (Parts.Sacl != NULL)
        ExFreePoolWithTag(Parts.Sacl, SE_TAG_DESCRIPTOR);
    return Status;
}

PACL SeMapAcl(const ACL *Acl, const GENERIC_MAPPING *Mapping)
{
    PACL Copy = ExAllocatePoolWithTag(PagedPool, Acl->AclSize, SE_TAG_DESCRIPTOR);
    if (Copy == NULL)
        return NULL;
    memcpy(Copy, Acl, Acl->AclSize);
    RTL_FOR_EACH_ACE(Ace, Copy)
    if (SepHasRights(Ace) && !(Ace->AceFlags & INHERIT_ONLY_ACE)) {
        ACCESS_ALLOWED_ACE *Changed = (ACCESS_ALLOWED_ACE *)Ace;
        Changed->Mask = SepMapped(Mapping, Changed->Mask);
    }
    return Copy;
}

/* SPDX-License-Identifier: MIT
 * Descriptors of objects: of a new one, read and changed in part. [WDK SeAssignSecurity, SeQuerySecurityDescriptorInfo,
 * SeSetSecurityDescriptorInfo] */
#include "sep.h"

/* A block of the pool that the caller wants; it takes the place of a paged one of ours. */
static NTSTATUS SepToPool(PSECURITY_DESCRIPTOR *Descriptor, POOL_TYPE PoolType)
{
    ULONG Length = RtlLengthSecurityDescriptor(*Descriptor);
    if ((PoolType & 1) == PagedPool)
        return STATUS_SUCCESS;
    PVOID New = ExAllocatePoolWithTag(PoolType, Length, SE_TAG_DESCRIPTOR);
    if (New != NULL)
        RtlCopyMemory(New, *Descriptor, Length);
    SeFreeDescriptor(*Descriptor);
    *Descriptor = New;
    return New != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS SepAssign(SE_NEW_OBJECT *New, PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Explicit,
                          PTOKEN Token, PSECURITY_DESCRIPTOR *Descriptor)
{
    RTL_SECURITY_PARTS ParentParts, ExplicitParts;
    SE_IDENTITY Identity;
    NTSTATUS Status = STATUS_SUCCESS;
    if (Parent != NULL)
        Status = SepPartsOf(Parent, &ParentParts);
    if (NT_SUCCESS(Status) && Explicit != NULL)
        Status = SepPartsOf(Explicit, &ExplicitParts);
    if (!NT_SUCCESS(Status))
        return Status;
    SepLockTokenShared(Token);
    SepIdentityOfToken(Token, &Identity);
    New->Parent = Parent != NULL ? &ParentParts : NULL;
    New->Explicit = Explicit != NULL ? &ExplicitParts : NULL;
    New->Identity = &Identity;
    New->DefaultOwner = Token->Sids[Token->Owner].Sid;
    New->DefaultGroup = Token->Sids[Token->Group].Sid;
    New->DefaultDacl = Token->DefaultDacl;
    Status = SeBuildDescriptor(New, Descriptor);
    SepUnlockToken(Token);
    return Status;
}

/* [WDK SeAssignSecurityEx] *NewDescriptor, self-relative, is freed by SeDeassignSecurity. */
NTSTATUS NTAPI SeAssignSecurityEx(PSECURITY_DESCRIPTOR ParentDescriptor,
                                  PSECURITY_DESCRIPTOR ExplicitDescriptor,
                                  PSECURITY_DESCRIPTOR *NewDescriptor, GUID *ObjectType,
                                  BOOLEAN IsDirectoryObject, ULONG AutoInheritFlags,
                                  PSECURITY_SUBJECT_CONTEXT SubjectContext, PGENERIC_MAPPING GenericMapping,
                                  POOL_TYPE PoolType)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SE_NEW_OBJECT New = {.Mapping = GenericMapping,
                         .ObjectType = ObjectType,
                         .IsContainer = IsDirectoryObject,
                         .Flags = AutoInheritFlags};
    *NewDescriptor = NULL;
    NTSTATUS Status = SepAssign(&New, ParentDescriptor, ExplicitDescriptor,
                                SeQuerySubjectContextToken(SubjectContext), NewDescriptor);
    return NT_SUCCESS(Status) ? SepToPool(NewDescriptor, PoolType) : Status;
}

/* [WDK SeAssignSecurity] */
NTSTATUS NTAPI SeAssignSecurity(PSECURITY_DESCRIPTOR ParentDescriptor,
                                PSECURITY_DESCRIPTOR ExplicitDescriptor, PSECURITY_DESCRIPTOR *NewDescriptor,
                                BOOLEAN IsDirectoryObject, PSECURITY_SUBJECT_CONTEXT SubjectContext,
                                PGENERIC_MAPPING GenericMapping, POOL_TYPE PoolType)
{
    return SeAssignSecurityEx(ParentDescriptor, ExplicitDescriptor, NewDescriptor, NULL, IsDirectoryObject, 0,
                              SubjectContext, GenericMapping, PoolType);
}

/* [WDK SeDeassignSecurity] */
NTSTATUS NTAPI SeDeassignSecurity(PSECURITY_DESCRIPTOR *SecurityDescriptor)
{
    if (*SecurityDescriptor != NULL)
        ExFreePool(*SecurityDescriptor); /* it may be the driver's own block */
    *SecurityDescriptor = NULL;
    return STATUS_SUCCESS;
}

/* --- read --- */

#define SEP_DACL_CONTROL (SE_DACL_PRESENT | SE_DACL_DEFAULTED | SE_DACL_AUTO_INHERITED | SE_DACL_PROTECTED)
#define SEP_SACL_CONTROL (SE_SACL_PRESENT | SE_SACL_DEFAULTED | SE_SACL_AUTO_INHERITED | SE_SACL_PROTECTED)

/* Parts that lie in the SACL. */
#define SEP_SACL_PARTS                                                                                       \
    (SACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION | ATTRIBUTE_SECURITY_INFORMATION |               \
     SCOPE_SECURITY_INFORMATION)

/* [Win32 SECURITY_INFORMATION] BACKUP_SECURITY_INFORMATION means all parts. */
static SECURITY_INFORMATION SepPartsMeant(SECURITY_INFORMATION Information)
{
    return Information & BACKUP_SECURITY_INFORMATION
               ? Information | OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION |
                     DACL_SECURITY_INFORMATION | SEP_SACL_PARTS
               : Information;
}

/* What Information does not name is taken away. *Part: of the SACL, what it does name, to be freed. */
static NTSTATUS SepSelect(RTL_SECURITY_PARTS *Parts, SECURITY_INFORMATION Information, PACL *Part)
{
    SECURITY_DESCRIPTOR_CONTROL Gone = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    *Part = NULL;
    if (!(Information & OWNER_SECURITY_INFORMATION))
        Parts->Owner = NULL, Gone |= SE_OWNER_DEFAULTED;
    if (!(Information & GROUP_SECURITY_INFORMATION))
        Parts->Group = NULL, Gone |= SE_GROUP_DEFAULTED;
    if (!(Information & DACL_SECURITY_INFORMATION))
        Parts->Dacl = NULL, Gone |= SEP_DACL_CONTROL;
    if ((Information & SEP_SACL_PARTS) && Parts->Sacl != NULL)
        Status = SeJoinSacl(Parts->Sacl, NULL, Information, Part);
    Parts->Sacl = *Part;
    if (!(Information & SEP_SACL_PARTS))
        Gone |= SEP_SACL_CONTROL;
    Parts->Control &= (SECURITY_DESCRIPTOR_CONTROL)~Gone;
    return Status;
}

static VOID SepFreeAcl(PACL Acl)
{
    if (Acl != NULL)
        ExFreePoolWithTag(Acl, SE_TAG_DESCRIPTOR);
}

/* [WDK SeQuerySecurityDescriptorInfo] self-relative. STATUS_BUFFER_TOO_SMALL: *Length is what is needed. An object without a
 * descriptor gives an empty one. */
NTSTATUS NTAPI SeQuerySecurityDescriptorInfo(PSECURITY_INFORMATION SecurityInformation,
                                             PSECURITY_DESCRIPTOR SecurityDescriptor, PULONG Length,
                                             PSECURITY_DESCRIPTOR *ObjectsSecurityDescriptor)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    RTL_SECURITY_PARTS Parts = {0};
    PACL Part;
    if (*ObjectsSecurityDescriptor != NULL)
        RtlGetSecurityParts(*ObjectsSecurityDescriptor, &Parts);
    NTSTATUS Status = SepSelect(&Parts, SepPartsMeant(*SecurityInformation), &Part);
    if (!NT_SUCCESS(Status))
        return Status;
    ULONG Needed = RtlRelativeSecurityLength(&Parts), Room = *Length;
    *Length = Needed;
    if (Room >= Needed)
        RtlWriteRelativeSecurity(&Parts, SecurityDescriptor);
    SepFreeAcl(Part);
    return Room >= Needed ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
}

/* --- changed --- */

/* Protection is asked for by the information, or by the new descriptor. [MS-DTYP 2.4.7] */
static SECURITY_DESCRIPTOR_CONTROL SepNewControl(SECURITY_INFORMATION Information,
                                                 SECURITY_DESCRIPTOR_CONTROL New, BOOLEAN Dacl)
{
    SECURITY_DESCRIPTOR_CONTROL Bit = Dacl ? SE_DACL_PROTECTED : SE_SACL_PROTECTED;
    SECURITY_DESCRIPTOR_CONTROL Control = New & (Dacl ? SEP_DACL_CONTROL : SEP_SACL_CONTROL);
    if (Information & (Dacl ? PROTECTED_DACL_SECURITY_INFORMATION : PROTECTED_SACL_SECURITY_INFORMATION))
        Control |= Bit;
    if (Information & (Dacl ? UNPROTECTED_DACL_SECURITY_INFORMATION : UNPROTECTED_SACL_SECURITY_INFORMATION))
        Control &= (SECURITY_DESCRIPTOR_CONTROL)~Bit;
    return Control | (Dacl ? SE_DACL_PRESENT : SE_SACL_PRESENT);
}

/* The ACLs of a changed descriptor, to be freed. */
typedef struct _SEP_CHANGED {
    PACL Dacl, Sacl;
} SEP_CHANGED;

static NTSTATUS SepReplaceAcls(RTL_SECURITY_PARTS *Parts, const RTL_SECURITY_PARTS *New,
                               SECURITY_INFORMATION Information, PGENERIC_MAPPING Mapping,
                               SEP_CHANGED *Changed)
{
    if ((Information & SEP_SACL_PARTS) && (New->Sacl != NULL || Parts->Sacl != NULL)) {
        NTSTATUS Status = SeJoinSacl(New->Sacl, Parts->Sacl, Information, &Changed->Sacl);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    if (Information & SEP_SACL_PARTS) {
        Parts->Sacl = Changed->Sacl;
        Parts->Control |= SE_SACL_PRESENT;
    }
    if (Information & SACL_SECURITY_INFORMATION)
        Parts->Control =
            (Parts->Control & ~SEP_SACL_CONTROL) | SepNewControl(Information, New->Control, FALSE);
    if (Information & DACL_SECURITY_INFORMATION) {
        if (New->Dacl != NULL && (Changed->Dacl = SeMapAcl(New->Dacl, Mapping)) == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Parts->Dacl = Changed->Dacl;
        Parts->Control =
            (Parts->Control & ~SEP_DACL_CONTROL) | SepNewControl(Information, New->Control, TRUE);
    }
    return STATUS_SUCCESS;
}

/* The parts that Information names are New's. */
static NTSTATUS SepReplace(RTL_SECURITY_PARTS *Parts, const RTL_SECURITY_PARTS *New,
                           SECURITY_INFORMATION Information, PGENERIC_MAPPING Mapping, SEP_CHANGED *Changed)
{
    if (Information & OWNER_SECURITY_INFORMATION) {
        if (New->Owner == NULL)
            return STATUS_INVALID_OWNER;
        Parts->Owner = New->Owner;
    }
    if (Information & GROUP_SECURITY_INFORMATION) {
        if (New->Group == NULL)
            return STATUS_INVALID_PRIMARY_GROUP;
        Parts->Group = New->Group;
    }
    return SepReplaceAcls(Parts, New, Information, Mapping, Changed);
}

/* [WDK SeSetSecurityDescriptorInfo] an owner and a label must be ones that the caller may give. */
static NTSTATUS SepCheckPowers(const RTL_SECURITY_PARTS *New, SECURITY_INFORMATION Information, ULONG Flags)
{
    SECURITY_SUBJECT_CONTEXT Context;
    SE_IDENTITY Identity;
    NTSTATUS Status = STATUS_SUCCESS;
    BOOLEAN Owner = (Information & OWNER_SECURITY_INFORMATION) && !(Flags & SEF_AVOID_OWNER_CHECK);
    BOOLEAN Label = (Information & LABEL_SECURITY_INFORMATION) && !(Flags & SEF_AVOID_PRIVILEGE_CHECK);
    if (!Owner && !Label)
        return STATUS_SUCCESS;
    SeCaptureSubjectContext(&Context);
    SeLockSubjectContext(&Context);
    SepIdentityOfToken(SeQuerySubjectContextToken(&Context), &Identity);
    if (Owner && New->Owner != NULL && !SeMayOwn(&Identity, New->Owner))
        Status = STATUS_INVALID_OWNER;
    else if (Label)
        Status = SeCheckLabels(New->Sacl, &Identity);
    SeUnlockSubjectContext(&Context);
    SeReleaseSubjectContext(&Context);
    return Status;
}

/* [WDK SeSetSecurityDescriptorInfo] *ObjectsSecurityDescriptor becomes a new block of that pool; the old one stays, it is the caller's to
 * free. STATUS_NO_SECURITY_ON_OBJECT: it is NULL. */
NTSTATUS NTAPI SeSetSecurityDescriptorInfoEx(PVOID Object, PSECURITY_INFORMATION SecurityInformation,
                                             PSECURITY_DESCRIPTOR ModificationDescriptor,
                                             PSECURITY_DESCRIPTOR *ObjectsSecurityDescriptor,
                                             ULONG AutoInheritFlags, POOL_TYPE PoolType,
                                             PGENERIC_MAPPING GenericMapping)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    RTL_SECURITY_PARTS Parts, New;
    SEP_CHANGED Changed = {0};
    SECURITY_INFORMATION Information = SepPartsMeant(*SecurityInformation);
    if (*ObjectsSecurityDescriptor == NULL)
        return STATUS_NO_SECURITY_ON_OBJECT;
    NTSTATUS Status = SepPartsOf(ModificationDescriptor, &New);
    if (NT_SUCCESS(Status))
        Status = SepCheckPowers(&New, Information, AutoInheritFlags);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlGetSecurityParts(*ObjectsSecurityDescriptor, &Parts);
    Status = SepReplace(&Parts, &New, Information, GenericMapping, &Changed);
    if (NT_SUCCESS(Status)) {
        PVOID Block = ExAllocatePoolWithTag(PoolType, RtlRelativeSecurityLength(&Parts), SE_TAG_DESCRIPTOR);
        if (Block != NULL) {
            RtlWriteRelativeSecurity(&Parts, Block);
            *ObjectsSecurityDescriptor = Block;
        } else {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    SepFreeAcl(Changed.Dacl);
    SepFreeAcl(Changed.Sacl);
    return Status;
}

NTSTATUS NTAPI SeSetSecurityDescriptorInfo(PVOID Object, PSECURITY_INFORMATION SecurityInformation,
                                           PSECURITY_DESCRIPTOR SecurityDescriptor,
                                           PSECURITY_DESCRIPTOR *ObjectsSecurityDescriptor,
                                           POOL_TYPE PoolType, PGENERIC_MAPPING GenericMapping)
{
    return SeSetSecurityDescriptorInfoEx(Object, SecurityInformation, SecurityDescriptor,
                                         ObjectsSecurityDescriptor, 0, PoolType, GenericMapping);
}

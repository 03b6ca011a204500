/* SPDX-License-Identifier: MIT
 * Security descriptors as a whole: validity, length, and the way from one form to the other. */
#include "rtl_security.h"
#include "rtlp.h"

static ULONG RtlpAlign4(ULONG Length)
{
    return (Length + 3) & ~3u;
}

/* --- validity --- */

/* [WDK RtlValidSecurityDescriptor] revision, SIDs and ACLs. The caller says that the memory is readable. */
BOOLEAN NTAPI RtlValidSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    RTL_SECURITY_PARTS Parts;
    if (SecurityDescriptor == NULL ||
        ((SECURITY_DESCRIPTOR *)SecurityDescriptor)->Revision != SECURITY_DESCRIPTOR_REVISION)
        return FALSE;
    RtlGetSecurityParts(SecurityDescriptor, &Parts);
    return (Parts.Owner == NULL || RtlValidSid(Parts.Owner)) &&
           (Parts.Group == NULL || RtlValidSid(Parts.Group)) &&
           (Parts.Dacl == NULL || RtlIsValidAcl(Parts.Dacl, MAXUSHORT)) &&
           (Parts.Sacl == NULL || RtlIsValidAcl(Parts.Sacl, MAXUSHORT));
}

/* What follows Offset is the part's, at an offset that is not the header's: NULL and 0 otherwise. */
static const UCHAR *RtlpPartRoom(const VOID *Descriptor, ULONG Length, ULONG Offset, ULONG *Room)
{
    *Room = 0;
    if (Offset < sizeof(SECURITY_DESCRIPTOR_RELATIVE) || Offset > Length || Offset % sizeof(ULONG) != 0)
        return NULL;
    *Room = Length - Offset;
    return (const UCHAR *)Descriptor + Offset;
}

static BOOLEAN RtlpValidSidPart(const VOID *Descriptor, ULONG Length, ULONG Offset, BOOLEAN Required)
{
    ULONG Room;
    if (Offset == 0)
        return !Required;
    const UCHAR *Part = RtlpPartRoom(Descriptor, Length, Offset, &Room);
    return Part != NULL && RtlSidFits(Part, Room);
}

/* An ACL that is present may be NULL. */
static BOOLEAN RtlpValidAclPart(const VOID *Descriptor, ULONG Length, ULONG Offset, BOOLEAN Present,
                                BOOLEAN Required)
{
    ULONG Room;
    if (!Present)
        return !Required;
    if (Offset == 0)
        return TRUE;
    const UCHAR *Part = RtlpPartRoom(Descriptor, Length, Offset, &Room);
    return Part != NULL && RtlIsValidAcl((const ACL *)Part, Room);
}

/* [WDK RtlValidRelativeSecurityDescriptor] self-relative, whole within the length, with the parts that are required. The
 * descriptor and its parts are aligned to 4 bytes. */
BOOLEAN NTAPI RtlValidRelativeSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptorInput,
                                                 ULONG SecurityDescriptorLength,
                                                 SECURITY_INFORMATION RequiredInformation)
{
    const SECURITY_DESCRIPTOR_RELATIVE *D = SecurityDescriptorInput;
    ULONG Length = SecurityDescriptorLength;
    if (Length < sizeof(*D) || D->Revision != SECURITY_DESCRIPTOR_REVISION ||
        !(D->Control & SE_SELF_RELATIVE))
        return FALSE;
    return RtlpValidSidPart(D, Length, D->Owner, (RequiredInformation & OWNER_SECURITY_INFORMATION) != 0) &&
           RtlpValidSidPart(D, Length, D->Group, (RequiredInformation & GROUP_SECURITY_INFORMATION) != 0) &&
           RtlpValidAclPart(D, Length, D->Dacl, (D->Control & SE_DACL_PRESENT) != 0,
                            (RequiredInformation & DACL_SECURITY_INFORMATION) != 0) &&
           RtlpValidAclPart(D, Length, D->Sacl, (D->Control & SE_SACL_PRESENT) != 0,
                            (RequiredInformation & SACL_SECURITY_INFORMATION) != 0);
}

/* --- lengths --- */

static ULONG RtlpSidLength(PSID Sid)
{
    return Sid != NULL ? RtlpAlign4(RtlLengthSid(Sid)) : 0;
}

static ULONG RtlpAclLength(const ACL *Acl)
{
    return Acl != NULL ? RtlpAlign4(Acl->AclSize) : 0;
}

static ULONG RtlpPartsLength(const RTL_SECURITY_PARTS *Parts)
{
    return RtlpSidLength(Parts->Owner) + RtlpSidLength(Parts->Group) + RtlpAclLength(Parts->Dacl) +
           RtlpAclLength(Parts->Sacl);
}

ULONG RtlRelativeSecurityLength(const RTL_SECURITY_PARTS *Parts)
{
    return (ULONG)sizeof(SECURITY_DESCRIPTOR_RELATIVE) + RtlpPartsLength(Parts);
}

/* [WDK RtlLengthSecurityDescriptor] with the parts. */
ULONG NTAPI RtlLengthSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    RTL_SECURITY_PARTS Parts;
    RtlGetSecurityParts(SecurityDescriptor, &Parts);
    BOOLEAN Relative = (((SECURITY_DESCRIPTOR *)SecurityDescriptor)->Control & SE_SELF_RELATIVE) != 0;
    return (ULONG)(Relative ? sizeof(SECURITY_DESCRIPTOR_RELATIVE) : sizeof(SECURITY_DESCRIPTOR)) +
           RtlpPartsLength(&Parts);
}

/* --- to self-relative --- */

/* Copies a part to *At, which moves behind it. Its offset, 0 for none. */
static ULONG RtlpPlacePart(PVOID Buffer, ULONG *At, const VOID *Part, ULONG Length, ULONG Aligned)
{
    ULONG Offset = *At;
    if (Part == NULL)
        return 0;
    memcpy((PUCHAR)Buffer + Offset, Part, Length);
    memset((PUCHAR)Buffer + Offset + Length, 0, Aligned - Length);
    *At += Aligned;
    return Offset;
}

VOID RtlWriteRelativeSecurity(const RTL_SECURITY_PARTS *Parts, PVOID Buffer)
{
    SECURITY_DESCRIPTOR_RELATIVE *New = Buffer;
    ULONG At = sizeof(*New);
    memset(New, 0, sizeof(*New));
    New->Revision = SECURITY_DESCRIPTOR_REVISION;
    New->Sbz1 = Parts->Sbz1;
    New->Control = Parts->Control | SE_SELF_RELATIVE;
    New->Sacl = RtlpPlacePart(Buffer, &At, Parts->Sacl, Parts->Sacl ? Parts->Sacl->AclSize : 0,
                              RtlpAclLength(Parts->Sacl));
    New->Dacl = RtlpPlacePart(Buffer, &At, Parts->Dacl, Parts->Dacl ? Parts->Dacl->AclSize : 0,
                              RtlpAclLength(Parts->Dacl));
    New->Owner =
        RtlpPlacePart(Buffer, &At, Parts->Owner, RtlpSidLength(Parts->Owner), RtlpSidLength(Parts->Owner));
    New->Group =
        RtlpPlacePart(Buffer, &At, Parts->Group, RtlpSidLength(Parts->Group), RtlpSidLength(Parts->Group));
}

/* [WDK RtlAbsoluteToSelfRelativeSD] STATUS_BAD_DESCRIPTOR_FORMAT: not absolute. STATUS_BUFFER_TOO_SMALL: *BufferLength is what is
 * needed. */
NTSTATUS NTAPI RtlAbsoluteToSelfRelativeSD(PSECURITY_DESCRIPTOR AbsoluteSecurityDescriptor,
                                           PSECURITY_DESCRIPTOR SelfRelativeSecurityDescriptor,
                                           PULONG BufferLength)
{
    RTL_SECURITY_PARTS Parts;
    if (((SECURITY_DESCRIPTOR *)AbsoluteSecurityDescriptor)->Control & SE_SELF_RELATIVE)
        return STATUS_BAD_DESCRIPTOR_FORMAT;
    RtlGetSecurityParts(AbsoluteSecurityDescriptor, &Parts);
    ULONG Needed = RtlRelativeSecurityLength(&Parts), Room = *BufferLength;
    *BufferLength = Needed;
    if (Room < Needed)
        return STATUS_BUFFER_TOO_SMALL;
    RtlWriteRelativeSecurity(&Parts, SelfRelativeSecurityDescriptor);
    return STATUS_SUCCESS;
}

/* --- to absolute --- */

/* *Room becomes what is needed; whether it was enough. */
static BOOLEAN RtlpHasRoom(PULONG Room, ULONG Needed)
{
    BOOLEAN Enough = *Room >= Needed;
    *Room = Needed;
    return Enough;
}

static PVOID RtlpCopyPart(PVOID To, const VOID *Part, ULONG Length)
{
    if (Part == NULL)
        return NULL;
    memcpy(To, Part, Length);
    return To;
}

/* [WDK RtlSelfRelativeToAbsoluteSD] STATUS_BAD_DESCRIPTOR_FORMAT: not self-relative. STATUS_BUFFER_TOO_SMALL: nothing is written but
 * the sizes that are needed, which are set in any case. */
NTSTATUS NTAPI RtlSelfRelativeToAbsoluteSD(PSECURITY_DESCRIPTOR SelfRelativeSecurityDescriptor,
                                           PSECURITY_DESCRIPTOR AbsoluteSecurityDescriptor,
                                           PULONG AbsoluteSecurityDescriptorSize, PACL Dacl, PULONG DaclSize,
                                           PACL Sacl, PULONG SaclSize, PSID Owner, PULONG OwnerSize,
                                           PSID PrimaryGroup, PULONG PrimaryGroupSize)
{
    RTL_SECURITY_PARTS Parts;
    if (!(((SECURITY_DESCRIPTOR *)SelfRelativeSecurityDescriptor)->Control & SE_SELF_RELATIVE))
        return STATUS_BAD_DESCRIPTOR_FORMAT;
    RtlGetSecurityParts(SelfRelativeSecurityDescriptor, &Parts);
    BOOLEAN Enough = RtlpHasRoom(AbsoluteSecurityDescriptorSize, sizeof(SECURITY_DESCRIPTOR));
    Enough &= RtlpHasRoom(DaclSize, RtlpAclLength(Parts.Dacl));
    Enough &= RtlpHasRoom(SaclSize, RtlpAclLength(Parts.Sacl));
    Enough &= RtlpHasRoom(OwnerSize, RtlpSidLength(Parts.Owner));
    Enough &= RtlpHasRoom(PrimaryGroupSize, RtlpSidLength(Parts.Group));
    if (!Enough)
        return STATUS_BUFFER_TOO_SMALL;
    SECURITY_DESCRIPTOR *New = AbsoluteSecurityDescriptor;
    New->Revision = SECURITY_DESCRIPTOR_REVISION;
    New->Sbz1 = Parts.Sbz1;
    New->Control = Parts.Control;
    New->Owner = RtlpCopyPart(Owner, Parts.Owner, *OwnerSize);
    New->Group = RtlpCopyPart(PrimaryGroup, Parts.Group, *PrimaryGroupSize);
    New->Sacl = RtlpCopyPart(Sacl, Parts.Sacl, Parts.Sacl != NULL ? Parts.Sacl->AclSize : 0);
    New->Dacl = RtlpCopyPart(Dacl, Parts.Dacl, Parts.Dacl != NULL ? Parts.Dacl->AclSize : 0);
    return STATUS_SUCCESS;
}

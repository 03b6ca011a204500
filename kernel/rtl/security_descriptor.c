/* SPDX-License-Identifier: MIT
 * Security descriptors: made, read and changed part by part. [MS-DTYP 2.4.6] The absolute form has pointers, the self-relative
 * one offsets (0 = none); only the absolute one can be changed. */
#include "rtl_security.h"
#include "rtlp.h"

/* [WDK RtlCreateSecurityDescriptor] absolute, without any part. */
NTSTATUS NTAPI RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision)
{
    SECURITY_DESCRIPTOR *New = SecurityDescriptor;
    if (Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    memset(New, 0, sizeof(*New));
    New->Revision = SECURITY_DESCRIPTOR_REVISION;
    return STATUS_SUCCESS;
}

static PVOID RtlpPartAt(PSECURITY_DESCRIPTOR Descriptor, ULONG Offset)
{
    return Offset != 0 ? (PUCHAR)Descriptor + Offset : NULL;
}

VOID RtlGetSecurityParts(PSECURITY_DESCRIPTOR Descriptor, RTL_SECURITY_PARTS *Parts)
{
    const SECURITY_DESCRIPTOR *Absolute = Descriptor;
    const SECURITY_DESCRIPTOR_RELATIVE *Relative = Descriptor;
    Parts->Sbz1 = Absolute->Sbz1;
    Parts->Control = Absolute->Control & ~SE_SELF_RELATIVE;
    if (Absolute->Control & SE_SELF_RELATIVE) {
        Parts->Owner = RtlpPartAt(Descriptor, Relative->Owner);
        Parts->Group = RtlpPartAt(Descriptor, Relative->Group);
        Parts->Sacl = RtlpPartAt(Descriptor, Relative->Sacl);
        Parts->Dacl = RtlpPartAt(Descriptor, Relative->Dacl);
    } else {
        Parts->Owner = Absolute->Owner;
        Parts->Group = Absolute->Group;
        Parts->Sacl = Absolute->Sacl;
        Parts->Dacl = Absolute->Dacl;
    }
    if (!(Parts->Control & SE_SACL_PRESENT))
        Parts->Sacl = NULL;
    if (!(Parts->Control & SE_DACL_PRESENT))
        Parts->Dacl = NULL;
}

/* STATUS_UNKNOWN_REVISION, or the parts. */
static NTSTATUS RtlpReadParts(PSECURITY_DESCRIPTOR Descriptor, RTL_SECURITY_PARTS *Parts)
{
    if (((SECURITY_DESCRIPTOR *)Descriptor)->Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    RtlGetSecurityParts(Descriptor, Parts);
    return STATUS_SUCCESS;
}

/* A descriptor that can be changed: STATUS_UNKNOWN_REVISION, STATUS_INVALID_SECURITY_DESCR. */
static NTSTATUS RtlpCheckChange(const SECURITY_DESCRIPTOR *Descriptor)
{
    if (Descriptor->Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    return Descriptor->Control & SE_SELF_RELATIVE ? STATUS_INVALID_SECURITY_DESCR : STATUS_SUCCESS;
}

static VOID RtlpSetControl(SECURITY_DESCRIPTOR *Descriptor, SECURITY_DESCRIPTOR_CONTROL Clear,
                           SECURITY_DESCRIPTOR_CONTROL Set)
{
    Descriptor->Control = (SECURITY_DESCRIPTOR_CONTROL)((Descriptor->Control & ~Clear) | Set);
}

/* [WDK RtlSetOwnerSecurityDescriptor] the SID is referred to, not copied; NULL takes the owner away. */
NTSTATUS NTAPI RtlSetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Owner,
                                             BOOLEAN OwnerDefaulted)
{
    SECURITY_DESCRIPTOR *Descriptor = SecurityDescriptor;
    NTSTATUS Status = RtlpCheckChange(Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    Descriptor->Owner = Owner;
    RtlpSetControl(Descriptor, SE_OWNER_DEFAULTED, OwnerDefaulted ? SE_OWNER_DEFAULTED : 0);
    return STATUS_SUCCESS;
}

/* [WDK RtlSetGroupSecurityDescriptor] */
NTSTATUS NTAPI RtlSetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Group,
                                             BOOLEAN GroupDefaulted)
{
    SECURITY_DESCRIPTOR *Descriptor = SecurityDescriptor;
    NTSTATUS Status = RtlpCheckChange(Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    Descriptor->Group = Group;
    RtlpSetControl(Descriptor, SE_GROUP_DEFAULTED, GroupDefaulted ? SE_GROUP_DEFAULTED : 0);
    return STATUS_SUCCESS;
}

/* [WDK RtlSetDaclSecurityDescriptor] present and NULL: everybody has all access. Not present: the other arguments are not looked
 * at. The ACL is referred to, not copied. */
NTSTATUS NTAPI RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN DaclPresent,
                                            PACL Dacl, BOOLEAN DaclDefaulted)
{
    SECURITY_DESCRIPTOR *Descriptor = SecurityDescriptor;
    NTSTATUS Status = RtlpCheckChange(Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    Descriptor->Dacl = DaclPresent ? Dacl : NULL;
    RtlpSetControl(Descriptor, SE_DACL_PRESENT | SE_DACL_DEFAULTED,
                   DaclPresent ? (DaclDefaulted ? SE_DACL_PRESENT | SE_DACL_DEFAULTED : SE_DACL_PRESENT) : 0);
    return STATUS_SUCCESS;
}

/* As the DACL. */
NTSTATUS NTAPI RtlSetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN SaclPresent,
                                            PACL Sacl, BOOLEAN SaclDefaulted)
{
    SECURITY_DESCRIPTOR *Descriptor = SecurityDescriptor;
    NTSTATUS Status = RtlpCheckChange(Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    Descriptor->Sacl = SaclPresent ? Sacl : NULL;
    RtlpSetControl(Descriptor, SE_SACL_PRESENT | SE_SACL_DEFAULTED,
                   SaclPresent ? (SaclDefaulted ? SE_SACL_PRESENT | SE_SACL_DEFAULTED : SE_SACL_PRESENT) : 0);
    return STATUS_SUCCESS;
}

/* [WDK RtlGetOwnerSecurityDescriptor] NULL when there is none. */
NTSTATUS NTAPI RtlGetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Owner,
                                             PBOOLEAN OwnerDefaulted)
{
    RTL_SECURITY_PARTS Parts;
    NTSTATUS Status = RtlpReadParts(SecurityDescriptor, &Parts);
    if (!NT_SUCCESS(Status))
        return Status;
    *Owner = Parts.Owner;
    *OwnerDefaulted = (Parts.Control & SE_OWNER_DEFAULTED) != 0;
    return STATUS_SUCCESS;
}

/* [WDK RtlGetGroupSecurityDescriptor] */
NTSTATUS NTAPI RtlGetGroupSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID *Group,
                                             PBOOLEAN GroupDefaulted)
{
    RTL_SECURITY_PARTS Parts;
    NTSTATUS Status = RtlpReadParts(SecurityDescriptor, &Parts);
    if (!NT_SUCCESS(Status))
        return Status;
    *Group = Parts.Group;
    *GroupDefaulted = (Parts.Control & SE_GROUP_DEFAULTED) != 0;
    return STATUS_SUCCESS;
}

/* [WDK RtlGetDaclSecurityDescriptor] the other two are set only when there is a DACL. */
NTSTATUS NTAPI RtlGetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PBOOLEAN DaclPresent,
                                            PACL *Dacl, PBOOLEAN DaclDefaulted)
{
    RTL_SECURITY_PARTS Parts;
    NTSTATUS Status = RtlpReadParts(SecurityDescriptor, &Parts);
    if (!NT_SUCCESS(Status))
        return Status;
    *DaclPresent = (Parts.Control & SE_DACL_PRESENT) != 0;
    if (!*DaclPresent)
        return STATUS_SUCCESS;
    *Dacl = Parts.Dacl;
    *DaclDefaulted = (Parts.Control & SE_DACL_DEFAULTED) != 0;
    return STATUS_SUCCESS;
}

/* [WDK RtlGetSaclSecurityDescriptor] */
NTSTATUS NTAPI RtlGetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PBOOLEAN SaclPresent,
                                            PACL *Sacl, PBOOLEAN SaclDefaulted)
{
    RTL_SECURITY_PARTS Parts;
    NTSTATUS Status = RtlpReadParts(SecurityDescriptor, &Parts);
    if (!NT_SUCCESS(Status))
        return Status;
    *SaclPresent = (Parts.Control & SE_SACL_PRESENT) != 0;
    if (!*SaclPresent)
        return STATUS_SUCCESS;
    *Sacl = Parts.Sacl;
    *SaclDefaulted = (Parts.Control & SE_SACL_DEFAULTED) != 0;
    return STATUS_SUCCESS;
}

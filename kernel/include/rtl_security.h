/* SPDX-License-Identifier: MIT
 * Tier 2, rtl: SIDs, access control lists and security descriptors, beyond the names that the DDK headers declare. Pure code:
 * any IRQL at which the memory is resident. Nothing here reads outside the length that it is given; where it is given none (a
 * PACL, a PSID), the structure's own length fields bound it. */
#pragma once
#ifdef RTL_HOST
#include "rtl/rtl_host_security.h"
#endif
#include "rtl.h"

#define RTL_MAX_SID_LENGTH (8 + 4 * SID_MAX_SUB_AUTHORITIES)

/* A SID of this length lies in Room bytes at At. */
BOOLEAN RtlSidFits(const VOID *At, SIZE_T Room);

/* [MS-DTYP 2.4.5] Revision, size, and each ACE inside it, its SID inside the ACE. An ACE of a type that is not known needs a
 * header only. With Length, the bytes that may be read: at least Acl->AclSize. */
BOOLEAN RtlIsValidAcl(const ACL *Acl, SIZE_T Length);

/* Address of the SID of a valid ACE; NULL when its type has none that is known. */
PSID RtlAceSid(const ACE_HEADER *Ace);
/* The rights of a valid ACE. */
static inline ACCESS_MASK RtlAceMask(const ACE_HEADER *Ace)
{
    return ((const ACCESS_ALLOWED_ACE *)Ace)->Mask;
}
/* [MS-DTYP 2.4.4.3] the GUID of an object ACE that says what it is for, or NULL: for everything. */
const GUID *RtlAceObjectType(const ACE_HEADER *Ace);
BOOLEAN RtlIsObjectAce(UCHAR Type);

/* The ACEs of a valid ACL, in order. */
#define RTL_FOR_EACH_ACE(Ace, Acl)                                                                           \
    for (ACE_HEADER *Ace = (ACE_HEADER *)((Acl) + 1), *Ace##End = RtlAclEnd(Acl); Ace < Ace##End;            \
         Ace = (ACE_HEADER *)((PUCHAR)Ace + Ace->AceSize))
/* Behind the last ACE of a valid ACL. */
ACE_HEADER *RtlAclEnd(const ACL *Acl);

/* Appends an ACE of a type that has a mask and a SID. Status as [WDK RtlAddAccessAllowedAceEx]. */
NTSTATUS RtlAppendAce(PACL Acl, UCHAR Type, UCHAR Flags, ACCESS_MASK Mask, PSID Sid);

/* A descriptor of either form, with pointers. Control without SE_SELF_RELATIVE. Dacl and Sacl NULL unless present. */
typedef struct _RTL_SECURITY_PARTS {
    UCHAR Sbz1; /* resource manager's byte */
    SECURITY_DESCRIPTOR_CONTROL Control;
    PSID Owner, Group;
    PACL Sacl, Dacl;
} RTL_SECURITY_PARTS;

/* Of a descriptor that RtlValidSecurityDescriptor or RtlValidRelativeSecurityDescriptor has passed. */
VOID RtlGetSecurityParts(PSECURITY_DESCRIPTOR Descriptor, RTL_SECURITY_PARTS *Parts);
/* Bytes of the self-relative form. */
ULONG RtlRelativeSecurityLength(const RTL_SECURITY_PARTS *Parts);
/* Writes the self-relative form, RtlRelativeSecurityLength bytes; Buffer must not overlap the parts. */
VOID RtlWriteRelativeSecurity(const RTL_SECURITY_PARTS *Parts, PVOID Buffer);

/* SPDX-License-Identifier: MIT
 * Tier 2, se: the part without objects and locks, built for the host too: SDDL, access checks, inheritance. Any IRQL at which the
 * memory is resident, except what allocates (IRQL <= APC_LEVEL: paged pool). */
#pragma once
#include "rtl_security.h"

/* [Win32 SECURITY_INFORMATION] parts that the headers do not name */
#define ATTRIBUTE_SECURITY_INFORMATION 0x20u
#define SCOPE_SECURITY_INFORMATION 0x40u
#define BACKUP_SECURITY_INFORMATION 0x10000u

#define SE_TAG_DESCRIPTOR 0x64536553u /* 'SeSd' */

/* --- SDDL --- */

/* [MS-DTYP 2.5.1.1] The descriptor, self-relative, in paged pool (SeFreeDescriptor). STATUS_INVALID_PARAMETER: not SDDL, or a part
 * twice; STATUS_INVALID_SID: a SID that there is none for here (those of a domain); STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS SeSddlToDescriptor(PCUNICODE_STRING Text, PSECURITY_DESCRIPTOR *Descriptor);
/* The text of a valid descriptor, of the parts in Information; Text's buffer is in paged pool (RtlFreeUnicodeString). ACEs that
 * the language has no word for: STATUS_INVALID_ACL. */
NTSTATUS SeDescriptorToSddl(PSECURITY_DESCRIPTOR Descriptor, SECURITY_INFORMATION Information,
                            PUNICODE_STRING Text);
VOID SeFreeDescriptor(PSECURITY_DESCRIPTOR Descriptor);

/* --- who asks --- */

/* What an access check looks at of a token. The first of the SIDs is the user. */
typedef struct _SE_IDENTITY {
    const SID_AND_ATTRIBUTES *Sids;
    const SID_AND_ATTRIBUTES *Restricted; /* restricting SIDs */
    const LUID_AND_ATTRIBUTES *Privileges;
    ULONG SidCount, RestrictedCount, PrivilegeCount;
    ULONG IntegrityLevel;    /* SECURITY_MANDATORY_..._RID */
    BOOLEAN NoWriteUp;       /* [Win32 TOKEN_MANDATORY_POLICY] */
    BOOLEAN IsRestricted;    /* the restricting SIDs must give access too */
    BOOLEAN WriteRestricted; /* the restricting SIDs count for write access only */
} SE_IDENTITY;

/* The privilege is there and enabled. */
BOOLEAN SeIdentityHasPrivilege(const SE_IDENTITY *Identity, ULONG Privilege);

/* The identity has the SID: enabled, or (for deny ACEs) used for deny only. */
BOOLEAN SeIdentityHasSid(const SE_IDENTITY *Identity, PSID Sid, BOOLEAN ForDeny);

/* --- may he? --- */

/* Privileges that gave access, as bits. */
#define SE_USED_SECURITY 0x1u
#define SE_USED_TAKE_OWNERSHIP 0x2u

/* [MS-DTYP 2.5.3.2], [WDK SeAccessCheck] of a valid descriptor. Desired may have generic rights and MAXIMUM_ALLOWED. *Granted: the
 * rights, or 0 with STATUS_ACCESS_DENIED or STATUS_PRIVILEGE_NOT_HELD. *Used: SE_USED_... */
NTSTATUS SeEvaluateAccess(const RTL_SECURITY_PARTS *Parts, const SE_IDENTITY *Identity, ACCESS_MASK Desired,
                          const GENERIC_MAPPING *Mapping, PACCESS_MASK Granted, PULONG Used);

/* --- the descriptor of a new object --- */

/* [WDK SeAssignSecurityEx] */
#ifndef SEF_DACL_AUTO_INHERIT
#define SEF_DACL_AUTO_INHERIT 0x01
#define SEF_SACL_AUTO_INHERIT 0x02
#define SEF_DEFAULT_DESCRIPTOR_FOR_OBJECT 0x04
#define SEF_AVOID_PRIVILEGE_CHECK 0x08
#define SEF_AVOID_OWNER_CHECK 0x10
#define SEF_DEFAULT_OWNER_FROM_PARENT 0x20
#define SEF_DEFAULT_GROUP_FROM_PARENT 0x40
#endif

typedef struct _SE_NEW_OBJECT {
    const RTL_SECURITY_PARTS *Parent;   /* or NULL */
    const RTL_SECURITY_PARTS *Explicit; /* or NULL */
    const SE_IDENTITY *Identity;        /* of the creator */
    PSID DefaultOwner, DefaultGroup;    /* of his token */
    PACL DefaultDacl;                   /* or NULL */
    const GENERIC_MAPPING *Mapping;
    const GUID *ObjectType; /* that inheritable object ACEs are compared with, or NULL */
    BOOLEAN IsContainer;
    ULONG Flags; /* SEF_... */
} SE_NEW_OBJECT;

/* [WDK SeAssignSecurityEx], [MS-DTYP 2.5.3.4]. *Descriptor: self-relative, in paged pool (SeFreeDescriptor). STATUS_INVALID_OWNER,
 * STATUS_INVALID_PRIMARY_GROUP, STATUS_PRIVILEGE_NOT_HELD (a SACL without SeSecurityPrivilege), STATUS_INSUFFICIENT_RESOURCES,
 * STATUS_INVALID_ACL: too long. */
NTSTATUS SeBuildDescriptor(const SE_NEW_OBJECT *New, PSECURITY_DESCRIPTOR *Descriptor);

/* The SID may be an owner that the identity chooses: its user, or a group that has SE_GROUP_OWNER, or any with SeRestorePrivilege. */
BOOLEAN SeMayOwn(const SE_IDENTITY *Identity, PSID Sid);

/* *Joined, in paged pool (tag SE_TAG_DESCRIPTOR): of a SACL Chosen the ACEs that Parts mean (LABEL_, ATTRIBUTE_, SCOPE_ and, all others,
 * SACL_SECURITY_INFORMATION), and of Rest those that they do not mean. Either may be NULL. STATUS_INSUFFICIENT_RESOURCES,
 * STATUS_INVALID_ACL: too long. */
NTSTATUS SeJoinSacl(const ACL *Chosen, const ACL *Rest, SECURITY_INFORMATION Parts, PACL *Joined);
/* [Win32 SE_RELABEL_NAME] STATUS_INVALID_LABEL: a label of the SACL (or NULL) is none, or above the identity's level, and it has no
 * SeRelabelPrivilege. */
NTSTATUS SeCheckLabels(const ACL *Sacl, const SE_IDENTITY *Identity);

/* A copy of an ACL with generic rights mapped, in paged pool (tag SE_TAG_DESCRIPTOR); NULL: no memory. */
PACL SeMapAcl(const ACL *Acl, const GENERIC_MAPPING *Mapping);

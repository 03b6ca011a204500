/* SPDX-License-Identifier: MIT
 * SIDs, access control lists and security descriptors. [WDK RtlInitializeSid, RtlValidSid, RtlCreateAcl, RtlAddAce,
 * RtlAddAccessAllowedAceEx, RtlGetAce, RtlCreateSecurityDescriptor, RtlSetDaclSecurityDescriptor, RtlAbsoluteToSelfRelativeSD,
 * RtlSelfRelativeToAbsoluteSD, RtlValidRelativeSecurityDescriptor] */
#include "ct_security.h"

/* A SID is built part by part, compared, copied, written as text. */
static VOID SecuritySid(VOID)
{
    CT_SID First, Second;
    WCHAR Room[32];
    UNICODE_STRING Text = {0, sizeof(Room), Room}, Expected = RTL_CONSTANT_STRING(L"S-1-5-32-544");
    LUID Luid = {5, 6}, Copy = {0, 0};
    CtAdminsSid(&First);
    CT_CHECK(RtlValidSid(&First));
    CT_EQUAL(RtlLengthSid(&First), RtlLengthRequiredSid(2));
    CT_EQUAL(*RtlSubAuthorityCountSid(&First), 2);
    CT_STATUS(RtlCopySid(15, &Second, &First), STATUS_BUFFER_TOO_SMALL);
    CT_SUCCESS(RtlCopySid(sizeof(Second), &Second, &First));
    CT_CHECK(RtlEqualSid(&First, &Second));
    *RtlSubAuthoritySid(&Second, 1) = DOMAIN_ALIAS_RID_USERS;
    CT_CHECK(!RtlEqualSid(&First, &Second));
    CT_SUCCESS(RtlConvertSidToUnicodeString(&Text, &First, FALSE));
    CT_CHECK(RtlEqualUnicodeString(&Text, &Expected, FALSE));
    RtlCopyLuid(&Copy, &Luid);
    CT_CHECK(Copy.LowPart == 5 && Copy.HighPart == 6);
    First.Sid.Revision = 9;
    CT_CHECK(!RtlValidSid(&First));
}

typedef union ANY_ACL {
    ACL Acl;
    UCHAR Room[128];
} ANY_ACL;

/* ACEs go to the end or to a place; one that does not fit is refused; one that is taken out leaves room. */
static VOID SecurityAcl(VOID)
{
    ANY_ACL Acl, Small;
    CT_SID Admins, System;
    PACCESS_ALLOWED_ACE Ace = NULL;
    GENERIC_MAPPING Mapping = {1, 2, 4, 8};
    ACCESS_MASK Mask = GENERIC_WRITE | GENERIC_ALL | DELETE;
    CtAdminsSid(&Admins);
    CtSystemSid(&System);
    CT_STATUS(RtlCreateAcl(&Acl.Acl, sizeof(ACL) - 1, ACL_REVISION), STATUS_BUFFER_TOO_SMALL);
    CT_STATUS(RtlCreateAcl(&Acl.Acl, sizeof(Acl), 99), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(RtlCreateAcl(&Acl.Acl, sizeof(Acl), ACL_REVISION));
    CT_SUCCESS(RtlAddAccessAllowedAce(&Acl.Acl, ACL_REVISION, GENERIC_ALL, &System));
    CT_SUCCESS(
        RtlAddAccessAllowedAceEx(&Acl.Acl, ACL_REVISION, CONTAINER_INHERIT_ACE, GENERIC_READ, &Admins));
    CT_STATUS(RtlAddAccessAllowedAceEx(&Acl.Acl, ACL_REVISION, 0x20, GENERIC_READ, &Admins),
              STATUS_INVALID_PARAMETER);
    CT_STATUS(RtlAddAccessAllowedAce(&Acl.Acl, 99, GENERIC_READ, &Admins), STATUS_REVISION_MISMATCH);
    CT_EQUAL(Acl.Acl.AceCount, 2);
    CT_SUCCESS(RtlGetAce(&Acl.Acl, 1, (PVOID *)&Ace));
    CT_REQUIRE(Ace != NULL);
    CT_EQUAL(Ace->Mask, GENERIC_READ);
    CT_EQUAL(Ace->Header.AceFlags, CONTAINER_INHERIT_ACE);
    CT_CHECK(RtlEqualSid(&Ace->SidStart, &Admins));
    CT_SUCCESS(RtlCreateAcl(&Small.Acl, sizeof(ACL) + Ace->Header.AceSize, ACL_REVISION));
    CT_SUCCESS(RtlAddAce(&Small.Acl, ACL_REVISION, 0, Ace, Ace->Header.AceSize));
    CT_STATUS(RtlAddAce(&Small.Acl, ACL_REVISION, MAXULONG, Ace, Ace->Header.AceSize),
              STATUS_BUFFER_TOO_SMALL);
    CT_STATUS(RtlAddAccessAllowedAce(&Small.Acl, ACL_REVISION, 1, &Admins), STATUS_ALLOTTED_SPACE_EXCEEDED);
    CT_SUCCESS(RtlDeleteAce(&Acl.Acl, 0));
    CT_STATUS(RtlDeleteAce(&Acl.Acl, 1), STATUS_INVALID_PARAMETER);
    CT_STATUS(RtlGetAce(&Acl.Acl, 1, (PVOID *)&Ace), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(RtlGetAce(&Acl.Acl, 0, (PVOID *)&Ace));
    CT_EQUAL(Ace->Mask, GENERIC_READ);
    RtlMapGenericMask(&Mask, &Mapping);
    CT_EQUAL(Mask, 2 | 8 | DELETE);
}

/* What is set is got; only an absolute descriptor can be changed. */
static VOID SecurityDescriptor(VOID)
{
    SECURITY_DESCRIPTOR Descriptor;
    CT_SID Admins;
    ANY_ACL Acl;
    PSID Sid = NULL;
    PACL Found = NULL;
    BOOLEAN Present = FALSE, Defaulted = FALSE;
    CtAdminsSid(&Admins);
    CT_STATUS(RtlCreateSecurityDescriptor(&Descriptor, 2), STATUS_UNKNOWN_REVISION);
    CT_SUCCESS(RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION));
    CT_SUCCESS(RtlCreateAcl(&Acl.Acl, sizeof(Acl), ACL_REVISION));
    CT_SUCCESS(RtlSetOwnerSecurityDescriptor(&Descriptor, &Admins, TRUE));
    CT_SUCCESS(RtlGetOwnerSecurityDescriptor(&Descriptor, &Sid, &Defaulted));
    CT_CHECK(Sid == &Admins && Defaulted);
    CT_SUCCESS(RtlSetGroupSecurityDescriptor(&Descriptor, &Admins, FALSE));
    CT_SUCCESS(RtlGetGroupSecurityDescriptor(&Descriptor, &Sid, &Defaulted));
    CT_CHECK(Sid == &Admins && !Defaulted);
    CT_SUCCESS(RtlGetDaclSecurityDescriptor(&Descriptor, &Present, &Found, &Defaulted));
    CT_CHECK(!Present);
    CT_SUCCESS(RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, &Acl.Acl, FALSE));
    CT_SUCCESS(RtlGetDaclSecurityDescriptor(&Descriptor, &Present, &Found, &Defaulted));
    CT_CHECK(Present && Found == &Acl.Acl && !Defaulted);
    CT_SUCCESS(RtlSetSaclSecurityDescriptor(&Descriptor, TRUE, &Acl.Acl, TRUE));
    CT_SUCCESS(RtlGetSaclSecurityDescriptor(&Descriptor, &Present, &Found, &Defaulted));
    CT_CHECK(Present && Found == &Acl.Acl && Defaulted);
}

/* To self-relative and back. */
static VOID SecurityRelative(VOID)
{
    SECURITY_DESCRIPTOR Descriptor, Back;
    CT_SID Admins, Owner, Group;
    ANY_ACL Acl, Dacl, Sacl;
    union {
        SECURITY_DESCRIPTOR_RELATIVE Descriptor;
        UCHAR Room[256];
    } Relative;
    ULONG Length = 0, Sizes[5] = {sizeof(Back), sizeof(Dacl), sizeof(Sacl), 0, sizeof(Group)};
    CtAdminsSid(&Admins);
    RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);
    RtlCreateAcl(&Acl.Acl, 64, ACL_REVISION);
    RtlAddAccessAllowedAce(&Acl.Acl, ACL_REVISION, 1, &Admins);
    RtlSetOwnerSecurityDescriptor(&Descriptor, &Admins, FALSE);
    RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, &Acl.Acl, FALSE);
    CT_CHECK(RtlValidSecurityDescriptor(&Descriptor));
    CT_STATUS(RtlAbsoluteToSelfRelativeSD(&Descriptor, NULL, &Length), STATUS_BUFFER_TOO_SMALL);
    CT_CHECK(Length >= sizeof(Relative.Descriptor) + 64 + RtlLengthSid(&Admins) &&
             Length <= sizeof(Relative));
    CT_SUCCESS(RtlAbsoluteToSelfRelativeSD(&Descriptor, &Relative, &Length));
    CT_EQUAL(RtlLengthSecurityDescriptor(&Relative), Length);
    CT_CHECK(Relative.Descriptor.Control & SE_SELF_RELATIVE);
    CT_CHECK(RtlValidRelativeSecurityDescriptor(&Relative, Length,
                                                OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION));
    CT_CHECK(!RtlValidRelativeSecurityDescriptor(&Relative, Length, GROUP_SECURITY_INFORMATION));
    CT_CHECK(!RtlValidRelativeSecurityDescriptor(&Relative, Length - 1, OWNER_SECURITY_INFORMATION));
    CT_STATUS(RtlAbsoluteToSelfRelativeSD(&Relative, &Relative, &Length), STATUS_BAD_DESCRIPTOR_FORMAT);
    CT_STATUS(RtlSelfRelativeToAbsoluteSD(&Relative, &Back, &Sizes[0], &Dacl.Acl, &Sizes[1], &Sacl.Acl,
                                          &Sizes[2], &Owner, &Sizes[3], &Group, &Sizes[4]),
              STATUS_BUFFER_TOO_SMALL);
    CT_EQUAL(Sizes[3], RtlLengthSid(&Admins));
    CT_SUCCESS(RtlSelfRelativeToAbsoluteSD(&Relative, &Back, &Sizes[0], &Dacl.Acl, &Sizes[1], &Sacl.Acl,
                                           &Sizes[2], &Owner, &Sizes[3], &Group, &Sizes[4]));
    CT_CHECK(RtlEqualSid(&Owner, &Admins));
    CT_CHECK(Back.Owner == &Owner && Back.Dacl == &Dacl.Acl && Back.Sacl == NULL && Back.Group == NULL);
    CT_EQUAL(RtlCompareMemory(&Dacl, &Acl, 64), 64);
}

static const CT_CASE Cases[] = {
    {"security.sid", SecuritySid},
    {"security.acl", SecurityAcl},
    {"security.descriptor", SecurityDescriptor},
    {"security.relative", SecurityRelative},
};

CT_DRIVER(Cases)

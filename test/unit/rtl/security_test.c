/* SPDX-License-Identifier: MIT
 * SIDs, ACLs and security descriptors: documented cases, and descriptors spoilt byte by byte in exact heap blocks. */
#include "rtl_test.h"
#include "rtl_security.h"

static const SID_IDENTIFIER_AUTHORITY Nt = {{0, 0, 0, 0, 0, 5}};

typedef union ANY_SID {
    SID Sid;
    UCHAR Room[RTL_MAX_SID_LENGTH];
} ANY_SID;

static PSID admins(ANY_SID *S)
{
    assert_int_equal(RtlInitializeSid(S, (PSID_IDENTIFIER_AUTHORITY)&Nt, 2), STATUS_SUCCESS);
    *RtlSubAuthoritySid(S, 0) = 32;
    *RtlSubAuthoritySid(S, 1) = 544;
    return S;
}

static PSID local_system(ANY_SID *S)
{
    assert_int_equal(RtlInitializeSid(S, (PSID_IDENTIFIER_AUTHORITY)&Nt, 1), STATUS_SUCCESS);
    *RtlSubAuthoritySid(S, 0) = 18;
    return S;
}

static void test_sid(void **state)
{
    ANY_SID a, b;
    (void)state;
    admins(&a);
    assert_int_equal(RtlLengthSid(&a), 16);
    assert_int_equal(RtlLengthRequiredSid(15), RTL_MAX_SID_LENGTH);
    assert_true(RtlValidSid(&a));
    assert_false(RtlValidSid(NULL));
    assert_int_equal(*RtlSubAuthorityCountSid(&a), 2);
    assert_int_equal(RtlInitializeSid(&b, (PSID_IDENTIFIER_AUTHORITY)&Nt, 16), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCopySid(15, &b, &a), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlCopySid(16, &b, &a), STATUS_SUCCESS);
    assert_true(RtlEqualSid(&a, &b));
    *RtlSubAuthoritySid(&b, 1) = 545;
    assert_false(RtlEqualSid(&a, &b));
    assert_false(RtlEqualSid(&a, local_system(&b)));
    a.Sid.SubAuthorityCount = 16;
    assert_false(RtlValidSid(&a));
    a.Sid.SubAuthorityCount = 15;
    a.Sid.Revision = 2;
    assert_false(RtlValidSid(&a));
}

static void test_sid_text(void **state)
{
    ANY_SID a;
    WCHAR room[13];
    UNICODE_STRING text = UBUFFER(room), made;
    (void)state;
    admins(&a);
    assert_int_equal(RtlConvertSidToUnicodeString(&text, &a, FALSE), STATUS_SUCCESS);
    assert_ustr(&text, L"S-1-5-32-544");
    assert_int_equal(room[12], 0);
    text.MaximumLength = 22;
    assert_int_equal(RtlConvertSidToUnicodeString(&text, &a, FALSE), STATUS_BUFFER_OVERFLOW);
    SID_IDENTIFIER_AUTHORITY large = {{1, 0, 0xAB, 0, 0, 9}};
    assert_int_equal(RtlInitializeSid(&a, &large, 15), STATUS_SUCCESS);
    for (ULONG i = 0; i < 15; i++)
        *RtlSubAuthoritySid(&a, i) = 0xFFFFFFFF - i;
    assert_int_equal(RtlConvertSidToUnicodeString(&made, &a, TRUE), STATUS_SUCCESS);
    assert_int_equal(made.Length, (4 + 14 + 15 * 11) * sizeof(WCHAR));
    assert_memory_equal(made.Buffer, L"S-1-0x0100AB000009-4294967295-4294967294", 40 * sizeof(WCHAR));
    RtlFreeUnicodeString(&made);
    TestPool.FailAt = 1;
    assert_int_equal(RtlConvertSidToUnicodeString(&made, &a, TRUE), STATUS_NO_MEMORY);
    a.Sid.Revision = 0;
    assert_int_equal(RtlConvertSidToUnicodeString(&made, &a, TRUE), STATUS_INVALID_SID);
    assert_int_equal(TestPool.Live, 0);
}

typedef union ANY_ACL {
    ACL Acl;
    UCHAR Room[80];
} ANY_ACL;

static void test_acl(void **state)
{
    ANY_ACL acl, other;
    ANY_SID sid, system;
    PVOID ace;
    (void)state;
    assert_int_equal(RtlCreateAcl(&acl.Acl, 7, ACL_REVISION), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlCreateAcl(&acl.Acl, 60, 1), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCreateAcl(&acl.Acl, 60, 5), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCreateAcl(&acl.Acl, 0x10000, ACL_REVISION), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlCreateAcl(&acl.Acl, 55, ACL_REVISION), STATUS_SUCCESS); /* 8 + 24 + 20 = 52 */
    assert_int_equal(acl.Acl.AclSize, 52);
    assert_int_equal(RtlGetAce(&acl.Acl, 0, &ace), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlAddAccessAllowedAce(&acl.Acl, 1, 1, admins(&sid)), STATUS_REVISION_MISMATCH);
    assert_int_equal(RtlAddAccessAllowedAceEx(&acl.Acl, 2, 0x40, 1, &sid), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlAddAccessAllowedAceEx(&acl.Acl, 2, CONTAINER_INHERIT_ACE, 0x1234, &sid),
                     STATUS_SUCCESS);
    assert_int_equal(RtlAddAccessAllowedAce(&acl.Acl, 2, 1, &sid), STATUS_ALLOTTED_SPACE_EXCEEDED);
    assert_int_equal(RtlAddAccessAllowedAce(&acl.Acl, 2, 7, local_system(&system)), STATUS_SUCCESS);
    assert_int_equal(acl.Acl.AceCount, 2);
    assert_ptr_equal(RtlAclEnd(&acl.Acl), acl.Room + 52);
    assert_int_equal(RtlGetAce(&acl.Acl, 1, &ace), STATUS_SUCCESS);
    assert_int_equal(RtlAceMask(ace), 7);
    assert_true(RtlEqualSid(RtlAceSid(ace), &system));
    assert_int_equal(RtlGetAce(&acl.Acl, 2, &ace), STATUS_INVALID_PARAMETER);

    /* What was taken out can be put in again, in front. */
    ULONG size = ((ACE_HEADER *)ace)->AceSize;
    UCHAR copy[24];
    assert_int_equal(size, 20);
    memcpy(copy, ace, size);
    assert_int_equal(RtlAddAce(&acl.Acl, 2, 0, copy, size), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(RtlDeleteAce(&acl.Acl, 2), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlDeleteAce(&acl.Acl, 1), STATUS_SUCCESS);
    assert_int_equal(RtlAddAce(&acl.Acl, 2, 0, copy, size - 4), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlAddAce(&acl.Acl, 9, 0, copy, size), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlAddAce(&acl.Acl, ACL_REVISION_DS, 0, copy, size), STATUS_SUCCESS);
    assert_int_equal(acl.Acl.AclRevision, ACL_REVISION_DS);
    assert_int_equal(RtlGetAce(&acl.Acl, 0, &ace), STATUS_SUCCESS);
    assert_memory_equal(ace, copy, size);
    assert_int_equal(RtlGetAce(&acl.Acl, 1, &ace), STATUS_SUCCESS);
    assert_int_equal(RtlAceMask(ace), 0x1234);
    assert_int_equal(((ACE_HEADER *)ace)->AceFlags, CONTAINER_INHERIT_ACE);

    /* A whole list at the end. */
    assert_int_equal(RtlCreateAcl(&other.Acl, sizeof(other), ACL_REVISION), STATUS_SUCCESS);
    assert_int_equal(RtlAddAce(&other.Acl, ACL_REVISION, MAXULONG, &acl.Acl + 1, 44), STATUS_SUCCESS);
    assert_int_equal(other.Acl.AceCount, 2);
    assert_int_equal(RtlDeleteAce(&other.Acl, 0), STATUS_SUCCESS);
    assert_int_equal(RtlGetAce(&other.Acl, 0, &ace), STATUS_SUCCESS);
    assert_int_equal(RtlAceMask(ace), 0x1234);
}

static void test_object_ace(void **state)
{
    struct {
        ACE_HEADER Header;
        ACCESS_MASK Mask;
        ULONG Flags;
        GUID Type;
        UCHAR Sid[16];
    } ace = {{ACCESS_ALLOWED_OBJECT_ACE_TYPE, 0, sizeof(ace)}, 5, 1, {7, 0, 0, {0}}, {0}};
    ANY_ACL acl;
    ANY_SID sid;
    PVOID found;
    (void)state;
    memcpy(ace.Sid, admins(&sid), 16);
    assert_int_equal(RtlCreateAcl(&acl.Acl, sizeof(acl), ACL_REVISION_DS), STATUS_SUCCESS);
    assert_int_equal(RtlAddAce(&acl.Acl, ACL_REVISION_DS, 0, &ace, sizeof(ace)), STATUS_SUCCESS);
    assert_int_equal(RtlGetAce(&acl.Acl, 0, &found), STATUS_SUCCESS);
    assert_int_equal(RtlAceObjectType(found)->Data1, 7);
    assert_true(RtlEqualSid(RtlAceSid(found), &sid));
    ace.Flags = 3; /* then the SID would not fit */
    assert_int_equal(RtlAddAce(&acl.Acl, ACL_REVISION_DS, 0, &ace, sizeof(ace)), STATUS_INVALID_PARAMETER);
}

static void test_map_generic(void **state)
{
    GENERIC_MAPPING map = {0x1, 0x2, 0x4, 0xF};
    ACCESS_MASK mask = GENERIC_READ | GENERIC_EXECUTE | 0x100;
    (void)state;
    RtlMapGenericMask(&mask, &map);
    assert_int_equal(mask, 0x105);
    mask = GENERIC_ALL | MAXIMUM_ALLOWED;
    RtlMapGenericMask(&mask, &map);
    assert_int_equal(mask, 0xF | MAXIMUM_ALLOWED);
}

static void test_parts(void **state)
{
    SECURITY_DESCRIPTOR sd;
    SECURITY_DESCRIPTOR_RELATIVE relative;
    ANY_SID sid;
    ANY_ACL acl;
    PSID owner = &sid;
    PACL dacl = &acl.Acl;
    BOOLEAN present = 7, defaulted = 7;
    (void)state;
    assert_int_equal(RtlCreateSecurityDescriptor(&sd, 2), STATUS_UNKNOWN_REVISION);
    assert_int_equal(RtlCreateSecurityDescriptor(&sd, 1), STATUS_SUCCESS);
    assert_int_equal(RtlLengthSecurityDescriptor(&sd), sizeof(sd));
    assert_int_equal(RtlGetOwnerSecurityDescriptor(&sd, &owner, &defaulted), STATUS_SUCCESS);
    assert_null(owner);
    assert_int_equal(RtlGetDaclSecurityDescriptor(&sd, &present, &dacl, &defaulted), STATUS_SUCCESS);
    assert_false(present);
    assert_ptr_equal(dacl, &acl.Acl);
    assert_int_equal(RtlSetDaclSecurityDescriptor(&sd, TRUE, NULL, TRUE), STATUS_SUCCESS);
    assert_int_equal(RtlGetDaclSecurityDescriptor(&sd, &present, &dacl, &defaulted), STATUS_SUCCESS);
    assert_true(present && defaulted);
    assert_null(dacl);
    assert_int_equal(RtlSetDaclSecurityDescriptor(&sd, FALSE, NULL, FALSE), STATUS_SUCCESS);
    assert_int_equal(sd.Control, 0);
    assert_int_equal(RtlSetOwnerSecurityDescriptor(&sd, admins(&sid), TRUE), STATUS_SUCCESS);
    assert_int_equal(RtlSetGroupSecurityDescriptor(&sd, &sid, FALSE), STATUS_SUCCESS);
    assert_int_equal(RtlGetOwnerSecurityDescriptor(&sd, &owner, &defaulted), STATUS_SUCCESS);
    assert_true(defaulted && owner == &sid);
    assert_int_equal(RtlGetGroupSecurityDescriptor(&sd, &owner, &defaulted), STATUS_SUCCESS);
    assert_true(!defaulted && owner == &sid);
    assert_int_equal(RtlSetSaclSecurityDescriptor(&sd, TRUE, &acl.Acl, TRUE), STATUS_SUCCESS);
    assert_int_equal(RtlGetSaclSecurityDescriptor(&sd, &present, &dacl, &defaulted), STATUS_SUCCESS);
    assert_true(present && defaulted && dacl == &acl.Acl);
    sd.Revision = 3;
    assert_int_equal(RtlSetOwnerSecurityDescriptor(&sd, NULL, FALSE), STATUS_UNKNOWN_REVISION);
    assert_int_equal(RtlGetOwnerSecurityDescriptor(&sd, &owner, &defaulted), STATUS_UNKNOWN_REVISION);
    relative = (SECURITY_DESCRIPTOR_RELATIVE){.Revision = 1, .Control = SE_SELF_RELATIVE};
    assert_int_equal(RtlSetOwnerSecurityDescriptor(&relative, NULL, FALSE), STATUS_INVALID_SECURITY_DESCR);
    assert_int_equal(RtlSetDaclSecurityDescriptor(&relative, FALSE, NULL, FALSE),
                     STATUS_INVALID_SECURITY_DESCR);
    assert_true(RtlValidRelativeSecurityDescriptor(&relative, sizeof(relative), 0));
    assert_false(RtlValidRelativeSecurityDescriptor(&relative, sizeof(relative), OWNER_SECURITY_INFORMATION));
    assert_false(RtlValidRelativeSecurityDescriptor(&relative, sizeof(relative), DACL_SECURITY_INFORMATION));
}

/* A self-relative descriptor with all parts in *Length bytes of the heap. */
static PSECURITY_DESCRIPTOR make_relative(ULONG *Length)
{
    SECURITY_DESCRIPTOR sd;
    ANY_SID owner, group;
    ANY_ACL dacl, sacl;
    assert_int_equal(RtlCreateSecurityDescriptor(&sd, 1), STATUS_SUCCESS);
    assert_int_equal(RtlCreateAcl(&dacl.Acl, 60, ACL_REVISION), STATUS_SUCCESS);
    assert_int_equal(RtlAddAccessAllowedAce(&dacl.Acl, 2, 7, admins(&owner)), STATUS_SUCCESS);
    assert_int_equal(RtlAppendAce(&dacl.Acl, ACCESS_DENIED_ACE_TYPE, 0, 1, local_system(&group)),
                     STATUS_SUCCESS);
    assert_int_equal(RtlCreateAcl(&sacl.Acl, 32, ACL_REVISION), STATUS_SUCCESS);
    assert_int_equal(RtlAppendAce(&sacl.Acl, SYSTEM_AUDIT_ACE_TYPE, 0x40, 1, &group), STATUS_SUCCESS);
    RtlSetOwnerSecurityDescriptor(&sd, &owner, FALSE);
    RtlSetGroupSecurityDescriptor(&sd, &group, TRUE);
    RtlSetDaclSecurityDescriptor(&sd, TRUE, &dacl.Acl, FALSE);
    RtlSetSaclSecurityDescriptor(&sd, TRUE, &sacl.Acl, FALSE);
    assert_true(RtlValidSecurityDescriptor(&sd));
    *Length = 0;
    assert_int_equal(RtlAbsoluteToSelfRelativeSD(&sd, NULL, Length), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(*Length, 20 + 60 + 32 + 16 + 12);
    assert_int_equal(RtlLengthSecurityDescriptor(&sd), *Length + 20);
    PSECURITY_DESCRIPTOR relative = malloc(*Length);
    assert_int_equal(RtlAbsoluteToSelfRelativeSD(&sd, relative, Length), STATUS_SUCCESS);
    assert_int_equal(RtlLengthSecurityDescriptor(relative), *Length);
    assert_int_equal(RtlAbsoluteToSelfRelativeSD(relative, relative, Length), STATUS_BAD_DESCRIPTOR_FORMAT);
    return relative;
}

static void test_convert(void **state)
{
    ULONG length, again, size[5] = {0};
    SECURITY_DESCRIPTOR sd;
    UCHAR dacl[60], sacl[32], owner[16], group[12];
    (void)state;
    PSECURITY_DESCRIPTOR relative = make_relative(&length);
    assert_int_equal(RtlSelfRelativeToAbsoluteSD(relative, NULL, &size[0], NULL, &size[1], NULL, &size[2],
                                                 NULL, &size[3], NULL, &size[4]),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(size[0], sizeof(sd));
    assert_int_equal(size[1], 60);
    assert_int_equal(size[2], 32);
    assert_int_equal(size[3], 16);
    assert_int_equal(size[4], 12);
    assert_int_equal(RtlSelfRelativeToAbsoluteSD(relative, &sd, &size[0], (PACL)dacl, &size[1], (PACL)sacl,
                                                 &size[2], owner, &size[3], group, &size[4]),
                     STATUS_SUCCESS);
    assert_int_equal(RtlSelfRelativeToAbsoluteSD(&sd, &sd, &size[0], (PACL)dacl, &size[1], (PACL)sacl,
                                                 &size[2], owner, &size[3], group, &size[4]),
                     STATUS_BAD_DESCRIPTOR_FORMAT);
    assert_true(RtlValidSecurityDescriptor(&sd));
    again = length;
    PSECURITY_DESCRIPTOR second = malloc(length);
    assert_int_equal(RtlAbsoluteToSelfRelativeSD(&sd, second, &again), STATUS_SUCCESS);
    assert_int_equal(again, length);
    assert_memory_equal(relative, second, length);
    free(second);
    free(relative);
}

/* Every descriptor that is passed as valid can be read, converted and measured without leaving its block. */
static void use_if_valid(PSECURITY_DESCRIPTOR sd, ULONG length)
{
    if (!RtlValidRelativeSecurityDescriptor(sd, length, 0))
        return;
    RTL_SECURITY_PARTS parts;
    RtlGetSecurityParts(sd, &parts);
    for (int i = 0; i < 2; i++) {
        PACL acl = i == 0 ? parts.Dacl : parts.Sacl;
        if (acl == NULL)
            continue;
        RTL_FOR_EACH_ACE(ace, acl)
        if (RtlAceSid(ace) != NULL)
            assert_true(RtlValidSid(RtlAceSid(ace)));
    }
    ULONG needed = RtlRelativeSecurityLength(&parts);
    PSECURITY_DESCRIPTOR copy = malloc(needed);
    RtlWriteRelativeSecurity(&parts, copy);
    assert_true(RtlValidRelativeSecurityDescriptor(copy, needed, 0));
    free(copy);
}

static void test_spoilt(void **state)
{
    ULONG length;
    (void)state;
    PUCHAR sd = make_relative(&length);
    assert_true(RtlValidRelativeSecurityDescriptor(sd, length, 0xF));
    for (ULONG shorter = 0; shorter < length; shorter++) {
        PUCHAR cut = malloc(shorter + 1);
        memcpy(cut, sd, shorter);
        PUCHAR exact = realloc(cut, shorter != 0 ? shorter : 1);
        assert_false(RtlValidRelativeSecurityDescriptor(exact, shorter, 0xF));
        free(exact);
    }
    for (ULONG at = 0; at < length; at++)
        for (ULONG value = 0; value < 256; value++) {
            UCHAR old = sd[at];
            sd[at] = (UCHAR)value;
            use_if_valid(sd, length);
            sd[at] = old;
        }
    free(sd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sid),        cmocka_unit_test(test_sid_text),    cmocka_unit_test(test_acl),
        cmocka_unit_test(test_object_ace), cmocka_unit_test(test_map_generic), cmocka_unit_test(test_parts),
        cmocka_unit_test(test_convert),    cmocka_unit_test(test_spoilt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

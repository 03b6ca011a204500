/* SPDX-License-Identifier: MIT
 * The parts of a SACL, and labels. [Win32 SECURITY_INFORMATION], [MS-DTYP 2.4.7], [Win32 SE_RELABEL_NAME] */
#include "rtl_test.h"
#include "se_core.h"

#define AUDIT SACL_SECURITY_INFORMATION
#define LABEL LABEL_SECURITY_INFORMATION

static UNICODE_STRING wide(const char *Text, WCHAR *Room)
{
    USHORT n = 0;
    for (; Text[n] != 0; n++)
        Room[n] = (UCHAR)Text[n];
    return (UNICODE_STRING){n * sizeof(WCHAR), n * sizeof(WCHAR), Room};
}

/* NULL for NULL. */
static PACL sacl(const char *Text, PSECURITY_DESCRIPTOR *Descriptor)
{
    WCHAR room[300];
    RTL_SECURITY_PARTS parts;
    *Descriptor = NULL;
    if (Text == NULL)
        return NULL;
    UNICODE_STRING string = wide(Text, room);
    assert_int_equal(SeSddlToDescriptor(&string, Descriptor), STATUS_SUCCESS);
    RtlGetSecurityParts(*Descriptor, &parts);
    return parts.Sacl;
}

static const struct {
    const char *Chosen, *Rest;
    SECURITY_INFORMATION Parts;
    const char *Joined;
} Joins[] = {
    {"S:(AU;SA;CC;;;WD)(ML;;NW;;;LW)", NULL, LABEL, "S:(ML;;NW;;;LW)"},
    {"S:(AU;SA;CC;;;WD)(ML;;NW;;;LW)", NULL, AUDIT, "S:(AU;SA;CC;;;WD)"},
    {"S:(AU;SA;CC;;;WD)(ML;;NW;;;LW)", NULL, AUDIT | LABEL, "S:(AU;SA;CC;;;WD)(ML;;NW;;;LW)"},
    {"S:(AU;SA;CC;;;WD)(ML;;NW;;;LW)", "S:(AU;FA;DC;;;BA)(ML;;NR;;;HI)", LABEL,
     "S:(ML;;NW;;;LW)(AU;FA;DC;;;BA)"},
    {"S:(AU;SA;CC;;;WD)(ML;;NW;;;LW)", "S:(AU;FA;DC;;;BA)(ML;;NR;;;HI)", AUDIT,
     "S:(AU;SA;CC;;;WD)(ML;;NR;;;HI)"},
    {NULL, "S:(AU;FA;DC;;;BA)(ML;;NR;;;HI)", AUDIT, "S:(ML;;NR;;;HI)"},
    {NULL, NULL, AUDIT, "S:"},
};

static void test_join(void **state)
{
    (void)state;
    for (size_t i = 0; i < RTL_NUMBER_OF(Joins); i++) {
        PSECURITY_DESCRIPTOR a, b, c;
        PACL chosen = sacl(Joins[i].Chosen, &a), rest = sacl(Joins[i].Rest, &b),
             expected = sacl(Joins[i].Joined, &c);
        PACL joined;
        assert_int_equal(SeJoinSacl(chosen, rest, Joins[i].Parts, &joined), STATUS_SUCCESS);
        if (joined->AclSize != expected->AclSize ||
            memcmp(joined + 1, expected + 1, joined->AclSize - sizeof(ACL)) != 0)
            fail_msg("join %zu", i);
        assert_true(RtlIsValidAcl(joined, joined->AclSize));
        assert_int_equal(joined->AceCount, expected->AceCount);
        ExFreePoolWithTag(joined, SE_TAG_DESCRIPTOR);
        PSECURITY_DESCRIPTOR all[] = {a, b, c};
        for (int k = 0; k < 3; k++)
            if (all[k] != NULL)
                SeFreeDescriptor(all[k]);
        assert_int_equal(TestPool.Live, 0);
    }
}

/* Two SACLs that are long enough are too long together. */
static void test_too_long(void **state)
{
    static ULONG first[0xFF00 / 4], second[0xFF00 / 4];
    PACL acls[] = {(PACL)first, (PACL)second}, joined;
    SID world = {SID_REVISION, 1, {{0, 0, 0, 0, 0, 1}}, {0}};
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(RtlCreateAcl(acls[i], sizeof(first), ACL_REVISION), STATUS_SUCCESS);
        while (NT_SUCCESS(RtlAppendAce(
            acls[i], i == 0 ? SYSTEM_AUDIT_ACE_TYPE : SYSTEM_MANDATORY_LABEL_ACE_TYPE, 0, 1, &world)))
            ;
    }
    assert_int_equal(SeJoinSacl(acls[0], acls[1], AUDIT, &joined), STATUS_INVALID_ACL);
    assert_null(joined);
}

static void test_no_memory(void **state)
{
    PSECURITY_DESCRIPTOR a;
    PACL chosen = sacl("S:(AU;SA;CC;;;WD)", &a), joined;
    (void)state;
    TestPool.FailAt = 1;
    assert_int_equal(SeJoinSacl(chosen, NULL, AUDIT, &joined), STATUS_INSUFFICIENT_RESOURCES);
    assert_null(joined);
    SeFreeDescriptor(a);
}

static void test_labels(void **state)
{
    static const struct {
        const char *Sacl;
        ULONG Level;
        BOOLEAN Relabel;
        NTSTATUS Status;
    } cases[] = {
        {NULL, 0, FALSE, STATUS_SUCCESS},
        {"S:(AU;SA;CC;;;WD)", 0, FALSE, STATUS_SUCCESS},
        {"S:(ML;;NW;;;ME)", SECURITY_MANDATORY_MEDIUM_RID, FALSE, STATUS_SUCCESS},
        {"S:(ML;;NW;;;LW)", SECURITY_MANDATORY_MEDIUM_RID, FALSE, STATUS_SUCCESS},
        {"S:(ML;;NW;;;HI)", SECURITY_MANDATORY_MEDIUM_RID, FALSE, STATUS_INVALID_LABEL},
        {"S:(ML;;NW;;;SI)", SECURITY_MANDATORY_MEDIUM_RID, TRUE, STATUS_SUCCESS},
        {"S:(ML;;NW;;;WD)", SECURITY_MANDATORY_SYSTEM_RID, TRUE, STATUS_INVALID_LABEL},
    };
    (void)state;
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++) {
        PSECURITY_DESCRIPTOR sd;
        PACL acl = sacl(cases[i].Sacl, &sd);
        LUID_AND_ATTRIBUTES relabel = {{SE_RELABEL_PRIVILEGE, 0},
                                       cases[i].Relabel ? SE_PRIVILEGE_ENABLED : 0};
        SE_IDENTITY identity = {
            .Privileges = &relabel, .PrivilegeCount = 1, .IntegrityLevel = cases[i].Level};
        NTSTATUS status = SeCheckLabels(acl, &identity);
        if (status != cases[i].Status)
            fail_msg("label %zu: %x", i, (unsigned)status);
        if (sd != NULL)
            SeFreeDescriptor(sd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

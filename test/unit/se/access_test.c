/* SPDX-License-Identifier: MIT
 * Access checks: the table that ct_access.c runs too, and what its tokens cannot show: privileges, integrity levels below the
 * object's, object ACEs. */
#include "rtl_test.h"
#include "se_core.h"
#include "../../conform/access_cases.h"

typedef union ANY_SID {
    SID Sid;
    UCHAR Room[RTL_MAX_SID_LENGTH];
} ANY_SID;

static const struct {
    UCHAR Authority, Count;
    ULONG Sub[2];
} Principals[WhoCount] = {
    [System] = {5, 1, {18}},        [Admins] = {5, 2, {32, 544}},      [World] = {1, 1, {0}},
    [Authenticated] = {5, 1, {11}}, [Users] = {5, 2, {32, 545}},       [OwnerRights] = {3, 1, {4}},
    [LowLabel] = {16, 1, {0x1000}}, [MediumLabel] = {16, 1, {0x2000}}, [SystemLabel] = {16, 1, {0x4000}},
};

static ANY_SID Sids[WhoCount];

static int make_sids(void **state)
{
    (void)state;
    for (int who = System; who < WhoCount; who++) {
        SID_IDENTIFIER_AUTHORITY authority = {{0, 0, 0, 0, 0, Principals[who].Authority}};
        RtlInitializeSid(&Sids[who], &authority, Principals[who].Count);
        for (ULONG i = 0; i < Principals[who].Count; i++)
            *RtlSubAuthoritySid(&Sids[who], i) = Principals[who].Sub[i];
    }
    return 0;
}

static const GENERIC_MAPPING Mapping = {CASE_READ, CASE_WRITE, CASE_EXECUTE, CASE_ALL};

#define ENABLED (SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED)
static SID_AND_ATTRIBUTES Groups[] = {{&Sids[System], 0},
                                      {&Sids[Admins], SE_GROUP_ENABLED | SE_GROUP_OWNER},
                                      {&Sids[World], ENABLED},
                                      {&Sids[Authenticated], ENABLED}};
static SID_AND_ATTRIBUTES DenyGroups[] = {{&Sids[System], 0},
                                          {&Sids[Admins], SE_GROUP_USE_FOR_DENY_ONLY},
                                          {&Sids[World], ENABLED},
                                          {&Sids[Authenticated], ENABLED}};
static SID_AND_ATTRIBUTES WorldOnly = {&Sids[World], ENABLED}, AdminsOnly = {&Sids[Admins], ENABLED};
static LUID_AND_ATTRIBUTES Privileges[] = {{{SE_SECURITY_PRIVILEGE, 0}, 0},
                                           {{SE_TAKE_OWNERSHIP_PRIVILEGE, 0}, 0},
                                           {{SE_RELABEL_PRIVILEGE, 0}, 0},
                                           {{SE_RESTORE_PRIVILEGE, 0}, 0}};

static SE_IDENTITY identity(ACCESS_WHOSE whose)
{
    SE_IDENTITY new = {.Sids = whose == DenyAdmins ? DenyGroups : Groups,
                       .SidCount = 4,
                       .Privileges = Privileges,
                       .PrivilegeCount = 4,
                       .IntegrityLevel = 0x4000,
                       .NoWriteUp = TRUE,
                       .WriteRestricted = whose == WritesOnlyWorld};
    if (whose >= OnlyWorld) {
        new.Restricted = whose == OnlyAdmins ? &AdminsOnly : &WorldOnly;
        new.RestrictedCount = 1;
        new.IsRestricted = TRUE;
    }
    return new;
}

/* The ACLs are exact heap blocks. */
static void build(const ACCESS_CASE *c, RTL_SECURITY_PARTS *parts)
{
    PACL dacl = malloc(200), sacl = malloc(100);
    RtlCreateAcl(dacl, 200, ACL_REVISION);
    RtlCreateAcl(sacl, 100, ACL_REVISION);
    memset(parts, 0, sizeof(*parts));
    for (int i = 0; i < 4 && c->Ace[i].Who != Nobody; i++) {
        ACCESS_ACE_KIND kind = c->Ace[i].Kind;
        UCHAR flags =
            kind == AllowInheritOnly || kind == DenyInheritOnly ? INHERIT_ONLY_ACE | OBJECT_INHERIT_ACE : 0;
        UCHAR type = kind == Label                             ? SYSTEM_MANDATORY_LABEL_ACE_TYPE
                     : kind == Deny || kind == DenyInheritOnly ? ACCESS_DENIED_ACE_TYPE
                                                               : ACCESS_ALLOWED_ACE_TYPE;
        assert_int_equal(
            RtlAppendAce(kind == Label ? sacl : dacl, type, flags, c->Ace[i].Mask, &Sids[c->Ace[i].Who]),
            STATUS_SUCCESS);
    }
    parts->Owner = &Sids[c->Owner];
    parts->Control = c->Kind == NoDacl ? SE_SACL_PRESENT : SE_SACL_PRESENT | SE_DACL_PRESENT;
    parts->Dacl = realloc(dacl, dacl->AclSize);
    parts->Sacl = realloc(sacl, sacl->AclSize);
    if (c->Kind != List) {
        free(parts->Dacl);
        parts->Dacl = NULL;
    }
}

static NTSTATUS evaluate(const ACCESS_CASE *c, const SE_IDENTITY *who, PACCESS_MASK granted, PULONG used)
{
    RTL_SECURITY_PARTS parts;
    build(c, &parts);
    NTSTATUS status = SeEvaluateAccess(&parts, who, c->Desired, &Mapping, granted, used);
    free(parts.Dacl);
    free(parts.Sacl);
    return status;
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < RTL_NUMBER_OF(AccessCases); i++) {
        const ACCESS_CASE *c = &AccessCases[i];
        SE_IDENTITY who = identity(c->Whose);
        ACCESS_MASK granted = 7777;
        ULONG used = 7;
        NTSTATUS status = evaluate(c, &who, &granted, &used);
        if ((ULONG)status != c->Status || granted != c->Granted || used != 0)
            fail_msg("%s: status %x, granted %x", c->Name, (unsigned)status, (unsigned)granted);
    }
}

static void expect(const ACCESS_CASE *c, const SE_IDENTITY *who, ULONG used)
{
    ACCESS_MASK granted;
    ULONG actual;
    NTSTATUS status = evaluate(c, who, &granted, &actual);
    if ((ULONG)status != c->Status || granted != c->Granted || actual != used)
        fail_msg("%s: status %x, granted %x, used %x", c->Name, (unsigned)status, (unsigned)granted,
                 (unsigned)actual);
}

static void test_privileges(void **state)
{
    SE_IDENTITY who = identity(WholeToken);
    ACCESS_CASE security = {"security",          WholeToken, Users, List,
                            {{Allow, 1, World}}, 0x01000001, 0,     0x01000001},
                more = {"all and security",  WholeToken, Users, List,
                        {{Allow, 1, World}}, 0x03000000, 0,     0x01000001},
                owner = {"owner", WholeToken, Users, List, {{Allow, 1, World}}, 0x80001, 0, 0x80001},
                given = {"owner by ace", WholeToken, Users,  List, {{Allow, 0x80000, World}},
                         0x80000,        0,          0x80000};
    (void)state;
    for (int i = 0; i < 2; i++)
        Privileges[i].Attributes = SE_PRIVILEGE_ENABLED;
    expect(&security, &who, SE_USED_SECURITY);
    expect(&more, &who, SE_USED_SECURITY);
    expect(&owner, &who, SE_USED_TAKE_OWNERSHIP);
    expect(&given, &who, 0);
    for (int i = 0; i < 2; i++)
        Privileges[i].Attributes = 0;
}

static void test_labels(void **state)
{
    SE_IDENTITY low = identity(WholeToken);
    ACCESS_CASE cases[] = {
        {"no label is medium", 0, Users, List, {{Allow, 7, World}}, CASE_MAXIMUM, 0, 5},
        {"write up", 0, Users, List, {{Allow, 7, World}}, 2, CASE_DENIED, 0},
        {"read up", 0, Users, List, {{Allow, 7, World}, {Label, 1, SystemLabel}}, 1, 0, 1},
        {"no read up", 0, Users, List, {{Allow, 7, World}, {Label, 2, SystemLabel}}, CASE_MAXIMUM, 0, 6},
        {"nothing up",
         0,
         Users,
         List,
         {{Allow, 7, World}, {Label, 7, SystemLabel}},
         CASE_MAXIMUM,
         CASE_DENIED,
         0},
        {"same", 0, Users, List, {{Allow, 7, World}, {Label, 7, LowLabel}}, 7, 0, 7},
        {"null dacl", 0, Users, NullDacl, {{Label, 1, MediumLabel}}, 2, CASE_DENIED, 0},
        {"owner", 0, System, List, {{Label, 1, MediumLabel}}, 0x40000, CASE_DENIED, 0},
    };
    (void)state;
    low.IntegrityLevel = 0x1000;
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++)
        expect(&cases[i], &low, 0);
    low.NoWriteUp = FALSE;
    cases[1].Status = 0, cases[1].Granted = 2;
    expect(&cases[1], &low, 0);
}

/* [Win32 AccessCheckByType] without a list of types, an ACE for a property is not the object's. */
static void test_object_aces(void **state)
{
    static const struct {
        const char *Text;
        ACCESS_MASK Granted;
    } cases[] = {
        {"O:BUD:(OA;;CC;;;WD)", 1},
        {"O:BUD:(OA;;CC;f30e3bbe-9ff0-11d1-b603-0000f80367c1;;WD)(A;;DC;;;WD)", 2},
        {"O:BUD:(OD;;CC;f30e3bbe-9ff0-11d1-b603-0000f80367c1;;WD)(A;;CCDC;;;WD)", 3},
        {"O:BUD:(OD;;CC;;f30e3bbe-9ff0-11d1-b603-0000f80367c1;WD)(A;;CCDC;;;WD)", 2},
    };
    SE_IDENTITY who = identity(WholeToken);
    (void)state;
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++) {
        WCHAR room[128];
        UNICODE_STRING text = {0, sizeof(room), room};
        for (; cases[i].Text[text.Length / 2] != 0; text.Length += 2)
            room[text.Length / 2] = (UCHAR)cases[i].Text[text.Length / 2];
        PSECURITY_DESCRIPTOR sd;
        RTL_SECURITY_PARTS parts;
        ACCESS_MASK granted;
        ULONG used;
        assert_int_equal(SeSddlToDescriptor(&text, &sd), STATUS_SUCCESS);
        RtlGetSecurityParts(sd, &parts);
        assert_int_equal(SeEvaluateAccess(&parts, &who, MAXIMUM_ALLOWED, &Mapping, &granted, &used),
                         STATUS_SUCCESS);
        assert_int_equal(granted, cases[i].Granted);
        SeFreeDescriptor(sd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_privileges),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_object_aces),
    };
    return cmocka_run_group_tests(tests, make_sids, NULL);
}

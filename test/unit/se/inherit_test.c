/* SPDX-License-Identifier: MIT
 * The descriptor of a new object, written as SDDL: container's, creator's, result. [WDK SeAssignSecurity], [Win32 ACE Inheritance
 * Rules], [MS-DTYP 2.5.3.4] */
#include "rtl_test.h"
#include "se_core.h"

static UNICODE_STRING wide(const char *Text, WCHAR *Room)
{
    USHORT n = 0;
    for (; Text[n] != 0; n++)
        Room[n] = (UCHAR)Text[n];
    return (UNICODE_STRING){n * sizeof(WCHAR), n * sizeof(WCHAR), Room};
}

static PSECURITY_DESCRIPTOR parse(const char *Text, RTL_SECURITY_PARTS *Parts)
{
    WCHAR room[300];
    PSECURITY_DESCRIPTOR sd;
    UNICODE_STRING string;
    if (Text == NULL)
        return NULL;
    string = wide(Text, room);
    assert_int_equal(SeSddlToDescriptor(&string, &sd), STATUS_SUCCESS);
    RtlGetSecurityParts(sd, Parts);
    return sd;
}

typedef struct CASE {
    const char *Name, *Parent, *Explicit, *Default, *Result;
    BOOLEAN Container;
    ULONG Flags;
    NTSTATUS Status;
} CASE;

#define DEFAULT "O:BAG:SYD:(A;;GA;;;SY)"
static const GENERIC_MAPPING Mapping = {0x1, 0x2, 0x4, 0xF};

static const CASE Cases[] = {
    {"nothing given: the token's", NULL, NULL, DEFAULT, "O:BAG:SYD:(A;;CCDCLCSW;;;SY)", 0, 0, 0},
    {"given", "D:(A;CIOI;GR;;;WD)", "D:(A;;GW;;;BA)", DEFAULT, "O:BAG:SYD:(A;;DC;;;BA)", 0, 0, 0},
    {"given owner and group", NULL, "O:SYG:BAD:(A;;GW;;;BA)", DEFAULT, "O:SYG:BAD:(A;;DC;;;BA)", 0, 0, 0},
    {"an owner that he is not", NULL, "O:BUD:", DEFAULT, NULL, 0, 0, STATUS_INVALID_OWNER},
    {"an owner that is not asked about", NULL, "O:BUD:", DEFAULT, "O:BUG:SYD:", 0, SEF_AVOID_OWNER_CHECK, 0},
    {"owner and group of the parent", "O:BUG:BGD:", NULL, DEFAULT, "O:BUG:BGD:(A;;CCDCLCSW;;;SY)", 0,
     SEF_DEFAULT_OWNER_FROM_PARENT | SEF_DEFAULT_GROUP_FROM_PARENT, 0},
    {"null dacl", NULL, "D:NO_ACCESS_CONTROL", DEFAULT, "O:BAG:SYD:NO_ACCESS_CONTROL", 0, 0, 0},
    {"inherited by an object", "D:(A;OI;GR;;;WD)(A;CI;GW;;;WD)(A;;GA;;;WD)", NULL, DEFAULT,
     "O:BAG:SYD:(A;;CC;;;WD)", 0, 0, 0},
    {"inherited by a container", "D:(A;OI;GR;;;WD)(A;CI;CC;;;WD)(A;;GA;;;WD)", NULL, DEFAULT,
     "O:BAG:SYD:(A;OIIO;GR;;;WD)(A;CI;CC;;;WD)", 1, 0, 0},
    {"generic rights are split", "D:(A;CIOI;GR;;;WD)", NULL, DEFAULT,
     "O:BAG:SYD:(A;;CC;;;WD)(A;OICIIO;GR;;;WD)", 1, 0, 0},
    {"no further", "D:(A;CINP;GR;;;WD)(A;OINP;GR;;;WD)", NULL, DEFAULT, "O:BAG:SYD:(A;;CC;;;WD)", 1, 0, 0},
    {"inherit only comes into force", "D:(A;CIIO;CC;;;WD)", NULL, DEFAULT, "O:BAG:SYD:(A;CI;CC;;;WD)", 1, 0,
     0},
    {"creator", "D:(A;OI;CC;;;CO)(D;OI;DC;;;CG)", NULL, DEFAULT, "O:BAG:SYD:(A;;CC;;;BA)(D;;DC;;;SY)", 0, 0,
     0},
    {"creator, passed on", "D:(A;OICI;CC;;;CO)", NULL, DEFAULT, "O:BAG:SYD:(A;;CC;;;BA)(A;OICIIO;CC;;;CO)", 1,
     0, 0},
    {"nothing to inherit", "D:(A;CI;GR;;;WD)", NULL, DEFAULT, "O:BAG:SYD:(A;;CCDCLCSW;;;SY)", 0, 0, 0},
    {"automatic", "D:(A;OI;CC;;;WD)", "D:(A;;DC;;;BA)(A;ID;LC;;;BU)", DEFAULT,
     "O:BAG:SYD:AI(A;;DC;;;BA)(A;ID;CC;;;WD)", 0, SEF_DACL_AUTO_INHERIT, 0},
    {"automatic, protected", "D:(A;OI;CC;;;WD)", "D:P(A;;DC;;;BA)", DEFAULT, "O:BAG:SYD:PAI(A;;DC;;;BA)", 0,
     SEF_DACL_AUTO_INHERIT, 0},
    {"automatic, none given", "D:(A;CI;CC;;;WD)", NULL, DEFAULT, "O:BAG:SYD:AI(A;CIID;CC;;;WD)", 1,
     SEF_DACL_AUTO_INHERIT, 0},
    {"audit", NULL, "S:(AU;SA;CC;;;WD)", DEFAULT, NULL, 0, 0, STATUS_PRIVILEGE_NOT_HELD},
    {"audit, not asked about", NULL, "S:(AU;SA;GR;;;WD)", DEFAULT,
     "O:BAG:SYD:(A;;CCDCLCSW;;;SY)S:(AU;SA;CC;;;WD)", 0, SEF_AVOID_PRIVILEGE_CHECK, 0},
    {"a label", NULL, "S:(ML;;NW;;;LW)", DEFAULT, "O:BAG:SYD:(A;;CCDCLCSW;;;SY)S:(ML;;NW;;;LW)", 0, 0, 0},
    {"a label above his own", NULL, "S:(ML;;NW;;;HI)", DEFAULT, NULL, 0, 0, STATUS_INVALID_LABEL},
    {"for another type", "D:(OA;OI;CC;;f30e3bbe-9ff0-11d1-b603-0000f80367c1;WD)(OA;OI;DC;;;WD)", NULL,
     DEFAULT, "O:BAG:SYD:(OA;;DC;;;WD)", 0, 0, 0},
};

/* User System, group Administrators that may own. */
static void run(const CASE *c, BOOLEAN Report)
{
    RTL_SECURITY_PARTS parent, given, token, who;
    PSECURITY_DESCRIPTOR parentSd = parse(c->Parent, &parent), givenSd = parse(c->Explicit, &given),
                         tokenSd = parse(c->Default, &token), whoSd = parse("O:SYG:BA", &who), made;
    SID_AND_ATTRIBUTES sids[] = {{who.Owner, 0}, {who.Group, SE_GROUP_ENABLED | SE_GROUP_OWNER}};
    SE_IDENTITY identity = {.Sids = sids, .SidCount = 2, .IntegrityLevel = SECURITY_MANDATORY_MEDIUM_RID};
    SE_NEW_OBJECT new = {parentSd ? &parent : NULL,
                         givenSd ? &given : NULL,
                         &identity,
                         token.Owner,
                         token.Group,
                         token.Dacl,
                         &Mapping,
                         NULL,
                         c->Container,
                         c->Flags};
    NTSTATUS status = SeBuildDescriptor(&new, &made);
    if (Report && status != c->Status)
        fail_msg("%s: %x", c->Name, (unsigned)status);
    if (NT_SUCCESS(status)) {
        UNICODE_STRING text, expected;
        WCHAR room[300];
        assert_int_equal(SeDescriptorToSddl(made, 0xF, &text), STATUS_SUCCESS);
        expected = wide(c->Result, room);
        if (!RtlEqualUnicodeString(&text, &expected, FALSE)) {
            for (USHORT i = 0; i < text.Length / sizeof(WCHAR); i++)
                fprintf(stderr, "%c", text.Buffer[i]);
            fail_msg(": %s", c->Name);
        }
        RtlFreeUnicodeString(&text);
        SeFreeDescriptor(made);
    }
    PSECURITY_DESCRIPTOR all[] = {parentSd, givenSd, tokenSd, whoSd};
    for (int i = 0; i < 4; i++)
        if (all[i] != NULL)
            SeFreeDescriptor(all[i]);
    assert_int_equal(TestPool.Live, 0);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < RTL_NUMBER_OF(Cases); i++)
        run(&Cases[i], TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

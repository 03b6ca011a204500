/* SPDX-License-Identifier: MIT
 * SDDL: texts that come back as they are, texts that come back in their ordinary form, texts that are refused. [WDK SDDL for
 * Device Objects], [Win32 Security Descriptor String Format], [MS-DTYP 2.5.1.1] */
#include "rtl_test.h"
#include "se_core.h"

static UNICODE_STRING wide(const char *Text, WCHAR *Room)
{
    USHORT n = 0;
    for (; Text[n] != 0; n++)
        Room[n] = (UCHAR)Text[n];
    return (UNICODE_STRING){n * sizeof(WCHAR), n * sizeof(WCHAR), Room};
}

static NTSTATUS parse(const char *Text, PSECURITY_DESCRIPTOR *Descriptor)
{
    UNICODE_STRING string = wide(Text, malloc(strlen(Text) * sizeof(WCHAR) + 1));
    string.Buffer = realloc(string.Buffer, string.Length != 0 ? string.Length : 1);
    NTSTATUS status = SeSddlToDescriptor(&string, Descriptor);
    free(string.Buffer);
    return status;
}

static void check(const char *In, const char *Out)
{
    PSECURITY_DESCRIPTOR sd;
    UNICODE_STRING text;
    WCHAR room[600];
    if (parse(In, &sd) != STATUS_SUCCESS)
        fail_msg("refused: %s", In);
    assert_true(RtlValidRelativeSecurityDescriptor(sd, RtlLengthSecurityDescriptor(sd), 0));
    assert_int_equal(SeDescriptorToSddl(sd, 0xF, &text), STATUS_SUCCESS);
    UNICODE_STRING expected = wide(Out, room);
    if (!RtlEqualUnicodeString(&text, &expected, FALSE)) {
        for (USHORT i = 0; i < text.Length / sizeof(WCHAR); i++)
            fprintf(stderr, "%c", text.Buffer[i]);
        fail_msg(" instead of %s", Out);
    }
    RtlFreeUnicodeString(&text);
    SeFreeDescriptor(sd);
    assert_int_equal(TestPool.Live, 0);
}

/* The strings of wdmsec.h: [WDK SDDL for Device Objects]. */
static const char *const devices[] = {
    "D:P",
    "D:P(A;;GA;;;SY)",
    "D:P(A;;GA;;;SY)(A;;GA;;;BA)",
    "D:P(A;;GA;;;SY)(A;;GRGX;;;BA)",
    "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)",
    "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GR;;;WD)(A;;GR;;;RC)",
    "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGW;;;WD)(A;;GR;;;RC)",
    "D:P(A;;GA;;;SY)(A;;GRGWGX;;;BA)(A;;GRGWGX;;;WD)(A;;GRGWGX;;;RC)",
};

static void test_devices(void **state)
{
    (void)state;
    for (size_t i = 0; i < RTL_NUMBER_OF(devices); i++)
        check(devices[i], devices[i]);
}

static void test_unchanged(void **state)
{
    static const char *const texts[] = {
        "",
        "O:BAG:SYD:PARAI(D;OICIIO;FA;;;WD)(A;ID;KR;;;S-1-5-21-1-2-3-1001)S:AI(AU;SAFA;CCDCWDWO;;;WD)",
        "D:NO_ACCESS_CONTROL",
        "D:PNO_ACCESS_CONTROL",
        "S:(ML;;NWNR;;;LW)",
        "O:S-1-0x010000000005-7",
        "D:(OA;CI;CCDC;f30e3bbe-9ff0-11d1-b603-0000f80367c1;;AU)",
        "D:(OD;;CR;;bf967aba-0de6-11d0-a285-00aa003049e2;WD)",
        "D:(OA;;RP;f30e3bbe-9ff0-11d1-b603-0000f80367c1;bf967aba-0de6-11d0-a285-00aa003049e2;UD)",
        "D:(A;;0x200;;;SY)(A;;;;;AN)",
    };
    (void)state;
    for (size_t i = 0; i < RTL_NUMBER_OF(texts); i++)
        check(texts[i], texts[i]);
}

static void test_other_forms(void **state)
{
    (void)state;
    check("D: (A;;0x10000000;;;SY) (A;;GXGR;;;S-1-5-32-544)", "D:(A;;GA;;;SY)(A;;GRGX;;;BA)");
    check("S:D:G:BAO:SY", "O:SYG:BAD:S:");
    check("D:(A;;0X1F01ff;;;WD)", "D:(A;;FA;;;WD)");
    check("D:(A;;16;;;WD)(A;;020;;;WD)(A;;0;;;WD)", "D:(A;;RP;;;WD)(A;;RP;;;WD)(A;;;;;WD)");
}

static void test_refused(void **state)
{
    static const struct {
        const char *Text;
        NTSTATUS Status;
    } texts[] = {
        {"X:BA", STATUS_INVALID_PARAMETER},
        {"D", STATUS_INVALID_PARAMETER},
        {"D:P(", STATUS_INVALID_PARAMETER},
        {"D:P(A", STATUS_INVALID_PARAMETER},
        {"D:P(A;;GA;;;SY", STATUS_INVALID_PARAMETER},
        {"D:P(A;;GA;;SY)", STATUS_INVALID_PARAMETER},
        {"D:P(A;;GA;;;SY)D:P", STATUS_INVALID_PARAMETER},
        {"O:BAO:BA", STATUS_INVALID_PARAMETER},
        {"O:", STATUS_INVALID_SID},
        {"O:B", STATUS_INVALID_SID},
        {"O:DA", STATUS_INVALID_SID},
        {"O:S-2-5-18", STATUS_INVALID_SID},
        {"O:S-1-5", STATUS_INVALID_SID},
        {"O:S-1-5-", STATUS_INVALID_SID},
        {"O:S-1-5-4294967296", STATUS_INVALID_SID},
        {"O:S-1-0x1000000000000-1", STATUS_INVALID_SID},
        {"O:S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", STATUS_INVALID_SID},
        {"D:(A;;GZ;;;SY)", STATUS_INVALID_PARAMETER},
        {"D:(A;XX;GA;;;SY)", STATUS_INVALID_PARAMETER},
        {"D:(Q;;GA;;;SY)", STATUS_INVALID_PARAMETER},
        {"D:(A;;0x100000000;;;SY)", STATUS_INVALID_PARAMETER},
        {"D:(A;;0x;;;SY)", STATUS_INVALID_PARAMETER},
        {"D:(A;;GA;f30e3bbe-9ff0-11d1-b603-0000f80367c1;;SY)", STATUS_INVALID_PARAMETER},
        {"D:(OA;;GA;f30e3bbe-9ff0-11d1-b603-0000f80367cX;;SY)", STATUS_INVALID_PARAMETER},
        {"D:(OA;;GA;f30e3bbe;;SY)", STATUS_INVALID_PARAMETER},
        {"D:(ML;;GA;;;LW)", STATUS_INVALID_PARAMETER},
        {"D:(A;;GA;;;SY)x", STATUS_INVALID_PARAMETER},
    };
    (void)state;
    for (size_t i = 0; i < RTL_NUMBER_OF(texts); i++) {
        PSECURITY_DESCRIPTOR sd;
        NTSTATUS status = parse(texts[i].Text, &sd);
        if (status != texts[i].Status)
            fail_msg("%s: %x", texts[i].Text, (unsigned)status);
        assert_int_equal(TestPool.Live, 0);
    }
}

/* Every prefix is refused or taken, never read past; memory that fails is given back. */
static void test_prefixes_and_memory(void **state)
{
    const char *text =
        "O:S-1-5-21-1-2G:BAD:P(OA;CI;CCDC;f30e3bbe-9ff0-11d1-b603-0000f80367c1;;AU)S:AI(AU;SA;0x1;;;WD)";
    PSECURITY_DESCRIPTOR sd;
    UNICODE_STRING out;
    (void)state;
    for (size_t n = 0; n <= strlen(text); n++) {
        char *prefix = strndup(text, n);
        if (parse(prefix, &sd) == STATUS_SUCCESS)
            SeFreeDescriptor(sd);
        free(prefix);
        assert_int_equal(TestPool.Live, 0);
    }
    for (long fail = 1; fail <= 3; fail++) {
        TestPool.FailAt = fail;
        assert_int_equal(parse(text, &sd), STATUS_INSUFFICIENT_RESOURCES);
        assert_int_equal(TestPool.Live, 0);
    }
    assert_int_equal(parse(text, &sd), STATUS_SUCCESS);
    TestPool.FailAt = 1;
    assert_int_equal(SeDescriptorToSddl(sd, 0xF, &out), STATUS_INSUFFICIENT_RESOURCES);
    SeFreeDescriptor(sd);
}

/* As many ACEs as a string can name. */
static void test_many(void **state)
{
    static const char one[] = "(A;;GA;;;SY)";
    PSECURITY_DESCRIPTOR sd;
    size_t count = 2700;
    char *text = malloc(2 + count * strlen(one) + 1);
    (void)state;
    memcpy(text, "D:", 3);
    for (size_t i = 0; i < count; i++)
        memcpy(text + 2 + i * strlen(one), one, sizeof(one));
    assert_int_equal(parse(text, &sd), STATUS_SUCCESS);
    assert_int_equal(RtlLengthSecurityDescriptor(sd), 20 + 8 + count * 20);
    SeFreeDescriptor(sd);
    assert_int_equal(TestPool.Live, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices),     cmocka_unit_test(test_unchanged),
        cmocka_unit_test(test_other_forms), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many),        cmocka_unit_test(test_prefixes_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

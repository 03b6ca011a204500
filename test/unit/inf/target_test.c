/* SPDX-License-Identifier: MIT
 * Decorations: which are for Windows 10 22H2 x64 (a workstation), and which of them is closest. */
#include "cmocka_glib.h"

#include <string.h>

#include "inf_target.h"

static void which_match(void **state)
{
    static const char *const yes[] = {"",
                                      "NT",
                                      "ntAMD64",
                                      "NT.5",
                                      "NTamd64.6.3",
                                      "NTamd64.10",
                                      "NTamd64.10.0",
                                      "NTamd64.10.0.1",
                                      "NTamd64.10.0.1.0x100",
                                      "NTamd64.10.0...19045",
                                      "NTamd64.10.0...16299",
                                      "NT...1",
                                      "NTamd64.6.4...22000"};
    static const char *const no[] = {"NTx86",
                                     "NTarm64",
                                     "NTia64.6.0",
                                     "amd64",
                                     "NTamd64.10.1",
                                     "NTamd64.11",
                                     "NTamd64.10.0.2",
                                     "NTamd64.10.0.3",
                                     "NTamd64.10.0...19046",
                                     "NTamd64.10.0.1.0x2",
                                     "NTamd64.10.0....1",
                                     "NTamd64.x",
                                     "NTamd64.10.0...99999999999",
                                     "NTamd64.10.0...1.2"};
    InfRank rank;
    for (size_t i = 0; i < G_N_ELEMENTS(yes); i++) {
        if (!inf_target_rank(yes[i], &rank))
            fail_msg("%s is for this system", yes[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(no); i++) {
        if (inf_target_rank(no[i], &rank))
            fail_msg("%s is not for this system", no[i]);
    }
}

/* Each is closer than the one before. */
static void which_is_closest(void **state)
{
    static const char *const order[] = {"",
                                        "NT",
                                        "NTamd64",
                                        "NT.5.1",
                                        "NTamd64.5.1",
                                        "NT.6.0",
                                        "NTamd64.10",
                                        "NT.10.0...14393",
                                        "NTamd64.10.0...16299",
                                        "NTamd64.10.0.1..16299"};
    for (size_t i = 0; i + 1 < G_N_ELEMENTS(order); i++) {
        InfRank one, other;
        assert_true(inf_target_rank(order[i], &one) && inf_target_rank(order[i + 1], &other));
        if (!inf_target_is_closer(&other, &one) || inf_target_is_closer(&one, &other))
            fail_msg("%s is closer than %s", order[i + 1], order[i]);
    }
}

static const char *section_of(const char *text, const char *name)
{
    static char found[64];
    g_autoptr(InfFile) file = inf_file_parse("x.inf", text, strlen(text), NULL);
    const InfSection *section = inf_target_section(file, name);
    g_strlcpy(found, section ? section->Name : "(none)", sizeof found);
    return found;
}

static void install_sections(void **state)
{
    assert_string_equal(section_of("[A]\n[A.NT]\n[A.NTamd64]\n[A.NTx86]\n", "a"), "A.NTamd64");
    assert_string_equal(section_of("[A]\n[A.nt]\n[A.NTx86]\n", "A"), "A.nt");
    assert_string_equal(section_of("[A]\n[A.NTx86]\n[A.NTfoo]\n", "A"), "A");
    assert_string_equal(section_of("[A.NT.Services]\n[A.NT.HW]\n", "A"), "(none)");
    assert_string_equal(section_of("[A.NT.10.0]\n[A.NTamd64]\n", "A"), "A.NTamd64");
    assert_string_equal(section_of("[A.NTamd64.6.1]\n[A.NTamd64.10.0]\n[A.NTamd64.6.3]\n", "A"),
                        "A.NTamd64.10.0");
    assert_string_equal(section_of("[B.NT]\n", "A"), "(none)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_match),
        cmocka_unit_test(which_is_closest),
        cmocka_unit_test(install_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

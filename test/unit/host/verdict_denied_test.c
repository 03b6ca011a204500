/* SPDX-License-Identifier: MIT
 * What becomes of a run whose allocations fail on purpose. */
#include "story.h"

static int set_up_failing_boot(void **state)
{
    return tell(state, "ntbox a.sys --fail-allocations boot:7");
}

static int set_up_failing_third(void **state)
{
    return tell(state, "ntbox a.sys --fail-allocations 3");
}

static void denied(Story *story, unsigned seen, unsigned failed)
{
    guest_ring_number(&story->Guest, ReportKeyTotal, seen);
    guest_ring_number(&story->Guest, ReportKeyInformation, failed);
    if (failed) {
        guest_ring_text(&story->Guest, ReportKeyModule, "ntoskrnl.exe");
        guest_ring_text(&story->Guest, ReportKeySymbol, "ObX");
        guest_ring_number(&story->Guest, ReportKeyOffset, 0x123);
    }
    guest_ring_publish(&story->Guest, ReportDenied);
}

static void stop(Story *story, unsigned code, const char *because)
{
    guest_ring_number(&story->Guest, ReportKeyCode, code);
    guest_ring_text(&story->Guest, ReportKeyText, because);
    guest_ring_publish(&story->Guest, ReportBugCheck);
    denied(story, 7, 1);
}

static void a_boot_that_stops_as_asked(void **state)
{
    boot(*state);
    stop(*state, 0x5e, REPORT_NO_MEMORY);
    g_autofree char *text =
        expect(*state, ExitPass, "stopped",
               "allocation 7 of the boot, which ntoskrnl.exe!ObX asked for, was failed on purpose, and the "
               "kernel stopped with bug check 0x5E");
    assert_in(text,
              "on purpose   1 of the 7 allocations so far failed, for ntoskrnl.exe!ObX (ntoskrnl.exe+0x123)");
}

static void a_boot_that_stops_as_asked_before_it_can_report(void **state)
{
    Story *story = *state;
    g_free(story->Report->Log);
    story->Report->Log = g_strdup("osloader\n*** STOP 0x0000007D INSTALL_MORE_MEMORY (0x1, 0x0, 0x2, 0x0)\n"
                                  "*** " REPORT_NO_MEMORY "\n  #0 x\n");
    g_autofree char *text = expect(story, ExitPass, "stopped", "bug check 0x7D (INSTALL_MORE_MEMORY)");
    assert_in(text, "serial log   *** STOP 0x0000007D");
}

static void a_boot_that_crashes_is_our_fault(void **state)
{
    boot(*state);
    stop(*state, 0x50, "it read what is not there");
    g_free(
        expect(*state, ExitFault, "fault",
               "; allocation 7 of the boot, which ntoskrnl.exe!ObX asked for, had been failed on purpose"));
}

static void a_boot_that_does_without(void **state)
{
    boot(*state);
    denied(*state, 400, 1);
    load(*state);
    done(*state);
    g_free(expect(*state, ExitPass, "passed", "all steps succeeded; allocation 7 of the boot, which"));
}

static void an_allocation_of_the_boot_that_never_came(void **state)
{
    boot(*state);
    denied(*state, 5, 0);
    load(*state);
    done(*state);
    g_free(expect(*state, ExitUsage, "untested",
                  "allocation 7 of the boot never came, so that none failed: the boot has only 5"));
}

static void end_of_pass(Story *story, unsigned number, unsigned seen, unsigned failed)
{
    guest_ring_number(&story->Guest, ReportKeyCount, number);
    guest_ring_number(&story->Guest, ReportKeyTotal, seen);
    guest_ring_number(&story->Guest, ReportKeyInformation, failed);
    guest_ring_publish(&story->Guest, ReportPassEnd);
}

static void an_allocation_that_never_came(void **state)
{
    boot(*state);
    end_of_pass(*state, 0, 99, 0);
    end_of_pass(*state, 3, 2, 0);
    done(*state);
    g_free(expect(*state, ExitUsage, "untested",
                  "allocation 3 never came, so that none failed: the steps make only 2"));
}

static void an_allocation_that_came(void **state)
{
    boot(*state);
    end_of_pass(*state, 0, 99, 0);
    end_of_pass(*state, 3, 20, 1);
    done(*state);
    g_free(expect(*state, ExitPass, "passed", "all steps succeeded"));
}

#define BOOT(name) cmocka_unit_test_setup_teardown(name, set_up_failing_boot, tear_down)
#define THIRD(name) cmocka_unit_test_setup_teardown(name, set_up_failing_third, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOT(a_boot_that_stops_as_asked),
        BOOT(a_boot_that_stops_as_asked_before_it_can_report),
        BOOT(a_boot_that_crashes_is_our_fault),
        BOOT(a_boot_that_does_without),
        BOOT(an_allocation_of_the_boot_that_never_came),
        THIRD(an_allocation_that_never_came),
        THIRD(an_allocation_that_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 * The machine's life with a stand-in for QEMU (fake_qemu.c, whose path is the first argument). */
#include "cmocka_glib.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_report.h"
#include "usage.h"
#include "vm.h"

static char *fake;

static RunReport *play(const char *role, uint32_t time_limit)
{
    g_autoptr(GError) error = NULL;
    char *command[] = {fake, (char *)role, NULL};
    g_autoptr(GBytes) archive = g_bytes_new_static("070701", 6);
    VmPlan plan = {.Command = command, .Archive = archive, .TimeLimit = time_limit};
    RunReport *report = run_report_new(false);
    if (!vm_run(&plan, report, &error))
        fail_msg("%s", error->message);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
    return report;
}

static void a_run_to_its_end(void **state)
{
    RunReport *report = play("pass", 30);
    assert_int_equal(report->End, VmExited);
    assert_int_equal(report->ExitStatus, 0);
    assert_int_equal(report->Events->len, 2);
    assert_non_null(run_report_first(report, ReportDone));
    assert_string_equal(report->Log, "a line of the log\n");
    assert_null(report->Damage);
    run_report_free(report);
}

static void more_records_than_the_ring_holds(void **state)
{
    RunReport *report = play("flood", 60);
    assert_int_equal(report->End, VmExited);
    assert_int_equal(report->Events->len, RUN_REPORT_MAX_PRINTS + 2); /* prints beyond are counted only */
    assert_int_equal(report->Dropped, 40000 - RUN_REPORT_MAX_PRINTS);
    assert_int_equal(report->Lost, 0);
    run_report_free(report);
}

static void a_machine_that_refuses(void **state)
{
    RunReport *report = play("refuse", 30);
    assert_int_equal(report->End, VmDied);
    assert_string_equal(report->MachineOutput, "fake: no such machine");
    run_report_free(report);
}

static void a_machine_that_says_nothing(void **state)
{
    RunReport *report = play("silent", 30);
    assert_int_equal(report->End, VmExited);
    assert_int_equal(report->Events->len, 0);
    run_report_free(report);
}

static void a_machine_that_dies(void **state)
{
    RunReport *report = play("die", 30);
    assert_int_equal(report->End, VmDied);
    assert_int_equal(report->ExitStatus, SIGABRT);
    run_report_free(report);
}

static void a_hang_ends_at_the_limit_and_tells_where(void **state)
{
    RunReport *report = play("hang", 1);
    assert_int_equal(report->End, VmTimedOut);
    assert_int_equal(report->Processors->len, 1);
    const ProcessorState *first = report->Processors->pdata[0];
    assert_true(first->Rip == 0xfffff80000401010);
    assert_true(report->Seconds >= 1 && report->Seconds < 10);
    run_report_free(report);
}

static void the_kernel_is_asked_where_it_hangs(void **state)
{
    RunReport *report = play("nmi", 1);
    assert_int_equal(report->End, VmTimedOut);
    assert_int_equal(report->Processors->len, 1);
    assert_int_equal(report->HungAt, 1);
    assert_non_null(run_report_first(report, ReportRequest));
    assert_non_null(run_report_first(report, ReportBugCheck));
    assert_null(run_report_bugcheck(report)); /* that of the NMI is none of the guest's own */
    assert_true(report->Seconds < 3);
    run_report_free(report);
}

static void a_reset_ends_the_run_and_tells_where(void **state)
{
    RunReport *report = play("reset", 30);
    assert_int_equal(report->End, VmReset);
    assert_int_equal(report->Processors->len, 1);
    assert_true(report->Seconds < 10);
    run_report_free(report);
}

static void a_monitor_that_does_not_answer_does_not_hold_us(void **state)
{
    RunReport *report = play("mute", 1);
    assert_int_equal(report->End, VmTimedOut);
    assert_int_equal(report->Processors->len, 0);
    assert_true(report->Seconds < 10);
    run_report_free(report);
}

static void damage_ends_the_run_at_once(void **state)
{
    RunReport *report = play("damage", 60);
    assert_int_equal(report->End, VmDamaged);
    assert_non_null(report->Damage);
    assert_true(report->Seconds < 10);
    run_report_free(report);
}

static void a_machine_that_does_not_power_off_is_ended(void **state)
{
    RunReport *report = play("stuck", 60);
    assert_int_equal(report->End, VmStuck);
    assert_true(report->Seconds < 20);
    run_report_free(report);
}

static gboolean interrupt(gpointer context)
{
    kill(getpid(), SIGINT);
    return G_SOURCE_REMOVE;
}

static void an_interrupt_ends_the_machine(void **state)
{
    g_timeout_add(100, interrupt, NULL);
    RunReport *report = play("mute", 60);
    assert_int_equal(report->End, VmInterrupted);
    run_report_free(report);
}

static void a_qemu_that_is_not_there_is_named(void **state)
{
    g_autoptr(GError) error = NULL;
    char *command[] = {"/no/such/qemu", NULL};
    VmPlan plan = {.Command = command, .TimeLimit = 5};
    RunReport *report = run_report_new(false);
    assert_false(vm_run(&plan, report, &error));
    assert_true(g_error_matches(error, NTBOX_USAGE_ERROR, 0));
    assert_non_null(strstr(error->message, "/no/such/qemu"));
    run_report_free(report);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_to_its_end),
        cmocka_unit_test(more_records_than_the_ring_holds),
        cmocka_unit_test(a_machine_that_refuses),
        cmocka_unit_test(a_machine_that_says_nothing),
        cmocka_unit_test(a_machine_that_dies),
        cmocka_unit_test(a_hang_ends_at_the_limit_and_tells_where),
        cmocka_unit_test(the_kernel_is_asked_where_it_hangs),
        cmocka_unit_test(a_reset_ends_the_run_and_tells_where),
        cmocka_unit_test(a_monitor_that_does_not_answer_does_not_hold_us),
        cmocka_unit_test(damage_ends_the_run_at_once),
        cmocka_unit_test(a_machine_that_does_not_power_off_is_ended),
        cmocka_unit_test(an_interrupt_ends_the_machine),
        cmocka_unit_test(a_qemu_that_is_not_there_is_named),
    };
    if (argc != 2)
        return 3;
    fake = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

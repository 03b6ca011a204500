/* SPDX-License-Identifier: MIT
 * From the events of a run to outcome, sentence and exit code, in text and JSON. */
#include "story.h"

/* ---- the cases ---- */

static void pass(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    ioctl(story, 0);
    done(story);
    g_autofree char *text = expect(story, ExitPass, "passed", "all steps succeeded");
    assert_in(text, "ntbox kernel 0.1.0 (checked), booted by pvh, processors 1 of 4\n");
    assert_in(text, "a.sys at 0xfffff80000400000, 28672 bytes");
    assert_in(text, "DriverEntry  a.sys: STATUS_SUCCESS");
    assert_in(text, "step 2: ioctl \\??\\A, code 0x00222000, 1 bytes in, at most 4096 bytes out");
    assert_in(text, "0000  48 65 6c 6c 6f 2c 20 68 6f 73 74 21 00 01 02 03  |Hello, host!....|");
    assert_in(text, "0010  04 ");
    assert_in(text, "\nPASS: all steps succeeded (passed, ");
}

static void request_fails(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    ioctl(story, 0xC0000010);
    done(story);
    g_free(expect(story, ExitDriver, "failed", "step 2 (ioctl) ended with STATUS_INVALID_DEVICE_REQUEST"));
}

/* Not the driver's answer to the request: that was never sent. */
static void a_device_that_cannot_be_opened(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    step(story, ReportStepBegin, 2, ScenarioIoctl, 0);
    guest_ring_text(&story->Guest, ReportKeyKind, REPORT_KIND_OPEN);
    step(story, ReportStepEnd, 2, ScenarioIoctl, 0xC0000010);
    done(story);
    g_autofree char *text = expect(story, ExitDriver, "failed",
                                   "step 2 (ioctl): \\??\\A cannot be opened: STATUS_INVALID_DEVICE_REQUEST");
    assert_in(text, "result       \\??\\A cannot be opened: STATUS_INVALID_DEVICE_REQUEST\n");
}

/* The record of a step's end has neither name nor code: the document has them all the same. */
static void the_document_tells_what_was_asked_for(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    ioctl(story, 0);
    done(story);
    g_free(expect(story, ExitPass, "passed", ""));
    Verdict verdict = verdict_decide(story->Options, story->Report);
    g_autofree char *json = report_json_text(story->Options, story->Report, &verdict);
    g_autoptr(JsonNode) root = json_from_string(json, NULL);
    JsonArray *steps = json_object_get_array_member(json_node_get_object(root), "steps");
    JsonObject *first = json_array_get_object_element(steps, 0),
               *second = json_array_get_object_element(steps, 1);
    assert_string_equal(json_object_get_string_member(first, "name"), "a");
    assert_string_equal(json_object_get_string_member(second, "name"), "\\??\\A");
    assert_string_equal(json_object_get_string_member(second, "code"), "0x222000");
    assert_int_equal(json_object_get_int_member(second, "input_length"), 1);
    assert_int_equal(json_object_get_int_member(second, "output_length"), 4096);
    JsonArray *drivers = json_object_get_array_member(json_node_get_object(root), "drivers");
    assert_string_equal(json_object_get_string_member(json_array_get_object_element(drivers, 0), "driver"),
                        "a.sys");
    verdict_clear(&verdict);
}

/* Steps that were still ending at the time limit: the limit was short, no step hangs. */
static void a_run_that_goes_on_is_no_hang_of_a_step(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    step(story, ReportStepBegin, 2, ScenarioIoctl, 0);
    story->Report->End = VmTimedOut;
    story->Report->Seconds = 0; /* the step has just begun: the times of the story are all 0 */
    g_free(expect(story, ExitDriver, "hang",
                  "which is for the whole run, ended it in step 2 (ioctl \\??\\A), but it was going on: 1 of "
                  "3 steps had ended"));
}

static void a_warning_is_no_failure(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    ioctl(story, 0x80000005);
    done(story);
    g_free(expect(story, ExitPass, "passed", ""));
}

static void entry_fails(void **state)
{
    Story *story = *state;
    boot(story);
    step(story, ReportStepBegin, 1, ScenarioLoad, 0);
    image(story, "a.sys", 0);
    entry(story, 0xC0000001);
    step(story, ReportStepEnd, 1, ScenarioLoad, 0xC0000001);
    done(story);
    g_free(expect(story, ExitDriver, "failed", "a.sys: DriverEntry returned STATUS_UNSUCCESSFUL"));
}

static void missing(Story *story, const char *dll, const char *symbol)
{
    guest_ring_text(&story->Guest, ReportKeyDriver, "a.sys");
    guest_ring_text(&story->Guest, ReportKeyDll, dll);
    guest_ring_text(&story->Guest, ReportKeySymbol, symbol);
    guest_ring_publish(&story->Guest, ReportMissing);
}

static void missing_imports(void **state)
{
    Story *story = *state;
    boot(story);
    missing(story, "ntoskrnl.exe", "IoFoo");
    missing(story, "NDIS.SYS", "NdisBar");
    guest_ring_text(&story->Guest, ReportKeyText,
                    "2 imports are missing"); /* the kernel says more than the count */
    image(story, "a.sys", 0xC0000263);
    done(story);
    g_autofree char *text =
        expect(story, ExitCannotLoad, "cannot-load", "a.sys cannot load: 2 imports are missing");
    assert_in(text, "import NDIS.SYS!NdisBar is not exported");
}

static void user_mode_image(void **state)
{
    Story *story = *state;
    boot(story);
    missing(story, "KERNEL32.dll", "CreateFileW");
    missing(story, "ntdll.dll", "NtClose");
    image(story, "a.sys", 0xC0000263);
    done(story);
    g_free(expect(story, ExitCannotLoad, "cannot-load",
                  "a.sys imports user-mode DLLs (kernel32.dll, ntdll.dll): not a kernel driver"));
}

static void refused_image(void **state)
{
    Story *story = *state;
    boot(story);
    guest_ring_text(&story->Guest, ReportKeyText, "an image for ARM64; x64 (AMD64) is needed");
    image(story, "a.sys", 0xC000007B);
    done(story);
    g_free(expect(story, ExitCannotLoad, "cannot-load", "a.sys cannot load: an image for ARM64"));
}

static void bugcheck_in_the_driver(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    bugcheck(story, "a.sys");
    frame(story, 0, "a.sys");
    g_autofree char *text =
        expect(story, ExitDriver, "bugcheck", "a.sys caused bug check 0xD1 (DRIVER_IRQL_NOT_LESS_OR_EQUAL)");
    assert_in(text, "IRQL 2 (DISPATCH_LEVEL), processor 0");
    assert_in(text, "#0  a.sys+0x1010");
}

/* A driver is on the stack, but the kernel, which knows what it was interrupted by or given, names none. */
static void bugcheck_that_the_kernel_blames_on_nobody(void **state)
{
    Story *story = *state;
    boot(story);
    bugcheck(story, "ntoskrnl.exe");
    frame(story, 0, "ntoskrnl.exe");
    frame(story, 1, "a.sys");
    g_free(expect(story, ExitFault, "fault", "no driver under test is to blame for"));
}

/* Whose block it is says nothing of who wrote there: some driver did. */
static void damaged_pool_of_the_kernel(void **state)
{
    Story *story = *state;
    boot(story);
    pool_damage(story, 0x19, 0x20);
    g_free(expect(story, ExitDriver, "bugcheck", "pool was damaged, and nothing tells by whom"));
}

static void freed_pool_of_the_kernel_is_written_to(void **state)
{
    Story *story = *state;
    boot(story);
    pool_damage(story, 0x1A, 0x5200);
    g_free(expect(story, ExitDriver, "bugcheck", "--special-pool stops at the write that does it"));
}

static void other_damage_is_the_kernels(void **state)
{
    Story *story = *state;
    boot(story);
    pool_damage(story, 0x1A, 0x1233);
    g_free(expect(story, ExitFault, "fault", "no driver under test is to blame for"));
}

static void bugcheck_of_the_kernel_alone(void **state)
{
    Story *story = *state;
    boot(story);
    bugcheck(story, "ntoskrnl.exe");
    frame(story, 0, "ntoskrnl.exe");
    frame(story, 1, "agent.sys");
    g_free(expect(story, ExitFault, "fault", "no driver under test is to blame for"));
}

static void leak(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    guest_ring_text(&story->Guest, ReportKeyDriver, "a.sys");
    guest_ring_text(&story->Guest, ReportKeyKind, "pool");
    guest_ring_text(&story->Guest, ReportKeyTag, "kaeL");
    guest_ring_number(&story->Guest, ReportKeySize, 64);
    guest_ring_number(&story->Guest, ReportKeyCount, 3);
    guest_ring_publish(&story->Guest, ReportLeak);
    done(story);
    g_autofree char *text = expect(story, ExitDriver, "failed", "a.sys leaked: pool");
    assert_in(text, "a.sys: pool, tag 'kaeL', 64 bytes, 3 times");
}

static void a_warning_of_the_loader_is_no_failure(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    guest_ring_text(&story->Guest, ReportKeyDriver, "a.sys");
    guest_ring_text(&story->Guest, ReportKeyKind, "image");
    guest_ring_text(&story->Guest, ReportKeyText, "a section is writable and executable");
    guest_ring_publish(&story->Guest, ReportViolation);
    done(story);
    g_autofree char *text = expect(story, ExitPass, "passed", "");
    assert_in(text, "warning      a.sys: image: a section is writable and executable");
}

static void a_broken_rule(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    guest_ring_text(&story->Guest, ReportKeyDriver, "a.sys");
    guest_ring_text(&story->Guest, ReportKeyKind, "irql");
    guest_ring_text(&story->Guest, ReportKeyText, "a dispatch routine returned at IRQL 2");
    guest_ring_publish(&story->Guest, ReportViolation);
    done(story);
    g_free(expect(story, ExitDriver, "failed", "a.sys broke a rule: a dispatch routine returned at IRQL 2"));
}

static void failed_case(void **state)
{
    Story *story = *state;
    boot(story);
    guest_ring_text(&story->Guest, ReportKeyCase, "event.set");
    guest_ring_number(&story->Guest, ReportKeyStatus, 0xC0000001);
    guest_ring_text(&story->Guest, ReportKeyText, "line 12: the state is 1");
    guest_ring_publish(&story->Guest, ReportCaseEnd);
    done(story);
    g_free(expect(story, ExitDriver, "failed", "case event.set failed: line 12"));
}

static void a_driver_without_unload_routine_is_no_failure(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    step(story, ReportStepBegin, 3, ScenarioUnload, 0);
    step(story, ReportStepEnd, 3, ScenarioUnload, 0xC0000010);
    done(story);
    g_autofree char *text = expect(story, ExitPass, "passed", "");
    assert_in(text, "unload       refused: a.sys has no DriverUnload");
    assert_in(text, "leaks were not looked for");
}

static void hang_in_the_driver(void **state)
{
    Story *story = *state;
    boot(story);
    step(story, ReportStepBegin, 1, ScenarioLoad, 0);
    image(story, "a.sys", 0);
    story->Report->End = VmTimedOut;
    g_ptr_array_unref(story->Report->Processors);
    story->Report->Processors = qmp_parse_registers("\r\nCPU#0\r\nRAX=0000000000000000 RBX=0\r\n"
                                                    "RIP=fffff80000401010 RFL=00000202 HLT=0\r\n\r\nCPU#1\r\n"
                                                    "RIP=0000000000001234 RFL=00000202 HLT=1\r\n");
    assert_int_equal(story->Report->Processors->len, 2);
    ProcessorState *first = story->Report->Processors->pdata[0],
                   *second = story->Report->Processors->pdata[1];
    assert_true(first->Rip == 0xfffff80000401010 && !first->Halted && second->Number == 1 && second->Halted);
    first->Module = g_strdup("a.sys");
    g_free(expect(story, ExitDriver, "hang",
                  "the time limit of 30 s ended the run in step 1 (load a), in a.sys"));
}

static void hang_before_the_first_step(void **state)
{
    Story *story = *state;
    boot(story);
    story->Report->End = VmTimedOut;
    g_free(expect(story, ExitFault, "hang", "before its first step"));
    story->Report->TimeLimit = 1;
    g_free(expect(story, ExitUsage, "environment", "--timeout gives more"));
}

static void kernel_that_does_not_start(void **state)
{
    Story *story = *state;
    g_free(story->Report->Log);
    story->Report->Log = g_strdup("osloader: hello\nosloader: no long mode\n\n");
    g_free(
        expect(story, ExitFault, "fault", "the kernel did not start; last log line: osloader: no long mode"));
}

static void qemu_that_refuses_its_options(void **state)
{
    Story *story = *state;
    story->Report->End = VmDied;
    g_free(story->Report->MachineOutput);
    story->Report->MachineOutput = g_strdup("qemu: no such machine");
    g_free(expect(story, ExitUsage, "environment", "qemu: no such machine"));
}

static void qemu_that_was_killed(void **state)
{
    Story *story = *state;
    story->Report->End = VmDied;
    story->Report->Signalled = true;
    story->Report->ExitStatus = 9;
    g_free(expect(story, ExitUsage, "environment",
                  "QEMU could not run the machine: signal 9 (Killed); it said nothing"));
}

static void no_end_of_the_scenario(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    g_free(expect(story, ExitFault, "fault", "stopped before the scenario's end"));
}

static void names_of_codes(void **state)
{
    assert_string_equal(ntstatus_name(0), "STATUS_SUCCESS");
    assert_string_equal(ntstatus_name(0x103), "STATUS_PENDING");
    assert_string_equal(ntstatus_name(0xC0000263), "STATUS_DRIVER_ENTRYPOINT_NOT_FOUND");
    assert_null(ntstatus_name(0xDEADBEEF));
    g_autofree char *unknown = ntstatus_text(0xDEADBEEF);
    assert_string_equal(unknown, "0xdeadbeef");
    assert_string_equal(bugcheck_name(0x139), "KERNEL_SECURITY_CHECK_FAILURE");
    assert_string_equal(bugcheck_name(0x0A), "IRQL_NOT_LESS_OR_EQUAL");
}

static void user_mode_names(void **state)
{
    assert_true(dll_is_user_mode("KERNEL32.DLL"));
    assert_true(dll_is_user_mode("api-ms-win-core-file-l1-1-0.dll"));
    assert_true(dll_is_user_mode("VCRUNTIME140.dll"));
    assert_false(dll_is_user_mode("hal.dll"));
    assert_false(dll_is_user_mode("NDIS.SYS"));
    assert_false(dll_is_user_mode("ntoskrnl.exe"));
}

/* ---- hangs and resets ---- */

static void a_hang_names_who_holds_the_request(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    step(story, ReportStepBegin, 2, ScenarioIoctl, 0);
    let_seconds_pass(story, 29);
    assert_true(report_reader_drain(&story->Reader, run_report_add, story->Report));
    story->Report->End = VmTimedOut;
    story->Report->HungAt = story->Report->Events->len;
    bugcheck(story, NULL);
    guest_ring_text(&story->Guest, ReportKeyDriver, "a.sys");
    guest_ring_text(&story->Guest, ReportKeyName, "IRP_MJ_READ");
    guest_ring_publish(&story->Guest, ReportRequest);
    g_autofree char *text =
        expect(story, ExitDriver, "hang", "in step 2 (ioctl \\??\\A); a.sys holds IRP_MJ_READ");
    assert_in(text, "a.sys holds IRP_MJ_READ (IRP");
}

static void waiting(Story *story, const char *module, const char *kind, const char *text)
{
    guest_ring_text(&story->Guest, ReportKeyModule, module);
    guest_ring_text(&story->Guest, ReportKeySymbol, "Routine");
    guest_ring_text(&story->Guest, ReportKeyText, text);
    if (kind)
        guest_ring_text(&story->Guest, ReportKeyKind, kind);
    guest_ring_publish(&story->Guest, ReportThread);
}

static void stands_in(Story *story, const char *module)
{
    guest_ring_text(&story->Guest, ReportKeyModule, module);
    guest_ring_publish(&story->Guest, ReportThreadFrame);
}

/* Rather the thread that does the step than one that waits for a lock, and never one that just waits. */
static void a_hang_names_the_thread_that_waits(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    step(story, ReportStepBegin, 2, ScenarioIoctl, 0);
    let_seconds_pass(story, 29);
    assert_true(report_reader_drain(&story->Reader, run_report_add, story->Report));
    story->Report->End = VmTimedOut;
    story->Report->HungAt = story->Report->Events->len;
    bugcheck(story, NULL);
    waiting(story, "a.sys", NULL, "waits for event 0x1");
    stands_in(story, "a.sys");
    g_free(expect(story, ExitDriver, "hang", "in step 2 (ioctl \\??\\A)"));
    waiting(story, "a.sys", "resource", "waits for resource 0x2");
    stands_in(story, "a.sys");
    g_free(
        expect(story, ExitDriver, "hang", "(ioctl \\??\\A), in a.sys!Routine, which waits for resource 0x2"));
    waiting(story, "a.sys", NULL, "waits for mutex 0x3");
    stands_in(story, "a.sys");
    stands_in(story, "agent.sys");
    g_free(expect(story, ExitDriver, "hang", "(ioctl \\??\\A), in a.sys!Routine, which waits for mutex 0x3"));
}

static void a_bug_check_before_the_hang_counts(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    bugcheck(story, "a.sys");
    assert_true(report_reader_drain(&story->Reader, run_report_add, story->Report));
    story->Report->End = VmTimedOut;
    story->Report->HungAt = story->Report->Events->len;
    g_free(expect(story, ExitDriver, "bugcheck", "a.sys caused bug check 0xD1"));
}

static void a_reset_is_the_driver_in_hands(void **state)
{
    Story *story = *state;
    boot(story);
    load(story);
    step(story, ReportStepBegin, 2, ScenarioIoctl, 0);
    story->Report->End = VmReset;
    g_free(expect(story, ExitDriver, "reset", "step 2 (ioctl \\??\\A); in hand: a.sys"));
}

static void a_reset_before_the_first_step_is_the_kernels(void **state)
{
    Story *story = *state;
    boot(story);
    story->Report->End = VmReset;
    g_free(expect(story, ExitFault, "reset", "before the first step"));
}

/* ---- many drivers, many rounds ---- */

static void failed_status(Story *story, const char *driver, REPORT_TYPE type, uint32_t status)
{
    guest_ring_text(&story->Guest, ReportKeyDriver, driver);
    guest_ring_text(&story->Guest, ReportKeyText, "for a reason");
    guest_ring_number(&story->Guest, ReportKeyStatus, status);
    guest_ring_publish(&story->Guest, type);
}

static void leak_of(Story *story, const char *driver, const char *kind)
{
    guest_ring_text(&story->Guest, ReportKeyDriver, driver);
    guest_ring_text(&story->Guest, ReportKeyKind, kind);
    guest_ring_publish(&story->Guest, ReportLeak);
}

static void load_and_unload(Story *story, unsigned first)
{
    for (unsigned number = first; number < first + 2; number++) {
        SCENARIO_OP operation = number % 2 ? ScenarioLoad : ScenarioUnload;
        step(story, ReportStepBegin, number, operation, 0);
        step(story, ReportStepEnd, number, operation, 0);
    }
}

static void the_worst_of_all_drivers_decides(void **state)
{
    Story *story = *state;
    boot(story);
    step(story, ReportStepBegin, 1, ScenarioLoad, 0);
    failed_status(story, "a.sys", ReportImage, 0xC000007B); /* 2 */
    step(story, ReportStepEnd, 1, ScenarioLoad, 0xC000007B);
    step(story, ReportStepBegin, 2, ScenarioUnload, 0);
    step(story, ReportStepEnd, 2, ScenarioUnload, 0xC0000034); /* follows from it */
    load_and_unload(story, 3);
    load_and_unload(story, 5);
    load_and_unload(story, 7);
    load_and_unload(story, 9);
    step(story, ReportStepBegin, 11, ScenarioLoad, 0);
    failed_status(story, "c.sys", ReportEntry, 0xC0000001); /* 1, which is worse */
    step(story, ReportStepEnd, 11, ScenarioLoad, 0xC0000001);
    done(story);
    g_autofree char *text =
        expect(story, ExitDriver, "failed",
               "round 2: c.sys: DriverEntry returned STATUS_UNSUCCESSFUL; 1 more driver failed");
    assert_in(text, "a.sys                    2 of 2 rounds, a.sys cannot load: for a reason\n");
    assert_in(text, "b.sys                    2 of 2 rounds, passed\n");
    assert_in(text, "c.sys                    2 of 2 rounds, c.sys: DriverEntry returned");
    assert_in(text, "step 11: load");
    assert_null(strstr(text, "step 9: load")); /* a later round that passed is not told */
}

static void what_comes_after_a_bug_check_is_not_run(void **state)
{
    Story *story = *state;
    boot(story);
    load_and_unload(story, 1);
    step(story, ReportStepBegin, 3, ScenarioLoad, 0);
    bugcheck(story, "b.sys");
    g_autofree char *text = expect(story, ExitDriver, "bugcheck", "round 1: b.sys caused bug check 0xD1");
    assert_in(text, "a.sys                    1 of 2 rounds, passed\n");
    assert_in(text, "b.sys                    0 of 2 rounds, b.sys caused bug check 0xD1");
    assert_in(text, "c.sys                    0 of 2 rounds, not run\n");
}

static void all_kinds_of_leaks_are_named(void **state)
{
    Story *story = *state;
    boot(story);
    load_and_unload(story, 1);
    leak_of(story, "a.sys", "pool");
    leak_of(story, "a.sys", "device");
    leak_of(story, "a.sys", "pool");
    step(story, ReportStepBegin, 3, ScenarioLoad, 0);
    leak_of(story, "b.sys", "timer");
    done(story);
    g_free(expect(story, ExitDriver, "failed", "a.sys leaked: pool, device; 1 more driver failed"));
}

static void hash_of(Story *story, char *hash)
{
    story->Report->Trace = g_checksum_new(G_CHECKSUM_SHA256);
    assert_true(report_reader_drain(&story->Reader, run_report_add, story->Report));
    assert_non_null(run_report_trace_hash(story->Report));
    strcpy(hash, run_report_trace_hash(story->Report));
    story->Report->Lost = 1;
    assert_null(run_report_trace_hash(story->Report));
}

static void equal_stories_have_equal_hashes(void **state)
{
    static const uint32_t statuses[] = {0, 0, 0x103};
    char hashes[3][65];
    for (int i = 0; i < 3; i++) {
        void *story;
        set_up(&story);
        boot(story);
        ioctl(story, statuses[i]);
        hash_of(story, hashes[i]);
        tear_down(&story);
    }
    assert_string_equal(hashes[0], hashes[1]);
    assert_string_not_equal(hashes[0], hashes[2]);
}

#define MANY(name) cmocka_unit_test_setup_teardown(name, set_up_many, tear_down)
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(pass),
        CASE(request_fails),
        CASE(a_warning_is_no_failure),
        CASE(entry_fails),
        CASE(missing_imports),
        CASE(user_mode_image),
        CASE(refused_image),
        CASE(bugcheck_in_the_driver),
        CASE(bugcheck_that_the_kernel_blames_on_nobody),
        CASE(bugcheck_of_the_kernel_alone),
        CASE(damaged_pool_of_the_kernel),
        CASE(freed_pool_of_the_kernel_is_written_to),
        CASE(other_damage_is_the_kernels),
        CASE(leak),
        CASE(a_device_that_cannot_be_opened),
        CASE(the_document_tells_what_was_asked_for),
        CASE(a_run_that_goes_on_is_no_hang_of_a_step),
        CASE(a_warning_of_the_loader_is_no_failure),
        CASE(a_broken_rule),
        CASE(failed_case),
        CASE(a_driver_without_unload_routine_is_no_failure),
        CASE(hang_in_the_driver),
        CASE(hang_before_the_first_step),
        CASE(kernel_that_does_not_start),
        CASE(qemu_that_refuses_its_options),
        CASE(qemu_that_was_killed),
        CASE(no_end_of_the_scenario),
        CASE(a_hang_names_who_holds_the_request),
        CASE(a_hang_names_the_thread_that_waits),
        CASE(a_bug_check_before_the_hang_counts),
        CASE(a_reset_is_the_driver_in_hands),
        CASE(a_reset_before_the_first_step_is_the_kernels),
        MANY(the_worst_of_all_drivers_decides),
        MANY(what_comes_after_a_bug_check_is_not_run),
        MANY(all_kinds_of_leaks_are_named),
        cmocka_unit_test(equal_stories_have_equal_hashes),
        cmocka_unit_test(names_of_codes),
        cmocka_unit_test(user_mode_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

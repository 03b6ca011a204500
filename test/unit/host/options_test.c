/* SPDX-License-Identifier: MIT
 * The command line: requests, parameters, options, and one sentence for each mistake. */
#include "cmocka_glib.h"

#include <string.h>

#include "options.h"
#include "param.h"
#include "request.h"
#include "run_plan.h"

/* Parses "run WORDS" split at blanks. */
static RunOptions *parse(const char *words, GError **error)
{
    g_autofree char *line = g_strconcat("ntbox ", words, NULL);
    char **argv = g_strsplit(line, " ", -1);
    char **copy =
        g_memdup2(argv, sizeof *argv * (g_strv_length(argv) + 1)); /* GOption removes words from it */
    RunOptions *options = run_options_parse(copy, error);
    g_free(copy);
    g_strfreev(argv);
    return options;
}

static RunOptions *parse_good(const char *words)
{
    GError *error = NULL;
    RunOptions *options = parse(words, &error);
    if (error)
        fail_msg("%s: %s", words, error->message);
    return options;
}

static void expect_error(const char *words, const char *part)
{
    g_autoptr(GError) error = NULL;
    assert_null(parse(words, &error));
    assert_non_null(error);
    if (!strstr(error->message, part))
        fail_msg("'%s' gives '%s', without '%s'", words, error->message, part);
}

static void defaults(void **state)
{
    RunOptions *options = parse_good("a/b/Hello.SYS");
    assert_string_equal(options->Services[0], "Hello");
    assert_null(options->Services[1]);
    assert_int_equal(options->Processors, 1);
    assert_int_equal(options->Memory, 128 << 20);
    assert_int_equal(options->TimeLimit, 30);
    assert_int_equal(options->Boot, BootPvh);
    assert_int_equal(options->Kernel, KernelChecked);
    assert_false(options->Json);
    run_options_free(options);
}

static void failing_allocations(void **state)
{
    RunOptions *options = parse_good("x.sys --fail-allocations random:1:3 --fail-only X.sys");
    assert_true(options->Fail.On && options->Fail.Mode == ScenarioFailRandom);
    assert_int_equal(options->Fail.Passes, 3);
    assert_string_equal(options->Fail.Only, "x.sys");
    run_options_free(options);
    expect_error("x.sys --fail-allocations 0", "nothing would fail");
    expect_error("x.sys --fail-allocations boot:0", "nothing would fail");
    expect_error("x.sys --fail-allocations random:0", "the percentage is 0");
    expect_error("x.sys --fail-allocations random:101", "the percentage 101 is too large: at most 100");
    expect_error("x.sys --fail-allocations random:5:0", "the number of passes is 0");
    expect_error("x.sys --fail-allocations random:5:1:1", "wants a percentage");
    expect_error("x.sys --fail-allocations random",
                 "wants a percentage, and perhaps a number of passes: random:5");
    expect_error("x.sys --fail-allocations boot", "wants the number of an allocation of the boot: boot:100");
    expect_error("x.sys --fail-allocations some",
                 "wants each, a number, random:PERCENT[:PASSES] or boot:NUMBER");
    expect_error("x.sys --fail-allocations bootleg", "not 'bootleg'");
    expect_error("x.sys --fail-only x.sys", "--fail-only wants --fail-allocations");
    expect_error("x.sys --fail-allocations boot:1 --fail-only x.sys", "the boot is the kernel's own");
    expect_error("x.sys y.sys --fail-allocations each --fail-only nosuch.sys",
                 "this run has no image nosuch.sys, but x.sys, y.sys, ntoskrnl.exe");
}

static void special_pool(void **state)
{
    static const char *const good[] = {"", "=Abcd", "=A?c*", "=X.sys", "=?.SYS", "=ntoskrnl.exe"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *words = g_strconcat("x.sys --special-pool", good[i], NULL);
        run_options_free(parse_good(words));
    }
    expect_error("x.sys y.sys --special-pool=nosuch.sys",
                 "--special-pool: this run has no image nosuch.sys, but x.sys, y.sys, ntoskrnl.exe");
    expect_error("x.sys --special-pool=z*.sys", "no image z*.sys");
}

static void all_values(void **state)
{
    RunOptions *options =
        parse_good("x.sys y.sys --boot uefi --kernel free --smp 4 --memory 1G --timeout 5 --json "
                   "--seed 0x10 --strict-wx --allow-missing --bind count --icount --append a=b");
    assert_int_equal(options->Boot, BootUefi);
    assert_int_equal(options->Kernel, KernelFree);
    assert_int_equal(options->Processors, 4);
    assert_true(options->Memory == 1ull << 30);
    assert_int_equal(options->TimeLimit, 5);
    assert_true(options->HasSeed && options->Seed == 16);
    assert_true(options->Json && options->StrictWx && options->AllowMissing && options->BindCount &&
                options->Icount);
    assert_string_equal(options->Append, "a=b");
    assert_string_equal(options->Services[1], "y");
    run_options_free(options);
}

static void requests_keep_their_order(void **state)
{
    RunOptions *options = parse_good("x.sys --write Foo:0102:0x20 --ioctl \\\\.\\Foo:0x222000:aabb:16 "
                                     "--read \\Device\\Foo:100:4 --ioctl \\??\\Foo:2236416");
    const RunGroup *group = options->Groups->pdata[0];
    assert_int_equal(options->Groups->len, 1);
    assert_int_equal(group->Requests->len, 4);
    const Request *write = group->Requests->pdata[0], *ioctl = group->Requests->pdata[1];
    const Request *read = group->Requests->pdata[2], *plain = group->Requests->pdata[3];
    assert_int_equal(write->Operation, ScenarioWrite);
    assert_string_equal(write->Device, "\\??\\Foo");
    assert_int_equal(write->Input->len, 2);
    assert_int_equal(write->Offset, 0x20);
    assert_string_equal(ioctl->Device, "\\??\\Foo");
    assert_int_equal(ioctl->Code, 0x222000);
    assert_int_equal(ioctl->OutputLength, 16);
    assert_int_equal(ioctl->Input->data[1], 0xbb);
    assert_string_equal(read->Device, "\\Device\\Foo");
    assert_int_equal(read->OutputLength, 100);
    assert_int_equal(read->Offset, 4);
    assert_string_equal(plain->Device, "\\??\\Foo");
    assert_int_equal(plain->Code, 0x222000);
    assert_int_equal(plain->OutputLength, REQUEST_DEFAULT_LENGTH);
    run_options_free(options);
}

/* The steps as text: "+a" loads, "-a" unloads, "!X" sends a request to \??\X; "~" is a power cycle, "|" between groups. */
static void expect_steps(const char *words, const char *wanted)
{
    RunOptions *options = parse_good(words);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < options->Steps->len; i++) {
        const RunStep *step = run_plan_step(options, i + 1);
        const RunStep *before = run_plan_step(options, i);
        if (before && run_plan_part(options, before) != run_plan_part(options, step))
            g_string_append(text, "|");
        if (step->Request)
            g_string_append_printf(text, "!%s", step->Request->Device + 4);
        else if (step->Operation == ScenarioPowerCycle)
            g_string_append(text, "~");
        else
            g_string_append_printf(text, "%c%s", step->Operation == ScenarioLoad ? '+' : '-', step->Service);
    }
    assert_string_equal(text->str, wanted);
    assert_null(run_plan_step(options, options->Steps->len + 1));
    g_string_free(text, TRUE);
    run_options_free(options);
}

static void groups_come_one_after_the_other(void **state)
{
    expect_steps("a.sys b.sys --read X", "+a+b!X-b-a");
    expect_steps("--read X a.sys", "+a!X-a");
    expect_steps("a.sys b.sys --keep-loaded", "+a+b");
    expect_steps("a.sys --read X --then a.sys b.sys --read Y", "+a!X-a|+a+b!Y-b-a");
    expect_steps("a.sys --read X b.sys c.sys --read Y --each", "+a!X-a|+b-b|+c!Y-c");
    expect_steps("a.sys --then b.sys --rounds 2", "+a-a|+b-b|+a-a|+b-b");
    expect_steps("a.sys --read X --power-cycle", "+a!X~!X-a");
    expect_steps("a.sys --read X --power-cycle=2 --then b.sys", "+a!X~!X~!X-a|+b~~-b");
    expect_steps("a.sys --read X --sleep --read Y --sleep --sleep", "+a!X~!Y~~-a");
    expect_steps("a.sys --sleep --read X --power-cycle", "+a~!X~~!X-a");
    expect_steps("--each a.sys --sleep b.sys", "+a~-a|+b-b");
    expect_steps("--each --smp 2 a.sys -- b.sys", "+a-a|+b-b");
    expect_steps("--memory 64M -- a.sys --smp.sys", "+a+--smp---smp-a");
}

/* What the kernel starts by itself is loaded when the first step comes; after its unload it is loaded like any other. */
static void services_that_start_by_themselves_are_not_loaded(void **state)
{
    expect_steps("a.sys b.sys --service a/start=boot", "+b-b-a");
    expect_steps("a.sys b.sys --service start=auto --service B/START=demand", "+b-b-a");
    expect_steps("a.sys --service a/start=system --rounds 2", "-a|+a-a");
    expect_steps("a.sys b.sys c.sys --service a/start=auto --service a/depend=b/+x --service b/depend=C",
                 "-c-b-a");
    expect_steps("a.sys b.sys --service a/depend=b", "+a+b-b-a");
    expect_error("a.sys --service b/start=boot", "--service: no driver of this run is called b");
    expect_error("a.sys --service start", "wants [SERVICE/]NAME=VALUE");
    expect_error("a.sys --service /start=boot", "names no service");
    expect_error("a.sys --service group=", "group is empty");
    expect_error("a.sys --service tag=x", "is not a number");
    expect_error("a.sys --service error=grave", "error is one of ignore, normal, severe, critical");
    expect_error("a.sys --group-order A//B", "'' is no group");
    expect_error("a.sys --group-order :1", "is no group");
}

static void a_deterministic_run_has_a_seed(void **state)
{
    RunOptions *options = parse_good("a.sys --icount --trace-hash");
    assert_true(options->HasSeed && options->TraceHash);
    run_options_free(options);
    options = parse_good("a.sys");
    assert_false(options->HasSeed);
    run_options_free(options);
}

static void mistakes_get_one_sentence(void **state)
{
    expect_error("--json", "which driver");
    expect_error("", "cannot be a service's name");
    expect_error("a/.sys", "cannot be a service's name");
    expect_error("a.sys b/A.sys", "two drivers are called A");
    expect_error("a.sys --then b/A.sys", "two drivers are called A");
    expect_error("a.sys b.sys a.sys", "is named twice");
    expect_error("a.sys --then", "--then stands between drivers");
    expect_error("--then a.sys", "--then stands between drivers");
    expect_error("--each --read X a.sys", "behind its driver");
    expect_error("a.sys --rounds 0", "--rounds 0 is out of range");
    expect_error("a.sys --power-cycle=0", "--power-cycle 0 is out of range");
    expect_error("--each --sleep a.sys", "behind its driver");
    expect_error("a.sys --power-cycle=x", "--power-cycle");
    expect_error("a.sys --rounds 2 --keep-loaded", "exclude each other");
    expect_error("a.sys --trace-hash", "--trace-hash wants --icount");
    expect_error("agent.sys", "ntbox's own");
    expect_error("x.sys --ioctl Foo", "--ioctl wants");
    expect_error("x.sys --ioctl Foo:zz", "is not a number");
    expect_error("x.sys --ioctl Foo:0x100000000", "too large");
    expect_error("x.sys --ioctl Foo:1:abc", "two digits a byte");
    expect_error("x.sys --ioctl Foo:1:ab:99999999", "too large");
    expect_error("x.sys --ioctl :1", "without a device name");
    expect_error("x.sys --ioctl Foo:-1", "is not a number");
    expect_error("x.sys --read Foo:1:2:3", "--read wants");
    expect_error("x.sys --write Foo", "--write wants");
    expect_error("x.sys --smp 0", "out of range");
    expect_error("x.sys --smp 65", "out of range");
    expect_error("x.sys --memory 16M", "too little");
    expect_error("x.sys --memory", "--memory");
    expect_error("x.sys --memory M", "is not a number");
    expect_error("x.sys --memory 65G", "--memory 65G is too much: at most 64G");
    expect_error("x.sys --memory 65537", "--memory 65537 is too much: at most 64G");
    expect_error("x.sys --boot floppy", "pvh, bios or uefi");
    expect_error("x.sys --kernel fast", "checked or free");
    expect_error("x.sys --bind trace", "--bind wants count");
    expect_error("x.sys --timeout 0", "out of range");
    expect_error("x.sys --no-such-option", "--no-such-option");
    expect_error("x.sys --param A", "--param wants");
    expect_error("x.sys --param A=word:1", "unknown type");
    expect_error("x.sys --param y/A=dword:1", "no driver of this run is called y");
    expect_error("x.sys --param =dword:1", "not a value's name");
    expect_error("x.sys --param a=sz:\xff\xfe", "'a=sz:\\377\\376' is not UTF-8");
    expect_error("x.sys --param A=dword:0x1ffffffff", "too large");
}

static void expect_param(const char *text, RegistryType type, const char *bytes, size_t length)
{
    GError *error = NULL;
    ServiceParameter *parameter = service_parameter_parse(text, &error);
    if (error)
        fail_msg("%s: %s", text, error->message);
    assert_int_equal(parameter->Type, type);
    assert_int_equal(parameter->Data->len, length);
    assert_memory_equal(parameter->Data->data, bytes, length);
    service_parameter_free(parameter);
}

static void parameters_become_registry_data(void **state)
{
    expect_param("A=dword:0x01020304", RegistryDword, "\4\3\2\1", 4);
    expect_param("A=qword:5", RegistryQword, "\5\0\0\0\0\0\0\0", 8);
    expect_param("A=sz:a:b", RegistrySz, "a\0:\0b\0\0\0", 8);
    expect_param("A=expand_sz:%x", RegistryExpandSz, "%\0x\0\0\0", 6);
    expect_param("A=multi_sz:a\\0bc", RegistryMultiSz, "a\0\0\0b\0c\0\0\0\0\0", 12);
    expect_param("A=multi_sz:", RegistryMultiSz, "\0\0", 2);
    expect_param("A=binary:00ff 10", RegistryBinary, "\x00\xff\x10", 3);
}

static void a_parameter_may_name_its_service(void **state)
{
    ServiceParameter *parameter = service_parameter_parse("Foo/Size=dword:1", NULL);
    assert_true(service_parameter_applies(parameter, "FOO"));
    assert_false(service_parameter_applies(parameter, "bar"));
    assert_string_equal(parameter->Name, "Size");
    service_parameter_free(parameter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(special_pool),
        cmocka_unit_test(all_values),
        cmocka_unit_test(requests_keep_their_order),
        cmocka_unit_test(groups_come_one_after_the_other),
        cmocka_unit_test(services_that_start_by_themselves_are_not_loaded),
        cmocka_unit_test(a_deterministic_run_has_a_seed),
        cmocka_unit_test(mistakes_get_one_sentence),
        cmocka_unit_test(parameters_become_registry_data),
        cmocka_unit_test(a_parameter_may_name_its_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

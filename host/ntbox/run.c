/* SPDX-License-Identifier: MIT
 * `ntbox run`: options, boot volume, machine, report, verdict. */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inf_error.h"
#include "iso.h"
#include "locate.h"
#include "machine.h"
#include "options.h"
#include "report_json.h"
#include "report_text.h"
#include "run_plan.h"
#include "saved_hive.h"
#include "symbolize.h"
#include "usage.h"
#include "verdict.h"
#include "vm.h"
#include "volume.h"

/* What one run holds until its end. */
typedef struct Run {
    RunOptions *Options;
    char *Directory;
    char *CommandLine;
    char *Loader;
    char *Kernel;   /* the image's path, for symbols */
    char *Firmware; /* BootUefi */
    GBytes *Archive;
    IsoImage *Iso; /* BootBios, BootUefi */
    RunReport *Report;
} Run;

static void clear(Run *run)
{
    if (run->Options)
        run_options_free(run->Options);
    g_free(run->Directory);
    g_free(run->CommandLine);
    g_free(run->Loader);
    g_free(run->Kernel);
    g_free(run->Firmware);
    g_clear_pointer(&run->Archive, g_bytes_unref);
    g_clear_pointer(&run->Iso, iso_image_free);
    g_clear_pointer(&run->Report, run_report_free);
}

static bool prepare_files(Run *run, GError **error)
{
    const RunOptions *options = run->Options;
    bool free_kernel = options->Kernel == KernelFree;
    run->Directory = locate_directory(options->Directory, error);
    if (!run->Directory)
        return false;
    run->CommandLine = volume_command_line(options, error);
    if (!run->CommandLine)
        return false;
    run->Loader = locate_file(run->Directory, BuiltLoader, error);
    if (!run->Loader)
        return false;
    run->Kernel = locate_file(run->Directory, free_kernel ? BuiltKernelFree : BuiltKernelChecked, error);
    run->Archive = run->Kernel ? volume_build(options, run->Directory, error) : NULL;
    return run->Archive != NULL;
}

static bool prepare_boot(Run *run, GError **error)
{
    if (run->Options->Boot == BootPvh)
        return true;
    if (run->Options->Boot == BootUefi && !(run->Firmware = locate_uefi_firmware(error)))
        return false;
    g_autofree char *script = locate_mkiso(run->Directory, error);
    if (script)
        run->Iso = iso_image_make(script, run->Loader, run->Archive, run->CommandLine, error);
    return run->Iso != NULL;
}

static char **make_command(const Run *run)
{
    const RunOptions *options = run->Options;
    Machine machine = {
        .Boot = options->Boot,
        .Board = options->Board,
        .Loader = run->Loader,
        .CommandLine = run->CommandLine,
        .Iso = run->Iso ? iso_image_path(run->Iso) : NULL,
        .Firmware = run->Firmware,
        .Processor = options->Processor ? options->Processor : "max",
        .Processors = options->Processors,
        .Drives = options->Drives,
        .Characters = options->Characters,
        .Devices = options->Devices,
        .Memory = options->Memory,
        .ReportLength = VM_REPORT_LENGTH,
        .Gdb = options->Gdb,
        .Icount = options->Icount,
        .HasSeed = options->HasSeed,
        .Seed = options->Seed,
    };
    return machine_command(&machine);
}

static bool keep_file(const char *folder, const char *name, const char *data, gsize length, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return g_file_set_contents(path, data, (gssize)length, &reason) ||
           usage_error(error, "--keep: %s", reason->message);
}

static bool keep(const Run *run, char **command, GError **error)
{
    const char *folder = run->Options->KeepFolder;
    gsize length;
    const char *archive = g_bytes_get_data(run->Archive, &length);
    g_autofree char *line = g_strjoinv(" ", command);
    g_autofree char *text = g_strconcat(line, "\n", NULL);
    if (!folder)
        return true;
    if (g_mkdir_with_parents(folder, 0777) != 0)
        return usage_error(error, "--keep: cannot make the folder %s: %s", folder, g_strerror(errno));
    return keep_file(folder, "boot.cpio", archive, length, error) &&
           keep_file(folder, "qemu-command", text, strlen(text), error);
}

static void say_how_to_attach(const Run *run)
{
    fprintf(stderr,
            "ntbox: the machine waits for a debugger on TCP port 1234.\n"
            "  lldb %s -o 'gdb-remote 1234'\n"
            "  gdb -ex 'set architecture i386:x86-64' -ex 'target remote :1234'\n"
            "For the symbols of a driver add -ex 'add-symbol-file DRIVER.sys BASE+0x1000', where BASE is "
            "what the report\n"
            "of a run with the same --seed says after 'loaded'.\n",
            run->Kernel);
}

/* What the host does while the guest runs; it points into the options. */
static GArray *plan_marks(const RunOptions *options)
{
    GArray *marks = g_array_new(FALSE, FALSE, sizeof(VmMark));
    for (guint i = 0; i < options->Steps->len; i++) {
        const Request *request = g_array_index(options->Steps, RunStep, i).Request;
        VmMark mark = {.Number = i + 1};
        if (!request || request->Operation != ScenarioMark)
            continue;
        mark.Command = request->Command;
        mark.Gone = request->Gone;
        g_array_append_val(marks, mark);
    }
    return marks;
}

static bool start(Run *run, GError **error)
{
    g_auto(GStrv) command = make_command(run);
    g_autoptr(GArray) marks = plan_marks(run->Options);
    VmPlan plan = {
        .Command = command,
        .Archive = run->Options->Boot == BootPvh ? run->Archive : NULL,
        .LogFile = run->Options->LogFile,
        .Marks = marks,
        .TimeLimit = run->Options->Gdb ? 0 : run->Options->TimeLimit,
    };
    if (!keep(run, command, error))
        return false;
    if (run->Options->Gdb)
        say_how_to_attach(run);
    run->Report = run_report_new(run->Options->TraceHash);
    return vm_run(&plan, run->Report, error);
}

static ExitCode report(const Run *run)
{
    symbolize_report(run->Report, run->Options, run->Kernel);
    Verdict verdict = verdict_decide(run->Options, run->Report);
    if (run->Options->Json) {
        g_autofree char *text = report_json_text(run->Options, run->Report, &verdict);
        fputs(text, stdout);
    } else {
        report_text_write(stdout, run->Options, run->Report, &verdict);
    }
    ExitCode code = verdict.Code;
    verdict_clear(&verdict);
    return code;
}

/* A hive that cannot be had makes a run that passed fail. */
static ExitCode save_hive(const Run *run, ExitCode code, GError **error)
{
    const char *path = run->Options->HiveFile;
    bool saved = !path || saved_hive_write(run->Report, path, error);
    return code == ExitPass && !saved ? ExitFault : code;
}

static bool prepare_hive(const Run *run, GError **error)
{
    return !run->Options->HiveFile || saved_hive_prepare(run->Options->HiveFile, error);
}

ExitCode run_main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Run run = {.Options = run_options_parse(argv, &error)};
    ExitCode code = ExitUsage;
    if (run.Options && prepare_hive(&run, &error) && prepare_files(&run, &error) &&
        prepare_boot(&run, &error) && start(&run, &error))
        code = save_hive(&run, report(&run), &error);
    else if (error && error->domain == INF_ERROR) /* as an image that cannot be loaded */
        code = ExitCannotLoad;
    if (error)
        fprintf(stderr, "ntbox: %s\n", error->message);
    clear(&run);
    return code;
}

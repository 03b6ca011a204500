/* SPDX-License-Identifier: MIT
 * One QEMU, its shared memory and its end. Everything that may end a run is an event of one main loop: the
 * child's exit, the time limit, a signal, damage of the channel, or the guest's own last record. */
#include "vm.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <stdio.h>
#include <unistd.h>

#include "machine.h"
#include "qmp.h"
#include "report_reader.h"
#include "usage.h"
#include "vm_channels.h"

#define DRAIN_INTERVAL_MS 5
#define POWER_OFF_MS                                                                                         \
    15000 /* from the end of the steps to the power-off: devices are removed, drivers unloaded, hives flushed */
#define STACKS_MS 3000 /* from the NMI at the time limit to the end of what the kernel says then */

typedef struct Vm {
    const VmPlan *Plan;
    RunReport *Report;
    VmChannels Channels;
    GSubprocess *Process;
    GMainLoop *Loop;
    QmpMonitor Monitor;
    bool Ended;         /* report->End is decided */
    const VmMark *Mark; /* that is done when its device is gone; NULL: none */
    bool LastRecord;    /* the guest said that it is done or has crashed */
} Vm;

/* ---- the child ---- */

/* In the child, before exec: a group of its own, and death with its parent. */
static void child_setup(gpointer context)
{
    pid_t parent = (pid_t)GPOINTER_TO_INT(context);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
}

/* The launcher owns the duplicates it takes. */
static void pass_fd(GSubprocessLauncher *launcher, int fd, int target)
{
    if (fd >= 0)
        g_subprocess_launcher_take_fd(launcher, fcntl(fd, F_DUPFD_CLOEXEC, 20), target);
}

static bool start(Vm *vm, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
    g_subprocess_launcher_set_child_setup(launcher, child_setup, GINT_TO_POINTER((int)getpid()), NULL);
    g_subprocess_launcher_take_stderr_fd(launcher, fcntl(vm->Channels.OutputFd, F_DUPFD_CLOEXEC, 20));
    pass_fd(launcher, vm->Channels.ReportFd, MachineReportFd);
    pass_fd(launcher, vm->Channels.ArchiveFd, MachineArchiveFd);
    pass_fd(launcher, vm->Channels.SerialFd, MachineSerialFd);
    pass_fd(launcher, vm->Channels.GuestMonitorFd, MachineMonitorFd);
    vm->Process = g_subprocess_launcher_spawnv(launcher, (const gchar *const *)vm->Plan->Command, &reason);
    vm_channel_close(&vm->Channels.GuestMonitorFd);
    if (!vm->Process)
        return usage_error(error, "cannot start %s: %s", vm->Plan->Command[0], reason->message);
    return true;
}

static void kill_group(Vm *vm)
{
    const char *identifier = g_subprocess_get_identifier(vm->Process);
    if (identifier)
        kill(-(pid_t)atoi(identifier), SIGKILL);
}

/* Decides how the run ended, unless that is decided already, and ends QEMU; its exit ends the loop. */
static void end(Vm *vm, VmEnd how)
{
    if (!vm->Ended) {
        vm->Ended = true;
        vm->Report->End = how;
    }
    kill_group(vm);
}

/* ---- events of the loop ---- */

/* Asks QEMU where the processors stand. That this may fail is no reason to lose the rest of the report. */
static bool read_processors(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = qmp_read_registers(&vm->Monitor, &error);
    if (!text)
        return false;
    g_ptr_array_unref(vm->Report->Processors);
    vm->Report->Processors = qmp_parse_registers(text);
    return true;
}

/* ---- marks: the guest waits for the answer ---- */

static void answer_mark(Vm *vm, uint64_t number, bool done)
{
    REPORT_HEADER *header = vm->Channels.Memory;
    if (!done)
        header->Refused = number;
    __atomic_store_n(&header->Answered, number, __ATOMIC_RELEASE);
    vm->Mark = NULL;
}

static const VmMark *find_mark(const GArray *marks, uint64_t number)
{
    for (guint i = 0; marks && i < marks->len; i++) {
        const VmMark *mark = &g_array_index(marks, VmMark, i);
        if (mark->Number == number)
            return mark;
    }
    return NULL;
}

/* What QEMU has against it is told at once: the guest knows only that nothing came of it. */
static void on_mark(Vm *vm, uint64_t number)
{
    g_autoptr(GError) error = NULL;
    const VmMark *mark = find_mark(vm->Plan->Marks, number);
    bool done = mark && qmp_do(&vm->Monitor, mark->Command, &error);
    if (error)
        fprintf(stderr, "ntbox: %s\n", error->message);
    if (done && mark->Gone)
        vm->Mark = mark;
    else
        answer_mark(vm, number, done);
}

static void check_mark(Vm *vm)
{
    if (vm->Mark && qmp_is_deleted(&vm->Monitor, vm->Mark->Gone))
        answer_mark(vm, vm->Mark->Number, true);
}

static gboolean on_no_power_off(gpointer context);

static void on_record(const ReportView *view, void *context)
{
    Vm *vm = context;
    run_report_add(view, vm->Report);
    if (view->Header.Type == ReportMark && vm->Loop)
        on_mark(vm, run_event_value(g_ptr_array_index(vm->Report->Events, vm->Report->Events->len - 1),
                                    ReportKeyCount));
    bool last = view->Header.Type == ReportDone || view->Header.Type == ReportBugCheck;
    if (last && !vm->LastRecord && vm->Loop) {
        vm->LastRecord = true;
        g_timeout_add(POWER_OFF_MS, on_no_power_off, vm);
    }
}

/* The guest stopped the machine, which stands still. */
static void on_shutdown(Vm *vm)
{
    if (vm->Monitor.Reset)
        read_processors(vm);
    end(vm, vm->Monitor.Reset ? VmReset : VmSwitchedOff);
}

static gboolean on_drain(gpointer context)
{
    Vm *vm = context;
    qmp_poll(&vm->Monitor);
    check_mark(vm);
    if (vm->Monitor.Reset || vm->Monitor.PowerOff) {
        on_shutdown(vm);
        return G_SOURCE_REMOVE;
    }
    bool written = vm_channels_copy_log(&vm->Channels);
    if (written && report_reader_drain(&vm->Channels.Reader, on_record, vm))
        return G_SOURCE_CONTINUE;
    end(vm, written ? VmDamaged : VmInterrupted);
    return G_SOURCE_REMOVE;
}

static gboolean on_stacks_told(gpointer context)
{
    end(context, VmTimedOut); /* which it has ended with already */
    return G_SOURCE_REMOVE;
}

/* The run is a hang from here on, whatever comes. The NMI makes the kernel say where all processors stand and who holds
 * which request; it then powers off. */
static void ask_where(Vm *vm, VmEnd how)
{
    if (vm->Ended)
        return;
    vm->Ended = true;
    vm->Report->End = how;
    report_reader_drain(&vm->Channels.Reader, on_record, vm);
    vm->Report->HungAt = vm->Report->Events->len;
    if (read_processors(vm) && qmp_inject_nmi(&vm->Monitor, NULL))
        g_timeout_add(STACKS_MS, on_stacks_told, vm);
    else
        end(vm, how);
}

static gboolean on_time_limit(gpointer context)
{
    ask_where(context, VmTimedOut);
    return G_SOURCE_REMOVE;
}

/* After a bug check there is nobody who could say more. */
static gboolean on_no_power_off(gpointer context)
{
    Vm *vm = context;
    if (run_report_bugcheck(vm->Report))
        end(vm, VmStuck);
    else
        ask_where(vm, VmStuck);
    return G_SOURCE_REMOVE;
}

static gboolean on_signal(gpointer context)
{
    end(context, VmInterrupted);
    return G_SOURCE_CONTINUE;
}

static void on_process_end(GObject *source, GAsyncResult *result, gpointer context)
{
    Vm *vm = context;
    g_subprocess_wait_finish(vm->Process, result, NULL);
    g_main_loop_quit(vm->Loop);
}

/* Before QEMU starts: a signal that comes in between must find the handler, not end ntbox. */
static void catch_signals(Vm *vm)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
        g_unix_signal_add(signals[i], on_signal, vm);
}

static void add_sources(Vm *vm)
{
    vm->Loop = g_main_loop_new(NULL, FALSE);
    g_timeout_add(DRAIN_INTERVAL_MS, on_drain, vm);
    if (vm->Plan->TimeLimit)
        g_timeout_add(vm->Plan->TimeLimit * 1000, on_time_limit, vm);
    g_subprocess_wait_async(vm->Process, NULL, on_process_end, vm);
}

static void remove_sources(Vm *vm)
{
    while (g_source_remove_by_user_data(vm))
        continue;
}

/* ---- the end ---- */

static void judge_exit(Vm *vm)
{
    RunReport *report = vm->Report;
    bool signalled = g_subprocess_get_if_signaled(vm->Process);
    report->ExitStatus =
        signalled ? g_subprocess_get_term_sig(vm->Process) : g_subprocess_get_exit_status(vm->Process);
    report->Signalled = signalled;
    if (vm->Ended)
        return;
    bool opened = report_reader_guest_version(&vm->Channels.Reader) != 0;
    bool refused = !signalled && report->ExitStatus == 1 && !opened && *report->MachineOutput;
    report->End = signalled || refused ? VmDied : VmExited;
}

static void finish(Vm *vm)
{
    RunReport *report = vm->Report;
    g_main_loop_unref(g_steal_pointer(&vm->Loop));
    report_reader_drain(&vm->Channels.Reader, on_record, vm);
    g_free(report->MachineOutput);
    g_free(report->Log);
    report->MachineOutput = g_strstrip(vm_channel_text(vm->Channels.OutputFd));
    report->Log = vm_channel_text(vm->Channels.SerialFd);
    report->Lost = report_reader_lost(&vm->Channels.Reader);
    report->Damage = g_strdup(vm->Channels.Reader.Damage);
    report->TimeLimit = vm->Plan->TimeLimit;
    judge_exit(vm);
}

static bool run(Vm *vm, GError **error)
{
    gint64 begin = g_get_monotonic_time();
    if (!vm_channels_open(&vm->Channels, vm->Plan->Archive, vm->Plan->LogFile, error))
        return false;
    qmp_open(&vm->Monitor, vm->Channels.MonitorFd);
    catch_signals(vm);
    if (start(vm, error)) {
        add_sources(vm);
        g_main_loop_run(vm->Loop);
    }
    remove_sources(vm);
    if (!vm->Process)
        return false;
    finish(vm);
    vm->Report->Seconds = (double)(g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
    return vm_channels_copy_log(&vm->Channels) ||
           usage_error(error, "--log: cannot write %s: %s", vm->Plan->LogFile, vm->Channels.LogError);
}

bool vm_run(const VmPlan *plan, RunReport *report, GError **error)
{
    Vm vm = {.Plan = plan, .Report = report};
    bool started = run(&vm, error);
    qmp_close(&vm.Monitor);
    vm_channels_close(&vm.Channels);
    g_clear_object(&vm.Process);
    g_clear_pointer(&vm.Loop, g_main_loop_unref);
    return started;
}

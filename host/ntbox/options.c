/* SPDX-License-Identifier: MIT
 * Parses the command line of `ntbox run` with GOptionContext. Requests and parameters are callbacks, so that
 * their order is kept. */
#include "options.h"

#include <string.h>

#include "companion.h"
#include "driver_list.h"
#include "driver_package.h"
#include "hot_plug.h"
#include "package_list.h"
#include "param.h"
#include "request.h"
#include "run_plan.h"
#include "scenario_file.h"
#include "service_setting.h"
#include "usage.h"

#define MIN_MEMORY (32u << 20)
#define MAX_MEMORY (64ull << 30)
#define MAX_PROCESSORS 64
#define MAX_TIME_LIMIT 86400
#define MAX_ROUNDS 10000
#define MAX_POWER_CYCLES 1000
#define ICOUNT_SEED 1 /* of a deterministic run that is given none */

/* What GOption fills in before it is checked. */
typedef struct RawOptions {
    RunOptions *Options;
    GPtrArray *Words;     /* of RunWord */
    gboolean Each, Moves; /* Moves: the host does something while the guest runs */
    char **With, **Infs;
    char *Boot, *Board, *Kernel, *Memory, *Seed, *Bind, *Fail, *FailOnly;
    int Processors, TimeLimit, Rounds;
} RawOptions;

/* ---- options that collect ---- */

static RunWord *add_word(RawOptions *raw, RunWordKind kind)
{
    RunWord *word = g_new0(RunWord, 1);
    word->Kind = kind;
    g_ptr_array_add(raw->Words, word);
    return word;
}

static gboolean add_request(RawOptions *raw, SCENARIO_OP operation, const char *value, GError **error)
{
    Request *request = request_parse(operation, value, error);
    if (request)
        add_word(raw, RunWordRequest)->Request = request;
    return request != NULL;
}

static gboolean on_ioctl(const char *name, const char *value, gpointer raw, GError **error)
{
    return add_request(raw, ScenarioIoctl, value, error);
}

static gboolean on_read(const char *name, const char *value, gpointer raw, GError **error)
{
    return add_request(raw, ScenarioRead, value, error);
}

static gboolean on_write(const char *name, const char *value, gpointer raw, GError **error)
{
    return add_request(raw, ScenarioWrite, value, error);
}

static gboolean add_step(RawOptions *raw, Request *request)
{
    if (request)
        add_word(raw, RunWordRequest)->Request = request;
    return request != NULL;
}

static gboolean on_unplug(const char *name, const char *value, gpointer raw, GError **error)
{
    ((RawOptions *)raw)->Moves = TRUE;
    return add_step(raw, hot_plug_parse_unplug(value, error));
}

static gboolean on_plug(const char *name, const char *value, gpointer raw, GError **error)
{
    ((RawOptions *)raw)->Moves = TRUE;
    return add_step(raw, hot_plug_parse_plug(value, error));
}

static gboolean on_surprise(const char *name, const char *value, gpointer raw, GError **error)
{
    return add_step(raw, hot_plug_parse_surprise(value, error));
}

static gboolean on_sleep(const char *name, const char *value, gpointer raw, GError **error)
{
    return add_step(raw, request_sleep());
}

/* Its requests stand where the option stands. */
static bool add_scenario(RawOptions *raw, const char *path, GError **error)
{
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify)request_free);
    bool good = scenario_file_read(path, requests, error);
    g_ptr_array_set_free_func(requests, NULL); /* the words own them */
    for (guint i = 0; i < requests->len; i++) {
        Request *request = requests->pdata[i];
        raw->Moves |= request->Command != NULL;
        add_step(raw, request);
    }
    return good;
}

static gboolean on_scenario(const char *name, const char *value, gpointer raw, GError **error)
{
    return add_scenario(raw, value, error);
}

static gboolean on_file(const char *name, const char *value, gpointer raw, GError **error)
{
    add_word(raw, RunWordDriver)->Path = g_strdup(value);
    return TRUE;
}

/* One word of the kernel's command line. */
static gboolean on_special_pool(const char *name, const char *value, gpointer raw, GError **error)
{
    RunOptions *options = ((RawOptions *)raw)->Options;
    if (value && (strchr(value, ' ') || strlen(value) > 63))
        return usage_error(error, "--special-pool wants a driver or a tag, not '%s'", value);
    g_free(options->SpecialPool);
    options->SpecialPool = g_strdup(value ? value : "");
    return TRUE;
}

static gboolean on_power_cycle(const char *name, const char *value, gpointer raw, GError **error)
{
    uint64_t count = 1;
    if (value && !usage_parse_number(value, "--power-cycle", MAX_POWER_CYCLES, &count, error))
        return FALSE;
    if (count == 0)
        return usage_error(error, "--power-cycle 0 is out of range: 1 to %d", MAX_POWER_CYCLES);
    ((RawOptions *)raw)->Options->PowerCycles = (uint32_t)count;
    return TRUE;
}

static gboolean on_then(const char *name, const char *value, gpointer raw, GError **error)
{
    add_word(raw, RunWordThen);
    return TRUE;
}

static gboolean on_param(const char *name, const char *value, gpointer raw, GError **error)
{
    ServiceParameter *parameter = service_parameter_parse(value, error);
    if (parameter)
        g_ptr_array_add(((RawOptions *)raw)->Options->Parameters, parameter);
    return parameter != NULL;
}

static gboolean on_service(const char *name, const char *value, gpointer raw, GError **error)
{
    ServiceSetting *setting = service_setting_parse(value, error);
    if (setting)
        g_ptr_array_add(((RawOptions *)raw)->Options->Settings, setting);
    return setting != NULL;
}

static gboolean on_group_order(const char *name, const char *value, gpointer raw, GError **error)
{
    RunOptions *options = ((RawOptions *)raw)->Options;
    g_clear_pointer(&options->GroupOrder, group_order_free);
    options->GroupOrder = group_order_parse(value, error);
    return options->GroupOrder != NULL;
}

/* ---- checks ---- */

static bool parse_boot(const char *text, BootMethod *boot, GError **error)
{
    for (BootMethod method = BootPvh; method <= BootUefi; method++) {
        if (!text || strcmp(text, machine_boot_name(method)) == 0) {
            *boot = text ? method : BootPvh;
            return true;
        }
    }
    return usage_error(error, "--boot wants pvh, bios or uefi, not '%s'", text);
}

static bool parse_board(const char *text, MachineBoard *board, GError **error)
{
    for (MachineBoard known = BoardQ35; known <= BoardPc; known++) {
        if (!text || strcmp(text, machine_board_name(known)) == 0) {
            *board = text ? known : BoardQ35;
            return true;
        }
    }
    return usage_error(error, "--machine wants q35 or pc, not '%s'", text);
}

const char *kernel_flavour_name(KernelFlavour flavour)
{
    return flavour == KernelFree ? "free" : "checked";
}

static bool parse_kernel(const char *text, KernelFlavour *kernel, GError **error)
{
    if (!text || strcmp(text, "checked") == 0)
        *kernel = KernelChecked;
    else if (strcmp(text, "free") == 0)
        *kernel = KernelFree;
    else
        return usage_error(error, "--kernel wants checked or free, not '%s'", text);
    return true;
}

/* "256M", "1G", "131072K"; without a letter MiB, as QEMU has it. */
static bool parse_memory(const char *text, uint64_t *memory, GError **error)
{
    if (!text)
        return true;
    size_t length = strlen(text);
    char letter = length ? g_ascii_toupper(text[length - 1]) : '\0';
    unsigned shift = letter == 'G' ? 30 : letter == 'K' ? 10 : 20;
    bool has_letter = letter == 'G' || letter == 'M' || letter == 'K';
    g_autofree char *digits = g_strndup(text, has_letter ? length - 1 : length);
    uint64_t number;
    if (!usage_parse_number(digits, "--memory", UINT64_MAX, &number, error))
        return false;
    if (number > MAX_MEMORY >> shift)
        return usage_error(error, "--memory %s is too much: at most 64G", text);
    *memory = number << shift;
    return *memory >= MIN_MEMORY || usage_error(error, "--memory %s is too little: at least 32M", text);
}

static bool check_range(const char *option, int value, int least, int most, GError **error)
{
    return (value >= least && value <= most) ||
           usage_error(error, "%s %d is out of range: %d to %d", option, value, least, most);
}

/* A run with --icount can be repeated, so it always has a seed. */
static bool parse_seed(const char *text, RunOptions *options, GError **error)
{
    options->HasSeed = text != NULL || options->Icount;
    options->Seed = ICOUNT_SEED;
    return !text || usage_parse_number(text, "--seed", UINT64_MAX, &options->Seed, error);
}

static bool check_moves(const RawOptions *raw, GError **error)
{
    if (!raw->Moves || (!raw->Options->Icount && !raw->Options->Fail.On))
        return true;
    return usage_error(error, "plug and unplug exclude --icount and --fail-allocations: the host acts in its "
                              "own time");
}

static bool parse_values(RawOptions *raw, GError **error)
{
    RunOptions *options = raw->Options;
    if (raw->Bind && strcmp(raw->Bind, "count") != 0)
        return usage_error(error, "--bind wants count, not '%s'", raw->Bind);
    options->BindCount = raw->Bind != NULL;
    options->Processors = (uint32_t)raw->Processors;
    options->TimeLimit = (uint32_t)raw->TimeLimit;
    options->Rounds = (uint32_t)raw->Rounds;
    if (options->TraceHash && !options->Icount)
        return usage_error(error, "--trace-hash wants --icount: only such a run can be repeated");
    if (!fail_plan_parse(&options->Fail, raw->Fail, raw->FailOnly, error))
        return false;
    if (raw->Fail && raw->Kernel && strcmp(raw->Kernel, "free") == 0)
        return usage_error(error, "--fail-allocations wants the checked kernel");
    if (options->Fail.On && options->KeepLoaded)
        return usage_error(error, "--fail-allocations and --keep-loaded exclude each other");
    if (options->KeepLoaded && options->Rounds > 1)
        return usage_error(error, "--keep-loaded and --rounds exclude each other");
    return check_range("--rounds", raw->Rounds, 1, MAX_ROUNDS, error) &&
           check_range("--smp", raw->Processors, 1, MAX_PROCESSORS, error) &&
           check_range("--timeout", raw->TimeLimit, 1, MAX_TIME_LIMIT, error) &&
           parse_boot(raw->Boot, &options->Boot, error) && parse_board(raw->Board, &options->Board, error) &&
           parse_kernel(raw->Kernel, &options->Kernel, error) &&
           parse_memory(raw->Memory, &options->Memory, error) && parse_seed(raw->Seed, options, error);
}

/* A QEMU that is asked for help prints it and runs no machine. What else is wrong with a device QEMU says. */
static bool check_devices(const char *option, char **devices, GError **error)
{
    for (; devices && *devices; devices++) {
        g_auto(GStrv) parts = g_strsplit(*devices, ",", -1);
        const char *const *words = (const char *const *)parts;
        if (!*parts || **parts == '\0')
            return usage_error(error, "--%s wants what QEMU's -%s wants, not '%s'", option, option, *devices);
        if (g_strv_contains(words, "help") || g_strv_contains(words, "?"))
            return usage_error(error, "--%s %s asks for help: that is for qemu-system-x86_64 -%s %s", option,
                               *devices, option, *devices);
    }
    return true;
}

static bool check_machine(const RunOptions *options, GError **error)
{
    return check_devices("drive", options->Drives, error) &&
           check_devices("chardev", options->Characters, error) &&
           check_devices("device", options->Devices, error);
}

/* ---- what depends on the drivers ---- */

/* NULL means all. */
static bool is_service(const RunOptions *options, const char *name)
{
    bool found = name == NULL;
    for (char **service = options->Services; *service && !found; service++)
        found = g_ascii_strcasecmp(*service, name) == 0;
    if (!found)
        found = package_list_has_service(options, name);
    for (guint i = 0; i < options->Companions->len && !found; i++)
        found = g_ascii_strcasecmp(((Companion *)options->Companions->pdata[i])->Service, name) == 0;
    return found;
}

static bool check_parameters(const RunOptions *options, GError **error)
{
    for (guint i = 0; i < options->Parameters->len; i++) {
        const ServiceParameter *parameter = options->Parameters->pdata[i];
        if (!is_service(options, parameter->Service))
            return usage_error(error, "--param: no driver of this run is called %s", parameter->Service);
    }
    return true;
}

static bool check_settings(const RunOptions *options, GError **error)
{
    for (guint i = 0; i < options->Settings->len; i++) {
        const ServiceSetting *setting = options->Settings->pdata[i];
        if (!is_service(options, setting->Service))
            return usage_error(error, "--service: no driver of this run is called %s", setting->Service);
        if (options->Fail.On && setting->Word == ServiceStartType && setting->Number < ServiceDemand)
            return usage_error(error, "--fail-allocations wants drivers that are started on demand");
    }
    return true;
}

static GPtrArray *image_names(const RunOptions *options)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (char **service = options->Services; *service; service++)
        g_ptr_array_add(names, g_strconcat(*service, ".sys", NULL));
    for (guint i = 0; i < options->Companions->len; i++)
        g_ptr_array_add(names, g_strdup(((Companion *)options->Companions->pdata[i])->Name));
    g_ptr_array_add(names, g_strdup("ntoskrnl.exe"));
    return names;
}

static bool is_image(const char *wanted, const char *name)
{
    return g_ascii_strcasecmp(wanted, name) == 0;
}

/* With * and ?, as the kernel compares. */
static bool is_image_like(const char *wanted, const char *name)
{
    g_autofree char *pattern = g_ascii_strdown(wanted, -1), *lower = g_ascii_strdown(name, -1);
    return g_pattern_match_simple(pattern, lower);
}

static bool check_image(const RunOptions *options, const char *option, const char *wanted,
                        bool (*is)(const char *, const char *), GError **error)
{
    g_autoptr(GPtrArray) names = image_names(options);
    for (guint i = 0; i < names->len; i++) {
        if (is(wanted, names->pdata[i]))
            return true;
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);
    return usage_error(error, "%s: this run has no image %s, but %s", option, wanted, list);
}

/* Nothing would be found in, or fail for, the code of an image that is not there. A word without a point is a tag. */
static bool check_images(const RunOptions *options, GError **error)
{
    const char *only = options->Fail.Only, *special = options->SpecialPool;
    if (only && !check_image(options, "--fail-only", only, is_image, error))
        return false;
    return !special || !strchr(special, '.') ||
           check_image(options, "--special-pool", special, is_image_like, error);
}

/* ---- the context: --help has the options in the order in which they are added ---- */

/* What is done with the drivers. */
static void add_scenario_options(GOptionGroup *group, RawOptions *raw)
{
    GOptionEntry entries[] = {
        {"ioctl", 0, 0, G_OPTION_ARG_CALLBACK, on_ioctl, "Send a control request (lengths default to 4096)",
         "DEVICE:CODE[:HEX-IN[:OUT-LENGTH]]"},
        {"read", 0, 0, G_OPTION_ARG_CALLBACK, on_read, "Read from a device", "DEVICE[:LENGTH[:OFFSET]]"},
        {"write", 0, 0, G_OPTION_ARG_CALLBACK, on_write, "Write to a device", "DEVICE:HEX[:OFFSET]"},
        {"plug", 0, 0, G_OPTION_ARG_CALLBACK, on_plug,
         "Put a QEMU device into a slot while the guest runs, as --device has it", "DEVICE"},
        {"unplug", 0, 0, G_OPTION_ARG_CALLBACK, on_unplug,
         "Press the button of a device's slot, and wait until it is let go", "ID"},
        {"surprise", 0, 0, G_OPTION_ARG_CALLBACK, on_surprise,
         "Take a PCI function away without asking (BUS hexadecimal)", "BUS:DEVICE.FUNCTION"},
        {"sleep", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, on_sleep,
         "The system sleeps and wakes up, between the requests before and behind this word", NULL},
        {"scenario", 's', 0, G_OPTION_ARG_CALLBACK, on_scenario,
         "Send the requests of a file, one a line; without any, a package's own NAME.scn beside its INF is "
         "taken",
         "FILE.scn"},
        {"param", 0, 0, G_OPTION_ARG_CALLBACK, on_param,
         "A value of the Parameters key: dword, qword, sz, expand_sz, multi_sz, binary",
         "[SERVICE/]NAME=TYPE:VALUE"},
        {"service", 0, 0, G_OPTION_ARG_CALLBACK, on_service,
         "As in sc.exe create: type, start, error, binPath, DisplayName, group, tag, depend",
         "[SERVICE/]NAME=VALUE"},
        {"group-order", 0, 0, G_OPTION_ARG_CALLBACK, on_group_order,
         "In which order groups of services, and tags in them, are started", "GROUP[:TAG,TAG...][/GROUP...]"},
        {"inf", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->Infs,
         "Install a driver package: its services, keys and files (repeatable)", "FILE.inf"},
        {"with", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw->With,
         "One more image for System32\\drivers, which drivers import from (repeatable)", "FILE"},
        {"each", 0, 0, G_OPTION_ARG_NONE, &raw->Each, "Load, exercise and unload each driver by itself",
         NULL},
        {"then", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, on_then,
         "Begin the next group of drivers and requests", NULL},
        {"power-cycle", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK, on_power_cycle,
         "Sleep and wake up after the requests, and send them again, N times (1)", "N"},
        {"rounds", 0, 0, G_OPTION_ARG_INT, &raw->Rounds, "Do everything N times in one machine (1)", "N"},
        {NULL},
    };
    g_option_group_add_entries(group, entries);
}

/* What it is done on. */
static void add_machine_options(GOptionGroup *group, RawOptions *raw)
{
    RunOptions *o = raw->Options;
    GOptionEntry entries[] = {
        {"boot", 0, 0, G_OPTION_ARG_STRING, &raw->Boot, "pvh (default), bios or uefi", "METHOD"},
        {"kernel", 0, 0, G_OPTION_ARG_STRING, &raw->Kernel, "checked (default) or free", "FLAVOUR"},
        {"smp", 0, 0, G_OPTION_ARG_INT, &raw->Processors, "Virtual processors (1)", "N"},
        {"memory", 0, 0, G_OPTION_ARG_STRING, &raw->Memory, "Memory, 32M to 64G (128M)", "SIZE"},
        {"cpu", 0, 0, G_OPTION_ARG_STRING, &o->Processor, "QEMU's processor model (max)", "MODEL"},
        {"timeout", 0, 0, G_OPTION_ARG_INT, &raw->TimeLimit, "Time limit of the whole run (30)", "SECONDS"},
        {NULL},
    };
    g_option_group_add_entries(group, entries);
}

/* What is looked at, and what is told. */
static void add_report_options(GOptionGroup *group, RawOptions *raw)
{
    RunOptions *o = raw->Options;
    GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &o->Json, "Write the report as one JSON document", NULL},
        {"strict-wx", 0, 0, G_OPTION_ARG_NONE, &o->StrictWx, "Refuse writable and executable sections", NULL},
        {"special-pool", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK, on_special_pool,
         "Pool between unmapped pages: of a driver (a.sys), a tag (Abcd), or, without =WHOSE, of all",
         "WHOSE"},
        {"pool", 0, 0, G_OPTION_ARG_NONE, &o->PoolReport,
         "Say who still holds how much pool after the unloading", NULL},
        {"allow-missing", 0, 0, G_OPTION_ARG_NONE, &o->AllowMissing, "Bind missing imports to a trap", NULL},
        {"bind", 0, 0, G_OPTION_ARG_STRING, &raw->Bind, "count: count the calls of each import", "MODE"},
        {"fail-allocations", 0, 0, G_OPTION_ARG_STRING, &raw->Fail,
         "Let allocations fail: each in turn, the Nth, at random, or one of the boot",
         "each|N|random:PERCENT[:PASSES]|boot:N"},
        {"fail-only", 0, 0, G_OPTION_ARG_STRING, &raw->FailOnly,
         "Of those only what the code of this image asks for", "IMAGE"},
        {"save-hive", 0, 0, G_OPTION_ARG_FILENAME, &o->HiveFile,
         "Write the SYSTEM hive here, as the run has left it", "FILE"},
        {"keep-loaded", 0, 0, G_OPTION_ARG_NONE, &o->KeepLoaded, "Do not unload the drivers at the end",
         NULL},
        {NULL},
    };
    g_option_group_add_entries(group, entries);
}

/* What repeats a run, and what helps to look into it. */
static void add_debug_options(GOptionGroup *group, RawOptions *raw)
{
    RunOptions *o = raw->Options;
    GOptionEntry entries[] = {
        {"seed", 0, 0, G_OPTION_ARG_STRING, &raw->Seed, "Seed of the kernel's randomness and of QEMU's", "N"},
        {"icount", 0, 0, G_OPTION_ARG_NONE, &o->Icount, "Deterministic: time is the count of instructions",
         NULL},
        {"trace-hash", 0, 0, G_OPTION_ARG_NONE, &o->TraceHash, "With --icount: print a hash of all records",
         NULL},
        {"gdb", 0, 0, G_OPTION_ARG_NONE, &o->Gdb, "Wait for a debugger on TCP port 1234; no time limit",
         NULL},
        {"log", 0, 0, G_OPTION_ARG_FILENAME, &o->LogFile, "Write the serial log here", "FILE"},
        {"keep", 0, 0, G_OPTION_ARG_FILENAME, &o->KeepFolder, "Keep boot.cpio and the QEMU command here",
         "FOLDER"},
        {"append", 0, 0, G_OPTION_ARG_STRING, &o->Append, "More words for the kernel's command line",
         "WORDS"},
        {"machine", 0, 0, G_OPTION_ARG_STRING, &raw->Board,
         "The board: q35 (default, PCI Express) or pc (PCI)", "BOARD"},
        {"device", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->Devices,
         "Add a QEMU device to the machine (repeatable)", "DEVICE"},
        {"drive", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->Drives,
         "Add a drive that a device names, as QEMU's -drive if=none (repeatable)", "id=ID,file=FILE,..."},
        {"chardev", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->Characters,
         "Add a character device that a device names, as QEMU's -chardev (repeatable)", "BACKEND,id=ID,..."},
        {"dir", 0, 0, G_OPTION_ARG_FILENAME, &o->Directory, "Where the kernel lies (or $NTBOX_DIR)",
         "FOLDER"},
        {G_OPTION_REMAINING, 0, G_OPTION_FLAG_FILENAME, G_OPTION_ARG_CALLBACK, on_file, NULL,
         "FILE.sys [FILE.sys ...]"},
        {NULL},
    };
    g_option_group_add_entries(group, entries);
}

static GOptionContext *make_context(RawOptions *raw)
{
    GOptionContext *context = g_option_context_new(NULL);
    GOptionGroup *group = g_option_group_new("run", "", "", raw, NULL);
    add_scenario_options(group, raw);
    add_machine_options(group, raw);
    add_report_options(group, raw);
    add_debug_options(group, raw);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(context,
                                 "Boots a virtual machine, loads the drivers in order, sends the requests, "
                                 "unloads in reverse order, reports. With --each or --then that is done "
                                 "for one group of drivers after the other.");
    g_option_context_set_description(context,
                                     "Exit codes: 0 pass, 1 the driver failed, 2 it cannot load, 3 usage or "
                                     "environment, 4 a fault of ntbox itself.\n");
    return context;
}

static RunOptions *new_options(void)
{
    RunOptions *options = g_new0(RunOptions, 1);
    options->Drivers = g_ptr_array_new_with_free_func(g_free);
    options->Companions = g_ptr_array_new_with_free_func((GDestroyNotify)companion_free);
    options->Packages = g_ptr_array_new_with_free_func((GDestroyNotify)driver_package_free);
    options->Registry = inf_registry_new();
    options->Groups = g_ptr_array_new_with_free_func((GDestroyNotify)run_group_free);
    options->Parameters = g_ptr_array_new_with_free_func((GDestroyNotify)service_parameter_free);
    options->Settings = g_ptr_array_new_with_free_func((GDestroyNotify)service_setting_free);
    options->Memory = 128u << 20;
    return options;
}

static void clear_raw(RawOptions *raw)
{
    g_ptr_array_unref(raw->Words);
    g_strfreev(raw->With);
    g_strfreev(raw->Infs);
    g_free(raw->Boot);
    g_free(raw->Board);
    g_free(raw->Kernel);
    g_free(raw->Memory);
    g_free(raw->Seed);
    g_free(raw->Bind);
    g_free(raw->Fail);
    g_free(raw->FailOnly);
}

static bool has_requests(const RawOptions *raw)
{
    for (guint i = 0; i < raw->Words->len; i++) {
        if (((const RunWord *)raw->Words->pdata[i])->Kind == RunWordRequest)
            return true;
    }
    return false;
}

/* Who asks for nothing gets what the packages bring: NAME.scn beside NAME.inf. */
static bool add_scenarios_of_packages(RawOptions *raw, GError **error)
{
    const GPtrArray *packages = raw->Options->Packages;
    bool good = true, wanted = !has_requests(raw);
    for (guint i = 0; wanted && good && i < packages->len; i++) {
        DriverPackage *package = packages->pdata[i];
        g_autofree char *path = driver_package_scenario(package);
        good = !path || add_scenario(raw, path, error);
    }
    return good;
}

static bool parse(RawOptions *raw, char **argv, GError **error)
{
    g_autoptr(GOptionContext) context = make_context(raw);
    if (!usage_parse_options(context, argv, error) || !parse_values(raw, error) ||
        !check_machine(raw->Options, error) || !package_list_open(raw->Options, raw->Infs, error) ||
        !add_scenarios_of_packages(raw, error) || !check_moves(raw, error) ||
        !driver_list_collect(raw->Options, raw->Words, raw->Each, error) ||
        !package_list_place(raw->Options, error) || !companions_collect(raw->Options, raw->With, error) ||
        !check_parameters(raw->Options, error) || !check_settings(raw->Options, error) ||
        !check_images(raw->Options, error))
        return false;
    raw->Options->Steps = run_plan_steps(raw->Options);
    return true;
}

RunOptions *run_options_parse(char **argv, GError **error)
{
    RawOptions raw = {.Options = new_options(),
                      .Words = g_ptr_array_new_with_free_func((GDestroyNotify)run_word_free),
                      .Processors = 1,
                      .TimeLimit = 30,
                      .Rounds = 1};
    bool good = parse(&raw, argv, error);
    clear_raw(&raw);
    if (good)
        return raw.Options;
    run_options_free(raw.Options);
    return NULL;
}

void run_options_free(RunOptions *options)
{
    g_ptr_array_unref(options->Drivers);
    g_ptr_array_unref(options->Companions);
    g_ptr_array_unref(options->Packages);
    inf_registry_free(options->Registry);
    g_ptr_array_unref(options->Groups);
    g_clear_pointer(&options->Steps, g_array_unref);
    g_ptr_array_unref(options->Parameters);
    g_ptr_array_unref(options->Settings);
    g_clear_pointer(&options->GroupOrder, group_order_free);
    g_strfreev(options->Services);
    g_free(options->Directory);
    g_free(options->LogFile);
    g_free(options->HiveFile);
    g_free(options->KeepFolder);
    g_strfreev(options->Drives);
    g_strfreev(options->Characters);
    g_strfreev(options->Devices);
    g_free(options->Append);
    g_free(options->SpecialPool);
    g_free(options->Processor);
    g_free(options->Fail.Only);
    g_free(options);
}

void run_options_print_help(void)
{
    RawOptions raw = {.Options = new_options()};
    g_autoptr(GOptionContext) context = make_context(&raw);
    g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
    g_print("%s", help);
    run_options_free(raw.Options);
}

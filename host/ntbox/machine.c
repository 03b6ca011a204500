/* SPDX-License-Identifier: MIT
 * The one place that knows QEMU's options. The machine is q35 (or pc) without the devices that nobody asked for:
 * measured with a PVH kernel that only exits, each of them costs start-up time (host/ntbox/README.md has the
 * numbers). */
#include "machine.h"

#define MEMORY_RESERVED (1ull << 30) /* the host sets aside as much for the guest */

const char *machine_boot_name(BootMethod boot)
{
    static const char *const names[] = {"pvh", "bios", "uefi"};
    return names[boot];
}

const char *machine_board_name(MachineBoard board)
{
    static const char *const names[] = {"q35", "pc"};
    return names[board];
}

static void add(GPtrArray *words, const char *word)
{
    g_ptr_array_add(words, g_strdup(word));
}

static void G_GNUC_PRINTF(3, 4) add_option(GPtrArray *words, const char *option, const char *format, ...)
{
    va_list arguments;
    add(words, option);
    va_start(arguments, format);
    g_ptr_array_add(words, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static void add_processors(GPtrArray *words, const Machine *machine)
{
    bool parallel = machine->Processors > 1 && !machine->Icount;
    add_option(words, "-cpu", "%s", machine->Processor);
    add_option(words, "-accel", "tcg,thread=%s", parallel ? "multi" : "single");
    add_option(words, "-smp", "%u", machine->Processors);
    if (machine->Icount)
        add_option(words, "-icount", "shift=%d,sleep=off", machine->Boot == BootPvh ? 0 : 7);
    if (machine->Icount)
        add_option(words, "-rtc", "base=2026-01-01T00:00:00,clock=vm");
    if (machine->HasSeed)
        add_option(words, "-seed", "%" G_GUINT64_FORMAT, machine->Seed);
}

static void add_boot(GPtrArray *words, const Machine *machine)
{
    if (machine->Boot == BootPvh) {
        add_option(words, "-kernel", "%s", machine->Loader);
        add_option(words, "-initrd", "/proc/self/fd/%d", MachineArchiveFd);
        add_option(words, "-append", "%s", machine->CommandLine);
        return;
    }
    if (machine->Boot == BootUefi)
        add_option(words, "-bios", "%s", machine->Firmware);
    g_auto(GStrv) parts = g_strsplit(machine->Iso, ",", -1); /* QEMU wants a comma doubled */
    g_autofree char *iso = g_strjoinv(",,", parts);
    add_option(words, "-drive", "if=none,id=cd,media=cdrom,readonly=on,format=raw,file=%s", iso);
    add_option(words, "-device", "ide-cd,drive=cd,bootindex=0");
}

static void add_devices(GPtrArray *words, const Machine *machine)
{
    add_option(words, "-chardev", "file,id=com1,path=/proc/self/fd/%d", MachineSerialFd);
    add_option(words, "-serial", "chardev:com1");
    add_option(words, "-object",
               "memory-backend-file,id=report,share=on,mem-path=/proc/self/fd/%d,size=%" G_GUINT64_FORMAT,
               MachineReportFd, machine->ReportLength);
    add_option(words, "-device", "ivshmem-plain,memdev=report");
    add_option(words, "-device", "isa-debug-exit,iobase=0x%x,iosize=4", MACHINE_EXIT_PORT);
    add_option(words, "-chardev", "socket,id=monitor,fd=%d", MachineMonitorFd);
    add_option(words, "-mon", "chardev=monitor,mode=control");
    for (char *const *drive = machine->Drives; drive && *drive; drive++)
        add_option(words, "-drive", "if=none,%s", *drive);
    for (char *const *character = machine->Characters; character && *character; character++)
        add_option(words, "-chardev", "%s", *character);
    for (char *const *device = machine->Devices; device && *device; device++)
        add_option(words, "-device", "%s", *device);
}

/* A large memory is promised, not reserved: the guest may have more than the host, as long as it does not touch it. */
static void add_memory(GPtrArray *words, uint64_t size)
{
    add_option(words, "-m", "%" G_GUINT64_FORMAT "k", size / 1024);
    if (size <= MEMORY_RESERVED)
        return;
    add_option(words, "-object", "memory-backend-ram,id=ram,size=%" G_GUINT64_FORMAT "k,reserve=off",
               size / 1024);
    add_option(words, "-machine", "memory-backend=ram");
}

char **machine_command(const Machine *machine)
{
    const char *qemu = g_getenv("NTBOX_QEMU");
    GPtrArray *words = g_ptr_array_new();
    add(words, qemu ? qemu : "qemu-system-x86_64");
    add_option(words, "-M", "%s,usb=off,smbus=off%s", machine_board_name(machine->Board),
               machine->Boot == BootPvh ? ",sata=off" : "");
    if (machine->Board == BoardQ35) /* slots of ports are their own */
        add_option(words, "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off");
    add_processors(words, machine);
    add_memory(words, machine->Memory);
    add(words, "-nodefaults");
    add(words, "-no-reboot");
    add_option(words, "-action", "shutdown=pause"); /* a machine that reset itself can then be looked at */
    add_option(words, "-display", "none");
    add_devices(words, machine);
    add_boot(words, machine);
    if (machine->Gdb) {
        add(words, "-s");
        add(words, "-S");
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

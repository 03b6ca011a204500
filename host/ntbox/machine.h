/* SPDX-License-Identifier: MIT
 * What the virtual machine is made of, and the QEMU command line for it. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum BootMethod { BootPvh, BootBios, BootUefi } BootMethod;

/* Descriptors that QEMU inherits; it opens the first three by their /proc/self/fd names. */
enum {
    MachineReportFd = 10,
    MachineArchiveFd = 11,
    MachineSerialFd = 12,
    MachineMonitorFd = 13,
};

/* Of the exit device: a byte written there ends QEMU at once. */
#define MACHINE_EXIT_PORT 0xf4

typedef enum MachineBoard {
    BoardQ35, /* PCI Express */
    BoardPc   /* i440FX and PIIX3: PCI */
} MachineBoard;
const char *machine_board_name(MachineBoard board);

typedef struct Machine {
    BootMethod Boot;
    const char *Loader;      /* BootPvh: osloader's path */
    const char *CommandLine; /* BootPvh: the kernel's */
    const char *Iso;         /* BootBios, BootUefi */
    const char *Firmware;    /* BootUefi */
    const char *Processor;   /* -cpu */
    MachineBoard Board;
    char *const *Drives;     /* -drive if=none each; NULL-terminated, or NULL: none */
    char *const *Characters; /* -chardev each, the same */
    char *const *Devices;    /* -device each, the same */
    uint32_t Processors;
    uint64_t Memory; /* bytes */
    uint64_t ReportLength;
    bool Gdb;    /* wait for gdb on TCP port 1234 */
    bool Icount; /* deterministic: one instruction, one tick */
    bool HasSeed;
    uint64_t Seed;
} Machine;

/* NULL-terminated; argv[0] is QEMU's name or path. Freed with g_strfreev. */
char **machine_command(const Machine *machine);

const char *machine_boot_name(BootMethod boot);

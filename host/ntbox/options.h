/* SPDX-License-Identifier: MIT
 * The command line of `ntbox run`, checked. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "fail_plan.h"
#include "inf_registry.h"
#include "machine.h"

typedef enum KernelFlavour { KernelChecked, KernelFree } KernelFlavour;

typedef struct RunOptions {
    GPtrArray *
        Drivers; /* paths (char *), each once, in the order in which they were first named; at least one, or a package */
    char **Services;       /* NULL-terminated: the drivers' names without ".sys", unique without case */
    GPtrArray *Companions; /* of Companion (companion.h): what the guest finds in System32\drivers besides */
    GPtrArray *Packages;   /* of DriverPackage (driver_package.h), of --inf */
    InfRegistry *Registry; /* the keys that they add */
    GPtrArray *Groups;     /* of RunGroup (run_plan.h), in the order of the command line; at least one */
    GArray *Steps;         /* of RunStep (run_plan.h): what the guest does, step number 1 first */
    uint32_t Rounds;       /* of all groups, in one machine */
    uint32_t PowerCycles;  /* after the requests of a group, each with the requests once more behind it */
    GPtrArray *Parameters; /* of ServiceParameter */
    GPtrArray *Settings;   /* of ServiceSetting */
    struct GroupOrder *GroupOrder; /* NULL: Windows' */
    BootMethod Boot;
    MachineBoard Board;
    KernelFlavour Kernel;
    uint32_t Processors;
    uint64_t Memory; /* bytes */
    uint32_t TimeLimit;
    uint64_t Seed;
    bool HasSeed;
    FailPlan Fail;
    char *SpecialPool; /* driver or tag, "" for all; NULL: none */
    gboolean Json, Gdb, PoolReport, StrictWx, AllowMissing, BindCount, Icount, TraceHash,
        KeepLoaded;                         /* GOption writes an int */
    char *Directory;                        /* --dir, or NULL */
    char *LogFile;                          /* --log, or NULL */
    char *HiveFile;                         /* --save-hive, or NULL */
    char *KeepFolder;                       /* --keep, or NULL */
    char *Append;                           /* --append, or NULL */
    char **Drives, **Characters, **Devices; /* of --drive, --chardev, --device, NULL-terminated, or NULL */
    char *Processor;                        /* --cpu */
} RunOptions;

/* argv[0] is the program, then what follows the verb. NULL with a sentence in error. `--help` prints and
 * exits. */
RunOptions *run_options_parse(char **argv, GError **error);
void run_options_free(RunOptions *options);

const char *kernel_flavour_name(KernelFlavour flavour);

/* Prints the help of `ntbox run`. */
void run_options_print_help(void);

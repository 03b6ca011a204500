/* SPDX-License-Identifier: MIT
 * Runs one QEMU to its end: starts it, drains the report channel while it runs, ends it at the time limit or
 * on a signal. QEMU never outlives ntbox. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "run_report.h"

#define VM_REPORT_LENGTH (16u << 20) /* of the shared memory; a power of two, as PCI wants */

/* What is done for a ReportMark of the guest. */
typedef struct VmMark {
    uint64_t Number;
    const char *Command; /* a line for the monitor */
    const char *Gone;    /* the mark is answered when this device is gone; NULL: at once */
} VmMark;

typedef struct VmPlan {
    char **Command;      /* machine_command() */
    GBytes *Archive;     /* boot.cpio, NULL with an ISO */
    const char *LogFile; /* serial log, NULL: only its end is kept in the report */
    const GArray *Marks; /* of VmMark */
    uint32_t TimeLimit;  /* seconds; 0: none (a debugger is attached) */
} VmPlan;

/* False with a sentence (NTBOX_USAGE_ERROR) if QEMU cannot be started or LogFile cannot be written; all else is told in
 * report. */
bool vm_run(const VmPlan *plan, RunReport *report, GError **error);

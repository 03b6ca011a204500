/* SPDX-License-Identifier: MIT
 * Everything that one run told: the guest's events in their order, and the state of the machine at its end.
 * Text, JSON and verdict are made from it. */
#pragma once
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "run_event.h"

#define RUN_REPORT_MAX_BYTES (256u << 20) /* kept from one run; what comes later is counted, not kept */
#define RUN_REPORT_MAX_PRINTS 5000u       /* DbgPrints and log lines kept from one step */

typedef enum VmEnd {
    VmExited,      /* QEMU ended by itself: the guest used its exit device, as the kernel does */
    VmTimedOut,    /* the time limit ended it */
    VmDied,        /* QEMU was killed by a signal or ended with an error of its own */
    VmInterrupted, /* SIGINT or SIGTERM to ntbox */
    VmDamaged,     /* ended by ntbox because the report channel was damaged */
    VmStuck,       /* the guest reported its end but the machine did not power off */
    VmReset,       /* the guest reset the machine: a triple fault, or a driver asked for it */
    VmSwitchedOff, /* the guest used the chipset's soft-off: a driver did */
} VmEnd;

/* Where a processor stood when the time limit or a reset ended the run. */
typedef struct ProcessorState {
    unsigned Number;
    uint64_t Rip;
    bool Halted;
    char *Place; /* "module!symbol+0x12", "module+0x1234" or NULL when no image holds Rip */
    char *Module;
} ProcessorState;

typedef struct RunReport {
    GPtrArray *Events;     /* of RunEvent, owned */
    GPtrArray *Processors; /* of ProcessorState, owned; empty but after VmTimedOut and VmReset */
    guint HungAt;          /* index of the first event behind the time limit; G_MAXUINT: it was not reached */
    GHashTable *Symbols;   /* (RunEvent *) -> char *, owned text: symbols that the host found */
    uint64_t Lost;         /* records that did not fit the ring */
    uint64_t Omitted;      /* records not kept because of RUN_REPORT_MAX_BYTES */
    bool InPass;           /* between ReportPassBegin and ReportPassEnd */
    uint32_t Printed;      /* prints of the step in hand */
    uint64_t Dropped;      /* prints not kept because of RUN_REPORT_MAX_PRINTS */
    uint64_t Bytes;        /* kept so far, estimated */
    GChecksum *Trace;      /* SHA-256 over all records, NULL when it is not asked for */
    char *Damage;          /* the channel's damage sentence, or NULL */
    VmEnd End;
    int ExitStatus; /* of QEMU: exit code, or the signal's number when it was Signalled */
    bool Signalled;
    char *MachineOutput; /* what QEMU wrote to stderr, trimmed; never NULL */
    char *Log;           /* the end of the serial log; never NULL */
    double Seconds;      /* wall time of the machine */
    uint32_t TimeLimit;  /* seconds */
} RunReport;

/* With trace, Trace is computed. */
RunReport *run_report_new(bool trace);
void run_report_free(RunReport *report);
void processor_state_free(ProcessorState *state);

/* A ReportSink; context is the RunReport. */
void run_report_add(const ReportView *view, void *context);

/* " (pass 12 of failing allocations)" for an event in a pass or right behind it, else "". */
char *run_report_pass_text(const RunReport *report, guint index);

/* The hash of all records as text; NULL when it says nothing: not asked for, records lost, or the machine did not
 * come to its end by itself. */
const char *run_report_trace_hash(const RunReport *report);

/* The first or the last event of a type, NULL if there is none. */
const RunEvent *run_report_first(const RunReport *report, REPORT_TYPE type);
const RunEvent *run_report_last(const RunReport *report, REPORT_TYPE type);

/* The bug check that ended the run: not the one that the NMI at the time limit leads to. NULL if there is none. */
const RunEvent *run_report_bugcheck(const RunReport *report);

/* The image that holds an address, by the image events; NULL if none does. */
const RunEvent *run_report_image_at(const RunReport *report, uint64_t address);

/* Is it a part of ntbox (kernel, hal, agent) and not a driver under test? NULL counts as such. */
bool run_report_is_own_module(const char *module);

/* The last line of the serial log that is not empty, NULL if there is none. The caller frees it. */
char *run_report_last_log_line(const RunReport *report);

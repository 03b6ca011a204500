/* SPDX-License-Identifier: MIT
 * QEMU's QMP monitor: its events while the machine runs, and a few commands once it hangs or has reset itself, for
 * whose answers the caller simply waits. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#define QMP_ERROR (qmp_error_quark())
GQuark qmp_error_quark(void);

typedef struct QmpMonitor {
    int Fd;             /* our end of the socket pair; not owned */
    GString *Input;     /* read but not yet taken */
    guint Outstanding;  /* commands that are not answered yet */
    char *Answer;       /* text of the last answer; NULL if it was an error */
    char *Refusal;      /* QEMU's words, if it was an error */
    GPtrArray *Deleted; /* of char *: devices that are gone */
    bool Reset;         /* the guest has reset the machine, which now stands still */
    bool PowerOff;      /* the guest has switched the machine off, which now stands still */
} QmpMonitor;

/* Asks for the negotiation and does not wait for its answer. */
void qmp_open(QmpMonitor *monitor, int fd);
void qmp_close(QmpMonitor *monitor);

/* Takes the events that are there (Reset, PowerOff). Never waits. */
void qmp_poll(QmpMonitor *monitor);

/* One command, a line. False with QEMU's words in error. What was deleted before does not count any more. */
bool qmp_do(QmpMonitor *monitor, const char *line, GError **error);
/* Has QEMU told that the device is gone, since the last command? */
bool qmp_is_deleted(const QmpMonitor *monitor, const char *device);

/* Stops the machine and gives the text of `info registers -a`. NULL with a sentence in error, at the latest after a few
 * seconds. */
char *qmp_read_registers(QmpMonitor *monitor, GError **error);

/* A non-maskable interrupt to all processors of a stopped machine, which then runs on. */
bool qmp_inject_nmi(QmpMonitor *monitor, GError **error);

/* Fills an array of ProcessorState (Number, Rip, Halted) from that text. What it cannot read it leaves out.
 */
GPtrArray *qmp_parse_registers(const char *text);

/* SPDX-License-Identifier: MIT
 * Asks a running QEMU by its QMP monitor. Only used once a machine hangs, so the calls simply wait. */
#pragma once
#include <glib.h>

#define QMP_ERROR (qmp_error_quark())
GQuark qmp_error_quark(void);

/* Fd: our end of the monitor's socket pair, before any command was sent. Negotiates, stops the machine and
 * gives the text of `info registers -a`. NULL with a sentence in error, at the latest after a few seconds. */
char *qmp_read_registers(int fd, GError **error);

/* Fills an array of ProcessorState (Number, Rip, Halted) from that text. What it cannot read it leaves out.
 */
GPtrArray *qmp_parse_registers(const char *text);

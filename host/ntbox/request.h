/* SPDX-License-Identifier: MIT
 * One request of the command line: --ioctl DEVICE:CODE[:HEX-IN[:OUT-LENGTH]], --read
 * DEVICE[:LENGTH[:OFFSET]],
 * --write DEVICE:HEX[:OFFSET]. DEVICE holds no colon. */
#pragma once
#include <glib.h>
#include <stdint.h>

#include "scenario_format.h"

#define REQUEST_DEFAULT_LENGTH 4096u       /* output of --ioctl and --read when none is given */
#define REQUEST_MAX_DEVICE 255u            /* bytes of an object name: SCENARIO_MAX_NAME of the agent */
#define REQUEST_MAX_LENGTH (1024u * 1024u) /* bytes in or out of one request */

typedef struct Request {
    SCENARIO_OP Operation; /* a request, a mark (hot_plug.h), ScenarioPowerCycle */
    char *Device;          /* object name: "\??\X", "\Device\X"; of a mark what is done; else empty */
    uint32_t Code;         /* ScenarioIoctl */
    GByteArray *Input;     /* ScenarioIoctl, ScenarioWrite; never NULL */
    uint32_t OutputLength; /* ScenarioIoctl, ScenarioRead */
    uint64_t Offset;       /* ScenarioRead, ScenarioWrite */
    char *Command;         /* ScenarioMark: what the host tells QEMU's monitor, one line */
    char *Gone;            /* ScenarioMark: the device that must be gone before it is done; NULL: none */
} Request;

/* Text is what stands behind --ioctl, --read or --write. NULL with one sentence in error (domain
 * NTBOX_USAGE_ERROR). Freed with request_free. */
Request *request_parse(SCENARIO_OP operation, const char *text, GError **error);
/* --sleep: the system sleeps and wakes up where the word stands. */
Request *request_sleep(void);
void request_free(Request *request);

/* "X" and "\\.\X" become "\??\X"; a name that starts with one backslash is taken as it is. */
char *request_object_name(const char *device);

/* SPDX-License-Identifier: MIT
 * What ntbox and one QEMU share: the report's memory, boot.cpio, the serial log, stderr, the monitor. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "report_reader.h"

typedef struct VmChannels {
    ReportReader Reader;
    void *Memory; /* VM_REPORT_LENGTH bytes, or NULL */
    int ReportFd, ArchiveFd, SerialFd, OutputFd, MonitorFd, GuestMonitorFd; /* -1: not open */
} VmChannels;

/* Archive may be NULL. LogFile NULL: the log is kept in memory. Close also after a failure. */
bool vm_channels_open(VmChannels *channels, GBytes *archive, const char *log_file, GError **error);
void vm_channels_close(VmChannels *channels);

/* Closes one of the descriptors, if it is open. */
void vm_channel_close(int *fd);

/* All that was written to SerialFd or OutputFd, as valid UTF-8; freed with g_free. */
char *vm_channel_text(int fd);

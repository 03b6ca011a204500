/* SPDX-License-Identifier: MIT
 * What ntbox and one QEMU share: the report's memory, boot.cpio, the serial log, stderr, the monitor. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "report_reader.h"

#define VM_LOG_KEPT (1u << 20) /* bytes of the serial log's end that are kept in memory */

typedef struct VmChannels {
    ReportReader Reader;
    void *Memory; /* VM_REPORT_LENGTH bytes, or NULL */
    int ReportFd, ArchiveFd, SerialFd, LogFd, OutputFd, MonitorFd, GuestMonitorFd; /* -1: not open */
    uint64_t LogCopied;  /* bytes of SerialFd that were written to LogFd */
    uint64_t LogDropped; /* bytes of SerialFd whose memory was given back */
    char *LogError;      /* why LogFd could not be written, or NULL */
} VmChannels;

/* Archive may be NULL. LogFile NULL: the log is only kept in memory. Close also after a failure. */
bool vm_channels_open(VmChannels *channels, GBytes *archive, const char *log_file, GError **error);
void vm_channels_close(VmChannels *channels);

/* Writes what the guest has said since the last call to the log file, and gives back the memory of what is older than
 * VM_LOG_KEPT bytes. False once the file cannot be written (LogError). */
bool vm_channels_copy_log(VmChannels *channels);

/* Closes one of the descriptors, if it is open. */
void vm_channel_close(int *fd);

/* The end (VM_LOG_KEPT bytes) of what was written to SerialFd or OutputFd, as valid UTF-8; freed with g_free. */
char *vm_channel_text(int fd);

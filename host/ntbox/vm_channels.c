/* SPDX-License-Identifier: MIT
 * Memory files and sockets between ntbox and QEMU. Nothing of it has a name in a file system, so nothing can
 * be left behind; QEMU opens them by its own /proc/self/fd. */
#include "vm_channels.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usage.h"
#include "vm.h"

static int open_memory(const char *name, uint64_t length, GError **error)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)length) == 0)
        return fd;
    usage_error(error, "cannot make %s: %s", name, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool open_report(VmChannels *channels, GError **error)
{
    channels->ReportFd = open_memory("ntbox-report", VM_REPORT_LENGTH, error);
    if (channels->ReportFd < 0)
        return false;
    channels->Memory =
        mmap(NULL, VM_REPORT_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, channels->ReportFd, 0);
    if (channels->Memory == MAP_FAILED) {
        channels->Memory = NULL;
        return usage_error(error, "cannot map the report channel: %s", g_strerror(errno));
    }
    report_reader_init(&channels->Reader, channels->Memory, VM_REPORT_LENGTH);
    return true;
}

static bool write_all(int fd, const char *data, gsize length)
{
    while (length) {
        ssize_t count = write(fd, data, length);
        if (count <= 0)
            return false;
        data += count;
        length -= (gsize)count;
    }
    return true;
}

static bool open_archive(VmChannels *channels, GBytes *archive, GError **error)
{
    gsize length;
    if (!archive)
        return true;
    const char *data = g_bytes_get_data(archive, &length);
    channels->ArchiveFd = open_memory("ntbox-boot.cpio", 0, error);
    if (channels->ArchiveFd < 0)
        return false;
    return write_all(channels->ArchiveFd, data, length) ||
           usage_error(error, "cannot hold boot.cpio: %s", g_strerror(errno));
}

static bool open_serial(VmChannels *channels, const char *file, GError **error)
{
    if (file) {
        channels->LogFd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (channels->LogFd < 0)
            return usage_error(error, "--log: cannot write %s: %s", file, g_strerror(errno));
    }
    channels->SerialFd = open_memory("ntbox-serial", 0, error);
    return channels->SerialFd >= 0;
}

static bool open_monitor(VmChannels *channels, GError **error)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return usage_error(error, "cannot make the monitor's socket: %s", g_strerror(errno));
    channels->MonitorFd = pair[0];
    channels->GuestMonitorFd = pair[1];
    return true;
}

bool vm_channels_open(VmChannels *channels, GBytes *archive, const char *log_file, GError **error)
{
    *channels = (VmChannels){.ReportFd = -1,
                             .ArchiveFd = -1,
                             .SerialFd = -1,
                             .LogFd = -1,
                             .OutputFd = -1,
                             .MonitorFd = -1,
                             .GuestMonitorFd = -1};
    channels->OutputFd = open_memory("ntbox-qemu-stderr", 0, error);
    return channels->OutputFd >= 0 && open_report(channels, error) &&
           open_archive(channels, archive, error) && open_serial(channels, log_file, error) &&
           open_monitor(channels, error);
}

void vm_channel_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void vm_channels_close(VmChannels *channels)
{
    report_reader_clear(&channels->Reader);
    g_clear_pointer(&channels->LogError, g_free);
    if (channels->Memory)
        munmap(channels->Memory, VM_REPORT_LENGTH);
    int *fds[] = {&channels->ReportFd, &channels->ArchiveFd, &channels->SerialFd,      &channels->LogFd,
                  &channels->OutputFd, &channels->MonitorFd, &channels->GuestMonitorFd};
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        vm_channel_close(fds[i]);
}

static uint64_t length_of(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static bool copy_log(VmChannels *channels, uint64_t length)
{
    char buffer[65536];
    while (channels->LogCopied < length) {
        ssize_t count = pread(channels->SerialFd, buffer, sizeof buffer, (off_t)channels->LogCopied);
        if (count <= 0)
            return true;
        if (!write_all(channels->LogFd, buffer, (gsize)count)) {
            channels->LogError = g_strdup(g_strerror(errno));
            return false;
        }
        channels->LogCopied += (uint64_t)count;
    }
    return true;
}

bool vm_channels_copy_log(VmChannels *channels)
{
    uint64_t length = length_of(channels->SerialFd);
    if (channels->LogFd >= 0 && (channels->LogError || !copy_log(channels, length)))
        return false;
    uint64_t old = length > VM_LOG_KEPT ? length - VM_LOG_KEPT : 0;
    if (old - channels->LogDropped >= VM_LOG_KEPT &&
        fallocate(channels->SerialFd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)channels->LogDropped,
                  (off_t)(old - channels->LogDropped)) == 0)
        channels->LogDropped = old;
    return true;
}

char *vm_channel_text(int fd)
{
    GString *text = g_string_new(NULL);
    char buffer[16384];
    uint64_t length = length_of(fd), start = length > VM_LOG_KEPT ? length - VM_LOG_KEPT : 0;
    while (text->len < VM_LOG_KEPT) {
        ssize_t count = pread(fd, buffer, sizeof buffer, (off_t)(start + text->len));
        if (count <= 0)
            break;
        g_string_append_len(text, buffer, count);
    }
    char *valid = g_utf8_make_valid(text->str, (gssize)text->len);
    g_string_free(text, TRUE);
    return valid;
}

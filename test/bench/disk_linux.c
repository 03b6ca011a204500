/* SPDX-License-Identifier: MIT
 * The /init of a Linux guest for disk.py: loads the modules that lie beside it, does the reads of disk_reads.h (O_DIRECT, Linux AIO)
 * with the depth and number of the kernel's command line, says how long they took, switches the machine off. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "disk_reads.h"

static unsigned char buffers[DISK_MOST_DEPTH][DISK_BLOCK] __attribute__((aligned(DISK_BLOCK)));
static struct iocb blocks[DISK_MOST_DEPTH];

static void end(const char *sentence)
{
    printf("disk: %s\n", sentence);
    fflush(stdout);
    tcdrain(1);
    reboot(LINUX_REBOOT_CMD_POWER_OFF);
}

/* In the order of their names. */
static void load_modules(void)
{
    char path[32];
    for (int i = 0;; i++) {
        snprintf(path, sizeof(path), "/%02d.ko", i);
        int file = open(path, O_RDONLY);
        if (file < 0)
            return;
        if (syscall(SYS_finit_module, file, "", 0) != 0)
            end("a module cannot be loaded");
        close(file);
    }
}

static int submit(aio_context_t context, int disk, unsigned slot, unsigned block)
{
    struct iocb *one = &blocks[slot];
    *one = (struct iocb){.aio_data = slot,
                         .aio_lio_opcode = IOCB_CMD_PREAD,
                         .aio_fildes = (unsigned)disk,
                         .aio_buf = (unsigned long)buffers[slot],
                         .aio_nbytes = DISK_BLOCK,
                         .aio_offset = (long long)block * DISK_BLOCK};
    return syscall(SYS_io_submit, context, 1, &one) == 1;
}

/* What ended is looked at; each slot that is free has the next read. */
static int run(aio_context_t context, int disk, unsigned depth, unsigned reads)
{
    unsigned long long state = DISK_SEED;
    struct io_event events[DISK_MOST_DEPTH];
    unsigned begun = 0, ended = 0;
    for (; begun < depth && begun < reads; begun++)
        if (!submit(context, disk, begun, DiskNextBlock(&state)))
            return 0;
    while (ended < reads) {
        long count = syscall(SYS_io_getevents, context, 1, depth, events, NULL);
        if (count < 1)
            return 0;
        for (long i = 0; i < count; i++, ended++) {
            unsigned slot = (unsigned)events[i].data;
            if (events[i].res != DISK_BLOCK ||
                *(unsigned *)buffers[slot] != blocks[slot].aio_offset / DISK_BLOCK)
                return 0;
            if (begun < reads && !submit(context, disk, slot, DiskNextBlock(&state)))
                return 0;
            begun += begun < reads;
        }
    }
    return 1;
}

static long long now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000ll + at.tv_nsec / 1000;
}

static int open_disk(void)
{
    int disk = -1;
    for (int tries = 0; disk < 0 && tries < 1000; tries++) {
        disk = open("/dev/vda", O_RDONLY | O_DIRECT);
        if (disk < 0)
            usleep(10000);
    }
    return disk;
}

static void measure(unsigned depth, unsigned reads)
{
    char sentence[80];
    aio_context_t context = 0;
    int disk = open_disk();
    if (disk < 0 || syscall(SYS_io_setup, DISK_MOST_DEPTH, &context) != 0)
        end("there is no disk");
    long long start = now();
    if (!run(context, disk, depth, reads))
        end("a read failed");
    snprintf(sentence, sizeof(sentence), "%u reads took %lld us", reads, now() - start);
    end(sentence);
}

int main(void)
{
    mkdir("/dev", 0755);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    int console = open("/dev/ttyS0", O_RDWR);
    dup2(console, 1);
    load_modules();
    const char *depth = getenv("depth"), *reads = getenv("reads");
    if (depth != NULL && reads != NULL && atoi(depth) > 0 && atoi(depth) <= (int)DISK_MOST_DEPTH)
        measure((unsigned)atoi(depth), (unsigned)atoi(reads));
    end("depth and reads are missing");
}

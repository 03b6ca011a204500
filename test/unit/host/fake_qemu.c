/* SPDX-License-Identifier: MIT
 * Stands in for QEMU in vm_test: takes the same descriptors, plays the guest that its first argument names.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest_ring.h"
#include "machine.h"
#include "vm.h"

static GuestRing ring;

static void boot(void)
{
    void *memory = mmap(NULL, VM_REPORT_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, MachineReportFd, 0);
    if (memory == MAP_FAILED)
        _exit(9);
    guest_ring_open(&ring, memory);
    guest_ring_text(&ring, ReportKeyText, "fake");
    guest_ring_publish(&ring, ReportBoot);
}

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

static void done(void)
{
    guest_ring_number(&ring, ReportKeyStatus, 0);
    guest_ring_publish(&ring, ReportDone);
}

/* Far more records than the ring holds, none of which may be lost: the writer waits for the reader. */
static void flood(void)
{
    REPORT_HEADER *header = (REPORT_HEADER *)ring.Memory;
    for (unsigned i = 0; i < 40000; i++) {
        char text[1000];
        memset(text, 'f', sizeof text);
        while (header->Produced - *(volatile uint64_t *)&header->Consumed > header->RingLength - 8192)
            usleep(100);
        guest_ring_bytes(&ring, ReportKeyData, text, sizeof text);
        guest_ring_publish(&ring, ReportPrint);
    }
}

static void answer(const char *text)
{
    if (write(MachineMonitorFd, text, strlen(text)) < 0)
        _exit(9);
}

/* The kernel's answer to the NMI: it says where it is and ends. */
static void tell_stacks(void)
{
    guest_ring_number(&ring, ReportKeyCode, 0x80);
    guest_ring_publish(&ring, ReportBugCheck);
    guest_ring_text(&ring, ReportKeyDriver, "keeper.sys");
    guest_ring_text(&ring, ReportKeyName, "IRP_MJ_READ");
    guest_ring_publish(&ring, ReportRequest);
    _exit(0);
}

/* Answers every command of the monitor; the events between must not confuse the client. */
static void play_monitor(bool hears_nmi)
{
    char buffer[1024];
    answer("{\"QMP\": {\"version\": {}}}\r\n");
    for (;;) {
        ssize_t count = read(MachineMonitorFd, buffer, sizeof buffer - 1);
        if (count <= 0)
            _exit(9);
        buffer[count] = '\0';
        answer("{\"event\": \"STOP\"}\r\n");
        if (hears_nmi && strstr(buffer, "\"cont\""))
            tell_stacks();
        if (strstr(buffer, "info registers"))
            answer("{\"return\": \"CPU#0\\r\\nRIP=fffff80000401010 RFL=0 HLT=0\\r\\n\"}\r\n");
        else
            answer("{\"return\": {}}\r\n");
    }
}

int main(int argc, char **argv)
{
    const char *role = argc > 1 ? argv[1] : "";
    if (strcmp(role, "refuse") == 0) {
        fprintf(stderr, "fake: no such machine\n");
        return 1;
    }
    if (write(MachineSerialFd, "a line of the log\n", 18) != 18)
        return 9;
    if (strcmp(role, "silent") == 0)
        return 0;
    boot();
    if (strcmp(role, "flood") == 0)
        flood();
    if (strcmp(role, "hang") == 0 || strcmp(role, "nmi") == 0)
        play_monitor(strcmp(role, "nmi") == 0);
    if (strcmp(role, "reset") == 0) {
        answer("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}\r\n");
        play_monitor(false);
    }
    if (strcmp(role, "mute") == 0)
        wait_for_ever();
    if (strcmp(role, "die") == 0)
        abort();
    if (strcmp(role, "damage") == 0) {
        guest_ring_publish_length(&ring, ReportPrint, 12);
        wait_for_ever();
    }
    done();
    if (strcmp(role, "stuck") == 0)
        wait_for_ever();
    return 0;
}

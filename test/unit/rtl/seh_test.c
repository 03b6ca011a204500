/* SPDX-License-Identifier: MIT
 * Runs the guest image of guest/seh_guest.c: maps it, turns SIGSEGV, SIGFPE and SIGILL inside it into exception records and
 * jumps to its trap entry with a machine frame on its stack, as the kernel's trap code does. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "guest_context.h"
#include "pe_guest.h"

static PE_GUEST guest;
static void *trap_entry;

/* What lies on the guest's stack below a fault; a multiple of 16 and aligned so. */
typedef struct TRAP_AREA {
    uint64_t frame[5]; /* RIP, CS, RFLAGS, RSP, SS */
    uint64_t padding;
    EXCEPTION_RECORD record;
    uint64_t padding2;
    CONTEXT context;
} TRAP_AREA;

static void describe(int number, const siginfo_t *info, const ucontext_t *signal, EXCEPTION_RECORD *record)
{
    __builtin_memset(record, 0, sizeof(*record));
    record->ExceptionAddress = (PVOID)signal->uc_mcontext.gregs[REG_RIP];
    if (number == SIGSEGV) {
        record->ExceptionCode = STATUS_ACCESS_VIOLATION;
        record->NumberParameters = 2;
        record->ExceptionInformation[0] = (signal->uc_mcontext.gregs[REG_ERR] >> 1) & 1;
        record->ExceptionInformation[1] = (ULONG_PTR)info->si_addr;
    } else {
        record->ExceptionCode = number == SIGFPE ? STATUS_INTEGER_DIVIDE_BY_ZERO : (NTSTATUS)0xC000001D;
    }
}

static void on_fault(int number, siginfo_t *info, void *argument)
{
    ucontext_t *signal = argument;
    greg_t *registers = signal->uc_mcontext.gregs;

    if ((uint64_t)registers[REG_RIP] - (uintptr_t)guest.base >= guest.size || number == SIGTRAP) {
        static const char text[] = "a fault outside the guest, or an exception that nobody handled\n";
        if (write(2, text, sizeof(text) - 1) < 0)
            _exit(3);
        _exit(2);
    }
    TRAP_AREA *area = (TRAP_AREA *)(((uint64_t)registers[REG_RSP] - sizeof(TRAP_AREA) - 256) & ~15ull);
    context_from_signal(signal, &area->context);
    describe(number, info, signal, &area->record);
    area->frame[0] = area->context.Rip;
    area->frame[1] = area->context.SegCs;
    area->frame[2] = area->context.EFlags;
    area->frame[3] = area->context.Rsp;
    area->frame[4] = area->context.SegSs;
    registers[REG_RIP] = (greg_t)(uintptr_t)trap_entry;
    registers[REG_RSP] = (greg_t)(uintptr_t)area->frame;
    registers[REG_RCX] = (greg_t)(uintptr_t)&area->record;
    registers[REG_RDX] = (greg_t)(uintptr_t)&area->context;
}

static __attribute__((ms_abi)) void report(const char *name, const char *trace, const char *expected)
{
    printf("%s %s: \"%s\"%s%s\n", __builtin_strcmp(trace, expected) == 0 ? "ok" : "FAILED", name, trace,
           __builtin_strcmp(trace, expected) == 0 ? "" : ", expected ",
           __builtin_strcmp(trace, expected) == 0 ? "" : expected);
    fflush(stdout);
}

typedef __attribute__((ms_abi)) ULONG GUEST_MAIN(
    ULONG64 stack_high, __attribute__((ms_abi)) void (*report)(const char *, const char *, const char *));

int main(int argc, char **argv)
{
    static char stack[65536];
    const int numbers[] = {SIGSEGV, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

    if (argc != 2 || !pe_guest_map(argv[1], &guest))
        return 2;
    trap_entry = pe_guest_export(&guest, "GuestTrapEntry");
    GUEST_MAIN *run = (GUEST_MAIN *)pe_guest_export(&guest, "GuestMain");
    if (trap_entry == NULL || run == NULL)
        return 2;
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
    return run((uintptr_t)__builtin_frame_address(0) & ~15ull, report) == 0 ? 0 : 1;
}

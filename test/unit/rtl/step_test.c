/* SPDX-License-Identifier: MIT
 * Unwinding at every instruction. Code that a Windows compiler made runs in this process under the trap flag; after each
 * instruction the unwinder, here native code under ASan and UBSan, walks from the registers of the signal to the caller, and
 * RIP, RSP and all preserved registers must be what they were at the call. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "guest_context.h"
#include "pe_guest.h"
#include "rtl/unwind.h"

uint64_t step_call(void *guest);
extern uint64_t step_return_address, step_return_rsp;

static PE_GUEST guest;
static unsigned long steps, wrong, deepest;

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    (void)PoolType;
    (void)NumberOfBytes;
    (void)Tag;
    abort(); /* the unwinder allocates nothing */
}

PVOID ExAllocatePoolForOwner(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PVOID Owner)
{
    UNREFERENCED_PARAMETER(Owner);
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    (void)P;
    (void)Tag;
    abort();
}

static BOOLEAN find_image(ULONG64 Address, RTL_IMAGE_VIEW *Image)
{
    *Image = (RTL_IMAGE_VIEW){(uintptr_t)guest.base, guest.size, guest.functions, guest.function_count};
    return Address - Image->Base < Image->Size;
}

static BOOLEAN find_stack(ULONG64 StackPointer, RTL_STACK_LIMITS *Limits)
{
    *Limits = (RTL_STACK_LIMITS){step_return_rsp - 0x40000, step_return_rsp + 8};
    return StackPointer >= Limits->Low && StackPointer <= Limits->High;
}

static BOOLEAN is_readable(ULONG64 Address, ULONG Length)
{
    return Address - (uintptr_t)guest.base < guest.size &&
           guest.size - (Address - (uintptr_t)guest.base) >= Length;
}

static int same_xmm(const CONTEXT *context, int number)
{
    ULONG64 expected = (ULONG64)number * 0x01010101;
    const M128A *xmm = &context->FltSave.XmmRegisters[number];
    return xmm->Low == expected && (ULONG64)xmm->High == expected;
}

static const char *check(const CONTEXT *c)
{
    if (c->Rip != step_return_address)
        return "RIP";
    if (c->Rsp != step_return_rsp)
        return "RSP";
    if (c->Rbx != 0x1111111111111101 || c->Rbp != 0x2222222222222202)
        return "RBX or RBP";
    if (c->Rsi != 0x3333333333333303 || c->Rdi != 0x4444444444444404)
        return "RSI or RDI";
    if (c->R12 != 0x5555555555555505 || c->R13 != 0x6666666666666606)
        return "R12 or R13";
    if (c->R14 != 0x7777777777777707 || c->R15 != 0x8888888888888808)
        return "R14 or R15";
    for (int i = 6; i < 16; i++)
        if (!same_xmm(c, i))
            return "an XMM register";
    return NULL;
}

/* Walks from the instruction that was about to run to the caller of the guest. */
static void on_step(int number, siginfo_t *info, void *argument)
{
    CONTEXT context;
    NTSTATUS status = STATUS_SUCCESS;
    unsigned long depth = 0;

    (void)number;
    (void)info;
    context_from_signal(argument, &context);
    ULONG64 pc = context.Rip;
    if (pc - (uintptr_t)guest.base >= guest.size)
        return;
    steps++;
    while (context.Rip - (uintptr_t)guest.base < guest.size && depth++ < 64 &&
           RtlUnwindOneFrame(&context, &status))
        ;
    if (depth > deepest)
        deepest = depth;
    const char *what = status != STATUS_SUCCESS ? "the walk" : check(&context);
    if (what != NULL && wrong++ < 10)
        fprintf(stderr, "at +0x%llx: %s is wrong after %lu frames (status %x)\n",
                (unsigned long long)(pc - (uintptr_t)guest.base), what, depth, (unsigned)status);
}

int main(int argc, char **argv)
{
    static char stack[262144];
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    if (argc != 2 || !pe_guest_map(argv[1], &guest))
        return 2;
    void *run = pe_guest_export(&guest, "StepMain");
    if (run == NULL)
        return 2;
    RtlSetUpcalls(
        &(RTL_UPCALLS){.FindImage = find_image, .FindStack = find_stack, .IsReadable = is_readable});
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
    sigaction(SIGTRAP, &action, NULL);
    step_call(run);
    printf("%lu instructions, deepest chain %lu, %lu wrong\n", steps, deepest, wrong);
    return wrong != 0 || steps < 1000 || deepest < 5;
}

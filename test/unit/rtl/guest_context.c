/* SPDX-License-Identifier: MIT
 * See guest_context.h. */
#include "guest_context.h"

void context_from_signal(const ucontext_t *signal, CONTEXT *context)
{
    static const int order[17] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                  REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                  REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    const greg_t *registers = signal->uc_mcontext.gregs;
    USHORT ss;

    __asm__("mov %%ss, %0" : "=r"(ss));
    __builtin_memset(context, 0, sizeof(*context));
    for (int i = 0; i < 17; i++)
        (&context->Rax)[i] = (ULONG64)registers[order[i]];
    context->ContextFlags = 0x10000F;
    context->EFlags = (ULONG)registers[REG_EFL];
    context->SegCs = (USHORT)registers[REG_CSGSFS];
    context->SegSs = ss;
    context->MxCsr = signal->uc_mcontext.fpregs->mxcsr;
    __builtin_memcpy(context->FltSave.XmmRegisters, signal->uc_mcontext.fpregs->_xmm,
                     sizeof(context->FltSave.XmmRegisters));
}

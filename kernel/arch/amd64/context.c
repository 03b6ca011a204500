/* SPDX-License-Identifier: MIT
 * Initial stacks, extended state areas, and the two-way copy between a trap frame and a CONTEXT. */
#include "arch_trap.h"
#include "rtl.h"

#define MXCSR_DEFINED 0xFFFFu /* another bit would be a general-protection fault */

BOOLEAN ArchUseXSave;
static ULONG ArchXStateBytes = 512;

VOID ArchThreadStart(VOID);

/* Called once by ArchEnableFeatures after XCR0 is set. */
VOID ArchSelectXSave(ULONG Bytes)
{
    ArchUseXSave = TRUE;
    ArchXStateBytes = (ULONG)ALIGN_UP_BY(Bytes, 64);
}

ULONG ArchXStateSize(VOID)
{
    return ArchXStateBytes;
}

/* XSTATE_MASK_xxx bits. */
ULONG64 ArchEnabledXState(VOID)
{
    ULONG Low, High;

    if (!ArchUseXSave)
        return XSTATE_MASK_LEGACY;
    __asm__ volatile("xgetbv" : "=a"(Low), "=d"(High) : "c"(0));
    return ((ULONG64)High << 32) | Low;
}

VOID ArchSaveXState(PVOID Area, ULONG64 Mask)
{
    if (ArchUseXSave)
        __asm__ volatile("xsave64 (%0)" : : "r"(Area), "a"((ULONG)Mask), "d"((ULONG)(Mask >> 32)) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(Area) : "memory");
}

VOID ArchRestoreXState(const VOID *Area, ULONG64 Mask)
{
    if (ArchUseXSave)
        __asm__ volatile("xrstor64 (%0)"
                         :
                         : "r"(Area), "a"((ULONG)Mask), "d"((ULONG)(Mask >> 32))
                         : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(Area) : "memory");
}

/* x87 control word 0x27f and MXCSR 0x1f80 are what Windows gives a new thread; XSTATE_BV = 0 elsewhere means initial state. */
VOID ArchInitializeXState(PVOID Area)
{
    XSAVE_FORMAT *Legacy = Area;

    memset(Area, 0, ArchXStateBytes);
    Legacy->ControlWord = 0x27f;
    Legacy->MxCsr = 0x1f80;
    if (ArchUseXSave)
        ((ULONG64 *)Area)[512 / 8] = 3; /* XSTATE_BV: x87 and SSE are as given above */
}

PVOID ArchPrepareStack(PVOID StackTop, VOID (*Entry)(PVOID), PVOID Argument)
{
    ULONG64 *Stack = StackTop;

    *--Stack = 0; /* return address of ArchThreadStart: end of the walk, RSP + 8 is a multiple of 16 there */
    *--Stack = (ULONG64)ArchThreadStart;
    *--Stack = (ULONG64)Entry;    /* rbx */
    *--Stack = 0;                 /* rbp */
    *--Stack = (ULONG64)Argument; /* rsi */
    for (ULONG i = 0; i < 5; i++)
        *--Stack = 0; /* rdi, r12-r15 */
    return Stack;
}

VOID ArchContextFromTrapFrame(const ARCH_TRAP_FRAME *Frame, PCONTEXT Context)
{
    memset(Context, 0, sizeof(*Context));
    Context->ContextFlags = CONTEXT_FULL;
    Context->Rax = Frame->Rax;
    Context->Rcx = Frame->Rcx;
    Context->Rdx = Frame->Rdx;
    Context->Rbx = Frame->Rbx;
    Context->Rsp = Frame->Rsp;
    Context->Rbp = Frame->Rbp;
    Context->Rsi = Frame->Rsi;
    Context->Rdi = Frame->Rdi;
    Context->R8 = Frame->R8;
    Context->R9 = Frame->R9;
    Context->R10 = Frame->R10;
    Context->R11 = Frame->R11;
    Context->R12 = Frame->R12;
    Context->R13 = Frame->R13;
    Context->R14 = Frame->R14;
    Context->R15 = Frame->R15;
    Context->Rip = Frame->Rip;
    Context->SegCs = (USHORT)Frame->SegCs;
    Context->SegSs = (USHORT)Frame->SegSs;
    Context->EFlags = (ULONG)Frame->EFlags;
    __asm__ volatile("fxsave64 %0"
                     : "=m"(Context->FltSave)); /* XMM6-15 and x87 are still those of the trap */
    memcpy(&Context->Xmm0, Frame->Xmm, sizeof(Frame->Xmm));
    Context->MxCsr = Frame->MxCsr;
}

VOID ArchTrapFrameFromContext(PCONTEXT Context, ARCH_TRAP_FRAME *Frame)
{
    Frame->Rax = Context->Rax;
    Frame->Rcx = Context->Rcx;
    Frame->Rdx = Context->Rdx;
    Frame->Rbx = Context->Rbx;
    Frame->Rsp = Context->Rsp;
    Frame->Rbp = Context->Rbp;
    Frame->Rsi = Context->Rsi;
    Frame->Rdi = Context->Rdi;
    Frame->R8 = Context->R8;
    Frame->R9 = Context->R9;
    Frame->R10 = Context->R10;
    Frame->R11 = Context->R11;
    Frame->R12 = Context->R12;
    Frame->R13 = Context->R13;
    Frame->R14 = Context->R14;
    Frame->R15 = Context->R15;
    Frame->Rip = Context->Rip;
    Frame->EFlags = Context->EFlags;
    memcpy(Frame->Xmm, &Context->Xmm0, sizeof(Frame->Xmm));
    Frame->MxCsr = Context->MxCsr & MXCSR_DEFINED;
    /* x87 and XMM6-15: nothing between here and the IRETQ uses them */
    Context->FltSave.MxCsr = Frame->MxCsr;
    __asm__ volatile("fxrstor64 %0" : : "m"(Context->FltSave));
}

/* In the order of the pops at the end of ArchSwitchContext. */
VOID ArchContextFromSwitch(const VOID *SavedStack, PCONTEXT Context)
{
    const ULONG64 *Frame = SavedStack;

    memset(Context, 0, sizeof(*Context));
    Context->ContextFlags = CONTEXT_CONTROL | CONTEXT_INTEGER;
    Context->R15 = Frame[0];
    Context->R14 = Frame[1];
    Context->R13 = Frame[2];
    Context->R12 = Frame[3];
    Context->Rdi = Frame[4];
    Context->Rsi = Frame[5];
    Context->Rbp = Frame[6];
    Context->Rbx = Frame[7];
    Context->Rip = Frame[8];
    Context->Rsp = (ULONG64)(Frame + ARCH_SWITCH_FRAME_SIZE / sizeof(*Frame));
}

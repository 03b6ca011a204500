/* SPDX-License-Identifier: MIT
 * Tier 2, arch: descriptor tables, the trap frame and the table of trap handlers. ke and hal put their handlers into
 * the table; the entry code in arch/amd64/trap_entry.S knows nobody above it. */
#pragma once
#include "arch.h"

/* What trap_entry.S leaves on the stack. Every register is there, so that a CONTEXT can be made without unwinding.
 * XMM6-15 are preserved by whatever the handler calls (Microsoft x64 convention). */
typedef struct _ARCH_TRAP_FRAME {
    M128A Xmm[6]; /* 0x00 */
    ULONG MxCsr;  /* 0x60 */
    ULONG Irql;   /* 0x64: CR8 at the trap */
    ULONG64 Reserved;
    ULONG64 R15, R14, R13, R12, R11, R10, R9, R8; /* 0x70 */
    ULONG64 Rdi, Rsi, Rbp, Rbx, Rdx, Rcx, Rax;    /* 0xb0 */
    ULONG64 Vector;                               /* 0xe8 */
    ULONG64 ErrorCode;                            /* 0xf0 */
    ULONG64 Rip, SegCs, EFlags, Rsp, SegSs;       /* 0xf8 */
} ARCH_TRAP_FRAME;
ASSERT_OFFSET(ARCH_TRAP_FRAME, R15, 0x70);
ASSERT_OFFSET(ARCH_TRAP_FRAME, Vector, 0xe8);
ASSERT_SIZE(ARCH_TRAP_FRAME, 0x120);

/* Runs with interrupts off and CR8 as it was; DF is clear. Returning resumes what was interrupted, with the registers in
 * the frame. */
typedef VOID (*ARCH_TRAP_HANDLER)(ARCH_TRAP_FRAME *Frame);

/* An exception inside an interrupt (a DPC, a service routine) that no frame of the interrupt has handled: the frames of the
 * interrupted code must not see it. Does not return. ke sets it. */
extern VOID (*ArchExceptionInInterrupt)(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord);

#define ARCH_VECTOR_COUNT 256
VOID ArchSetTrapHandler(UCHAR Vector, ARCH_TRAP_HANDLER Handler);

/* Vectors that use a stack of their own (IST). */
#define ARCH_IST_DOUBLE_FAULT 1
#define ARCH_IST_NMI 2
#define ARCH_IST_MACHINE_CHECK 3
#define ARCH_IST_STACK_SIZE 0x2000

/* NT's selectors. */
#define KGDT64_R0_CODE 0x10
#define KGDT64_R0_DATA 0x18
#define KGDT64_SYS_TSS 0x40

/* One per processor: tables that the processor reads. */
typedef struct _ARCH_PROCESSOR_TABLES {
    ULONG64 Gdt[12];
    UCHAR Tss[104];
    ULONG64 Padding;
    DECLSPEC_ALIGN(16) UCHAR IstStacks[3][ARCH_IST_STACK_SIZE];
} ARCH_PROCESSOR_TABLES;

/* Once, before the first ArchInitializeProcessor: the IDT, which all processors share. */
VOID ArchInitializeTraps(VOID);

/* Loads GDT, TSS and IDT and sets GS to the KPCR. Interrupts off. StackTop goes to TSS.RSP0. */
VOID ArchInitializeProcessor(ARCH_PROCESSOR_TABLES *Tables, PVOID Pcr, PVOID StackTop);

/* CR4 and EFER features that the processor has (SMEP, UMIP, XSAVE ...), MXCSR and x87 state. Returns a description for the log. */
VOID ArchEnableFeatures(VOID);

/* Supervisor-mode access prevention (user_access.c). Once, on the boot processor, before others start: makes the places that forbid
 * access to user addresses do so. Only where the processor has it. WritableAlias: another address of a byte of the kernel's code. */
BOOLEAN ArchHasSmap(VOID);
VOID ArchActivateSmap(PUCHAR (*WritableAlias)(PUCHAR Code));
#define ARCH_CR4_SMAP (1ull << 21)
#define ARCH_EFLAGS_AC (1u << 18) /* in EFLAGS: the kernel may touch user addresses */

/* From here on the running code may not touch user addresses, until a trap returns or a fault of a thread's code permits it. */
#define ARCH_FORBID_USER_ACCESS()                                                                            \
    __asm__ volatile("1: .byte 0x0f, 0x1f, 0x00\n\t"                                                         \
                     ".pushsection .smap$m, \"dr\"\n\t"                                                      \
                     ".p2align 3\n\t.quad 1b\n\t"                                                            \
                     ".popsection"                                                                           \
                     :                                                                                       \
                     :                                                                                       \
                     : "memory")

/* Extended state: FXSAVE, or XSAVE where the processor has it. */
ULONG ArchXStateSize(VOID); /* bytes, multiple of 64 */
VOID ArchInitializeXState(PVOID Area);
ULONG64 ArchEnabledXState(VOID);               /* XSTATE_MASK_xxx bits */
VOID ArchSaveXState(PVOID Area, ULONG64 Mask); /* Area: zeroed or saved to before, 64-byte aligned */
VOID ArchRestoreXState(const VOID *Area, ULONG64 Mask);

/* Saves the nonvolatile registers and extended state of the current thread, switches stack, loads those of the next.
 * OldStack receives RSP. Dispatcher lock held; returns on the stack of the next thread. */
VOID ArchSwitchContext(PVOID *OldStack, PVOID OldXState, PVOID NewStack, PVOID NewXState);

/* Calls Routine(Argument) on another stack; StackBase: its highest address, 16-byte aligned. Stack walks go on on the caller's stack. No exception
 * may leave Routine. Any IRQL. */
VOID ArchCallOnStack(PVOID StackBase, VOID (*Routine)(PVOID), PVOID Argument);

/* Prepares a stack so that the first switch to it calls Entry(Argument). Returns the initial saved RSP. */
PVOID ArchPrepareStack(PVOID StackTop, VOID (*Entry)(PVOID), PVOID Argument);

/* The registers of a thread that does not run, from the stack pointer that ArchSwitchContext saved: as if that call returned. */
#define ARCH_SWITCH_FRAME_SIZE 72u
VOID ArchContextFromSwitch(const VOID *SavedStack, PCONTEXT Context);

VOID ArchContextFromTrapFrame(const ARCH_TRAP_FRAME *Frame, PCONTEXT Context);
VOID ArchTrapFrameFromContext(PCONTEXT Context, ARCH_TRAP_FRAME *Frame);

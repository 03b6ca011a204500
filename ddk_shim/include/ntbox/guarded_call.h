/* SPDX-License-Identifier: MIT
 * Call a routine under an exception handler, in both compilers. The MSVC ABI compilers have __try; mingw gcc
 * has none in C, but its assembler can write the same tables: a scope table for __C_specific_handler in the
 * function's unwind data. For drivers; include it in one source file of a driver after <ntddk.h>. [MS x64
 * exception handling] */
#pragma once

typedef NTSTATUS NTBOX_GUARDED(PVOID Context);
typedef VOID NTBOX_FINALLY(PVOID Context, BOOLEAN Abnormal);
typedef LONG NTBOX_FILTER(PEXCEPTION_POINTERS Pointers, PVOID Context);

#ifdef _MSC_VER

/* IRQL of Routine. Returns what Routine returned, or the exception code when it raised one. */
static inline NTSTATUS NtboxGuardedCall(NTBOX_GUARDED *Routine, PVOID Context)
{
    __try {
        return Routine(Context);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return (NTSTATUS)GetExceptionCode();
    }
}

/* Calls Routine, then Finally whichever way Routine ends; an exception goes on to the caller's handlers. */
static inline NTSTATUS NtboxFinallyCall(NTBOX_GUARDED *Routine, NTBOX_FINALLY *Finally, PVOID Context)
{
    NTSTATUS Status;
    __try {
        Status = Routine(Context);
    } __finally {
        Finally(Context, AbnormalTermination() != 0);
    }
    return Status;
}

/* NtboxGuardedCall with a filter that decides: EXCEPTION_EXECUTE_HANDLER, CONTINUE_SEARCH or CONTINUE_EXECUTION. */
static inline NTSTATUS NtboxFilteredCall(NTBOX_GUARDED *Routine, NTBOX_FILTER *Filter, PVOID Context)
{
    __try {
        return Routine(Context);
    } __except (Filter(GetExceptionInformation(), Context)) {
        return (NTSTATUS)GetExceptionCode();
    }
}

#else

NTSTATUS NtboxGuardedCall(NTBOX_GUARDED *Routine, PVOID Context);
NTSTATUS NtboxFinallyCall(NTBOX_GUARDED *Routine, NTBOX_FINALLY *Finally, PVOID Context);
NTSTATUS NtboxFilteredCall(NTBOX_GUARDED *Routine, NTBOX_FILTER *Filter, PVOID Context);

/* Scope record: begin, end, filter (1: always execute the handler), target. RtlUnwindEx enters the target
 * with the exception code in RAX, so the target is simply the epilogue. The NOP keeps the call's return
 * address in the scope. */
__asm__(".text\n"
        ".globl NtboxGuardedCall\n"
        ".def NtboxGuardedCall; .scl 2; .type 32; .endef\n"
        ".seh_proc NtboxGuardedCall\n"
        "NtboxGuardedCall:\n"
        "    subq $0x28, %rsp\n"
        "    .seh_stackalloc 0x28\n"
        "    .seh_endprologue\n"
        ".Lguarded_begin:\n"
        "    movq %rcx, %rax\n"
        "    movq %rdx, %rcx\n"
        "    call *%rax\n"
        "    nop\n"
        ".Lguarded_end:\n"
        "    addq $0x28, %rsp\n"
        "    ret\n"
        "    .seh_handler __C_specific_handler, @except, @unwind\n"
        "    .seh_handlerdata\n"
        "    .long 1\n"
        "    .rva .Lguarded_begin, .Lguarded_end\n"
        "    .long 1\n"
        "    .rva .Lguarded_end\n"
        "    .text\n"
        "    .seh_endproc\n");

/* A scope with target 0 is a __finally: __C_specific_handler calls it with (abnormal, establisher frame)
 * during an unwind, and here code falls into it otherwise. The frame is RSP after the prologue: Finally and
 * Context lie there. */
__asm__(".text\n"
        ".globl NtboxFinallyCall\n"
        ".def NtboxFinallyCall; .scl 2; .type 32; .endef\n"
        ".seh_proc NtboxFinallyCall\n"
        "NtboxFinallyCall:\n"
        "    subq $0x38, %rsp\n"
        "    .seh_stackalloc 0x38\n"
        "    .seh_endprologue\n"
        "    movq %rdx, 0x20(%rsp)\n"
        "    movq %r8, 0x28(%rsp)\n"
        ".Lfinally_begin:\n"
        "    movq %rcx, %rax\n"
        "    movq %r8, %rcx\n"
        "    call *%rax\n"
        "    nop\n"
        ".Lfinally_end:\n"
        "    movl %eax, 0x30(%rsp)\n"
        "    xorl %ecx, %ecx\n"
        "    movq %rsp, %rdx\n"
        "    call NtboxFinallyThunk\n"
        "    movl 0x30(%rsp), %eax\n"
        "    addq $0x38, %rsp\n"
        "    ret\n"
        "    .seh_handler __C_specific_handler, @except, @unwind\n"
        "    .seh_handlerdata\n"
        "    .long 1\n"
        "    .rva .Lfinally_begin, .Lfinally_end, NtboxFinallyThunk\n"
        "    .long 0\n"
        "    .text\n"
        "    .seh_endproc\n"
        ".seh_proc NtboxFinallyThunk\n"
        "NtboxFinallyThunk:\n"
        "    subq $0x28, %rsp\n"
        "    .seh_stackalloc 0x28\n"
        "    .seh_endprologue\n"
        "    movq 0x20(%rdx), %rax\n"
        "    movzbl %cl, %r8d\n"
        "    movq 0x28(%rdx), %rcx\n"
        "    movl %r8d, %edx\n"
        "    call *%rax\n"
        "    nop\n"
        "    addq $0x28, %rsp\n"
        "    ret\n"
        "    .seh_endproc\n");

/* A filter is called with (exception pointers, establisher frame). */
__asm__(".text\n"
        ".globl NtboxFilteredCall\n"
        ".def NtboxFilteredCall; .scl 2; .type 32; .endef\n"
        ".seh_proc NtboxFilteredCall\n"
        "NtboxFilteredCall:\n"
        "    subq $0x38, %rsp\n"
        "    .seh_stackalloc 0x38\n"
        "    .seh_endprologue\n"
        "    movq %rdx, 0x20(%rsp)\n"
        "    movq %r8, 0x28(%rsp)\n"
        ".Lfiltered_begin:\n"
        "    movq %rcx, %rax\n"
        "    movq %r8, %rcx\n"
        "    call *%rax\n"
        "    nop\n"
        ".Lfiltered_end:\n"
        "    addq $0x38, %rsp\n"
        "    ret\n"
        "    .seh_handler __C_specific_handler, @except, @unwind\n"
        "    .seh_handlerdata\n"
        "    .long 1\n"
        "    .rva .Lfiltered_begin, .Lfiltered_end, NtboxFilterThunk, .Lfiltered_end\n"
        "    .text\n"
        "    .seh_endproc\n"
        ".seh_proc NtboxFilterThunk\n"
        "NtboxFilterThunk:\n"
        "    subq $0x28, %rsp\n"
        "    .seh_stackalloc 0x28\n"
        "    .seh_endprologue\n"
        "    movq 0x20(%rdx), %rax\n"
        "    movq 0x28(%rdx), %rdx\n"
        "    call *%rax\n"
        "    nop\n"
        "    addq $0x28, %rsp\n"
        "    ret\n"
        "    .seh_endproc\n");

#endif
